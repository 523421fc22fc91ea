"""Solving with symmetric positive semi-definite matrices that may be singular.

Everything here first scales the matrix to a unit diagonal, so that the units of the columns do not
matter, and then factors it by pivoted Cholesky (LAPACK ``dpstrf``; Higham, "Accuracy and Stability of
Numerical Algorithms", section 10.3). A column whose residual diagonal falls below `RANK_TOLERANCE` is
*dependent*: it carries nothing that the columns before it do not carry.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]

RANK_TOLERANCE = 1e-12
"""Share of a column's variance that the columns before it must leave for it to count as independent.

The entries of a Gram matrix in double precision carry a relative error of about 1e-16 times a small
factor; below 1e-12 the residual diagonal is mostly rounding error.
"""


TIE = 1e-7
"""Relative difference of two columns' residuals below which the first of them is the pivot, about."""


def scale_of(diagonal: NDArray[Any]) -> Floats:
    """Return sqrt(diagonal), with 1.0 where the diagonal is not positive, to divide by."""
    return np.sqrt(np.where(diagonal > 0, diagonal, 1.0))


def independent_first(matrix: Floats, first: Mask | None = None) -> tuple[Floats, Indices]:
    """Factor a unit-diagonal positive semi-definite matrix, independent columns first.

    Parameters
    ----------
    matrix : ndarray of shape (p, p)
        Symmetric, diagonal 1 (or 0 for a dead column).
    first : ndarray of shape (p,), dtype=bool, default=None
        Columns that are preferred as independent ones over all the others.

    Returns
    -------
    factor : ndarray of shape (r, r)
        Upper triangular R with ``R.T @ R == matrix[np.ix_(order, order)]`` for the r independent columns.
    order : ndarray of shape (r,)
        The independent columns, in the order of the pivots.
    """
    if first is not None and first.any() and not first.all():
        return _in_two_stages(matrix, np.flatnonzero(first), np.flatnonzero(~first))
    if matrix.shape[0] == 0:
        return np.empty((0, 0)), np.empty(0, dtype=np.intp)
    # Without rank trouble the plain factor is several times faster than the pivoted one.
    factor, trouble = lapack.dpotrf(matrix, lower=0, clean=1)
    if trouble == 0 and np.diag(factor).min() ** 2 > 1e3 * RANK_TOLERANCE:
        return factor, np.arange(matrix.shape[0])
    raw, order = _pivoted(matrix)
    return np.triu(raw[:, : len(order)]), order


def _pivoted(matrix: Floats) -> tuple[Floats, Indices]:
    """Return the first rows of the pivoted Cholesky factor, and the columns that are its pivots.

    A unit diagonal is one great tie. Every column is made longer by a little than the next, so that ties go to the
    first and not to rounding errors, which depend on the order of the rows.
    """
    size = len(matrix)
    longer = 1 + TIE * np.arange(size, 0, -1) / size
    raw, pivots, rank, _ = lapack.dpstrf(matrix * np.outer(longer, longer), lower=0, tol=RANK_TOLERANCE)
    order = pivots.astype(np.intp) - 1
    return raw[:rank] / longer[order], order[:rank]


def _in_two_stages(matrix: Floats, first: Indices, rest: Indices) -> tuple[Floats, Indices]:
    head, order = independent_first(matrix[np.ix_(first, first)])
    head_columns = first[order]
    coupling = solve_triangular(head, matrix[np.ix_(head_columns, rest)], trans="T")
    residual = matrix[np.ix_(rest, rest)] - coupling.T @ coupling
    raw, tail = _pivoted(residual)
    rank = len(tail)
    factor = np.block([[head, coupling[:, tail]], [np.zeros((rank, len(head))), np.triu(raw[:, :rank])]])
    return factor, np.concatenate([head_columns, rest[tail]])


def solve_psd(matrix: Floats, right: Floats, first: Mask | None = None) -> Floats:
    """Return a basic solution x of ``matrix @ x = right``: zero for every dependent column.

    Parameters
    ----------
    matrix : ndarray of shape (p, p)
        Symmetric positive semi-definite, in any units.
    right : ndarray of shape (p,) or (p, r)
        Right-hand sides, in the range of `matrix`.
    first : ndarray of shape (p,), dtype=bool, default=None
        Columns that are preferred as independent ones.
    """
    scale = scale_of(np.diag(matrix))
    factor, order = independent_first(matrix / np.outer(scale, scale), first)
    scaled = (right.T / scale).T[order]
    half = solve_triangular(factor, scaled, trans="T")
    solution = np.zeros_like(right, dtype=np.float64)
    solution[order] = solve_triangular(factor, half)
    return (solution.T / scale).T

"""Solving with symmetric positive semi-definite matrices that may be singular, with or without given signs.

Everything here first scales the matrix to a unit diagonal, so that the units of the columns do not matter, and then
factors it by pivoted Cholesky (LAPACK ``dpstrf``; Higham, "Accuracy and Stability of Numerical Algorithms", section
10.3). A column whose residual diagonal falls below `RANK_TOLERANCE` is *dependent*: it carries nothing that the columns
before it do not carry.

Under signs, minimise x'Hx - 2c'x subject to sign_j x_j >= 0, by block principal pivoting (Judice and Pires 1994; Kim
and Park, "Fast nonnegative matrix factorization: an active-set-like method and comparisons", SIAM J. Sci. Comput. 2011,
algorithm 2): a guess of which variables are at zero is corrected for all violations at once, and one at a time where
that does not lessen them. That may cycle where the matrix is singular, and then the active-set method of Lawson and
Hanson ("Solving least squares problems", 1974, chapter 23) starts from zero: its passive variables stay independent.
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


NO_SLOPE = 1e-10
"""Share of the largest moment up to which a slope, or a weight of the wrong sign, counts as zero under signs."""

_PATIENCE = 3

_SINGLE = 40
"""Corrections of one at a time before the active-set method takes over."""

_ENTRIES = 3
"""How often the active-set method lets each variable in, at the most."""


def solve_signed(matrix: Floats, right: Floats, signs: NDArray[Any], first: Mask | None = None) -> Floats:
    """Return the minimum of ``x @ matrix @ x - 2 * right @ x`` over x with the given signs.

    Parameters
    ----------
    matrix : ndarray of shape (p, p)
        Symmetric positive semi-definite, in any units.
    right : ndarray of shape (p,)
        In the range of `matrix`.
    signs : ndarray of shape (p,)
        1: not negative, -1: not positive, 0: free.
    first : ndarray of shape (p,), dtype=bool, default=None
        Columns that are preferred as independent ones.
    """
    scale = scale_of(np.diag(matrix))
    unit, target = matrix / np.outer(scale, scale), right / scale
    level = NO_SLOPE * max(np.abs(target).max(initial=0.0), np.finfo(float).tiny)
    passive = np.ones(len(target), dtype=bool)
    fewest, patience, single = len(target) + 1, _PATIENCE, _SINGLE
    while single > 0:
        x = _solved(unit, target, passive, first)
        slack = signs * (target - unit @ x)
        wrong = np.where(passive, signs * x < -level, slack > level)
        count = int(wrong.sum())
        if count == 0:
            x[passive & (signs * x < 0)] = 0.0
            return x / scale
        if count < fewest:
            fewest, patience = count, _PATIENCE
        elif patience > 0:
            patience -= 1
        else:
            single -= 1
            wrong[: np.flatnonzero(wrong)[-1]] = False
        passive ^= wrong
    return _from_zero(unit, target, signs, level, first) / scale


def _from_zero(unit: Floats, target: Floats, signs: NDArray[Any], level: float, first: Mask | None) -> Floats:
    """Return the minimum by letting in one variable after the other, that of the steepest slope first.

    A right-hand side out of the range of the matrix has no minimum: then the point reached after a while.
    """
    passive = signs == 0
    x = _solved(unit, target, passive, first)
    barred = np.zeros(len(x), dtype=bool)
    for _ in range(_ENTRIES * (1 + len(x))):
        slack = np.where(passive | barred, -np.inf, signs * (target - unit @ x))
        entering = int(slack.argmax())
        if slack[entering] <= level:
            return x
        passive[entering] = True
        while True:
            z = _solved(unit, target, passive, first)
            wrong = passive & (signs * z < 0)
            if not wrong.any():
                break
            share = np.where(wrong, x / np.where(wrong, x - z, 1.0), np.inf)
            step = share.min()
            out = wrong & (share <= step)
            if not out.any():
                return x
            x = x + step * (z - x)
            x[out] = 0.0
            passive &= ~out
        # One that rounding error sends back at once is not let in again before another one has moved.
        barred = np.zeros(len(x), dtype=bool) if passive[entering] else barred
        barred[entering] |= not passive[entering]
        x = z
    return x


def _solved(unit: Floats, target: Floats, passive: Mask, first: Mask | None) -> Floats:
    x = np.zeros(len(target))
    inside = np.flatnonzero(passive)
    x[inside] = solve_psd(unit[np.ix_(inside, inside)], target[inside], None if first is None else first[inside])
    return x

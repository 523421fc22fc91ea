"""The curvature as the searches see it: one output's free columns, scaled to a unit diagonal.

In the scaled coordinates z_j = sqrt(H_jj / unit) w_j the loss of a support S, in units of loss, is

    loss(S) = loss(nothing kept) - tr(C_S A_SS^-1 C_S'),     A_jk = H_jk / sqrt(H_jj H_kk)

with C the moments of the outputs, one row each. Neither the units of the columns nor those of the target are
left in A and C.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.linalg import lapack

from ..gram import DENSE_LIMIT, DenseGram
from ..linalg import Floats, Indices, Mask, independent_first, scale_of
from ..memory import require_bytes
from ..quadratic import QuadraticModel

ELIGIBLE = 1e-11
"""Share of a column's own curvature that the kept columns must leave for it to be added to them.

Somewhat above `RANK_TOLERANCE`, so that what a search adds is independent for every later solve.
"""

WAY_OUT = (
    "use search='swap' with a small n_nonzero, which needs a few rows only, or start from a base that keeps fewer "
    "weights, such as Lasso"
)


class Curvature:
    """A = H scaled to a unit diagonal, on the columns that are free.

    Parameters
    ----------
    quadratic : QuadraticModel
        Whose curvature.
    output : int
        Of which output.
    columns : ndarray of shape (n,)
        The free columns.
    first : ndarray of shape (p,), dtype=bool
        Columns preferred as independent ones.
    """

    def __init__(self, quadratic: QuadraticModel, output: int, columns: Indices, first: Mask):
        self._quadratic = quadratic
        self._output = output
        self.columns = columns
        self._first = first[columns]
        diagonal = quadratic.diag()[output if len(quadratic.grams) > 1 or quadratic.penalty.any() else 0]
        self.scale = scale_of(diagonal[columns])
        self.diagonal: Floats = (diagonal[columns] > 0).astype(np.float64)
        gram = quadratic.grams[output if len(quadratic.grams) > 1 else 0]
        self.is_dense = len(columns) <= DENSE_LIMIT or isinstance(gram, DenseGram)

    def __len__(self) -> int:
        return len(self.columns)

    @cached_property
    def matrix(self) -> Floats:
        """A, shape (n, n).

        Raises
        ------
        MemoryError
            If it would take more than half of the free memory.
        """
        n = len(self.columns)
        require_bytes(8 * n**2, what=f"the curvature of {n} free columns", way_out=WAY_OUT)
        return self._quadratic.block(self.columns, self._output) / np.outer(self.scale, self.scale)

    def rows(self, chosen: Indices) -> Floats:
        """Return rows of A, shape (k, n)."""
        if self.is_dense:
            return self.matrix[chosen]
        rows = self._quadratic.rows(self.columns[chosen], self._output)[:, self.columns]
        rows /= self.scale
        rows /= self.scale[chosen, None]
        return rows

    @cached_property
    def independent(self) -> tuple[Indices, Floats]:
        """The independent columns (r,), ascending, and the inverse of their block of A, shape (r, r)."""
        n = len(self.columns)
        require_bytes(24 * n**2, what=f"the inverse curvature of {n} free columns", way_out=WAY_OUT)
        factor, order = independent_first(self.matrix, self._first if self._first.any() else None)
        ascending = np.argsort(order)
        inverse = inverse_from(factor)
        if not np.array_equal(ascending, np.arange(len(order))):
            inverse = inverse[np.ix_(ascending, ascending)]
        return order[ascending], inverse


def inverse_from(factor: Floats) -> Floats:
    """Return (R'R)^-1 for an upper triangular R, shape (r, r)."""
    if not len(factor):
        return np.empty((0, 0))
    upper, _ = lapack.dpotri(factor, lower=0)
    inverse: Floats = np.triu(upper)
    inverse += np.triu(upper, 1).T
    return inverse


def inverse_of(matrix: Floats) -> Floats | None:
    """Return the inverse of a positive definite matrix, or None where it is not one to working accuracy."""
    if not len(matrix):
        return np.empty((0, 0))
    factor, trouble = lapack.dpotrf(matrix, lower=0, clean=1)
    return None if trouble else inverse_from(factor)

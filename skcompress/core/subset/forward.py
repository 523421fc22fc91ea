"""Forward selection by pivoted Cholesky: add the column that lowers the loss most.

With s the residual diagonal and r the residual moments given the columns chosen so far, the gain of column j
is sum(r_j^2) / s_j. Choosing it appends a row v to the Cholesky factor:

    v = (A_j - V_:j' V) / sqrt(s_j),    rho = r_j / sqrt(s_j),    r -= rho v,    s -= v^2

so k columns take k rows of A and O(n k^2) operations. This is orthogonal least squares (Chen, Billings and Luo,
"Orthogonal least squares methods and their application to non-linear system identification", 1989).

The rows of the factor are kept or implied. `KeptRows` keeps V, n numbers for each pivot. Where A = Z'Z + a diagonal
with a sparse Z of far fewer rows than columns (texts), `ImpliedRows` keeps an orthonormal basis Q of the chosen columns
of Z instead: V = Q Z, so that a new row is one sparse product and the columns of V that are needed are products of Q
with a column of Z. The diagonal (the penalty) has a part of each basis vector for itself, which no other column of Z
meets.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.linalg import blas

from ..linalg import Floats, Indices, Mask
from .curvature import ELIGIBLE, Curvature, Rows, regular_factor_of, require

TIE = 1e-10
"""Gains closer than this share of the best one are equal; the first column wins."""

ROUNDING = 1e-12
"""Error of a moment that is left, as a share of the largest moment, with room to spare."""


class ForwardColumns:
    """Forward selection over single columns, extended when more of it is asked for.

    Parameters
    ----------
    curvature : Curvature or Rows
        Gives the rows of A.
    moments : ndarray of shape (r, n)
        C.
    first : ndarray of shape (f,)
        Columns that come first, in this order.
    barred : ndarray of shape (b,), default=None
        Columns that are never chosen.

    Attributes
    ----------
    order : list of int
        The columns chosen, in their order.
    gains : list of float
        By how much each lowered the loss; 0 for one of the first that depends on those before it.
    dependent : list of int
        Those of the first that depend on those before them.
    largest : float
        The square of the largest moment.
    exhausted : bool
        Whether no further column is independent of the chosen ones.
    """

    def __init__(self, curvature: Curvature | Rows, moments: Floats, first: Indices, barred: Indices | None = None):
        self._curvature = curvature
        self._residual = moments.copy()
        self.largest = float(np.einsum("ij,ij->j", moments, moments).max(initial=0.0))
        # What a column has left of its own; infinite where it is chosen or has too little, so that it gains nothing.
        self._left = np.where(curvature.diagonal > 0, 1.0, np.inf)
        self._factor = factor_for(curvature)
        self.order: list[int] = []
        self.gains: list[float] = []
        self.dependent: list[int] = []
        self.exhausted = False
        for column in first.tolist():
            self.take(column)
        if barred is not None:
            self._left[barred] = np.inf

    def extend(self, size: int) -> None:
        """Choose columns until there are `size`, or none is left."""
        while len(self.order) < size and not self.exhausted:
            column = best_of(self.possible_gains(), self.eligible, self.largest)
            self.exhausted = column < 0
            if not self.exhausted:
                self._pivot(column)

    @property
    def eligible(self) -> Mask:
        """Columns that are independent of those chosen, shape (n,)."""
        return np.isfinite(self._left)

    def possible_gains(self) -> Floats:
        """Return what each column would gain now, shape (n,); zero for those that are not eligible."""
        return self._promise() / self._left

    def take(self, column: int) -> None:
        """Choose this column; it gains nothing if it depends on those chosen before."""
        if np.isfinite(self._left[column]):
            self._pivot(column)
            return
        self.order.append(column)
        self.gains.append(0.0)
        self.dependent.append(column)

    def _promise(self) -> Floats:
        if len(self._residual) == 1:
            squares: Floats = np.square(self._residual[0])
        else:
            squares = np.einsum("ij,ij->j", self._residual, self._residual)
        return squares

    def _pivot(self, column: int) -> None:
        root = np.sqrt(float(self._left[column]))
        row = self._factor.add(column, root, self._promise())
        if len(self._residual) == 1:
            gain = float(self._residual[0, column]) / root
            self._residual[0] -= gain * row
            self.gains.append(gain * gain)
        else:
            rho = self._residual[:, column] / root
            self._residual -= rho[:, None] * row
            self.gains.append(float(rho @ rho))
        self._left -= np.square(row)
        self._left[self._left <= ELIGIBLE] = np.inf
        self._left[column] = np.inf
        self.order.append(column)


def best_of(gains: Floats, eligible: Mask, largest: float) -> int:
    """Return the first column with the largest gain, else the first eligible one, else -1.

    A gain is the square of what is left of a moment, so that its rounding error is that of the moments times its root.
    Where what is left is explained by any column, they are equal within that; `largest` is the square of the largest
    moment.
    """
    best = gains.max(initial=0.0)
    if best > 0:
        return int((gains >= best * (1 - TIE) - ROUNDING * np.sqrt(best * largest)).argmax())
    return int(eligible.argmax()) if eligible.any() else -1


def gains_along(curvature: Curvature, moments: Floats, order: Indices) -> Floats:
    """Return by how much each column lowers the loss when added in this order, shape (len(order),).

    Columns that depend on those before them gain nothing.
    """
    if not len(order):
        return np.empty(0)
    block = curvature.block(order)
    factor = regular_factor_of(block)
    if factor is not None:
        halves = blas.dtrsm(1.0, factor, moments[:, order].T, trans_a=1)
        gains: Floats = np.einsum("ij,ij->i", halves, halves)
        return gains
    return np.array(ForwardColumns(Rows(block), moments[:, order], np.arange(len(order))).gains)


class Factor(Protocol):
    """The rows of V."""

    def add(self, column: int, root: float, promise: Floats) -> Floats:
        """Append the row v = (A_j - V_:j' V) / root and return it; right for the columns that are not chosen yet."""


def factor_for(curvature: Curvature | Rows) -> Factor:
    """Return the form of V that suits a curvature."""
    return KeptRows(curvature) if isinstance(curvature, Rows) or curvature.wide is None else ImpliedRows(curvature)


class KeptRows:
    """V as it is."""

    def __init__(self, curvature: Curvature | Rows):
        self._curvature = curvature
        self._rows = np.empty((0, len(curvature)))
        self._rank = 0

    def add(self, column: int, root: float, promise: Floats) -> Floats:
        """Append a row from that of A."""
        if self._rank == len(self._rows):
            self._rows = _grown(self._rows)
        done = self._rows[: self._rank]
        row = self._curvature.row(column, None if self._curvature.is_dense else promise)
        row = row - done[:, column] @ done
        row /= root
        self._rows[self._rank] = row
        self._rank += 1
        return row


class ImpliedRows:
    """V as Q Z."""

    def __init__(self, curvature: Curvature):
        self._curvature = curvature
        self._basis = np.empty((0, 0))
        self._rank = 0

    def add(self, column: int, root: float, promise: Floats) -> Floats:
        """Append a basis vector from the column of Z."""
        vector = self._curvature.vector(column)
        if self._rank == len(self._basis):
            self._basis = _grown(self._basis if self._rank else np.empty((0, len(vector))))
        done = self._basis[: self._rank]
        vector -= (done @ vector) @ done
        vector /= root
        self._basis[self._rank] = vector
        self._rank += 1
        return self._curvature.project(vector)


def _grown(rows: Floats) -> Floats:
    """Return the rows with room for half as many more, at least 16."""
    count, n = max(16, len(rows) + len(rows) // 2), rows.shape[1]
    require(8 * count * n, f"a factor of {count} rows and {n} columns")
    grown = np.empty((count, n))
    grown[: len(rows)] = rows
    return grown

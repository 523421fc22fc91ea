"""Forward selection by pivoted Cholesky: add the unit that lowers the loss most.

With s the residual diagonal and r the residual moments given the columns chosen so far, the gain of column j
is sum(r_j^2) / s_j. Choosing it appends a row v to the Cholesky factor:

    v = (A_j - V_:j' V) / sqrt(s_j),    rho = r_j / sqrt(s_j),    r -= rho v,    s -= v^2

so k columns take k rows of A and O(n k^2) operations. This is orthogonal least squares (Chen, Billings and Luo,
1989); columns in r and s have lost only what the chosen ones explain.
"""

from __future__ import annotations

import numpy as np

from ..linalg import Floats, Indices, Mask
from .curvature import ELIGIBLE, Curvature

TIE = 1e-10
"""Gains closer than this share of the best one are equal; the first column wins."""


class ForwardColumns:
    """Forward selection over single columns, extended when more of it is asked for.

    Parameters
    ----------
    curvature : Curvature
        Gives the rows of A.
    moments : ndarray of shape (r, n)
        C.
    kept : ndarray of shape (n,), dtype=bool
        Columns that come first.

    Attributes
    ----------
    order : list of int
        The columns chosen, in their order.
    gains : list of float
        By how much each lowered the loss.
    exhausted : bool
        Whether no further column is independent of the chosen ones.
    """

    def __init__(self, curvature: Curvature, moments: Floats, kept: Mask):
        self._curvature = curvature
        self._residual = moments.copy()
        self._left = curvature.diagonal.copy()
        self._factor = np.empty((0, len(curvature)))
        self.order: list[int] = []
        self.gains: list[float] = []
        self.exhausted = False
        for column in np.flatnonzero(kept).tolist():
            if self._left[column] > ELIGIBLE:
                self._pivot(column)
            else:
                self._append(column, 0.0)

    def extend(self, size: int) -> None:
        """Choose columns until there are `size`, or none is left."""
        while len(self.order) < size and not self.exhausted:
            eligible = self._left > ELIGIBLE
            gain = np.einsum("ij,ij->j", self._residual, self._residual)
            gain = np.where(eligible, gain, -1.0) / np.where(eligible, self._left, 1.0)
            best = gain.max(initial=-1.0)
            if best < 0:
                self.exhausted = True
                return
            self._pivot(int(np.argmax(gain >= best * (1 - TIE))))

    def _pivot(self, column: int) -> None:
        done = len(self.order)
        if done == len(self._factor):
            grown = np.empty((max(8, 2 * done), self._factor.shape[1]))
            grown[:done] = self._factor
            self._factor = grown
        root = np.sqrt(self._left[column])
        row = self._curvature.rows(np.array([column]))[0] - self._factor[:done, column] @ self._factor[:done]
        row /= root
        rho = self._residual[:, column] / root
        self._factor[done] = row
        self._residual -= rho[:, None] * row
        self._left -= row**2
        self._append(column, float(rho @ rho))

    def _append(self, column: int, gain: float) -> None:
        self._left[column] = 0.0
        self.order.append(column)
        self.gains.append(gain)


def gains_along(curvature: Curvature, moments: Floats, order: Indices) -> Floats:
    """Return by how much each column lowers the loss when added in this order, shape (len(order),).

    Columns that depend on those before them gain nothing.
    """
    everything = ForwardColumns(curvature, moments, np.zeros(len(curvature), dtype=bool))
    for column in order.tolist():
        if everything._left[column] > ELIGIBLE:
            everything._pivot(column)
        else:
            everything._append(column, 0.0)
    return np.array(everything.gains)

"""The rows of the Cholesky factor that forward selection adds one by one, kept or implied.

`KeptRows` keeps V, n numbers for each pivot. Where A = Z'Z + a diagonal with a sparse Z of far fewer rows than columns
(texts), `ImpliedRows` keeps an orthonormal basis Q of the chosen columns of Z instead: V = Q Z, so that a new row is
one sparse product and the columns of V that are needed are products of Q with a column of Z. The diagonal (the
penalty) has a part of each basis vector for itself, which no other column of Z meets.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..linalg import Floats
from .curvature import Curvature, Rows, require


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

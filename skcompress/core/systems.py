"""Systems: the curvature of each output, its data part and its penalty, and which outputs share it.

H = G + P with G one `Gram` for all outputs or one for each, and P the diagonal of the L2 penalty. A *system* is a set
of outputs with the same H and the same free columns: they are solved, searched and rounded in one go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .gram import DENSE_LIMIT, DenseGram, Gram
from .linalg import Floats, Indices, Mask, independent_first, scale_of


class OutputCurvature:
    """H of one output on some columns: the one way in which searches and roundings read it.

    Parameters
    ----------
    systems : Systems
        The curvatures of all outputs.
    output : int
        Which of them.
    columns : ndarray of shape (k,)
        The columns.

    Attributes
    ----------
    gram : Gram
        The data part of H, on all columns.
    lazy : bool
        Whether H is too large to be made: then its rows, blocks and products are computed when they are asked for.
    """

    def __init__(self, systems: Systems, output: int, columns: Indices):
        self.columns = columns
        self.gram = systems.gram_at(output)
        self.lazy = len(columns) > DENSE_LIMIT and not isinstance(self.gram, DenseGram)
        self._systems = systems
        self._output = output

    def diag(self) -> Floats:
        """Return the diagonal, shape (k,)."""
        diagonal: Floats = (self.gram.diag() + self._systems.penalty[self._output])[self.columns]
        return diagonal

    def rows(self, places: Indices) -> Floats:
        """Return the rows of some of the columns, shape (r, k)."""
        rows = self._systems.rows(self.columns[places], self._output)
        return rows if rows.shape[1] == len(self.columns) else rows[:, self.columns]

    def block(self, places: Indices) -> Floats:
        """Return the rows and columns of some of the columns, shape (r, r)."""
        return self._systems.block(self.columns[places], self._output)

    def whole(self) -> Floats:
        """Return H, shape (k, k)."""
        return self._systems.block(self.columns, self._output)

    def dot(self, vectors: Floats) -> Floats:
        """Return ``vectors @ H`` for vectors of shape (r, k), without H."""
        spread = np.zeros((len(vectors), self._systems.n_features))
        spread[:, self.columns] = vectors
        product = self.gram.dot(spread) + self._systems.penalty[self._output] * spread
        part: Floats = product[:, self.columns]
        return part


class System(NamedTuple):
    """Outputs that share one curvature and one set of free columns, to be treated in one go."""

    outputs: Indices
    columns: Indices


class Systems:
    """The curvatures of m outputs with p features.

    Attributes
    ----------
    grams : tuple of Gram
        One for all outputs, or one for each.
    centre, penalty : ndarray of shape (m, p)
        The weights, and the diagonal of P.
    free : ndarray of shape (m, p), dtype=bool
        Weights that may be other than zero.
    """

    grams: tuple[Gram, ...]
    centre: Floats
    penalty: Floats
    free: Mask

    @property
    def n_outputs(self) -> int:
        """Number of outputs, m."""
        return int(self.centre.shape[0])

    @property
    def n_features(self) -> int:
        """Number of features, p."""
        return int(self.centre.shape[1])

    @property
    def shared(self) -> bool:
        """Whether all outputs have the same H."""
        return len(self.grams) == 1 and bool((self.penalty == self.penalty[0]).all())

    def diag(self) -> Floats:
        """Return the diagonal of H for each output, shape (m, p)."""
        return np.vstack([gram.diag() for gram in self.grams]) + self.penalty

    def rows(self, columns: Indices, output: int = 0) -> Floats:
        """Return rows of one output's H, shape (k, p)."""
        rows = self.gram_at(output).rows(columns)
        if self.penalty[output].any():
            rows = rows.copy()
            rows[np.arange(len(columns)), columns] += self.penalty[output, columns]
        return rows

    def block(self, columns: Indices, output: int = 0) -> Floats:
        """Return the square block of one output's H that these columns span, shape (k, k)."""
        block = self.gram_at(output).block(columns)
        if self.penalty[output].any():
            block = block + np.diag(self.penalty[output, columns])
        return block

    def dot(self, vectors: Floats) -> Floats:
        """Return H v for each output's own v, shape (m, p)."""
        if len(self.grams) == 1:
            product = self.grams[0].dot(vectors)
        else:
            product = np.vstack([gram.dot(v[None]) for gram, v in zip(self.grams, vectors, strict=True)])
        return product + self.penalty * vectors

    def least_share(self) -> float:
        """Return the least share of its curvature that a free column has beside those before it; 0 if it depends."""
        least = 1.0
        for outputs, columns in self.systems():
            block = self.block(columns, outputs[0])
            scale = scale_of(np.diag(block))
            factor, order = independent_first(block / np.outer(scale, scale))
            least = min(least, np.square(np.diag(factor)).min(initial=1.0) if len(order) == len(columns) else 0.0)
        return float(least)

    def systems(self) -> Iterator[System]:
        """Yield the outputs in groups that share H and the free columns."""
        if self.shared:
            keys = [mask.tobytes() for mask in self.free]
            for key in dict.fromkeys(keys):
                outputs = np.flatnonzero([other == key for other in keys])
                yield System(outputs, np.flatnonzero(self.free[outputs[0]]))
        else:
            for output in range(self.n_outputs):
                yield System(np.array([output]), np.flatnonzero(self.free[output]))

    def gram_at(self, output: int) -> Gram:
        """Return the data part of one output's H."""
        return self.grams[0] if len(self.grams) == 1 else self.grams[output]


def spread_to(value: ArrayLike, shape: tuple[int, ...], name: str) -> Floats:
    """Return an array in the shape (m, p) of the centre, or raise ValueError with its name."""
    array = np.asarray(value, dtype=np.float64)
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(f"{name} must broadcast to the shape {shape} of centre, got {array.shape}") from None

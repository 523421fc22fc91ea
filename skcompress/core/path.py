"""The sizes that a search visited, with their losses and supports."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from .linalg import Floats, Indices, Mask


class PathPoint(NamedTuple):
    """One size.

    Attributes
    ----------
    n_units : int
        Units kept, over all outputs.
    loss : float
        The quadratic's loss, in units of loss.
    support : ndarray of shape (m, p), dtype=bool
        Weights kept.
    """

    n_units: int
    loss: float
    support: Mask


class Path(Sequence[PathPoint]):
    """Sizes by rising number of units; the loss never rises along it. Supports are stored as bits.

    A size whose loss is above that of a smaller one is left out: nobody would choose it.

    Parameters
    ----------
    n_units : ndarray of shape (v,)
        Ascending.
    losses : ndarray of shape (v,)
        In units of loss.
    support_at : callable
        From a place in them to the support, shape (m, p).
    shape : tuple of int
        (m, p).
    """

    def __init__(self, n_units: Indices, losses: Floats, support_at: Callable[[int], Mask], shape: tuple[int, ...]):
        useful = np.ones(len(losses), dtype=bool)
        useful[1:] = losses[1:] <= np.minimum.accumulate(losses)[:-1]
        places = np.flatnonzero(useful)
        self.n_units = n_units[places]
        self.losses = losses[places]
        self._shape = shape
        self._bits: list[NDArray[np.uint8]] = [np.packbits(support_at(place)) for place in places.tolist()]

    def __len__(self) -> int:
        return len(self._bits)

    @overload
    def __getitem__(self, place: int) -> PathPoint: ...

    @overload
    def __getitem__(self, place: slice) -> list[PathPoint]: ...

    def __getitem__(self, place: int | slice) -> PathPoint | list[PathPoint]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        bits = np.unpackbits(self._bits[place], count=self._shape[0] * self._shape[1])
        support = bits.astype(bool).reshape(self._shape)
        return PathPoint(int(self.n_units[place]), float(self.losses[place]), support)

    def reshaped(self, shape: tuple[int, ...]) -> Path:
        """Return the same path with supports of another shape."""
        path = copy.copy(self)
        path._shape = shape
        return path

    def at(self, n_units: int) -> PathPoint:
        """Return the largest size visited that does not exceed `n_units`.

        Raises
        ------
        ValueError
            If every size visited is larger.
        """
        place = int(np.searchsorted(self.n_units, n_units, side="right")) - 1
        if place < 0:
            smallest = int(self.n_units[0]) if len(self) else None
            raise ValueError(f"n_units={n_units!r} is below the smallest size visited, {smallest}")
        return self[place]

    def __repr__(self) -> str:
        return f"Path({len(self)} sizes)"

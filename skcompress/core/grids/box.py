"""Boxes: the values that a rounding may give to each weight, in units of the grid's step.

A rounding sees B rows (outputs x trial scales) of k columns and never a code. All it asks of a grid is here:
the nearest value, the value below, the few values around a point, and the next value up or down. Arrays that
are passed in are (B, k), or (B, anything) after `columns` of one; bounds are (B, 1) or (B, k).

- `IntegerBox`: the integers from low to high (symmetric, affine, fixed point);
- `LevelBox`: an increasing list of values (bits=1, powers of two, codebooks).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..linalg import Floats, Indices, Mask

FLOOR_TOLERANCE = 1e-9
"""A point this close below a value counts as that value when rounding down: w / (w / q) may be below q."""


class Box(Protocol):
    """What a rounding may ask of a grid."""

    def columns(self, places: Indices | slice) -> Box:
        """Return the box of these columns; of one column, for arrays of shape (B, anything)."""

    def take(self, rows: NDArray[Any]) -> Box:
        """Return the box of these rows, which may repeat."""

    def nearest(self, points: Floats) -> Floats:
        """Return the nearest value to each point."""

    def below(self, points: Floats) -> Floats:
        """Return the largest value that is not above each point; the lowest one where there is none."""

    def window(self, points: Floats, count: int) -> tuple[Floats, Mask]:
        """Return `count` neighbouring values around each point and which of them exist, one more axis."""

    def neighbours(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the next value up and the next one down; the value itself at an end."""


@dataclass(frozen=True)
class IntegerBox:
    """The integers from `low` to `high`, each of shape (B, 1) or (B, k)."""

    low: Floats
    high: Floats

    def columns(self, places: Indices | slice) -> IntegerBox:
        """Return the box of these columns; of one column, for arrays of shape (B, anything)."""
        return IntegerBox(_columns(self.low, places), _columns(self.high, places))

    def take(self, rows: NDArray[Any]) -> IntegerBox:
        """Return the box of these rows, which may repeat."""
        return IntegerBox(self.low[rows], self.high[rows])

    def nearest(self, points: Floats) -> Floats:
        """Return the nearest value to each point."""
        return np.minimum(np.maximum(np.rint(points), self.low), self.high)

    def below(self, points: Floats) -> Floats:
        """Return the largest value that is not above each point; the lowest one where there is none."""
        slack = FLOOR_TOLERANCE * np.maximum(1.0, np.abs(points))
        return np.minimum(np.maximum(np.floor(points + slack), self.low), self.high)

    def window(self, points: Floats, count: int) -> tuple[Floats, Mask]:
        """Return `count` neighbouring values around each point and which of them exist, one more axis."""
        last = np.maximum(self.high - (count - 1), self.low)
        start = np.minimum(np.maximum(np.ceil(points - count / 2), self.low), last)
        values = start[..., None] + np.arange(count, dtype=np.float64)
        return values, values <= self.high[..., None]

    def neighbours(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the next value up and the next one down; the value itself at an end."""
        return np.minimum(values + 1, self.high), np.maximum(values - 1, self.low)


@dataclass(frozen=True)
class LevelBox:
    """Values from an increasing list; `low` and `high` are positions in it, of shape (B, 1) or (B, k)."""

    levels: Floats
    low: Floats
    high: Floats

    def columns(self, places: Indices | slice) -> LevelBox:
        """Return the box of these columns; of one column, for arrays of shape (B, anything)."""
        return LevelBox(self.levels, _columns(self.low, places), _columns(self.high, places))

    def take(self, rows: NDArray[Any]) -> LevelBox:
        """Return the box of these rows, which may repeat."""
        return LevelBox(self.levels, self.low[rows], self.high[rows])

    def nearest(self, points: Floats) -> Floats:
        """Return the nearest value to each point."""
        middles = (self.levels[1:] + self.levels[:-1]) / 2
        return self._at(np.searchsorted(middles, points))

    def below(self, points: Floats) -> Floats:
        """Return the largest value that is not above each point; the lowest one where there is none."""
        slack = FLOOR_TOLERANCE * np.abs(points)
        return self._at(np.searchsorted(self.levels, points + slack, side="right") - 1)

    def window(self, points: Floats, count: int) -> tuple[Floats, Mask]:
        """Return `count` neighbouring values around each point and which of them exist, one more axis."""
        middles = (self.levels[1:] + self.levels[:-1]) / 2
        last = np.maximum(self.high - (count - 1), self.low)
        centre = np.searchsorted(middles, points) - (count - 1) // 2
        start = np.minimum(np.maximum(centre, self.low), last)
        places = start[..., None] + np.arange(count)
        exists = places <= self.high[..., None]
        return self.levels[np.minimum(places, len(self.levels) - 1).astype(np.intp)], exists

    def neighbours(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the next value up and the next one down; the value itself at an end."""
        places = np.searchsorted(self.levels, values)
        return self._at(places + 1), self._at(places - 1)

    def _at(self, places: NDArray[Any]) -> Floats:
        inside: Floats = self.levels[np.minimum(np.maximum(places, self.low), self.high).astype(np.intp)]
        return inside


def _columns(bounds: Floats, places: Indices | slice) -> Floats:
    return bounds if bounds.shape[1] == 1 else bounds[:, places]

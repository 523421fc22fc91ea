"""Boxes: the values that a rounding may give to each weight, in units of the grid's step.

A rounding sees B rows (outputs x trial scales) of k columns and never a code. All it asks of a grid is here:
the nearest value, the value below, the few values around a point, and the next value up or down. Arrays that
are passed in are (B, k), or (B, anything) after `columns` of one; bounds are (B, 1) or (B, k).

- `IntegerBox`: the integers from low to high (symmetric, affine, fixed point);
- `LevelBox`: an increasing list of values (bits=1, powers of two, codebooks).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..linalg import Floats, Indices, Mask

FLOOR_TOLERANCE = 1e-9
"""A point this close below a value counts as that value when rounding down: w / (w / q) may be below q."""


class Box(Protocol):
    """What a rounding may ask of a grid."""

    def ends(self) -> tuple[Floats, Floats]:
        """Return the lowest and the highest value, each of shape (B, 1) or (B, k)."""

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

    def most_within(self, points: Floats, radius: Floats) -> int:
        """Return a `count` with which the window of each point holds all values within its radius."""

    def neighbours(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the next value up and the next one down; the value itself at an end."""


@dataclass(frozen=True)
class IntegerBox:
    """The integers from `low` to `high`, each of shape (B, 1) or (B, k)."""

    low: Floats
    high: Floats

    def ends(self) -> tuple[Floats, Floats]:
        """Return the lowest and the highest value, each of shape (B, 1) or (B, k)."""
        return self.low, self.high

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

    def most_within(self, points: Floats, radius: Floats) -> int:
        """Return a `count` with which the window of each point holds all values within its radius."""
        widest = float((self.high - self.low).max()) + 1.0
        return int(min(widest, 2.0 * np.ceil(radius.max()) + 1.0))

    def neighbours(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the next value up and the next one down; the value itself at an end."""
        return np.minimum(values + 1, self.high), np.maximum(values - 1, self.low)


@dataclass(frozen=True)
class LevelBox:
    """Values from increasing lists.

    Parameters
    ----------
    levels : ndarray of shape (L,) or (B, L)
        The values of all rows or of each row, increasing (a row's last value may repeat).
    low, high : ndarray of shape (B, 1) or (B, k)
        First and last position allowed in the list.
    """

    levels: Floats
    low: Floats
    high: Floats

    @cached_property
    def _middles(self) -> Floats:
        middles: Floats = (self.levels[..., 1:] + self.levels[..., :-1]) / 2
        return middles

    def ends(self) -> tuple[Floats, Floats]:
        """Return the lowest and the highest value, each of shape (B, 1) or (B, k)."""
        return self._values(self.low), self._values(self.high)

    def columns(self, places: Indices | slice) -> LevelBox:
        """Return the box of these columns; of one column, for arrays of shape (B, anything)."""
        return LevelBox(self.levels, _columns(self.low, places), _columns(self.high, places))

    def take(self, rows: NDArray[Any]) -> LevelBox:
        """Return the box of these rows, which may repeat."""
        levels = self.levels if self.levels.ndim == 1 else self.levels[rows]
        return LevelBox(levels, self.low[rows], self.high[rows])

    def nearest(self, points: Floats) -> Floats:
        """Return the nearest value to each point."""
        return self._inside(positions(self._middles, points))

    def below(self, points: Floats) -> Floats:
        """Return the largest value that is not above each point; the lowest one where there is none."""
        slack = FLOOR_TOLERANCE * np.abs(points)
        return self._inside(positions(self.levels, points + slack, "right") - 1.0)

    def window(self, points: Floats, count: int) -> tuple[Floats, Mask]:
        """Return `count` neighbouring values around each point and which of them exist, one more axis."""
        last = np.maximum(self.high - (count - 1), self.low)
        centre = positions(self._middles, points) - (count - 1) // 2
        start = np.minimum(np.maximum(centre, self.low), last)
        places = start[..., None] + np.arange(count)
        exists = places <= self.high[..., None]
        shape = places.shape
        values = self._values(np.minimum(places, self.high[..., None]).reshape(shape[0], -1))
        return values.reshape(shape), exists

    def most_within(self, points: Floats, radius: Floats) -> int:
        """Return a `count` with which the window of each point holds all values within its radius."""
        first = positions(self.levels, points - radius)
        last = positions(self.levels, points + radius, "right")
        middle = positions(self._middles, points)
        return int(min(self.levels.shape[-1], 2.0 * np.maximum(last - middle, middle - first).max() + 2.0))

    def neighbours(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the next value up and the next one down; the value itself at an end."""
        places = positions(self.levels, values)
        return self._inside(places + 1), self._inside(places - 1)

    def _inside(self, places: Floats) -> Floats:
        return self._values(np.minimum(np.maximum(places, self.low), self.high))

    def _values(self, places: Floats) -> Floats:
        whole = places.astype(np.intp)
        if self.levels.ndim == 1:
            shared: Floats = self.levels[whole]
            return shared
        return np.take_along_axis(self.levels, whole, axis=1)


def positions(sorted_values: Floats, points: Floats, side: Any = "left") -> Floats:
    """Return where points (B, k) would go in one increasing list (L,), or in each row's own (B, L), as floats."""
    if sorted_values.ndim == 1:
        return np.searchsorted(sorted_values, points, side=side).astype(np.float64)
    found = [np.searchsorted(row, p, side=side) for row, p in zip(sorted_values, points, strict=True)]
    return np.array(found, dtype=np.float64).reshape(points.shape)


def _columns(bounds: Floats, places: Indices | slice) -> Floats:
    return bounds if bounds.shape[1] == 1 else bounds[:, places]

"""Grid: where quantized weights may lie, and the table of the kinds of grid.

A weight of output i and feature j is

    w_ij = scale_ij * value(code_ij),     scale_ij = s_i * 2^(e_j)

with one real scale per output (or one in all) and, for granularity "feature", an integer exponent e_j per
feature. `value` depends on the kind of grid; code zero of a pruned weight always decodes to exactly zero.

- symmetric: value(c) = c for c in -q..q, q = 2^(bits-1) - 1. With bits=1 the codes are -1 and +1, and 0 for a
  pruned weight alone.
- affine: value(c) = c - zero_point for c in 0..2^bits - 1, with an integer zero point, so that the range
  contains zero and zero is on the grid (Jacob et al. 2018, "Quantization and Training of Neural Networks for
  Efficient Integer-Arithmetic-Only Inference", equation 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..linalg import Floats, Indices
from .box import Box, IntegerBox, LevelBox

Codes = NDArray[Any]


class GridKind(NamedTuple):
    """A kind of grid, as pure functions.

    Attributes
    ----------
    bounds : callable(bits) -> (low, high)
        The lowest and the highest code.
    spanning : callable(low, high, bits) -> ndarray
        The step with which the grid just spans low..high (low <= 0 <= high, arrays).
    zero_point : callable(low, step, bits) -> ndarray or None
        The code of zero, for a range that starts at low and this step; None where it is always 0.
    values : callable(bits) -> ndarray or None
        What a free weight may be, in steps, in increasing order; None: the integers between the bounds.
    """

    bounds: Callable[[int], tuple[int, int]]
    spanning: Callable[[Floats, Floats, int], Floats]
    zero_point: Callable[[Floats, Floats, int], Floats | None]
    values: Callable[[int], Floats | None]


@dataclass(frozen=True)
class Grid:
    """Where quantized weights lie.

    Parameters
    ----------
    kind : str
        A key of `GRIDS`.
    bits : int
        Bits of a code, 1 to 16.
    scale : ndarray of shape (), (m, 1) or (m, p)
        What one step of the code is worth, in units of the weights.
    zero_point : ndarray of int, shape () or (m, 1), default=None
        The code of zero where it is not 0.
    exponents : ndarray of int, shape (p,), default=None
        e_j, already contained in `scale`. None: zeros.
    levels : ndarray, default=None
        Values of the codes from the lowest up, in units of `scale`, for kinds whose values are no integers.
    """

    kind: str
    bits: int
    scale: Floats
    zero_point: NDArray[np.int64] | None = None
    exponents: NDArray[np.int64] | None = None
    levels: Floats | None = None

    @property
    def low(self) -> int:
        """The lowest code."""
        return GRIDS[self.kind].bounds(self.bits)[0]

    @property
    def high(self) -> int:
        """The highest code."""
        return GRIDS[self.kind].bounds(self.bits)[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest integer type that holds every code."""
        if self.low < 0:
            return np.dtype(np.int8 if self.high <= 127 else np.int16)
        return np.dtype(np.uint8 if self.high <= 255 else np.uint16)

    @property
    def row_scale(self) -> Floats:
        """The scale without the exponents: shape () or (m, 1)."""
        if self.exponents is None:
            return self.scale
        return self.scale[:, :1] / self.feature_scale[0]

    @property
    def feature_scale(self) -> Floats:
        """2^(e_j): shape (p,), or (1,) without exponents."""
        return np.ones(1) if self.exponents is None else np.exp2(self.exponents)

    def decode(self, codes: Codes) -> Floats:
        """Return the weights of these codes, shape (m, p)."""
        if self.levels is not None:
            weights: Floats = self.scale * self.levels[codes.astype(np.intp) - self.low]
            return weights
        shift = 0 if self.zero_point is None else self.zero_point
        return (codes.astype(np.int64) - shift) * self.scale

    def encode(self, weights: Floats) -> Codes:
        """Return the codes of these weights, shape (m, p): exact on the grid, the nearest code elsewhere."""
        return self.code(weights / self.scale)

    def code(self, values: Floats) -> Codes:
        """Return the codes of values in units of the scale, shape (m, p)."""
        if self.levels is not None:
            middles = (self.levels[1:] + self.levels[:-1]) / 2
            return (np.searchsorted(middles, values) + self.low).astype(self.dtype)
        shift = 0 if self.zero_point is None else self.zero_point
        return np.clip(np.rint(values) + shift, self.low, self.high).astype(self.dtype)

    def rows(self, outputs: Indices) -> Grid:
        """Return the grid of these outputs alone."""
        scale = self.scale if self.scale.ndim == 0 else self.scale[outputs]
        zero_point = self.zero_point
        if zero_point is not None and zero_point.ndim > 0:
            zero_point = zero_point[outputs]
        return replace(self, scale=scale, zero_point=zero_point)


def box_of(kind: GridKind, bits: int, n_rows: int, zero_point: Floats | None) -> Box:
    """Return what a free weight of each row may be.

    Parameters
    ----------
    kind : GridKind
        An entry of `GRIDS`.
    bits : int
        Bits of a code.
    n_rows : int
        B.
    zero_point : ndarray of shape (B, 1) or None
        The code of zero in each row.
    """
    values = kind.values(bits)
    if values is not None:
        ends = np.zeros((n_rows, 1))
        return LevelBox(values, ends, ends + len(values) - 1)
    low, high = kind.bounds(bits)
    shift = np.zeros((n_rows, 1)) if zero_point is None else zero_point
    return IntegerBox(low - shift, high - shift)


def _symmetric_bounds(bits: int) -> tuple[int, int]:
    top = max(1, 2 ** (bits - 1) - 1)
    return -top, top


def _symmetric_span(low: Floats, high: Floats, bits: int) -> Floats:
    return _positive(np.maximum(-low, high) / _symmetric_bounds(bits)[1])


def _no_zero_point(low: Floats, step: Floats, bits: int) -> None:
    return None


def _symmetric_values(bits: int) -> Floats | None:
    return np.array([-1.0, 1.0]) if bits == 1 else None


def _affine_bounds(bits: int) -> tuple[int, int]:
    return 0, 2**bits - 1


def _affine_span(low: Floats, high: Floats, bits: int) -> Floats:
    return _positive((high - low) / _affine_bounds(bits)[1])


def _affine_zero_point(low: Floats, step: Floats, bits: int) -> Floats:
    return np.clip(np.rint(-low / step), *_affine_bounds(bits))


def _positive(step: Floats) -> Floats:
    return np.where(step > 0, step, 1.0)


def _integers(bits: int) -> None:
    return None


GRIDS: dict[str, GridKind] = {
    "symmetric": GridKind(_symmetric_bounds, _symmetric_span, _no_zero_point, _symmetric_values),
    "affine": GridKind(_affine_bounds, _affine_span, _affine_zero_point, _integers),
}

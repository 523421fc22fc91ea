"""Grid: where quantized weights may lie, and what a code means.

A weight of output i and feature j is

    w_ij = scale_ij * value(code_ij),     scale_ij = s_i * 2^(e_j)

with one real scale per output (or one in all) and, for granularity "feature", an integer exponent e_j per feature. The
code of a pruned weight decodes to exactly zero. `value` depends on the kind of grid (`GRIDS`):

- symmetric: the code itself, -q..q with q = 2^(bits-1) - 1. With bits=1 the codes are -1 and +1, and 0 for a
  pruned weight alone.
- affine: code - zero_point for codes 0..2^bits - 1, with an integer zero point, so that the range contains zero and
  zero is on the grid (Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
  Integer-Arithmetic-Only Inference", equation 1).
- fixed_point: symmetric, and the scale is a power of two: scale=2**-13 with bits=16 is the q2.13 of click models
  (Golovin et al. 2013, "Large-Scale Learning with Less RAM via Randomization").
- power_of_two: 0 and +-2^-i for i = 0..q - 1, so that a product is a shift; up to `POWER_BITS` bits. With bits=1
  it is -1 and +1.
- codebook: up to 2^bits values of any kind, zero among them, found by `skcompress.core.codebooks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..linalg import Floats, Indices
from .box import Box, IntegerBox, LevelBox, positions

POWER_BITS = 8
"""More bits would add powers below 2^-126 alone."""


class GridKind(NamedTuple):
    """A kind of grid, as pure functions.

    Those of integers (`has_levels` is False, more than one bit) take an array of bits, (m, 1), as well as one number.

    Attributes
    ----------
    bounds : callable(bits) -> (low, high)
        The lowest and the highest code.
    spanning : callable(low, high, bits) -> ndarray
        The step with which the grid just spans low..high (low <= 0 <= high, arrays).
    zero_point : callable(low, step, bits) -> ndarray or None
        The code of zero, for a range that starts at low and this step; None where it is always 0.
    values : callable(bits) -> ndarray or None
        What a free weight may be, in steps, increasing; None: the integers between the bounds.
    has_levels : callable(bits) -> bool
        Whether a code is a position in a list of levels.
    binary_steps : bool
        Whether a step must be a power of two.
    refined : bool
        Whether the values of fewer bits are among those of more bits.
    """

    bounds: Callable[[Any], tuple[Any, Any]]
    spanning: Callable[[Floats, Floats, Any], Floats]
    zero_point: Callable[[Floats, Floats, Any], Floats | None]
    values: Callable[[Any], Floats | None]
    has_levels: Callable[[int], bool]
    binary_steps: bool = False
    refined: bool = False

    def permitted(self, step: Floats) -> Floats:
        """Return the nearest steps that the kind permits."""
        return np.exp2(np.rint(np.log2(step))) if self.binary_steps else step


def _symmetric_bounds(bits: Any) -> tuple[Any, Any]:
    top = np.maximum(1, 2 ** (bits - 1) - 1)
    return -top, top


def _unsigned_bounds(bits: Any) -> tuple[Any, Any]:
    return 0, 2**bits - 1


def _power_bounds(bits: Any) -> tuple[Any, Any]:
    return _symmetric_bounds(bits) if bits == 1 else (0, 2**bits - 2)


def _symmetric_span(low: Floats, high: Floats, bits: Any) -> Floats:
    return _positive(np.maximum(-low, high) / _symmetric_bounds(bits)[1])


def _affine_span(low: Floats, high: Floats, bits: Any) -> Floats:
    return _positive((high - low) / _unsigned_bounds(bits)[1])


def _fixed_point_span(low: Floats, high: Floats, bits: Any) -> Floats:
    return np.exp2(np.ceil(np.log2(_symmetric_span(low, high, bits))))


def _one_span(low: Floats, high: Floats, bits: Any) -> Floats:
    return _positive(np.maximum(-low, high))


def _positive(step: Floats) -> Floats:
    return np.where(step > 0, step, 1.0)


def _no_zero_point(low: Floats, step: Floats, bits: Any) -> None:
    return None


def _affine_zero_point(low: Floats, step: Floats, bits: Any) -> Floats:
    return np.clip(np.rint(-low / step), *_unsigned_bounds(bits))


def _sign_values(bits: Any) -> Floats | None:
    return np.array([-1.0, 1.0]) if np.all(bits == 1) else None


def _integers(bits: Any) -> None:
    return None


def _power_values(bits: Any) -> Floats | None:
    if bits == 1:
        return _sign_values(bits)
    powers = np.exp2(-np.arange(_symmetric_bounds(bits)[1], dtype=np.float64))
    return np.concatenate([-powers, [0.0], powers[::-1]])


def _no_levels(bits: int) -> bool:
    return False


def _levels(bits: int) -> bool:
    return True


def _levels_beyond_one_bit(bits: int) -> bool:
    return bits > 1


GRIDS: dict[str, GridKind] = {
    "symmetric": GridKind(_symmetric_bounds, _symmetric_span, _no_zero_point, _sign_values, _no_levels),
    "affine": GridKind(_unsigned_bounds, _affine_span, _affine_zero_point, _integers, _no_levels),
    "fixed_point": GridKind(
        _symmetric_bounds, _fixed_point_span, _no_zero_point, _sign_values, _no_levels, binary_steps=True
    ),
    "power_of_two": GridKind(
        _power_bounds, _one_span, _no_zero_point, _power_values, _levels_beyond_one_bit, refined=True
    ),
    "codebook": GridKind(_unsigned_bounds, _one_span, _no_zero_point, _integers, _levels),
}


Codes = NDArray[Any]


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
        The code of zero where it is not 0 and there are no levels.
    exponents : ndarray of int, shape (p,), default=None
        e_j, already contained in `scale`. None: zeros.
    levels : ndarray of shape (L,) or (m, L), default=None
        Values of the codes 0, 1, ... in units of `scale`, increasing, for kinds whose values are no integers.
    units : ndarray of shape (p,), default=None
        Any factor for each feature in place of 2^(e_j), already contained in `scale`, which is of shape (m, p) then.
    """

    kind: str
    bits: int
    scale: Floats
    zero_point: NDArray[np.int64] | None = None
    exponents: NDArray[np.int64] | None = None
    levels: Floats | None = None
    units: Floats | None = None

    @property
    def low(self) -> int:
        """The lowest code."""
        return int(GRIDS[self.kind].bounds(self.bits)[0])

    @property
    def high(self) -> int:
        """The highest code."""
        return int(GRIDS[self.kind].bounds(self.bits)[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest integer type that holds every code."""
        if self.low < 0:
            return np.dtype(np.int8 if self.high <= 127 else np.int16)
        return np.dtype(np.uint8 if self.high <= 255 else np.uint16)

    @property
    def row_scale(self) -> Floats:
        """The scale without the exponents: shape () or (m, 1)."""
        if self.exponents is None and self.units is None:
            return self.scale
        scale: Floats = self.scale[:, :1] / self.feature_scale[0]
        return scale

    @property
    def feature_scale(self) -> Floats:
        """2^(e_j), or the units: shape (p,), or (1,) without either."""
        if self.units is not None:
            return self.units
        return np.ones(1) if self.exponents is None else np.exp2(self.exponents)

    def decode(self, codes: Codes) -> Floats:
        """Return the weights of these codes, shape (m, p)."""
        if self.levels is None:
            shift = 0 if self.zero_point is None else self.zero_point
            return (codes.astype(np.int64) - shift) * self.scale
        places = codes.astype(np.intp)
        if self.levels.ndim == 1:
            return np.asarray(self.levels[places] * self.scale)
        return np.take_along_axis(self.levels, places, axis=1) * self.scale

    def encode(self, weights: Floats) -> Codes:
        """Return the codes of these weights, shape (m, p): exact on the grid, the nearest code elsewhere."""
        return self.code(weights / self.scale)

    def code(self, values: Floats) -> Codes:
        """Return the codes of values in units of the scale, shape (m, p)."""
        if self.levels is not None:
            middles = (self.levels[..., 1:] + self.levels[..., :-1]) / 2
            return positions(middles, values).astype(self.dtype)
        shift = 0 if self.zero_point is None else self.zero_point
        return np.clip(np.rint(values) + shift, self.low, self.high).astype(self.dtype)

    def rows(self, outputs: Indices) -> Grid:
        """Return the grid of these outputs alone."""
        zero_point, levels = self.zero_point, self.levels
        if zero_point is not None and zero_point.ndim > 0:
            zero_point = zero_point[outputs]
        if levels is not None and levels.ndim > 1:
            levels = levels[outputs]
        scale = self.scale if self.scale.ndim == 0 else self.scale[outputs]
        return replace(self, scale=scale, zero_point=zero_point, levels=levels)


def box_of(
    kind: GridKind,
    bits: Any,
    n_rows: int,
    *,
    zero_point: Floats | None = None,
    levels: Floats | None = None,
    signs: Floats | None = None,
) -> Box:
    """Return what a free weight of each row may be.

    Parameters
    ----------
    kind : GridKind
        An entry of `GRIDS`.
    bits : int or ndarray of int, shape (B, 1)
        Bits of a code.
    n_rows : int
        B.
    zero_point : ndarray of shape (B, 1), default=None
        The code of zero in each row.
    levels : ndarray of shape (L,) or (B, L), default=None
        The values, for a kind that has no list of its own.
    signs : ndarray of shape (B, k), default=None
        1: not negative, -1: not positive, 0: either.
    """
    values = kind.values(bits) if levels is None else levels
    if values is None:
        lowest, highest = kind.bounds(bits)
        shift = np.zeros((n_rows, 1)) if zero_point is None else zero_point
        low, high = lowest - shift, highest - shift
        first = last = np.zeros((n_rows, 1))
    else:
        low = np.zeros((n_rows, 1))
        high = low + values.shape[-1] - 1
        first, last = positions(values, low), positions(values, low, "right") - 1
    if signs is not None and signs.any():
        low = np.where(signs > 0, np.maximum(low, first), low)
        high = np.where(signs < 0, np.minimum(high, last), high)
    return IntegerBox(low, high) if values is None else LevelBox(values, low, high)

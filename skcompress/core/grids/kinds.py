"""The kinds of grid: what a code may be and what it means, in units of the scale.

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
from typing import Any, NamedTuple

import numpy as np

from ..linalg import Floats

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

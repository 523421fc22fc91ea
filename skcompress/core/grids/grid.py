"""Grid: where quantized weights may lie.

A weight of output i and feature j is

    w_ij = scale_ij * value(code_ij),     scale_ij = s_i * 2^(e_j)

with one real scale per output (or one in all) and, for granularity "feature", an integer exponent e_j per
feature. `value` depends on the kind of grid (`skcompress.core.grids.kinds`): the code less the zero point, or an entry
of a list of levels. The code of a pruned weight decodes to exactly zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..linalg import Floats, Indices
from .box import Box, IntegerBox, LevelBox, positions
from .kinds import GRIDS, GridKind

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

"""Weights: the numbers of a linear model, as floats or as integer codes on a grid.

    floats    coef = values
    affine    coef = (codes - zero_point) * scale
    levels    coef = levels[codes - zero_point] * scale

`scale` and `zero_point` broadcast against (m, p), m outputs by p terms: one number, one for each output (m, 1),
one for each term (1, p), or (m, p). Codes decode to the same bits as the estimator's ``coef_``: the operations
and their order are the ones above, in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def _ends(values: NDArray[Any]) -> tuple[int, int]:
    """Return the least and the greatest of integers, 0 and 0 if there are none."""
    return (int(values.min()), int(values.max())) if values.size else (0, 0)


def smallest_integers(values: NDArray[Any]) -> NDArray[Any]:
    """Return the integers in the smallest signed type that holds them."""
    low, high = _ends(values)
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return np.ascontiguousarray(values, dtype=kind)
    return np.ascontiguousarray(values, dtype=np.int64)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a contiguous copy or the array itself, not writeable."""
    array = np.ascontiguousarray(array)
    if array.flags.writeable:
        array = array.copy() if array.base is not None else array
        array.flags.writeable = False
    return array


def frozen_row(array: ArrayLike | None) -> Floats | None:
    """Return numbers as a row that cannot be written to; None stays None."""
    return None if array is None else frozen(np.array(array, dtype=np.float64).ravel())


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of shape (m, p); exactly one of `values` and `codes` is given.

    Attributes
    ----------
    values : ndarray of shape (m, p), float64 or float32, or None
    codes : ndarray of shape (m, p), integers, or None
    scale : ndarray of shape (m or 1, p or 1)
    zero_point : ndarray of shape (m or 1, p or 1), integers
    levels : ndarray of shape (m or 1, n_levels), or None
        Values that the codes point to, where the grid is not evenly spaced.
    bits : int or None
        Nominal bits of a code.
    single : bool
        Whether the model is one in float32; codes then decode in float64 and are rounded once.
    """

    values: NDArray[Any] | None
    codes: NDArray[Any] | None
    scale: Floats
    zero_point: NDArray[Any]
    levels: Floats | None
    bits: int | None
    single: bool

    @classmethod
    def from_values(cls, values: ArrayLike) -> Weights:
        """Hold floats, float32 if they are and else float64; minus zero becomes zero."""
        array = np.atleast_2d(np.asarray(values))
        single = array.dtype == np.float32
        # Adding zero copies, and makes zero of minus zero.
        array = array.astype(np.float32 if single else np.float64, copy=False) + np.zeros((), dtype=array.dtype)
        return cls(frozen(array), None, np.ones((1, 1)), np.zeros((1, 1), dtype=np.int64), None, None, single)

    @classmethod
    def from_codes(
        cls,
        codes: ArrayLike,
        scale: ArrayLike,
        zero_point: ArrayLike = 0,
        levels: ArrayLike | None = None,
        bits: int | None = None,
        single: bool = False,
    ) -> Weights:
        """Hold integer codes.

        Raises
        ------
        ValueError
            If a shape does not broadcast to that of `codes`, or a code points past `levels`.
        """
        array = np.atleast_2d(np.asarray(codes))
        if array.dtype.kind not in "iu":
            raise ValueError(f"codes must be integers, got the type {array.dtype}")
        m, p = array.shape
        step = _broadcastable(np.asarray(scale, dtype=np.float64), (m, p), "scale")
        zero = _broadcastable(np.asarray(zero_point), (m, p), "zero_point").astype(np.int64)
        (least, greatest), (low, high) = _ends(array), _ends(zero)
        if least - high < -(2**63) or greatest - low >= 2**63:
            raise ValueError("codes less zero_point must fit into 64 bits")
        table = None if levels is None else np.atleast_2d(np.asarray(levels, dtype=np.float64))
        if table is not None:
            if table.shape[0] not in (1, m):
                raise ValueError(f"levels must have 1 or {m} rows, got {table.shape[0]}")
            index = array - zero
            if array.size and not 0 <= int(index.min()) <= int(index.max()) < table.shape[1]:
                raise ValueError(f"codes less zero_point must lie in 0..{table.shape[1] - 1}, the levels")
            table = frozen(table)
        return cls(None, frozen(smallest_integers(array)), frozen(step), frozen(zero), table, bits, single)

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs by terms, (m, p)."""
        array = self.codes if self.codes is not None else self.values
        assert array is not None
        return array.shape[0], array.shape[1]

    def decode(self) -> NDArray[Any]:
        """Return the weights as floats, shape (m, p)."""
        if self.values is not None:
            return self.values
        assert self.codes is not None
        steps = self.codes - self.zero_point
        if self.levels is not None:
            one_for_all = self.levels.shape[0] == 1
            rows = np.zeros((1, 1), dtype=np.intp) if one_for_all else np.arange(self.shape[0])[:, None]
            steps = self.levels[rows, steps]
        decoded: NDArray[Any] = (steps * self.scale).astype(np.float32 if self.single else np.float64)
        return decoded

    def over(self, divisor: Floats | None) -> Floats:
        """Return the decoded weights in float64 over a divisor for each term, shape (m, p); None: as they are."""
        weights = np.asarray(self.decode(), dtype=np.float64)
        return weights if divisor is None else weights / divisor

    def nonzero(self) -> NDArray[np.bool_]:
        """Return which weights are not zero, shape (m, p)."""
        if self.codes is not None and self.levels is None:
            return np.asarray((self.codes != self.zero_point) & (self.scale != 0))
        return np.asarray(self.decode() != 0)

    def take(self, terms: NDArray[np.intp]) -> Weights:
        """Return the weights of these terms."""
        if self.values is not None:
            return Weights.from_values(self.values[:, terms])
        assert self.codes is not None
        scale = self.scale if self.scale.shape[1] == 1 else self.scale[:, terms]
        zero = self.zero_point if self.zero_point.shape[1] == 1 else self.zero_point[:, terms]
        return Weights.from_codes(self.codes[:, terms], scale, zero, self.levels, self.bits, self.single)

    def scaled(self, factor: ArrayLike) -> Weights:
        """Return the weights times a factor for each output, shape (m,); codes stay."""
        column = np.asarray(factor, dtype=np.float64).reshape(-1, 1)
        if self.values is not None:
            return Weights.from_values((self.values * column).astype(self.values.dtype))
        assert self.codes is not None
        scale = self.scale * column
        return Weights.from_codes(self.codes, scale, self.zero_point, self.levels, self.bits, self.single)


def _broadcastable(array: NDArray[Any], shape: tuple[int, int], name: str) -> NDArray[Any]:
    if array.ndim == 0:
        array = array.reshape(1, 1)
    elif array.ndim == 1:
        # One number for each output; with one output a row of p numbers is one for each term.
        by_output = array.shape[0] == shape[0] and not (shape[0] == 1 and shape[1] == array.shape[0])
        array = array[:, None] if by_output else array[None, :]
    if array.ndim != 2 or any(have not in (1, want) for have, want in zip(array.shape, shape, strict=True)):
        raise ValueError(f"{name} must broadcast to the shape {shape} of the codes, got {array.shape}")
    return array

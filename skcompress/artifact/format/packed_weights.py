"""The weights in the byte format.

    weights     form, mask?, parameters, stream, intercept
    form        uint: 2 x (0 floats, 1 codes, 2 codes that point to levels) + (1 for a float32 model, else 0)
    mask        uint: 0 none, 1 a mask in row-major order: which weights are not zero, or have another code than a
                zero weight; then the stream below holds those alone
    parameters  codes: uint bits (0 unknown), scale, zero point; levels: also uint rows (1 or m), uint count, floats
    scale       uint layout: 0 one number, 1 one for each output, 2 one for each term, 3 one for each weight,
                4 one for each output times 2^e with an exponent for each term; then floats, then for 4 ints
    zero point  uint layout 0..3, then ints
    stream      floats or ints
    intercept   m floats, 64 bits

The code of a zero weight is not stored under a mask: it is the zero point, or the first level that is zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..weights import Floats, Weights, smallest_integers
from .budget import FormatError
from .sink import Sink
from .source import Source

_LAYOUTS = ((False, False), (True, False), (False, True), (True, True))
_BY_EXPONENT = 4


def write_weights(weights: Weights, intercept: Floats, sink: Sink) -> None:
    """Write the weights and intercepts; with and without a mask, whichever is shorter."""
    if sink.plain:
        _write(weights, sink, masked=False)
    else:
        share = np.count_nonzero(weights.nonzero()) / max(1, weights.shape[0] * weights.shape[1])
        forms = [masked for masked, fits in ((False, share > 0.25), (True, share < 1)) if fits]
        tried = [sink.like() for _ in forms]
        for masked, candidate in zip(forms, tried, strict=True):
            _write(weights, candidate, masked=masked)
        sink.take(min(tried, key=lambda candidate: len(candidate.data)))
    sink.floats(intercept)


def _write(weights: Weights, sink: Sink, *, masked: bool) -> None:
    kind = 0 if weights.values is not None else 1 if weights.levels is None else 2
    sink.uint(2 * kind + weights.single)
    sink.uint(int(masked))
    stored = _stored(weights) if masked else None
    if stored is not None:
        sink.mask(stored.ravel())
    if weights.values is not None:
        values = weights.values.ravel() if stored is None else weights.values[stored]
        sink.floats(values, 4 if weights.single else 8)
        return
    assert weights.codes is not None
    sink.uint(weights.bits or 0)
    _write_scale(weights.scale, sink)
    _write_layout(weights.zero_point, sink)
    sink.ints(weights.zero_point.ravel())
    if weights.levels is not None:
        sink.uint(weights.levels.shape[0])
        sink.uint(weights.levels.shape[1])
        sink.floats(weights.levels.ravel())
    sink.ints(weights.codes.ravel() if stored is None else weights.codes[stored])


def _stored(weights: Weights) -> NDArray[np.bool_]:
    """Return which weights a mask holds: those that are not what the reader puts elsewhere.

    A code may be another one and its weight still zero, where its scale is zero or two levels are.
    """
    if weights.codes is None:
        return weights.nonzero()
    return np.asarray(weights.codes != _zero_codes(weights.zero_point, weights.levels))


def _write_layout(array: NDArray[np.float64] | NDArray[np.int64], sink: Sink) -> None:
    sink.uint(_LAYOUTS.index((array.shape[0] > 1, array.shape[1] > 1)))


def _write_scale(scale: Floats, sink: Sink) -> None:
    exponents = _exponents(scale)
    if exponents is None:
        _write_layout(scale, sink)
        sink.floats(scale.ravel())
        return
    sink.uint(_BY_EXPONENT)
    sink.floats(scale[:, 0])
    sink.ints(exponents)


def _exponents(scale: Floats) -> NDArray[np.int64] | None:
    """Return e with scale == scale[:, :1] * 2^e, bit for bit, or None."""
    if scale.shape[1] == 1 or not scale.all():
        return None
    exponents = np.frexp(scale[0])[1].astype(np.int64)
    exponents -= exponents[0]
    with np.errstate(over="ignore", under="ignore"):
        same = np.array_equal(np.ldexp(scale[:, :1], exponents), scale)
    return exponents if same else None


def read_weights(source: Source, m: int, p: int) -> tuple[Weights, Floats]:
    """Read the weights, shape (m, p), and intercepts, shape (m,)."""
    form, masked = source.uint(), source.uint()
    if form > 5 or masked > 1:
        raise FormatError("the weights have an unknown form")
    places = source.mask(m * p) if masked else None
    count = m * p if places is None else len(places)
    form, single = divmod(form, 2)
    if form == 0:
        size = 4 if single else 8
        source.budget.spend_memory(m * p * size * (1 if places is None else 2))
        values = source.floats(count, size)
        if places is not None:
            stored, values = values, np.zeros(m * p, dtype=values.dtype)
            values[places] = stored
        return Weights.from_values(values.reshape(m, p)), source.floats(m)
    bits = source.uint() or None
    scale = _read_scale(source, m, p)
    shape = _shape(source.uint(), m, p)
    zero_point = source.ints(shape[0] * shape[1]).reshape(shape)
    levels = None
    if form == 2:
        rows, n_levels = source.count(), source.count()
        source.budget.spend_memory(8 * rows * n_levels)
        levels = source.floats(rows * n_levels).reshape(rows, n_levels)
    stored, zero = source.ints(count), _zero_codes(zero_point, levels)
    kind: np.dtype[Any] = np.result_type(stored, smallest_integers(zero))
    # The codes, the same in their smallest type, and the places among the levels.
    source.budget.spend_memory(m * p * (2 * kind.itemsize + (0 if levels is None else 8)))
    codes = stored.reshape(m, p) if places is None else np.empty((m, p), dtype=kind)
    if places is not None:
        codes[:] = zero
        codes.ravel()[places] = stored
    return Weights.from_codes(codes, scale, zero_point, levels, bits, bool(single)), source.floats(m)


def _zero_codes(zero_point: NDArray[np.int64], levels: Floats | None) -> NDArray[np.int64]:
    if levels is None:
        return zero_point
    return np.asarray(zero_point + (levels == 0).argmax(axis=1)[:, None])


def _read_scale(source: Source, m: int, p: int) -> Floats:
    layout = source.uint()
    if layout != _BY_EXPONENT:
        shape = _shape(layout, m, p)
        return source.floats(shape[0] * shape[1]).reshape(shape)
    by_output = source.floats(m).reshape(m, 1)
    exponents = source.ints(p)
    if np.abs(exponents).max(initial=0) > 2100:
        raise FormatError("a scale has an exponent out of range")
    with np.errstate(over="ignore", under="ignore"):
        scale: Floats = np.ldexp(by_output, exponents)
    if not np.isfinite(scale).all():
        raise FormatError("a scale is not finite")
    return scale


def _shape(layout: int, m: int, p: int) -> tuple[int, int]:
    if layout >= len(_LAYOUTS):
        raise FormatError("the weights have an unknown layout")
    by_output, by_term = _LAYOUTS[layout]
    return (m if by_output else 1, p if by_term else 1)

"""Which weights share a scale, and how the scale is chosen.

`GRANULARITIES` says what shares: one scale for the whole tensor, one for each output, or one for each output
times a power of two for each feature. The exponents e_j make 2^(e_j) sqrt(H_jj) agree within a factor of two, so
that a step of each feature changes the prediction about equally, whatever the feature's unit.

`SCALES` says what picks one of the trial scales, which are shares of the scale that just spans all the weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import numpy as np

from .linalg import Floats
from .quadratic import QuadraticModel
from .unseen import octaves_beyond

SPREAD = 8.0
"""Ratio of the largest to the smallest sqrt(H_jj) above which "auto" gives each feature an exponent."""

MAX_EXPONENT = 120


class Granularity(NamedTuple):
    """What shares a scale.

    Attributes
    ----------
    shared : bool
        Whether all outputs have one scale.
    exponents : ndarray of int, shape (p,), or None
        e_j; None: zeros.
    """

    shared: bool
    exponents: np.ndarray | None


def _tensor(quadratic: QuadraticModel) -> Granularity:
    return Granularity(True, None)


def _output(quadratic: QuadraticModel) -> Granularity:
    return Granularity(False, None)


def _feature(quadratic: QuadraticModel) -> Granularity:
    spread, live = _column_spread(quadratic)
    exponents = np.zeros(quadratic.n_features, dtype=np.int64)
    if live.any():
        exponents[live] = _octaves(-np.log2(spread[live]))
    return Granularity(False, np.minimum(octaves_beyond(quadratic, exponents), MAX_EXPONENT))


def _octaves(heights: Floats) -> Floats:
    """Return whole numbers e >= 0 such that ``e - heights`` spans less than 1.

    Where the octaves begin is read off the widest gap between the fractional parts, so that neither a common
    shift of the heights nor a whole shift of one of them changes which columns end up level.
    """
    parts = np.sort(np.mod(heights, 1.0))
    gaps = np.diff(parts, prepend=parts[-1] - 1.0)
    octaves = np.floor(heights - parts[np.argmax(gaps)] + 1e-9)
    exponents: Floats = np.minimum(octaves - octaves.min(), MAX_EXPONENT)
    return exponents


def _auto(quadratic: QuadraticModel) -> Granularity:
    spread, live = _column_spread(quadratic)
    wide = live.any() and spread[live].max() > SPREAD * spread[live].min()
    if wide:
        return _feature(quadratic)
    exponents = octaves_beyond(quadratic, np.zeros(quadratic.n_features, dtype=np.int64))
    return Granularity(False, np.minimum(exponents, MAX_EXPONENT)) if exponents.any() else _output(quadratic)


def _column_spread(quadratic: QuadraticModel) -> tuple[Floats, np.ndarray]:
    """Return sqrt(H_jj), averaged over the outputs where j is free, and which columns have one."""
    diagonal = np.broadcast_to(quadratic.diag(), quadratic.free.shape)
    times = quadratic.free.sum(axis=0)
    spread = np.sqrt(np.where(quadratic.free, np.maximum(diagonal, 0.0), 0.0).sum(axis=0) / np.maximum(times, 1))
    return spread, spread > 0


GRANULARITIES: dict[str, Callable[[QuadraticModel], Granularity]] = {
    "auto": _auto,
    "tensor": _tensor,
    "output": _output,
    "feature": _feature,
}


class ScaleRule(NamedTuple):
    """What picks a scale among the trial scales.

    Attributes
    ----------
    criterion : str
        "none" (there is only the scale that spans all the weights), "mse" (squared error of the weights, rounded
        to nearest) or "loss" (the quadratic's loss of the rounding).
    closed_form : bool
        Whether the scale then becomes the best one for the codes, s = z'Hw / z'Hz, in turn with the codes.
    """

    criterion: str
    closed_form: bool


SCALES: dict[str, ScaleRule] = {
    "max": ScaleRule("none", False),
    "mse": ScaleRule("mse", False),
    "loss": ScaleRule("loss", True),
}

OCTAVES_ABOVE = 0.75
OCTAVES_BELOW = 8
"""Where large weights cancel each other, the best scale may clip most of them."""


def trial_shares(per_octave: int) -> Floats:
    """Return the trial scales as shares of the one that spans all the weights, from the largest down."""
    first = -math.ceil(OCTAVES_ABOVE * per_octave)
    return np.exp2(-np.arange(first, OCTAVES_BELOW * per_octave) / per_octave)


def scale_rule_of(scale: str | float) -> ScaleRule | float:
    """Return the entry of `SCALES`, or the scale itself where it is a number.

    Raises
    ------
    ValueError
        If it is neither a name in the table nor a positive finite number.
    """
    if isinstance(scale, str) and scale in SCALES:
        return SCALES[scale]
    if isinstance(scale, Real) and not isinstance(scale, bool) and 0 < float(scale) < np.inf:
        return float(scale)
    raise ValueError(f"scale must be one of {sorted(SCALES)} or a positive finite number, got {scale!r}")

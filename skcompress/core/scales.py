"""Which weights share a scale, how the scale is chosen, and the outputs of one system ready to be put on a grid.

`GRANULARITIES` says what shares: one scale for the whole tensor, one for each output, or one for each output
times a power of two for each feature. The exponents e_j make 2^(e_j) sqrt(H_jj) agree within a factor of two, so
that a step of each feature changes the prediction about equally, whatever the feature's unit.

`SCALES` says what picks one of the trial scales, which are shares of the scale that just spans all the weights.

A quadratic model falls into systems: outputs that share H and the free columns. A `Task` holds one of them, re-centred
on the optimum of the free weights and in units of 2^(e_j), and makes the `Problem` that a rounding sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from .checks import is_number_from
from .grids import GridKind, box_of
from .linalg import Floats, Indices, Mask
from .quadratic import QuadraticModel
from .rounding import LazyCurvature, Problem
from .unseen import held, octaves_beyond, unseen

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
    if is_number_from(scale, 0) and scale > 0:
        return float(scale)
    raise ValueError(f"scale must be one of {sorted(SCALES)} or a positive finite number, got {scale!r}")


SEARCHED_AT_ONCE = 2**16
WHOLE = 1e-9
"""How far from an integer a multiple of a step may be to count as one."""


@dataclass(frozen=True)
class Task:
    """The r outputs of one system with their k free columns.

    Attributes
    ----------
    curvature : LazyCurvature
        H in units of 2^(e_j).
    outputs : ndarray of shape (r,)
        Which of the m outputs.
    columns : ndarray of shape (k,)
        Which of the p features.
    optimum : ndarray of shape (r, k)
        The optimum of the free weights in units of 2^(e_j); of a column without curvature, its weight as it is.
    unseen : ndarray of shape (k,), dtype=bool
        Which columns have no curvature of their own: they do not choose the scale.
    signs : ndarray of shape (r, k)
        1: not negative, -1: not positive, 0: either.
    kind : GridKind
        An entry of `GRIDS`.
    bits : int or ndarray of int, shape (r, 1)
        Bits of a code.
    random : numpy.random.Generator
        For roundings that draw.
    """

    curvature: LazyCurvature
    outputs: Indices
    columns: Indices
    optimum: Floats
    unseen: Mask
    signs: Floats
    kind: GridKind
    bits: Any
    random: np.random.Generator

    @property
    def spanned(self) -> Floats:
        """The optimum as far as a grid must reach, (r, k): columns without curvature no farther than the others."""
        if not self.unseen.any() or self.unseen.all():
            return self.optimum
        most = np.abs(self.optimum[:, ~self.unseen]).max(axis=1, keepdims=True)
        return np.where(self.unseen, np.clip(self.optimum, -most, most), self.optimum)

    def problem(self, steps: Floats, zero_points: Floats | None = None, levels: Floats | None = None) -> Problem:
        """Return the problem whose rows are these outputs, each at each of its steps.

        Parameters
        ----------
        steps : ndarray of shape (m, S)
            Trial scales of all outputs.
        zero_points : ndarray of shape (m, S), default=None
            Codes of zero.
        levels : ndarray of shape (L,) or (m, L), default=None
            Values allowed, in steps, where the kind does not tell; S must be 1 then.
        """
        own = steps[self.outputs]
        n_steps = own.shape[1]
        target = (self.optimum[:, None, :] / own[:, :, None]).reshape(own.size, -1)
        box = box_of(
            self.kind,
            self.bits if np.ndim(self.bits) == 0 else np.repeat(self.bits, n_steps, axis=0),
            own.size,
            zero_point=None if zero_points is None else zero_points[self.outputs].reshape(-1, 1),
            levels=levels[self.outputs] if levels is not None and levels.ndim > 1 else levels,
            signs=np.repeat(self.signs, n_steps, axis=0) if self.signs.any() else None,
        )
        return Problem(self.curvature, target, box, self.random)

    def at_widths(self, widths: Indices, n_outputs: int) -> Task:
        """Return this task once for each of W widths: output i of m at width w is output i + w m of the new task."""
        times = len(widths)
        starts = n_outputs * np.arange(times)
        return replace(
            self,
            outputs=(starts[:, None] + self.outputs).ravel(),
            optimum=np.tile(self.optimum, (times, 1)),
            signs=np.tile(self.signs, (times, 1)),
            bits=np.repeat(widths, len(self.outputs))[:, None],
        )


def tasks_of(
    quadratic: QuadraticModel,
    feature_scale: Floats,
    kind: GridKind,
    bits: int,
    random: np.random.Generator,
) -> list[Task]:
    """Return the systems that have free weights.

    Parameters
    ----------
    quadratic : QuadraticModel
        The model to put on a grid.
    feature_scale : ndarray of shape (p,) or (1,)
        2^(e_j).
    kind, bits, random
        As in `Task`.
    """
    model = held(quadratic)
    spread = np.broadcast_to(feature_scale, (quadratic.n_features,))
    tasks = []
    for outputs, columns in model.systems():
        if len(columns) == 0:
            continue
        system = np.ix_(outputs, columns)
        curvature = LazyCurvature(model, outputs, columns, spread[columns])
        optimum = model.centre[system] / spread[columns]
        flat = unseen(quadratic)[outputs[0], columns]
        tasks.append(Task(curvature, outputs, columns, optimum, flat, model.signs[system], kind, bits, random))
    return tasks


def reach(tasks: list[Task], n_outputs: int, shared: bool) -> tuple[Floats, Floats]:
    """Return the lowest and the highest weight of each output, widened to contain zero, (m, 1)."""
    low, high = np.zeros((n_outputs, 1)), np.zeros((n_outputs, 1))
    for task in tasks:
        low[task.outputs] = np.minimum(task.spanned.min(axis=1, keepdims=True), 0.0)
        high[task.outputs] = np.maximum(task.spanned.max(axis=1, keepdims=True), 0.0)
    if shared:
        low, high = np.full_like(low, low.min()), np.full_like(high, high.max())
    return low, high


def common_step(weights: Floats, most: int) -> float | None:
    """Return the step of the finest grid that all the weights lie on already, or None.

    Parameters
    ----------
    weights : ndarray of shape (n,)
        Any weights.
    most : int
        The highest multiple of the step that the largest weight may be.
    """
    size = np.abs(weights[weights != 0])
    if not len(size):
        return None
    largest = size.max()
    multiples = np.arange(1.0, most + 1)
    for start in range(len(size)):
        if len(multiples) * (len(size) - start) < SEARCHED_AT_ONCE:
            break
        multiples = multiples[_whole(size[start] / largest * multiples)]
    kept = multiples[_whole(np.outer(size, multiples) / largest).all(axis=0)]
    # Of several, one whose multiple is the largest weight to the last digit.
    faithful = kept[kept * (largest / kept) == largest]
    kept = faithful if len(faithful) else kept
    return float(largest / kept[-1]) if len(kept) else None


def _whole(values: Floats) -> np.ndarray:
    return np.abs(values - np.rint(values)) < WHOLE

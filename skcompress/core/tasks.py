"""Task: the outputs of one system, ready to be put on a grid at any scales.

A quadratic model falls into systems: outputs that share H and the free columns. A task holds one of them, re-centred
on the optimum of the free weights and in units of 2^(e_j), and makes the `Problem` that a rounding sees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .grids import GridKind, box_of
from .linalg import Floats, Indices, Mask
from .quadratic import QuadraticModel
from .rounding import LazyCurvature, Problem
from .unseen import held, unseen

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

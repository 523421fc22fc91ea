"""Searching scales: trial scales ranked by a cheap rounding, then scale and codes in turn.

For given codes z the loss is least at s = z'Hw / z'Hz; for given s the rounding looks for a better z. Neither
step can raise the loss, so the turns end.

Arrays over trial scales are (m, S): m outputs, S scales. Where outputs share one scale their losses are
pooled and every row of such an array is the same. Values of a task are (r * S, k): its r outputs, each at the
S scales.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .grids import GridKind, box_of
from .linalg import Floats, Indices
from .quadratic import QuadraticModel
from .rounding import LazyCurvature, Problem, Rounding, RoundingFunction
from .scales import ScaleRule

MAX_TURNS = 20
FLOATS_AT_ONCE = 2**23
"""Floats that the trial roundings of one system may hold at a time."""


@dataclass(frozen=True)
class Task:
    """The outputs of one system, with their optimum in units of 2^(e_j)."""

    curvature: LazyCurvature
    outputs: Indices
    columns: Indices
    optimum: Floats
    kind: GridKind
    bits: int
    random: np.random.Generator

    def problem(self, steps: Floats, zero_points: Floats | None) -> Problem:
        """Return the problem whose rows are these outputs at each of these steps (m, S)."""
        own = steps[self.outputs]
        target = (self.optimum[:, None, :] / own[:, :, None]).reshape(own.size, -1)
        zero = None if zero_points is None else np.repeat(zero_points[self.outputs], own.shape[1], axis=0)
        box = box_of(self.kind, self.bits, own.size, zero)
        return Problem(self.curvature, target, box, self.random)


class ScaleSearch:
    """Trial scales of all the systems at once; arrays over scales are (m, S)."""

    def __init__(self, tasks: list[Task], method: Rounding, unit: Floats, shared: bool, zero_point: Floats | None):
        self.tasks = tasks
        self.method = method
        self.unit = unit[:, None]
        self.shared = shared
        self.zero_point = zero_point

    def best(self, full_step: Floats, rule: ScaleRule) -> tuple[Floats, list[Floats]]:
        """Return the chosen steps (m, 1) and the values of each task at them, (r, k)."""
        trial = full_step * rule.shares
        if rule.criterion == "none":
            return trial, self.rounded(self.method.round, trial)
        if rule.criterion == "mse":
            steps = self._smallest(trial, self._squared_errors(trial), 1)
            return steps, self.rounded(self.method.round, steps)
        steps = self._smallest(trial, self._scouted(trial), self.method.finalists)
        values = self.rounded(self.method.round, steps)
        losses = self.losses(steps, values)
        if rule.closed_form:
            steps, values, losses = self._take_turns(steps, values, losses)
        return self._winner(steps, values, losses)

    def rounded(self, rounding: RoundingFunction, steps: Floats) -> list[Floats]:
        """Return the values that a rounding gives each task at these steps, (r * S, k)."""
        return [rounding(task.problem(steps, self.zero_point)) for task in self.tasks]

    def losses(self, steps: Floats, values: list[Floats]) -> Floats:
        """Return the loss of each output at each step, pooled over what shares the scale, (m, S)."""
        losses = np.zeros_like(steps)
        for task, chosen in zip(self.tasks, values, strict=True):
            own = steps[task.outputs]
            excess = task.problem(steps, self.zero_point).excess(chosen).reshape(own.shape)
            losses[task.outputs] = excess * own**2
        return self._pooled(losses / self.unit)

    def _take_turns(self, steps: Floats, values: list[Floats], losses: Floats) -> tuple[Floats, list[Floats], Floats]:
        for _ in range(MAX_TURNS):
            moved = self._closed_form(steps, values)
            repaired = self._repaired(moved, values)
            fallen = self.losses(moved, repaired)
            better = fallen < losses * (1 - 1e-9)
            if not better.any():
                break
            steps = np.where(better, moved, steps)
            losses = np.where(better, fallen, losses)
            values = [
                np.where(better[task.outputs].reshape(-1, 1), new, old)
                for task, new, old in zip(self.tasks, repaired, values, strict=True)
            ]
        return steps, values, losses

    def _repaired(self, steps: Floats, values: list[Floats]) -> list[Floats]:
        polish = self.method.polish
        repaired = []
        for task, old in zip(self.tasks, values, strict=True):
            problem = task.problem(steps, self.zero_point)
            new = self.method.round(problem) if polish is None else polish(problem, old)
            repaired.append(problem.better(old, new))
        return repaired

    def _closed_form(self, steps: Floats, values: list[Floats]) -> Floats:
        """Return s = z'Hw / z'Hz, pooled over what shares the scale; the old step where that is no scale."""
        above = np.zeros_like(steps)
        below = np.zeros_like(steps)
        for task, chosen in zip(self.tasks, values, strict=True):
            n_steps = steps.shape[1]
            product = task.curvature.dot(chosen)
            optimum = np.repeat(task.optimum, n_steps, axis=0)
            shape = (len(task.outputs), n_steps)
            above[task.outputs] = np.einsum("ij,ij->i", product, optimum).reshape(shape)
            below[task.outputs] = np.einsum("ij,ij->i", product, chosen).reshape(shape)
        above, below = self._pooled(above / self.unit), self._pooled(below / self.unit)
        valid = (above > 0) & (below > 0)
        return np.where(valid, above / np.where(valid, below, 1.0), steps)

    def _scouted(self, trial: Floats) -> Floats:
        losses = np.zeros_like(trial)
        for task in self.tasks:
            n_rows, n_columns = task.optimum.shape
            at_once = max(1, FLOATS_AT_ONCE // max(1, n_rows * n_columns))
            for start in range(0, trial.shape[1], at_once):
                part = trial[:, start : start + at_once]
                problem = task.problem(part, self.zero_point)
                own = part[task.outputs]
                excess = problem.cheap_excess(self.method.scout(problem)).reshape(own.shape)
                losses[task.outputs, start : start + at_once] = excess * own**2
        return self._pooled(losses / self.unit)

    def _squared_errors(self, trial: Floats) -> Floats:
        errors = np.zeros_like(trial)
        for task in self.tasks:
            for place in range(trial.shape[1]):
                own = trial[task.outputs, place]
                problem = task.problem(trial[:, place : place + 1], self.zero_point)
                error = problem.box.nearest(problem.target) - problem.target
                errors[task.outputs, place] = np.einsum("ij,ij->i", error, error) * own**2
        return self._pooled(errors)

    def _pooled(self, losses: Floats) -> Floats:
        return np.broadcast_to(losses.sum(axis=0), losses.shape) if self.shared else losses

    @staticmethod
    def _smallest(trial: Floats, losses: Floats, count: int) -> Floats:
        places = np.argsort(losses, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(trial, places, axis=1)

    def _winner(self, steps: Floats, values: list[Floats], losses: Floats) -> tuple[Floats, list[Floats]]:
        place = np.argmin(losses, axis=1)
        chosen = []
        for task, all_values in zip(self.tasks, values, strict=True):
            shaped = all_values.reshape(len(task.outputs), steps.shape[1], -1)
            chosen.append(shaped[np.arange(len(task.outputs)), place[task.outputs]])
        return np.take_along_axis(steps, place[:, None], axis=1), chosen


def tasks_of(
    quadratic: QuadraticModel,
    feature_scale: Floats,
    kind: GridKind,
    bits: int,
    random: np.random.Generator,
) -> list[Task]:
    """Return the systems that have free weights, re-centred on the optimum of the free weights."""
    model = quadratic.restrict(quadratic.free)
    spread = np.broadcast_to(feature_scale, (quadratic.n_features,))
    tasks = []
    for system in model.systems():
        if len(system.columns) == 0:
            continue
        own_scale = spread[system.columns]
        curvature = LazyCurvature(model, system, own_scale)
        optimum = model.centre[np.ix_(system.outputs, system.columns)] / own_scale
        optimum[:, curvature.diagonal <= 0] = 0.0
        tasks.append(Task(curvature, system.outputs, system.columns, optimum, kind, bits, random))
    return tasks


def reach(tasks: list[Task], n_outputs: int, shared: bool) -> tuple[Floats, Floats]:
    """Return the lowest and the highest weight of each output, widened to contain zero, (m, 1)."""
    low, high = np.zeros((n_outputs, 1)), np.zeros((n_outputs, 1))
    for task in tasks:
        low[task.outputs] = np.minimum(task.optimum.min(axis=1, keepdims=True), 0.0)
        high[task.outputs] = np.maximum(task.optimum.max(axis=1, keepdims=True), 0.0)
    if shared:
        low, high = np.full_like(low, low.min()), np.full_like(high, high.max())
    return low, high

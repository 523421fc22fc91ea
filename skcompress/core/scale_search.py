"""Searching scales: trial scales ranked by a cheap rounding, then scale and codes in turn.

For given codes z the loss is least at s = z'Hw / z'Hz; for given s the rounding looks for a better z. Neither
step can raise the loss, so the turns end.

Arrays over trial scales are (m, S): m outputs, S scales. Where outputs share one scale their losses are
pooled and every row of such an array is the same. Values of a task are (r * S, k): its r outputs, each at the
S scales.
"""

from __future__ import annotations

import numpy as np

from .grids import GridKind
from .linalg import Floats, Mask
from .rounding import Rounding, RoundingFunction, nearest
from .scales import ScaleRule, trial_shares
from .tasks import WHOLE, Task, common_step

MAX_TURNS = 20
FINALIST_FLOATS = 2**18
"""Weights x finalists up to which a rounding gets all the finalists that it asks for."""

LEAST_GAIN = 1e-4
"""The turns end when no loss falls by more than this share."""


class ScaleSearch:
    """Trial scales of all the systems at once; arrays over scales are (m, S)."""

    def __init__(
        self,
        tasks: list[Task],
        kind: GridKind,
        method: Rounding,
        unit: Floats,
        shared: bool,
        zero_point: Floats | None,
    ):
        self.tasks = tasks
        self.kind = kind
        self.method = method
        self.unit = unit[:, None]
        self.shared = shared
        self.zero_point = zero_point

    def best(self, full_step: Floats, rule: ScaleRule) -> tuple[Floats, list[Floats]]:
        """Return the chosen steps (m, 1) and the values of each task at them, (r, k)."""
        if rule.criterion == "none":
            return full_step, self.rounded(self.method.round, full_step)
        already = self._common_steps(full_step)
        on_grid = np.isfinite(already)
        if on_grid.all():
            return already, self.rounded(nearest, already)
        steps, values = self._searched(full_step, rule)
        if not on_grid.any():
            return steps, values
        as_they_are = self.rounded(nearest, np.where(on_grid, already, full_step))
        return np.where(on_grid, already, steps), self._chosen(on_grid, as_they_are, values)

    def _searched(self, full_step: Floats, rule: ScaleRule) -> tuple[Floats, list[Floats]]:
        trial = full_step * trial_shares(1 if self.kind.binary_steps else self.method.per_octave)
        if rule.criterion == "mse":
            steps = self._smallest(trial, self._squared_errors(trial), 1)
            return steps, self.rounded(self.method.round, steps)
        n_floats = sum(task.optimum.size for task in self.tasks)
        finalists = max(1, min(self.method.finalists, FINALIST_FLOATS // max(1, n_floats)))
        steps = self._smallest(trial, self._scouted(trial), finalists)
        values = self.rounded(self.method.round, steps)
        losses = self.losses(steps, values)
        if not (rule.closed_form and self.method.turns):
            return self._winner(steps, values, losses)[:2]
        steps, values, losses = self._winner(*self._take_turns(steps, values, losses))
        for _ in range(self.method.returns):
            # A search from scratch at the scale that won may find what polishing did not.
            anew = self.rounded(self.method.round, steps)
            fallen = self.losses(steps, anew)
            if not (fallen < losses * (1 - LEAST_GAIN)).any():
                break
            values = self._chosen(fallen < losses, anew, values)
            steps, values, losses = self._take_turns(steps, values, np.minimum(fallen, losses))
        return steps, values

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
            better = fallen < losses
            falls = fallen < losses * (1 - LEAST_GAIN)
            steps = np.where(better, moved, steps)
            losses = np.where(better, fallen, losses)
            values = self._chosen(better, repaired, values)
            if not falls.any():
                break
        return steps, values, losses

    def _repaired(self, steps: Floats, values: list[Floats]) -> list[Floats]:
        polish = self.method.polish
        repaired = []
        for task, old in zip(self.tasks, values, strict=True):
            problem = task.problem(steps, self.zero_point)
            better = problem.better(old, self.method.round(problem)) if polish is None else polish(problem, old)
            repaired.append(better)
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
        best = np.where(valid, above, steps) / np.where(valid, below, 1.0)
        return np.where(valid, self.kind.permitted(best), steps)

    def _common_steps(self, full_step: Floats) -> Floats:
        """Return the step of the grid that the weights of an output lie on already, or NaN, (m, 1)."""
        steps = np.full_like(full_step, np.nan)
        if any(self.kind.values(task.bits) is not None for task in self.tasks):
            return steps
        weights: dict[int, list[Floats]] = {}
        for task in self.tasks:
            for output, row in zip(task.outputs, task.optimum, strict=True):
                weights.setdefault(0 if self.shared else int(output), []).append(row)
        for output, parts in weights.items():
            together = np.concatenate(parts)
            most = int(np.abs(together).max() / full_step[output, 0] * (1 + WHOLE))
            step = common_step(together, most)
            permitted = step is not None and self.kind.permitted(np.array(step)) == step
            steps[slice(None) if self.shared else output] = step if permitted else np.nan
        return steps

    def _scouted(self, trial: Floats) -> Floats:
        """Return the loss of the scouting rounding at each trial step, from the largest step down.

        The lower bound that a rounding may know only rises as the box shrinks: once it is above the least loss
        found, the steps that are left cannot be better and count as infinite.
        """
        losses = np.full_like(trial, np.inf)
        at_once = 2 * self.method.per_octave
        for start in range(0, trial.shape[1], at_once):
            part = trial[:, start : start + at_once]
            found, bound = np.zeros_like(part), np.zeros_like(part)
            for task in self.tasks:
                problem = task.problem(part, self.zero_point)
                own = part[task.outputs]
                excess = problem.cheap_excess(self.method.scout(problem))
                found[task.outputs] = excess.reshape(own.shape) * own**2
                bound[task.outputs] = problem.bound().reshape(own.shape) * own**2
            losses[:, start : start + at_once] = self._pooled(found / self.unit)
            if (self._pooled(bound / self.unit)[:, -1] > losses.min(axis=1)).all():
                break
        return losses

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

    def _chosen(self, which: Mask, first: list[Floats], second: list[Floats]) -> list[Floats]:
        """Return the first values where `which` (m, S) says so, else the second."""
        return [
            np.where(which[task.outputs].reshape(-1, 1), one, other)
            for task, one, other in zip(self.tasks, first, second, strict=True)
        ]

    @staticmethod
    def _smallest(trial: Floats, losses: Floats, count: int) -> Floats:
        places = np.argsort(losses, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(trial, places, axis=1)

    def _winner(self, steps: Floats, values: list[Floats], losses: Floats) -> tuple[Floats, list[Floats], Floats]:
        """Return the steps, values and losses of the best step of each output, with S = 1."""
        place = np.argmin(losses, axis=1)
        chosen = []
        for task, all_values in zip(self.tasks, values, strict=True):
            shaped = all_values.reshape(len(task.outputs), steps.shape[1], -1)
            chosen.append(shaped[np.arange(len(task.outputs)), place[task.outputs]])
        at = place[:, None]
        return np.take_along_axis(steps, at, axis=1), chosen, np.take_along_axis(losses, at, axis=1)

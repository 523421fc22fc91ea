"""Searching scales: trial scales ranked by a cheap rounding, then scale and codes in turn.

For given codes z the loss is least at s = z'Hw / z'Hz; for given s the rounding looks for a better z. Neither
step can raise the loss, so the turns end. Where the grid has a zero point, a few of those are tried with every scale.

Arrays over trials are (m, S): m outputs, S trials. Where outputs share one scale their losses are pooled and
every row of such an array is the same. Values of a task are (r * S, k): its r outputs, each at the S trials.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .grids import GridKind
from .linalg import Floats, Indices, Mask
from .rounding import Rounding, RoundingFunction, nearest
from .scales import WHOLE, ScaleRule, Task, common_step, reach, trial_shares

MAX_TURNS = 20

ZERO_SHARES = (0.25, 0.5, 0.75)
"""Where zero points are tried, as shares of the highest code, besides the one that the range asks for."""

FINALIST_FLOATS = 2**18
"""Weights x finalists up to which a rounding gets all the finalists that it asks for."""

SCOUTED_FLOATS = 2**21
"""Weights x trials that are looked at together."""

SEARCHED_WIDTH = 5
"""Bits of a code up to which levels that more bits refine are searched anew; wider ones are polished alone."""

LEAST_GAIN = 1e-4
"""The turns of an output end when its loss does not fall by more than this share."""


class Trials(NamedTuple):
    """Steps and, where the grid has them, zero points; both of shape (m, S)."""

    steps: Floats
    zero_points: Floats | None = None

    def columns(self, places: slice) -> Trials:
        """Return these trials of every output."""
        return Trials(self.steps[:, places], None if self.zero_points is None else self.zero_points[:, places])

    def pick(self, places: Indices) -> Trials:
        """Return for each output its own trials, places (m, F)."""
        zeros = None if self.zero_points is None else np.take_along_axis(self.zero_points, places, axis=1)
        return Trials(np.take_along_axis(self.steps, places, axis=1), zeros)

    def where(self, which: Mask, other: Trials) -> Trials:
        """Return these trials where `which` (m, S) says so, else the other ones."""
        zeros = None
        if self.zero_points is not None and other.zero_points is not None:
            zeros = np.where(which, self.zero_points, other.zero_points)
        return Trials(np.where(which, self.steps, other.steps), zeros)

    def times(self, shares: Floats) -> Trials:
        """Return the trials with steps that are these shares (S,) of the only step."""
        steps = self.steps * shares
        return Trials(steps, None if self.zero_points is None else np.broadcast_to(self.zero_points, steps.shape))


class ScaleSearch:
    """Trial scales of all the systems at once.

    Parameters
    ----------
    tasks : list of Task
        The systems.
    kind : GridKind
        An entry of `GRIDS`, the tasks' own.
    method : Rounding
        How codes are chosen.
    loss_unit : ndarray of shape (m,)
        The unit of the loss of each output.
    shared : bool
        Whether all outputs have one scale.
    """

    def __init__(self, tasks: list[Task], kind: GridKind, method: Rounding, loss_unit: Floats, shared: bool):
        self.tasks = tasks
        self.kind = kind
        self.method = method
        self.loss_unit = loss_unit[:, None]
        self.shared = shared

    def best(self, spanning: Trials, rule: ScaleRule) -> tuple[Trials, list[Floats]]:
        """Return the chosen trial, S = 1, and the values of each task at it, (r, k).

        Parameters
        ----------
        spanning : Trials
            The steps that just span the weights and their zero points, S = 1.
        rule : ScaleRule
            An entry of `SCALES`.
        """
        if rule.criterion == "none":
            return spanning, self.rounded(self.method.round, spanning)
        already = spanning._replace(steps=self._common_steps(spanning.steps))
        on_grid = np.isfinite(already.steps)
        as_they_are = self.rounded(nearest, already.where(on_grid, spanning))
        if on_grid.all():
            return already, as_they_are
        chosen, values = self._searched(spanning, rule)
        return already.where(on_grid, chosen), self._chosen(on_grid, as_they_are, values)

    def widened(self, spanning: Trials, rule: ScaleRule) -> tuple[Trials, list[Floats]]:
        """Return what `best` would, where the values of a code's every width are among those of the wider ones.

        The best of a narrower width is a start for the next one, which is never worse then.
        """
        if not (rule.closed_form and self.method.turns and self.method.finalists > 1):
            return self.best(spanning, rule)
        found: tuple[Trials, list[Floats], Floats] | None = None
        bits = int(self.tasks[0].bits) if self.tasks else 0
        for width in range(min(2, bits), bits + 1):
            search = ScaleSearch(
                [replace(t, bits=width) for t in self.tasks], self.kind, self.method, self.loss_unit[:, 0], self.shared
            )
            if found is not None:
                found = search._take_turns(*found)
            if found is None or width <= SEARCHED_WIDTH:
                trials, values = search.best(spanning, rule)
                losses = search.losses(trials, values)
                if found is not None:
                    lower = losses < found[2]
                    trials, values = trials.where(lower, found[0]), search._chosen(lower, values, found[1])
                    losses = np.minimum(losses, found[2])
                found = trials, values, losses
        return self.best(spanning, rule) if found is None else found[:2]

    def rounded(self, rounding: RoundingFunction, trials: Trials) -> list[Floats]:
        """Return the values that a rounding gives each task at these trials, (r * S, k)."""
        return [rounding(task.problem(*trials)) for task in self.tasks]

    def losses(self, trials: Trials, values: list[Floats]) -> Floats:
        """Return the loss of each output at each trial, pooled over what shares the scale, (m, S)."""
        losses = np.zeros_like(trials.steps)
        for task, chosen in zip(self.tasks, values, strict=True):
            own = trials.steps[task.outputs]
            losses[task.outputs] = task.problem(*trials).excess(chosen).reshape(own.shape) * own**2
        return self._pooled(losses / self.loss_unit)

    def _searched(self, spanning: Trials, rule: ScaleRule) -> tuple[Trials, list[Floats]]:
        shares = trial_shares(1 if self.kind.binary_steps else self.method.per_octave)
        if rule.criterion == "mse":
            trials = spanning.times(shares)
            trials = trials.pick(_smallest(self._squared_errors(trials), 1))
            return trials, self.rounded(self.method.round, trials)
        n_floats = sum(task.optimum.size for task in self.tasks)
        finalists = max(1, min(self.method.finalists, FINALIST_FLOATS // max(1, n_floats)))
        sequences = [start.times(shares) for start in self._starts(spanning)]
        places = _smallest(np.hstack([self._scouted(trials) for trials in sequences]), finalists)
        trials = _joined(sequences).pick(places)
        values = self.rounded(self.method.round, trials)
        losses = self.losses(trials, values)
        if not (rule.closed_form and self.method.turns):
            return self._winner(trials, values, losses)[:2]
        trials, values, losses = self._winner(*self._take_turns(trials, values, losses))
        for _ in range(self.method.returns):
            # A search from scratch at the scale that won may find what polishing did not.
            anew = self.rounded(self.method.round, trials)
            fallen = self.losses(trials, anew)
            if not (fallen < losses * (1 - LEAST_GAIN)).any():
                break
            values = self._chosen(fallen < losses, anew, values)
            trials, values, losses = self._take_turns(trials, values, np.minimum(fallen, losses))
        return trials, values

    def _take_turns(self, trials: Trials, values: list[Floats], losses: Floats) -> tuple[Trials, list[Floats], Floats]:
        active = np.ones(losses.shape, dtype=bool)
        for _ in range(MAX_TURNS):
            moved = trials._replace(steps=self._closed_form(trials.steps, values))
            repaired = self._repaired(moved, values)
            fallen = self.losses(moved, repaired)
            better = active & (fallen < losses)
            active &= fallen < losses * (1 - LEAST_GAIN)
            trials = moved.where(better, trials)
            losses = np.where(better, fallen, losses)
            values = self._chosen(better, repaired, values)
            if not active.any():
                break
        return trials, values, losses

    def _repaired(self, trials: Trials, values: list[Floats]) -> list[Floats]:
        problems = [task.problem(*trials) for task in self.tasks]
        return [self.method.improved(problem, old) for problem, old in zip(problems, values, strict=True)]

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
        above, below = self._pooled(above / self.loss_unit), self._pooled(below / self.loss_unit)
        valid = (above > 0) & (below > 0)
        best = np.where(valid, above, steps) / np.where(valid, below, 1.0)
        return np.where(valid, self.kind.permitted(best), steps)

    def _starts(self, spanning: Trials) -> list[Trials]:
        """Return the spanning trial and others with their zero points elsewhere, each spanning its weights."""
        starts = [spanning]
        if spanning.zero_points is None:
            return starts
        low, high = reach(self.tasks, len(self.loss_unit), self.shared)
        top = np.ones_like(low)
        for task in self.tasks:
            top[task.outputs] = self.kind.bounds(task.bits)[1]
        top = np.full_like(top, top.max()) if self.shared else top
        for share in ZERO_SHARES:
            zero = np.full_like(spanning.zero_points, np.rint(share * top))
            down = np.divide(-low, zero, out=np.zeros_like(low), where=zero > 0)
            up = np.divide(high, top - zero, out=np.zeros_like(high), where=zero < top)
            step = np.maximum(down, up)
            starts.append(Trials(np.where(step > 0, step, spanning.steps), zero))
        return starts

    def _scouted(self, trials: Trials) -> Floats:
        """Return the loss of the scouting rounding at each trial, from the largest step down.

        The lower bound that a rounding may know only rises as the box shrinks: once it is above the least loss
        found, the steps that are left cannot be better and count as infinite.
        """
        losses = np.full_like(trials.steps, np.inf)
        n_floats = sum(task.optimum.size for task in self.tasks)
        start, stop = 0, 2 * self.method.per_octave
        while start < losses.shape[1]:
            columns = slice(start, stop)
            part = trials.columns(columns)
            found, bound = np.zeros_like(part.steps), np.zeros_like(part.steps)
            for task in self.tasks:
                problem = task.problem(*part)
                own = part.steps[task.outputs]
                found[task.outputs] = problem.cheap_excess(self.method.scout(problem)).reshape(own.shape) * own**2
                bound[task.outputs] = problem.bound().reshape(own.shape) * own**2
            losses[:, columns] = self._pooled(found / self.loss_unit)
            if (self._pooled(bound / self.loss_unit)[:, -1] > losses.min(axis=1)).all():
                break
            # Where nothing bounds the loss, all the trials that are left are looked at together.
            more = 2 * self.method.per_octave if bound.any() else max(stop, SCOUTED_FLOATS // max(1, n_floats))
            start, stop = stop, stop + more
        return losses

    def _squared_errors(self, trials: Trials) -> Floats:
        errors = np.zeros_like(trials.steps)
        for task in self.tasks:
            for place in range(errors.shape[1]):
                part = trials.columns(slice(place, place + 1))
                problem = task.problem(*part)
                error = problem.box.nearest(problem.target) - problem.target
                errors[task.outputs, place] = np.einsum("ij,ij->i", error, error) * part.steps[task.outputs, 0] ** 2
        return self._pooled(errors)

    def _common_steps(self, full_step: Floats) -> Floats:
        """Return the step of the grid that the weights of an output lie on already, or NaN, (m, 1)."""
        steps = np.full_like(full_step, np.nan)
        if any(self.kind.values(task.bits) is not None for task in self.tasks):
            return steps
        weights: dict[int, list[Floats]] = {}
        for task in self.tasks:
            seen = slice(None) if task.unseen.all() else ~task.unseen
            for output, row in zip(task.outputs, task.optimum[:, seen], strict=True):
                weights.setdefault(0 if self.shared else int(output), []).append(row)
        for output, parts in weights.items():
            together = np.concatenate(parts)
            most = int(np.abs(together).max() / full_step[output, 0] * (1 + WHOLE))
            step = common_step(together, most)
            permitted = step is not None and self.kind.permitted(np.array(step)) == step
            steps[slice(None) if self.shared else output] = step if permitted else np.nan
        return steps

    def _pooled(self, losses: Floats) -> Floats:
        return np.broadcast_to(losses.sum(axis=0), losses.shape) if self.shared else losses

    def _chosen(self, which: Mask, first: list[Floats], second: list[Floats]) -> list[Floats]:
        """Return the first values where `which` (m, S) says so, else the second."""
        return [
            np.where(which[task.outputs].reshape(-1, 1), one, other)
            for task, one, other in zip(self.tasks, first, second, strict=True)
        ]

    def _winner(self, trials: Trials, values: list[Floats], losses: Floats) -> tuple[Trials, list[Floats], Floats]:
        """Return the trial, values and losses of the best trial of each output, with S = 1."""
        place = np.argmin(losses, axis=1)
        chosen = []
        for task, all_values in zip(self.tasks, values, strict=True):
            shaped = all_values.reshape(len(task.outputs), losses.shape[1], -1)
            chosen.append(shaped[np.arange(len(task.outputs)), place[task.outputs]])
        at = place[:, None]
        return trials.pick(at), chosen, np.take_along_axis(losses, at, axis=1)


def _smallest(losses: Floats, count: int) -> Indices:
    """Return the places of the smallest losses of each output, (m, count)."""
    return np.argsort(losses, axis=1, kind="stable")[:, :count]


def _joined(sequences: list[Trials]) -> Trials:
    zeros = [trials.zero_points for trials in sequences if trials.zero_points is not None]
    return Trials(np.hstack([trials.steps for trials in sequences]), np.hstack(zeros) if zeros else None)

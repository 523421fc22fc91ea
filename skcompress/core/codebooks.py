"""Codebooks: the values and the codes of a grid whose levels may lie anywhere.

One output, or all of them where they share, has L levels, zero among them. Levels and codes take turns, as the centres
and the clusters of k-means do, but in the metric of the quadratic:

- for given levels a rounding chooses the codes;
- for given codes, with A the (k, L) indicator of who has which level, the loss is least where
  sum_i A_i' H_i A_i l = sum_i A_i' H_i w_i, with the level of zero held at zero.

Neither step raises the loss. They start from weighted k-means in one dimension (each weight counts with its H_jj; Han
et al. 2016, "Deep Compression", without weights), and from the best evenly spaced grid of as many bits, so that
a codebook never loses more than that.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .grids import GRIDS
from .linalg import Floats, Mask, solve_psd
from .rounding import Problem, Rounding
from .scale_search import LEAST_GAIN, ScaleSearch, Trials
from .scales import ScaleRule, Task, reach

Group = list[tuple[int, int]]
"""Outputs that share a codebook, each as the place of its task and its row there."""

MAX_TURNS = 20
MAX_LLOYD = 60


class CodebookSearch:
    """Levels and codes of all the systems at once.

    Parameters
    ----------
    tasks : list of Task
        The systems.
    method : Rounding
        How codes are chosen.
    loss_unit : ndarray of shape (m,)
        The unit of the loss of each output.
    shared : bool
        Whether all outputs have one codebook.
    """

    def __init__(self, tasks: list[Task], method: Rounding, loss_unit: Floats, shared: bool):
        self.tasks = tasks
        self.method = method
        self.loss_unit = loss_unit
        self.shared = shared
        self.ones = np.ones((len(loss_unit), 1))
        rows = [(place, row) for place, task in enumerate(tasks) for row in range(len(task.outputs))]
        self.groups: list[Group] = [rows] if shared and rows else [[row] for row in rows]
        self.n_levels = 2 ** tasks[0].bits if tasks else 1

    def best(self, rule: ScaleRule) -> tuple[Floats, list[Floats]]:
        """Return the levels, (m, L) or (L,), and the values of each task, (r, k)."""
        if rule.criterion == "mse":
            values = self._rounded([self._clustered(group, weighted=False) for group in self.groups])
            return self._table(self._levels(values)), values
        clustered = [self._clustered(group, weighted=True) for group in self.groups]
        first = self._take_turns(self._rounded(clustered))
        second = self._take_turns(self._evenly_spaced(rule))
        values = self._chosen(self._losses(second) < self._losses(first), second, first)
        return self._table(self._levels(values)), values

    def _take_turns(self, values: list[Floats]) -> list[Floats]:
        if not self.method.turns:
            return values
        losses = self._losses(values)
        for _ in range(MAX_TURNS):
            before = losses
            for step in (self._refitted, self._reassigned):
                changed = step(values)
                fallen = self._losses(changed)
                values = self._chosen(fallen < losses, changed, values)
                losses = np.minimum(fallen, losses)
            if (losses >= before * (1 - LEAST_GAIN)).all():
                break
        return values

    def _problems(self, levels: list[Floats]) -> list[Problem]:
        table = self._table([self._filled(own, group) for own, group in zip(levels, self.groups, strict=True)])
        return [task.problem(self.ones, None, table) for task in self.tasks]

    def _rounded(self, levels: list[Floats]) -> list[Floats]:
        return [self.method.round(problem) for problem in self._problems(levels)]

    def _reassigned(self, values: list[Floats]) -> list[Floats]:
        """Return the values that a new rounding gives, or the old ones polished, on their own levels."""
        problems = self._problems(self._levels(values))
        return [
            problem.better(self.method.improved(problem, old), self.method.round(problem))
            for problem, old in zip(problems, values, strict=True)
        ]

    def _refitted(self, values: list[Floats]) -> list[Floats]:
        """Return the values with every level moved to where it costs least, the codes as they are."""
        moved = [chosen.copy() for chosen in values]
        for group, levels in zip(self.groups, self._levels(values), strict=True):
            free = levels[levels != 0]
            matrix, right = np.zeros((len(free), len(free))), np.zeros(len(free))
            for place, row in group:
                task = self.tasks[place]
                who = (values[place][row] == free[:, None]).astype(np.float64)
                product = task.curvature.dot(who) / self.loss_unit[task.outputs[row]]
                matrix += product @ who.T
                right += product @ task.optimum[row]
            better = solve_psd(matrix, right)
            for place, row in group:
                own = values[place][row]
                at = np.minimum(np.searchsorted(free, own), max(len(free) - 1, 0))
                moved[place][row] = np.where(own == 0, 0.0, better[at] if len(free) else 0.0)
        return moved

    def _losses(self, values: list[Floats]) -> Floats:
        """Return the loss of each output, pooled where they share, (m,)."""
        losses = np.zeros(len(self.loss_unit))
        for task, chosen in zip(self.tasks, values, strict=True):
            error = chosen - task.optimum
            losses[task.outputs] = np.einsum("ij,ij->i", task.curvature.dot(error), error)
        losses /= self.loss_unit
        return np.full_like(losses, losses.sum()) if self.shared else losses

    def _evenly_spaced(self, rule: ScaleRule) -> list[Floats]:
        """Return the values on the best evenly spaced grid of as many bits."""
        kind = GRIDS["affine"]
        tasks = [replace(task, kind=kind) for task in self.tasks]
        if not tasks:
            return []
        low, high = reach(tasks, len(self.loss_unit), self.shared)
        full_step = kind.spanning(low, high, tasks[0].bits)
        search = ScaleSearch(tasks, kind, self.method, self.loss_unit, self.shared)
        trials, values = search.best(Trials(full_step, kind.zero_point(low, full_step, tasks[0].bits)), rule)
        return [chosen * trials.steps[task.outputs] for task, chosen in zip(tasks, values, strict=True)]

    def _clustered(self, group: Group, weighted: bool) -> Floats:
        """Return the centres of (weighted) k-means of a group's weights, zero among them."""
        points = np.concatenate([self.tasks[place].optimum[row] for place, row in group])
        weight = np.concatenate([self.tasks[place].curvature.diagonal for place, _ in group])
        distinct = np.unique(points[points != 0])
        if len(distinct) < self.n_levels:
            return np.union1d(distinct, [0.0])
        weight = weight if weighted else np.ones_like(points)
        starts = (
            np.quantile(distinct, np.linspace(0, 1, self.n_levels - 1)),
            np.linspace(distinct[0], distinct[-1], self.n_levels - 1),
        )
        found = [_lloyd(points, weight, np.union1d(start, [0.0])) for start in starts]
        return min(found, key=lambda pair: pair[1])[0]

    def _filled(self, levels: Floats, group: Group) -> Floats:
        """Return as many levels as the bits allow: those that are missing go to the dearest errors."""
        missing = self.n_levels - len(levels)
        if missing <= 0:
            return levels
        points = np.concatenate([self.tasks[place].optimum[row] for place, row in group])
        weight = np.concatenate([self.tasks[place].curvature.diagonal for place, _ in group])
        middles = (levels[1:] + levels[:-1]) / 2
        error = weight * (points - levels[np.searchsorted(middles, points)]) ** 2
        dearest = np.argsort(-error, kind="stable")[:missing]
        return np.union1d(levels, points[dearest])

    def _levels(self, values: list[Floats]) -> list[Floats]:
        """Return the values that each group uses, increasing, zero among them."""
        return [np.union1d(np.concatenate([values[i][row] for i, row in group]), [0.0]) for group in self.groups]

    def _table(self, levels: list[Floats]) -> Floats:
        """Return the levels as one array, (m, L) or (L,) where outputs share; short rows repeat their last."""
        if self.shared:
            return levels[0] if levels else np.zeros(1)
        table = np.zeros((len(self.loss_unit), max((len(own) for own in levels), default=1)))
        for own, group in zip(levels, self.groups, strict=True):
            output = self.tasks[group[0][0]].outputs[group[0][1]]
            table[output] = np.pad(own, (0, table.shape[1] - len(own)), mode="edge")
        return table

    def _chosen(self, which: Mask, first: list[Floats], second: list[Floats]) -> list[Floats]:
        """Return the first values of the outputs where `which` (m,) says so, else the second."""
        return [
            np.where(which[task.outputs, None], one, other)
            for task, one, other in zip(self.tasks, first, second, strict=True)
        ]


def _lloyd(points: Floats, weight: Floats, centres: Floats) -> tuple[Floats, float]:
    """Return the centres of one-dimensional k-means with zero held in place, and their error."""
    for _ in range(MAX_LLOYD):
        nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, points)
        total = np.bincount(nearest, weight, len(centres))
        mean = np.bincount(nearest, weight * points, len(centres)) / np.where(total > 0, total, 1.0)
        moved = np.sort(np.where((total > 0) & (centres != 0), mean, centres))
        if np.array_equal(moved, centres):
            break
        centres = moved
    nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, points)
    return centres, float(weight @ (points - centres[nearest]) ** 2)

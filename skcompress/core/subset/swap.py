"""Forward and backward starts, each improved by swaps; the better one is kept.

The support of a size depends on that size alone: neither on the sizes asked before nor on the budget. A restart
drops a random part of the best support, fills it up again by forward selection among some of the other units, and
swaps. Few units have few parts: without the choice of the others, a support of five has ten restarts and no more.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..linalg import Floats, Indices, Mask
from .problem import Problem
from .profile import Found, Searched, Settings

EQUAL = 1e-10
"""Share of the explained loss below which two supports are equally good; the earlier one then wins."""

MOST_RESTARTS = 100
"""Restarts at most, where their number is not given."""

PATIENCE = 20
"""Restarts in a row that find nothing better before the search ends, where their number is not given."""

TOGETHER = 4
"""So many sizes at once are searched along the paths of the starts."""

SWAPPED = 2**23
"""Largest size times columns at which, where the curvature is too large to be formed, forward selection is followed by
swaps: some seconds and half a gigabyte."""

DROPPED = (0.4, 0.7)
"""Shares of the support that restarts drop, in turn."""

BARRED = (0.0, 0.5, 0.9)
"""Shares of the other units that are not chosen from when a restart fills its support up, in turn."""


class SwapProfile(Searched):
    """Supports found by swaps, size by size, when they are asked for.

    Parameters
    ----------
    problem : Problem
        Of n units.
    settings : Settings
        Restarts and their seed.
    """

    def __init__(self, problem: Problem, settings: Settings):
        super().__init__(problem, problem.most, is_cheap=problem.is_dense)
        self.least = int(problem.kept.sum())
        self._settings = settings

    def prepare(self, sizes: Indices) -> None:
        """Search these sizes together: each state of the swap search is carried on to the next size."""
        problem = self.problem
        wanted = np.zeros(self.most + 1, dtype=bool)
        wanted[sizes] = True
        wanted[[0, *self.found]] = False
        if wanted.sum() < TOGETHER or not problem.is_dense or self._settings.n_restarts != 0:
            return
        forward, _ = problem.forward(self.most)
        backward = problem.elimination_path().order
        if not problem.kept_is_independent:
            return
        wanted[min(len(forward), len(backward)) + 1 :] = False
        first = {size: (chosen, gain) for size, chosen, gain in problem.swap_along(forward, wanted)}
        wanted &= _differ(forward, backward, len(problem.kept))
        second = {size: (chosen, gain) for size, chosen, gain in problem.swap_along(backward, wanted)}
        for size, (chosen, gain) in first.items():
            if size in second and second[size][1] > gain + EQUAL * gain:
                chosen, gain = second[size]
            self.found[size] = Found(chosen, problem.empty_loss - gain, float(problem.bounds[size]))

    def search(self, size: int) -> Found:
        """Return the better of the supports that the starts end in, and restarts."""
        problem = self.problem
        kept = np.flatnonzero(problem.kept)
        if size == 0:
            return Found(kept, problem.empty_loss, problem.empty_loss)
        if not problem.is_dense and size * len(problem.kept) > SWAPPED:
            forward, gains = problem.forward(size)
            return Found(np.sort(forward), problem.empty_loss - float(gains.sum()), problem.floor)
        best, most_gain, bound = kept, -np.inf, -np.inf
        starts = self._starts(size)
        seen: set[bytes] = set()
        idle = 0
        limit = len(starts) + (MOST_RESTARTS if self._settings.n_restarts is None else self._settings.n_restarts)
        for attempt in range(limit):
            if attempt >= len(starts):
                proven = problem.empty_loss - most_gain - bound <= EQUAL * most_gain
                if proven or (self._settings.n_restarts is None and idle == PATIENCE):
                    break
                idle += 1
            start = starts[attempt] if attempt < len(starts) else self._perturbed(best, attempt)
            if start.tobytes() in seen:
                continue
            seen.add(start.tobytes())
            chosen, gain = problem.swap(start)
            if most_gain == -np.inf or gain > most_gain + EQUAL * most_gain:
                best, most_gain, idle = np.union1d(chosen, kept), gain, 0
                bound = float(problem.bounds[len(best)])
        return Found(best, problem.empty_loss - most_gain, bound)

    def _starts(self, size: int) -> list[Indices]:
        forward, _ = self.problem.forward(size)
        starts = [np.sort(forward)]
        if self.problem.is_dense:
            starts.append(self.problem.backward(size))
        longest = max(len(start) for start in starts)
        return [start for start in starts if len(start) == longest]

    def _perturbed(self, best: Indices, attempt: int) -> Indices:
        rng = np.random.default_rng([self._settings.seed, len(best), attempt])
        movable = best[~self.problem.kept[best]]
        gone = rng.choice(movable, size=dropped(attempt, len(movable)), replace=False)
        others = np.setdiff1d(np.flatnonzero(~self.problem.kept), best)
        barred = rng.choice(others, size=int(BARRED[attempt % len(BARRED)] * len(others)), replace=False)
        start = self.problem.complete(np.setdiff1d(best, gone), len(best), np.union1d(gone, barred))
        return start if len(start) == len(best) else best

    def curve(self, limit: int) -> Floats:
        """Return the lower of the losses of both starts for the sizes 0..limit."""
        _, gains = self.problem.forward(limit)
        best = self._losses_of(gains, limit)
        if self.problem.is_dense:
            best = np.minimum(best, self._losses_of(self._backward_gains, limit))
        best[: self.least] = np.inf
        return best

    @cached_property
    def _backward_gains(self) -> Floats:
        return self.problem.gains_along(self.problem.elimination_path().order)

    def _losses_of(self, gains: Floats, limit: int) -> Floats:
        explained = np.concatenate([[0.0], np.cumsum(gains)])[: limit + 1]
        padded = np.concatenate([explained, np.full(limit + 1 - len(explained), explained[-1])])
        return self.problem.empty_loss - padded


def dropped(attempt: int, n_movable: int) -> int:
    """Return how many of the units that are not always kept a restart drops."""
    return min(n_movable, max(1, round(DROPPED[attempt % len(DROPPED)] * n_movable)))


def swap(problem: Problem, settings: Settings) -> SwapProfile:
    """Return the profile of the swap search."""
    return SwapProfile(problem, settings)


def _differ(one: Indices, other: Indices, n_units: int) -> Mask:
    """Return for the sizes 0..q whether two orders of q units begin with different sets."""
    place = np.full(n_units, len(one))
    place[one] = np.arange(len(one))
    furthest = np.maximum.accumulate(place[other])
    return np.concatenate([[False], furthest >= np.arange(1, len(other) + 1)])

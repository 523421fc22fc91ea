"""`Profile`: what a search knows about the supports of every size of one problem.

A budget looks at profiles only; it never looks into a search.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np

from ..linalg import Floats, Indices
from ..units import Importance
from .problem import Problem

SharedBy = Literal["scores", "curve", "supports"]


class Found(NamedTuple):
    """A support of one problem.

    Attributes
    ----------
    units : ndarray of shape (k,)
        Positions of the units kept, ascending.
    loss : float
        In units of loss.
    bound : float
        No support of this size has a lower loss; -inf where nothing better is known.
    """

    units: Indices
    loss: float
    bound: float = -np.inf


class Settings(NamedTuple):
    """What a search is given beside the problem.

    Attributes
    ----------
    scores : ndarray of shape (n,) or None
        Scores of the units at the full model; None: too many to be had.
    importance : Importance or callable
        How units are scored; a callable takes the positions of the units left and returns their scores.
    refit : bool
        Whether the kept weights are optimised anew; else they stay as they are.
    n_restarts : int or None
        Perturbed restarts of the swap search; None: until `PATIENCE` of them in a row have found nothing better.
    max_nodes : int or None
        Nodes after which the exact search gives up the proof; None: as many as take some ten seconds.
    seed : int
        Of the restarts.
    n_problems : int
        Problems that share the work.
    """

    scores: Floats | None
    importance: Importance | Callable[[Indices], Floats]
    refit: bool = True
    n_restarts: int | None = 0
    max_nodes: int | None = None
    seed: int = 0
    n_problems: int = 1


class Profile(Protocol):
    """Supports of every size of one problem."""

    @property
    def problem(self) -> Problem:
        """Of which problem."""

    @property
    def least(self) -> int:
        """Smallest size."""

    @property
    def most(self) -> int:
        """Largest size."""

    @property
    def is_cheap(self) -> bool:
        """Whether the curve of all sizes costs little; else larger and larger sizes are looked at."""

    @property
    def shared_by(self) -> SharedBy:
        """What a total of several problems is shared by: the scores that order the units, curves, or supports found."""

    @property
    def visited(self) -> Sequence[int]:
        """Sizes whose supports are known by now, ascending."""

    def prepare(self, sizes: Indices) -> None:
        """Be told that these sizes are going to be asked for, which may be cheaper together."""

    def find(self, size: int) -> Found:
        """Return the support of this size, which must lie within `least` and `most`."""

    def curve(self, limit: int) -> Floats:
        """Return losses for the sizes 0..limit, inf below `least`; `find` does as well or better."""

    def size_at(self, threshold: float, inclusive: bool) -> int:
        """Return how many units have a worth above the threshold, or at it where inclusive."""

    def steps(self, limit: int) -> Floats:
        """Return what the last unit is worth at each of the sizes 1..limit, to share a budget by."""


class Searched:
    """A profile whose supports are searched size by size, when they are asked for.

    Parameters
    ----------
    problem : Problem
        Of n units.
    most : int
        Largest size of a support, as far as that is known.
    is_cheap : bool
        As in `Profile`.

    Attributes
    ----------
    found : dict of int to Found
        The supports searched so far.
    """

    shared_by: SharedBy = "curve"

    def __init__(self, problem: Problem, most: int, is_cheap: bool):
        self.problem = problem
        self.most = most
        self.least = min(int(problem.kept.sum()), most)
        self.is_cheap = is_cheap
        self.found: dict[int, Found] = {}

    def search(self, size: int) -> Found:
        """Search the support of this size."""
        raise NotImplementedError

    def curve(self, limit: int) -> Floats:
        """Return losses for the sizes 0..limit, inf below `least`; `find` does as well or better."""
        raise NotImplementedError

    @property
    def visited(self) -> Sequence[int]:
        """Sizes searched so far, ascending."""
        return sorted(self.found)

    def prepare(self, sizes: Indices) -> None:
        """Nothing is cheaper together."""

    def find(self, size: int) -> Found:
        """Return the support of this size."""
        if size not in self.found:
            self.found[size] = self.search(size)
        return self.found[size]

    def size_at(self, threshold: float, inclusive: bool) -> int:
        """Return the size that minimises loss + threshold x size."""
        return best_size(self, lambda sizes, losses: losses + threshold * sizes)

    def steps(self, limit: int) -> Floats:
        """Return by how much each unit lowers the loss, on the lower convex hull of the curve."""
        return hull_steps(self.curve(limit), self.least)


EVERY_SIZE = 128
"""Up to so many units every size is looked at where the best one is wanted."""

MARGIN = 20
"""Sizes beyond twice that of a minimum that are looked at before it counts as the first."""

AROUND = 2**20
"""Size times columns from which, where the curvature is too large to be formed, the curve alone chooses the size."""

WALKED = 2**26
"""Largest size times columns that is walked to in search of a size, where the curvature is too large to be formed: half
a gigabyte and half a minute."""

Objective = Callable[[Floats, Floats], Floats]
"""From sizes and their losses to what is to be minimised."""


def require_walk(size: int, n_units: int, most: float) -> None:
    """Raise ValueError if a search for the size of a support would take minutes to get to this size.

    Parameters
    ----------
    size, n_units : int
        How far, and of how many.
    most : float
        The size up to which it is bearable.
    """
    if size > most:
        raise ValueError(
            f"this budget keeps more than {int(most)} of the {n_units} free columns, and finding out how many would "
            f"take minutes and {8 * size * n_units / 2**30:.1f} GiB or more: set n_nonzero, allow for fewer weights (a "
            "higher threshold or max_loss), or use search='one_shot' with importance='obd'"
        )


def best_size(profile: Profile, objective: Objective, *, every: int = 0, first: bool = False) -> int:
    """Return the size whose support minimises an objective.

    The curve says where to look. Up to `every` sizes, all those are searched whose bound lies below what the curve has
    reached; of more, those next to the best until both are worse. Where the curve is not cheap, larger and larger sizes
    are looked at until the best lies well inside, and of a curvature too large to be formed the sizes next to it only
    while that is cheap.

    Parameters
    ----------
    profile : Profile
        Of which problem.
    objective : callable
        To be minimised; must not fall where the loss rises.
    every : int, default=0
        Where there are no more sizes than this, none that could be the best is left out.
    first : bool, default=False
        Whether to stop at the first minimum with nothing below it up to twice its size and `MARGIN` more.
    """
    if profile.most <= every and profile.problem.is_dense:
        return _best_of_all(profile, objective, first)
    limit = profile.most if profile.is_cheap else min(profile.most, 64)
    # Steps of a quarter, since forward selection costs the square of the size; the first minimum looks twice as far.
    factor, inside = (2.0, 0.5) if first else (1.25, 0.8)
    n_units = len(profile.problem.kept)
    while True:
        if not profile.problem.is_dense:
            require_walk(limit, n_units, max(64, WALKED / n_units))
        curve = profile.curve(limit)
        best = _lowest(objective(np.arange(len(curve), dtype=np.float64), curve), first)
        ended = curve[-1] >= curve[-2]
        if limit == profile.most or ended or best < int(inside * limit):
            break
        limit = min(profile.most, int(factor * limit))
    if not profile.problem.is_dense and best * n_units > AROUND:
        return best

    def value_at(size: int) -> float:
        return float(objective(np.array([size], dtype=np.float64), np.array([profile.find(size).loss]))[0])

    value = value_at(best)
    for direction in (-1, 1):
        while profile.least <= best + direction <= profile.most:
            other = value_at(best + direction)
            if other >= value:
                break
            best, value = best + direction, other
    return best


def _best_of_all(profile: Profile, objective: Objective, first: bool) -> int:
    sizes = np.arange(profile.least, profile.most + 1)
    values = objective(sizes.astype(np.float64), profile.curve(profile.most)[sizes])
    least = objective(sizes.astype(np.float64), profile.problem.bounds[sizes])
    best = _lowest(values, first)
    hopeful = least < values[best]
    hopeful[best] = True
    if first:
        hopeful[2 * best + MARGIN + 1 :] = False
    profile.prepare(sizes[hopeful])
    for place in np.flatnonzero(hopeful):
        found = profile.find(int(sizes[place]))
        values[place] = objective(sizes[place : place + 1].astype(np.float64), np.array([found.loss]))[0]
    return int(sizes[_lowest(values, first)])


def _lowest(values: Floats, first: bool) -> int:
    best = int(np.argmin(values))
    if not first:
        return best
    best = 0
    for size in range(1, len(values)):
        if size > 2 * best + MARGIN:
            break
        if values[size] < values[best]:
            best = size
    return best


def hull_steps(curve: Floats, least: int) -> Floats:
    """Return the falls of the lower convex hull of a curve over 0..limit, shape (limit,), infinite below least."""
    steps = np.full(len(curve) - 1, np.inf)
    corners: list[int] = []
    for size in range(least, len(curve)):
        while len(corners) > 1 and _above(curve, corners[-2], corners[-1], size):
            corners.pop()
        corners.append(size)
    for left, right in itertools.pairwise(corners):
        steps[left:right] = (curve[left] - curve[right]) / (right - left)
    return steps


def _above(curve: Floats, left: int, middle: int, right: int) -> bool:
    """Tell whether the middle point lies on or above the line between the two others."""
    return bool((curve[middle] - curve[left]) * (right - left) >= (curve[right] - curve[left]) * (middle - left))

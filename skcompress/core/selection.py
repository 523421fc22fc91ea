"""Selection: a quadratic model cut into search problems, scored, and ready to be asked for supports; and their path."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from .gram import DENSE_LIMIT, DenseGram
from .linalg import NO_SLOPE, Floats, Indices, Mask
from .options import SEARCHED, PruneOptions
from .quadratic import QuadraticModel
from .subset import SEARCHES, Problem, Profile, Settings, problems_of
from .subset.signed import SignedProblem, signed_search
from .subset.signed_units import signed_of
from .units import IMPORTANCES, Importance, ImportanceLike, Units, scores_by, units_of


class PathPoint(NamedTuple):
    """One size.

    Attributes
    ----------
    n_units : int
        Units kept, over all outputs.
    loss : float
        The quadratic's loss, in units of loss.
    support : ndarray of shape (m, p), dtype=bool
        Weights kept.
    """

    n_units: int
    loss: float
    support: Mask


class Path(Sequence[PathPoint]):
    """Sizes by rising number of units; the loss never rises along it. Supports are stored as bits.

    A size whose loss is above that of a smaller one is left out: nobody would choose it.

    Parameters
    ----------
    n_units : ndarray of shape (v,)
        Ascending.
    losses : ndarray of shape (v,)
        In units of loss.
    support_at : callable
        From a place in them to the support, shape (m, p).
    shape : tuple of int
        (m, p).
    """

    def __init__(self, n_units: Indices, losses: Floats, support_at: Callable[[int], Mask], shape: tuple[int, ...]):
        useful = np.ones(len(losses), dtype=bool)
        useful[1:] = losses[1:] <= np.minimum.accumulate(losses)[:-1]
        places = np.flatnonzero(useful)
        self.n_units = n_units[places]
        self.losses = losses[places]
        self._shape = shape
        self._bits: list[NDArray[np.uint8]] = [np.packbits(support_at(place)) for place in places.tolist()]

    def __len__(self) -> int:
        return len(self._bits)

    @overload
    def __getitem__(self, place: int) -> PathPoint: ...

    @overload
    def __getitem__(self, place: slice) -> list[PathPoint]: ...

    def __getitem__(self, place: int | slice) -> PathPoint | list[PathPoint]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        bits = np.unpackbits(self._bits[place], count=self._shape[0] * self._shape[1])
        support = bits.astype(bool).reshape(self._shape)
        return PathPoint(int(self.n_units[place]), float(self.losses[place]), support)

    def reshaped(self, shape: tuple[int, ...]) -> Path:
        """Return the same path with supports of another shape."""
        path = copy.copy(self)
        path._shape = shape
        return path

    def at(self, n_units: int) -> PathPoint:
        """Return the largest size visited that does not exceed `n_units`.

        Raises
        ------
        ValueError
            If every size visited is larger.
        """
        place = int(np.searchsorted(self.n_units, n_units, side="right")) - 1
        if place < 0:
            smallest = int(self.n_units[0]) if len(self) else None
            raise ValueError(f"n_units={n_units!r} is below the smallest size visited, {smallest}")
        return self[place]

    def __repr__(self) -> str:
        return f"Path({len(self)} sizes)"


UNCERTAIN = 1e-8
"""Rounding error from which a loss is not computed as a difference from that of a model without weights."""

FEW = 128
"""Units up to which that can be afforded for every size of a path."""


@dataclass(frozen=True)
class Selection:
    """What the searches know about a model.

    Attributes
    ----------
    quadratic : QuadraticModel
        As it was given.
    centred : QuadraticModel
        The same, moved to its minimum where the importance looks at the weights and they are not too many for that;
        under signs, the model around the constrained minimum that is nowhere above the loss (see
        `skcompress.core.subset.signed`).
    units : Units
        What is kept or pruned as a whole.
    scores : ndarray of shape (n_units,) or None
        At the full model; None where the curvature is too large to be inverted.
    profiles : list of Profile
        One for each output, or one for all where units are groups.
    refit : bool
        Whether the kept weights move to their optimum.
    """

    quadratic: QuadraticModel
    centred: QuadraticModel
    units: Units
    scores: Floats | None
    profiles: list[Profile]
    refit: bool = True

    def support(self, sizes: Indices) -> Mask:
        """Return the weights that the profiles keep at these sizes, shape (m, p)."""
        kept = np.zeros(self.units.n_units, dtype=bool)
        for profile, size in zip(self.profiles, sizes.tolist(), strict=True):
            kept[profile.problem.unit_ids[profile.find(size).units]] = True
        return np.asarray(self.units.spread(kept), dtype=bool)

    def support_of(self, place: int, chosen: Indices) -> Mask:
        """Return the weights of some units of one profile's problem, shape (m, p)."""
        kept = np.zeros(self.units.n_units, dtype=bool)
        kept[self.profiles[place].problem.unit_ids[chosen]] = True
        return np.asarray(self.units.spread(kept), dtype=bool)

    def refitted(self, support: Mask) -> QuadraticModel:
        """Return the quadratic on these weights alone, around its minimum."""
        signed = bool(self.quadratic.signs[support].any())
        return (self.quadratic if signed else self.centred).restrict(support, self.units.kept_columns)

    def loss(self, sizes: Indices) -> float:
        """Return the loss at these sizes."""
        found = [profile.find(size) for profile, size in zip(self.profiles, sizes.tolist(), strict=True)]
        rises = [one.loss - profile.problem.floor for profile, one in zip(self.profiles, found, strict=True)]
        if self.rounding_error(rises) <= UNCERTAIN or self.units.n_units > FEW:
            return sum(one.loss for one in found)
        support = self.support(sizes)
        if not self.refit:
            return self.quadratic.loss(np.where(support, self.quadratic.centre, 0.0))
        model = self.refitted(support)
        return model.centre_loss

    @property
    def known_floor(self) -> float:
        """A loss below which nothing can get, without rounding error; -inf where all that is known was computed."""
        if self.centred is self.quadratic:
            return sum(profile.problem.known_floor for profile in self.profiles)
        given = self.quadratic
        if given.gradient[given.free].any():
            return -np.inf
        return given.centre_loss

    def rounding_error(self, rises: Sequence[float]) -> float:
        """Return how far rounding may have moved the losses of supports this much above the floor of each problem."""
        slope = NO_SLOPE if self.refit and self.quadratic.signs[self.quadratic.free].any() else 0.0
        return sum(
            profile.problem.rounding_error(rise, slope) for profile, rise in zip(self.profiles, rises, strict=True)
        )

    def path(self, visited: Indices) -> Path:
        """Return the path through these sizes, shape (v, n_profiles)."""
        if len(visited) > 1:
            for profile, column in zip(self.profiles, visited.T, strict=True):
                profile.prepare(np.unique(column))
        losses = np.array([self.loss(sizes) for sizes in visited], dtype=np.float64)
        return Path(visited.sum(axis=1), losses, lambda place: self.support(visited[place]), self.units.labels.shape)

    def importances(self, model: QuadraticModel, support: Mask) -> Floats:
        """Return each weight's unit's score, shape (m, p).

        Where the scores at the full model are not to be had, those of the kept weights at the pruned model.
        """
        units = self.units
        if self.scores is not None:
            return np.asarray(units.spread(self.scores), dtype=np.float64)
        kept = units.within(support)
        scores = np.zeros(units.n_units)
        for problem in problems_of(model, kept):
            scores[problem.unit_ids] = problem.scores(IMPORTANCES["obs"])
        return np.asarray(kept.spread(scores), dtype=np.float64)


def select(quadratic: QuadraticModel, options: PruneOptions) -> Selection:
    """Cut a model into problems, score its units and start the search."""
    importance, refit = options.importance, options.refits
    units = units_of(quadratic.free, options.feature_groups, options.keep)
    centred = quadratic
    signed = bool(quadratic.signs[quadratic.free].any())
    if signed and refit and _is_small(quadratic):
        centred = quadratic.restrict(quadratic.free, units.kept_columns).with_free(quadratic.free)
    elif refit and importance != "obs" and quadratic.gradient[quadratic.free].any() and _is_small(quadratic):
        centred = quadratic.restrict(quadratic.free, units.kept_columns)
    problems = problems_of(centred, units)
    scores = _scores(importance, options.method, centred, units, problems)
    seed = _seed(options.random_state) if options.n_restarts != 0 else 0
    settings = [
        Settings(
            scores=None if scores is None else scores[problem.unit_ids],
            importance=_importance_of(importance, centred, units, problem),
            refit=refit,
            n_restarts=None if options.n_restarts == "auto" else int(options.n_restarts),
            max_nodes=options.max_nodes,
            seed=seed,
            n_problems=len(problems),
        )
        for problem in problems
    ]
    profiles: list[Profile]
    if signed and refit:
        under_signs: Sequence[SignedProblem] = signed_of(quadratic, units, problems)
        profiles = [
            signed_search(options.method, *given) for given in zip(problems, under_signs, settings, strict=True)
        ]
    else:
        profiles = [SEARCHES[options.method](*given) for given in zip(problems, settings, strict=True)]
    return Selection(quadratic, centred, units, scores, profiles, refit)


def _is_small(quadratic: QuadraticModel) -> bool:
    """Tell whether all free weights can be optimised together; else they are scored as they are."""
    dense = all(isinstance(gram, DenseGram) for gram in quadratic.grams)
    return dense or int(quadratic.free.sum(axis=1).max(initial=0)) <= DENSE_LIMIT


def _scores(
    importance: ImportanceLike, search: str, model: QuadraticModel, units: Units, problems: list[Problem]
) -> Floats | None:
    if not isinstance(importance, str):
        return units.total(scores_by(importance, model))
    rule = IMPORTANCES[importance]
    if rule.needs_inverse and search in SEARCHED and not all(problem.is_dense for problem in problems):
        return None
    scores = np.zeros(units.n_units)
    for problem in problems:
        scores[problem.unit_ids] = problem.scores(rule)
    return scores


def _importance_of(
    importance: ImportanceLike, model: QuadraticModel, units: Units, problem: Problem
) -> Importance | Callable[[Indices], Floats]:
    if isinstance(importance, str):
        return IMPORTANCES[importance]

    def rescored(left: Indices) -> Floats:
        gone = np.zeros(units.n_units, dtype=bool)
        gone[problem.unit_ids] = True
        gone[problem.unit_ids[left]] = False
        smaller = model.restrict(model.free & ~units.spread(gone), units.kept_columns)
        return units.total(scores_by(importance, smaller))[problem.unit_ids[left]]

    return rescored


def _seed(random_state: Any) -> int:
    if random_state is None:
        return 0
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    return int(random_state)

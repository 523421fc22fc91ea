"""Selection: a quadratic model cut into search problems, scored, and ready to be asked for supports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .gram import DENSE_LIMIT, DenseGram
from .linalg import Floats, Indices, Mask
from .options import SEARCHED, PruneOptions
from .path import Path
from .quadratic import QuadraticModel
from .subset import SEARCHES, Problem, Profile, Settings, problems_of
from .subset.signed import SignedProblem
from .subset.signed_columns import SLOPE
from .subset.signed_search import signed_search
from .subset.signed_units import signed_of
from .units import IMPORTANCES, Importance, ImportanceLike, Units, scores_by, units_of

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
        return float((model.loss_at_centre / model.unit).sum())

    @property
    def known_floor(self) -> float:
        """A loss below which nothing can get, without rounding error; -inf where all that is known was computed."""
        if self.centred is self.quadratic:
            return sum(profile.problem.known_floor for profile in self.profiles)
        given = self.quadratic
        if given.gradient[given.free].any():
            return -np.inf
        return float((given.loss_at_centre / given.unit).sum())

    def rounding_error(self, rises: Sequence[float]) -> float:
        """Return how far rounding may have moved the losses of supports this much above the floor of each problem."""
        slope = SLOPE if self.refit and self.quadratic.signs[self.quadratic.free].any() else 0.0
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

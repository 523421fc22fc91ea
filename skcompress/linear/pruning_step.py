"""PruneStep: choose the weights that are kept, and the weights on them, on the loss of a fitted model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state

from ..core.budget import budget_of
from ..core.linalg import Mask
from ..core.options import SEARCHED, PruneOptions
from ..core.pruned import Pruning, swapped, work_of
from ..core.pruning import choices_of, prune_with, warn_about
from ..core.quadratic import QuadraticModel
from ..core.quantizing import round_on
from ..core.selection import select
from .column_names import Columns, check_groups, listed_columns
from .containers import innermost, wrappers_of
from .fitting import require_random_state
from .multinomial import joint_step, swapped_in_classes
from .problem import LinearProblem
from .rounds import (
    ROUNDS,
    Solution,
    compress_in_rounds,
    constant,
    damped,
    lowest,
    misjudged,
    refit_on,
    refitted,
    start_of,
)
from .row_warnings import warn_of_pruned
from .sizing import Sizes, best_size, fewest_within
from .state import Attributes, State
from .view import like_coef

LARGE = 2**15
"""Units kept times units there are, and the square of the weights of each, from which rounds go on from one another."""

EVERYTHING = 1e300
"""A loss that is allowed where nothing has to be kept."""


@dataclass(frozen=True, eq=False)
class PruneStep:
    """The options of `PrunedRegressor`, which says what they mean, and what they do to a state."""

    threshold: float | str | None = None
    n_nonzero: float | None = None
    max_loss: float | None = None
    importance: Any = "obs"
    search: str = "auto"
    refit: str | None = "closed_form"
    feature_groups: Any = None
    keep: Any = None
    monotonic_cst: Any = None
    n_restarts: int | str = 0
    max_nodes: int | None = None
    random_state: Any = None

    def options(self, **columns: Any) -> PruneOptions:
        """Return what `prune` takes, with what is not the same for an estimator: groups, columns to keep, a seed."""
        apart = ("refit", "feature_groups", "keep", "monotonic_cst", "random_state")
        same = {name: value for name, value in vars(self).items() if name not in apart}
        return PruneOptions(**same, refit="closed_form" if self.refit == "estimator" else self.refit, **columns)

    def check(self, inner: Any) -> None:
        """Raise ValueError for options out of range, or that do not go with the unfitted estimator inside."""
        if self.refit not in ("closed_form", "estimator", None):
            raise ValueError(f"refit={self.refit!r} is not known: use 'closed_form', 'estimator' or None")
        self.options()
        if self.keep is not None:
            listed_columns(self.keep, "keep")
        check_groups(self.feature_groups)
        require_random_state(self.random_state)
        if self.refit == "estimator" and self.monotonic_cst is not None:
            raise ValueError(
                "refit='estimator' fits the base again, which knows nothing of monotonic_cst: use refit='closed_form'"
            )
        if self.refit == "estimator" and isinstance(innermost(inner), FrozenEstimator):
            raise ValueError(
                "refit='estimator' cannot be used with a FrozenEstimator, which is not fitted again: use "
                "refit='closed_form' or refit=None"
            )
        if self.refit == "estimator" and any(wrapper.distils for wrapper in wrappers_of(inner)):
            raise ValueError(
                "refit='estimator' fits the base again on y, which would undo the distillation inside: use "
                "refit='closed_form' or refit=None"
            )

    def apply(self, problem: LinearProblem, start: State, columns: Columns) -> tuple[State, Attributes]:
        """Return the state after pruning, and what is known of the search.

        Parameters
        ----------
        problem : LinearProblem
            The true loss.
        start : State
            What earlier steps have done.
        columns : Columns
            The features that `keep`, `feature_groups` and `monotonic_cst` speak of.

        Raises
        ------
        ValueError
            If a name is no column, signs contradict one another, or there is neither a budget nor a loss of y.
        """
        if problem.noise is None and self.options().budget.kind == "criterion":
            raise ValueError(
                "without a budget an information criterion chooses the size, and it needs y and a base with a loss of "
                "its own: set n_nonzero, max_loss or threshold"
            )
        groups = columns.labels(self.feature_groups)
        keep = None if self.keep is None else columns.kept(self.keep, start.support)
        # One seed, so that the support of a size does not depend on what was searched before it.
        seed = None if self.random_state is None else int(check_random_state(self.random_state).randint(2**31 - 1))
        start = self._constrained(start, columns)

        options = self.options(feature_groups=groups, keep=keep, random_state=seed)
        rounds = 1 if self._scores_once() else ROUNDS
        # A loss that is linearised again needs no local minimum of each quadratic.
        patient = self.search != "auto" or self.n_restarts != 0 or np.any(start.signs)
        single = self.feature_groups is None or len(start.support) == 1
        quick = rounds > 1 and not patient and single and not problem.exact

        def is_large(found: Pruning) -> bool:
            return quick and found.work > LARGE

        if self.refit is None:
            at_start = problem.quadratic(start.centre, start.centre_intercept, start.support, signs=start.signs)
        else:
            at_start = start_of(problem, start)

        @cache
        def at_constant() -> QuadraticModel:
            return constant(problem, start)

        def solve(asked: PruneOptions) -> Solution:
            def pruned(quadratic: QuadraticModel, earlier: Pruning | None, groups: Any, keep: Any) -> Pruning:
                if earlier is not None and not earlier.n_units:
                    return earlier
                if earlier is not None and is_large(earlier):
                    return swapped(earlier, quadratic, groups, keep)
                given = asked if earlier is None else asked.asking_for(earlier.same_size)
                apart = groups is None and quadratic.n_outputs == len(start.support)
                if earlier is None and quick and apart and _work_of(quadratic, groups, asked.n_nonzero) > LARGE:
                    given = replace(given, search="backward")
                return prune_with(quadratic, replace(given, feature_groups=groups, keep=keep))

            def step(quadratic: QuadraticModel, earlier: Pruning | None) -> Pruning:
                return pruned(quadratic, earlier, groups, keep)

            if self.refit is None:
                result = step(at_start, None)
                return Solution(result, start.centre_intercept, at_start, result)

            def compressed(each: Any, begin: QuadraticModel) -> Solution:
                return compress_in_rounds(problem, start, each, rounds, begin, refit=is_large)

            steps: list[Any] = [step]
            n_nonzero = asked.n_nonzero
            # Under signs the search of all classes together takes seconds, too long for each size on the way.
            together = self.max_loss is None or not np.any(start.signs)
            if self._shares(n_nonzero) and start.grid is None and together:
                joint = joint_step(problem, start, groups, keep, pruned)
                steps += [] if joint is None else [joint]
            solutions = [compressed(step, at_start)]
            with suppress(np.linalg.LinAlgError):  # a saturated model has no curvature between classes
                solutions += [compressed(each, at_start) for each in steps[1:]]
            found = [lowest(problem, solutions, start.signs)]
            if not problem.exact and self._minimises() and n_nonzero is not None:
                found[0] = refitted(problem, found[0], start.signs)
                begin = damped(problem, start)
                if misjudged(problem, found[0]) or (begin is not None and not is_large(found[0].result)):
                    others = [compressed(each, at_constant() if begin is None else begin) for each in steps]
                    found.append(lowest(problem, others, start.signs))
            if problem.fit.deviance.coupled and self._searches_classes(n_nonzero, start):
                found = [swapped_in_classes(problem, start, each, keep) for each in found]
            return lowest(problem, found, start.signs)._replace(first=solutions[0].first)

        def propose(quadratic: QuadraticModel) -> Pruning:
            return prune_with(quadratic, options.asking_for(None))

        solution = solve(options)
        scored = solution.first
        state = self._refitted(problem, start, solution)
        known = problem.exact and start.grid is None and np.array_equal(start.centre, problem.weights)
        if self.max_loss is not None and not known and start.support.any():
            solution, state = self._within(options, problem, solution, state, solve, start)
        if not problem.exact and options.budget.kind == "criterion":
            solution, state = self._by_criterion(options, problem, scored, at_constant(), solve, propose, start)
        lost = solution.result.loss if problem.exact else problem.assess(state.weights, state.intercept)[0]
        if start.support.any():
            warn_about(solution.result, lost, options.budget)
        warn_of_pruned(problem, at_start, solution.result.support, columns)
        return state, _known_of(scored, solution, problem, lost)

    def sweep(self, problem: LinearProblem, start: State, columns: Columns, sizes: Sequence[Any]) -> Iterator[State]:
        """Yield the state after pruning to each of these sizes; where the loss is quadratic they share one search."""
        if not sizes:
            return
        signed = self.monotonic_cst is not None or np.any(start.signs)
        plain = self.refit == "closed_form" and not signed and start.grid is None
        if not problem.exact or not plain:
            for size in sizes:
                yield self.at(size).apply(problem, start, columns)[0]
            return
        quadratic = problem.quadratic(start.centre, start.centre_intercept, start.support)
        for support, keep in self._supports(quadratic, columns, sizes):
            weights = quadratic.restrict(support, keep).centre
            yield start.centred_at(weights, problem.best_intercept(weights), support=support)

    def at(self, size: Any) -> PruneStep:
        """Return the step with this number of units for a budget."""
        return replace(self, n_nonzero=size, threshold=None, max_loss=None)

    def _supports(
        self, quadratic: QuadraticModel, columns: Columns, sizes: Sequence[Any]
    ) -> Iterator[tuple[Mask, Mask]]:
        """Yield the support of each size and the columns kept always; the problems are cut and searched once."""
        options = self.options(
            feature_groups=columns.labels(self.feature_groups),
            keep=None if self.keep is None else columns.select(self.keep, "keep"),
            random_state=self.random_state,
        )
        selection = select(quadratic, options)
        for choice in choices_of(selection, [budget_of(n_nonzero=size) for size in sizes]):
            yield selection.support(choice.sizes), selection.units.kept_columns

    def _within(
        self, options: PruneOptions, problem: LinearProblem, found: Solution, state: State, solve: Any, start: State
    ) -> tuple[Solution, State]:
        """Return the fewest units whose true loss is within the budget, beginning at what the quadratic found."""
        # Where the loss is not quadratic what was found is where to begin, not the best of its size.
        tried = {found.result.total: (found, state)} if problem.exact or not found.result.total else {}

        def loss_at(size: int) -> float:
            if size not in tried:
                solution = solve(options.asking_for(found.result.asking_for(size)))
                tried[size] = solution, self._refitted(problem, start, solution)
            return problem.assess(tried[size][1].weights, tried[size][1].intercept)[0]

        allowed = float(options.budget.value)
        if not found.result.total and loss_at(0) <= allowed:
            return found, state
        size = fewest_within(allowed, Sizes.of(found.result), loss_at)
        loss_at(size)
        return tried[size]

    def _by_criterion(
        self,
        options: PruneOptions,
        problem: LinearProblem,
        scored: Pruning,
        at_constant: Any,
        solve: Any,
        propose: Any,
        start: State,
    ) -> tuple[Solution, State]:
        """Return the size with the lowest criterion on the true deviance."""
        tried: dict[int, tuple[Solution, State]] = {}

        def weights_at(size: int) -> tuple[Any, Any]:
            if size not in tried:
                nothing = replace(options, threshold=None, n_nonzero=None, max_loss=EVERYTHING)
                solution = solve(options.asking_for(scored.asking_for(size)) if size else nothing)
                tried[size] = solution, self._refitted(problem, start, solution)
            return tried[size][1].weights, tried[size][1].intercept

        return tried[best_size(problem, start, scored, at_constant, propose, weights_at)]

    def _minimises(self) -> bool:
        """Return whether the support is that with the least loss that a search finds, whatever the weights before."""
        return self.search in SEARCHED or (self.search == "auto" and not self._scores_once())

    def _scores_once(self) -> bool:
        """Return whether the support is that of one set of scores, at the weights before pruning."""
        searched = isinstance(self.importance, str) and self.importance == "obs"
        return self.search == "one_shot" or (self.search == "auto" and not searched)

    def _searches_classes(self, n_nonzero: Any, start: State) -> bool:
        """Return whether each output is searched on its own, for the support that loses least."""
        alone = isinstance(n_nonzero, Integral) and self.feature_groups is None and start.grid is None
        return alone and self.refit == "closed_form" and not self._scores_once() and self.search != "backward"

    def _shares(self, n_nonzero: Any) -> bool:
        """Return whether one number of units is spent on all outputs together, by what they cost."""
        share = isinstance(n_nonzero, Real) and not isinstance(n_nonzero, Integral)
        together = share or (n_nonzero is not None and self.feature_groups is not None)
        return together and isinstance(self.importance, str) and self.importance == "obs"

    def _constrained(self, start: State, columns: Columns) -> State:
        """Add the signs of `monotonic_cst` to those that the estimator inside asks for."""
        if self.monotonic_cst is None:
            return start
        given = np.broadcast_to(start.signs, start.centre.shape)
        return replace(start, signs=columns.signs_beside(given, self.monotonic_cst))

    def _refitted(self, problem: LinearProblem, start: State, solution: Solution) -> State:
        result: Pruning = solution.result
        support = result.support
        if self.refit == "estimator":
            centre, intercept = refit_on(problem, support)
        elif self.refit == "closed_form":
            at_minimum = refitted(problem, solution, start.signs)
            centre, intercept = at_minimum.result.weights, at_minimum.intercept
        else:
            centre, intercept = result.weights, start.centre_intercept
        optimal = self.refit is not None
        state = start.centred_at(centre, intercept, support=support, at_minimum=optimal)
        if start.grid is None:
            return state
        model = solution.quadratic.recentred(centre, free=support)
        rounded = round_on(model, start.grid, rounding=start.rounding, random_state=self.random_state)
        level = problem.best_intercept(rounded.weights) if optimal else intercept
        return replace(state, weights=rounded.weights, intercept=level, leveled=optimal)


def _known_of(scored: Pruning, solution: Solution, problem: LinearProblem, lost: float) -> Attributes:
    """Return what is known of the support, by the quadratic at the weights before pruning."""
    leaf = problem.leaf.estimator
    # A search without the blocks between classes proves nothing: no support gains more than all that is lost.
    proves = not problem.fit.deviance.coupled or len(solution.first.quadratic.centre) == 1
    return {
        "support_": like_coef(leaf, solution.result.support),
        "importances_": like_coef(leaf, scored.importances),
        "path_": scored.path,
        "optimality_gap_": solution.first.gap_of(solution.result.support) if proves else max(0.0, lost),
    }


def _work_of(quadratic: QuadraticModel, groups: Any, n_nonzero: float | None) -> float:
    """Return what the first search takes, where its number of units is known."""
    if n_nonzero is None:
        return 0.0
    n_problems = quadratic.n_outputs if groups is None else 1
    units = quadratic.n_features if groups is None or isinstance(groups, str) else len(set(groups))
    size = n_nonzero if isinstance(n_nonzero, Integral) else n_nonzero * units
    return work_of(quadratic, units * n_problems, n_problems, size)

"""Compress a loss that is not quadratic: linearise, compress, refit, linearise again where that landed.

The quadratic model of a Poisson or logistic loss holds near the point where it was taken. After a compression step
has moved the weights, the model is taken again at the new weights, now with a gradient, and the step is repeated.
A round is kept only if the true loss on the training rows falls. The kept weights are refitted on the true loss by
Newton's method (`refit_weights`), or by the base itself (`refit_on`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from ..core.linalg import Floats, Mask
from ..core.quadratic import QuadraticModel
from .newton import Newton
from .problem import LinearProblem
from .state import State
from .view import read

ROUNDS = 3
"""How often the loss is linearised at most, the first time at the start included."""

_NEWTON_STEPS = 30

WELL_APART = 1e-2
"""Share of its curvature that each column of a support has to itself where the moments keep thirteen digits."""


DAMPED = 4.0
"""Root mean square of the log-odds of a classifier beyond which its loss is linearised at smaller weights too."""


class Solution(NamedTuple):
    """A result of a compression step.

    Attributes
    ----------
    result : object
        What the step returned, with the attribute ``weights``.
    intercept : ndarray of shape (m,)
        The intercept that goes with these weights.
    quadratic : QuadraticModel
        On which the result was found.
    first : object
        What the step returned in the first round: that of the start, and of the scores, curves and bounds there.
    refitted : bool
        Whether the weights minimise the true loss on their support.
    """

    result: Any
    intercept: Floats
    quadratic: QuadraticModel
    first: Any
    refitted: bool = False


def compress_in_rounds(
    problem: LinearProblem,
    start: State,
    step: Callable[[QuadraticModel, Any], Any],
    rounds: int = ROUNDS,
    begin: QuadraticModel | None = None,
    *,
    refit: Callable[[Any], bool] | None = None,
) -> Solution:
    """Return the best result of a few compression steps.

    Parameters
    ----------
    problem : LinearProblem
        The true loss.
    start : State
        Where to linearise first, and which weights are free.
    step : callable
        ``(quadratic, earlier result or None) -> result`` with the attribute ``weights``.
    rounds : int, default=ROUNDS
        How many there are at most. 1 keeps to the loss around the start.
    begin : QuadraticModel, default=None
        Where the first round takes place. None: around the start.
    refit : callable, default=None
        From a result to whether its weights take one step to the minimum of the true loss on its `support`, so that the
        next round begins closer to it. None: never.
    """

    def on_true_loss(result: Any) -> tuple[Any, Floats]:
        intercept = problem.best_intercept(result.weights)
        if refit is None or problem.exact or not refit(result):
            return result, intercept
        weights, intercept = refit_weights(problem, result.weights, intercept, result.support, start.signs, steps=1)
        return replace(result, weights=weights), intercept

    quadratic = start_of(problem, start) if begin is None else begin
    first = step(quadratic, None)
    result, intercept = on_true_loss(first)
    best = Solution(result, intercept, quadratic, first)
    if problem.exact or rounds == 1:
        return best
    lowest = true_loss(problem, result.weights, best.intercept)
    for _ in range(rounds - 1):
        quadratic = around(problem, start, best.result.weights, best.intercept)
        result, intercept = on_true_loss(step(quadratic, best.result))
        loss = true_loss(problem, result.weights, intercept)
        if not loss < lowest:
            break
        best, lowest = Solution(result, intercept, quadratic, best.first), loss
    return best


def lowest(problem: LinearProblem, solutions: Sequence[Solution], signs: ArrayLike = 0) -> Solution:
    """Return the solution whose weights, at their minimum on a `support`, lose least; the first of equals."""
    if len(solutions) == 1:
        return solutions[0]
    found = [refitted(problem, solution, signs) for solution in solutions]
    return min(found, key=lambda solution: true_loss(problem, solution.result.weights, solution.intercept))


def refitted(problem: LinearProblem, solution: Solution, signs: ArrayLike = 0) -> Solution:
    """Return the solution with its weights at the minimum of the true loss on their `support`, where it has one."""
    if solution.refitted or not hasattr(solution.result, "support"):
        return solution
    at = solution.result.weights, solution.intercept
    if problem.exact:
        weights, intercept = polished(problem, *at, solution.result.model)
    else:
        weights, intercept = refit_weights(problem, *at, solution.result.support, signs)
    return solution._replace(result=replace(solution.result, weights=weights), intercept=intercept, refitted=True)


def misjudged(problem: LinearProblem, solution: Solution) -> bool:
    """Tell whether refitted weights lose more than twice what the quadratic at the start says of its support.

    The quadratic around a model that all but separates the classes has next to no curvature.
    """
    return problem.assess(solution.result.weights, solution.intercept)[0] > 2 * solution.first.loss


def start_of(problem: LinearProblem, start: State) -> QuadraticModel:
    """Return the quadratic model around the start, or around its constrained optimum where it violates the signs."""
    signs, free = start.signs, start.support
    wrong = (signs * start.centre < 0) & free
    if problem.exact or not wrong.any():
        missed = np.array_equal(start.centre, problem.weights) and not problem.base_at_minimum
        return problem.quadratic(start.centre, start.centre_intercept, free, at_minimum=not missed, signs=signs)
    weights = np.where(wrong, 0.0, start.centre)
    at = refit_weights(problem, weights, problem.best_intercept(weights), free, signs)
    return around(problem, start, *at)


def around(problem: LinearProblem, start: State, weights: Floats, intercept: Floats) -> QuadraticModel:
    """Return the quadratic model around weights other than the start's."""
    lost = problem.losses(weights, problem.predictor(weights, intercept)) - problem.base_losses
    free, signs = start.support, start.signs
    return problem.quadratic(weights, intercept, free, at_minimum=False, signs=signs, loss_at_centre=lost)


def constant(problem: LinearProblem, start: State) -> QuadraticModel:
    """Return the quadratic model around the best constant, which has curvature where a saturated model has none."""
    nothing = np.zeros_like(start.centre)
    return around(problem, start, nothing, problem.best_intercept(nothing))


def damped(problem: LinearProblem, start: State) -> QuadraticModel | None:
    """Return the quadratic model around a part of the start, where the loss has no curvature left at all of it.

    Where classes are (nearly) separated and there is no penalty, the log-odds are in the tens or hundreds and the
    curvature p(1 - p) is next to zero: every weight seems free. None where they are not as large as that.
    """
    if not problem.fit.deviance.saturates or not start.at_minimum:
        return None
    predictor = problem.predictor(start.centre, start.centre_intercept)
    spread = (problem.row_weight @ (predictor - problem.row_weight @ predictor) ** 2).mean() ** 0.5
    if not DAMPED < spread < np.inf:
        return None
    weights = np.where(start.signs * start.centre < 0, 0.0, start.centre) * (DAMPED / spread)
    return around(problem, start, weights, problem.best_intercept(weights))


def refit_weights(
    problem: LinearProblem,
    weights: Floats,
    intercept: Floats,
    support: Mask,
    signs: ArrayLike = 0,
    steps: int = _NEWTON_STEPS,
) -> tuple[Floats, Floats]:
    """Return the weights on `support` that minimise the true loss, by Newton's method from the given ones.

    The given weights have the signs, and so have all on the way. A step that does not lower the loss is halved, at most
    ten times. Classes that share one loss move together where few weights are kept, else each on its own curvature.
    """
    if problem.exact or not support.any():
        return weights, intercept
    lowest = true_loss(problem, weights, intercept)
    constant = np.zeros_like(weights), problem.best_intercept(np.zeros_like(weights))
    if (zero := true_loss(problem, *constant)) < lowest:
        # Newton's steps leave a saturated model slowly, and a constant at once.
        (weights, intercept), lowest = constant, zero
    newton = Newton(problem, support, signs)
    for _ in range(steps if newton.cheap else min(steps, 2 * ROUNDS)):
        step = newton.target(weights, intercept) - weights
        for _ in range(10):
            moved = weights + step
            level = problem.best_intercept(moved)
            loss = true_loss(problem, moved, level)
            if loss < lowest:
                break
            step = step / 2
        else:
            break
        gain, lowest = lowest - loss, loss
        weights, intercept = moved, level
        if gain <= 1e-12 * abs(lowest):
            break
    return weights, intercept


def polished(
    problem: LinearProblem, weights: Floats, intercept: Floats, model: QuadraticModel
) -> tuple[Floats, Floats]:
    """Return weights of a squared loss with the digits that its moments lost where columns all but depend on others.

    One step of iterative refinement: the slope is that of the rows, not of the moments.

    Parameters
    ----------
    problem : LinearProblem
        The true loss, which is quadratic.
    weights, intercept : ndarray of shape (m, p) and (m,)
        The minimum as the moments have it.
    model : QuadraticModel
        The loss on the weights that are free.
    """
    if not model.free.any() or model.least_share() > WELL_APART:
        return weights, intercept
    there = problem.quadratic(weights, intercept, model.free, at_minimum=False, signs=model.signs)
    moved = there.restrict(model.free).centre
    return moved, problem.best_intercept(moved)


def true_loss(problem: LinearProblem, weights: Floats, intercept: Floats) -> float:
    """Return F in units of the null loss, summed over the outputs."""
    losses = problem.losses(weights, problem.predictor(weights, intercept))
    return float((losses / problem.loss_unit).sum())


def refit_on(problem: LinearProblem, support: Mask) -> tuple[Floats, Floats]:
    """Return the weights and intercepts of the leaf fitted again on the columns of the support.

    Raises
    ------
    ValueError
        If the outputs keep different columns.
    """
    kept = support.any(axis=0)
    if not (support[:, kept]).all():
        raise ValueError(
            "refit='estimator' needs the same columns for all outputs, since the base is fitted on whole columns: use "
            "feature_groups='feature', or refit='closed_form'"
        )
    weights = np.zeros(support.shape)
    if not kept.any():
        return weights, problem.best_intercept(weights)
    leaf = problem.leaf
    weight = {} if leaf.sample_weight is None else {"sample_weight": leaf.sample_weight}
    fitted = clone(leaf.estimator).fit(problem.X[:, kept], leaf.y, **leaf.params, **weight)
    weights[:, kept], intercept = read(fitted)
    return weights, intercept

"""Prune the classes of a multinomial loss with the curvature between them.

Units that hold weights of several classes, or a budget that classes share, make one problem of all weights. Where its
Hessian is affordable (`skcompress.linear.newton`) it is searched beside the one without blocks between classes, and
the support with the lower loss is taken: far from the fitted weights neither quadratic is right.

With a budget for each class the classes are searched one by one, without the blocks of the Hessian between them. From
there pairs are swapped within a class. At the minimum c on the support S, with half the Hessian H, half the gradient
g and b = H c - g, a support keeps b_S' H_SS^-1 b_S of the quadratic. With Q = H_SS^-1, x = Q b_S, G = Q H_SR for the
rest R, r = b_R - H_RS x and s_i = H_ii - H_iS G_i, swapping j in S for i in R changes that by

    (r_i + G_ji x_j / Q_jj)^2 / (s_i + G_ji^2 / Q_jj)  -  x_j^2 / Q_jj

The best pairs by it are refitted and compared on the true loss; the first that lowers it is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.gram import DenseGram
from ..core.linalg import Floats, Indices, Mask
from ..core.pruned import Pruning
from ..core.quadratic import QuadraticModel
from .newton import Newton
from .problem import LinearProblem
from .rounds import Solution, refit_weights, refitted, true_loss
from .state import State

Step = Callable[[QuadraticModel, Pruning | None], Pruning]
GroupedStep = Callable[[QuadraticModel, Pruning | None, Any, Any], Pruning]


def joint_step(problem: LinearProblem, start: State, groups: Any, keep: Any, pruned: GroupedStep) -> Step | None:
    """Return the step of `compress_in_rounds` that prunes all classes together; None where they are not coupled.

    None as well where their curvature would be too large.

    Parameters
    ----------
    problem : LinearProblem
        The true loss.
    start : State
        Which weights are free, and their signs.
    groups, keep
        As in `prune`, for p columns.
    pruned : callable
        ``(quadratic, earlier result or None, groups, keep) -> result``, for one output of m p weights.
    """
    if not problem.fit.deviance.coupled:
        return None
    newton = Newton(problem, start.support, start.signs)
    if not newton.together:
        return None
    n_classes, n_features = shape = start.support.shape
    columns = np.arange(n_features)
    if groups is not None:
        groups = np.tile(columns if isinstance(groups, str) else np.asarray(groups), n_classes)
    if keep is not None:
        keep = np.tile(np.isin(columns, columns[keep]), n_classes)

    def step(quadratic: QuadraticModel, earlier: Pruning | None) -> Pruning:
        at = quadratic.centre, problem.best_intercept(quadratic.centre)
        joint = newton.joint(
            *at, at_minimum=not quadratic.gradient.any(), loss_at_centre=quadratic.loss_at_centre.sum()
        )
        before = None if earlier is None else replace(earlier, support=earlier.support.reshape(1, -1))
        found = pruned(joint, before, groups, keep)
        return replace(
            found,
            weights=found.weights.reshape(shape),
            support=found.support.reshape(shape),
            importances=found.importances.reshape(shape),
            path=found.path.reshaped(shape),
        )

    return step


MOST_WORK = 2e8
"""Rows times the square of the free weights up to which weights are swapped: 90 weights on 24,000 rows."""

_PAIRS = 5
"""Pairs that are tried before giving up."""

_PASSES = 50

_WORTH = 1e-7
"""Relative fall of the loss that is worth a swap."""


def swapped_in_classes(problem: LinearProblem, start: State, solution: Solution, keep: Any) -> Solution:
    """Return the solution with weights swapped within each class until no swap that is tried lowers the loss.

    The same solution where signs bind, or the Hessian is not affordable.

    Parameters
    ----------
    problem : LinearProblem
        The true loss.
    start : State
        Which weights are free, and their signs.
    solution : Solution
        Of a pruning.
    keep : mask of shape (p,), indices or None
        Columns that are never pruned.
    """
    result: Pruning = solution.result
    support, free = result.support, start.support
    work = float(np.count_nonzero(free)) ** 2 * len(problem.row_weight)
    if np.any(start.signs) or work > MOST_WORK or not support.any():
        return solution
    newton = Newton(problem, free)
    if not newton.together:
        return solution
    try:
        return _better(problem, newton, start, solution, keep)
    except np.linalg.LinAlgError:
        # A saturated model has no curvature to go by.
        return solution


def _better(problem: LinearProblem, newton: Newton, start: State, solution: Solution, keep: Any) -> Solution:
    """Swap from the solution, and from what dropping weights one by one on the full Hessian leaves."""
    result: Pruning = solution.result
    support, free = result.support, start.support
    held = np.zeros(free.shape, dtype=bool)
    if keep is not None:
        held[:, keep] = True
    solution = refitted(problem, solution)
    begin = solution.result.weights, solution.intercept
    before = true_loss(problem, *begin)
    whole = newton.joint(start.centre, start.centre_intercept, at_minimum=True)
    backward = _eliminated(whole, support.sum(axis=1), free, held)
    other = refit_weights(problem, np.where(backward, start.centre, 0.0), start.centre_intercept, backward)
    found = [_improved(problem, newton, held, *at) for at in ((support, *begin), (backward, *other))]
    support, weights, intercept, lowest = min(found, key=lambda each: each[-1])
    if not lowest < before - _WORTH * abs(before):
        return solution
    found_there = replace(result, weights=weights, support=support)
    return solution._replace(result=found_there, intercept=intercept, refitted=True)


def _improved(
    problem: LinearProblem, newton: Newton, held: Mask, support: Mask, weights: Floats, intercept: Floats
) -> tuple[Mask, Floats, Floats, float]:
    """Swap until nothing that is tried lowers the loss."""
    lowest = true_loss(problem, weights, intercept)
    for _ in range(_PASSES):
        model = newton.joint(weights, intercept, at_minimum=False)
        for out, into in _best_pairs(model, support, newton.support, held):
            tried = support.copy()
            tried.flat[out], tried.flat[into] = False, True
            moved, level = refit_weights(problem, np.where(tried, weights, 0.0), intercept, tried)
            loss = true_loss(problem, moved, level)
            if loss < lowest - _WORTH * abs(lowest):
                support, weights, intercept, lowest = tried, moved, level, loss
                break
        else:
            break
    return support, weights, intercept, lowest


def _half_hessian(model: QuadraticModel, places: Indices) -> Floats:
    gram = model.grams[0]
    assert isinstance(gram, DenseGram)
    return gram.matrix + np.diag(model.penalty[0][places])


def _eliminated(model: QuadraticModel, sizes: Indices, free: Mask, held: Mask) -> Mask:
    """Return the support left when weights are dropped one by one, the cheapest of the classes that have too many."""
    places = np.flatnonzero(free)
    inverse, weights = np.linalg.inv(_half_hessian(model, places)), model.centre[0][places].copy()
    of_class, stays = places // free.shape[1], held.flat[places]
    left = np.ones(len(places), dtype=bool)
    excess = np.bincount(of_class, minlength=len(free)) - sizes
    while excess.any():
        diagonal = np.diag(inverse)
        may = left & ~stays & (excess[of_class] > 0)
        cost = np.where(may, weights**2 / np.where(diagonal > 0, diagonal, np.inf), np.inf)
        gone = int(np.argmin(cost))
        column = inverse[:, gone] / inverse[gone, gone]
        weights = weights - column * weights[gone]
        inverse = inverse - np.outer(column, inverse[gone])
        left[gone], weights[gone] = False, 0.0
        inverse[gone], inverse[:, gone] = 0.0, 0.0
        excess[of_class[gone]] -= 1
    support = np.zeros(free.shape, dtype=bool)
    support.flat[places[left]] = True
    return support


def _best_pairs(model: QuadraticModel, support: Mask, free: Mask, held: Mask) -> list[tuple[int, int]]:
    """Return the swaps that promise most on the quadratic, places in the flat support to drop and to add."""
    places = np.flatnonzero(free)
    H = _half_hessian(model, places)
    b = H @ model.centre[0][places] - model.gradient[0][places] / 2
    inside = np.flatnonzero(support.flat[places])
    outside = np.flatnonzero(~support.flat[places])
    if not len(outside):
        return []
    Q = np.linalg.inv(H[np.ix_(inside, inside)])
    cross = H[np.ix_(inside, outside)]
    x, G = Q @ b[inside], Q @ cross
    rest = b[outside] - cross.T @ x
    left = np.maximum(H[outside, outside] - (cross * G).sum(axis=0), 0.0)
    inverse = np.diag(Q)[:, None]
    room = left + G**2 / inverse
    gain = (rest + G * (x[:, None] / inverse)) ** 2 / np.where(room > 0, room, np.inf) - x[:, None] ** 2 / inverse
    of_class: Indices = places // support.shape[1]
    allowed = (of_class[inside][:, None] == of_class[outside]) & ~held.flat[places[inside]][:, None] & (gain > 0)
    gain = np.where(allowed, gain, 0.0)
    order = np.argsort(-gain, axis=None)[:_PAIRS]
    found = [np.unravel_index(place, gain.shape) for place in order.tolist() if gain.flat[place] > 0]
    return [(int(places[inside[j]]), int(places[outside[i]])) for j, i in found]

"""Sphere decoding: the best rounding there is, for a small number of columns.

The tree of `skcompress.core.rounding.nearest_plane` is walked in full: a partial rounding is dropped only if its cost,
a lower bound of what any completion loses, is not below that of the best rounding known (Schnorr and Euchner 1994;
Damen, El Gamal and Caire 2003, for the box). The walk starts from what the beam and local search found, and goes
breadth first in batches, cheapest batch first, so that it is array arithmetic. Because the bound contains what
clipping costs, often a few dozen partial roundings prove the optimum.
"""

from __future__ import annotations

import numpy as np

from ..linalg import Floats
from .hessian import Factor
from .integer_least_squares import Problem
from .lattice import lattice

MAX_COLUMNS = 32
BATCH = 20_000
RELATIVE_GAIN = 1e-10


def exact(problem: Problem) -> Floats:
    """Return the best rounding of each row, shape (B, k).

    Raises
    ------
    ValueError
        If there are more than `MAX_COLUMNS` columns.
    """
    n_columns = problem.target.shape[1]
    if n_columns > MAX_COLUMNS:
        raise ValueError(
            f"rounding='exact' takes at most {MAX_COLUMNS} free weights per output, got {n_columns}: "
            f"use rounding='joint', or prune first"
        )
    values = lattice(problem)
    for row in range(len(values)):
        values[row] = _decode(problem.take(np.array([row])), values[row])
    return values


def _decode(problem: Problem, known: Floats) -> Floats:
    """Return the best rounding of a problem of one row, given one that is known."""
    factor = problem.curvature.confident_factor
    order = factor.order
    centre, pull = problem.relaxation.centre[0, order], problem.relaxation.pull[0, order]
    low, high = (np.broadcast_to(end, (1, len(order)))[0, order] for end in problem.box.ends())
    # What the columns not reached yet can gain at most by leaving u*: nothing, at an exact relaxation.
    gain = np.minimum(-2 * pull * (low - centre), -2 * pull * (high - centre))
    rest = np.concatenate([[0.0], np.cumsum(np.minimum(gain, 0.0))])
    best = known[order] - centre
    bound = _cost(factor, pull, best) * (1 - RELATIVE_GAIN)
    stack = [(len(order) - 1, np.zeros((1, len(order))), np.zeros(1))]
    while stack:
        j, error, cost = stack.pop()
        alive = cost + rest[j + 1] < bound
        error, cost = error[alive], cost[alive]
        if not len(cost):
            continue
        error, cost = _grown(problem, factor, j, error, cost, (centre[j], pull[j], bound - rest[j]))
        if j == 0:
            if len(cost) and cost.min() < bound:
                best, bound = error[np.argmin(cost)], cost.min() * (1 - RELATIVE_GAIN)
            continue
        dearest_first = np.argsort(-cost, kind="stable")
        for start in range(0, len(cost), BATCH):
            batch = dearest_first[start : start + BATCH]
            stack.append((j - 1, error[batch], cost[batch]))
    result = np.empty_like(known)
    result[order] = best + centre
    values: Floats = problem.box.nearest(result[None])[0]
    return values


def _grown(
    problem: Problem, factor: Factor, j: int, error: Floats, cost: Floats, at: tuple[float, float, float]
) -> tuple[Floats, Floats]:
    """Return the partial roundings that go on with every value of column j that stays within the bound."""
    centre, pull, bound = at
    diagonal, ratios, order = factor
    middle = centre - error[:, j + 1 :] @ ratios[j, j + 1 :]
    best = middle + pull / diagonal[j] ** 2
    # (R (middle - u))^2 - 2 pull (u - centre) = (R (best - u))^2 + offset
    offset = cost + (diagonal[j] * middle) ** 2 - (diagonal[j] * best) ** 2 + 2 * pull * centre
    radius = np.sqrt(np.maximum(bound - offset, 0.0)) / diagonal[j]
    box = problem.box.columns(slice(order[j], order[j] + 1))
    tried, exists = (part[0] for part in box.window(best[None], box.most_within(best[None], radius[None])))
    grown = (diagonal[j] * (middle[:, None] - tried)) ** 2 - 2 * pull * (tried - centre) + cost[:, None]
    parent, child = np.nonzero(exists & (grown < bound))
    longer = error[parent]
    longer[:, j] = tried[parent, child] - centre
    return longer, grown[parent, child]


def _cost(factor: Factor, pull: Floats, error: Floats) -> float:
    steps = factor.diagonal * (factor.ratios @ error)
    return float(steps @ steps - 2 * pull @ error)

"""The size by the extended BIC on the true deviance, where the loss is not quadratic.

The quadratic around a confident classifier has almost no curvature, and the one around the best constant knows nothing
of large weights. Each says where to look; the sizes around are pruned, refitted and compared by their true deviance,
and where the best of them is, the loss is linearised once more and asked again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..core.criterion import Criterion, lowest_around
from ..core.linalg import Floats
from ..core.pruned import Pruning
from ..core.quadratic import QuadraticModel
from .problem import LinearProblem
from .rounds import around
from .state import State

Weights = tuple[Floats, Floats]


def best_size(
    problem: LinearProblem,
    start: State,
    found: Pruning,
    at_constant: QuadraticModel,
    propose: Callable[[QuadraticModel], Pruning],
    weights_at: Callable[[int], Weights],
) -> int:
    """Return the number of units with the lowest criterion, over all outputs.

    Parameters
    ----------
    problem : LinearProblem
        The true loss.
    start : State
        Which weights are free, and their signs.
    found : Pruning
        What the criterion chooses on the quadratic at the weights before pruning.
    at_constant : QuadraticModel
        The loss around the best constant.
    propose : callable
        What it chooses on a quadratic.
    weights_at : callable
        From a size to its refitted weights and intercepts.
    """
    known = problem.fit.deviance.known_dispersion
    criterion = Criterion(
        problem.n_samples,
        found.available,
        known,
        n_outputs=len(start.support),
        largest=np.inf if found.least else problem.n_samples * len(start.support) / 2,
    )
    scale = 1.0 if known else 1 / float(problem.unit.sum())
    values: dict[int, float] = {}

    def value_at(size: int) -> float:
        if size not in values:
            weights, intercept = weights_at(size)
            deviance = problem.deviance(weights, intercept) * scale
            values[size] = float(criterion(deviance, np.count_nonzero(weights), size))
        return values[size]

    def walk(*begins: int) -> int:
        return lowest_around(begins, found.least, found.most, value_at)

    best = walk(found.total, propose(at_constant).total)
    while (other := propose(around(problem, start, *weights_at(best))).total) not in values:
        best = walk(best, other)
    return best

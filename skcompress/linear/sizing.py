"""How many units are kept where the loss is not quadratic, judged by the true loss.

The quadratic around a confident classifier has almost no curvature and calls the deletion of every weight cheap, and
the one around the best constant knows nothing of large weights. They only say where to look.

`fewest_within` finds the fewest units within a budget: each size is pruned and linearised again, and the logarithm of
its true loss, interpolated between the sizes that are known, says where to look next. Where that does not halve what is
left in two steps, the middle is taken.

`best_size` finds the size with the lowest extended BIC: the sizes around are pruned, refitted and compared by their
true deviance, and where the best of them is, the loss is linearised once more and asked again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..core.criterion import Criterion, lowest_around
from ..core.linalg import Floats
from ..core.pruned import Pruning
from ..core.quadratic import QuadraticModel
from .problem import LinearProblem
from .rounds import around
from .state import State

_ROUNDING = 1e-12

_LEAST = 1e-3
"""Share of the budget below which losses are not told apart."""


class Sizes(NamedTuple):
    """The sizes that there are, and where to begin."""

    least: int
    most: int
    begin: int

    @classmethod
    def of(cls, found: Pruning) -> Sizes:
        """Return those of what the quadratic found; a size of zero is not asked for again."""
        least = max(1, found.least)
        return cls(least, max(least, found.most), min(max(least, found.total), max(least, found.most)))


def fewest_within(allowed: float, sizes: Sizes, loss_at: Callable[[int], float]) -> int:
    """Return a size within the budget whose next smaller one is not; the largest, where none is within.

    Parameters
    ----------
    allowed : float
        The budget.
    sizes : Sizes
        Least, most and first.
    loss_at : callable
        The true loss of a size.
    """
    below, above, size = sizes.least - 1, sizes.most, sizes.begin
    known: dict[int, float] = {}
    width, step, before = math.inf, 1, 0
    while above - below > 1:
        size = min(max(size, below + 1), above - 1)
        known[size] = loss_at(size)
        within = known[size] <= allowed + _ROUNDING
        above, below = (size, below) if within else (above, size)
        if below in known and above in known:
            halved, width = above - below <= width / 2, above - below
            size = _meeting(allowed, below, above, known) if halved else (below + above) // 2
        else:
            # At least twice as far each time, until the budget lies between two sizes.
            meeting = _meeting(allowed, min(size, before), max(size, before), known)
            before = size
            size = min(meeting, size - step) if within else max(meeting, size + step)
            step *= 2
    return above


def _meeting(allowed: float, left: int, right: int, known: dict[int, float]) -> int:
    """Return where the logarithm of the loss, a line between two sizes, meets the budget; nothing kept loses 1."""
    floor = _LEAST * max(allowed, _ROUNDING)
    start, end, wanted = (math.log(max(loss, floor)) for loss in (known.get(left, 1.0), known[right], allowed))
    if not end < start:
        return right
    return math.ceil(left + (wanted - start) * (right - left) / (end - start))


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
    scale = 1.0 if known else 1 / float(problem.loss_unit.sum())
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

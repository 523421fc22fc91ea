"""Rounding of each weight by itself: to the nearest value, down, or at random with the weight as the expectation.

At random, the rounding between neighbouring values a <= t <= b is b with probability (t - a) / (b - a). Its mean is t
for every t inside the box, which is what lets training in low precision make progress smaller than a step (Gupta et al.
2015, "Deep Learning with Limited Numerical Precision"; McMahan et al. 2013 for click models).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..grids import Box
from ..linalg import Floats
from .integer_least_squares import Problem


def nearest(problem: Problem) -> Floats:
    """Return the nearest allowed value to each weight."""
    return problem.box.nearest(problem.target)


def floor(problem: Problem) -> Floats:
    """Return the largest allowed value that is not above each weight."""
    return problem.box.below(problem.target)


PLAIN_ROUNDINGS: dict[str, Callable[[Box, Floats], Floats]] = {
    "nearest": lambda box, points: box.nearest(points),
    "floor": lambda box, points: box.below(points),
}
"""The same for points (B, k) without a problem around them."""


def stochastic(problem: Problem) -> Floats:
    """Return a random unbiased rounding of each weight, shape (B, k)."""
    return stochastic_values(problem.box, problem.target, problem.random)


def stochastic_values(box: Box, target: Floats, random: np.random.Generator) -> Floats:
    """Return a random unbiased rounding of points (B, k) to the values of a box."""
    below = box.below(target)
    above, _ = box.neighbours(below)
    gap = np.where(above > below, above - below, 1.0)
    chance = (target - below) / gap
    return np.where(random.random(chance.shape) < chance, above, below)

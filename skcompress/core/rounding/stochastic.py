"""Stochastic rounding: up or down at random, such that the expectation is the weight itself.

Between neighbouring values a <= t <= b the rounding is b with probability (t - a) / (b - a). Its mean is t for every t
inside the box, which is what lets training in low precision make progress smaller than a step (Gupta et al.
2015, "Deep Learning with Limited Numerical Precision"; McMahan et al. 2013 for click models).
"""

from __future__ import annotations

import numpy as np

from ..grids import Box
from ..linalg import Floats
from .integer_least_squares import Problem


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

"""Rounding of each weight by itself: to the nearest value, or down."""

from __future__ import annotations

from collections.abc import Callable

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

"""The default rounding: relaxation, beam and local search at about the cost of the base's fit.

The width of the beam follows from the size of the problem. Where even nearest plane around the relaxation would take
longer than the fit, for very many rows or columns, it is nearest plane around the target.
"""

from __future__ import annotations

from ..linalg import Floats
from .beam import beam_of_width
from .descent import descend
from .gptq import gptq, nearest_plane
from .integer_least_squares import Problem

SCOUT_EFFORT = 1e5
EFFORT = 1.5e6
"""Floats that a beam may move in all: rows x width x columns^2. The width follows from it."""

MAX_WIDTH = 64
RELAXED_FLOATS = 2**18
RELAXED_COLUMNS = 1500
"""Rows x columns, and columns, up to which the relaxation is worked out."""


def lattice(problem: Problem) -> Floats:
    """Return the best rounding found for each row, shape (B, k)."""
    if problem.curvature.lazy:
        return gptq(problem)
    return descend(problem, _within(problem, EFFORT))


def scout(problem: Problem) -> Floats:
    """Return a rounding that is good enough to rank trial scales, shape (B, k)."""
    return _within(problem, SCOUT_EFFORT)


def polish(problem: Problem, values: Floats) -> Floats:
    """Return these values improved by local search, never worse than they were."""
    if problem.curvature.lazy:
        return problem.better(values, gptq(problem))
    return descend(problem, values)


def too_large_to_relax(problem: Problem) -> bool:
    """Return whether working out the relaxation would take longer than it is worth."""
    n_rows, n_columns = problem.target.shape
    return problem.curvature.lazy or n_columns > RELAXED_COLUMNS or n_rows * n_columns > RELAXED_FLOATS


def _within(problem: Problem, effort: float) -> Floats:
    n_rows, n_columns = problem.target.shape
    if too_large_to_relax(problem):
        return gptq(problem)
    width = int(min(MAX_WIDTH, effort / max(1, n_rows * n_columns**2)))
    if width > 1:
        return beam_of_width(problem, width)
    centre, pull = problem.relaxation
    return nearest_plane(problem.box, problem.curvature.confident_factor, centre, pull)

"""The default rounding: the best of nearest plane, beam and descent at about the cost of the base's fit."""

from __future__ import annotations

from ..linalg import Floats
from .beam import beam_of_width
from .descent import descend
from .gptq import gptq
from .problem import Problem

BUDGET = 2e8
"""Floats that the beam may move in all: rows x width x columns^2. The width follows from it."""

PAIR_BUDGET = 2e9


def lattice(problem: Problem) -> Floats:
    """Return the best rounding found for each row, shape (B, k)."""
    if problem.curvature.lazy:
        return gptq(problem)
    n_rows, n_columns = problem.target.shape
    width = int(min(16, BUDGET / max(1, n_rows * n_columns**2)))
    found = beam_of_width(problem, max(1, width))
    return polish(problem, found)


def polish(problem: Problem, values: Floats) -> Floats:
    """Return these values improved by local search, never worse than they were."""
    if problem.curvature.lazy:
        return problem.better(values, gptq(problem))
    n_rows, n_columns = values.shape
    return descend(problem, values, pairs=n_rows * n_columns**2 <= BUDGET / 50)

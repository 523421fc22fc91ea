"""The two costs of searching codes together: the default rounding, and one that costs more.

lattice: relaxation, beam and local search at about the cost of the base's fit. The width of the beam follows from the
size of the problem. Where even nearest plane around the relaxation would take longer than the fit, for very many rows
or columns, it is nearest plane around the target.

joint: a wide beam, then large neighbourhoods searched again and again. Zero is a value like any other, so that the
support is searched together with the codes, and with the scale where that is searched too. A large neighbourhood is a
column with those most correlated with it: all the others stay where they are, and the beam finds the best values for
these. With e = u - t and S the neighbourhood, that is the problem on H_SS with the target t_S - inv(H_SS) (H e')_S,
where e' is e with zeros in S (large neighbourhood search: Shaw 1998).
"""

from __future__ import annotations

import numpy as np

from ..linalg import Floats
from .descent import descend
from .hessian import Curvature
from .integer_least_squares import Problem
from .nearest_plane import beam_of_width, gptq, nearest_plane

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


JOINT_WIDTH = 128
JOINT_EFFORT = 1e9
"""Floats that the beam may move in all, and again the neighbourhoods."""

NEIGHBOURHOOD = 24
NEIGHBOURHOOD_WIDTH = 32
SWEEPS = 3
STRIDE = 4
"""One neighbourhood for so many columns in a sweep: they overlap."""


def joint(problem: Problem) -> Floats:
    """Return the best rounding found for each row, shape (B, k)."""
    n_rows, n_columns = problem.target.shape
    width = int(min(JOINT_WIDTH, JOINT_EFFORT / max(1, n_rows * n_columns**2)))
    if too_large_to_relax(problem) or width < 2:
        return lattice(problem)
    return neighbourhoods(problem, descend(problem, beam_of_width(problem, width)))


def neighbourhoods(problem: Problem, values: Floats) -> Floats:
    """Return values improved by searching neighbourhoods until a whole sweep changes nothing.

    Parameters
    ----------
    problem : Problem
        B rows over k columns.
    values : ndarray of shape (B, k)
        Where to start; in the box.
    """
    n_rows, n_columns = values.shape
    size = min(NEIGHBOURHOOD, n_columns)
    left = int(JOINT_EFFORT / max(1, n_rows * size**2 * NEIGHBOURHOOD_WIDTH))
    around = np.sort(problem.curvature.most_correlated(size), axis=1)
    values, excess = values.copy(), problem.excess(values)
    for sweep in range(SWEEPS):
        # Another residue each time, so that no column is always at the edge.
        seeds = np.arange(sweep % STRIDE, n_columns, STRIDE)[:left]
        left -= len(seeds)
        before = excess
        for seed in seeds:
            changed = _searched_again(problem, values, around[seed])
            lower = problem.excess(changed)
            better = lower < excess
            values = np.where(better[:, None], changed, values)
            excess = np.where(better, lower, excess)
        if left <= 0 or (excess == before).all():
            break
    return values


def _searched_again(problem: Problem, values: Floats, places: np.ndarray) -> Floats:
    inner = Curvature(problem.curvature.matrix[np.ix_(places, places)])
    error = values - problem.target
    error[:, places] = 0.0
    pull = error @ problem.curvature.matrix[:, places]
    target = problem.target[:, places] - inner.factor.solve(pull)
    changed = values.copy()
    changed[:, places] = beam_of_width(problem.columns(places, inner, target), NEIGHBOURHOOD_WIDTH)
    return changed

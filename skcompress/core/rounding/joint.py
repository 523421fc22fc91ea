"""The costly rounding: a wide beam, then large neighbourhoods searched again and again.

Zero is a value like any other, so that the support is searched together with the codes, and with the scale where
that is searched too. A large neighbourhood is a column with those most correlated with it: all the others stay
where they are, and the beam finds the best values for these. With e = u - t and S the neighbourhood, that is the
problem on H_SS with the target t_S - inv(H_SS) (H e')_S, where e' is e with zeros in S (large neighbourhood search:
Shaw 1998).
"""

from __future__ import annotations

import numpy as np

from ..linalg import Floats
from .beam import beam_of_width
from .descent import descend
from .hessian import Curvature
from .integer_least_squares import Problem
from .lattice import lattice, too_large_to_relax

WIDTH = 128
EFFORT = 1e9
"""Floats that the beam may move in all, and again the neighbourhoods."""

NEIGHBOURHOOD = 24
NEIGHBOURHOOD_WIDTH = 32
SWEEPS = 3
STRIDE = 4
"""One neighbourhood for so many columns in a sweep: they overlap."""


def joint(problem: Problem) -> Floats:
    """Return the best rounding found for each row, shape (B, k)."""
    n_rows, n_columns = problem.target.shape
    width = int(min(WIDTH, EFFORT / max(1, n_rows * n_columns**2)))
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
    left = int(EFFORT / max(1, n_rows * size**2 * NEIGHBOURHOOD_WIDTH))
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

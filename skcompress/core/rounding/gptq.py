"""Babai's nearest plane: round one column at a time, and let the columns that are left make up for it.

The same as GPTQ (Frantar et al. 2023; the identity: Chen et al. 2025, "The Geometry of LLM Quantization:
GPTQ as Babai's Nearest Plane Algorithm"), here clipped to the box and blocked, so that nearly all the work
for many rows is matrix products.
"""

from __future__ import annotations

import numpy as np

from ..grids import Box
from ..linalg import Floats
from .hessian import Curvature, Factor, LazyCurvature
from .integer_least_squares import Problem

BLOCK = 48
LAZY_BLOCK = 1500
"""Columns whose curvature is held at a time where the whole of it cannot be."""


def gptq(problem: Problem) -> Floats:
    """Return the nearest-plane rounding of each row in the columns' own order, shape (B, k)."""
    if isinstance(problem.curvature, LazyCurvature) and problem.curvature.lazy:
        return _by_blocks(problem, problem.curvature)
    return nearest_plane(problem.box, problem.curvature.factor, problem.target, None)


def nearest_plane(box: Box, factor: Factor, centre: Floats, pull: Floats | None) -> Floats:
    """Return the nearest-plane rounding around a centre.

    Parameters
    ----------
    box : Box
        The values allowed.
    factor : Factor
        Of H, in the order to walk, last column first.
    centre : ndarray of shape (B, k)
        The target, or the centre of a relaxation.
    pull : ndarray of shape (B, k), or None
        The pull of a relaxation: u_j is then the best for (R_jj (c_j - u_j))^2 - 2 pull_j u_j.
    """
    diagonal, ratios, order = factor
    start = centre.T[order]
    shift = np.zeros_like(start) if pull is None else pull.T[order] / diagonal[:, None] ** 2
    error = np.zeros_like(start)
    values = np.empty_like(start)
    for last in range(len(order), 0, -BLOCK):
        first = max(0, last - BLOCK)
        block = start[first:last] + shift[first:last] - ratios[first:last, last:] @ error[last:]
        inner = ratios[first:last, first:last]
        for j in range(last - 1, first - 1, -1):
            wanted = block[j - first] - inner[j - first, j - first + 1 :] @ error[j + 1 : last]
            values[j] = box.columns(slice(order[j], order[j] + 1)).nearest(wanted[:, None])[:, 0]
            error[j] = values[j] - start[j]
    result = np.empty_like(centre)
    result[:, order] = values.T
    return result


def _by_blocks(problem: Problem, curvature: LazyCurvature) -> Floats:
    """Round a block of columns at a time, each towards its optimum given the errors of the blocks before.

    The columns that matter most come first. The optimum of a block b is t_b - inv(H_bb) (H e)_b, where e is
    the error made so far and its product with H is exact.
    """
    diagonal = curvature.diagonal
    order = np.argsort(-diagonal, kind="stable")
    values = np.zeros_like(problem.target)
    error = np.zeros_like(problem.target)
    for start in range(0, len(order), LAZY_BLOCK):
        places = np.sort(order[start : start + LAZY_BLOCK])
        inner = Curvature(curvature.block(places))
        pull = curvature.dot(error)[:, places]
        shifted = problem.target[:, places] - inner.factor.solve(pull)
        values[:, places] = gptq(problem.columns(places, inner, shifted))
        error[:, places] = values[:, places] - problem.target[:, places]
    return values

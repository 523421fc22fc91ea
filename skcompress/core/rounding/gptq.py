"""Babai's nearest plane: round one column at a time, and let the columns that are left make up for it.

The same as GPTQ (Frantar et al. 2023; the identity: Chen et al. 2025, "The Geometry of LLM Quantization:
GPTQ as Babai's Nearest Plane Algorithm"), here clipped to the box and blocked, so that nearly all the work
for many rows is matrix products.
"""

from __future__ import annotations

import numpy as np

from ..linalg import Floats, Indices
from .problem import Curvature, LazyCurvature, Problem

BLOCK = 48
LAZY_BLOCK = 1500
"""Columns whose curvature is held at a time where the whole of it cannot be."""


def gptq(problem: Problem) -> Floats:
    """Return the nearest-plane rounding of each row, shape (B, k)."""
    if problem.curvature.lazy and isinstance(problem.curvature, LazyCurvature):
        return _by_blocks(problem, problem.curvature)
    _, ratios, order = problem.curvature.factor
    n_columns = len(order)
    target = problem.target.T[order]
    error = np.zeros_like(target)
    values = np.empty_like(target)
    for end in range(n_columns, 0, -BLOCK):
        start = max(0, end - BLOCK)
        centres = target[start:end] - ratios[start:end, end:] @ error[end:]
        inner = ratios[start:end, start:end]
        for j in range(end - 1, start - 1, -1):
            local = j - start
            centre = centres[local] - inner[local, local + 1 :] @ error[j + 1 : end]
            values[j] = problem.box.columns(slice(order[j], order[j] + 1)).nearest(centre[:, None])[:, 0]
            error[j] = values[j] - target[j]
    result = np.empty_like(problem.target)
    result[:, order] = values.T
    return result


def _by_blocks(problem: Problem, curvature: LazyCurvature) -> Floats:
    """Round a block of columns at a time, each towards its optimum given the errors of the blocks before.

    The columns that matter most come first. The optimum of a block b is t_b - inv(H_bb) (H e)_b, where e is
    the error made so far and its product with H is exact.
    """
    diagonal = curvature.diagonal
    order = np.argsort(-diagonal, kind="stable")
    error = np.zeros_like(problem.target)
    for start in range(0, len(order), LAZY_BLOCK):
        places: Indices = np.sort(order[start : start + LAZY_BLOCK])
        inner = Curvature(curvature.block(places))
        pull = curvature.dot(error)[:, places]
        shifted = problem.target[:, places] - inner.factor.solve(pull)
        error[:, places] = gptq(problem.columns(places, inner, shifted)) - problem.target[:, places]
    return problem.box.nearest(problem.target + error)

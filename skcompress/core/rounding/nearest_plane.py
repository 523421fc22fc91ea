"""Babai's nearest plane, which rounds one column after the other, the rest making up for it; and K-best beams.

Nearest plane is the same as GPTQ (Frantar et al. 2023; the identity: Chen et al. 2025, "The Geometry of LLM
Quantization: GPTQ as Babai's Nearest Plane Algorithm"), here clipped to the box and blocked, so that nearly all the
work for many rows is matrix products.

A beam searches the tree that nearest plane walks once, centred on the optimum inside the box. At each column every one
of the K cheapest partial roundings is continued with the few allowed values around its centre, and the K cheapest of
these live on (Guo and Nilsson 2006, "Algorithm and implementation of the K-best sphere decoding for MIMO detection").
A partial rounding costs

    sum over its columns j of  (R_jj (c_j - u_j))^2 - 2 x_j (u_j - u*_j)

with u* and x of the relaxation in `skcompress.core.rounding.integer_least_squares` and c_j centred on u*: a lower bound
of what any completion loses beyond the relaxation.
"""

from __future__ import annotations

import numpy as np

from ..grids import Box
from ..linalg import Floats
from .hessian import Curvature, Factor, LazyCurvature
from .integer_least_squares import Problem

BLOCK = 48
LAZY_BLOCK = 500
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


WIDTH = 32
CHILDREN = 4
FLOATS_AT_ONCE = 2**22
"""Floats that the histories of the beams of one chunk of rows may hold."""


def beam(problem: Problem) -> Floats:
    """Return the best rounding that a beam of `WIDTH` finds for each row, shape (B, k)."""
    return beam_of_width(problem, WIDTH)


def beam_of_width(problem: Problem, width: int, children: int = CHILDREN) -> Floats:
    """Return the best rounding that a beam finds for each row.

    Parameters
    ----------
    problem : Problem
        B rows over k columns.
    width : int
        K, the partial roundings kept.
    children : int
        Values tried for each of them.

    Returns
    -------
    values : ndarray of shape (B, k)
        The chosen values.
    """
    n_rows, n_columns = problem.target.shape
    if n_rows == 0 or n_columns == 0:
        return problem.target.copy()
    _ = problem.relaxation  # worked out once, for all the chunks and for `Problem.bound`
    chunk = max(1, FLOATS_AT_ONCE // (width * n_columns))
    return np.concatenate(
        [
            _search(problem.take(np.arange(start, min(start + chunk, n_rows))), width, children)
            for start in range(0, n_rows, chunk)
        ]
    )


def _search(problem: Problem, width: int, children: int) -> Floats:
    diagonal, ratios, order = problem.curvature.confident_factor
    centre, pull = (part[:, order] for part in problem.relaxation)
    n_rows, n_columns = centre.shape
    each_row = np.arange(n_rows)[:, None]
    error = np.zeros((n_rows, 1, n_columns))
    cost = np.zeros((n_rows, 1))
    for j in range(n_columns - 1, -1, -1):
        middle = centre[:, j, None] - error[:, :, j + 1 :] @ ratios[j, j + 1 :]
        tilt = pull[:, j, None]
        box = problem.box.columns(slice(order[j], order[j] + 1))
        tried, exists = box.window(middle + tilt / diagonal[j] ** 2, children)
        leaving = tried - centre[:, j, None, None]
        grown = (diagonal[j] * (middle[:, :, None] - tried)) ** 2 - 2 * tilt[:, :, None] * leaving
        grown += cost[:, :, None]
        grown[~exists] = np.inf
        grown = grown.reshape(n_rows, -1)
        if grown.shape[1] > width:
            best = np.argpartition(grown, width - 1, axis=1)[:, :width]
        else:
            best = np.broadcast_to(np.arange(grown.shape[1]), grown.shape)
        cost = grown[each_row, best]
        error = error[each_row, best // children]
        error[:, :, j] = leaving.reshape(n_rows, -1)[each_row, best]
    result = np.empty_like(centre)
    result[:, order] = error[np.arange(n_rows), np.argmin(cost, axis=1)] + centre
    return problem.box.nearest(result)

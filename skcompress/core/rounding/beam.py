"""K-best beam search over the tree that nearest plane walks once, centred on the optimum inside the box.

At each column every one of the K cheapest partial roundings is continued with the few allowed values around
its centre, and the K cheapest of these live on (Guo and Nilsson 2006, "Algorithm and implementation of the
K-best sphere decoding for MIMO detection"). A partial rounding costs

    sum over its columns j of  (R_jj (c_j - u_j))^2 - 2 x_j (u_j - u*_j)

with u* and x of `skcompress.core.rounding.relaxation` and c_j centred on u*: a lower bound of what any completion
loses beyond the relaxation.
"""

from __future__ import annotations

import numpy as np

from ..linalg import Floats
from .integer_least_squares import Problem

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

"""K-best beam search over the tree that nearest plane walks once.

At each column every one of the K cheapest partial roundings is continued with the few allowed values around
its centre, and the K cheapest of these live on (Guo and Nilsson 2006, "Algorithm and implementation of the
K-best sphere decoding for MIMO detection"). With K = 1 it is nearest plane.
"""

from __future__ import annotations

import numpy as np

from ..linalg import Floats
from .gptq import gptq
from .problem import Problem

WIDTH = 16
CHILDREN = 3
ROWS_AT_ONCE = 2**22
"""Floats that the histories of the beams of one chunk of rows may hold."""


def beam(problem: Problem) -> Floats:
    """Return the best rounding that a beam of `WIDTH` finds for each row, shape (B, k)."""
    return beam_of_width(problem, WIDTH)


def beam_of_width(problem: Problem, width: int, children: int = CHILDREN) -> Floats:
    """Return the best rounding that a beam finds for each row, never worse than nearest plane.

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
    plain = gptq(problem)
    if width == 1 or problem.curvature.lazy or plain.size == 0:
        return plain
    n_rows, n_columns = plain.shape
    chunk = max(1, ROWS_AT_ONCE // (width * n_columns))
    parts = [
        _search(problem.take(np.arange(start, min(start + chunk, n_rows))), width, children)
        for start in range(0, n_rows, chunk)
    ]
    return problem.better(plain, np.concatenate(parts))


def _search(problem: Problem, width: int, children: int) -> Floats:
    diagonal, ratios, order = problem.curvature.factor
    target = problem.target[:, order]
    n_rows, n_columns = target.shape
    each_row = np.arange(n_rows)[:, None]
    error = np.zeros((n_rows, 1, n_columns))
    cost = np.zeros((n_rows, 1))
    for j in range(n_columns - 1, -1, -1):
        centre = target[:, j, None] - error[:, :, j + 1 :] @ ratios[j, j + 1 :]
        values, exists = problem.box.columns(slice(order[j], order[j] + 1)).window(centre, children)
        grown = cost[:, :, None] + (diagonal[j] * (centre[:, :, None] - values)) ** 2
        grown[~exists] = np.inf
        grown = grown.reshape(n_rows, -1)
        n_kept = min(width, grown.shape[1])
        best = (
            np.argpartition(grown, n_kept - 1, axis=1)[:, :n_kept]
            if n_kept < grown.shape[1]
            else np.broadcast_to(np.arange(n_kept), grown.shape)
        )
        cost = grown[each_row, best]
        error = error[each_row, best // children]
        error[:, :, j] = values.reshape(n_rows, -1)[each_row, best] - target[:, j, None]
    chosen = np.argmin(cost, axis=1)
    result = np.empty_like(target)
    result[:, order] = error[np.arange(n_rows), chosen] + target
    return problem.box.nearest(result)

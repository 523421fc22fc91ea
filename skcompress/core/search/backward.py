"""Backward elimination on the inverse curvature: drop the column that is worth least, re-score, repeat.

With K = A^-1 and w the optimal weights, dropping column j costs sum(w_j^2) / K_jj (OBS), and

    u = K_:j / sqrt(K_jj),    w -= u w_j / sqrt(K_jj),    K -= u u'

The update of K is delayed: the u are collected and K is corrected for a block of them by one matrix product,
after the dropped rows are left out. K is computed anew from A each time half of the columns are gone, which
costs a seventh more, and where a dropped column was nearly dependent, whose K_jj took digits away from the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..linalg import Floats, Indices, Mask
from .curvature import Curvature, factor_of, inverse_from
from .forward import TIE

BLOCK = 48
"""Pivots between two corrections of the inverse."""

ILL = 1e6
"""K_jj from which a dropped column counts as nearly dependent."""

Rescore = Callable[[Indices, Floats, Floats], Floats]
"""From the columns left, their weights (r, k) and the diagonal of the inverse (k,) to scores (k,)."""


class Trail(NamedTuple):
    """Units in the order in which they last: the first k are the support of size k.

    Attributes
    ----------
    order : ndarray of shape (n,)
        Units; those always kept come first.
    scores : ndarray of shape (n,)
        The lowest score among the first k + 1 units, at the model of that size; infinite for those always kept.
    """

    order: Indices
    scores: Floats


def trail_of(stay: Indices, dropped: list[int], scores: list[float]) -> Trail:
    """Return the trail that ends in `stay` after dropping these units, the first one first."""
    order = np.concatenate([stay, np.array(dropped[::-1], dtype=np.intp)]).astype(np.intp)
    return Trail(order, np.concatenate([np.full(len(stay), np.inf), np.array(scores[::-1])]))


def obs_scores(columns: Indices, weights: Floats, inverse_diagonal: Floats) -> Floats:
    """Return sum(w_j^2) / K_jj for each column left."""
    if len(weights) == 1:
        return np.square(weights[0]) / inverse_diagonal
    return np.einsum("ij,ij->j", weights, weights) / inverse_diagonal


def backward_columns(curvature: Curvature, moments: Floats, kept: Mask, rescore: Rescore = obs_scores) -> Trail:
    """Drop columns, the lowest score first, until only those that are always kept are left.

    Parameters
    ----------
    curvature : Curvature
        Of n columns.
    moments : ndarray of shape (r, n)
        C.
    kept : ndarray of shape (n,), dtype=bool
        Columns that are never dropped.
    rescore : callable
        Scores of the columns left.

    Returns
    -------
    trail : Trail
        Over the independent columns, and the dependent ones that are always kept.
    """
    alive, inverse = curvature.independent
    dropped: list[int] = []
    scores: list[float] = []
    target = int(kept[alive].sum())
    alive_at_factor = len(alive)
    while len(alive) > target:
        weights = moments[:, alive] @ inverse
        block = _drop(alive, inverse, weights, kept[alive], rescore, min(BLOCK, len(alive) - target))
        dropped.extend(alive[block.gone].tolist())
        scores.extend(block.scores)
        left = np.delete(np.arange(len(alive)), block.gone)
        alive = alive[left]
        factor = None
        if len(alive) <= alive_at_factor // 2 or block.ill:
            factor = factor_of(curvature.matrix[np.ix_(alive, alive)])
            alive_at_factor = len(alive)
        if factor is None:
            spent = block.spent[left]
            inverse = inverse[np.ix_(left, left)] - spent @ spent.T
        else:
            inverse = inverse_from(factor)
    return trail_of(np.flatnonzero(kept), dropped, scores)


class _Block(NamedTuple):
    """Positions dropped, their scores, the u of each (k, count), and whether one was nearly dependent."""

    gone: Indices
    scores: list[float]
    spent: Floats
    ill: bool


def _drop(alive: Indices, inverse: Floats, weights: Floats, kept: Mask, rescore: Rescore, count: int) -> _Block:
    diagonal = np.diag(inverse).copy()
    barred = np.where(kept, np.inf, 0.0)
    gone = np.empty(count, dtype=np.intp)
    scores: list[float] = []
    spent = np.zeros((len(alive), count))
    largest = 0.0
    for step in range(count):
        score = rescore(alive, weights, diagonal)
        score += barred
        lowest = float(score.min())
        j = int((score <= lowest * (1 + TIE)).argmax())
        room = float(diagonal[j])
        root = np.sqrt(room)
        u = inverse[j] - spent[:, :step] @ spent[j, :step]
        u /= root
        weights -= (weights[:, j] / root)[:, None] * u
        diagonal -= np.square(u)
        diagonal[j] = 1.0
        weights[:, j] = 0.0
        barred[j] = np.inf
        spent[:, step] = u
        gone[step] = j
        scores.append(float(score[j]))
        largest = max(largest, room)
    return _Block(gone, scores, spent, largest > ILL)

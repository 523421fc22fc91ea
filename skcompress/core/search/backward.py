"""Backward elimination on the inverse curvature: drop the unit that is worth least, re-score, repeat.

With K = A^-1 and w the optimal weights, dropping column j costs sum(w_j^2) / K_jj (OBS), and

    u = K_:j / sqrt(K_jj),    w -= u w_j / sqrt(K_jj),    K -= u u'

The update of K is delayed: the u are collected and K is corrected for a block of them by one matrix product,
after the dropped rows are left out. K is computed anew from A each time half of the columns are gone, which
costs a seventh more and keeps rounding errors from building up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..linalg import Floats, Indices, Mask
from .curvature import Curvature, inverse_of
from .forward import TIE

BLOCK = 48
"""Pivots between two corrections of the inverse."""

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


def obs_scores(columns: Indices, weights: Floats, inverse_diagonal: Floats) -> Floats:
    """Return sum(w_j^2) / K_jj for each column left."""
    return np.einsum("ij,ij->j", weights, weights) / inverse_diagonal


def backward_columns(
    curvature: Curvature, moments: Floats, kept: Mask, rescore: Rescore = obs_scores, size: int = 0
) -> Trail:
    """Drop columns, the lowest score first, until `size` are left or only those that are always kept.

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
    size : int, default=0
        Where to stop; the columns left are then listed in ascending order, with infinite scores.

    Returns
    -------
    trail : Trail
        Over the independent columns; a dependent one that is always kept is put in front.
    """
    alive, inverse = curvature.independent
    dropped: list[int] = []
    scores: list[float] = []
    target = max(size, int(kept[alive].sum()))
    alive_at_factor = len(alive)
    while len(alive) > target:
        count = min(BLOCK, len(alive) - target)
        weights = moments[:, alive] @ inverse
        gone, worth, spent = _drop_block(alive, inverse, weights, kept[alive], rescore, count)
        dropped.extend(alive[gone].tolist())
        scores.extend(worth)
        left = np.ones(len(alive), dtype=bool)
        left[gone] = False
        alive = alive[left]
        fresh = None
        if len(alive) <= alive_at_factor // 2:
            fresh = inverse_of(curvature.matrix[np.ix_(alive, alive)])
            alive_at_factor = len(alive)
        if fresh is None:
            spent = spent[left]
            inverse = inverse[np.ix_(left, left)] - spent @ spent.T
        else:
            inverse = fresh
    stay = np.concatenate([np.setdiff1d(np.flatnonzero(kept), alive), alive[kept[alive]], alive[~kept[alive]]])
    order = np.concatenate([stay, np.array(dropped[::-1], dtype=np.intp)])
    return Trail(order, np.concatenate([np.full(len(stay), np.inf), scores[::-1]]))


def _drop_block(
    alive: Indices, inverse: Floats, weights: Floats, kept: Mask, rescore: Rescore, count: int
) -> tuple[Indices, list[float], Floats]:
    """Drop `count` columns; return their positions, their scores and the u of each, shape (k, count)."""
    diagonal = np.diag(inverse).copy()
    fixed = kept.copy()
    gone = np.empty(count, dtype=np.intp)
    worth: list[float] = []
    spent = np.zeros((len(alive), count))
    for step in range(count):
        score = rescore(alive, weights, diagonal)
        score[fixed] = np.inf
        lowest = score.min()
        j = int(np.argmax(score <= lowest * (1 + TIE)))
        root = np.sqrt(diagonal[j])
        u = (inverse[:, j] - spent[:, :step] @ spent[j, :step]) / root
        weights = weights - (weights[:, j] / root)[:, None] * u
        diagonal -= u**2
        diagonal[j] = 1.0
        spent[:, step] = u
        fixed[j] = True
        gone[step] = j
        worth.append(float(score[j]))
    return gone, worth, spent

"""Backward elimination on the inverse curvature: drop the column that is worth least, re-score, repeat.

With K = A^-1 and w the optimal weights, dropping column j costs sum(w_j^2) / K_jj (OBS), and

    u = K_:j / sqrt(K_jj),    w -= u w_j / sqrt(K_jj),    K -= u u'

The update of K is delayed: the u are collected and K is corrected for a block of them by one matrix product,
after the dropped rows are left out. K is computed anew from A each time half of the columns are gone, which
costs a seventh more, and where a dropped column was nearly dependent, whose K_jj took digits away from the rest.
"""

from __future__ import annotations

import math
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

LEAST = 0.9
"""K_jj is 1 at least, since A_jj is 1: where it has fallen below this, its digits are gone."""

Rescore = Callable[[Indices, Floats, Floats], Floats]
"""From the columns left, their weights (r, k) and the diagonal of the inverse (k,) to scores (k,)."""


class EliminationPath(NamedTuple):
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


def elimination_path_of(stay: Indices, dropped: list[int], scores: list[float]) -> EliminationPath:
    """Return the path that ends in `stay` after dropping these units, the first one first."""
    order = np.concatenate([stay, np.array(dropped[::-1], dtype=np.intp)]).astype(np.intp)
    return EliminationPath(order, np.concatenate([np.full(len(stay), np.inf), np.array(scores[::-1])]))


def obs_scores(columns: Indices, weights: Floats, inverse_diagonal: Floats) -> Floats:
    """Return sum(w_j^2) / K_jj for each column left."""
    if len(weights) == 1:
        squares: Floats = np.square(weights[0])
    else:
        squares = np.einsum("ij,ij->j", weights, weights)
    return squares / inverse_diagonal


class BackwardColumns:
    """Backward elimination over single columns, continued when smaller sizes are asked for.

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

    Attributes
    ----------
    most : int
        Where it starts: the number of independent columns, and of dependent ones that are always kept.
    """

    def __init__(self, curvature: Curvature, moments: Floats, kept: Mask, rescore: Rescore = obs_scores):
        self._curvature = curvature
        self._moments = moments
        self._kept = kept
        self._rescore = rescore
        self._alive, self._inverse = curvature.independent
        self._least = int(kept[self._alive].sum())
        self._idle = int(kept.sum()) - self._least
        self._at_factor = len(self._alive)
        self._dropped: list[int] = []
        self._scores: list[float] = []
        self.most = len(self._alive) + self._idle

    def support(self, size: int) -> Indices:
        """Return the columns left at a size of at most `most`, ascending."""
        while len(self._alive) + self._idle > size and len(self._alive) > self._least:
            self._drop_block(min(BLOCK, len(self._alive) - max(self._least, size - self._idle)))
        later = self._dropped[self.most - size :]
        idle = np.setdiff1d(np.flatnonzero(self._kept), self._alive) if self._idle else np.empty(0, dtype=np.intp)
        return np.sort(np.concatenate([self._alive, np.array(later, dtype=np.intp), idle]).astype(np.intp))

    def elimination_path(self) -> EliminationPath:
        """Return the order of all columns, down to those that are always kept."""
        self.support(self._least + self._idle)
        return elimination_path_of(np.flatnonzero(self._kept), self._dropped, self._scores)

    def _drop_block(self, count: int) -> None:
        alive, inverse = self._alive, self._inverse
        weights = self._moments[:, alive] @ inverse
        block = _drop(alive, inverse, weights, self._kept[alive], self._rescore, count)
        self._dropped.extend(alive[block.gone].tolist())
        self._scores.extend(block.scores)
        left = np.delete(np.arange(len(alive)), block.gone)
        self._alive = alive[left]
        factor = None
        if len(left) <= self._at_factor // 2 or block.ill:
            factor = factor_of(self._curvature.matrix[np.ix_(self._alive, self._alive)])
            self._at_factor = len(left)
        if factor is None:
            spent = block.spent[:, left]
            self._inverse = inverse[np.ix_(left, left)] - spent.T @ spent
        else:
            self._inverse = inverse_from(factor)


class _Block(NamedTuple):
    """Positions dropped, their scores, the u of each, shape (count, k), and whether one was nearly dependent."""

    gone: Indices
    scores: list[float]
    spent: Floats
    ill: bool


def _drop(alive: Indices, inverse: Floats, weights: Floats, kept: Mask, rescore: Rescore, count: int) -> _Block:
    """Drop up to `count` columns, fewer where the inverse has lost its digits on the way.

    Weights of columns that are gone or kept are set to infinity, and so are their scores.
    """
    diagonal = np.diag(inverse).copy()
    weights[:, kept] = np.inf
    single = weights[0] if len(weights) == 1 else None
    gone = np.empty(count, dtype=np.intp)
    scores: list[float] = []
    spent = np.empty((count, len(alive)))
    largest = 0.0
    for step in range(count):
        score = rescore(alive, weights, diagonal)
        j = int((score <= score.min() * (1 + TIE)).argmax())
        room = diagonal.item(j)
        scores.append(score.item(j))
        u = inverse[j] - spent[:step, j] @ spent[:step]
        u /= math.sqrt(room)
        if single is None:
            weights -= (weights[:, j] / math.sqrt(room))[:, None] * u
        else:
            single -= (single.item(j) / math.sqrt(room)) * u
        diagonal -= np.square(u)
        diagonal[j] = 1.0
        weights[:, j] = np.inf
        spent[step] = u
        gone[step] = j
        largest = max(largest, room)
        if largest > ILL and diagonal.min() < LEAST:
            break
    done = len(scores)
    return _Block(gone[:done], scores, spent[:done], largest > ILL)

"""Searches whose supports are nested, each holding all the smaller ones: an order of the units.

One shot scores once and keeps the highest. Stepwise drops the unit of the lowest score, scores the others again on the
re-optimised model, and repeats.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..linalg import Floats, Indices
from ..units import Importance
from .problem import Problem
from .profile import Found, Settings, SharedBy


class Nested:
    """A profile in which each support holds all the smaller ones: an order of the units.

    Parameters
    ----------
    problem : Problem
        Of n units.
    order : ndarray of shape (r,)
        The first k are the support of size k.
    scores : ndarray of shape (r,)
        What the unit is worth that would be dropped first from each size; infinite for those always kept.
    refit : bool, default=True
        As in `Settings`.
    stepwise : bool, default=False
        Whether all sizes down to the one asked for have been visited on the way.
    inverted : bool, default=False
        Whether the inverse curvature is at hand, which bounds what any support loses.
    """

    shared_by: SharedBy = "scores"

    def __init__(
        self,
        problem: Problem,
        order: Indices,
        scores: Floats,
        refit: bool = True,
        stepwise: bool = False,
        inverted: bool = False,
    ):
        self.problem = problem
        self.is_cheap = problem.is_dense
        self.order = order
        self.scores = scores
        self.least = int(problem.kept.sum())
        self.most = len(order)
        self._refit = refit
        self._known: Floats = np.array([problem.empty_loss])
        self._stepwise = stepwise
        self._inverted = inverted

    @property
    def visited(self) -> Sequence[int]:
        """All sizes, where going down step by step or where a budget asked for the curve; else none."""
        if self._stepwise:
            return range(self.least, self.most + 1)
        return range(self.least, len(self._known)) if len(self._known) > 1 else ()

    def prepare(self, sizes: Indices) -> None:
        """Compute the losses together where more than one size is wanted."""
        if len(sizes) > 1:
            self._losses_to(int(sizes[-1]))

    def find(self, size: int) -> Found:
        """Return the first `size` units of the order."""
        chosen = self.order[:size]
        bound = float(self.problem.bounds[size]) if self._inverted else self.problem.floor
        if size < len(self._known):
            loss = float(self._known[size])
        elif self._refit:
            loss = self.problem.empty_loss - float(self.problem.gains_along(chosen).sum())
        else:
            loss = self.problem.untouched_loss(chosen)
        return Found(np.sort(chosen), loss, bound)

    def curve(self, limit: int) -> Floats:
        """Return losses for the sizes 0..limit."""
        losses = self._losses_to(limit).copy()
        losses[: self.least] = np.inf
        return losses

    def _losses_to(self, limit: int) -> Floats:
        if limit >= len(self._known):
            order = self.order[:limit]
            if self._refit:
                gains = self.problem.gains_along(order)
                self._known = self.problem.empty_loss - np.concatenate([[0.0], np.cumsum(gains)])
            else:
                self._known = self.problem.untouched_losses(order)
        return self._known[: limit + 1]

    def size_at(self, threshold: float, inclusive: bool) -> int:
        """Return the size at which the lowest score passes, going down from all units."""
        passes = self.scores >= threshold if inclusive else self.scores > threshold
        return int(np.flatnonzero(passes)[-1]) + 1 if passes.any() else 0

    def steps(self, limit: int) -> Floats:
        """Return the scores of the sizes 1..limit."""
        return self.scores[:limit]


def one_shot(problem: Problem, settings: Settings) -> Nested:
    """Return the units by falling score at the full model; the first of equal ones wins.

    Units without any importance come last; they can be asked for like the others.
    """
    if settings.scores is None:
        raise ValueError("search='one_shot' needs the scores of all units")
    scores = np.where(problem.kept, np.inf, settings.scores)
    order = np.argsort(-scores, kind="stable")
    inverted = isinstance(settings.importance, Importance) and settings.importance.needs_inverse
    return Nested(problem, order, scores[order], settings.refit, inverted=inverted and problem.is_dense)


def stepwise(problem: Problem, settings: Settings) -> Nested:
    """Return the units in the order in which backward elimination by the importance leaves them."""
    if isinstance(settings.importance, Importance):
        path = problem.elimination_path(settings.importance)
        return Nested(problem, path.order, path.scores, stepwise=True, inverted=True)
    left = np.ones(len(problem.kept), dtype=bool)
    dropped, worth = [], []
    while (left & ~problem.kept).any():
        units = np.flatnonzero(left)
        score = np.where(problem.kept[units], np.inf, settings.importance(units))
        place = int(np.argmin(score))
        left[units[place]] = False
        dropped.append(int(units[place]))
        worth.append(float(score[place]))
    stay = np.flatnonzero(problem.kept)
    order = np.concatenate([stay, np.array(dropped[::-1], dtype=np.intp)])
    scores = np.concatenate([np.full(len(stay), np.inf), worth[::-1]])
    return Nested(problem, order, scores, stepwise=True)

"""Drop the unit of the lowest score, re-score the others on the re-optimised model, repeat."""

from __future__ import annotations

import numpy as np

from ..units import Importance
from .problem import Problem
from .profile import Nested, Settings


def stepwise(problem: Problem, settings: Settings) -> Nested:
    """Return the units in the order in which backward elimination by the importance leaves them."""
    if isinstance(settings.importance, Importance):
        trail = problem.trail(settings.importance)
        return Nested(problem, trail.order, trail.scores, stepwise=True, inverted=True)
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

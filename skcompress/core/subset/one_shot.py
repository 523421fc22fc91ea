"""Score once, keep the highest."""

from __future__ import annotations

import numpy as np

from ..units import Importance
from .problem import Problem
from .profile import Nested, Settings


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

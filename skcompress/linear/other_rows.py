"""Warnings of weights of a frozen or distilled model that the rows say nothing about (`skcompress.core.unseen`)."""

from __future__ import annotations

import warnings

import numpy as np

from ..core.linalg import Floats, Mask
from ..core.quadratic import QuadraticModel
from ..core.unseen import unseen
from .columns import Columns
from .problem import LinearProblem

MOST_CHANGED = 0.5
"""Share of such a weight that rounding may take or add without a warning."""


def warn_of_pruned(problem: LinearProblem, quadratic: QuadraticModel, support: Mask, columns: Columns) -> None:
    """Warn if weights without curvature are pruned, (m, p): the rows cannot tell what that costs."""
    # Of another model the quadratic may be that of all classes in one row.
    pruned = unseen(quadratic) & ~support if _from_elsewhere(problem) else np.zeros(1, dtype=bool)
    if pruned.any():
        told = columns.told(np.flatnonzero(pruned.any(axis=0)))
        warnings.warn(
            f"pruning drops {told}, which these rows say nothing about, as nothing varies "
            "there: the loss on other rows may be larger than loss_increase_; pass rows on which they vary, or keep "
            "them by keep=[...]",
            UserWarning,
            stacklevel=2,
        )


def warn_of_changed(problem: LinearProblem, quadratic: QuadraticModel, weights: Floats, columns: Columns) -> None:
    """Warn if the grid has no value near a weight without curvature, given the rounded weights, (m, p)."""
    centre = quadratic.centre
    changed = unseen(quadratic) & (np.abs(weights - centre) > MOST_CHANGED * np.abs(centre))
    if _from_elsewhere(problem) and changed.any():
        output, column = (int(place) for place in np.argwhere(changed)[0])
        told = columns.told(np.flatnonzero(changed.any(axis=0)))
        warnings.warn(
            f"the weight of {told} is rounded from {centre[output, column]:.3g} to "
            f"{weights[output, column]:.3g}: the column does not vary on these rows, which choose the scale by the "
            "others; pass rows on which it varies, granularity='feature' or more bits",
            UserWarning,
            stacklevel=2,
        )


def _from_elsewhere(problem: LinearProblem) -> bool:
    """Return whether the weights may know other rows than these: those of a teacher, or of another fit."""
    return problem.leaf.frozen or problem.leaf.own_target

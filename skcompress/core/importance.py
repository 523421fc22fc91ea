"""Importance: what a unit is worth, scored at a fitted model.

With w the weights of a unit, H its block of the curvature and K its block of the inverse curvature,

    l1    sum |w|           the textbook's magnitude
    l2    sqrt(sum w^2)     the same, Euclidean
    obd   w' H w            the loss of setting the unit to zero while all other weights stay
    obs   w' K^-1 w         the loss of setting it to zero while all other weights move to their new optimum

obd and obs are in units of loss and do not depend on the units of the columns. Sources: LeCun, Denker and Solla,
"Optimal Brain Damage" (1990), equation 5; Hassibi and Stork, "Optimal Brain Surgeon" (1993), equation 5. Both
papers carry a factor 1/2 that this package's loss does not have.

A callable takes the quadratic model and returns scores of shape (m, p); a unit's score is the sum over its
weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .linalg import Floats
from .quadratic import QuadraticModel


class UnitView(NamedTuple):
    """Equally large units, as an importance sees them: U units, r rows of weights, d columns in each unit.

    Attributes
    ----------
    weights : ndarray of shape (U, r, d)
        In the units of the user.
    scaled : ndarray of shape (U, r, d)
        The same in coordinates where the curvature has a unit diagonal and losses are in units of loss.
    curvature : ndarray of shape (U, d, d)
        H of each unit, in the scaled coordinates.
    inverse : ndarray of shape (U, d, d)
        The units' blocks of H^-1, in the scaled coordinates.
    """

    weights: Floats
    scaled: Floats
    curvature: Floats
    inverse: Floats


class Importance(NamedTuple):
    """A scoring of units and what it needs.

    Attributes
    ----------
    score : callable
        From a `UnitView` to scores of shape (U,).
    uses_curvature : bool
        Whether it looks at the curvature or its inverse. Scores of outputs that do not share H then add up.
    needs_inverse : bool
        Whether it looks at the inverse. The weights are then those of the basic solution, in which a dependent
        column has weight zero.
    """

    score: Callable[[UnitView], Floats]
    uses_curvature: bool
    needs_inverse: bool


def _l1(view: UnitView) -> Floats:
    score: Floats = np.abs(view.weights).sum(axis=(1, 2))
    return score


def _l2(view: UnitView) -> Floats:
    # Scaled by the largest weight, so that weights of 1e-200 do not underflow.
    largest = np.abs(view.weights).max(axis=(1, 2), initial=0.0)
    safe = np.where(largest > 0, largest, 1.0)
    score: Floats = largest * np.sqrt(((view.weights / safe[:, None, None]) ** 2).sum(axis=(1, 2)))
    return score


def _obd(view: UnitView) -> Floats:
    score: Floats = ((view.scaled @ view.curvature) * view.scaled).sum(axis=(1, 2))
    return score


def _obs(view: UnitView) -> Floats:
    if view.scaled.shape[2] == 1:
        score: Floats = (view.scaled[:, :, 0] ** 2).sum(axis=1) / view.inverse[:, 0, 0]
    else:
        moved = np.linalg.solve(view.inverse, view.scaled.transpose(0, 2, 1))
        score = (moved * view.scaled.transpose(0, 2, 1)).sum(axis=(1, 2))
    return score


IMPORTANCES: dict[str, Importance] = {
    "l1": Importance(_l1, uses_curvature=False, needs_inverse=False),
    "l2": Importance(_l2, uses_curvature=False, needs_inverse=False),
    "obd": Importance(_obd, uses_curvature=True, needs_inverse=False),
    "obs": Importance(_obs, uses_curvature=True, needs_inverse=True),
}

ImportanceLike = str | Callable[[QuadraticModel], Floats]


def check_importance(importance: ImportanceLike) -> None:
    """Raise ValueError unless this is a known name or a callable."""
    if callable(importance) or (isinstance(importance, str) and importance in IMPORTANCES):
        return
    raise ValueError(
        f"importance={importance!r} is not known: use one of {sorted(IMPORTANCES)}, or a callable that takes the "
        f"quadratic model and returns scores of shape (n_outputs, n_features)"
    )


def scores_by(importance: Callable[[QuadraticModel], Floats], quadratic: QuadraticModel) -> Floats:
    """Return the scores of a callable, checked: finite, of shape (m, p)."""
    returned, shape = importance(quadratic), quadratic.centre.shape
    try:
        scores = np.asarray(returned, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"importance must return scores of shape {shape}, got {returned!r}") from None
    if scores.shape != shape and scores.shape != shape[1:]:
        raise ValueError(f"importance must return scores of shape {shape}, got {scores.shape}")
    scores = np.broadcast_to(scores, shape)
    if not np.isfinite(scores[quadratic.free]).all():
        raise ValueError("importance returned scores that are not finite")
    return scores

"""Units, which are kept or pruned as a whole, and their importance: what one is worth, scored at a fitted model.

Without groups every free weight is a unit and every output is searched on its own. With groups a unit is a set of
columns for all outputs jointly, so that a pruned unit is an input that need not be fetched.

With w the weights of a unit, H its block of the curvature and K its block of the inverse curvature,

    l1    sum |w|           the textbook's magnitude
    l2    sqrt(sum w^2)     the same, Euclidean
    obd   w' H w            the loss of setting the unit to zero while all other weights stay
    obs   w' K^-1 w         the loss of setting it to zero while all other weights move to their new optimum

obd and obs are in units of loss and do not depend on the units of the columns. Sources: LeCun, Denker and Solla,
"Optimal Brain Damage" (1990), equation 5; Hassibi and Stork, "Optimal Brain Surgeon" (1993), equation 5. Both
papers carry a factor 1/2 that this package's loss does not have.

A callable takes the quadratic model and returns scores of shape (m, p); a unit's score is the sum over its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .linalg import Floats, Indices, Mask
from .quadratic import QuadraticModel

Groups = str | Sequence[Any] | NDArray[Any] | None


@dataclass(frozen=True)
class Units:
    """Which weight belongs to which unit.

    Attributes
    ----------
    labels : ndarray of shape (m, p)
        The unit of each weight, -1 for a weight that is not free.
    n_units : int
        Number of units, those without a free weight included.
    per_output : bool
        Whether units are single weights, each output searched on its own.
    kept : ndarray of shape (n_units,), dtype=bool
        Units that are never pruned.
    kept_columns : ndarray of shape (p,), dtype=bool
        Columns that are preferred as independent ones.
    """

    labels: Indices
    n_units: int
    per_output: bool
    kept: Mask
    kept_columns: Mask

    @property
    def available(self) -> Mask:
        """Units with at least one free weight, shape (n_units,)."""
        return self.total(np.ones(self.labels.shape)) > 0

    def total(self, values: Floats) -> Floats:
        """Sum the values (m, p) of the free weights over each unit, shape (n_units,)."""
        free = self.labels >= 0
        total: Floats = np.bincount(self.labels[free], weights=values[free], minlength=self.n_units).astype(np.float64)
        return total

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Give every free weight its unit's value and every other weight 0, shape (m, p)."""
        if not self.n_units:
            return np.zeros(self.labels.shape, dtype=values.dtype)
        return np.where(self.labels >= 0, values[self.labels], np.zeros(1, dtype=values.dtype))

    def within(self, support: Mask) -> Units:
        """Return the same units with only the weights of a support, (m, p), free."""
        return replace(self, labels=np.where(support, self.labels, -1))


def units_of(free: Mask, feature_groups: Groups = None, keep: ArrayLike | None = None) -> Units:
    """Return the units of a model.

    Parameters
    ----------
    free : ndarray of shape (m, p), dtype=bool
        Weights that can be kept at all.
    feature_groups : None, "feature" or array-like of shape (p,), default=None
        None: single weights. "feature": a column is kept or pruned for all outputs. Labels: columns with equal
        labels form one unit, for all outputs.
    keep : array-like, default=None
        Columns that are never pruned: a mask of shape (p,) or indices. With groups, the units that hold them.

    Raises
    ------
    ValueError
        If the labels or the mask have a wrong length, or an index names no column.
    """
    n_outputs, n_features = free.shape
    kept_columns = _kept_columns(keep, n_features)
    if feature_groups is None:
        labels = np.arange(n_outputs * n_features).reshape(n_outputs, n_features)
        kept = np.tile(kept_columns, n_outputs)
        n_units = labels.size
    else:
        groups = _group_of_column(feature_groups, n_features)
        n_units = int(groups.max(initial=-1)) + 1
        labels = np.broadcast_to(groups, free.shape)
        kept = np.zeros(n_units, dtype=bool)
        kept[groups[kept_columns]] = True
    return Units(np.where(free, labels, -1), n_units, feature_groups is None, kept, kept_columns)


def _group_of_column(feature_groups: Any, n_features: int) -> Indices:
    if isinstance(feature_groups, str):
        if feature_groups != "feature":
            raise ValueError(
                f"feature_groups={feature_groups!r} is not known here: use None, 'feature' or one label for each "
                f"of the {n_features} columns"
            )
        return np.arange(n_features)
    labels = np.asarray(feature_groups)
    if labels.shape != (n_features,):
        raise ValueError(
            f"feature_groups must hold one label for each of the {n_features} columns, got shape {labels.shape}"
        )
    if labels.dtype == object:
        labels = labels.astype(str)
    return np.unique(labels, return_inverse=True)[1].reshape(-1)


def _kept_columns(keep: ArrayLike | None, n_features: int) -> Mask:
    kept = np.zeros(n_features, dtype=bool)
    if keep is None:
        return kept
    given = np.asarray(keep)
    if given.dtype == bool:
        if given.shape != (n_features,):
            raise ValueError(
                f"keep as a mask must have one entry for each of the {n_features} columns, got shape {given.shape}"
            )
        return given.copy()
    if given.size == 0:
        return kept
    if given.ndim > 1 or not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"keep must be a mask or integer indices of columns, got {keep!r}")
    for column in np.atleast_1d(given).tolist():
        if not -n_features <= column < n_features:
            raise ValueError(f"keep={column!r} names no column: there are {n_features}")
        kept[column] = True
    return kept


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

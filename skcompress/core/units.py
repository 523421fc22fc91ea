"""Units: what is kept or pruned as a whole, single weights or groups of columns.

Without groups every free weight is a unit and every output is searched on its own. With groups a unit is a
set of columns for all outputs jointly, so that a pruned unit is an input that need not be fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .linalg import Floats, Indices, Mask

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

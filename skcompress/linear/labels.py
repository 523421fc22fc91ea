"""Turn a classifier's labels into the numbers that its loss compares with the linear predictor."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.utils import compute_class_weight, compute_sample_weight

from ..core.linalg import Floats
from .containers import Leaf

_BY_WEIGHT = (LogisticRegression, LinearSVC)
"""Classifiers that balance the weights of the classes; RidgeClassifier and SGDClassifier balance their rows."""

LEAST_EXPLAINED = 1e-6
"""Share of the labels' variance that counts as explained at least."""

_COUNTS_WEIGHTS = "sample_weight" in signature(compute_class_weight).parameters
"""Whether they do so in this release: from scikit-learn 1.7 on."""


def numeric_target(leaf: Leaf, n_outputs: int) -> Floats:
    """Return the target as numbers, shape (n, n_outputs): a classifier's labels as 0 and 1, one column a class.

    Two classes with one linear predictor give one column, 1 for the second class; several labels a row, given as an
    indicator matrix, are numbers already.
    """
    if not hasattr(leaf.estimator, "classes_"):
        y = np.asarray(leaf.y, dtype=np.float64)
        return y.reshape(len(y), -1)
    labels = leaf.y.toarray() if sp.issparse(leaf.y) else np.asarray(leaf.y)
    if labels.ndim == 2 and labels.shape[1] == n_outputs > 1:
        return np.asarray(labels, dtype=np.float64)
    indicator = (labels.reshape(-1, 1) == leaf.estimator.classes_).astype(np.float64)
    return indicator[:, 1:] if n_outputs == 1 else indicator


def unexplained(labels: Floats, predictor: Floats, row_weight: Floats) -> Floats:
    """Return the squared error of labels from the best line in a predictor t, in units of t, shape (m,).

    It is (1 - r^2) / r^2 var(t), with the correlation r of labels and t.

    Parameters
    ----------
    labels, predictor : ndarray of shape (n, m)
        Numbers of any scale.
    row_weight : ndarray of shape (n,)
        Weights of the rows, with the sum 1.
    """
    apart, moved = labels - row_weight @ labels, predictor - row_weight @ predictor
    variance = row_weight @ moved**2
    both = variance * (row_weight @ apart**2)
    explained = np.divide((row_weight @ (apart * moved)) ** 2, both, out=np.ones_like(both), where=both > 0)
    error: Floats = (1 / np.maximum(explained, LEAST_EXPLAINED) - 1) * variance
    return error


def row_weights(leaf: Leaf, n_rows: int) -> Floats:
    """Return the weights of the rows with a classifier's own class_weight multiplied in, shape (n,)."""
    given: Any = np.ones(n_rows) if leaf.sample_weight is None else np.asarray(leaf.sample_weight, dtype=np.float64)
    if leaf.frozen:
        # No fit has looked at them.
        _check_weights(given, n_rows)
    weights = np.broadcast_to(given, n_rows)
    if hasattr(leaf.estimator, "classes_") and leaf.y is not None and not leaf.frozen:
        require_every_class(leaf.y, weights)
    if getattr(leaf.estimator, "class_weight", None) is None or leaf.y is None or leaf.frozen:
        return weights
    labels = np.asarray(leaf.y)
    if labels.ndim > 1 and labels.shape[1] > 1:
        return weights * compute_sample_weight(leaf.estimator.class_weight, labels)
    return weights * class_factors(leaf)[np.searchsorted(leaf.estimator.classes_, labels.reshape(-1))]


def class_factors(leaf: Leaf) -> Floats:
    """Return the factor that the classifier's own class_weight puts on each class of its labelled rows, shape (K,).

    "balanced" counts rows, or sums their weights where the classifier does so in its own fit.
    """
    classes: NDArray[Any] = leaf.estimator.classes_
    class_weight = getattr(leaf.estimator, "class_weight", None)
    if class_weight is None or leaf.frozen:
        return np.ones(len(classes))
    params: dict[str, Any] = {}
    if leaf.sample_weight is not None and _COUNTS_WEIGHTS and isinstance(leaf.estimator, _BY_WEIGHT):
        params["sample_weight"] = np.broadcast_to(np.asarray(leaf.sample_weight, dtype=np.float64), len(leaf.y))
    factors: Floats = compute_class_weight(class_weight, classes=classes, y=np.asarray(leaf.y).reshape(-1), **params)
    return factors


def require_labels(labels: Any, classes: Sequence[Any]) -> None:
    """Raise ValueError if there is a label that is none of the classes."""
    known = set(classes)
    unknown = sorted({str(label) for label in np.asarray(labels).tolist() if label not in known})
    if unknown:
        raise ValueError(f"y has the labels {unknown[:5]}, which are none of the model's classes, {list(classes)}")


def _check_weights(weights: Floats, n_rows: int) -> None:
    if weights.shape not in ((), (n_rows,)):
        raise ValueError(f"sample_weight must have one entry for each of the {n_rows} rows, got shape {weights.shape}")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError("sample_weight must be finite and 0 or above, and above 0 on some row")


def require_every_class(labels: Any, sample_weight: Any) -> None:
    """Raise ValueError unless there are two classes, each with a row of positive weight.

    Labels that are not one a row, and weights of another shape, are others' business.
    """
    labels = np.empty((0, 0)) if sp.issparse(labels) else np.asarray(labels)
    if labels.ndim != 1:
        return
    classes = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(
            f"y has one class only, {classes.tolist()}: a classifier can't train when only one class is present"
        )
    weights = None if sample_weight is None else np.asarray(sample_weight)
    if weights is None or weights.shape != labels.shape:
        return
    left_out = np.setdiff1d(classes, labels[weights > 0])
    if len(left_out):
        raise ValueError(
            f"sample_weight is zero on every row of the class {left_out.tolist()[0]!r}: leave these rows out, or give "
            "one of them a positive weight"
        )

"""Turn a classifier's labels into the numbers that its loss compares with the linear predictor."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import compute_sample_weight

from ..core.linalg import Floats
from .view import Leaf


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


def row_weights(leaf: Leaf, n_rows: int) -> Floats:
    """Return the weights of the rows with a classifier's own class_weight multiplied in, shape (n,)."""
    given: Any = np.ones(n_rows) if leaf.sample_weight is None else np.asarray(leaf.sample_weight, dtype=np.float64)
    weights = np.broadcast_to(given, n_rows)
    class_weight = getattr(leaf.estimator, "class_weight", None)
    if class_weight is None or leaf.y is None or leaf.frozen:
        return weights
    return weights * compute_sample_weight(class_weight, np.asarray(leaf.y))

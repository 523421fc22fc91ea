"""Refit the base itself on the columns that are kept."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone

from ..core.linalg import Floats, Mask
from .problem import LinearProblem
from .view import read


def refit_on(problem: LinearProblem, support: Mask) -> tuple[Floats, Floats]:
    """Return the weights and intercepts of the leaf fitted again on the columns of the support.

    Raises
    ------
    ValueError
        If the outputs keep different columns.
    """
    kept = support.any(axis=0)
    if not (support[:, kept]).all():
        raise ValueError(
            "refit='estimator' needs the same columns for all outputs, since the base is fitted on whole columns: use "
            "feature_groups='feature', or refit='closed_form'"
        )
    weights = np.zeros(support.shape)
    if not kept.any():
        return weights, problem.best_intercept(weights)
    leaf = problem.leaf
    weight = {} if leaf.sample_weight is None else {"sample_weight": leaf.sample_weight}
    fitted = clone(leaf.estimator).fit(problem.X[:, kept], leaf.y, **leaf.params, **weight)
    weights[:, kept], intercept = read(fitted)
    return weights, intercept

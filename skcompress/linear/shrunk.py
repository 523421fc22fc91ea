"""Ridge on columns of unit variance, with a given penalty or the one that generalised cross-validation chooses.

It fits what has little signal (a teacher's residuals) or no scale of its own (the numbers of a code), where a penalty
that was chosen for y would be wrong. Scaling the columns makes it independent of their units.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import Ridge, RidgeCV

from ..core.gram import weighted_mean
from ..core.linalg import Floats

_STRENGTHS = 10.0 ** np.arange(-2, 4.5, 0.5)
"""Penalties in units of the sum of the row weights."""

_LARGEST_GRAM = 2000
"""Up to this many rows or columns, whichever are fewer, leave-one-out errors are computed in closed form."""


def shrunk_fit(
    X: Any, target: Floats, row_weight: Floats, fit_intercept: bool, strength: float | None = None
) -> tuple[Floats, Floats]:
    """Return weights and intercepts of the ridge.

    Parameters
    ----------
    X : {ndarray, csr_array} of shape (n, p)
        Rows.
    target : ndarray of shape (n, m)
        What is fitted.
    row_weight : ndarray of shape (n,)
        Weights of the rows.
    fit_intercept : bool
        Whether an intercept is fitted, without penalty.
    strength : float, default=None
        Penalty in units of the sum of the row weights. None: chosen for each output.

    Returns
    -------
    weights, intercept : ndarray of shape (m, p) and (m,)
    """
    if X.shape[1] == 0:
        level = row_weight @ target / row_weight.sum() if fit_intercept else np.zeros(target.shape[1])
        return np.zeros((target.shape[1], 0)), level
    scale = _deviations(X, row_weight)
    scaled = X @ sp.diags_array(1 / scale) if sp.issparse(X) else X / scale
    if strength is None:
        closed_form = min(X.shape) <= _LARGEST_GRAM
        model: Any = RidgeCV(
            alphas=_STRENGTHS * row_weight.sum(),
            fit_intercept=fit_intercept,
            cv=None if closed_form else 5,
            alpha_per_target=closed_form,
        )
    else:
        model = Ridge(strength * row_weight.sum(), fit_intercept=fit_intercept)
    model.fit(sp.csr_array(scaled) if sp.issparse(scaled) else scaled, target, sample_weight=row_weight)
    weights = np.atleast_2d(model.coef_) / scale
    return weights, np.broadcast_to(np.asarray(model.intercept_, dtype=np.float64), len(weights)).copy()


def _deviations(X: Any, row_weight: Floats) -> Floats:
    """Return the weighted standard deviation of each column, 1 where it is constant, shape (p,)."""
    share = row_weight / row_weight.sum()
    mean = weighted_mean(X, share)
    squares = weighted_mean(X.multiply(X).tocsr() if sp.issparse(X) else X**2, share)
    variance = squares - mean**2
    return np.sqrt(np.where(variance > 1e-12 * squares, variance, 1.0))

"""Fit a student to what a teacher knows: a classifier to probabilities in place of labels, a ridge to numbers.

The expected loss of a row under the teacher's probabilities t_k is sum_k t_k loss(k, eta). Any classifier that takes
weights of rows minimises it when each row is repeated once a class, with the weight t_k: for the logistic loss this is
the cross entropy with the soft target, for RidgeClassifier the squared distance from it.

A temperature T > 1 softens the targets, t_k ~ p_k^(1/T), so that the odds among unlikely classes count for more. A
student of such targets predicts log-odds divided by T; its weights are multiplied by T, back to the scale of y (Hinton,
Vinyals and Dean 2015, section 2).

What has little signal (a teacher's residuals) or no scale of its own (the numbers of a code) is fitted by ridge on
columns of unit variance, since a penalty that was chosen for y would be wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
)
from sklearn.utils.validation import has_fit_parameter

from ..core.gram import weighted_mean
from ..core.linalg import Floats
from .containers import Leaf
from .curvature import class_factors
from .rows import take_params

_NEGLIGIBLE = 1e-6
"""Share of a row below which its copy is left out."""


def align(probabilities: Floats, known: NDArray[Any], wanted: NDArray[Any]) -> Floats:
    """Return the columns of `wanted` classes, rows scaled to sum to one; a class that is not known gets zero.

    Parameters
    ----------
    probabilities : ndarray of shape (n, len(known))
        From predict_proba.
    known, wanted : ndarray
        Class labels, sorted.

    Returns
    -------
    aligned : ndarray of shape (n, len(wanted))
    """
    aligned = np.zeros((len(probabilities), len(wanted)))
    source, place = np.intersect1d(known, wanted, return_indices=True)[1:]
    aligned[:, place] = np.asarray(probabilities, dtype=np.float64)[:, source]
    total = aligned.sum(axis=1, keepdims=True)
    return np.where(total > 0, aligned / np.where(total > 0, total, 1.0), 1 / len(wanted))


def soften(probabilities: Floats, temperature: float) -> Floats:
    """Return p^(1/T), rows scaled to sum to one."""
    if temperature == 1:
        return probabilities
    return softmax(np.log(np.clip(probabilities, 1e-12, None)) / temperature, axis=1)


def fit_soft(leaf: Leaf, X: Any, target: Floats, weight: Floats) -> Any:
    """Return the leaf's kind of classifier fitted on soft targets.

    Parameters
    ----------
    leaf : Leaf
        The classifier fitted on y; where it has chosen its penalty by cross-validation, the penalty stays.
    X : {ndarray, csr_array} of shape (n, p)
        Rows.
    target : ndarray of shape (n, K)
        Probabilities of the leaf's classes.
    weight : ndarray of shape (n,)
        Weights of the rows.

    Raises
    ------
    ValueError
        If the classifier takes no sample_weight.
    """
    student = _with_penalty_of(leaf.estimator)
    if not has_fit_parameter(student, "sample_weight"):
        raise ValueError(
            f"the fit of {type(student).__name__} takes no sample_weight, which is how a student learns probabilities: "
            "use a student that takes it, such as LogisticRegression"
        )
    if hasattr(student, "class_weight"):
        student.set_params(class_weight=None)
    target = target * class_factors(leaf)
    kept = target > _NEGLIGIBLE * target.max(axis=1, keepdims=True)
    kept[target.argmax(axis=0), np.arange(target.shape[1])] = True
    parts = [np.flatnonzero(column) for column in kept.T]
    rows = np.concatenate(parts)
    labels = np.repeat(leaf.estimator.classes_, [len(part) for part in parts])
    weights = np.concatenate([target[part, index] for index, part in enumerate(parts)]) * weight[rows]
    copies = sp.csr_array(X)[rows] if sp.issparse(X) else X[rows]
    return student.fit(copies, labels, sample_weight=weights, **take_params(leaf.params, rows, target.shape[0]))


def _with_penalty_of(fitted: Any) -> Any:
    """Return an unfitted classifier whose penalty is the one chosen by cross-validation, which copies would mislead."""
    if isinstance(fitted, RidgeClassifierCV):
        return RidgeClassifier(alpha=float(fitted.alpha_), fit_intercept=fitted.fit_intercept)
    if isinstance(fitted, LogisticRegressionCV):
        shared = set(LogisticRegression().get_params()) & set(fitted.get_params())
        params = {name: value for name, value in fitted.get_params().items() if name in shared}
        params["C"] = float(np.exp(np.mean(np.log(fitted.C_))))
        ratio = np.ravel(np.asarray(getattr(fitted, "l1_ratio_", None), dtype=object))[0]
        if ratio is not None:
            params["l1_ratio"] = float(ratio)
        return LogisticRegression(**params)
    return clone(fitted)


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

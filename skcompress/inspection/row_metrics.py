"""What a model says about rows, as one number each, and metrics of it with standard errors, from each row's influence.

A metric T has for row i the influence d_i, the derivative of T in the weight of the row; with weights v that sum to 1

    T = T(v),      standard error^2 = sum_i v_i^2 d_i^2

and the standard error of the difference of two models on the same rows comes from the difference of their influences:
it is paired, so that what both models get wrong cancels. (Hampel, "The influence curve and its role in robust
estimation", 1974; for the AUC this is DeLong, DeLong and Clarke-Pearson 1988.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.utils import column_or_1d

from ..artifact import CompactLinear
from ..artifact.links import LINKS
from ..core.linalg import Floats
from ..linear.curvature import require_labels
from ..linear.fitting import require_fitted

Kind = Literal["number", "probability", "score"]


class Answer(NamedTuple):
    """Predictions of shape (n,): of a regressor, the probability of the second class, or a score for it."""

    values: Floats
    kind: Kind


def require_model(model: Any, parameter: str, function: str) -> None:
    """Raise TypeError, naming the parameter, unless this is a CompactLinear or a fitted estimator."""
    if not isinstance(model, CompactLinear):
        require_fitted(model, parameter, function)


def classes_of(model: Any) -> tuple[Any, ...]:
    """Return the class labels of a classifier, () for a regressor."""
    if isinstance(model, CompactLinear):
        return model.classes
    return tuple(model.classes_) if is_classifier(model) else ()


def answer_of(model: Any, X: Any) -> Answer:
    """Return what a model says.

    Raises
    ------
    ValueError
        If it has several outputs or more than two classes.
    """
    classes = classes_of(model)
    if len(classes) > 2:
        raise ValueError(f"change_report compares one number a row; the model has {len(classes)} classes")
    kind: Kind = "number"
    if isinstance(model, CompactLinear):
        eta = model.linear_predictor(X)
        values = LINKS[model.link].inverse(eta)
        if classes:
            kind = "probability" if model.link == "logit" else "score"
    elif not classes:
        values = model.predict(X)
    elif hasattr(model, "predict_proba"):
        values, kind = model.predict_proba(X)[:, 1], "probability"
    else:
        values, kind = model.decision_function(X), "score"
    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"change_report compares one number a row; the model has {values.shape[1]} outputs")
    return Answer(values, kind)


def numeric_target(y: Any, classes: tuple[Any, ...]) -> Floats:
    """Return y as numbers, 1 for the second class and 0 for the first.

    Raises
    ------
    ValueError
        If y has labels that are no class, or values that are no finite numbers.
    """
    values = column_or_1d(y)
    if classes:
        require_labels(values, classes)
        return (values == classes[1]).astype(np.float64)
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError(f"y must hold finite numbers, got {numbers[~np.isfinite(numbers)][0]}")
    return numbers


class Measured(NamedTuple):
    """A metric and the influence of each row, shape (n,)."""

    value: float
    influence: Floats


Metric = Callable[[Floats, Floats, Floats], Measured]
"""From y, the prediction and the weights (summing to 1) to a metric."""


def _mean(rows: Floats, weight: Floats) -> Measured:
    value = float(weight @ rows)
    return Measured(value, rows - value)


def mean_squared_error(y: Floats, prediction: Floats, weight: Floats) -> Measured:
    """Return the mean squared error."""
    return _mean((y - prediction) ** 2, weight)


def mean_absolute_error(y: Floats, prediction: Floats, weight: Floats) -> Measured:
    """Return the mean absolute error."""
    return _mean(np.abs(y - prediction), weight)


def r2(y: Floats, prediction: Floats, weight: Floats) -> Measured:
    """Return R2 = 1 - mean squared error / variance."""
    errors = (y - prediction) ** 2
    squares = (y - weight @ y) ** 2
    variance = float(weight @ squares)
    if variance == 0:
        return Measured(np.nan, np.full(len(y), np.nan))
    value = 1 - float(weight @ errors) / variance
    return Measured(value, ((1 - value) * squares - errors) / variance)


def bias(y: Floats, prediction: Floats, weight: Floats) -> Measured:
    """Return the mean prediction minus the mean of y."""
    return _mean(prediction - y, weight)


def log_loss(y: Floats, prediction: Floats, weight: Floats) -> Measured:
    """Return the log loss of probabilities, which are kept within 1e-15 of 0 and 1."""
    p = np.clip(prediction, 1e-15, 1 - 1e-15)
    return _mean(-np.where(y > 0, np.log(p), np.log1p(-p)), weight)


def auc(y: Floats, prediction: Floats, weight: Floats) -> Measured:
    """Return the area under the ROC curve: the share of pairs in the right order, ties counting half."""
    positive = y > 0
    total = np.array([weight[~positive].sum(), weight[positive].sum()])
    if (total == 0).any():
        return Measured(np.nan, np.full(len(y), np.nan))
    below_negative, ties_negative = _below(prediction, prediction[~positive], weight[~positive])
    below_positive, ties_positive = _below(prediction, prediction[positive], weight[positive])
    beaten = (below_negative + ties_negative / 2) / total[0]
    beating = 1 - (below_positive + ties_positive / 2) / total[1]
    value = float(weight[positive] @ beaten[positive]) / total[1]
    influence = np.where(positive, (beaten - value) / total[1], (beating - value) / total[0])
    return Measured(value, influence)


def _below(points: Floats, others: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return for each point the weight of the others below it, and of those equal to it."""
    order = np.argsort(others, kind="stable")
    summed = np.concatenate([[0.0], np.cumsum(weight[order])])
    left = summed[np.searchsorted(others[order], points, side="left")]
    right = summed[np.searchsorted(others[order], points, side="right")]
    return left, right - left


REGRESSION: dict[str, Metric] = {
    "R2": r2,
    "mean squared error": mean_squared_error,
    "mean absolute error": mean_absolute_error,
    "mean prediction - observed": bias,
}
PROBABILITY: dict[str, Metric] = {
    "AUC": auc,
    "log loss": log_loss,
    "Brier score": mean_squared_error,
    "mean prediction - observed": bias,
}
DECISION: dict[str, Metric] = {"AUC": auc}
"""Metrics of predictions of a number, of a probability, and of a score that is neither."""


def compare(metrics: dict[str, Metric], y: Floats, before: Floats, after: Floats, weight: Floats) -> pd.DataFrame:
    """Return each metric of two models with standard errors, and of their difference, paired."""
    table = {}
    for name, metric in metrics.items():
        first, second = metric(y, before, weight), metric(y, after, weight)
        table[name] = {
            "before": first.value,
            "s.e. before": _error(first.influence, weight),
            "after": second.value,
            "s.e. after": _error(second.influence, weight),
            "change": second.value - first.value,
            "s.e. of change": _error(second.influence - first.influence, weight),
        }
    return pd.DataFrame.from_dict(table, orient="index")


def _error(influence: Floats, weight: Floats) -> float:
    return float(np.sqrt(np.square(weight * influence).sum()))

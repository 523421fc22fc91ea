"""Metrics with standard errors, from the influence of each row.

A metric T has for row i the influence d_i, the derivative of T in the weight of the row; with weights v that sum to 1

    T = T(v),      standard error^2 = sum_i v_i^2 d_i^2

and the standard error of the difference of two models on the same rows comes from the difference of their influences:
it is paired, so that what both models get wrong cancels. (Hampel, "The influence curve and its role in robust
estimation", 1974; for the AUC this is DeLong, DeLong and Clarke-Pearson 1988.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..core.linalg import Floats


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

"""compression_report: models side by side, what they score and what they take."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, check_scoring, r2_score

from ..artifact import CompactLinear, size_bytes
from ..linear.compacting import compact
from ..linear.containers import find_leaf
from ..linear.rows import take_rows
from ..linear.view import read
from .answers import classes_of, require_model


def facts_of(model: Any) -> dict[str, Any]:
    """Return inputs, weights, bits, bytes and identity of a model; None for what is not known of it."""
    try:
        shipped = compact(model)
    except ValueError:
        return {**_unfolded(model), "model id": None}
    report = shipped.report()
    return {
        "inputs": report["inputs"],
        "weights": report["weights"],
        "bits": report["bits"] or 8 * shipped.dtype.itemsize,
        "bytes": size_bytes(shipped),
        "model id": report["model_id"],
    }


def _unfolded(model: Any) -> dict[str, Any]:
    facts: dict[str, Any] = dict.fromkeys(("inputs", "weights", "bits", "bytes"))
    facts["inputs"] = getattr(model, "n_features_in_", None)
    try:
        leaf = find_leaf(model).estimator
    except (TypeError, AttributeError):
        return facts
    return {**facts, "weights": int(np.count_nonzero(read(leaf)[0])), "bits": 8 * leaf.coef_.dtype.itemsize}


def compression_report(
    models: Any, X: Any, y: Any, *, scoring: Any = None, sample_weight: Any = None, n_timings: int = 5
) -> pd.DataFrame:
    """Put models side by side: score, inputs, weights, bits, bytes, and the time of one row and of all rows.

    Parameters
    ----------
    models : dict, sequence or estimator
        Fitted models by name, any estimators and CompactLinear; where they are not named the classes name them. The
        compact form of a wrapper is ``wrapper.compact_``.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Held-out rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        What was observed.
    scoring : str, callable or None, default=None
        The score; None: R2, or accuracy for classifiers. CompactLinear has predictions alone, so that scores of
        probabilities are not known for it.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, for R2 and accuracy.
    n_timings : int, default=5
        Calls of which the fastest counts.

    Returns
    -------
    report : DataFrame
        One line a model: "score", "inputs", "weights", "bits", "bytes", "row_us" (one row, microseconds) and
        "batch_ms" (all rows, milliseconds).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import PrunedRegressor, compression_report
    >>> X, y = load_diabetes(return_X_y=True)
    >>> base, pruned = LinearRegression().fit(X, y), PrunedRegressor(n_nonzero=4).fit(X, y)
    >>> report = compression_report({"base": base, "pruned": pruned, "compact": pruned.compact_}, X, y)
    >>> report["weights"].tolist()
    [10, 4, 4]
    """
    table = {}
    for name, model in _named(models).items():
        require_model(model, f"models[{name!r}]", "compression_report")
        facts = facts_of(model)
        facts.pop("model id")
        table[name] = {
            "score": _score(model, X, y, scoring, sample_weight),
            **facts,
            "row_us": 1e6 * _seconds(model, take_rows(X, np.array([0])), n_timings),
            "batch_ms": 1e3 * _seconds(model, X, n_timings),
        }
    return pd.DataFrame.from_dict(table, orient="index")


def _named(models: Any) -> dict[str, Any]:
    if isinstance(models, Mapping):
        return dict(models)
    listed: Sequence[Any] = list(models) if isinstance(models, (list, tuple)) else [models]
    named: dict[str, Any] = {}
    for model in listed:
        name = type(model).__name__
        named[name if name not in named else f"{name} {len(named) + 1}"] = model
    return named


class _Predictor(BaseEstimator):
    """A CompactLinear as scikit-learn's scorers want it."""

    def __init__(self, model: CompactLinear):
        self.model = model

    def fit(self, X: Any, y: Any = None) -> Any:
        """Do nothing."""
        return self

    def predict(self, X: Any) -> Any:
        """Return the model's predictions."""
        return self.model.predict(X)


def _score(model: Any, X: Any, y: Any, scoring: Any, sample_weight: Any) -> float:
    if scoring is None:
        metric = accuracy_score if classes_of(model) else r2_score
        return float(metric(y, model.predict(X), sample_weight=sample_weight))
    asked = _Predictor(model) if isinstance(model, CompactLinear) else model
    scorer = check_scoring(asked, scoring)
    try:
        return float(scorer(asked, X, y))
    except AttributeError:
        if isinstance(model, CompactLinear):
            return float("nan")
        raise


def _seconds(model: Any, X: Any, n_timings: int) -> float:
    times = []
    for _ in range(max(1, n_timings)):
        started = time.perf_counter()
        model.predict(X)
        times.append(time.perf_counter() - started)
    return min(times)

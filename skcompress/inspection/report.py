"""compression_report: models side by side, what they score, what they take and with which parameters they were made."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score, check_scoring, r2_score
from sklearn.utils.metaestimators import available_if

from ..artifact import CompactLinear, size_bytes
from ..linear.compacting import compact
from ..linear.containers import find_leaf
from ..linear.rows import take_rows
from ..linear.view import read
from .row_metrics import classes_of, require_model

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def parameters_of(value: Any) -> str:
    """Return an estimator as it would be written, with the parameters that are not the defaults, however long.

    scikit-learn's own repr cuts long lists; here containers are written out and functions by their names, so that the
    same parameters give the same line in every run.
    """
    if hasattr(value, "get_params") and not isinstance(value, type):
        defaults = {name: given.default for name, given in signature(type(value).__init__).parameters.items()}
        given = {name: parameters_of(part) for name, part in value.get_params(deep=False).items()}
        changed = [
            f"{name}={text}"
            for name, text in given.items()
            if name not in defaults or text != parameters_of(defaults[name])
        ]
        return f"{type(value).__name__}({', '.join(changed)})"
    if isinstance(value, np.ndarray):
        return f"array({parameters_of(value.tolist())})"
    if isinstance(value, list):
        return f"[{', '.join(map(parameters_of, value))}]"
    if type(value) is tuple:
        return f"({', '.join(map(parameters_of, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{parameters_of(key)}: {parameters_of(part)}" for key, part in value.items()) + "}"
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, partial):
        parts = [
            *map(parameters_of, value.args),
            *(f"{name}={parameters_of(part)}" for name, part in value.keywords.items()),
        ]
        return f"partial({', '.join([parameters_of(value.func), *parts])})"
    text = " ".join(repr(value).split())
    if not _ADDRESS.search(text):
        return text
    # An object without a repr of its own, such as make_column_selector: its attributes say what it is.
    held = [
        f"{name}={parameters_of(part)}" for name, part in getattr(value, "__dict__", {}).items() if part is not None
    ]
    return f"{type(value).__name__}({', '.join(held)})"


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
        The score; None: R2, or accuracy for classifiers.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, for R2 and accuracy.
    n_timings : int, default=5
        Calls of which the fastest counts.

    Returns
    -------
    report : DataFrame
        One line a model: "score", "inputs", "weights", "bits", "bytes", "row_us" (one row, microseconds) and
        "batch_ms" (all rows, milliseconds).

    See Also
    --------
    change_report : Two models compared row by row.
    size_bytes : The bytes of one model.

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


class _Shipped(BaseEstimator):
    """A CompactLinear as scikit-learn's scorers, and those of sizes, want it."""

    def __init__(self, model: CompactLinear):
        self.model = model
        self.coef_, self.intercept_ = model.coef, model.intercept

    def fit(self, X: Any, y: Any = None) -> Any:
        """Do nothing."""
        return self

    def predict(self, X: Any) -> Any:
        """Return the model's predictions."""
        return self.model.predict(X)

    @property
    def compact_(self) -> CompactLinear:
        """The model."""
        return self.model


class _ShippedClassifier(ClassifierMixin, _Shipped):
    """The same with classes."""

    @property
    def classes_(self) -> Any:
        """The labels."""
        return np.array(self.model.classes)

    def decision_function(self, X: Any) -> Any:
        """Return the model's scores."""
        return self.model.decision_function(X)

    @available_if(lambda self: self.model.link != "identity")
    def predict_proba(self, X: Any) -> Any:
        """Return the model's probabilities."""
        return self.model.predict_proba(X)


def _score(model: Any, X: Any, y: Any, scoring: Any, sample_weight: Any) -> float:
    if scoring is None:
        metric = accuracy_score if classes_of(model) else r2_score
        return float(metric(y, model.predict(X), sample_weight=sample_weight))
    if isinstance(model, CompactLinear):
        model = _ShippedClassifier(model) if model.classes else _Shipped(model)
    return float(check_scoring(model, scoring)(model, X, y))


def _seconds(model: Any, X: Any, n_timings: int) -> float:
    times = []
    for _ in range(max(1, n_timings)):
        started = time.perf_counter()
        model.predict(X)
        times.append(time.perf_counter() - started)
    return min(times)

"""What a model says about rows, as one number each, whatever kind of model it is."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import column_or_1d

from ..artifact import CompactLinear
from ..artifact.links import LINKS
from ..core.linalg import Floats
from ..linear.fitting import require_fitted
from ..linear.labels import require_labels

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

"""strip_training_state: a fitted model without what its training has left behind."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from ._base import LinearCompressor
from .linear.containers import find_leaf, is_search
from .linear.fitting import require_fitted
from .linear.view import read

RESIDUE = (
    "base_coef_",
    "base_intercept_",
    "cv_results_",
    "_frontier",
    "importances_",
    "path_",
    "scorer_",
    "support_frequency_",
    "teacher_",
)
"""Attributes of our wrappers that predictions do not need."""

_SMALL = 64


def strip_training_state(model: Any) -> Any:
    """Return a copy of a fitted model that predicts the same and leaves behind what only its training needed.

    A pickle (joblib, skops) of the copy is small, and tells less: the teacher of a distilled model, the path of sizes
    and the results of a search are gone, and so is every attribute of the linear model, larger than 64 bytes, without
    which it predicts the same, such as the covariance matrix of BayesianRidge or the scores of LassoCV's folds.

    Parameters
    ----------
    model : estimator
        A fitted wrapper, or a Pipeline or search with one in it; a scorecard has nothing to leave behind. It is not
        changed. What is a parameter stays: a FrozenEstimator that was given as the teacher goes along.

    Returns
    -------
    copy : estimator
        Asking it for an attribute that was left behind is an AttributeError. It can be fitted again.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    TypeError
        If nothing in it is a linear model.

    See Also
    --------
    dump : A file of the weights alone, which any later version reads and which needs no scikit-learn.

    Examples
    --------
    >>> import pickle
    >>> from sklearn.datasets import load_diabetes
    >>> from skcompress import DistilledRegressor, strip_training_state
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = DistilledRegressor(random_state=0).fit(X, y)
    >>> len(pickle.dumps(model)) > 20 * len(pickle.dumps(strip_training_state(model)))
    True
    """
    require_fitted(model, "model", "strip_training_state")
    small = copy.deepcopy(model)
    if not isinstance(model, LinearCompressor) and isinstance(getattr(type(model), "compact_", None), property):
        return small
    leaf = find_leaf(small).estimator
    for inside in _estimators_in(small, set()):
        if is_search(inside):
            inside.__dict__.pop("cv_results_", None)
        if isinstance(inside, LinearCompressor):
            for name in RESIDUE:
                inside.__dict__.pop(name, None)
            if isinstance(inside.estimator, BaseEstimator) and not isinstance(inside.estimator, FrozenEstimator):
                inside.estimator = clone(inside.estimator)
    _drop_residue(leaf)
    return small


def _estimators_in(model: Any, seen: set[int]) -> Any:
    """Return the fitted estimators that a model is made of, but for those in parameters of others."""
    if id(model) in seen:
        return
    seen.add(id(model))
    if isinstance(model, BaseEstimator):
        yield model
    if isinstance(model, (Pipeline, FeatureUnion)):
        held = [step for _, step in (model.steps if isinstance(model, Pipeline) else model.transformer_list)]
    else:
        held = [value for name, value in vars(model).items() if name.endswith("_") and isinstance(value, BaseEstimator)]
        held += [model.estimator] if isinstance(model, FrozenEstimator) else []
    for inside in held:
        if isinstance(inside, BaseEstimator):
            yield from _estimators_in(inside, seen)


def _drop_residue(leaf: Any) -> None:
    """Drop the large fitted attributes of a linear model without which it answers as before."""
    params = set(leaf.get_params(deep=False))
    probe = np.random.default_rng(0).normal(size=(8, read(leaf)[0].shape[1])).astype(leaf.coef_.dtype)
    before = _answers(leaf, probe)
    for name, value in list(vars(leaf).items()):
        if name in params or name in ("coef_", "intercept_", "classes_", "feature_names_in_") or _size(value) <= _SMALL:
            continue
        del leaf.__dict__[name]
        after = _answers(leaf, probe)
        if not (len(before) == len(after) and all(map(np.array_equal, before, after))):
            leaf.__dict__[name] = value


def _answers(leaf: Any, probe: Any) -> list[Any]:
    """Return what the model gives for the probe, a None where a method fails."""
    found: list[Any] = []
    for method in ("predict", "decision_function", "predict_proba"):
        try:
            found.append(getattr(leaf, method)(probe))
        except Exception:
            found.append(None)
    return found


def _size(value: Any) -> int:
    nbytes = getattr(value, "nbytes", None)
    if nbytes is not None:
        return int(nbytes)
    if isinstance(value, (dict, list, tuple)):
        return _SMALL + 1 if len(value) else 0
    return _SMALL + 1 if hasattr(value, "__dict__") else 0

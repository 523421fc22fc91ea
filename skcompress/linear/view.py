"""Read and write the weights of a fitted linear model, or say why it has none.

Weights are read as (m, p) float64 and intercepts as (m,), whatever shape the leaf has, such that the linear
predictor is ``X @ coef.T + intercept``. They are written back in the leaf's own shape and dtype.

Some estimators predict linearly and yet cannot be compressed as they are: they compute their weights from something
else, or hold several linear models. The message says which it is and names what can take their place.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier, is_regressor
from sklearn.cross_decomposition import CCA, PLSCanonical, PLSRegression
from sklearn.ensemble import BaseEnsemble, VotingClassifier, VotingRegressor
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, MultinomialNB

from ..core.linalg import Floats
from .rows import count_rows, take_rows

_CENTRED = (PLSRegression, PLSCanonical, CCA)


def require_kind(estimator: Any, wrapper: str) -> None:
    """Raise TypeError if a regressor's wrapper is given a classifier, or the other way round."""
    if not isinstance(estimator, BaseEstimator):
        return
    for kind, is_kind, other in (("classifier", is_classifier, "Regressor"), ("regressor", is_regressor, "Classifier")):
        if is_kind(estimator) and other in wrapper:
            instead = wrapper.replace(other, kind.capitalize())
            raise TypeError(f"{type(estimator).__name__} is a {kind}: use {instead} in place of {wrapper}")


def read(estimator: Any) -> tuple[Floats, Floats]:
    """Return the weights (m, p) and intercepts (m,) of a leaf as new float64 arrays."""
    coef = estimator.coef_
    coef = coef.toarray() if sp.issparse(coef) else np.asarray(coef)
    weights = np.array(np.atleast_2d(coef), dtype=np.float64)
    if isinstance(estimator, _CENTRED):
        return weights, _predict_zero(estimator, weights.shape)
    intercept = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64).ravel(), weights.shape[:1])
    return weights, np.array(intercept)


def like_coef(estimator: Any, array: NDArray[Any]) -> NDArray[Any]:
    """Return an (m, p) array in the shape of a leaf's coef_."""
    return array[0] if np.ndim(estimator.coef_) == 1 else array


def write(estimator: Any, weights: Floats, intercept: Floats) -> None:
    """Set a leaf's weights (m, p) and intercepts (m,), in its own shapes and dtypes."""
    coef = estimator.coef_
    estimator.coef_ = np.asarray(weights, dtype=coef.dtype).reshape(coef.shape)
    if isinstance(estimator, _CENTRED):
        estimator.intercept_ = np.zeros_like(estimator.intercept_)
        offset = intercept - _predict_zero(estimator, weights.shape)
        estimator.intercept_ = np.asarray(offset, dtype=coef.dtype)
        return
    old = estimator.intercept_
    if np.ndim(old) == 0:
        if len(intercept) == 1:
            estimator.intercept_ = coef.dtype.type(intercept[0])
        elif intercept.any():
            estimator.intercept_ = np.asarray(intercept, dtype=coef.dtype)
    else:
        estimator.intercept_ = np.asarray(intercept, dtype=coef.dtype).reshape(np.shape(old))


def identity_of(estimator: Any) -> Any:
    """Return a copy of a leaf that takes its own linear predictors (n, m) for X."""
    n_outputs = len(read(estimator)[0])
    copied = copy.copy(estimator)
    vars(copied).pop("feature_names_in_", None)
    copied.n_features_in_ = n_outputs
    copied.coef_ = np.eye(n_outputs, dtype=estimator.coef_.dtype).reshape((*estimator.coef_.shape[:-1], n_outputs))
    copied.intercept_ = np.zeros_like(estimator.intercept_)
    if isinstance(estimator, _CENTRED):
        copied._x_mean = np.zeros(n_outputs)
    return copied


def _predict_zero(estimator: Any, shape: tuple[int, ...]) -> Floats:
    answer = np.asarray(estimator.predict(np.zeros((1, shape[1]))), dtype=np.float64)
    return np.array(np.broadcast_to(answer.ravel(), shape[:1]))


def fits_intercept(estimator: Any) -> bool:
    """Return whether the leaf chooses its intercept freely."""
    return bool(getattr(estimator, "fit_intercept", True))


def keeps_positive(estimator: Any) -> bool:
    """Return whether the leaf was asked for weights that are not negative."""
    return bool(getattr(estimator, "positive", False))


def as_matrix(X: Any) -> Any:
    """Return X as a float array or a CSR array, without a copy where it is one already."""
    if sp.issparse(X):
        matrix = sp.csr_array(X)
        return matrix if matrix.dtype.kind == "f" else matrix.astype(np.float64)
    array: NDArray[Any] = np.asarray(X)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def require_obedience(estimator: Any, X: Any) -> None:
    """Raise TypeError unless predict follows the written weights.

    With all weights zero the prediction must be the same on every row; the weights are restored after.
    """
    rows = take_rows(X, np.arange(min(4, count_rows(X))))
    kept = estimator.coef_, estimator.intercept_
    try:
        try:
            estimator.coef_ = np.zeros_like(kept[0])
        except AttributeError:
            answers = None
        else:
            answers = estimator.predict(rows)
            answers = answers.toarray() if sp.issparse(answers) else np.asarray(answers)
    finally:
        estimator.coef_, estimator.intercept_ = kept
    if answers is None or not (answers == answers[:1]).all():
        raise TypeError(
            f"{type(estimator).__name__}.predict does not follow its coef_, so compressing it would change nothing: "
            "use a base that predicts from coef_, such as Ridge"
        )


_LINEAR_IN_LOGS = (MultinomialNB, BernoulliNB, ComplementNB, CategoricalNB)


def require_linear(estimator: Any) -> None:
    """Raise TypeError, naming the class and a way out, unless the fitted estimator has writable weights."""
    reason = _reason(estimator)
    if reason is not None:
        raise TypeError(f"{type(estimator).__name__} {reason}")


def _reason(estimator: Any) -> str | None:
    if isinstance(getattr(type(estimator), "coef_", None), property):
        return _of_a_kernel(estimator)
    if isinstance(estimator, _LINEAR_IN_LOGS):
        return (
            "is linear in its inputs but keeps log probabilities in place of coef_, which cannot be written: use "
            f"LogisticRegression, or distil it into one: {_distilled(estimator)}"
        )
    if _holds_estimators(estimator):
        return _of_several(estimator)
    if not hasattr(estimator, "coef_") or not hasattr(estimator, "intercept_"):
        return (
            "has no coef_ and intercept_, so there are no weights to compress: use a linear base such as "
            f"{_base(estimator)}, or distil it into one: {_distilled(estimator)}"
        )
    return None


def _of_a_kernel(estimator: Any) -> str:
    kernel = getattr(estimator, "kernel", None)
    linear = "LinearSVC" if is_classifier(estimator) else "LinearSVR"
    if kernel is not None and kernel != "linear":
        return (
            f"has kernel={kernel!r} and is not linear in its inputs: use {linear}, or distil it into a linear model: "
            f"{_distilled(estimator)}"
        )
    return (
        "computes its coef_ and does not let it be set: use a base that stores its weights, such as "
        f"{linear if kernel is not None else _base(estimator)}"
    )


def _holds_estimators(estimator: Any) -> bool:
    params = estimator.get_params(False) if hasattr(estimator, "get_params") else {}
    kinds = MetaEstimatorMixin, BaseEnsemble, VotingClassifier, VotingRegressor
    return isinstance(estimator, kinds) and bool({"estimator", "estimators"} & params.keys())


def _of_several(estimator: Any) -> str:
    parameters = estimator.get_params(False)
    if "estimator" not in parameters:
        return (
            "holds several models, whose sum has no coef_ of its own: put a wrapper around each of them, in "
            f"estimators, or distil all into one linear model: {_distilled(estimator)}"
        )
    inside = parameters["estimator"]
    if hasattr(estimator, "estimators_"):
        inside = next(iter(estimator.estimators_), inside)
    if inside is not None and not (hasattr(inside, "coef_") or hasattr(inside, "fit_intercept")):
        return (
            f"holds several models, none of them linear ({type(inside).__name__}): distil it into a linear model: "
            f"{_distilled(estimator)}"
        )
    linear = _base(estimator) if inside is None else type(inside).__name__
    wrapper = "PrunedClassifier" if is_classifier(estimator if inside is None else inside) else "PrunedRegressor"
    return (
        "holds one or several models and has no coef_ of its own: put the wrapper inside it, around the linear one, as "
        f"in {type(estimator).__name__}({wrapper}({linear}())), or distil it into one linear model: "
        f"{_distilled(estimator)}"
    )


def _base(estimator: Any) -> str:
    return "LogisticRegression" if is_classifier(estimator) else "Ridge"


def _distilled(estimator: Any) -> str:
    wrapper = "DistilledClassifier" if is_classifier(estimator) else "DistilledRegressor"
    return f"{wrapper}({_base(estimator)}(), teacher={type(estimator).__name__}(...))"

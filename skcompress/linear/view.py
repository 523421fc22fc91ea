"""Find the linear model inside a fitted estimator, and read and write its weights.

The *leaf* is the innermost estimator with ``coef_``: the last step of a Pipeline, the ``regressor_`` of a
TransformedTargetRegressor, and so on (table `INSIDE`). Every container also says how its own input and target
become the leaf's. Our own wrappers take part by a duck-typed protocol: a fitted wrapper has ``estimator_`` (the
model inside) and ``state_`` (a `State`), and the outermost state holds.

Weights are read as (m, p) float64 and intercepts as (m,), whatever shape the leaf has, such that the linear
predictor is ``X @ coef.T + intercept``. They are written back in the leaf's own shape and dtype.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import CCA, PLSCanonical, PLSRegression
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import RANSACRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import process_routing

from ..core.linalg import Floats
from .refusals import require_linear
from .rows import count_rows, take_params, take_rows
from .state import State

_CENTRED = (PLSRegression, PLSCanonical, CCA)


@dataclass(frozen=True)
class Leaf:
    """A fitted linear model together with what it was fitted on.

    Attributes
    ----------
    estimator : estimator
        The leaf, or on the way down the container that is to be opened next.
    X, y, sample_weight
        Input, target and weights as the leaf sees them; None where they were not given.
    steps : tuple of transformers
        The transformers that X has gone through, in order.
    frozen : bool
        Whether a FrozenEstimator holds the leaf.
    state : State or None
        What the outermost of our wrappers on the way has done to the weights.
    own_target : bool
        Whether the weights were distilled, so that they do not minimise the leaf's own loss on y.
    params : dict
        The arguments of fit, sample_weight aside, that reach the leaf.
    """

    estimator: Any
    X: Any = None
    y: Any = None
    sample_weight: Any = None
    steps: tuple[Any, ...] = field(default=())
    frozen: bool = False
    state: State | None = None
    own_target: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)


def _inside_pipeline(leaf: Leaf) -> Leaf:
    pipeline = leaf.estimator
    before = pipeline[:-1] if len(pipeline) > 1 else None
    X = leaf.X if before is None or leaf.X is None else before.transform(leaf.X)
    steps = leaf.steps if before is None else (*leaf.steps, *(step for _, step in before.steps))
    return replace(
        leaf, estimator=pipeline[-1], X=X, steps=steps, params=_params_of(pipeline, pipeline.steps[-1][0], leaf)
    )


def _params_of(container: Any, place: str, leaf: Leaf) -> Mapping[str, Any]:
    """Return which arguments of the fit of a container go to what is in this place of it."""
    if not leaf.params:
        return {}
    if sklearn.get_config()["enable_metadata_routing"]:
        routed = process_routing(container, "fit", **leaf.params)
        return {name: value for name, value in routed[place]["fit"].items() if name != "sample_weight"}
    if not isinstance(container, Pipeline):
        return leaf.params
    prefix = f"{place}__"
    return {name.removeprefix(prefix): value for name, value in leaf.params.items() if name.startswith(prefix)}


def _inside_transformed_target(leaf: Leaf) -> Leaf:
    y = leaf.y
    if y is not None:
        y = np.asarray(y)
        y = leaf.estimator.transformer_.transform(y.reshape(-1, 1) if y.ndim == 1 else y)
        y = y.squeeze(axis=1) if y.ndim == 2 and y.shape[1] == 1 else y
    return replace(leaf, estimator=leaf.estimator.regressor_, y=y, params=_params_of(leaf.estimator, "regressor", leaf))


def _inside_ransac(leaf: Leaf) -> Leaf:
    mask = leaf.estimator.inlier_mask_

    def inliers(array: Any) -> Any:
        return array if array is None or count_rows(array) != len(mask) else take_rows(array, np.flatnonzero(mask))

    return replace(
        leaf,
        estimator=leaf.estimator.estimator_,
        # What is inside gets an array, without the names of a frame.
        X=inliers(None if leaf.X is None else as_matrix(leaf.X)),
        y=inliers(leaf.y),
        sample_weight=inliers(leaf.sample_weight),
        params=take_params(_params_of(leaf.estimator, "estimator", leaf), np.flatnonzero(mask), len(mask)),
    )


def _inside_search(leaf: Leaf) -> Leaf:
    if not hasattr(leaf.estimator, "best_estimator_"):
        raise ValueError(
            f"{type(leaf.estimator).__name__} has no best_estimator_ to compress: set refit=True, or a metric's name"
        )
    params = _params_of(leaf.estimator, "estimator", leaf)
    return replace(leaf, estimator=leaf.estimator.best_estimator_, params=_without(params, ("groups",)))


def _inside_frozen(leaf: Leaf) -> Leaf:
    return replace(leaf, estimator=leaf.estimator.estimator, frozen=True, params={})


def _inside_wrapper(leaf: Leaf) -> Leaf:
    wrapper = leaf.estimator
    state = wrapper.state_ if leaf.state is None else leaf.state
    own_target = leaf.own_target or wrapper.distils
    params = _without(leaf.params, wrapper.own_params)
    return replace(leaf, estimator=wrapper.estimator_, state=state, own_target=own_target, params=params)


def _without(params: Mapping[str, Any], own: tuple[str, ...]) -> Mapping[str, Any]:
    """Return arguments of fit without those that are a container's own and go no further."""
    return {name: value for name, value in params.items() if name not in own}


INSIDE: dict[type, Callable[[Leaf], Leaf]] = {
    Pipeline: _inside_pipeline,
    TransformedTargetRegressor: _inside_transformed_target,
    RANSACRegressor: _inside_ransac,
    FrozenEstimator: _inside_frozen,
}


HOLDS: dict[type, str] = {
    TransformedTargetRegressor: "regressor_",
    RANSACRegressor: "estimator_",
    FrozenEstimator: "estimator",
}
"""Under which attribute a fitted container has the model inside."""


def inside_of(model: Any) -> Any:
    """Return the fitted model inside a container, or None."""
    if isinstance(model, Pipeline):
        return model.steps[-1][1]
    name = _place_inside(model)
    return None if name is None else getattr(model, name, None)


def put_inside(model: Any, inside: Any) -> None:
    """Give a fitted container another model inside."""
    name = _place_inside(model)
    if isinstance(model, Pipeline):
        model.steps[-1] = (model.steps[-1][0], inside)
    elif name is not None:
        setattr(model, name, inside)


def _place_inside(model: Any) -> str | None:
    if is_wrapper(model):
        return "estimator_"
    if is_search(model):
        return "best_estimator_"
    return next((name for kind, name in HOLDS.items() if isinstance(model, kind)), None)


def is_wrapper(estimator: Any) -> bool:
    """Return whether this is one of our own wrappers (fitted or not)."""
    return hasattr(type(estimator), "inner_estimator")


def is_search(estimator: Any) -> bool:
    """Return whether this is a search over parameters (fitted or not), such as GridSearchCV."""
    # A FrozenEstimator has every attribute of the search that it holds.
    frozen = isinstance(estimator, FrozenEstimator)
    return not frozen and all(hasattr(estimator, name) for name in ("refit", "estimator", "cv"))


def find_leaf(
    model: Any,
    X: Any = None,
    y: Any = None,
    sample_weight: Any = None,
    *,
    own_target: bool = False,
    params: Mapping[str, Any] | None = None,
) -> Leaf:
    """Return the leaf of a fitted model, with X, y, sample_weight and other arguments of fit as the leaf sees them.

    Raises
    ------
    TypeError
        If the innermost estimator has no coefficients that can be written.
    """
    others = {name: value for name, value in (params or {}).items() if name.rpartition("__")[2] != "sample_weight"}
    leaf = Leaf(model, X, y, sample_weight, own_target=own_target, params=others)
    while True:
        opener = _opener(leaf.estimator)
        if opener is None:
            require_linear(leaf.estimator)
            return leaf
        leaf = opener(leaf)


def _opener(estimator: Any) -> Callable[[Leaf], Leaf] | None:
    if is_wrapper(estimator):
        return _inside_wrapper
    if is_search(estimator):
        return _inside_search
    return next((opener for kind, opener in INSIDE.items() if isinstance(estimator, kind)), None)


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
    row: NDArray[Any] = array[0] if np.ndim(estimator.coef_) == 1 else array
    return row


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

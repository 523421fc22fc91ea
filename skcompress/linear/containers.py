"""Containers: what holds the linear model, opened fitted and unfitted, and given another model inside.

The *leaf* is the innermost estimator with ``coef_``: the last step of a Pipeline, the ``regressor_`` of a
TransformedTargetRegressor, and so on (table `CONTAINERS`). Every container also says how its own input and target
become the leaf's. Our own wrappers and searches over parameters are known by what they have: a fitted wrapper has
``estimator_`` (the model inside) and ``state_`` (a `State`), and the outermost state holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, RANSACRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import process_routing

from .rows import count_rows, take_params, take_rows
from .state import State
from .view import as_matrix, require_linear


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


@dataclass(frozen=True)
class Container:
    """How a kind of container holds an estimator.

    Attributes
    ----------
    place : str
        The attribute of the fitted container under which it is; in a Pipeline the last of its ``steps``.
    open : callable(leaf) -> leaf
        The fitted estimator inside, with X, y and weights as it sees them.
    unfitted : callable(container) -> estimator or None
        What is inside before it is fitted; None where nothing inside will be fitted.
    """

    place: str
    open: Callable[[Leaf], Leaf]
    unfitted: Callable[[Any], Any]


CONTAINERS: dict[type, Container] = {
    Pipeline: Container("steps", _inside_pipeline, lambda pipeline: pipeline.steps[-1][1]),
    TransformedTargetRegressor: Container(
        "regressor_", _inside_transformed_target, lambda target: target.regressor or LinearRegression()
    ),
    RANSACRegressor: Container("estimator_", _inside_ransac, lambda ransac: ransac.estimator or LinearRegression()),
    FrozenEstimator: Container("estimator", _inside_frozen, lambda frozen: None),
}

WRAPPER = Container("estimator_", _inside_wrapper, lambda wrapper: wrapper.estimator)
SEARCH = Container("best_estimator_", _inside_search, lambda search: search.estimator)


def container_of(estimator: Any) -> Container | None:
    """Return how an estimator, fitted or not, holds another one; None if it holds none."""
    if is_wrapper(estimator):
        return WRAPPER
    if is_search(estimator):
        return SEARCH
    return next((container for kind, container in CONTAINERS.items() if isinstance(estimator, kind)), None)


def inside_of(model: Any) -> Any:
    """Return the fitted model inside a container, or None."""
    if isinstance(model, Pipeline):
        return model.steps[-1][1]
    container = container_of(model)
    return None if container is None else getattr(model, container.place, None)


def put_inside(model: Any, inside: Any) -> None:
    """Give a fitted container another model inside."""
    container = container_of(model)
    if isinstance(model, Pipeline):
        model.steps[-1] = (model.steps[-1][0], inside)
    elif container is not None:
        setattr(model, container.place, inside)


def unfitted_inside(estimator: Any) -> Any:
    """Return the estimator inside an unfitted container, or None."""
    container = container_of(estimator)
    return None if container is None else container.unfitted(estimator)


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
        container = container_of(leaf.estimator)
        if container is None:
            require_linear(leaf.estimator)
            return leaf
        leaf = container.open(leaf)


def innermost(estimator: Any) -> Any:
    """Return the estimator at the heart of an unfitted one: a linear base, or the FrozenEstimator that holds it."""
    if is_wrapper(estimator) and estimator.estimator is None:
        return estimator.inner_estimator()
    inside = unfitted_inside(estimator)
    return estimator if inside is None else innermost(inside)


def wrappers_of(estimator: Any, *, frozen: bool = False) -> Iterator[Any]:
    """Yield those of our wrappers, from the outside in, that an unfitted estimator is made of.

    Those that a FrozenEstimator holds, which are fitted, are among them where `frozen` asks for it.
    """
    while estimator is not None:
        if is_wrapper(estimator):
            yield estimator
        held = frozen and isinstance(estimator, FrozenEstimator)
        estimator = estimator.estimator if held else unfitted_inside(estimator)


def without_pipelines(estimator: Any) -> Any:
    """Return what an unfitted Pipeline, and a Pipeline at its end, ends in."""
    return without_pipelines(estimator.steps[-1][1]) if isinstance(estimator, Pipeline) else estimator

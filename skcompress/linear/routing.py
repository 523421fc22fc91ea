"""Hand sample_weight to the estimator inside, and know which weight its leaf was fitted with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sklearn
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from .containers import innermost, is_wrapper, unfitted_inside


def require_estimator(estimator: Any, wrapper: str) -> None:
    """Raise TypeError, naming the parameter, unless this is an instance of an estimator."""
    if isinstance(estimator, type):
        name = estimator.__name__
        raise TypeError(f"estimator={name} of {wrapper} is a class: give an instance, {name}()")
    if not (hasattr(estimator, "fit") and hasattr(estimator, "get_params")):
        raise TypeError(
            f"estimator={estimator!r} of {wrapper} is no estimator: give an instance of a linear model, such as "
            f"Ridge(), or None"
        )
    heart = innermost(estimator)
    if isinstance(heart, (str, Pipeline)):
        last = heart if isinstance(heart, str) else None
        raise TypeError(
            f"estimator of {wrapper} ends in the step {last!r}, which has no weights: end the Pipeline in a linear "
            "model, such as Ridge()"
        )


def require_fitted(model: Any, parameter: str, function: str) -> None:
    """Raise TypeError, naming the parameter, unless this is an instance of an estimator; NotFittedError if unfitted."""
    if isinstance(model, type) or not hasattr(model, "fit"):
        shown = f"the class {model.__name__}" if isinstance(model, type) else repr(model)
        raise TypeError(f"{parameter} of {function} must be a fitted estimator, got {shown}")
    check_is_fitted(model)


def require_random_state(random_state: Any) -> None:
    """Raise ValueError, naming the parameter, unless scikit-learn takes this for a random_state."""
    try:
        check_random_state(random_state)
    except ValueError:
        raise ValueError(
            f"random_state={random_state!r} must be None, an integer from 0 to 2**32 - 1, or a numpy RandomState"
        ) from None


def fit_params_of(owner: Any, inner: Any, sample_weight: Any, fit_params: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments for ``inner.fit``.

    With metadata routing enabled these are what `inner` has requested, and the weights of the rows where it is frozen,
    which are for the loss alone. Without it, `fit_params` go through as they
    are and `sample_weight` goes to the last step of a Pipeline and to the estimator inside a container.

    Raises
    ------
    ValueError
        If `sample_weight` is given and `inner` takes none.
    """
    given = dict(fit_params)
    if sklearn.get_config()["enable_metadata_routing"]:
        if sample_weight is not None and _is_frozen(inner):
            return {**fit_params_of(owner, inner, None, given), "sample_weight": sample_weight}
        if sample_weight is not None:
            given["sample_weight"] = sample_weight
        return dict(process_routing(owner, "fit", **given)["estimator"]["fit"]) if given else {}
    return {**given, **weight_params(inner, sample_weight)}


def _is_frozen(inner: Any) -> bool:
    """Return whether nothing but our wrappers is around a frozen estimator, so that the weights are for the loss."""
    while is_wrapper(inner):
        inner = inner.inner_estimator()
    return isinstance(inner, FrozenEstimator)


def weight_params(inner: Any, sample_weight: Any) -> dict[str, Any]:
    """Return the keyword argument under which ``inner.fit`` takes the weights of the rows; {} for None.

    Raises
    ------
    ValueError
        If `inner` takes none.
    """
    return {} if sample_weight is None else {_weight_name(inner, inner): sample_weight}


def leaf_weight(fit_params: Mapping[str, Any]) -> Any:
    """Return the sample weight among the arguments of a fit, under whatever step's name, or None."""
    return next((value for name, value in fit_params.items() if name.rpartition("__")[2] == "sample_weight"), None)


def weight_given(sample_weight: Any, fit_params: dict[str, Any]) -> Any:
    """Return the weights of the rows that a fit was given, by their own name or under a step's, or None."""
    return leaf_weight(fit_params) if sample_weight is None else sample_weight


def _weight_name(inner: Any, outermost: Any) -> str:
    """Return the name under which `inner` takes the weights of the rows; a frozen one ignores them."""
    if isinstance(inner, FrozenEstimator) or has_fit_parameter(inner, "sample_weight"):
        return "sample_weight"
    inside = unfitted_inside(inner)
    if inside is not None:
        name = _weight_name(inside, outermost)
        return f"{inner.steps[-1][0]}__{name}" if isinstance(inner, Pipeline) else name
    where = "" if inner is outermost else f" (inside {type(outermost).__name__})"
    raise ValueError(
        f"sample_weight is given, but the fit of {type(inner).__name__}{where} takes none: use a base that takes "
        "sample_weight, or leave it out"
    )

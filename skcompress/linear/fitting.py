"""Fit the estimator inside: what it may be, which arguments its fit is handed, and from a cache where that is the same.

A cache hands back the first fit for ever. With ``random_state=None`` that fit is one draw of many, and all candidates
and later runs would share it unseen; such a base is refused.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_is_fitted, check_memory, has_fit_parameter

from .containers import innermost, is_wrapper, unfitted_inside
from .view import require_kind


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


def require_fitting(places: Sequence[Any], y: Any) -> None:
    """Raise before anything is fitted: TypeError for what cannot be inside, ValueError for parameters out of range."""
    for place in reversed(places):
        wrapper, name = place.wrapper, type(place.wrapper).__name__
        inner = wrapper.inner_estimator()
        require_estimator(inner, name)
        require_kind(innermost(inner), name)
        wrapper.check_parameters()
        if y is None and (wrapper.distils or not isinstance(innermost(inner), FrozenEstimator)):
            only = "; only a FrozenEstimator, which is fitted already, can be compressed without it"
            reason = "" if wrapper.distils else only
            raise ValueError(f"{name} requires y to be passed, but the target y is None{reason}")


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


DETERMINISTIC_BY: dict[str, Callable[[Any], bool]] = {
    "solver": {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "lbfgs", "newton-cg", "newton-cholesky"}.__contains__,
    "svd_solver": {"full", "covariance_eigh"}.__contains__,
    "selection": "cyclic".__eq__,
    "dual": lambda dual: dual is False,
    "jitter": lambda jitter: jitter is None,
    "rounding": lambda rounding: isinstance(rounding, str) and rounding != "stochastic",
    "n_restarts": lambda n_restarts: n_restarts == 0,
    "shuffle": lambda shuffle: shuffle is False,
    "max_bytes": lambda max_bytes: True,
}
"""Parameters of scikit-learn's estimators and ours, and whether with a value of theirs `random_state` is not used.

The first of them that an estimator has decides.
"""


def fit_clone(estimator: Any, X: Any, y: Any, params: Mapping[str, Any]) -> Any:
    """Return a fitted clone of the estimator; a copy of a frozen one, so that the user's model stays as it is."""
    try:
        fitted = clone(estimator).fit(X, y, **params)
    except TypeError as error:
        dates = [name for name in getattr(X, "columns", ()) if str(X[name].dtype).lower().startswith("date")]
        if dates:
            error.add_note(
                f"column {dates[0]!r} of X holds dates, and no transformer of the estimator makes numbers of them: "
                "drop it, or turn it into numbers (year, month, days up to a fixed day)"
            )
        raise
    return copy.deepcopy(fitted) if isinstance(innermost(estimator), FrozenEstimator) else fitted


@dataclass(frozen=True)
class CachedFit:
    """`fit_clone` through a cache, for bases whose fit does not change from call to call.

    Attributes
    ----------
    cached : callable
        `fit_clone`, as the cache returns it.
    """

    cached: Any

    def __call__(self, estimator: Any, X: Any, y: Any, params: Mapping[str, Any]) -> Any:
        """Return a fitted clone, from the cache if it is there.

        Raises
        ------
        ValueError
            If a part of the estimator draws new random numbers in each fit.
        """
        for name, part in _random_parts(estimator):
            raise ValueError(
                f"memory= would hand back one random fit of {type(part).__name__} for all that follow, because its "
                f"random_state is None: set {name} to an integer, or memory=None"
            )
        return self.cached(estimator, X, y, params)


def base_fit_through(memory: Any) -> Callable[..., Any]:
    """Return how to fit the base: through a cache, or as it is where `memory` is None or has no place to keep it."""
    if memory is None or getattr(memory, "location", memory) is None:
        return fit_clone
    return CachedFit(check_memory(memory).cache(fit_clone))


def _random_parts(estimator: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts of an estimator, itself and splitters too, that differ in each fit, with their parameter."""
    parts = {"": estimator, **estimator.get_params(deep=True)}
    frozen = [name for name, part in parts.items() if isinstance(part, FrozenEstimator)]
    for name, part in parts.items():
        if any(name == above or not above or name.startswith(f"{above}__") for above in frozen):
            continue
        unset = getattr(part, "random_state", 0)
        if (unset is None or unset is np.random) and not _is_deterministic(part):
            yield (f"{name}__random_state" if name else "random_state"), part


def _is_deterministic(part: Any) -> bool:
    """Whether the parameters say that `random_state` is not used."""
    if getattr(part, "early_stopping", False) is not False:
        return False
    for name, is_deterministic in DETERMINISTIC_BY.items():
        if hasattr(part, name):
            return is_deterministic(getattr(part, name))
    return False

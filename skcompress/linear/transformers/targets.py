"""Compile the target's transformer of a TransformedTargetRegressor: into the link, or into weights and intercept.

y = inverse(eta): exp and exp - 1 are links; an affine inverse y = a eta + b goes into the weights.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from .registry import cannot_compile

INVERSES: dict[Any, str] = {None: "identity", np.exp: "log", np.expm1: "log1p", np.square: "sqrt"}
"""From the inverse function of the target to the link."""


class Target(NamedTuple):
    """y = inverse link of (factor x eta + shift), per output."""

    link: str
    factor: NDArray[np.float64]
    shift: NDArray[np.float64]


def target_of(transformer: Any) -> Target:
    """Return what a fitted target transformer does to the prediction.

    Raises
    ------
    ValueError
        If its inverse is not known.
    """
    one, zero = np.ones(1), np.zeros(1)
    if isinstance(transformer, FunctionTransformer):
        inverse = transformer.inverse_func
        if inverse not in INVERSES or transformer.inv_kw_args or (inverse is None and transformer.func is not None):
            known = ", ".join(function.__name__ for function in INVERSES if function is not None)
            raise cannot_compile(transformer, f"inverse_func={inverse!r} of the target is not one of numpy's {known}")
        return Target(INVERSES[inverse], one, zero)
    if isinstance(transformer, StandardScaler):
        return Target("identity", _or(transformer.scale_, one), _or(transformer.mean_, zero))
    if isinstance(transformer, RobustScaler):
        return Target("identity", _or(transformer.scale_, one), _or(transformer.center_, zero))
    if isinstance(transformer, MaxAbsScaler):
        return Target("identity", np.asarray(transformer.scale_), zero)
    if isinstance(transformer, MinMaxScaler):
        return Target("identity", 1.0 / transformer.scale_, -transformer.min_ / transformer.scale_)
    raise cannot_compile(transformer, "its inverse is not known for a target")


def _or(array: Any, default: NDArray[np.float64]) -> NDArray[np.float64]:
    return default if array is None else np.asarray(array, dtype=np.float64)

"""Terms of one number each: functions of one source, column by column.

affine      (x - offset) / divisor
scaled      factor x + shift
clip        min(max(x, low), high)
fill        value where x is the marker of missing values (NaN or a number), else x
missing     1 where x is the marker, else 0
function    log(1 + x) and others, by number: table `FUNCTIONS`
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kind import Params, one_for_each

FUNCTIONS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    0: np.log1p,
    1: np.log,
    2: np.log10,
    3: np.log2,
    4: np.sqrt,
    5: np.cbrt,
    6: np.square,
    7: np.abs,
    8: np.sign,
    9: np.exp,
    10: np.expm1,
    11: np.reciprocal,
    12: np.negative,
    13: np.sin,
    14: np.cos,
    15: np.tanh,
    16: np.arcsinh,
    17: np.floor,
    18: np.rint,
}


SIGN, NEGATIVE, SIN, COS, TANH, ARCSINH, FLOOR, RINT = 8, 12, 13, 14, 15, 16, 17, 18
"""Functions that others need to know by number."""

ROUGH_AT_ZERO = (5, 7, SIGN, 11)
"""Those that are not smooth at 0."""

INCREASING = (0, 1, 2, 3, 4, 5, SIGN, 9, 10, TANH, ARCSINH, FLOOR, RINT)
"""Those that never fall."""


def _affine(X: NDArray[Any], offset: NDArray[Any], divisor: NDArray[Any]) -> NDArray[Any]:
    return (X - offset) / divisor


def _scaled(X: NDArray[Any], factor: NDArray[Any], shift: NDArray[Any]) -> NDArray[Any]:
    return X * factor + shift


def _clip(X: NDArray[Any], low: NDArray[Any], high: NDArray[Any]) -> NDArray[Any]:
    return np.clip(X, low, high)


def _is_missing(X: NDArray[Any], marker: tuple[Any, ...]) -> NDArray[np.bool_]:
    return np.isnan(X) if marker[0] != marker[0] else marker[0] == X


def _fill(X: NDArray[Any], marker: tuple[Any, ...], value: NDArray[Any]) -> NDArray[Any]:
    return np.where(_is_missing(X, marker), value, X)


def _missing(X: NDArray[Any], marker: tuple[Any, ...]) -> NDArray[Any]:
    return _is_missing(X, marker).astype(np.float64)


def _function(X: NDArray[Any], function: int) -> NDArray[Any]:
    # Outside of its domain a function gives NaN or infinity, which the prediction refuses.
    with np.errstate(all="ignore"):
        return FUNCTIONS[function](X)


def _has_marker(params: Params) -> bool:
    return len(params["marker"]) == 1 and isinstance(params["marker"][0], (int, float))


AFFINE = one_for_each(
    4,
    (("offset", "floats"), ("divisor", "floats")),
    ("offset", "divisor"),
    _affine,
    lambda params: bool(params["divisor"].all()),
)
SCALED = one_for_each(15, (("factor", "floats"), ("shift", "floats")), ("factor", "shift"), _scaled)
CLIP = one_for_each(5, (("low", "floats"), ("high", "floats")), ("low", "high"), _clip, hides_infinity=True)
FILL = one_for_each(6, (("marker", "scalars"), ("value", "floats")), ("value",), _fill, _has_marker)
MISSING = one_for_each(7, (("marker", "scalars"),), (), _missing, _has_marker, hides_infinity=True)
FUNCTION = one_for_each(
    8, (("function", "int"),), (), _function, lambda params: params["function"] in FUNCTIONS, hides_infinity=True
)

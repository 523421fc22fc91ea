"""Terms of numbers: functions of one source, column by column, and products of several.

affine      (x - offset) / divisor
scaled      factor x + shift
clip        min(max(x, low), high)
fill        value where x is the marker of missing values (NaN or a number), else x
missing     1 where x is the marker, else 0
function    log(1 + x) and others, by number: table `FUNCTIONS`
product     output j is the product of sizes[j] sources; `factors` lists them one output after the other. A power is a
            source that comes more than once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kind import Column, Function, Kept, Mask, Params, TermKind, one_for_each

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
    return np.asarray((X - offset) / divisor)


def _scaled(X: NDArray[Any], factor: NDArray[Any], shift: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(X * factor + shift)


def _clip(X: NDArray[Any], low: NDArray[Any], high: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.clip(X, low, high))


def _is_missing(X: NDArray[Any], marker: tuple[Any, ...]) -> NDArray[np.bool_]:
    return np.asarray(np.isnan(X) if marker[0] != marker[0] else marker[0] == X)


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


def _check_product(params: Params, n_sources: int) -> int:
    sizes, factors = params["sizes"], params["factors"]
    # A size beyond the number of factors could make the sum wrap around.
    if ((sizes < 1) | (sizes > len(factors))).any() or int(sizes.sum()) != len(factors):
        raise ValueError("a product has at least one factor, and as many as its size says")
    if len(factors) and not 0 <= factors.min() <= factors.max() < n_sources:
        raise ValueError("a product has a factor that is no source")
    return len(sizes)


def _prepare_product(params: Params, name: str) -> Function:
    sizes, factors = params["sizes"], params["factors"]
    starts = np.cumsum(sizes) - sizes
    groups = []
    for size in np.unique(sizes):
        outputs = np.flatnonzero(sizes == size)
        groups.append((outputs, factors[starts[outputs][:, None] + np.arange(size)]))

    def run(columns: Sequence[Column]) -> NDArray[np.float64]:
        X = np.column_stack(columns)
        out = np.empty((len(X), len(sizes)), dtype=X.dtype)
        for outputs, sources in groups:
            product = X[:, sources[:, 0]]
            for place in range(1, sources.shape[1]):
                product = product * X[:, sources[:, place]]
            out[:, outputs] = product
        return out

    return run


def _keep_product(params: Params, mask: Mask, n_sources: int) -> Kept:
    factors = params["factors"][np.repeat(mask, params["sizes"])]
    used = np.zeros(n_sources, dtype=bool)
    used[factors] = True
    return {"sizes": params["sizes"][mask], "factors": (np.cumsum(used) - 1)[factors]}, used


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
PRODUCT = TermKind(
    12, (("sizes", "ints"), ("factors", "ints")), "numbers", _check_product, _prepare_product, _keep_product
)

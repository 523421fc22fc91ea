"""Transformers that give a column for a column: scalers, functions, imputers, selections among them, and of the target.

What replaces a missing value stays with the column until it is known whether a number or a category is wanted; the
indicators of missing values are columns of their own. A selection has been made and is not repeated.

Of the transformer of a TransformedTargetRegressor the inverse counts, y = inverse(eta): exp and exp - 1 are links; an
affine inverse y = a eta + b goes into the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)

from ...artifact.categories import scalar_of
from ...artifact.terms import NO_TERM
from ...artifact.terms.numbers import FUNCTIONS
from ...core.linalg import Mask
from .graph import Column, Graph
from .registry import (
    KINDS,
    LOCAL,
    OTHER,
    Kind,
    Narrowed,
    Notes,
    cannot_compile,
    left,
    local_needs,
    narrowed_locally,
    needs_all,
    register_transformer,
)

NUMBERS: dict[Any, int] = {function: number for number, function in FUNCTIONS.items()}


def standardised(columns: Sequence[Column], offset: Any, divisor: Any) -> list[Column]:
    """Return (column - offset) / divisor for arrays of both, or None for 0 and 1."""
    offsets = np.zeros(len(columns)) if offset is None else np.asarray(offset, dtype=np.float64)
    divisors = np.ones(len(columns)) if divisor is None else np.asarray(divisor, dtype=np.float64)
    return [c.standardised(o, d) for c, o, d in zip(columns, offsets, divisors, strict=True)]


def compile_standard(scaler: StandardScaler, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile (x - mean) / scale."""
    mean = scaler.mean_ if scaler.with_mean else None
    return standardised(columns, mean, scaler.scale_ if scaler.with_std else None)


def compile_robust(scaler: RobustScaler, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile (x - centre) / scale."""
    centre = scaler.center_ if scaler.with_centering else None
    return standardised(columns, centre, scaler.scale_ if scaler.with_scaling else None)


def compile_max_abs(scaler: MaxAbsScaler, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile x / scale, and the clip to -1..1."""
    out = standardised(columns, None, scaler.scale_)
    if getattr(scaler, "clip", False):
        out = graph.clipped(out, [-1.0] * len(out), [1.0] * len(out))
    return out


def compile_min_max(scaler: MinMaxScaler, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile x scale + min, and the clip to the range."""
    out = [c.scaled(s, m) for c, s, m in zip(columns, scaler.scale_, scaler.min_, strict=True)]
    if scaler.clip:
        low, high = scaler.feature_range
        out = graph.clipped(out, [low] * len(out), [high] * len(out))
    return out


def compile_binarizer(binarizer: Binarizer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile 1 where x > threshold."""
    edge = float(np.nextafter(binarizer.threshold, np.inf))
    params = {"edges": [edge], "values": [0.0, 1.0]}
    return [made for column in graph.as_nodes(columns) for made in graph.add("step", [column], params)]


def compile_function(transformer: FunctionTransformer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile a function that is in the table."""
    if transformer.func is None:
        return list(columns)
    if transformer.func not in NUMBERS or transformer.kw_args:
        known = ", ".join(function.__name__ for function in NUMBERS)
        raise cannot_compile(transformer, f"func={transformer.func!r} is not None or one of numpy's {known}")
    return graph.add("function", graph.as_nodes(columns), {"function": NUMBERS[transformer.func]})


def _is_one_to_one(step: FunctionTransformer) -> bool:
    return step.func is None or step.feature_names_out == "one-to-one"


def _function_needs(step: Any, wanted: Mask) -> Mask:
    return local_needs(step, wanted) if _is_one_to_one(step) else needs_all(step, wanted)


def _function(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    return (narrowed_locally if _is_one_to_one(step) else left)(step, given, wanted, notes)


def compile_imputer(imputer: SimpleImputer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile the fill values, and the indicators behind them."""
    sources = _sources(columns, graph)
    marker = scalar_of(imputer.missing_values)
    out = []
    for column, statistic in zip(sources, imputer.statistics_, strict=True):
        value = scalar_of(statistic)
        if value != value and not imputer.keep_empty_features:
            # A column without a single value at fit time is left out.
            continue
        out.append(column._replace(fill=(marker, value)))
    if imputer.add_indicator:
        out += _indicators(imputer.indicator_, sources, graph, by_value=imputer.statistics_.dtype.kind == "O")
    return out


def compile_indicator(indicator: MissingIndicator, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile 1 where a value is missing."""
    return _indicators(indicator, _sources(columns, graph), graph, by_value=True)


def _indicators(
    indicator: MissingIndicator, columns: Sequence[Column], graph: Graph, *, by_value: bool
) -> list[Column]:
    """Add the indicators: of numbers, or (which costs more, but holds for numbers too) of values."""
    marker = scalar_of(indicator.missing_values)
    chosen = [columns[place] for place in indicator.features_]
    if not by_value:
        return graph.add("missing", chosen, {"marker": (marker,)}) if chosen else []
    # A column of numbers has NaN where a database or polars has none: both are the missing value.
    levels = [float("nan"), None] if marker is None or marker != marker else [marker]
    table: dict[str, Any] = {"levels": levels, "slots": [0] * len(levels), "other": NO_TERM}
    return [made for column in chosen for made in graph.add("category", [column], table)]


def _sources(columns: Sequence[Column], graph: Graph) -> list[Column]:
    return [column if column.is_node else graph.as_nodes([column])[0] for column in columns]


def compile_selection(selector: Any, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Keep the chosen columns."""
    return [columns[place] for place in np.flatnonzero(selector.get_support()).tolist()]


def _selected(step: Any, wanted: Mask) -> Mask:
    chosen = np.asarray(step.get_support())
    needed = np.zeros(len(chosen), dtype=bool)
    needed[np.flatnonzero(chosen)[wanted]] = True
    return needed


def _selection(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    needed = _selected(step, wanted)
    if np.array_equal(needed, given):
        return Narrowed("passthrough", wanted)
    places = np.flatnonzero(needed[given]).tolist()
    return Narrowed(ColumnTransformer([("selected", "passthrough", places)]), wanted)


register_transformer(StandardScaler, compile_standard)
register_transformer(RobustScaler, compile_robust)
register_transformer(MaxAbsScaler, compile_max_abs)
register_transformer(MinMaxScaler, compile_min_max)
register_transformer(Binarizer, compile_binarizer)
register_transformer(FunctionTransformer, compile_function)
register_transformer(SimpleImputer, compile_imputer)
register_transformer(MissingIndicator, compile_indicator)
register_transformer(SelectorMixin, compile_selection)

KINDS.update(
    {
        OneToOneFeatureMixin: LOCAL,
        Normalizer: OTHER,
        FunctionTransformer: Kind(_function_needs, _function),
        MissingIndicator: LOCAL,
        SimpleImputer: LOCAL,
        SelectorMixin: Kind(_selected, _selection),
    }
)


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

"""Fold SimpleImputer and MissingIndicator.

What replaces a missing value stays with the column until it is known whether a number or a category is wanted; the
indicators of missing values are columns of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.impute import MissingIndicator, SimpleImputer

from ...artifact.categories import scalar_of
from ...artifact.terms import NO_TERM
from .graph import Column, Graph
from .registry import register_fold


def fold_imputer(imputer: SimpleImputer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold the fill values, and the indicators behind them."""
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


def fold_indicator(indicator: MissingIndicator, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold 1 where a value is missing."""
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
    return [column if column.is_node else graph.settled([column])[0] for column in columns]


register_fold(SimpleImputer, fold_imputer)
register_fold(MissingIndicator, fold_indicator)

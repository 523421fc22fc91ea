"""Fold what holds other transformers: Pipeline, ColumnTransformer, FeatureUnion, FrozenEstimator."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from .graph import Column, Graph
from .registry import fold, register_fold


def fold_pipeline(pipeline: Pipeline, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold the steps one after the other."""
    for _, step in pipeline.steps:
        columns = fold(step, columns, graph)
    return list(columns)


def fold_union(union: FeatureUnion, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold each part on all the columns, side by side."""
    weights = union.transformer_weights or {}
    out: list[Column] = []
    for name, part in union.transformer_list:
        if part is None or (isinstance(part, str) and part == "drop"):
            continue
        factor = weights.get(name, 1.0)
        made = fold(part, columns, graph)
        out += [column.scaled(factor) for column in made] if factor != 1.0 else made
    return out


def fold_columns(transformer: ColumnTransformer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold each part on its own columns, side by side."""
    names = [str(name) for name in getattr(transformer, "feature_names_in_", [])]
    out: list[Column] = []
    for _, part, chosen in transformer.transformers_:
        if isinstance(part, str) and part == "drop":
            continue
        places = positions_of(chosen, names, len(columns))
        if places:
            out += fold(part, [columns[place] for place in places], graph)
    return out


def fold_frozen(frozen: FrozenEstimator, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold what is frozen."""
    return fold(frozen.estimator, columns, graph)


def positions_of(chosen: Any, names: Sequence[str], n_columns: int) -> list[int]:
    """Return the places of columns that are given as a ColumnTransformer takes them.

    Parameters
    ----------
    chosen : str, int, slice, or list of str, int or bool
        What a fitted ColumnTransformer has in ``transformers_``.
    names : sequence of str
        Names of its input columns, or nothing.
    n_columns : int
        Number of its input columns.
    """
    every = range(n_columns)
    if isinstance(chosen, slice):
        start, stop = (names.index(end) if isinstance(end, str) else end for end in (chosen.start, chosen.stop))
        # A slice of names contains its end.
        stop = stop + 1 if isinstance(chosen.stop, str) else stop
        return list(every[slice(start, stop, chosen.step)])
    listed = _listed(chosen)
    if listed and all(isinstance(item, (bool, np.bool_)) for item in listed):
        return [place for place, wanted in enumerate(listed) if wanted]
    return [names.index(item) if isinstance(item, str) else every[item] for item in listed]


def _listed(chosen: Any) -> list[Any]:
    if isinstance(chosen, str) or np.isscalar(chosen):
        return [chosen]
    with warnings.catch_warnings():
        # scikit-learn 1.6 warns whoever looks at the columns of the remainder.
        warnings.simplefilter("ignore", FutureWarning)
        return list(chosen)


register_fold(Pipeline, fold_pipeline)
register_fold(FeatureUnion, fold_union)
register_fold(ColumnTransformer, fold_columns)
register_fold(FrozenEstimator, fold_frozen)

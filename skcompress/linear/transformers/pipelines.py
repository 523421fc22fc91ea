"""Fold what holds other transformers: Pipeline, ColumnTransformer, FeatureUnion, FrozenEstimator."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from ..column_parts import column_parts
from .graph import Column, Graph
from .registry import fold, register_fold

_READS = "(it reads"
_SHOWN = 8


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
    out: list[Column] = []
    for part in column_parts(transformer):
        try:
            out += fold(part.transformer, [columns[place] for place in part.places], graph)
        except ValueError as error:
            if _READS in str(error):
                raise
            names = getattr(transformer, "feature_names_in_", range(transformer.n_features_in_))
            told = ", ".join(repr(names[place]) for place in part.places[:_SHOWN])
            more = ", ..." if len(part.places) > _SHOWN else ""
            raise ValueError(f"{error} {_READS} {told}{more})") from error
    return out


def fold_frozen(frozen: FrozenEstimator, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold what is frozen."""
    return fold(frozen.estimator, columns, graph)


register_fold(Pipeline, fold_pipeline)
register_fold(FeatureUnion, fold_union)
register_fold(ColumnTransformer, fold_columns)
register_fold(FrozenEstimator, fold_frozen)

"""Warn of columns that are encoded with nearly one category for each row: identifiers, and dates kept as strings."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OneHotEncoder

from .column_parts import column_parts
from .columns import Columns
from .lineage import Origins, origins_through
from .rows import count_rows

ROWS_A_CATEGORY = 3
"""A column with fewer rows a category, on average, is told."""

LEAST_CATEGORIES = 100
"""Fewer categories than this cost nothing."""


def warn_of_identifiers(columns: Columns) -> None:
    """Warn of each input column that a OneHotEncoder turns into nearly as many features as there are rows."""
    n_rows = count_rows(columns.leaf.X)
    origins: Origins = [frozenset([place]) for place in range(len(columns.inputs))]
    told = set()
    for origin, n_categories in _one_hot(columns.leaf.steps, origins):
        name = ", ".join(repr(columns.inputs[place]) for place in sorted(origin))
        if n_categories < LEAST_CATEGORIES or n_categories * ROWS_A_CATEGORY <= n_rows or name in told:
            continue
        told.add(name)
        warnings.warn(
            f"column {name} has {n_categories} categories on {n_rows} rows, each a feature of its own: an identifier "
            "predicts nothing and takes minutes to search. Drop it, turn a date into numbers (year, month, age in "
            "days), or group rare categories by OneHotEncoder(min_frequency=...)",
            UserWarning,
            stacklevel=2,
        )


def _one_hot(steps: Sequence[Any], origins: Origins) -> Iterator[tuple[frozenset[int], int]]:
    """Yield the inputs and the number of features of each column that a OneHotEncoder reads."""
    for step in steps:
        if isinstance(step, Pipeline):
            yield from _one_hot([inner for _, inner in step.steps], origins)
        elif isinstance(step, FeatureUnion):
            for _, part in step.transformer_list:
                yield from _one_hot([part], origins)
        elif isinstance(step, ColumnTransformer):
            for part in column_parts(step):
                yield from _one_hot([part.transformer], [origins[place] for place in part.places])
        elif isinstance(step, OneHotEncoder):
            grouped = step.infrequent_categories_ if hasattr(step, "infrequent_categories_") else None
            for place, categories in enumerate(step.categories_):
                rare = None if grouped is None else grouped[place]
                yield origins[place], len(categories) - (0 if rare is None else len(rare) - 1)
        origins = origins_through(step, origins)

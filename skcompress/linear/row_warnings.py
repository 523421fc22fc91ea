"""Warnings of columns that the rows say too little about.

Identifiers, and dates kept as strings, have nearly one category for each row. Weights of a frozen or distilled model
may belong to columns that do not vary on these rows (`skcompress.core.unseen`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OneHotEncoder

from ..core.linalg import Floats, Mask
from ..core.quadratic import QuadraticModel
from ..core.unseen import unseen
from .column_names import Columns
from .lineage import Origins, column_parts, origins_through
from .problem import LinearProblem
from .rows import count_rows

MOST_CHANGED = 0.5
"""Share of such a weight that rounding may take or add without a warning."""


def warn_of_pruned(problem: LinearProblem, quadratic: QuadraticModel, support: Mask, columns: Columns) -> None:
    """Warn if weights without curvature are pruned, (m, p): the rows cannot tell what that costs."""
    # Of another model the quadratic may be that of all classes in one row.
    pruned = unseen(quadratic) & ~support if _from_elsewhere(problem) else np.zeros(1, dtype=bool)
    if pruned.any():
        told = columns.told(np.flatnonzero(pruned.any(axis=0)))
        warnings.warn(
            f"pruning drops {told}, which these rows say nothing about, as nothing varies "
            "there: the loss on other rows may be larger than loss_increase_; pass rows on which they vary, or keep "
            "them by keep=[...]",
            UserWarning,
            stacklevel=2,
        )


def warn_of_changed(problem: LinearProblem, quadratic: QuadraticModel, weights: Floats, columns: Columns) -> None:
    """Warn if the grid has no value near a weight without curvature, given the rounded weights, (m, p)."""
    centre = quadratic.centre
    changed = unseen(quadratic) & (np.abs(weights - centre) > MOST_CHANGED * np.abs(centre))
    if _from_elsewhere(problem) and changed.any():
        output, column = (int(place) for place in np.argwhere(changed)[0])
        told = columns.told(np.flatnonzero(changed.any(axis=0)))
        warnings.warn(
            f"the weight of {told} is rounded from {centre[output, column]:.3g} to "
            f"{weights[output, column]:.3g}: the column does not vary on these rows, which choose the scale by the "
            "others; pass rows on which it varies, granularity='feature' or more bits",
            UserWarning,
            stacklevel=2,
        )


def _from_elsewhere(problem: LinearProblem) -> bool:
    """Return whether the weights may know other rows than these: those of a teacher, or of another fit."""
    return problem.leaf.frozen or problem.leaf.own_target


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

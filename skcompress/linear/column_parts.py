"""The parts of a fitted ColumnTransformer, each with the places of the columns that it reads.

A part whose columns are none, such as a selector of text on a frame of numbers, is never fitted: scikit-learn keeps it
as it was given. It reads nothing and gives nothing, so it is no part here.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer


class ColumnPart(NamedTuple):
    """A part of a ColumnTransformer that reads at least one column.

    Attributes
    ----------
    name : str
        Its name; "remainder" for the columns that no other part reads.
    transformer : transformer or "passthrough"
        As fitted.
    columns : str, int, slice or list
        Its columns as they were given.
    places : list of int
        The same as places among the inputs.
    outputs : slice
        Its places among the outputs.
    """

    name: str
    transformer: Any
    columns: Any
    places: list[int]
    outputs: slice


def column_parts(transformer: ColumnTransformer) -> list[ColumnPart]:
    """Return the parts of a fitted ColumnTransformer that are not dropped and read at least one column."""
    names = [str(name) for name in getattr(transformer, "feature_names_in_", [])]
    parts = []
    for name, part, columns in transformer.transformers_:
        places = positions_of(columns, names, transformer.n_features_in_)
        if places and not (isinstance(part, str) and part == "drop"):
            parts.append(ColumnPart(name, part, columns, places, transformer.output_indices_[name]))
    return parts


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

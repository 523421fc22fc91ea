"""Names of the leaf's features, and which raw input each of them comes from.

A transformer that builds its output names from its input names tells its own lineage: it is asked for its output
names with an unmistakable name for every input, and the inputs that occur in an output's name are the ones that it
is made of. An output that names none of them (a principal component, a word of a text) is made of all the inputs
of its step. ColumnTransformer and FeatureUnion are asked part by part. A part of a ColumnTransformer whose columns are
none, such as a selector of text on a frame of numbers, is never fitted and stays as it was given: it is no part here.
"""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline


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


Origins = list[frozenset[int]]
"""For each column, the raw inputs that it is made of."""

_MARK = re.compile("\ue000([0-9]+)\ue001")


def feature_names(steps: Sequence[Any], inputs: NDArray[Any]) -> NDArray[Any]:
    """Return the names of the leaf's features, given the names of the raw inputs.

    A step that cannot tell its names gives x0, x1, ... as scikit-learn does for arrays; the number of features is
    then not known here, and the result is empty.
    """
    names: Any = inputs
    for step in steps:
        if step is None or step == "passthrough":
            continue
        try:
            names = step.get_feature_names_out(names if len(names) else None)
        except AttributeError:
            # A container has the method, whatever its parts have.
            return np.empty(0, dtype=object)
    return np.asarray(names, dtype=object)


def raw_origins(steps: Sequence[Any], n_inputs: int, n_features: int) -> Origins:
    """Return for each of the leaf's n_features the raw inputs that it is made of."""
    origins: Origins = [frozenset([index]) for index in range(n_inputs)]
    for step in steps:
        origins = origins_through(step, origins)
    if len(origins) != n_features:
        return [frozenset(range(n_inputs))] * n_features
    return origins


def origins_through(step: Any, origins: Origins) -> Origins:
    """Return the raw inputs of each output of a fitted step, given those of its inputs."""
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return origins
    if isinstance(step, Pipeline):
        for _, inner in step.steps:
            origins = origins_through(inner, origins)
        return origins
    if isinstance(step, ColumnTransformer):
        return _through_columns(step, origins)
    if isinstance(step, FeatureUnion):
        parts = [part for _, part in step.transformer_list if not (isinstance(part, str) and part == "drop")]
        return [origin for part in parts for origin in origins_through(part, origins)]
    return _by_names(step, origins)


def _through_columns(step: ColumnTransformer, origins: Origins) -> Origins:
    n_out = max((part.stop for part in step.output_indices_.values()), default=0)
    result: Origins = [frozenset()] * n_out
    for part in column_parts(step):
        chosen = [origins[place] for place in part.places]
        found = origins_through(part.transformer, chosen)
        size = part.outputs.stop - part.outputs.start
        result[part.outputs] = found if len(found) == size else [frozenset().union(*chosen)] * size
    return result


def _by_names(step: Any, origins: Origins) -> Origins:
    everything = frozenset().union(*origins)
    if not hasattr(step, "get_feature_names_out"):
        n_out = getattr(step, "n_features_out_", None) or getattr(step, "n_components", None) or len(origins)
        return [everything] * int(n_out)
    marked = np.array([f"\ue000{index}\ue001" for index in range(len(origins))], dtype=object)
    nameless = copy.copy(step)
    vars(nameless).pop("feature_names_in_", None)
    try:
        names = nameless.get_feature_names_out(marked)
    except (TypeError, ValueError, AttributeError):
        return [everything] * len(step.get_feature_names_out())
    result = []
    for name in names:
        inputs = {int(index) for index in _MARK.findall(str(name))}
        result.append(frozenset().union(*(origins[index] for index in inputs)) if inputs else everything)
    return result

"""Names of the leaf's features, and which raw input each of them comes from.

A transformer that builds its output names from its input names tells its own lineage: it is asked for its output
names with an unmistakable name for every input, and the inputs that occur in an output's name are the ones that it
is made of. An output that names none of them (a principal component, a word of a text) is made of all the inputs
of its step. ColumnTransformer and FeatureUnion are asked part by part.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from .column_parts import column_parts

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
        if not hasattr(step, "get_feature_names_out"):
            return np.empty(0, dtype=object)
        names = step.get_feature_names_out(names if len(names) else None)
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

"""Narrow transformers whose outputs are each made of the inputs that its name tells: the others can go."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import OneToOneFeatureMixin, clone
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    TargetEncoder,
)

from ...core.linalg import Mask
from ..lineage import raw_origins
from .registry import Kind, Narrowed, Notes, n_inputs


def _origins(step: Any, n_outputs: int) -> Any:
    """Return for each output the mask of the inputs that it is made of, shape (n_outputs, n_inputs)."""
    width = n_inputs(step)
    if isinstance(step, PolynomialFeatures):
        return np.asarray(step.powers_ > 0)
    if isinstance(step, (OneToOneFeatureMixin, FunctionTransformer)) and n_outputs == width:
        return np.eye(width, dtype=bool)
    made_of = np.zeros((n_outputs, width), dtype=bool)
    for output, origin in enumerate(raw_origins([step], width, n_outputs)):
        made_of[output, list(origin)] = True
    return made_of


_BY_COLUMN: dict[type, dict[str, int]] = {
    OneHotEncoder: {"categories": 0, "drop": 0},
    OrdinalEncoder: {"categories": 0},
    TargetEncoder: {"categories": 0},
    KBinsDiscretizer: {"n_bins": 0},
    SplineTransformer: {"knots": 1},
}
"""Parameters that may have one entry for each input, and along which axis."""


def _for_inputs(step: Any, given: Mask) -> Any:
    """Return an unfitted copy whose parameters are those of the given inputs."""
    copy = clone(step)
    for name, axis in _BY_COLUMN.get(type(step), {}).items():
        value = getattr(step, name)
        if value is None or isinstance(value, str) or not hasattr(value, "__len__"):
            continue
        if axis == 0:
            taken: Any = [entry for entry, wanted in zip(value, given, strict=True) if wanted]
            value = np.asarray(value)[given] if isinstance(value, np.ndarray) else taken
        else:
            value = np.asarray(value)[:, given]
        copy.set_params(**{name: value})
    return copy


def local_needs(step: Any, wanted: Mask) -> Mask:
    """Return the inputs that the wanted outputs are made of."""
    return np.asarray(_origins(step, len(wanted))[wanted].any(axis=0))


def narrowed_locally(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    """Return the step for the given inputs, with the outputs that are made of these alone."""
    missing = _origins(step, len(wanted))[:, ~given].any(axis=1)
    return Narrowed(_for_inputs(step, given), ~missing)


LOCAL = Kind(local_needs, narrowed_locally)

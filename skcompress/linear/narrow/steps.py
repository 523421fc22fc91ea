"""Steps that are narrowed, see `skcompress.linear.narrow.kind`.

local      each output is made of the inputs that its name tells, so that inputs that no wanted output names can go
levels     OneHotEncoder: besides, levels become unknown ones where those are ignored
words      CountVectorizer and TfidfVectorizer: the vocabulary is given
mappings   DictVectorizer: it learns the entries that the rows have, so that the rows are narrowed
selection  the choice has been made and is not repeated
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import OneToOneFeatureMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    TargetEncoder,
)

from ...artifact.categories import key_of, scalar_of
from ...core.linalg import Mask
from ..lineage import raw_origins
from .kind import KINDS, OTHER, Kind, Narrowed, Notes, left, n_inputs, needs_all


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


def _local_needs(step: Any, wanted: Mask) -> Mask:
    return np.asarray(_origins(step, len(wanted))[wanted].any(axis=0))


def _local(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    missing = _origins(step, len(wanted))[:, ~given].any(axis=1)
    return Narrowed(_for_inputs(step, given), ~missing)


def _is_one_to_one(step: FunctionTransformer) -> bool:
    return step.func is None or step.feature_names_out == "one-to-one"


def _function_needs(step: Any, wanted: Mask) -> Mask:
    return _local_needs(step, wanted) if _is_one_to_one(step) else needs_all(step, wanted)


def _function(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    return (_local if _is_one_to_one(step) else left)(step, given, wanted, notes)


def _one_hot(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    whole = _local(step, given, wanted, notes)
    if not (whole.outputs & ~wanted).any():
        return whole
    if step.handle_unknown == "error" or (step.handle_unknown != "ignore" and _groups_rare(step)):
        notes.leave(step, f"handle_unknown={step.handle_unknown!r}: a level that it does not know is not ignored")
        return whole
    levels: list[Any] = []
    outputs = np.zeros_like(wanted)
    start = 0
    for place in range(len(given)):
        kept = _kept_levels(step, place)
        stop = start + len(kept) + _has_rare(step, place)
        if given[place]:
            asked = wanted[start:stop]
            if len(asked) > len(kept) and asked[-1]:
                notes.leave(step, "its infrequent levels share a column that is used")
                return whole
            taken = asked[: len(kept)] if asked.any() else np.ones(len(kept), dtype=bool)
            outputs[start : start + len(kept)] = taken
            levels.append(kept[taken])
        start = stop
    copy = clone(step).set_params(categories=levels, drop=None, min_frequency=None, max_categories=None)
    return Narrowed(copy, outputs)


def _kept_levels(encoder: Any, place: int) -> Any:
    """Return the levels of one input that have an output of their own."""
    levels = encoder.categories_[place]
    alone = np.ones(len(levels), dtype=bool)
    if _has_rare(encoder, place):
        rare = {key_of(scalar_of(level)) for level in encoder.infrequent_categories_[place]}
        alone &= np.array([key_of(scalar_of(level)) not in rare for level in levels], dtype=bool)
    if encoder.drop_idx_ is not None and encoder.drop_idx_[place] is not None:
        alone[encoder.drop_idx_[place]] = False
    return levels[alone]


def _groups_rare(encoder: Any) -> bool:
    return encoder.min_frequency is not None or encoder.max_categories is not None


def _has_rare(encoder: Any, place: int) -> bool:
    return _groups_rare(encoder) and encoder.infrequent_categories_[place] is not None


def _words(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    words = sorted(step.vocabulary_, key=step.vocabulary_.__getitem__)
    return Narrowed(clone(step).set_params(vocabulary=[words[place] for place in np.flatnonzero(wanted)]), wanted)


def _mappings(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    if step is not notes.first:
        return left(step, given, wanted, notes)
    names = np.asarray(step.feature_names_, dtype=object)
    notes.entries = frozenset(names[wanted])
    return Narrowed(clone(step), wanted)


def narrow_mapping(row: Mapping[str, Any], entries: frozenset[str], separator: str) -> dict[str, Any]:
    """Return a mapping with only the entries of these names, a string value v of the key k being named k=v."""
    kept: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, str):
            if f"{key}{separator}{value}" in entries:
                kept[key] = value
        elif hasattr(value, "__iter__"):
            some = [v for v in value if f"{key}{separator}{v}" in entries]
            if some:
                kept[key] = some
        elif key in entries:
            kept[key] = value
    return kept


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


_LOCAL = Kind(_local_needs, _local)

KINDS.update(
    {
        OneToOneFeatureMixin: _LOCAL,
        Normalizer: OTHER,
        FunctionTransformer: Kind(_function_needs, _function),
        KBinsDiscretizer: _LOCAL,
        MissingIndicator: _LOCAL,
        PolynomialFeatures: _LOCAL,
        SimpleImputer: _LOCAL,
        SplineTransformer: _LOCAL,
        OneHotEncoder: Kind(_local_needs, _one_hot),
        CountVectorizer: Kind(needs_all, _words),
        DictVectorizer: Kind(needs_all, _mappings),
        SelectorMixin: Kind(_selected, _selection),
    }
)

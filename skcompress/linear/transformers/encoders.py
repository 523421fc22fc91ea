"""Encoders of categories: tables of levels (`skcompress.artifact.categories`).

OneHotEncoder is narrowed to the levels that are used: the others become unknown ones, where those are ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from ...artifact.categories import REFUSED, Scalar, key_of, scalar_of
from ...artifact.terms import NO_TERM
from ...core.linalg import Mask
from .graph import Column, Graph
from .registry import KINDS, Kind, Narrowed, Notes, cannot_compile, local_needs, narrowed_locally, register_transformer

Levels = list[Scalar]
Slots = NDArray[np.intp]


def compile_one_hot(encoder: OneHotEncoder, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile each column into one table: its levels, the dropped and the infrequent ones, and all others."""
    out: list[Column] = []
    for place, column in enumerate(columns):
        levels, slots, other = _one_hot_slots(encoder, place)
        out += _add_table(graph, "category", column, levels, slots, other, {})
    return out


def _one_hot_slots(encoder: OneHotEncoder, place: int) -> tuple[Levels, Slots, int]:
    levels = [scalar_of(level) for level in encoder.categories_[place]]
    rare = _infrequent(encoder, place)
    is_rare = np.array([key_of(level) in rare for level in levels], dtype=bool)
    # The frequent levels come first, in order; the infrequent ones share the term after them.
    n_frequent = int((~is_rare).sum())
    slots = np.where(is_rare, n_frequent, np.cumsum(~is_rare) - 1)
    rare_slot = n_frequent if is_rare.any() else NO_TERM
    dropped = None if encoder.drop_idx_ is None else encoder.drop_idx_[place]
    if dropped is not None:
        gone = int(slots[dropped])
        slots = np.where(slots == gone, NO_TERM, slots - (slots > gone))
        rare_slot = NO_TERM if rare_slot == gone else rare_slot - (rare_slot > gone)
    other = {"error": REFUSED, "ignore": NO_TERM}.get(encoder.handle_unknown, rare_slot)
    return levels, slots, other


def _infrequent(encoder: Any, place: int) -> set[Any]:
    if encoder.min_frequency is None and encoder.max_categories is None:
        return set()
    rare = encoder.infrequent_categories_[place]
    return set() if rare is None else {key_of(level) for level in rare}


def compile_ordinal(encoder: OrdinalEncoder, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile each column into a lookup from its levels to their numbers, and the number of all others."""
    out: list[Column] = []
    for place, column in enumerate(columns):
        levels = [scalar_of(level) for level in encoder.categories_[place]]
        rare = _infrequent(encoder, place)
        is_rare = np.array([key_of(level) in rare for level in levels], dtype=bool)
        is_missing = np.array([level != level for level in levels], dtype=bool)
        numbers = np.where(is_rare, (~is_rare & ~is_missing).sum(), np.cumsum(~is_rare) - 1).astype(np.float64)
        numbers[is_missing] = encoder.encoded_missing_value
        unknown = encoder.unknown_value if encoder.handle_unknown == "use_encoded_value" else None
        out += _add_lookup(graph, column, levels, numbers, unknown)
    return out


def compile_target(encoder: TargetEncoder, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile each column into a lookup from its levels to their encodings; the mean target for all others."""
    if encoder.target_type_ == "multiclass":
        raise cannot_compile(encoder, "it has one encoding for each class")
    out: list[Column] = []
    for column, levels, numbers in zip(columns, encoder.categories_, encoder.encodings_, strict=True):
        scalars = [scalar_of(level) for level in levels]
        out += _add_lookup(graph, column, scalars, np.asarray(numbers, dtype=np.float64), encoder.target_mean_)
    return out


def _add_lookup(
    graph: Graph, column: Column, levels: Levels, numbers: NDArray[np.float64], unknown: Any
) -> list[Column]:
    """Add the lookup of these numbers; NaN is a number that is not there, `unknown` None an error."""
    everything = numbers if unknown is None else np.append(numbers, float(unknown))
    values, slots = np.unique(everything[~np.isnan(everything)]), np.full(len(everything), NO_TERM)
    slots[~np.isnan(everything)] = np.searchsorted(values, everything[~np.isnan(everything)])
    other = REFUSED if unknown is None else int(slots[-1])
    return _add_table(graph, "lookup", column, levels, slots[: len(levels)], other, {"values": values})


def _add_table(
    graph: Graph,
    kind: str,
    column: Column,
    levels: Levels,
    slots: Slots,
    other: int,
    params: dict[str, Any],
) -> list[Column]:
    """Add the block of a table, with what an imputer before it fills in."""
    if column.fill is not None and not column.steps:
        marker, value = column.fill
        known = {key_of(level): int(slot) for level, slot in zip(levels, slots, strict=True)}
        filled = known.get(key_of(value), other)
        if filled == REFUSED:
            raise ValueError(f"missing values are filled with {value!r}, which is not among the categories")
        others = [place for place, level in enumerate(levels) if key_of(level) != key_of(marker)]
        levels = [*(levels[place] for place in others), marker]
        slots = np.append(slots[others], filled).astype(np.intp)
        column = column._replace(fill=None)
    source = column if column.is_node else graph.as_nodes([column])[0]
    levels, slots = _with_all_missing(levels, slots)
    listed = slots != other
    table = {
        "levels": [level for level, wanted in zip(levels, listed, strict=True) if wanted],
        "slots": slots[listed],
        "other": other,
    }
    return graph.add(kind, [source], {**table, **params})


def _with_all_missing(levels: Levels, slots: Slots) -> tuple[Levels, Slots]:
    """Let NaN do what None does where it is no level of its own, and the other way round.

    The same missing value is NaN in pandas and None in polars, in JSON and where a database has NULL.
    """
    missing = [place for place, level in enumerate(levels) if level is None or level != level]
    if len(missing) != 1:
        return levels, slots
    other: Scalar = float("nan") if levels[missing[0]] is None else None
    return [*levels, other], np.append(slots, slots[missing[0]]).astype(np.intp)


def _one_hot(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    whole = narrowed_locally(step, given, wanted, notes)
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


register_transformer(OneHotEncoder, compile_one_hot)
register_transformer(OrdinalEncoder, compile_ordinal)
register_transformer(TargetEncoder, compile_target)

KINDS.update({OneHotEncoder: Kind(local_needs, _one_hot)})

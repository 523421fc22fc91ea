"""Fold encoders of categories into tables of levels (`skcompress.artifact.categories`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.preprocessing import OneHotEncoder

from ...artifact.categories import NO_TERM, REFUSED, key_of, scalar_of
from .graph import Column, Graph
from .registry import cannot_fold, register_fold


def fold_one_hot(encoder: OneHotEncoder, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold each column into one table: its levels, the dropped and the infrequent ones, and all others."""
    out: list[Column] = []
    for place, column in enumerate(columns):
        if not column.is_node:
            raise cannot_fold(encoder, "it reads a column that a scaler has changed")
        out += graph.add("category", [column], _one_hot_table(encoder, place))
    return out


def _one_hot_table(encoder: OneHotEncoder, place: int) -> dict[str, Any]:
    levels = list(encoder.categories_[place])
    rare = _infrequent(encoder, place)
    is_rare = np.array([key_of(level) in rare for level in levels], dtype=bool)
    # The frequent levels come first, in order; the infrequent ones share the term after them.
    slots = np.where(is_rare, int((~is_rare).sum()), np.cumsum(~is_rare) - 1)
    rare_slot = int((~is_rare).sum()) if is_rare.any() else NO_TERM
    dropped = None if encoder.drop_idx_ is None else encoder.drop_idx_[place]
    if dropped is not None:
        gone = int(slots[dropped])
        slots = np.where(slots == gone, NO_TERM, slots - (slots > gone))
        rare_slot = NO_TERM if rare_slot == gone else rare_slot - (rare_slot > gone)
    other = {"error": REFUSED, "ignore": NO_TERM}.get(encoder.handle_unknown, rare_slot)
    listed = slots != other
    return {
        "levels": [scalar_of(level) for level, wanted in zip(levels, listed, strict=True) if wanted],
        "slots": slots[listed],
        "other": other,
    }


def _infrequent(encoder: OneHotEncoder, place: int) -> set[Any]:
    if encoder.min_frequency is None and encoder.max_categories is None:
        return set()
    rare = encoder.infrequent_categories_[place]
    return set() if rare is None else {key_of(level) for level in rare}


register_fold(OneHotEncoder, fold_one_hot)

"""Terms of categories: indicators of levels, and numbers that stand for levels.

category    one column for each slot: 1 where the value is a level of that slot
lookup      one column: values[slot] of the value's level; slot -1 gives NaN
entry       one column: the value itself if it is a number, NaN for None, and 0 for a string or nothing

See `skcompress.artifact.categories` for levels, slots and `other`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .. import categories
from ..categories import REFUSED
from .kind import NO_TERM, Column, Function, Kept, Mask, Params, TermKind, number_of_slots, renumbered


def _require_levels(params: Params, n_sources: int) -> None:
    known = {categories.key_of(level) for level in params["levels"]}
    if n_sources != 1 or len(params["slots"]) != len(params["levels"]) or len(known) != len(params["levels"]):
        raise ValueError("a block of categories reads one column and has one slot for each of its distinct levels")


def _check_category(params: Params, n_sources: int) -> int:
    _require_levels(params, n_sources)
    if params["slots"].min(initial=0) < NO_TERM:
        raise ValueError("a block of categories has a slot that is no term")
    return number_of_slots(params["slots"], REFUSED, params["other"])


def _prepare_category(params: Params, name: str) -> Function:
    table = categories.build_table(params["levels"], params["slots"])
    return lambda columns: categories.slots_of(table, params["other"], columns[0], name)


def _keep_category(params: Params, mask: Mask, n_sources: int) -> Kept:
    slots = renumbered(params["slots"], mask)
    other = int(renumbered(np.array([params["other"]]), mask)[0])
    # A level that does the same as an unlisted value need not be listed.
    listed = slots != other
    levels = [level for level, wanted in zip(params["levels"], listed, strict=True) if wanted]
    return {"levels": levels, "slots": slots[listed], "other": other}, np.ones(1, dtype=bool)


def _check_lookup(params: Params, n_sources: int) -> int:
    _require_levels(params, n_sources)
    slots, n_values = params["slots"], len(params["values"])
    if slots.min(initial=0) < NO_TERM or max(slots.max(initial=-1), params["other"]) >= n_values:
        raise ValueError("a lookup has a slot without a value")
    if params["other"] < REFUSED:
        raise ValueError("a lookup has a slot that is no value")
    return 1


def _prepare_lookup(params: Params, name: str) -> Function:
    table = categories.build_table(params["levels"], params["slots"])
    values = np.append(params["values"], np.nan)

    def run(columns: Sequence[Column]) -> NDArray[np.float64]:
        return values[categories.slots_of(table, params["other"], columns[0], name)][:, None]

    return run


def _keep_all(params: Params, mask: Mask, n_sources: int) -> Kept:
    return dict(params), np.ones(n_sources, dtype=bool)


def _prepare_entry(params: Params, name: str) -> Function:
    def number(value: object) -> float:
        if value is None or value is categories.NAN_KEY:
            return float("nan")
        return float(value) if isinstance(value, (int, float, np.number)) else 0.0

    return lambda columns: np.array([number(value) for value in columns[0]], dtype=np.float64)[:, None]


def _check_entry(params: Params, n_sources: int) -> int:
    if n_sources != 1:
        raise ValueError("an entry reads one column")
    return 1


CATEGORY = TermKind(
    1,
    (("other", "int"), ("slots", "ints"), ("levels", "scalars")),
    "values",
    _check_category,
    _prepare_category,
    _keep_category,
    "one",
)
LOOKUP = TermKind(
    2,
    (("other", "int"), ("slots", "ints"), ("levels", "scalars"), ("values", "floats")),
    "values",
    _check_lookup,
    _prepare_lookup,
    _keep_all,
)
ENTRY = TermKind(3, (), "values", _check_entry, _prepare_entry, _keep_all)

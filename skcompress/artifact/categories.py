"""Tables of levels: from the value of a category to a slot.

    level_l  ->  slot_l    the term that is 1 for this level, or -1: known, and no term
    other    ->            what an unlisted value does: a slot, -1 (no term) or `REFUSED` (an error)

A level is a scalar: str, int, float, bool, None or NaN. Equality is Python's (1 == 1.0 == True); None and NaN
are levels of their own, and a missing value of pandas counts as NaN. Infinity is refused, like an unknown category
that is not ignored: see `skcompress.artifact.plan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

REFUSED = -2

Scalar = str | int | float | bool | None


class _Key:
    """A key that equals nothing but itself."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name


NAN_KEY = _Key("nan")
"""The one key under which every NaN is found."""

ABSENT = _Key("absent")
"""What stands for a key that a row does not have."""


def key_of(value: Any) -> Any:
    """Return what a value is looked up by: itself, or `NAN_KEY` for any kind of NaN."""
    if isinstance(value, float):
        return NAN_KEY if value != value else value
    if type(value).__name__ in ("NAType", "NaTType"):
        return NAN_KEY
    return value


def plain_of(value: Any) -> Any:
    """Return a scalar of numpy as one of Python, but for dates: in nanoseconds they would become integers."""
    return value.item() if isinstance(value, np.generic) and value.dtype.kind not in "mM" else value


def scalar_of(value: Any) -> Scalar:
    """Return a level as a plain Python scalar.

    Raises
    ------
    ValueError
        If the value is not a str, int, float, bool, None or NaN.
    """
    plain = plain_of(value)
    if type(plain).__name__ in ("NAType", "NaTType"):
        return float("nan")
    if plain is None or isinstance(plain, (str, int, float, bool)):
        return plain
    raise ValueError(f"a category must be a str, int, float, bool, None or NaN, got {plain!r}")


def build_table(levels: Sequence[Scalar], slots: NDArray[Any]) -> dict[Any, int]:
    """Return the dictionary from level to slot."""
    known = {key_of(level): int(slot) for level, slot in zip(levels, slots, strict=True)}
    return {**known, float("inf"): REFUSED, -float("inf"): REFUSED}


def slots_of(table: dict[Any, int], other: int, values: Sequence[Any], name: str) -> NDArray[np.intp]:
    """Return the slot of each key of `key_of`, shape (n,).

    Raises
    ------
    ValueError
        If a value is infinite, or is not in the table and `other` is `REFUSED`.
    """
    try:
        found = [table.get(value, other) for value in values]
    except TypeError:
        raise ValueError(f"input {name!r} must hold scalars") from None
    slots = np.asarray(found, dtype=np.intp)
    refused = slots == REFUSED
    if refused.any():
        row = int(np.argmax(refused))
        unknown = values[row]
        if isinstance(unknown, float) and abs(unknown) == float("inf"):
            raise ValueError(f"input {name!r} is {unknown} in row {row}: it must be finite")
        raise ValueError(f"input {name!r} has the value {unknown!r}, which is not among the known categories")
    return slots

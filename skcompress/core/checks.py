"""Checks of parameters that raise a ValueError with the name, the value and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np


def is_number(value: Any) -> bool:
    """Return whether this is a real number; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def require_integer(name: str, value: Any, least: int, also: tuple[Any, ...] = ()) -> None:
    """Raise ValueError unless this is an integer of at least `least`, or one of a few other values."""
    if any(value is other or (isinstance(value, str) and value == other) for other in also):
        return
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < least:
        told = "".join(f", or {other!r}" for other in also)
        raise ValueError(f"{name}={value!r} must be an integer of at least {least}{told}")


def require_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Raise ValueError unless this is one of some names."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {sorted(choices)}, got {value!r}")

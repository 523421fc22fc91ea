"""Checks that raise an error before anything is tried: of parameters, and of allocations.

What is wrong with a parameter is told with its name, its value and what is allowed; an allocation that would take more
than half of the free memory, with what it is for and what to do instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np

from .linalg import Floats


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether this is a real number; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def require_integer(name: str, value: Any, least: int, most: int | None = None, *, also: tuple[Any, ...] = ()) -> None:
    """Raise ValueError unless this is an integer from `least` to `most`, or one of a few other values."""
    if any(value is other or (isinstance(value, str) and value == other) for other in also):
        return
    if not isinstance(value, Integral) or isinstance(value, bool) or not least <= int(value) <= (most or np.inf):
        if most is not None:
            raise ValueError(f"{name} must be an integer from {least} to {most}, got {value!r}")
        told = "".join(f", or {other!r}" for other in also)
        raise ValueError(f"{name}={value!r} must be an integer of at least {least}{told}")


def is_number_from(value: Any, least: float) -> TypeGuard[float]:
    """Return whether this is a finite real number of at least `least`."""
    return is_number(value) and bool(least <= value < np.inf)


def require_number(name: str, value: Any, least: float, meaning: str = "") -> None:
    """Raise ValueError unless this is a finite real number of at least `least`; the message may say what it means."""
    if not is_number_from(value, least):
        raise ValueError(f"{name}={value!r} must be a number, {least:g} or above{meaning}")


def require_all_finite(name: str, values: Floats) -> None:
    """Raise ValueError unless all numbers of an array are finite."""
    finite = np.isfinite(values)
    if not finite.all():
        raise ValueError(f"{name} must be finite, got {values[~finite][0]}")


def require_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Raise ValueError unless this is one of some names."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {sorted(choices)}, got {value!r}")


def free_bytes() -> int | None:
    """Return the memory that can be had without swapping, or None where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def require_bytes(n_bytes: int, *, what: str, way_out: str) -> None:
    """Raise MemoryError if `n_bytes` is more than half of the free memory.

    Parameters
    ----------
    n_bytes : int
        What the allocation takes.
    what : str
        What is to be allocated, for the message, such as "the 50000 x 50000 curvature".
    way_out : str
        What the user can do instead.
    """
    free = free_bytes()
    if free is not None and n_bytes > free // 2:
        raise MemoryError(
            f"{what} takes {n_bytes / 2**30:.1f} GiB, more than half of the {free / 2**30:.1f} GiB that are "
            f"free: {way_out}"
        )

"""Refuse an allocation that would take more than half of the free memory, before it is tried."""

from __future__ import annotations

import os


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

"""What a compact model takes, in bytes."""

from __future__ import annotations

from typing import Any


def size_bytes(model: Any) -> int:
    """Return the bytes of a compact model's file without the names of its inputs and its metadata.

    Parameters
    ----------
    model : CompactLinear, or an estimator with ``compact_``
    """
    compact = model.compact_ if hasattr(type(model), "compact_") else getattr(model, "compact_", model)
    if not hasattr(compact, "to_bytes"):
        raise ValueError(f"{type(model).__name__} has no compact_: pass compact(model)")
    return len(compact.to_bytes(names=False, metadata=False))

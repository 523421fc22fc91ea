"""What a compact model takes, in bytes."""

from __future__ import annotations

from .compact import CompactLinear


def size_bytes(model: CompactLinear) -> int:
    """Return the bytes of a model's file without the names of its inputs and its metadata."""
    return len(model.to_bytes(names=False, metadata=False))

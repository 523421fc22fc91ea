"""Compact models in files."""

from __future__ import annotations

import os

from .compact import CompactLinear
from .packed import MAX_BYTES


def dump(model: CompactLinear, path: str | os.PathLike[str], *, names: bool = True, metadata: bool = True) -> int:
    """Write a model to a file and return the number of bytes."""
    data = model.to_bytes(names=names, metadata=metadata)
    with open(path, "wb") as file:
        file.write(data)
    return len(data)


def load(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> CompactLinear:
    """Read a model from a file; see `CompactLinear.from_bytes`."""
    with open(path, "rb") as file:
        data = file.read()
    return CompactLinear.from_bytes(data, max_bytes=max_bytes)

"""The compact form of whatever is given; what is compact already needs numpy alone."""

from __future__ import annotations

from typing import Any

from ..artifact import CompactLinear


def compacted(model: Any) -> CompactLinear:
    """Return a model itself if it is compact, else what `skcompress.compact` makes of it, which needs scikit-learn."""
    if isinstance(model, CompactLinear):
        return model
    from ..linear.compacting import compact

    return compact(model)

"""Fold the scalers: (x - offset) / divisor, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from .graph import Column, Graph
from .registry import register_fold


def standardised(columns: Sequence[Column], offset: Any, divisor: Any) -> list[Column]:
    """Return (column - offset) / divisor for arrays of both, or None for 0 and 1."""
    offsets = np.zeros(len(columns)) if offset is None else np.asarray(offset, dtype=np.float64)
    divisors = np.ones(len(columns)) if divisor is None else np.asarray(divisor, dtype=np.float64)
    return [c.standardised(o, d) for c, o, d in zip(columns, offsets, divisors, strict=True)]


def fold_standard(scaler: StandardScaler, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold (x - mean) / scale."""
    mean = scaler.mean_ if scaler.with_mean else None
    return standardised(columns, mean, scaler.scale_ if scaler.with_std else None)


register_fold(StandardScaler, fold_standard)

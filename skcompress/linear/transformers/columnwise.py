"""Fold the scalers: affine functions, column by column, and the ones that clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.preprocessing import Binarizer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

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


def fold_robust(scaler: RobustScaler, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold (x - centre) / scale."""
    centre = scaler.center_ if scaler.with_centering else None
    return standardised(columns, centre, scaler.scale_ if scaler.with_scaling else None)


def fold_max_abs(scaler: MaxAbsScaler, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold x / scale, and the clip to -1..1."""
    out = standardised(columns, None, scaler.scale_)
    if getattr(scaler, "clip", False):
        out = graph.clipped(out, [-1.0] * len(out), [1.0] * len(out))
    return out


def fold_min_max(scaler: MinMaxScaler, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold x scale + min, and the clip to the range."""
    out = [c.scaled(s, m) for c, s, m in zip(columns, scaler.scale_, scaler.min_, strict=True)]
    if scaler.clip:
        low, high = scaler.feature_range
        out = graph.clipped(out, [low] * len(out), [high] * len(out))
    return out


def fold_binarizer(binarizer: Binarizer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold 1 where x > threshold."""
    edge = float(np.nextafter(binarizer.threshold, np.inf))
    params = {"edges": [edge], "values": [0.0, 1.0]}
    return [made for column in graph.settled(columns) for made in graph.add("step", [column], params)]


register_fold(StandardScaler, fold_standard)
register_fold(RobustScaler, fold_robust)
register_fold(MaxAbsScaler, fold_max_abs)
register_fold(MinMaxScaler, fold_min_max)
register_fold(Binarizer, fold_binarizer)

"""The range of each input in training, for capping and for the box of `max_change`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from .rows import count_rows, take_rows


def input_range(X: Any, sample_weight: Any = None) -> NDArray[np.float64] | None:
    """Return the least and the greatest value of each column, shape (2, n_features).

    Missing values are passed over; columns that hold no numbers have NaN. A row of weight 0 is no row. None where X is
    no table.
    """
    weight = None if sample_weight is None else np.asarray(sample_weight)
    if weight is not None and weight.ndim == 1 and not weight.all() and len(weight) == count_rows(X):
        X = take_rows(X, np.flatnonzero(weight))
    if hasattr(X, "columns") and hasattr(X, "to_numpy"):
        frame = X if hasattr(X, "iloc") else pd.DataFrame({str(name): X[name].to_numpy() for name in X.columns})
        return _of_frame(frame)
    if sp.issparse(X):
        if not X.shape[0] or X.dtype.kind not in "fiub":
            return np.full((2, X.shape[1]), np.nan)
        columns = sp.csc_array(X)
        return np.stack([_flat(columns.nanmin(axis=0)), _flat(columns.nanmax(axis=0))])
    try:
        array = np.asarray(X)
        if array.dtype.kind not in "fiub":
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        array = np.asarray(X, dtype=object)
    if array.ndim != 2 or not array.shape[0]:
        return None
    if array.dtype.kind not in "fiub":
        return _of_frame(pd.DataFrame(array).infer_objects())
    low, high = array.min(axis=0), array.max(axis=0)
    if array.dtype.kind == "f" and np.isnan(low).any():
        low, high = np.fmin.reduce(array, axis=0), np.fmax.reduce(array, axis=0)
    return np.stack([low, high]).astype(np.float64)


def widened(limits: NDArray[np.float64] | None, more: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return the range of the rows of two ranges together."""
    if limits is None or more is None:
        return more if limits is None else limits
    return np.stack([np.fmin(limits[0], more[0]), np.fmax(limits[1], more[1])])


def _of_frame(frame: pd.DataFrame) -> NDArray[np.float64]:
    limits = np.full((2, frame.shape[1]), np.nan)
    for place, kind in enumerate(frame.dtypes):
        if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
            column = frame.iloc[:, place]
            limits[:, place] = np.array([column.min(), column.max()], dtype=object) if column.notna().any() else np.nan
    return limits


def _flat(row: Any) -> NDArray[np.float64]:
    dense = row.toarray() if sp.issparse(row) else np.asarray(row)
    return np.asarray(dense, dtype=np.float64).ravel()

"""Rows of whatever holds rows (arrays, sparse matrices, frames, lists): take and stack them, name one, find ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from ..core.linalg import Indices


def take_rows(data: Any, rows: Indices) -> Any:
    """Return these rows of the data, in the same form; None for None."""
    if data is None:
        return None
    if hasattr(data, "iloc"):
        return data.iloc[rows]
    if sp.issparse(data):
        return data.tocsr()[rows]
    return data[rows] if hasattr(data, "__getitem__") and hasattr(data, "shape") else np.asarray(data)[rows]


def count_rows(data: Any) -> int:
    """Return the number of rows."""
    return data.shape[0] if hasattr(data, "shape") else len(np.asarray(data))


def take_params(params: Mapping[str, Any], rows: Indices, n_rows: int) -> dict[str, Any]:
    """Return the arguments of a fit on n_rows rows for a fit on some of them: what has one entry a row is cut."""
    return {name: take_rows(value, rows) if has_rows(value, n_rows) else value for name, value in params.items()}


def has_rows(value: Any, n_rows: int) -> bool:
    """Return whether a value has one entry for each row."""
    if isinstance(value, (str, dict)):
        return False
    if hasattr(value, "__array__") and not hasattr(value, "shape"):
        value = np.asarray(value)
    if hasattr(value, "shape"):
        return tuple(value.shape[:1]) == (n_rows,)
    return hasattr(value, "__len__") and len(value) == n_rows


def require_order(data: Any, X: Any, name: str) -> None:
    """Raise ValueError if a pandas object has the index of X in another order: rows go by their places here.

    Other indexes than that of X are nobody's mistake: they are not looked at.
    """
    if not isinstance(data, (pd.Series, pd.DataFrame)) or not isinstance(X, pd.DataFrame) or len(data) != len(X):
        return
    if not data.index.equals(X.index) and X.index.is_unique and data.index.is_unique and data.index.isin(X.index).all():
        raise ValueError(
            f"{name} has the index of X in another order, and rows are matched by their places: pass "
            f"{name}.loc[X.index], or {name}.to_numpy() if the places are right"
        )


def name_row(data: Any, place: int) -> str:
    """Return how a user finds a row: its label in the index of a pandas object, else its place."""
    index = getattr(data, "index", None)
    return str(place) if index is None or callable(index) else repr(index[place : place + 1].tolist()[0])


def stack_rows(blocks: Sequence[Any]) -> Any:
    """Return the rows of all blocks, which are of one form, below one another."""
    first = blocks[0]
    if len(blocks) == 1:
        return first
    if hasattr(first, "iloc"):
        return pd.concat(blocks, ignore_index=True)
    if hasattr(first, "vstack"):
        return reduce(lambda above, below: above.vstack(below), blocks)
    if any(sp.issparse(block) for block in blocks):
        return sp.csr_array(sp.vstack(blocks))
    return np.concatenate([np.asarray(block) for block in blocks])


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

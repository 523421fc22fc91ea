"""Take and stack rows of whatever holds rows: arrays, sparse matrices, dataframes, lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

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

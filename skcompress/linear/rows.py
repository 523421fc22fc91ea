"""Take rows of whatever holds rows: arrays, sparse matrices, dataframes, lists."""

from __future__ import annotations

from typing import Any

import numpy as np
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

"""What it costs to keep some weights and leave them as they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..linalg import Floats, Indices

_CHUNK = 64


def steps_untouched(rows: Callable[[Indices], Floats], moments: Floats, weights: Floats, order: Indices) -> Floats:
    """Return the change of the loss, from nothing kept, along an order of columns with given weights.

    With the first k columns kept at z the loss changes by z' A z - 2 C z, so column k adds
    z_k (A_kk z_k + 2 sum_{i<k} A_ki z_i - 2 C_k).

    Parameters
    ----------
    rows : callable
        From columns (k,) to their rows of A, shape (k, n).
    moments : ndarray of shape (r, n)
        C.
    weights : ndarray of shape (r, n)
        z.
    order : ndarray of shape (q,)
        Columns.

    Returns
    -------
    changes : ndarray of shape (q + 1,)
        For the first 0..q columns.
    """
    steps = np.zeros(len(order))
    ordered = weights[:, order]
    for start in range(0, len(order), _CHUNK):
        part = order[start : start + _CHUNK]
        square = rows(part)[:, order[: start + len(part)]]
        before = np.tril(square, start - 1)
        own = square[np.arange(len(part)), start + np.arange(len(part))]
        pulled = 2.0 * (ordered[:, : start + len(part)] @ before.T) + ordered[:, start : start + len(part)] * own
        steps[start : start + len(part)] = (weights[:, part] * (pulled - 2.0 * moments[:, part])).sum(axis=0)
    return np.concatenate([[0.0], np.cumsum(steps)])

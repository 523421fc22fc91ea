"""Units gathered by how many columns they have, so that one batched operation serves all of a size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..linalg import Indices


class Bucket(NamedTuple):
    """Units of the same size d.

    Attributes
    ----------
    units : ndarray of shape (U,)
        Positions of the units.
    columns : ndarray of shape (U, d)
        Positions of their columns.
    """

    units: Indices
    columns: Indices


def buckets_of(members: list[Indices]) -> list[Bucket]:
    """Gather units of equal size."""
    sizes = np.array([len(columns) for columns in members], dtype=np.intp)
    return [
        Bucket(units, np.array([members[unit] for unit in units]))
        for units in (np.flatnonzero(sizes == size) for size in np.unique(sizes))
    ]

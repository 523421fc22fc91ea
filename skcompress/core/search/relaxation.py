"""Models on many sets of units at once, for branch and bound."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..linalg import Floats, Mask

JITTER = 1e-10
"""Added to a unit diagonal that belongs to a singular curvature.

Moments lie in the range of the curvature, so directions without curvature gain nothing with it.
"""


class Relaxation(NamedTuple):
    """Optimal models on b sets of units.

    Attributes
    ----------
    losses : ndarray of shape (b,)
        In units of loss.
    costs : ndarray of shape (b, n)
        What removing one more unit costs; infinite where it cannot be removed.
    coupling : ndarray of shape (b, n, n)
        Norms of the blocks of the inverse between units, each unit's own block scaled to the identity.
    """

    losses: Floats
    costs: Floats
    coupling: Floats


def relax_columns(
    matrix: Floats, moments: Floats, empty_loss: float, present: Mask, removable: Mask, jitter: float
) -> Relaxation:
    """Return the models on sets of columns.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        A.
    moments : ndarray of shape (r, n)
        C.
    empty_loss : float
        Loss with no column.
    present : ndarray of shape (b, n), dtype=bool
        The sets.
    removable : ndarray of shape (b, n), dtype=bool
        Columns of them that may be removed.
    jitter : float
        Added to the diagonal.
    """
    n = len(matrix)
    diagonal = np.arange(n)
    inside = np.where(present[:, :, None] & present[:, None, :], matrix, 0.0)
    inside[:, diagonal, diagonal] = 1.0 + jitter
    right = np.where(present[:, None, :], moments, 0.0)
    inverse = np.linalg.inv(inside)
    weights = np.matmul(right, inverse)
    spread = inverse[:, diagonal, diagonal]
    costs = np.where(removable, np.square(weights).sum(axis=1) / spread, np.inf)
    root = np.sqrt(spread)
    coupling = np.abs(inverse)
    coupling /= root[:, :, None]
    coupling /= root[:, None, :]
    return Relaxation(empty_loss - (right * weights).sum(axis=(1, 2)), costs, coupling)

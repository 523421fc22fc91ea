"""Models on many sets of units at once, for branch and bound."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..linalg import Floats, Indices, Mask

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
    scaled : ndarray of shape (b, c, q, q)
        The inverse itself so scaled, for each of c curvatures and q columns.
    owner : ndarray of shape (q,)
        The unit of each column.
    """

    losses: Floats
    costs: Floats
    coupling: Floats
    scaled: Floats
    owner: Indices

    def of(self, nodes: Indices) -> Relaxation:
        """Return the models of some of the sets."""
        return Relaxation(self.losses[nodes], self.costs[nodes], self.coupling[nodes], self.scaled[nodes], self.owner)

    def ceilings(self, units: Mask) -> Floats:
        """Return the largest eigenvalues of the scaled inverse between these units, masks (b, n), shape (b,)."""
        inside = units[:, self.owner]
        part = np.where((inside[:, :, None] & inside[:, None, :])[:, None], self.scaled, 0.0)
        return np.linalg.eigvalsh(part)[..., -1].max(axis=1) * (1 + 1e-9)


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
    inverse /= root[:, :, None]
    inverse /= root[:, None, :]
    losses = empty_loss - (right * weights).sum(axis=(1, 2))
    return Relaxation(losses, costs, np.abs(inverse), inverse[:, None], diagonal)

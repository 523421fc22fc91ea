"""Models on many sets of units at once, for branch and bound.

With A + jitter I = R'R on the columns of a set and V = R^-1, the inverse curvature is K = V V' and the weights are
w = V R^-T C'. The block of a unit is K_uu = V_u V_u' with V_u its rows of V, so that with V_u' = Q_u T_u (QR)

    cost of removing u = |T_u^-T w_u|^2,      K scaled to K_uu = I has the blocks Q_u' Q_v

and neither K nor a difference of large numbers is ever formed: costs are not negative and the scaled inverse is
positive semi-definite, however singular A is. Where A is regular, all sets are inverted together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import blas

from ..linalg import Floats, Indices, Mask
from .buckets import Bucket
from .curvature import factor_of

LEAST_JITTER = 1e-13
"""Added to a unit diagonal that belongs to a singular curvature, or more where rounding has made it indefinite.

Moments lie in the range of the curvature, so directions without curvature gain nothing with it. It raises the loss of
weights z by at most jitter x |z|^2.
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
        largest: Floats = np.linalg.eigvalsh(part)[..., -1].max(axis=1) * (1 + 1e-9)
        return largest


def jitter_of(matrix: Floats) -> float:
    """Return what makes a positive semi-definite matrix with a unit diagonal safely positive definite."""
    n = len(matrix)
    jitter = max(LEAST_JITTER, 8 * n * float(np.finfo(np.float64).eps))
    while factor_of(matrix + jitter / 2 * np.eye(n)) is None:
        jitter *= 10
    return jitter


def relax_columns(matrix: Floats, moments: Floats, empty_loss: float, present: Mask, removable: Mask) -> Relaxation:
    """Return the models on sets of columns of a regular curvature.

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
    """
    n = len(matrix)
    diagonal = np.arange(n)
    inside = np.where(present[:, :, None] & present[:, None, :], matrix, 0.0)
    inside[:, diagonal, diagonal] = 1.0
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


def relax_units(
    matrices: Floats,
    moments: Floats,
    empty_loss: float,
    buckets: Sequence[Bucket],
    present: Mask,
    removable: Mask,
    jitter: float,
) -> Relaxation:
    """Return the models on sets of units of curvatures that may be singular.

    Parameters
    ----------
    matrices : ndarray of shape (c, q, q)
        A for each curvature.
    moments : ndarray of shape (c, r, q)
        C for each curvature.
    empty_loss : float
        Loss with no unit.
    buckets : sequence of Bucket
        The n units and their columns.
    present, removable : ndarray of shape (b, n), dtype=bool
        The sets, and the units of them that may be removed.
    jitter : float
        Added to the diagonals.
    """
    n, size = present.shape[1], matrices.shape[1]
    owner = np.empty(size, dtype=np.intp)
    for units, columns in buckets:
        owner[columns] = units[:, None]
    by_unit = np.argsort(owner, kind="stable")
    edges = np.searchsorted(owner[by_unit], np.arange(n))
    losses = np.full(len(present), empty_loss)
    costs = np.zeros((len(present), n))
    coupling = np.zeros((len(present), n, n))
    scaled = np.zeros((len(present), len(matrices), size, size))
    for node, inside in enumerate(present[:, owner]):
        for part, (matrix, moment) in enumerate(zip(matrices, moments, strict=True)):
            model = _model_on(matrix, moment, np.flatnonzero(inside), jitter)
            losses[node] -= model.gain
            directions = np.zeros((size, len(model.root)))
            for units, columns in buckets:
                there = present[node, units]
                if there.any():
                    cost, turned = _removals(model, columns[there])
                    costs[node, units[there]] += cost
                    directions[columns[there]] = turned
            scaled[node, part] = directions @ directions.T
            scaled[node, part][~inside, ~inside] = 1.0
            squares = np.square(scaled[node, part][np.ix_(by_unit, by_unit)])
            norms = np.sqrt(np.add.reduceat(np.add.reduceat(squares, edges, axis=0), edges, axis=1))
            np.fill_diagonal(norms, 1.0)
            coupling[node] = np.maximum(coupling[node], norms)
    return Relaxation(losses, np.where(removable, costs, np.inf), coupling, scaled, owner)


class _Model(NamedTuple):
    """The optimum on some columns: V (k, k), where each of the q columns is in it, the weights (k, r), and the gain."""

    root: Floats
    place: Indices
    weights: Floats
    gain: float


def _model_on(matrix: Floats, moments: Floats, columns: Indices, jitter: float) -> _Model:
    identity = np.eye(len(columns))
    factor = factor_of(matrix[np.ix_(columns, columns)] + jitter * identity)
    if factor is None:
        raise np.linalg.LinAlgError(f"a curvature is not positive semi-definite, by more than {jitter:.0e}")
    root = blas.dtrsm(1.0, factor, identity) if len(columns) else identity
    half = root.T @ moments[:, columns].T
    place = np.zeros(len(matrix), dtype=np.intp)
    place[columns] = np.arange(len(columns))
    return _Model(root, place, root @ half, float(np.vdot(half, half)))


def _removals(model: _Model, columns: Indices) -> tuple[Floats, Floats]:
    """Return what removing each of U units of d columns costs, (U,), and the rows of their Q_u', (U, d, k)."""
    rows, weights = model.root[model.place[columns]], model.weights[model.place[columns]]
    if columns.shape[1] == 1:
        length = np.linalg.norm(rows, axis=2)
        return np.square(weights).sum(axis=(1, 2)) / np.square(length[:, 0]), rows / length[:, :, None]
    turned, triangles = np.linalg.qr(rows.swapaxes(1, 2))
    halves = np.linalg.solve(triangles.swapaxes(1, 2), weights)
    return np.square(halves).sum(axis=(1, 2)), turned.swapaxes(1, 2)

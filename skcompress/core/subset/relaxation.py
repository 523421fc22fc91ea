"""Models on many sets of units at once, for branch and bound, and how little any support of a size can lose.

With A + jitter I = R'R on the columns of a set and V = R^-1, the inverse curvature is K = V V' and the weights are
w = V R^-T C'. The block of a unit is K_uu = V_u V_u' with V_u its rows of V, so that with V_u' = Q_u T_u (QR)

    cost of removing u = |T_u^-T w_u|^2,      K scaled to K_uu = I has the blocks Q_u' Q_v

and neither K nor a difference of large numbers is ever formed: costs are not negative and the scaled inverse is
positive semi-definite, however singular A is. Where A is regular, all sets are inverted together.

Removing the units Q from a model costs w_Q' K_QQ^-1 w_Q. With the costs of single removals c_u = w_u' K_uu^-1 w_u, and
N_uv the norm of the block of K between u and v after each unit is scaled to K_uu = I, removing any q units costs at
least

    the q-th smallest c_u,   and   the sum of the q smallest c_u / d_u   with   d_u = sum_v N_uv x_v / x_u

for every x > 0: K scaled is at most diag(d) by the block form of Gershgorin's theorem (Feingold and Varga, 1962),
and x near the Perron vector of N brings all d_u down to its largest eigenvalue. The largest eigenvalue of K scaled, or
a bound on it, may stand for all d_u as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import blas, lapack

from ..linalg import Floats, Indices, Mask
from .curvature import factor_of


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


ROUNDS = 3
"""Vectors x that are tried: ones, and what the power method makes of them."""


_POWERS = 20

SMALL = 40
"""Up to this size eigenvalues are computed outright."""


def removal_bounds(
    costs: Floats, coupling: Floats, *, ceiling: float | Floats | None = None, rounds: int = ROUNDS
) -> Floats:
    """Return what removing any q of the units costs at least.

    Parameters
    ----------
    costs : ndarray of shape (b, n)
        Cost of removing each unit alone, in b models; infinite for a unit that cannot be removed.
    coupling : ndarray of shape (b, n, n)
        N, not negative, with ones on the diagonal. Rows and columns of units that cannot be removed do not matter.
    ceiling : float or ndarray of shape (b,), default=None
        No eigenvalue of the scaled K between removable units is larger. None: not known.
    rounds : int, default=3
        How many vectors x are tried.

    Returns
    -------
    bounds : ndarray of shape (b, n + 1)
        For q = 0..n; infinite where fewer than q units can be removed.
    """
    finite = np.isfinite(costs)
    single = np.sort(costs, axis=1)
    best = single
    if ceiling is not None:
        best = np.maximum(best, np.cumsum(single, axis=1) / np.maximum(1.0, np.reshape(ceiling, (-1, 1))))
    inside = np.where(finite[:, :, None] & finite[:, None, :], coupling, 0.0)
    vector = finite.astype(np.float64)
    for _ in range(rounds):
        pushed = np.matmul(inside, vector[:, :, None])[:, :, 0]
        dominance = np.where(finite, pushed / np.where(finite, vector, 1.0), 1.0)
        ordered = np.sort(np.where(finite, costs / dominance, np.inf), axis=1)
        best = np.maximum(best, np.cumsum(ordered, axis=1))
        vector = pushed / np.maximum(pushed.max(axis=1, keepdims=True, initial=0.0), np.finfo(np.float64).tiny)
        vector = np.where(finite, np.maximum(vector, 1e-6), 0.0)
    return np.concatenate([np.zeros((len(costs), 1)), best], axis=1)


def eigenvalue_ceiling(matrix: Floats) -> float:
    """Return a number that no eigenvalue of a symmetric positive semi-definite matrix exceeds, by little.

    Of a large matrix the largest eigenvalue is estimated by the power method; that a number somewhat above it is a
    ceiling shows in a Cholesky factor of the difference.
    """
    n = len(matrix)
    if not n:
        return 0.0
    if n <= SMALL:
        return float(np.linalg.eigvalsh(matrix)[-1]) * (1 + 1e-12)
    vector = np.random.default_rng(0).standard_normal(n)
    for _ in range(_POWERS):
        vector /= np.linalg.norm(vector)
        vector = matrix @ vector
    ceiling = float(np.linalg.norm(vector))
    while True:
        ceiling *= 1.03
        below = -matrix
        below.flat[:: n + 1] += ceiling
        if lapack.dpotrf(below, lower=0, clean=0, overwrite_a=1)[1] == 0:
            return ceiling

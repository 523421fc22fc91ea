"""How little any support of a size can lose.

Removing the units Q from a model with weights w and inverse curvature K costs w_Q' K_QQ^-1 w_Q. With the costs of
single removals c_u = w_u' K_uu^-1 w_u, and N_uv the norm of the block of K between u and v after each unit is scaled
to K_uu = I, removing any q units costs at least

    the q-th smallest c_u,   and   the sum of the q smallest c_u / d_u   with   d_u = sum_v N_uv x_v / x_u

for every x > 0: K scaled is at most diag(d) by the block form of Gershgorin's theorem (Feingold and Varga, 1962),
and x near the Perron vector of N brings all d_u down to its largest eigenvalue. The largest eigenvalue of K scaled, or
a bound on it, may stand for all d_u as well.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from ..linalg import Floats

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

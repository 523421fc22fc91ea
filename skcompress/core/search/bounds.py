"""How little any support of a size can lose.

Removing the units Q from a model with weights w and inverse curvature K costs w_Q' K_QQ^-1 w_Q. With the costs of
single removals c_u = w_u' K_uu^-1 w_u, and N_uv the norm of the block of K between u and v after each unit is scaled
to K_uu = I, removing any q units costs at least

    the q-th smallest c_u,   and   the sum of the q smallest c_u / d_u   with   d_u = sum_v N_uv x_v / x_u

for every x > 0: K scaled is at most diag(d) by the block form of Gershgorin's theorem (Feingold and Varga, 1962),
and x near the Perron vector of N brings all d_u down to its largest eigenvalue.
"""

from __future__ import annotations

import numpy as np

from ..linalg import Floats

ROUNDS = 3
"""Vectors x that are tried: ones, and what the power method makes of them."""


def removal_bounds(costs: Floats, coupling: Floats, rounds: int = ROUNDS) -> Floats:
    """Return what removing any q of the units costs at least.

    Parameters
    ----------
    costs : ndarray of shape (b, n)
        Cost of removing each unit alone, in b models; infinite for a unit that cannot be removed.
    coupling : ndarray of shape (b, n, n)
        N, not negative, with ones on the diagonal. Rows and columns of units that cannot be removed do not matter.
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

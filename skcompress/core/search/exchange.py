"""All exchanges of a kept column for another at once.

At a support S, with K = A_SS^-1, w = C_S K, B = K A_S:, r = C - w A_S: and s = diag(A) - sum(A_S: * B),
exchanging column i of S for column j changes the loss by

    delta_ij = sum(w_i^2) / K_ii - sum((r_j + B_ij w_i / K_ii)^2) / (s_j + B_ij^2 / K_ii)

The best exchange is made while it lowers the loss. Each is two rank-one updates of K, w, B, r and s, O(k n); the
state is computed anew after `REFRESH` exchanges and before the search ends.
"""

from __future__ import annotations

import numpy as np

from ..linalg import Floats, Indices, Mask
from .curvature import ELIGIBLE, Curvature, inverse_of

REFRESH = 32
"""Exchanges between two computations of the state from A."""

IMPROVES = 1e-11
"""Share of the explained loss that an exchange must gain, well above rounding error."""


class ExchangeState:
    """A support and everything that the exchanges around it need.

    Parameters
    ----------
    curvature : Curvature
        Of n columns.
    moments : ndarray of shape (r, n)
        C.
    chosen : ndarray of shape (k,)
        The support; must be independent.
    """

    def __init__(self, curvature: Curvature, moments: Floats, chosen: Indices):
        self._curvature = curvature
        self._moments = moments
        self.chosen = chosen.copy()
        self.rows = curvature.rows(self.chosen)
        self.refresh()

    def refresh(self) -> None:
        """Compute the state from A."""
        block = self.rows[:, self.chosen]
        inverse = inverse_of(block)
        if inverse is None:
            inverse = np.linalg.pinv(block, hermitian=True).astype(np.float64)
        self.inverse: Floats = inverse
        self.weights = self._moments[:, self.chosen] @ self.inverse
        self.ratio = self.inverse @ self.rows
        self.residual = self._moments - self.weights @ self.rows
        self.left = self._curvature.diagonal - np.einsum("ij,ij->j", self.rows, self.ratio)
        self.gain = float((self.weights * self._moments[:, self.chosen]).sum())

    def changes(self) -> Floats:
        """Return delta, shape (k, n); infinite for columns of S and for those that depend on the others of S."""
        diagonal = np.diag(self.inverse)
        worth = np.einsum("ij,ij->j", self.weights, self.weights) / diagonal
        shift = self.ratio / diagonal[:, None]
        power = np.einsum("ij,ij->j", self.residual, self.residual)
        gain = power + shift * (2 * (self.weights.T @ self.residual) + shift * (worth * diagonal)[:, None])
        room = self.left + self.ratio * shift
        room[:, self.chosen] = 0.0
        blocked = room <= ELIGIBLE
        room[blocked] = 1.0
        delta = worth[:, None] - gain / room
        delta[blocked] = np.inf
        return delta

    def swap(self, i: int, j: int) -> None:
        """Put column j in the place i of the support."""
        pivot = self.inverse[i, i]
        fall = self.inverse[:, i] / pivot
        step = self.weights[:, i].copy()
        out = self.ratio[i].copy()
        self.residual += (step / pivot)[:, None] * out
        self.left += out**2 / pivot
        self.weights -= step[:, None] * fall
        self.inverse -= np.outer(fall, self.inverse[i])
        self.ratio -= np.outer(fall, out)
        self._add(i, j)

    def _add(self, i: int, j: int) -> None:
        room = self.left[j]
        into = self.ratio[:, j].copy()
        into[i] = 0.0
        row = self._curvature.rows(np.array([j]))[0]
        rest = (row - into @ self.rows) / room
        self.rows[i] = row
        gain = self.residual[:, j].copy()
        self.inverse[i] = 0.0
        self.inverse[:, i] = 0.0
        direction = into.copy()
        direction[i] = -1.0
        self.inverse += np.outer(direction, direction) / room
        self.ratio[i] = 0.0
        self.ratio -= np.outer(direction, rest)
        self.weights[:, i] = 0.0
        self.weights -= (gain / room)[:, None] * direction
        self.residual -= gain[:, None] * rest
        self.left -= rest**2 * room
        self.chosen[i] = j


def exchange_columns(curvature: Curvature, moments: Floats, chosen: Indices, kept: Mask) -> tuple[Indices, float]:
    """Exchange columns until no exchange lowers the loss.

    Parameters
    ----------
    curvature : Curvature
        Of n columns.
    moments : ndarray of shape (r, n)
        C.
    chosen : ndarray of shape (k,)
        Where to start; independent columns.
    kept : ndarray of shape (n,), dtype=bool
        Columns that stay in the support.

    Returns
    -------
    chosen : ndarray of shape (k,)
        The support, ascending.
    gain : float
        tr(C_S A_SS^-1 C_S').
    """
    state = ExchangeState(curvature, moments, chosen)
    movable = ~kept[state.chosen]
    best, best_gain, since_refresh = state.chosen.copy(), state.gain, 0
    while movable.any():
        delta = state.changes()[movable]
        flat = int(np.argmin(delta))
        i, j = divmod(flat, delta.shape[1])
        if delta[i, j] < -IMPROVES * state.gain:
            state.swap(int(np.flatnonzero(movable)[i]), j)
            since_refresh += 1
            if since_refresh < REFRESH:
                continue
        elif since_refresh == 0:
            break
        state.refresh()
        since_refresh = 0
        if state.gain <= best_gain * (1 + IMPROVES / 2):
            break
        best, best_gain = state.chosen.copy(), state.gain
    return np.sort(best), best_gain

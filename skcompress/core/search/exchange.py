"""All exchanges of a kept column for another at once.

At a support S, with K = A_SS^-1, w = C_S K, B = K A_S:, r = C - w A_S: and s = diag(A) - sum(A_S: * B),
exchanging column i of S for column j changes the loss by

    delta_ij = sum(w_i^2) / K_ii - sum((r_j + B_ij w_i / K_ii)^2) / (s_j + B_ij^2 / K_ii)

The best exchange is made while it lowers the loss. Each is two rank-one updates of K, w, B, r and s, O(k n); the
state is computed anew, by Cholesky, after `REFRESH` exchanges and before the search ends.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas

from ..linalg import Floats, Indices, Mask
from .curvature import ELIGIBLE, Curvature, factor_of, inverse_from

REFRESH = 32
"""Exchanges between two computations of the state from A."""

IMPROVES = 1e-11
"""Share of the explained loss that an exchange must gain, well above rounding error."""

_CHUNK = 2**16


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
        factor = factor_of(block)
        if factor is None:
            factor = factor_of(block + 1e-12 * np.eye(len(block)))
        if factor is None:
            raise np.linalg.LinAlgError("the columns of a support must be independent")
        half = blas.dtrsm(1.0, factor, self.rows.T, side=1).T
        half_moments = blas.dtrsm(1.0, factor, self._moments[:, self.chosen], side=1)
        self.inverse = inverse_from(factor)
        self.weights = blas.dtrsm(1.0, factor, half_moments, side=1, trans_a=1)
        self.ratio = blas.dtrsm(1.0, factor, half.T, side=1, trans_a=1).T
        self.residual = self._moments - half_moments @ half
        self.left = self._curvature.diagonal - np.einsum("ij,ij->j", half, half)
        self.left[self.chosen] = -np.inf
        self.gain = float(np.vdot(half_moments, half_moments))

    def best(self, movable: Indices) -> tuple[float, int, int]:
        """Return the least delta_ij over the places `movable` of the support, its i and its j."""
        inverse = self.inverse[movable, movable]
        weights = self.weights[:, movable]
        squares = np.einsum("ij,ij->j", weights, weights)
        worth = (squares / inverse)[:, None]
        power = np.einsum("ij,ij->j", self.residual, self.residual)
        best, best_i, best_j = np.inf, -1, -1
        n = len(power)
        width = max(64, _CHUNK // len(movable))
        for start in range(0, n, width):
            part = slice(start, min(n, start + width))
            ratio = self.ratio[movable, part]
            shift = ratio / inverse[:, None]
            gain = 2.0 * (weights.T @ self.residual[:, part])
            gain += shift * squares[:, None]
            gain *= shift
            gain += power[part]
            shift *= ratio
            shift += self.left[part]
            shift[shift <= ELIGIBLE] = np.inf
            gain /= shift
            delta = worth - gain
            i, j = divmod(int(delta.argmin()), delta.shape[1])
            if delta[i, j] < best:
                best, best_i, best_j = float(delta[i, j]), int(movable[i]), start + j
        return best, best_i, best_j

    def deltas(self, movable: Indices) -> Floats:
        """Return delta_ij for the places `movable` of the support and all n columns.

        Infinite for columns of the support and for those that depend on what is left of it.
        """
        inverse = self.inverse[movable, movable][:, None]
        weights = self.weights[:, movable]
        squares = np.einsum("ij,ij->j", weights, weights)[:, None]
        shift = self.ratio[movable] / inverse
        gain = np.einsum("ij,ij->j", self.residual, self.residual) + shift * (
            2.0 * (weights.T @ self.residual) + shift * squares
        )
        room = self.left + self.ratio[movable] * shift
        return np.where(room > ELIGIBLE, squares / inverse - gain / np.where(room > ELIGIBLE, room, 1.0), np.inf)

    def swap(self, i: int, j: int) -> None:
        """Put column j in the place i of the support."""
        self._take_out(i)
        self._put_in(i, j)

    def _take_out(self, i: int) -> None:
        pivot = self.inverse[i, i]
        fall = self.inverse[:, i] / pivot
        step = self.weights[:, i].copy()
        out = self.ratio[i].copy()
        self.left[self.chosen[i]] = 0.0
        self.left += np.square(out) / pivot
        self.residual += (step / pivot)[:, None] * out
        self.weights -= step[:, None] * fall
        self.inverse -= np.outer(fall, self.inverse[i])
        self.ratio -= np.outer(fall, out)

    def _put_in(self, i: int, j: int) -> None:
        room = self.left[j]
        into = self.ratio[:, j].copy()
        into[i] = 0.0
        row = self._curvature.row(j, self.residual[0] ** 2)
        rest = row - into @ self.rows
        rest /= room
        self.rows[i] = row
        gain = self.residual[:, j].copy()
        into[i] = -1.0
        self.inverse[i] = 0.0
        self.inverse[:, i] = 0.0
        self.inverse += np.outer(into, into) / room
        self.ratio[i] = 0.0
        self.ratio -= np.outer(into, rest)
        self.weights[:, i] = 0.0
        self.weights -= (gain / room)[:, None] * into
        self.residual -= gain[:, None] * rest
        self.left -= np.square(rest) * room
        self.left[j] = -np.inf
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
    movable = np.flatnonzero(~kept[state.chosen])
    best, best_gain, since_refresh = state.chosen.copy(), state.gain, 0
    while len(movable):
        delta, i, j = state.best(movable)
        if delta < -IMPROVES * state.gain:
            state.swap(i, j)
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

"""All swaps of a kept column for another at once.

At a support S, with K = A_SS^-1, w = C_S K, B = K A_S:, r = C - w A_S: and s = diag(A) - sum(A_S: * B),
swapping column i of S for column j changes the loss by

    delta_ij = (v_i s_j - sum(r_j^2) - 2 B_ij sum(w_i r_j) / K_ii) / (s_j + B_ij^2 / K_ii),     v_i = sum(w_i^2) / K_ii

The best swap is made while it lowers the loss. Each is two rank-one updates of K, w, B, r and s, O(k n); so is
adding a column, which carries the state from one size of a path to the next. The state is computed anew, by Cholesky,
after `REFRESH` updates and before a search ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.linalg import blas

from ..linalg import Floats, Indices, Mask
from .curvature import ELIGIBLE, Curvature, inverse_from, support_factor_of
from .forward import ROUNDING

REFRESH = 32
"""Updates between two computations of the state from A."""

IMPROVES = 1e-11
"""Share of the explained loss that a swap must gain, well above rounding error."""

TIED = 1e-9
"""Swaps closer than this share of the best one are equal; the first one wins."""

_CHUNK = 2**16


class SwapState:
    """A support and everything that the swaps around it need.

    Parameters
    ----------
    curvature : Curvature
        Of n columns.
    moments : ndarray of shape (r, n)
        C.
    chosen : ndarray of shape (k,)
        The support; must be independent.
    capacity : int, default=None
        How many columns it may grow to; None: k.

    Attributes
    ----------
    gain : float
        What the support explained at the last refresh.
    """

    def __init__(self, curvature: Curvature, moments: Floats, chosen: Indices, capacity: int | None = None):
        size, n = len(chosen), len(curvature)
        room = size if capacity is None else capacity
        self._curvature = curvature
        self._moments = moments
        self._size = size
        self._chosen = np.zeros(room, dtype=np.intp)
        self._chosen[:size] = chosen
        self._rows = np.empty((room, n))
        self._rows[:size] = curvature.rows(chosen)
        self._inverse = np.zeros((room, room))
        self._weights = np.zeros((len(moments), room))
        self._ratio = np.empty((room, n))
        self.refresh()

    @property
    def chosen(self) -> Indices:
        """The support, shape (k,)."""
        return self._chosen[: self._size]

    def copy(self) -> SwapState:
        """Return the same state, to be changed on its own."""
        size = self._size
        other = SwapState.__new__(SwapState)
        other.__dict__.update(self.__dict__)
        other._chosen = self._chosen[:size].copy()
        other._rows = self._rows[:size].copy()
        other._inverse = self._inverse[:size, :size].copy()
        other._weights = self._weights[:, :size].copy()
        other._ratio = self._ratio[:size].copy()
        other._residual = self._residual.copy()
        other._left = self._left.copy()
        return other

    def refresh(self) -> None:
        """Compute the state from A."""
        size, chosen = self._size, self.chosen
        rows = self._rows[:size]
        block = rows[:, chosen]
        factor = support_factor_of(block)
        half = blas.dtrsm(1.0, factor, rows.T, side=1).T
        half_moments = blas.dtrsm(1.0, factor, self._moments[:, chosen], side=1)
        self._inverse[:size, :size] = inverse_from(factor)
        self._weights[:, :size] = blas.dtrsm(1.0, factor, half_moments, side=1, trans_a=1)
        self._ratio[:size] = blas.dtrsm(1.0, factor, half.T, side=1, trans_a=1).T
        self._residual: Floats = self._moments - half_moments @ half
        self._left: Floats = self._curvature.diagonal - np.einsum("ij,ij->j", half, half)
        self._residual[:, chosen] = 0.0
        self._left[chosen] = 0.0
        self.gain = float(np.vdot(half_moments, half_moments))

    def best(self, movable: Indices, enough: float) -> tuple[float, int, int]:
        """Return the least delta_ij over the places `movable`, with i and j; (0, -1, -1) if none is below -enough."""
        inverse = self._inverse[movable, movable]
        weights = self._weights[:, movable]
        worth = np.einsum("ij,ij->j", weights, weights) / inverse
        terms = np.column_stack([-worth, np.ones(len(worth))])
        levels = np.stack([self._left, np.einsum("ij,ij->j", self._residual, self._residual)])
        pulls = weights.T * (2.0 / inverse)[:, None]
        found = (0.0, -1, -1)
        n = len(self._left)
        whole = len(movable) == self._size
        width = max(64, _CHUNK // max(1, len(movable)))
        for start in range(0, n, width):
            part = slice(start, min(n, start + width))
            ratio = self._ratio[: self._size, part] if whole else self._ratio[movable, part]
            fall = pulls @ self._residual[:, part]
            fall *= ratio
            fall += terms @ levels[:, part]
            if fall.max() <= enough * ELIGIBLE:
                continue
            room = ratio * (ratio / inverse[:, None])
            room += self._left[part]
            fall[room <= ELIGIBLE] = 0.0
            fall /= np.where(room > ELIGIBLE, room, 1.0)
            most = float(fall.max())
            # Falls come from moments that are left, as gains do: see `forward.best_of`.
            tied = most * TIED + ROUNDING * math.sqrt(max(most, 0.0) * self.gain)
            if most > enough and most > tied - found[0]:
                i, j = divmod(int((fall >= most - tied).argmax()), fall.shape[1])
                found = (-most, int(movable[i]), start + j)
        return found

    def deltas(self) -> Floats:
        """Return delta, shape (k, n); infinite for columns of the support and what depends on the rest of it."""
        size = self._size
        inverse = np.diag(self._inverse[:size, :size])[:, None]
        weights = self._weights[:, :size]
        worth = np.einsum("ij,ij->j", weights, weights)[:, None] / inverse
        ratio = self._ratio[:size]
        room = self._left + ratio**2 / inverse
        room[:, self.chosen] = 0.0
        rise = worth * self._left - np.einsum("ij,ij->j", self._residual, self._residual)
        rise = rise - 2.0 * ratio * (weights.T @ self._residual) / inverse
        return np.where(room > ELIGIBLE, rise / np.where(room > ELIGIBLE, room, 1.0), np.inf)

    def swap(self, i: int, j: int) -> None:
        """Put column j in the place i of the support."""
        self._take_out(i)
        self._put_in(i, j)

    def add(self, j: int) -> None:
        """Put column j in a new place."""
        self._size += 1
        self._put_in(self._size - 1, j)

    def _take_out(self, i: int) -> None:
        size = self._size
        inverse, weights, ratio = self._inverse[:size, :size], self._weights[:, :size], self._ratio[:size]
        pivot = inverse[i, i]
        fall = inverse[:, i] / pivot
        step = weights[:, i].copy()
        out = ratio[i].copy()
        self._left += np.square(out) / pivot
        self._residual += (step / pivot)[:, None] * out
        weights -= step[:, None] * fall
        inverse -= fall[:, None] * inverse[i]
        ratio -= fall[:, None] * out

    def _put_in(self, i: int, j: int) -> None:
        size = self._size
        inverse, weights, ratio = self._inverse[:size, :size], self._weights[:, :size], self._ratio[:size]
        room = self._left[j]
        ratio[i] = 0.0
        into = ratio[:, j].copy()
        row = self._curvature.row(j, None if self._curvature.is_dense else self._residual[0] ** 2)
        self._rows[i] = 0.0
        rest = row - into @ self._rows[:size]
        rest /= room
        self._rows[i] = row
        gain = self._residual[:, j].copy()
        into[i] = -1.0
        inverse[i] = 0.0
        inverse[:, i] = 0.0
        inverse += into[:, None] * (into / room)
        ratio -= into[:, None] * rest
        weights[:, i] = 0.0
        weights -= (gain / room)[:, None] * into
        self._residual -= gain[:, None] * rest
        self._left -= np.square(rest) * room
        self._chosen[i] = j
        self._residual[:, self.chosen] = 0.0
        self._left[self.chosen] = 0.0

    def descend(self, kept: Mask) -> tuple[Indices, float]:
        """Swap columns that are not kept until no swap lowers the loss.

        Returns
        -------
        chosen : ndarray of shape (k,)
            The support, ascending.
        gain : float
            tr(C_S A_SS^-1 C_S').
        """
        movable = np.flatnonzero(~kept[self.chosen])
        best, best_gain, since_refresh = self.chosen.copy(), self.gain, 0
        while len(movable):
            _, i, j = self.best(movable, IMPROVES * self.gain)
            if i >= 0:
                self.swap(i, j)
                since_refresh += 1
                if since_refresh < REFRESH:
                    continue
            elif since_refresh == 0:
                break
            self.refresh()
            since_refresh = 0
            if self.gain <= best_gain * (1 + IMPROVES / 2):
                break
            best, best_gain = self.chosen.copy(), self.gain
        return np.sort(best), best_gain


def descend_along(
    curvature: Curvature, moments: Floats, order: Indices, kept: Mask, sizes: Mask
) -> Iterator[tuple[int, Indices, float]]:
    """Swap from many beginnings of an order of columns.

    Parameters
    ----------
    curvature : Curvature
        Of n columns.
    moments : ndarray of shape (r, n)
        C.
    order : ndarray of shape (q,)
        Independent columns.
    kept : ndarray of shape (n,), dtype=bool
        Columns that are never swapped.
    sizes : ndarray of shape (q + 1,), dtype=bool
        The beginnings that are wanted.

    Yields
    ------
    size, chosen, gain
        The size, and the support and its gain as in `SwapState.descend`.
    """
    wanted = np.flatnonzero(sizes[1:]) + 1
    if not len(wanted):
        return
    state = SwapState(curvature, moments, order[: wanted[0]], capacity=int(wanted[-1]))
    is_kept = kept[order]
    for size in range(int(wanted[0]), int(wanted[-1]) + 1):
        if size > wanted[0]:
            state.add(int(order[size - 1]))
            if size % REFRESH == 0:
                state.refresh()
        if not sizes[size]:
            continue
        movable = np.flatnonzero(~is_kept[:size])
        if len(movable) and state.best(movable, IMPROVES * state.gain)[1] >= 0:
            trial = state.copy()
            trial.refresh()
            yield size, *trial.descend(kept)
        else:
            chosen = np.sort(order[:size])
            yield size, chosen, float(np.vdot(state._weights[:, :size], moments[:, state.chosen]))

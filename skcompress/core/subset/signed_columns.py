"""Supports under signs whose units are the single weights of one output.

At a state S, with K = A_SS^-1, w = C_S K, B = K A_S:, r = C - w A_S: and s = diag(A) - sum(A_S: * B), adding column j
gives it the weight r_j / s_j and gains r_j^2 / s_j; swapping i of S for j gives it

    z_j = (r_j + B_ij w_i / K_ii) / (s_j + B_ij^2 / K_ii)

and changes the loss by w_i^2 / K_ii - z_j^2 (s_j + B_ij^2 / K_ii), if all signs stay right. Additions and swaps are
looked at in the order of these bounds. The first whose weights all have their signs ends the search; those before it
are solved under the signs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..linalg import NO_SLOPE, Floats, Indices, Mask, solve_signed
from .curvature import ELIGIBLE, Curvature, inverse_from, regular_factor_of, support_factor_of
from .forward import TIE
from .signed import State
from .swap_state import IMPROVES

SOLVED = 12
"""Candidates at most that are solved under the signs before a step is taken."""

RANKED = 64
"""Candidates at most that are looked at."""

_CHUNK = 2**18


class _Around(NamedTuple):
    """A state as its neighbours see it; see the module."""

    columns: Indices
    inverse: Floats
    weights: Floats
    ratio: Floats
    residual: Floats
    left: Floats
    gain: float


class SignedColumns:
    """Single columns under signs; see `skcompress.core.subset.signed.SignedProblem` for the interface.

    Parameters
    ----------
    curvature : Curvature
        A, of n columns.
    moments : ndarray of shape (n,)
        C.
    signs : ndarray of shape (n,)
        1: not negative, -1: not positive, 0: free.
    kept : ndarray of shape (n,), dtype=bool
        Columns that are always there.
    """

    def __init__(self, curvature: Curvature, moments: Floats, signs: Floats, kept: Mask):
        self._curvature = curvature
        self._moments = moments
        self._signs = signs
        self._kept = np.flatnonzero(kept)
        self._first = kept
        self._slope = NO_SLOPE * np.abs(moments).max(initial=0.0)
        self._latest: tuple[bytes, _Around] | None = None

    def solve(self, units: Indices) -> State:
        """Return the constrained optimum on these columns and those always kept."""
        columns = np.union1d(units, self._kept) if len(self._kept) else np.sort(units)
        columns = columns[self._curvature.diagonal[columns] > 0]
        right, signs = self._moments[columns], self._signs[columns]
        block = self._curvature.block(columns)
        weights = solve_signed(block, right, signs, self._first[columns] if len(self._kept) else None)
        return State(columns[weights != 0], float(right @ weights))

    def grow(self, state: State, size: int) -> State | None:
        """Return the best state with one column more to choose from."""
        around = self._around(state)
        slope, left = around.residual, around.left
        gains = gains_under_signs(slope, left, self._signs, self._slope)
        gains[state.units] = 0.0
        order = _largest(gains, RANKED)
        order = order[gains[order] > 0]
        inside = self._holds(
            around.columns, around.weights - (slope[order] / left[order])[:, None] * around.ratio.T[order]
        )
        best, solved = None, 0
        for place, column in enumerate(order.tolist()):
            if best is not None and around.gain + gains[column] <= best.gain:
                break
            if inside[place] and not self._pending(state) and len(state.units) < size:
                found = State(np.sort(np.append(state.units, column)), around.gain + float(gains[column]))
            elif solved < SOLVED or best is None:
                found, solved = self.solve(np.append(state.units, column)), solved + 1
            else:
                continue
            if (
                len(found.units) <= size
                and found.gain > around.gain
                and (best is None or found.gain > best.gain * (1 + TIE))
            ):
                best = found
        return best

    def costs(self, units: Indices, state: State) -> Floats:
        """Return w_j^2 / K_jj with K the inverse curvature of these columns; 0 where they depend on one another."""
        costs = np.zeros(len(self._moments))
        columns = np.union1d(units, self._kept).astype(np.intp)
        factor = regular_factor_of(self._curvature.block(columns))
        if factor is not None:
            place = np.searchsorted(columns, state.units)
            block = self._curvature.block(state.units)
            weights = np.linalg.solve(block, self._moments[state.units])
            costs[state.units] = weights**2 / np.diag(inverse_from(factor))[place]
        return costs

    def swap(self, state: State, size: int) -> State | None:
        """Return the best state with one column swapped, if it explains more."""
        around = self._around(state)
        movable = np.flatnonzero(~self._first[around.columns])
        enough = IMPROVES * abs(around.gain)
        falls, places, columns = self._candidates(around, movable, enough)
        if not len(falls):
            return None
        moved = self._swapped(around, places, columns)
        inside = self._holds(around.columns, moved, places)
        best, solved = None, 0
        for fall, place, column, holds in zip(falls.tolist(), places.tolist(), columns.tolist(), inside, strict=True):
            if best is not None and around.gain + fall <= best.gain:
                break
            units = np.append(np.delete(around.columns, place), column)
            if holds and not self._pending(state):
                found = State(np.sort(units), around.gain + fall)
            elif solved < SOLVED:
                found, solved = self.solve(units), solved + 1
            else:
                continue
            if (
                len(found.units) <= size
                and found.gain > around.gain + enough
                and (best is None or found.gain > best.gain * (1 + TIE))
            ):
                best = found
        return best

    def _pending(self, state: State) -> bool:
        """Tell whether a column that is always kept has no weight now, and may get one."""
        return bool(len(self._kept)) and not np.isin(self._kept, state.units).all()

    def _around(self, state: State) -> _Around:
        key = state.units.tobytes()
        if self._latest is None or self._latest[0] != key:
            self._latest = (key, self._computed(state.units))
        return self._latest[1]

    def _computed(self, columns: Indices) -> _Around:
        rows = self._curvature.rows(columns)
        inverse = inverse_from(support_factor_of(rows[:, columns]))
        weights = inverse @ self._moments[columns]
        ratio = inverse @ rows
        residual = self._moments - weights @ rows
        left = self._curvature.diagonal - np.einsum("ij,ij->j", rows, ratio)
        residual[columns] = 0.0
        left[columns] = 0.0
        return _Around(columns, inverse, weights, ratio, residual, left, float(self._moments[columns] @ weights))

    def _candidates(self, around: _Around, movable: Indices, enough: float) -> tuple[Floats, Indices, Indices]:
        """Return the largest falls of the loss without signs, with the places and columns that are swapped."""
        pivots = np.diag(around.inverse)[movable][:, None]
        weights = around.weights[movable][:, None]
        n = len(around.left)
        width = max(64, _CHUNK // max(1, len(movable)))
        found: list[tuple[Floats, Indices, Indices]] = []
        for start in range(0, n if len(movable) else 0, width):
            part = slice(start, min(n, start + width))
            ratio = around.ratio[movable, part]
            room = around.left[part] + ratio**2 / pivots
            room[:, np.isin(np.arange(part.start, part.stop), around.columns)] = 0.0
            slope = around.residual[part] + ratio * weights / pivots
            signs = self._signs[part]
            usable = (room > ELIGIBLE) & ((signs == 0) | (signs * slope > self._slope))
            fall = np.where(usable, slope**2 / np.where(usable, room, 1.0) - weights**2 / pivots, 0.0)
            flat = fall.ravel()
            top = _largest(flat, RANKED)
            top = top[flat[top] > enough]
            row, column = np.divmod(top, fall.shape[1])
            found.append((flat[top], movable[row], column + start))
        falls = np.concatenate([part[0] for part in found]) if found else np.empty(0)
        if not len(falls):
            return falls, np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
        places = np.concatenate([part[1] for part in found])
        columns = np.concatenate([part[2] for part in found])
        order = _largest(falls, RANKED)
        return falls[order], places[order], columns[order]

    def _swapped(self, around: _Around, places: Indices, columns: Indices) -> Floats:
        """Return the weights of the old columns after each swap without signs, shape (c, k)."""
        pivots = np.diag(around.inverse)[places]
        leaving = around.weights[places] / pivots
        ratio = around.ratio[:, columns].T
        own = ratio[np.arange(len(places)), places]
        without = around.inverse[places] / pivots[:, None]
        entering = (around.residual[columns] + own * leaving) / (around.left[columns] + own**2 / pivots)
        moved = around.weights - leaving[:, None] * around.inverse[places]
        return moved - entering[:, None] * (ratio - own[:, None] * without)

    def _holds(self, columns: Indices, weights: Floats, but: Indices | None = None) -> Mask:
        """Tell for each row of weights whether all have their signs; the weight at the place `but` has none."""
        right = self._signs[columns] * weights >= 0
        if but is not None:
            right[np.arange(len(but)), but] = True
        return np.asarray(right.all(axis=1), dtype=bool)


def gains_under_signs(slope: Floats, left: Floats, signs: Floats, least: float) -> Floats:
    """Return r_j^2 / s_j of each column, shape (n,); zero where it is dependent or its weight could not have its sign.

    Parameters
    ----------
    slope, left : ndarray of shape (n,)
        r and s.
    signs : ndarray of shape (n,)
        1: not negative, -1: not positive, 0: free.
    least : float
        From where on a slope counts for a column with a sign.
    """
    useful = (left > ELIGIBLE) & np.where(signs == 0, slope != 0, signs * slope > least)
    gains: Floats = np.where(useful, slope**2 / np.where(useful, left, 1.0), 0.0)
    return gains


def _largest(values: Floats, count: int) -> Indices:
    """Return the places of the largest values, falling; the first of equal ones first."""
    places = np.arange(len(values))
    if len(values) > count:
        places = np.sort(np.argpartition(-values, count - 1)[:count])
    best = values.max(initial=0.0)
    # Rounding error must not order equal ones.
    ranks = np.rint(values[places] / (TIE * best)) if best > 0 else np.zeros(len(places))
    return places[np.argsort(-ranks, kind="stable")]

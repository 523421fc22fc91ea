"""A search problem whose units are sets of columns, or single columns of outputs that do not share H.

Arrays carry a leading axis over the curvatures: one for all outputs where they share H (then moments have a row for
each output), else one for each output. A column that is not free in an output is decoupled there: unit diagonal, no
moment. So is one that depends on the others of its own unit, as one of a full set of indicators does, once weights
need not be looked at. Dependence between units (main effects and interactions, indicators and polynomials) makes the
curvature *singular*: a jitter on the diagonal takes the place of rank decisions when units are added and swapped, and
backward elimination computes what each unit costs anew after every removal, since a unit that depended on the removed
one does no longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from ..linalg import Floats, Indices, Mask, independent_first
from ..units import IMPORTANCES, Importance, UnitView
from .backward import EliminationPath, elimination_path_of
from .block_moves import BackwardBlocks, ForwardBlocks, SwapBlocks, blocks_at
from .curvature import REGULAR, inverse_from, steps_untouched
from .forward import TIE
from .relaxation import LEAST_JITTER, Relaxation, buckets_of, jitter_of, relax_units, removal_bounds
from .rounding_error import Solved, hidden_gain, missed_gain, reach_of, rounding_error, solved
from .swap_state import IMPROVES

LARGE = 2**29
"""Curvatures x squared columns of the support x columns beyond which it is not improved by swaps: from here on one
swap takes a second."""

SINGULAR = 2**32
"""Curvatures x cubed columns x units up to which backward elimination computes costs anew after every removal where
units depend on each other: some seconds. Beyond, a column that depends on others is left out from the start."""


class BlockProblem:
    """Keep k of n units; see `skcompress.core.subset.problem.Problem` for the interface.

    Parameters
    ----------
    matrix : ndarray of shape (b, q, q)
        A for each curvature, on the q columns of all units.
    moments : ndarray of shape (b, r, q)
        C for each curvature.
    centre, factors : ndarray of shape (b, r, q)
        The user's weights, and scaled weight divided by the user's weight.
    members : list of ndarray
        The columns of each unit.
    kept : ndarray of shape (n,), dtype=bool
        Units that stay.
    kept_columns : ndarray of shape (q,), dtype=bool
        Columns preferred as independent ones.
    unit_ids : ndarray of shape (n,)
        The unit behind each position.
    empty_loss : float
        Loss with no unit kept.
    floor : float or None
        Loss of the full model; None: not known.
    n_weights : int
        Number of weights that all units have together.
    """

    is_dense = True
    kept_is_independent = True

    def __init__(
        self,
        matrix: Floats,
        moments: Floats,
        centre: Floats,
        factors: Floats,
        *,
        members: list[Indices],
        kept: Mask,
        kept_columns: Mask,
        unit_ids: Indices,
        empty_loss: float,
        floor: float | None,
        n_weights: int,
    ):
        self.matrix = matrix
        self.moments = moments
        self.centre = centre
        self.factors = factors
        self.members = members
        self.kept = kept
        self.unit_ids = unit_ids
        self.empty_loss = empty_loss
        self.n_rows = moments.shape[0] * moments.shape[1]
        self.n_weights = n_weights
        self.buckets = buckets_of(members)
        self._kept_columns = kept_columns
        self._floor = floor

    @cached_property
    def _spanned(self) -> tuple[Floats, Floats]:
        """Curvature (b, q, q) and moments (b, r, q) with what depends on the rest of its own unit decoupled."""
        matrix, moments = self.matrix, self.moments
        for b in range(len(self.matrix)):
            idle = np.zeros(matrix.shape[1], dtype=bool)
            for columns in self.members:
                _, order = independent_first(self.matrix[b][np.ix_(columns, columns)])
                idle[np.delete(columns, order)] = True
            if idle.any():
                matrix, moments = (matrix.copy(), moments.copy()) if matrix is self.matrix else (matrix, moments)
                matrix[b][idle] = 0.0
                matrix[b][:, idle] = 0.0
                matrix[b][idle, idle] = 1.0
                moments[b][:, idle] = 0.0
        return matrix, moments

    @cached_property
    def _jittered(self) -> Floats:
        return self._spanned[0] + self._jitter * np.eye(self.matrix.shape[1]) if self._jitter else self._spanned[0]

    @cached_property
    def _jitter(self) -> float:
        """What is added to the diagonal: 0 unless units depend on each other."""
        factors = [independent_first(matrix)[0] for matrix in self._spanned[0]]
        if all(len(f) == self.matrix.shape[1] and np.diag(f).min(initial=1.0) ** 2 > REGULAR for f in factors):
            return 0.0
        return max(jitter_of(matrix) for matrix in self._spanned[0])

    @cached_property
    def _full(self) -> tuple[Floats, Floats]:
        """The inverse curvature (b, q, q) and the moments (b, r, q); dependent columns are decoupled, with none."""
        return self._model_of(np.ones(self.matrix.shape[1], dtype=bool))

    def _model_of(self, inside: Mask) -> tuple[Floats, Floats]:
        """Return the inverse curvature and the moments of some columns; all others are decoupled, with none."""
        inverse = np.tile(np.eye(self.matrix.shape[1]), (len(self.matrix), 1, 1))
        moments = np.zeros_like(self.moments)
        there = np.flatnonzero(inside)
        first = self._kept_columns[there] if self._kept_columns.any() else None
        for b, matrix in enumerate(self._spanned[0]):
            factor, order = independent_first(matrix[np.ix_(there, there)], first)
            inverse[b][np.ix_(there[order], there[order])] = inverse_from(factor)
            moments[b][:, there[order]] = self._spanned[1][b][:, there[order]]
        return inverse, moments

    def _forward(self, first: Indices) -> tuple[ForwardBlocks, list[int], list[float]]:
        walk = ForwardBlocks(self._jittered, self._spanned[1], self.members, self.buckets)
        return walk, first.tolist(), [walk.add(unit) for unit in first.tolist()]

    def forward(self, size: int) -> tuple[Indices, Floats]:
        """Return the first `size` units of forward selection and their gains."""
        order, gains = self._grown(np.flatnonzero(self.kept), size, np.empty(0, dtype=np.intp))
        return np.array(order[:size], dtype=np.intp), np.array(gains[:size])

    def complete(self, chosen: Indices, size: int, barred: Indices) -> Indices:
        """Add units other than the barred ones until there are `size`, or none is left; ascending."""
        return np.sort(np.array(self._grown(chosen, size, barred)[0], dtype=np.intp))

    def _grown(self, first: Indices, size: int, barred: Indices) -> tuple[list[int], list[float]]:
        walk, order, gains = self._forward(first)
        while len(order) < min(size, len(self.members) - len(barred)):
            gain = walk.gains()
            gain[order] = -1.0
            gain[barred] = -1.0
            unit = int((gain >= gain.max() * (1 - TIE)).argmax())
            order.append(unit)
            gains.append(walk.add(unit))
        return order, gains

    @property
    def most(self) -> int:
        """Largest size."""
        return len(self.members)

    @cached_property
    def _elimination_path(self) -> EliminationPath:
        return self.elimination_path()

    def backward(self, size: int) -> Indices:
        """Return the units that backward elimination by OBS leaves; ascending."""
        return np.sort(self._elimination_path.order[:size])

    def elimination_path(self, importance: Importance | None = None) -> EliminationPath:
        """Return backward elimination down to the kept units; None: by OBS."""
        rule = IMPORTANCES["obs"] if importance is None else importance
        walk = BackwardBlocks(*self._full, self.members, self.buckets)
        barred = np.where(self.kept, np.inf, 0.0)
        left = np.ones(len(self.members), dtype=bool)
        anew = self._jitter > 0 and self.matrix.size * self.matrix.shape[1] * len(left) <= SINGULAR
        dropped: list[int] = []
        scores: list[float] = []
        while np.isfinite(barred).any():
            if anew:
                score = self._scores_on(rule, left) + barred
            else:
                score = self._score(rule, walk.spread, walk.weights) + barred
            lowest = float(score.min())
            unit = int((score <= lowest + TIE * abs(lowest)).argmax())
            if not anew:
                walk.remove(unit)
            left[unit] = False
            barred[unit] = np.inf
            dropped.append(unit)
            scores.append(float(score[unit]))
        return elimination_path_of(np.flatnonzero(self.kept), dropped, scores)

    def swap(self, chosen: Indices) -> tuple[Indices, float]:
        """Improve a support by swaps; return it and what it explains. One that is too large is left as it is."""
        chosen = np.sort(chosen)
        state = self._state(chosen)
        size = sum(len(self.members[unit]) for unit in chosen.tolist())
        if len(self.matrix) * size**2 * self.matrix.shape[1] > LARGE:
            return chosen, state.gain
        while True:
            best, pair = np.inf, (-1, -1)
            for place in np.flatnonzero(~self.kept[chosen]).tolist():
                delta = state.changes(int(chosen[place]))
                other = int(delta.argmin())
                if delta[other] < best:
                    best, pair = float(delta[other]), (place, other)
            if best >= -IMPROVES * state.gain:
                return chosen, state.gain
            moved = chosen.copy()
            moved[pair[0]] = pair[1]
            moved.sort()
            after = self._state(moved)
            if after.gain <= state.gain * (1 + IMPROVES / 2):
                return chosen, state.gain
            chosen, state = moved, after

    def _state(self, chosen: Indices) -> SwapBlocks:
        return SwapBlocks(
            self._jittered, self._spanned[1], self.members, self.buckets, chosen, max(self._jitter, LEAST_JITTER)
        )

    def gains_along(self, order: Indices) -> Floats:
        """Return by how much each unit lowers the loss when added in this order."""
        walk = ForwardBlocks(self._jittered, self._spanned[1], self.members, [])
        return np.array([walk.add(unit) for unit in order.tolist()])

    def untouched_loss(self, chosen: Indices) -> float:
        """Return the loss of a support whose weights stay as they are."""
        return float(self.untouched_losses(chosen)[-1])

    def untouched_losses(self, order: Indices) -> Floats:
        """Return the losses of all beginnings of an order when the weights stay as they are."""
        columns = np.concatenate([np.empty(0, dtype=np.intp), *(self.members[unit] for unit in order.tolist())])
        ends = np.cumsum([0, *(len(self.members[unit]) for unit in order.tolist())])
        losses = np.full(len(order) + 1, self.empty_loss)
        for matrix, moments, weights in zip(self.matrix, self.moments, self.centre * self.factors, strict=True):
            losses += steps_untouched(matrix.__getitem__, moments, weights, columns)[ends]
        return losses

    def swap_along(self, order: Indices, sizes: Mask) -> Iterator[tuple[int, Indices, float]]:
        """Improve many beginnings of an order of units; yield size, support and what it explains."""
        for size in (np.flatnonzero(sizes[1:]) + 1).tolist():
            yield size, *self.swap(order[:size])

    def scores(self, importance: Importance) -> Floats:
        """Return the score of each unit at the full model, shape (n,)."""
        if not importance.needs_inverse:
            b = len(self.matrix)
            identity = [np.broadcast_to(np.eye(c.shape[1]), (b, *c.shape, c.shape[1])) for _, c in self.buckets]
            return self._score(importance, identity, self.centre * self.factors)
        return self._scores_on(importance, np.ones(len(self.members), dtype=bool))

    def _scores_on(self, importance: Importance, units: Mask) -> Floats:
        """Return the scores at the model on some of the units; of the others, those of nothing."""
        if importance is IMPORTANCES["obs"] and self._jitter > 0:
            costs = self.relax(units[None], units[None]).costs[0]
            # What is left of a unit that the others stand in for is rounding error, and must not order such units.
            return np.where(costs <= 4 * self._noise, 0.0, costs)
        inside = np.zeros(self.matrix.shape[1], dtype=bool)
        for unit in np.flatnonzero(units).tolist():
            inside[self.members[unit]] = True
        inverse, moments = self._full if units.all() else self._model_of(inside)
        spread = [blocks_at(inverse, columns) for _, columns in self.buckets]
        return self._score(importance, spread, moments @ inverse)

    def _score(self, importance: Importance, spread: list[Floats], weights: Floats) -> Floats:
        """Score the units; the rows of all curvatures are scored together where the score is not a sum."""
        score = np.zeros(len(self.members))
        for (units, columns), inverse in zip(self.buckets, spread, strict=True):
            blocks = blocks_at(self.matrix, columns)
            scaled = weights[:, :, columns].transpose(0, 2, 1, 3)
            user = scaled / self.factors[:, :, columns].transpose(0, 2, 1, 3)
            if not importance.uses_curvature:
                joined = user.transpose(1, 0, 2, 3).reshape(len(units), -1, columns.shape[1])
                score[units] = importance.score(UnitView(joined, joined, blocks[0], inverse[0]))
                continue
            for b in range(len(self.matrix)):
                score[units] += importance.score(UnitView(user[b], scaled[b], blocks[b], inverse[b]))
        return score

    @cached_property
    def floor(self) -> float:
        """A loss below which no support can get."""
        if self._floor is not None:
            return self._floor
        return self.empty_loss - sum(part.gain for part in self._solved)

    @property
    def known_floor(self) -> float:
        """The same as far as no rounding error is in it."""
        return -np.inf if self._floor is None else self._floor

    @property
    def _lengths(self) -> Floats:
        """Length of each column's weights at the full model, shape (q,)."""
        squares = np.sum([np.square(part.weights).sum(axis=0) for part in self._solved], axis=0)
        return np.asarray(np.sqrt(squares), dtype=np.float64)

    @cached_property
    def _noise(self) -> float:
        """The rounding error of the loss of the full model."""
        return rounding_error(self.empty_loss, float(np.linalg.norm(self._lengths)), self._jitter)

    @cached_property
    def _solved(self) -> list[Solved]:
        """The full models."""
        factors = [independent_first(matrix, self._kept_columns) for matrix in self.matrix]
        parts = zip(self.matrix, self.moments, factors, strict=True)
        return [solved(matrix, moments, *factor) for matrix, moments, factor in parts]

    @cached_property
    def bounds(self) -> Floats:
        """A loss below which no support of the sizes 0..n can get, shape (n + 1,)."""
        everything = np.ones((1, len(self.members)), dtype=bool)
        relaxation = self.relax(everything, everything & ~self.kept)
        ceilings = relaxation.ceilings(everything & ~self.kept)
        return self.floor + removal_bounds(relaxation.costs, relaxation.coupling, ceiling=ceilings)[0, ::-1]

    def relax(self, present: Mask, removable: Mask) -> Relaxation:
        """Return the models on these sets of units, and what removing more of them costs."""
        return relax_units(*self._spanned, self.empty_loss, self.buckets, present, removable, self._jitter)

    def rounding_error(self, rise: float, slope: float = 0.0) -> float:
        """Return by how much rounding may have moved the losses of supports that lose at most `rise`."""
        spread = np.diagonal(self._full[0], axis1=1, axis2=2).max(axis=0)
        lengths = self._lengths
        if self._jitter:
            # A dependent column may take the place of any other.
            lengths, spread = np.full_like(lengths, lengths.max()), np.full_like(spread, spread.max())
        reach = reach_of(lengths, spread, rise)
        hidden = sum(hidden_gain(part.left, self.empty_loss, reach) for part in self._solved)
        missed = missed_gain(self.moments, spread, slope)
        return rounding_error(self.empty_loss, reach, self._jitter) + hidden + missed

"""A search problem whose units are sets of columns, or single columns of outputs that do not share H.

The moves are those of single columns with blocks in place of numbers: a unit g with columns J gains
tr(R_J S_JJ^-1 R_J') where a column gains r_j^2 / s_j. Arrays carry a leading axis over the curvatures: one for
all outputs where they share H (then moments have a row for each output), else one for each output. A column
that is not free in an output is decoupled there: unit diagonal, no moment.

Units are gathered in buckets of equal size, so that each step is a few batched operations. `JITTER` on the
diagonal takes the place of the rank decisions that single columns need: moments lie in the range of A, so that
directions without curvature have no moment either and gain nothing.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..importance import IMPORTANCES, Importance, UnitView
from ..linalg import Floats, Indices, Mask, independent_first
from .backward import Trail
from .curvature import inverse_from
from .exchange import IMPROVES
from .forward import TIE

JITTER = 1e-10
"""Added to the unit diagonal."""


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


class BlockProblem:
    """Keep k of n units; see `skcompress.core.search.problem.Problem` for the interface.

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
    """

    is_dense = True

    def __init__(
        self,
        matrix: Floats,
        moments: Floats,
        centre: Floats,
        factors: Floats,
        members: list[Indices],
        kept: Mask,
        kept_columns: Mask,
        unit_ids: Indices,
        empty_loss: float,
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
        self.n_weights = int((centre != 0).sum())
        self._kept_columns = kept_columns
        sizes = np.array([len(columns) for columns in members], dtype=np.intp)
        self.buckets = [
            Bucket(units, np.array([members[unit] for unit in units]))
            for units in (np.flatnonzero(sizes == size) for size in np.unique(sizes))
        ]

    @cached_property
    def _jittered(self) -> Floats:
        return self.matrix + JITTER * np.eye(self.matrix.shape[1])

    @cached_property
    def _full(self) -> tuple[Floats, Floats]:
        """The inverse curvature (b, q, q) and the basic weights (b, r, q); dependent columns are decoupled."""
        size = self.matrix.shape[1]
        inverse = np.tile(np.eye(size), (len(self.matrix), 1, 1))
        weights = np.zeros_like(self.moments)
        first = self._kept_columns if self._kept_columns.any() else None
        for b, matrix in enumerate(self.matrix):
            factor, order = independent_first(matrix, first)
            block = inverse_from(factor)
            inverse[b][np.ix_(order, order)] = block
            weights[b][:, order] = self.moments[b][:, order] @ block
        return inverse, weights

    def forward(self, size: int) -> tuple[Indices, Floats]:
        """Return the first `size` units of forward selection and their gains."""
        walk = _Walk(self._jittered, self.moments, self.buckets, self.members)
        order: list[int] = np.flatnonzero(self.kept).tolist()
        gains: list[float] = []
        for unit in order:
            gains.append(walk.add(unit))
        while len(order) < min(size, len(self.members)):
            gain = walk.gains()
            gain[order] = -1.0
            best = gain.max()
            order.append(int(np.argmax(gain >= best * (1 - TIE))))
            gains.append(walk.add(order[-1]))
        return np.array(order[:size], dtype=np.intp), np.array(gains[:size])

    def backward(self, importance: Importance | None = None) -> Trail:
        """Return backward elimination down to the kept units; None: by OBS."""
        rule = IMPORTANCES["obs"] if importance is None else importance
        inverse, weights = (array.copy() for array in self._full)
        fixed = self.kept.copy()
        dropped: list[int] = []
        worth: list[float] = []
        while not fixed.all():
            score = self._score(rule, inverse, weights)
            score[fixed] = np.inf
            lowest = score.min()
            unit = int(np.argmax(score <= lowest + TIE * abs(lowest)))
            _remove(inverse, weights, self.members[unit])
            fixed[unit] = True
            dropped.append(unit)
            worth.append(float(score[unit]))
        stay = np.flatnonzero(self.kept)
        order = np.concatenate([stay, np.array(dropped[::-1], dtype=np.intp)])
        return Trail(order, np.concatenate([np.full(len(stay), np.inf), worth[::-1]]))

    def exchange(self, chosen: Indices) -> tuple[Indices, float]:
        """Improve a support by exchanges; return it and what it explains."""
        chosen = np.sort(chosen)
        state = _State(self, chosen)
        while True:
            best, pair = np.inf, (-1, -1)
            for place, unit in enumerate(chosen):
                if self.kept[unit]:
                    continue
                delta = state.changes(unit)
                other = int(np.argmin(delta))
                if delta[other] < best:
                    best, pair = float(delta[other]), (place, other)
            if best >= -IMPROVES * state.gain:
                return chosen, state.gain
            moved = chosen.copy()
            moved[pair[0]] = pair[1]
            moved.sort()
            after = _State(self, moved)
            if after.gain <= state.gain * (1 + IMPROVES / 2):
                return chosen, state.gain
            chosen, state = moved, after

    def gains_along(self, order: Indices) -> Floats:
        """Return by how much each unit lowers the loss when added in this order."""
        walk = _Walk(self._jittered, self.moments, [], self.members)
        return np.array([walk.add(unit) for unit in order.tolist()])

    def scores(self, importance: Importance) -> Floats:
        """Return the score of each unit at the full model, shape (n,)."""
        if importance.needs_inverse:
            return self._score(importance, *self._full)
        identity = np.broadcast_to(np.eye(self.matrix.shape[1]), self.matrix.shape)
        return self._score(importance, identity, self.centre * self.factors)

    def _score(self, importance: Importance, inverse: Floats, weights: Floats) -> Floats:
        score = np.zeros(len(self.members))
        for units, columns in self.buckets:
            at = (slice(None), columns[:, :, None], columns[:, None, :])
            blocks, spread = self.matrix[at], inverse[at]
            scaled = weights[:, :, columns].transpose(0, 2, 1, 3)
            user = scaled / self.factors[:, :, columns].transpose(0, 2, 1, 3)
            if importance is IMPORTANCES["l2"]:
                joined = user.transpose(1, 0, 2, 3).reshape(len(units), -1, columns.shape[1])
                score[units] = importance.score(UnitView(joined, joined, blocks[0], spread[0]))
                continue
            for b in range(len(self.matrix)):
                score[units] += importance.score(UnitView(user[b], scaled[b], blocks[b], spread[b]))
        return score


class _Walk:
    """Pivoted block Cholesky: what has been added, and the Schur complements of the other units."""

    def __init__(self, matrix: Floats, moments: Floats, buckets: list[Bucket], members: list[Indices]):
        self._matrix = matrix
        self._members = members
        self._residual = moments.copy()
        self._rows: Floats = np.empty((len(matrix), 0, matrix.shape[1]))
        self._buckets = buckets
        self._schur = [matrix[:, c[:, :, None], c[:, None, :]] for _, c in buckets]

    def gains(self) -> Floats:
        """Return what each unit would gain, shape (n,)."""
        gain = np.zeros(len(self._members))
        for (units, columns), schur in zip(self._buckets, self._schur, strict=True):
            right = self._residual[:, :, columns].transpose(0, 2, 3, 1)
            gain[units] = (np.linalg.solve(schur, right) * right).sum(axis=(0, 2, 3))
        return gain

    def add(self, unit: int) -> float:
        """Add a unit and return its gain."""
        columns = self._members[unit]
        rest = self._matrix[:, columns] - self._rows[:, :, columns].transpose(0, 2, 1) @ self._rows
        factor = np.linalg.cholesky(rest[:, :, columns])
        rows = np.linalg.solve(factor, rest)
        rho = np.linalg.solve(factor, self._residual[:, :, columns].transpose(0, 2, 1))
        self._residual -= rho.transpose(0, 2, 1) @ rows
        self._rows = np.concatenate([self._rows, rows], axis=1)
        for (units, others), schur in zip(self._buckets, self._schur, strict=True):
            part = rows[:, :, others].transpose(0, 2, 1, 3)
            schur -= part.transpose(0, 1, 3, 2) @ part
            schur[:, units == unit] = np.eye(others.shape[1])
        return float((rho**2).sum())


class _State:
    """A support of units and what the exchanges around it need."""

    def __init__(self, problem: BlockProblem, chosen: Indices):
        self._problem = problem
        matrix, moments = problem._jittered, problem.moments
        columns = np.concatenate([problem.members[unit] for unit in chosen])
        self._place = {}
        start = 0
        for unit in chosen:
            size = len(problem.members[unit])
            self._place[int(unit)] = slice(start, start + size)
            start += size
        self._inverse = np.linalg.inv(matrix[:, columns[:, None], columns])
        self._weights = moments[:, :, columns] @ self._inverse
        rows = matrix[:, columns]
        self._ratio = self._inverse @ rows
        self._residual = moments - self._weights @ rows
        self._schur = []
        for _, others in problem.buckets:
            left = rows[:, :, others].transpose(0, 2, 3, 1)
            right = self._ratio[:, :, others].transpose(0, 2, 1, 3)
            self._schur.append(matrix[:, others[:, :, None], others[:, None, :]] - left @ right)
        self._chosen = chosen
        self.gain = float((self._weights * moments[:, :, columns]).sum())

    def changes(self, unit: int) -> Floats:
        """Return the change of the loss when `unit` is exchanged for each other unit, shape (n,)."""
        inside = self._place[int(unit)]
        weights = self._weights[:, :, inside]
        ratio = self._ratio[:, inside]
        lift = np.linalg.solve(self._inverse[:, inside, inside], ratio)
        moved = np.linalg.solve(self._inverse[:, inside, inside], weights.transpose(0, 2, 1))
        worth = float((moved * weights.transpose(0, 2, 1)).sum())
        residual = self._residual + weights @ lift
        delta = np.full(len(self._problem.members), np.inf)
        for (units, columns), schur in zip(self._problem.buckets, self._schur, strict=True):
            left = ratio[:, :, columns].transpose(0, 2, 3, 1)
            block = schur + left @ lift[:, :, columns].transpose(0, 2, 1, 3)
            block = block + JITTER * np.eye(columns.shape[1])
            right = residual[:, :, columns].transpose(0, 2, 3, 1)
            delta[units] = worth - (np.linalg.solve(block, right) * right).sum(axis=(0, 2, 3))
        delta[self._chosen] = np.inf
        return delta


def _remove(inverse: Floats, weights: Floats, columns: Indices) -> None:
    """Take a unit out of the inverse and the weights, in place; its columns are decoupled after."""
    block = inverse[:, columns[:, None], columns]
    ratio = np.linalg.solve(block, inverse[:, columns])
    weights -= weights[:, :, columns] @ ratio
    weights[:, :, columns] = 0.0
    inverse -= inverse[:, :, columns] @ ratio
    inverse[:, columns] = 0.0
    inverse[:, :, columns] = 0.0
    inverse[:, columns, columns] = 1.0

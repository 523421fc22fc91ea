"""A search problem whose units are single columns of many outputs, each with a curvature too large to be formed.

A column is kept or pruned in all outputs at once; what it gains, costs or scores is the sum over the outputs. The
outputs' own problems walk in step, so that only rows of their curvatures are needed. Backward elimination, proofs and
scores that need an inverse are not to be had.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from ..linalg import Floats, Indices, Mask
from ..units import Importance, UnitView
from .backward import EliminationPath
from .columns import ColumnProblem
from .curvature import WAY_OUT
from .forward import ForwardColumns, best_of
from .relaxation import Relaxation
from .swap_state import IMPROVES, SwapState

LARGE = 2**24
"""Swaps in all outputs together beyond which they are not looked at."""


class StackedProblem:
    """Keep k of n columns in all outputs; see `skcompress.core.subset.problem.Problem` for the interface.

    Parameters
    ----------
    parts : list of ColumnProblem
        One for each output, on the same n columns.
    """

    is_dense = False
    kept_is_independent = True

    def __init__(self, parts: list[ColumnProblem]):
        self.parts = parts
        self.kept = parts[0].kept
        self.unit_ids = parts[0].unit_ids
        self.empty_loss = sum(part.empty_loss for part in parts)
        self.floor = self.known_floor = sum(part.floor for part in parts)
        self.n_rows = len(parts)
        self.n_weights = sum(int(part.curvature.diagonal.sum()) for part in parts)
        self.most = len(self.kept)

    @cached_property
    def bounds(self) -> Floats:
        """The loss of the full model, for the sizes 0..n."""
        return np.full(len(self.kept) + 1, self.floor)

    @cached_property
    def _walks(self) -> list[ForwardColumns]:
        return self._start(np.flatnonzero(self.kept))

    def _start(self, first: Indices, barred: Indices | None = None) -> list[ForwardColumns]:
        return [ForwardColumns(part.curvature, part.moments, first, barred) for part in self.parts]

    def _extend(self, walks: list[ForwardColumns], size: int) -> None:
        while len(walks[0].order) < size:
            gains = np.sum([walk.possible_gains() for walk in walks], axis=0)
            column = best_of(
                gains, np.any([walk.eligible for walk in walks], axis=0), max(walk.largest for walk in walks)
            )
            if column < 0:
                return
            for walk in walks:
                walk.take(column)

    def forward(self, size: int) -> tuple[Indices, Floats]:
        """Return the first `size` columns of forward selection and their gains."""
        self._extend(self._walks, size)
        gains = np.sum([walk.gains[:size] for walk in self._walks], axis=0)
        return np.array(self._walks[0].order[:size], dtype=np.intp), np.asarray(gains, dtype=np.float64)

    def complete(self, chosen: Indices, size: int, barred: Indices) -> Indices:
        """Add columns other than the barred ones until there are `size`, or none is left; ascending."""
        walks = self._start(chosen, barred)
        self._extend(walks, size)
        return np.sort(np.array(walks[0].order, dtype=np.intp))

    def backward(self, size: int) -> Indices:
        """Refuse: an inverse would be needed."""
        raise ValueError(f"backward elimination over {len(self.kept)} columns needs their inverse curvature: {WAY_OUT}")

    def elimination_path(self, importance: Importance | None = None) -> EliminationPath:
        """Refuse: an inverse would be needed."""
        raise ValueError(f"search='backward' over {len(self.kept)} columns needs their inverse curvature: {WAY_OUT}")

    def swap(self, chosen: Indices) -> tuple[Indices, float]:
        """Improve a support by swaps.

        One that is too large for them, or that has dependent columns in an output, is left as it is.
        """
        chosen = np.sort(chosen)
        gain = float(self.gains_along(chosen).sum())
        if len(self.parts) * len(chosen) * len(self.kept) > LARGE:
            return chosen, gain
        if any(len(part.independent_part(chosen)) < len(chosen) for part in self.parts):
            return chosen, gain
        states = [SwapState(part.curvature, part.moments, chosen) for part in self.parts]
        movable = np.flatnonzero(~self.kept[chosen])
        while len(movable):
            delta = np.sum([state.deltas() for state in states], axis=0)[movable]
            i, j = divmod(int(delta.argmin()), delta.shape[1])
            if not delta[i, j] < -IMPROVES * gain:
                break
            for state in states:
                state.swap(int(movable[i]), j)
                state.refresh()
            reached = sum(state.gain for state in states)
            if reached <= gain * (1 + IMPROVES / 2):
                break
            chosen, gain = states[0].chosen.copy(), reached
        return np.sort(chosen), gain

    def swap_along(self, order: Indices, sizes: Mask) -> Iterator[tuple[int, Indices, float]]:
        """Improve many beginnings of an order of columns; yield size, support and what it explains."""
        for size in (np.flatnonzero(sizes[1:]) + 1).tolist():
            yield size, *self.swap(order[:size])

    def gains_along(self, order: Indices) -> Floats:
        """Return by how much each column lowers the loss when added in this order."""
        gains = np.zeros(len(order))
        for part in self.parts:
            gains += part.gains_along(order)
        return gains

    def untouched_loss(self, chosen: Indices) -> float:
        """Return the loss of a support whose weights stay as they are."""
        return sum(part.untouched_loss(chosen) for part in self.parts)

    def untouched_losses(self, order: Indices) -> Floats:
        """Return the losses of all beginnings of an order when the weights stay as they are."""
        losses = np.zeros(len(order) + 1)
        for part in self.parts:
            losses += part.untouched_losses(order)
        return losses

    def scores(self, importance: Importance) -> Floats:
        """Return the score of each column at the full model, shape (n,)."""
        if importance.uses_curvature:
            return np.asarray(np.sum([part.scores(importance) for part in self.parts], axis=0), dtype=np.float64)
        weights = np.vstack([part.centre for part in self.parts]).T[:, :, None]
        one = np.ones((len(weights), 1, 1))
        return importance.score(UnitView(weights, weights, one, one))

    def relax(self, present: Mask, removable: Mask) -> Relaxation:
        """Refuse: inverses would be needed."""
        raise ValueError(f"proofs over {len(self.kept)} columns need their inverse curvature: {WAY_OUT}")

    def rounding_error(self, rise: float, slope: float = 0.0) -> float:
        """Return zero: no more than the loss of the full model is known of any support."""
        return 0.0

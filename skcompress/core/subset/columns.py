"""A search problem whose units are single columns, for one output or for several that share H."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from ..linalg import Floats, Indices, Mask
from ..units import Importance, UnitView
from .backward import BackwardColumns, EliminationPath, obs_scores
from .curvature import Curvature, steps_untouched
from .forward import ForwardColumns, gains_along
from .relaxation import Bucket, Relaxation, eigenvalue_ceiling, jitter_of, relax_columns, relax_units, removal_bounds
from .rounding_error import Solved, hidden_gain, missed_gain, reach_of, rounding_error, solved
from .swap_state import SwapState, descend_along

TIED = 1e-7
"""Share that a column must have in a dependent one for the two to stand in for each other."""


class ColumnProblem:
    """Keep k of n columns; see `skcompress.core.subset.problem.Problem` for the interface.

    Parameters
    ----------
    curvature : Curvature
        A, of the n columns.
    moments : ndarray of shape (r, n)
        C, one row for each output.
    centre : ndarray of shape (r, n)
        The weights at hand, in the units of the user.
    factors : ndarray of shape (r, n)
        Scaled weight divided by the user's weight.
    kept : ndarray of shape (n,), dtype=bool
        Columns that stay.
    unit_ids : ndarray of shape (n,)
        The unit that each column is.
    empty_loss : float
        Loss with no column kept.
    floor : float or None
        Loss of the full model; None: not known.
    """

    def __init__(
        self,
        curvature: Curvature,
        moments: Floats,
        centre: Floats,
        factors: Floats,
        kept: Mask,
        unit_ids: Indices,
        empty_loss: float,
        floor: float | None,
    ):
        self.curvature = curvature
        self.moments = moments
        self.centre = centre
        self.factors = factors
        self.kept = kept
        self.unit_ids = unit_ids
        self.empty_loss = empty_loss
        self.is_dense = curvature.is_dense
        self.n_rows = len(moments)
        self.n_weights = moments.size
        self._floor = floor

    @cached_property
    def _forward(self) -> ForwardColumns:
        return ForwardColumns(self.curvature, self.moments, np.flatnonzero(self.kept))

    def forward(self, size: int) -> tuple[Indices, Floats]:
        """Return the first `size` columns of forward selection, or as many as there are, and their gains."""
        self._forward.extend(size)
        return np.array(self._forward.order[:size], dtype=np.intp), np.array(self._forward.gains[:size])

    @property
    def kept_is_independent(self) -> bool:
        """Whether no column that is always kept depends on the others of them."""
        return not self._forward.dependent

    def complete(self, chosen: Indices, size: int, barred: Indices) -> Indices:
        """Add columns other than the barred ones until there are `size`, or none is left; ascending."""
        walk = ForwardColumns(self.curvature, self.moments, chosen, barred)
        walk.extend(size)
        return np.sort(np.array(walk.order, dtype=np.intp))

    @cached_property
    def _backward(self) -> BackwardColumns:
        return BackwardColumns(self.curvature, self.moments, self.kept)

    def backward(self, size: int) -> Indices:
        """Return the columns that backward elimination by OBS leaves, at most `size`; ascending."""
        return self._backward.support(min(size, self._backward.most))

    def elimination_path(self, importance: Importance | None = None) -> EliminationPath:
        """Return backward elimination down to the kept columns; None: by OBS."""
        if importance is None:
            return self._backward.elimination_path()
        score, factors = importance.score, self.factors

        def rescore(columns: Indices, weights: Floats, inverse_diagonal: Floats) -> Floats:
            gone = np.isinf(weights[0])
            worth = score(_view(np.where(gone, 0.0, weights), factors[:, columns], inverse_diagonal))
            return np.where(gone, np.inf, worth)

        return BackwardColumns(self.curvature, self.moments, self.kept, rescore).elimination_path()

    @cached_property
    def most(self) -> int:
        """Largest size of a support without dependent columns; n where the rank is not known."""
        return self._backward.most if self.is_dense else len(self.curvature)

    def swap(self, chosen: Indices) -> tuple[Indices, float]:
        """Improve a support by swaps; return it and what it explains."""
        if self.kept.any():
            chosen = self.independent_part(chosen)
        return SwapState(self.curvature, self.moments, chosen).descend(self.kept)

    def swap_along(self, order: Indices, sizes: Mask) -> Iterator[tuple[int, Indices, float]]:
        """Improve many beginnings of an order of independent columns; yield size, support and what it explains."""
        return descend_along(self.curvature, self.moments, order, self.kept, sizes)

    def independent_part(self, chosen: Indices) -> Indices:
        """Leave out columns that depend on others, those that are always kept counting first; ascending."""
        first = np.concatenate([chosen[self.kept[chosen]], chosen[~self.kept[chosen]]])
        return np.setdiff1d(chosen, ForwardColumns(self.curvature, self.moments, first).dependent)

    def gains_along(self, order: Indices) -> Floats:
        """Return by how much each column lowers the loss when added in this order."""
        return gains_along(self.curvature, self.moments, order)

    def untouched_loss(self, chosen: Indices) -> float:
        """Return the loss of a support whose weights stay as they are."""
        weights = np.zeros_like(self.moments)
        weights[:, chosen] = (self.centre * self.factors)[:, chosen]
        return self.empty_loss + float(np.vdot(self.curvature.dot(weights) - 2.0 * self.moments, weights))

    def untouched_losses(self, order: Indices) -> Floats:
        """Return the losses of all beginnings of an order when the weights stay as they are."""
        return self.empty_loss + steps_untouched(self.curvature.rows, self.moments, self.centre * self.factors, order)

    def scores(self, importance: Importance) -> Floats:
        """Return the score of each column at the full model, shape (n,)."""
        if not importance.needs_inverse:
            return importance.score(_view(self.centre * self.factors, self.factors, np.ones(len(self.curvature))))
        weights, inverse_diagonal = self._full
        return importance.score(_view(weights, self.factors, inverse_diagonal))

    @cached_property
    def _full(self) -> tuple[Floats, Floats]:
        """Basic weights (r, n) of the full model and the diagonal of its inverse (n,), 1 where dependent."""
        columns, inverse = self.curvature.independent
        inverse_diagonal = np.ones(len(self.curvature))
        inverse_diagonal[columns] = np.diag(inverse)
        return self._solved.weights, inverse_diagonal

    @cached_property
    def _solved(self) -> Solved:
        return solved(self.curvature.matrix, self.moments, *self.curvature.independent_factor)

    @cached_property
    def floor(self) -> float:
        """A loss below which no support can get."""
        if self._floor is not None:
            return self._floor
        if not self.is_dense:
            return -np.inf
        return self.empty_loss - self._solved.gain

    @property
    def known_floor(self) -> float:
        """The same as far as no rounding error is in it."""
        return -np.inf if self._floor is None else self._floor

    @cached_property
    def bounds(self) -> Floats:
        """A loss below which no support of the sizes 0..n can get, shape (n + 1,)."""
        n = len(self.curvature)
        if not self.is_dense:
            return np.full(n + 1, self.floor)
        columns, inverse = self.curvature.independent
        weights, diagonal = self._full
        costs = np.zeros(n)
        costs[columns] = obs_scores(columns, weights[:, columns], diagonal[columns])
        root = np.sqrt(diagonal[columns])
        scaled = inverse / root
        scaled /= root[:, None]
        removable = ~self.kept[columns]
        if len(columns) < n:
            # A column that a dependent one can stand in for costs nothing, and nor does the dependent one.
            dependent = np.setdiff1d(np.arange(n), columns)
            share = inverse @ self.curvature.rows(columns)[:, dependent]
            tied = np.abs(share).max(axis=1) > TIED
            costs[columns[tied]] = 0.0
            removable &= ~tied
        if not removable.all():
            scaled = scaled[np.ix_(removable, removable)]
        costs[self.kept] = np.inf
        free = np.zeros(int((np.isfinite(costs)).sum()) - len(scaled))
        falls = removal_bounds(
            costs[columns[removable]][None], np.abs(scaled)[None], ceiling=eigenvalue_ceiling(scaled), rounds=1
        )[0]
        # What can be removed at no cost goes first.
        rises = np.concatenate([free, falls, np.full(int(self.kept.sum()), np.inf)])
        return self.floor + rises[::-1]

    def relax(self, present: Mask, removable: Mask) -> Relaxation:
        """Return the models on these columns, and what removing more of them costs."""
        matrix = self.curvature.matrix
        if not self._jitter:
            return relax_columns(matrix, self.moments, self.empty_loss, present, removable)
        each = np.arange(len(matrix))
        single = [Bucket(each, each[:, None])]
        return relax_units(matrix[None], self.moments[None], self.empty_loss, single, present, removable, self._jitter)

    @cached_property
    def _jitter(self) -> float:
        """What proofs need on the diagonal: 0 where the curvature is safely regular."""
        return 0.0 if self.curvature.is_regular else jitter_of(self.curvature.matrix)

    def rounding_error(self, rise: float, slope: float = 0.0) -> float:
        """Return by how much rounding may have moved the losses of supports that lose at most `rise`."""
        if not self.is_dense:
            return 0.0
        columns, _ = self.curvature.independent
        lengths, spread = np.linalg.norm(self._solved.weights, axis=0), self._full[1].copy()
        # A dependent column may take the place of any other.
        others = np.delete(np.arange(len(spread)), columns)
        lengths[others], spread[others] = lengths.max(initial=0.0), spread.max(initial=1.0)
        reach = reach_of(lengths, spread, rise)
        hidden = hidden_gain(self._solved.left, self.empty_loss, reach)
        missed = missed_gain(self.moments, spread, slope)
        return rounding_error(self.empty_loss, reach, self._jitter) + hidden + missed


def _view(weights: Floats, factors: Floats, inverse_diagonal: Floats) -> UnitView:
    one = np.ones((len(inverse_diagonal), 1, 1))
    return UnitView((weights / factors).T[:, :, None], weights.T[:, :, None], one, inverse_diagonal[:, None, None])

"""A search problem whose units are single columns, for one output or for several that share H."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..importance import Importance, UnitView
from ..linalg import Floats, Indices, Mask
from .backward import Rescore, Trail, backward_columns, obs_scores
from .curvature import Curvature
from .exchange import exchange_columns
from .forward import ForwardColumns, gains_along


class ColumnProblem:
    """Keep k of n columns; see `skcompress.core.search.problem.Problem` for the interface.

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

    @cached_property
    def _forward(self) -> ForwardColumns:
        return ForwardColumns(self.curvature, self.moments, self.kept)

    def forward(self, size: int) -> tuple[Indices, Floats]:
        """Return the first `size` columns of forward selection, or as many as there are, and their gains."""
        self._forward.extend(size)
        return np.array(self._forward.order[:size], dtype=np.intp), np.array(self._forward.gains[:size])

    def backward(self, importance: Importance | None = None) -> Trail:
        """Return backward elimination down to the kept columns; None: by OBS."""
        rescore: Rescore = obs_scores
        if importance is not None:
            score, factors = importance.score, self.factors

            def rescore(columns: Indices, weights: Floats, inverse_diagonal: Floats) -> Floats:
                return score(_view(weights, factors[:, columns], inverse_diagonal))

        return backward_columns(self.curvature, self.moments, self.kept, rescore)

    def exchange(self, chosen: Indices) -> tuple[Indices, float]:
        """Improve a support by exchanges; return it and what it explains."""
        chosen = self.independent_part(chosen)
        return exchange_columns(self.curvature, self.moments, chosen, self.kept)

    def independent_part(self, chosen: Indices) -> Indices:
        """Leave out the columns that depend on those listed before them."""
        if not self.kept.any():
            return chosen
        gains = gains_along(self.curvature, self.moments, chosen)
        return chosen[(gains > 0) | ~self.kept[chosen]]

    def gains_along(self, order: Indices) -> Floats:
        """Return by how much each column lowers the loss when added in this order."""
        return gains_along(self.curvature, self.moments, order)

    def scores(self, importance: Importance) -> Floats:
        """Return the score of each column at the full model, shape (n,)."""
        weights = self.centre * self.factors
        inverse_diagonal = np.ones(len(self.curvature))
        if importance.needs_inverse:
            columns, inverse = self.curvature.independent
            weights = np.zeros_like(weights)
            weights[:, columns] = self.moments[:, columns] @ inverse
            inverse_diagonal[columns] = np.diag(inverse)
        return importance.score(_view(weights, self.factors, inverse_diagonal))


def _view(weights: Floats, factors: Floats, inverse_diagonal: Floats) -> UnitView:
    one = np.ones((len(inverse_diagonal), 1, 1))
    return UnitView((weights / factors).T[:, :, None], weights.T[:, :, None], one, inverse_diagonal[:, None, None])

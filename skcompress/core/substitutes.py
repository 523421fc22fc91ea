"""Substitutes: which column could stand in for a kept one, and what that would cost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .linalg import Floats, Indices, Mask
from .quadratic import QuadraticModel
from .subset import problems_of
from .subset.columns import ColumnProblem
from .subset.swap_state import SwapState
from .units import units_of


class Substitutes(NamedTuple):
    """The best substitute of each kept weight.

    Attributes
    ----------
    columns : ndarray of shape (m, p)
        The column that costs least in place of the kept one, -1 for a weight that is not kept or has no substitute.
    costs : ndarray of shape (m, p)
        By how much the loss rises with it, in units of loss, all weights at their new optimum; nan where there is none.
        Near zero: the two are interchangeable. Negative: the swap would help.
    """

    columns: Indices
    costs: Floats


def substitutes(quadratic: QuadraticModel, support: Mask) -> Substitutes:
    """Return the best substitute of each kept weight, each output on its own.

    All swaps of one kept column for one other are looked at, by the formula of
    `skcompress.core.subset.swap_state`; a column that depends on other kept ones is no substitute and has none.

    Parameters
    ----------
    quadratic : QuadraticModel
        The model that was pruned, not the pruned one: its free weights are the candidates.
    support : ndarray of shape (m, p), dtype=bool
        Weights kept.

    Returns
    -------
    found : Substitutes
        Columns and costs.

    Examples
    --------
    >>> import numpy as np
    >>> from skcompress.core.quadratic import QuadraticModel
    >>> curvature = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> found = substitutes(QuadraticModel(curvature, [3.0, 1.0, 2.0]), np.array([[True, False, True]]))
    >>> found.columns
    array([[ 1, -1,  1]])
    >>> found.costs.round(3)
    array([[1.52, nan, 3.81]])
    """
    columns = np.full(quadratic.centre.shape, -1, dtype=np.intp)
    costs = np.full(quadratic.centre.shape, np.nan)
    for output, problem in enumerate(problems_of(quadratic, units_of(quadratic.free))):
        if not isinstance(problem, ColumnProblem):
            continue
        place = problem.curvature.columns
        chosen = problem.independent_part(np.flatnonzero(support[output, place]))
        if not len(chosen):
            continue
        deltas = SwapState(problem.curvature, problem.moments, chosen).deltas()
        best = deltas.argmin(axis=1)
        cost = deltas[np.arange(len(chosen)), best]
        found = np.isfinite(cost)
        columns[output, place[chosen[found]]] = place[best[found]]
        costs[output, place[chosen[found]]] = cost[found]
    return Substitutes(columns, costs)

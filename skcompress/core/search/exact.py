"""Branch and bound: the best support of a size, or an honest bound.

A node is a set of units that stay and a set of units that may still go. The model on both together bounds its loss
from below; `removal_bounds` adds what the removals that are left to do cost at least. Units whose single removal
would already lose more than the best support known must stay. A node branches on which unit goes first, in the
order of falling cost: the c-th child drops the c-th unit and keeps those before it, so no support is seen twice
(Furnival and Wilson, "Regressions by leaps and bounds", 1974). Nodes with the lowest bounds are taken first, many
at a time; the search starts from the support that `swap` finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..linalg import Floats, Indices, Mask
from .bounds import removal_bounds
from .problem import Problem
from .profile import Found, Settings
from .swap import SwapProfile

PROVEN = 1e-10
"""Share of the explained loss below which a better support does not count."""

_BATCH = 64
_BATCH_FLOATS = 2**21


class _Nodes(NamedTuple):
    """Open nodes: units that stay (v, n), units that may go (v, n), and bounds (v,)."""

    stay: Mask
    may_go: Mask
    bounds: Floats

    def where(self, mask: Mask | Indices) -> _Nodes:
        return _Nodes(self.stay[mask], self.may_go[mask], self.bounds[mask])

    def plus(self, other: _Nodes) -> _Nodes:
        return _Nodes(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))


class ExactProfile:
    """Best supports, size by size, when they are asked for.

    Parameters
    ----------
    problem : Problem
        Of n units; its curvature must be at hand.
    settings : Settings
        Number of nodes, and what the exchange search needs.
    """

    def __init__(self, problem: Problem, settings: Settings):
        if not problem.is_dense:
            raise ValueError(
                f"search='exact' needs the whole curvature of the {len(problem.kept)} free columns: use search='swap'"
            )
        self.problem = problem
        self._swap = SwapProfile(problem, settings)
        self._max_nodes = settings.max_nodes
        self._found: dict[int, Found] = {}
        self.least = self._swap.least
        self.most = self._swap.most

    @property
    def visited(self) -> Sequence[int]:
        """Sizes searched so far, ascending."""
        return sorted(self._found)

    def prepare(self, sizes: Indices) -> None:
        """Find the supports to start from together."""
        self._swap.prepare(sizes)

    def find(self, size: int) -> Found:
        """Return the support of this size."""
        if size not in self._found:
            self._found[size] = best_support(self.problem, self._swap.find(size), self._max_nodes)
        return self._found[size]

    def curve(self, limit: int) -> Floats:
        """Return losses for the sizes 0..limit that need no branching."""
        return self._swap.curve(limit)

    def steps(self, limit: int) -> Floats:
        """Return by how much each unit lowers the loss, on the lower convex hull of the curve."""
        return self._swap.steps(limit)

    def size_at(self, threshold: float, inclusive: bool) -> int:
        """Return the size that minimises loss + threshold x size, over all sizes."""
        sizes = np.arange(self.least, self.most + 1)
        guesses = self.curve(self.most)[sizes] + threshold * sizes
        best, value = -1, np.inf
        for size in sizes[np.argsort(guesses, kind="stable")].tolist():
            if self.problem.bounds[size] + threshold * size >= value:
                continue
            objective = self.find(size).loss + threshold * size
            if objective < value or (objective == value and size < best):
                best, value = size, objective
        return best


def exact(problem: Problem, settings: Settings) -> ExactProfile:
    """Return the profile of branch and bound."""
    return ExactProfile(problem, settings)


def best_support(problem: Problem, start: Found, max_nodes: int) -> Found:
    """Return the best support of the size of `start`.

    Parameters
    ----------
    problem : Problem
        Of n units.
    start : Found
        The support to beat.
    max_nodes : int
        Nodes after which the search ends with the lowest bound among the open ones.
    """
    n, size = len(problem.kept), len(start.units)
    worth_it = PROVEN * max(problem.empty_loss - start.loss, 0.0)
    best, lowest = start.units, start.loss
    nodes = _Nodes(problem.kept[None].copy(), ~problem.kept[None], np.array([max(start.bound, problem.floor)]))
    batch = max(1, min(_BATCH, _BATCH_FLOATS // n**2 if n else 1))
    n_seen = 0
    while True:
        nodes = nodes.where(nodes.bounds < lowest - worth_it)
        if not len(nodes.bounds):
            return Found(best, lowest, lowest)
        if n_seen >= max_nodes:
            return Found(best, lowest, float(nodes.bounds.min()))
        count = min(batch, len(nodes.bounds), max_nodes - n_seen)
        taken = np.zeros(len(nodes.bounds), dtype=bool)
        taken[np.argpartition(nodes.bounds, count - 1)[:count]] = True
        n_seen += count
        children, units, loss = _expand(problem, nodes.where(taken), size, lowest - worth_it)
        if units is not None:
            best, lowest = units, loss
        nodes = nodes.where(~taken).plus(children)


def _expand(problem: Problem, nodes: _Nodes, size: int, target: float) -> tuple[_Nodes, Indices | None, float]:
    """Return the children that may hold a loss below `target`, and the best support met, if it is below it."""
    stay, may_go = nodes.stay, nodes.may_go
    losses, costs, coupling = problem.relax(stay | may_go, may_go)
    forced = may_go & (losses[:, None] + costs >= target)
    stay, may_go = stay | forced, may_go & ~forced
    costs = np.where(may_go, costs, np.inf)
    to_go = stay.sum(axis=1) + may_go.sum(axis=1) - size
    order = np.argsort(costs, axis=1, kind="stable")
    ordered = np.take_along_axis(costs, order, axis=1)
    best, units = target, None
    for missing in (0, 1):
        for node in np.flatnonzero((to_go == missing) & (may_go.sum(axis=1) >= missing)):
            loss = float(losses[node] + (ordered[node, 0] if missing else 0.0))
            if loss < best:
                left = stay[node] | may_go[node]
                if missing:
                    left[order[node, 0]] = False
                best, units = loss, np.flatnonzero(left)
    at = np.arange(len(losses))
    bounds = losses + removal_bounds(costs, coupling)[at, np.maximum(to_go, 0)]
    alive = (to_go >= 2) & (to_go <= may_go.sum(axis=1)) & (bounds < best)
    children = _branch(
        stay[alive], may_go[alive], order[alive], ordered[alive], losses[alive], bounds[alive], to_go[alive]
    )
    return children.where(children.bounds < best), units, best


def _branch(
    stay: Mask, may_go: Mask, order: Indices, ordered: Floats, losses: Floats, bounds: Floats, to_go: Indices
) -> _Nodes:
    """Drop each unit that may go in turn, and keep those that cost more."""
    n = order.shape[1]
    places = np.arange(n)
    possible = (places >= to_go[:, None] - 1) & np.isfinite(ordered)
    node, place = np.nonzero(possible)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(places, order.shape), axis=1)
    dearer = (rank[node] > place[:, None]) & may_go[node]
    left = may_go[node] & ~dearer
    left[np.arange(len(node)), order[node, place]] = False
    return _Nodes(stay[node] | dearer, left, np.maximum(bounds[node], losses[node] + ordered[node, place]))

"""Branch and bound: the best support of a size, or an honest bound.

A node is a set of units that stay and a set of units that may still go. The model on both together bounds its loss
from below; `removal_bounds` adds what the removals that are left to do cost at least. Units whose single removal
would already lose more than the best support known must stay. A node branches on which unit goes first, in the
order of falling cost: the c-th child drops the c-th unit and keeps those before it, so no support is seen twice
(Furnival and Wilson, "Regressions by leaps and bounds", 1974). Nodes with the lowest bounds are taken first, many
at a time; the search starts from the support that `swap` finds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ..linalg import Floats, Indices, Mask
from .problem import Problem
from .profile import EVERY_SIZE, Found, Searched, Settings, SharedBy
from .relaxation import removal_bounds
from .swap import SwapProfile

PROVEN = 1e-10
"""Share of the explained loss, or of the null loss where that is less, below which a better support does not count."""

NOISE = 1e-6
"""Largest loss that is put down to rounding when supports are compared; the gap tells of all of it."""

WORK = 2.5e10
"""Nodes x n^2 (n + `OVERHEAD`) that a search for one size may take where their number is not given: some ten seconds.

A node costs an inverse and the largest eigenvalue of n x n matrices, and what is done for each entry of them.
"""

OVERHEAD = 400
"""Columns from which the cubic part of a node's cost prevails."""

MOST_NODES = 100_000
"""Nodes at most where their number is not given."""

_BATCH = 64
_BATCH_FLOATS = 2**21

_OPEN_BYTES = 2**27
"""Memory for open nodes; beyond it those with the highest bounds are given up, and the lowest of their bounds kept."""


class Nodes(NamedTuple):
    """Open nodes: units that stay (v, n), units that may go (v, n), and bounds (v,)."""

    stay: Mask
    may_go: Mask
    bounds: Floats

    def where(self, mask: Mask | Indices) -> Nodes:
        """Return some of the nodes."""
        return Nodes(self.stay[mask], self.may_go[mask], self.bounds[mask])

    def roomier(self, count: int) -> Nodes:
        """Return these nodes with room for so many and half as many again; what is not filled has no meaning."""
        more = count + count // 2 - len(self.bounds)
        empty = Nodes(*(np.zeros((more, *part.shape[1:]), dtype=part.dtype) for part in self))
        return Nodes(*(np.concatenate(pair) for pair in zip(self, empty, strict=True)))

    def put(self, place: int, other: Nodes) -> None:
        """Write other nodes from this place on."""
        for part, given in zip(self, other, strict=True):
            part[place : place + len(given)] = given


Expand = Callable[[Nodes, float], tuple[Nodes, Found | None]]
"""From nodes and a loss to their children that may hold less than that, and the best support met, if it is better."""


class ExactProfile(Searched):
    """Best supports, size by size, when they are asked for.

    Parameters
    ----------
    problem : Problem
        Of n units; its curvature must be at hand.
    swap : Searched
        The swap search, which gives the supports to start from.
    improve : callable(size, start) -> Found
        Branch and bound for one size, from the support that swap finds.
    """

    shared_by: SharedBy = "supports"

    def __init__(self, problem: Problem, swap: Searched, improve: Callable[[int, Found], Found]):
        if not problem.is_dense:
            raise ValueError(
                f"search='exact' needs the whole curvature of the {len(problem.kept)} free columns: use search='swap'"
            )
        super().__init__(problem, swap.most, swap.is_cheap)
        self.least = swap.least
        self._swap = swap
        self._improve = improve

    def prepare(self, sizes: Indices) -> None:
        """Find the supports to start from together."""
        self._swap.prepare(sizes)

    def search(self, size: int) -> Found:
        """Return the best support of this size, or the best one found with what is known of the others."""
        return self._improve(size, self._swap.find(size))

    def curve(self, limit: int) -> Floats:
        """Return losses for the sizes 0..limit that need no branching."""
        return self._swap.curve(limit)

    def size_at(self, threshold: float, inclusive: bool) -> int:
        """Return the size that minimises loss + threshold x size, over all sizes where they are few."""
        if self.most > EVERY_SIZE:
            return super().size_at(threshold, inclusive)
        sizes = np.arange(self.least, self.most + 1)
        guesses = self.curve(self.most)[sizes] + threshold * sizes
        best, value = self.least, np.inf
        for size in sizes[np.argsort(guesses, kind="stable")].tolist():
            if self.problem.bounds[size] + threshold * size >= value:
                continue
            objective = self.find(size).loss + threshold * size
            if objective < value or (objective == value and size < best):
                best, value = size, objective
        return best


def nodes_for(n_units: int, n_problems: int = 1) -> int:
    """Return how many nodes each of some problems with n units gets where their number is not given."""
    return int(max(1, min(MOST_NODES, WORK / (n_problems * max(n_units, 1) ** 2 * (n_units + OVERHEAD)))))


def exact(problem: Problem, settings: Settings) -> ExactProfile:
    """Return the profile of branch and bound."""
    max_nodes = settings.max_nodes or nodes_for(len(problem.kept), settings.n_problems)

    def improve(size: int, start: Found) -> Found:
        found = best_support(problem, start, max_nodes)
        # The models of the nodes may have had a jitter.
        return found._replace(loss=problem.empty_loss - float(problem.gains_along(found.units).sum()))

    return ExactProfile(problem, SwapProfile(problem, settings), improve)


def least_gain(problem: Problem, loss: float) -> float:
    """Return by how much a support must lose less than this for it to count as better."""
    explained = min(max(problem.empty_loss - loss, 0.0), 1.0)
    return PROVEN * explained + min(NOISE, problem.rounding_error(loss - problem.floor))


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
    n = len(problem.kept)
    return best_first(
        start._replace(bound=max(start.bound, problem.floor)),
        problem.kept,
        partial(_expand, problem, len(start.units)),
        least=least_gain(problem, start.loss),
        max_nodes=max_nodes,
        batch=max(1, min(_BATCH, _BATCH_FLOATS // n**2 if n else 1)),
    )


def best_first(start: Found, kept: Mask, expand: Expand, *, least: float, max_nodes: int, batch: int) -> Found:
    """Return the best support that branching finds, with what no other of its size can lose less than.

    Parameters
    ----------
    start : Found
        The support to beat, with a bound.
    kept : ndarray of shape (n,), dtype=bool
        Units that stay in any support.
    expand : callable
        What branches.
    least : float
        By how much a support must lose less for it to count as better.
    max_nodes : int
        Nodes after which the search ends with the lowest bound among the open ones.
    batch : int
        Nodes that are expanded together.
    """
    best, lowest = start.units, start.loss
    nodes = Nodes(kept[None].copy(), ~kept[None], np.array([start.bound]))
    room = max(batch, _OPEN_BYTES // (2 * max(len(kept), 1) + 8))
    n_seen, given_up, used = 0, np.inf, 1
    while True:
        # Closed nodes keep their places, with an infinite bound, until room is made.
        bounds = nodes.bounds[:used]
        n_open = int(np.count_nonzero(bounds < lowest - least))
        if not n_open:
            return Found(best, lowest, min(lowest - least, given_up))
        if n_seen >= max_nodes:
            return Found(best, lowest, min(float(bounds.min()), given_up))
        if n_open > 2 * room:
            order = np.argpartition(bounds, room)
            given_up = min(given_up, float(bounds[order[room]]))
            nodes, used = nodes.where(order[:room]), room
            continue
        count = min(batch, n_open, max_nodes - n_seen)
        taken = np.sort(np.argpartition(bounds, count - 1)[:count])
        n_seen += count
        children, better = expand(nodes.where(taken), lowest - least)
        bounds[taken] = np.inf
        if better is not None and better.loss < lowest:
            best, lowest = better.units, better.loss
        if used + len(children.bounds) > len(nodes.bounds):
            nodes = nodes.where(np.flatnonzero(bounds < lowest - least))
            used = len(nodes.bounds)
            nodes = nodes.roomier(used + len(children.bounds))
        nodes.put(used, children)
        used += len(children.bounds)


def _expand(problem: Problem, size: int, nodes: Nodes, target: float) -> tuple[Nodes, Found | None]:
    """Return the children that may hold a loss below `target`, and the best support met, if it is below it."""
    stay, may_go = nodes.stay, nodes.may_go
    relaxation = problem.relax(stay | may_go, may_go)
    losses = relaxation.losses
    forced = may_go & (losses[:, None] + relaxation.costs >= target)
    stay, may_go = stay | forced, may_go & ~forced
    costs = np.where(may_go, relaxation.costs, np.inf)
    to_go, can_go = stay.sum(axis=1) + may_go.sum(axis=1) - size, may_go.sum(axis=1)
    order = np.argsort(costs, axis=1, kind="stable")
    ordered = np.take_along_axis(costs, order, axis=1)
    better = _leaves(stay | may_go, order, ordered, losses, to_go, can_go, target)
    target = target if better is None else better.loss
    open_ones = np.flatnonzero((to_go >= 2) & (to_go <= can_go))
    if not len(open_ones):
        return nodes.where(open_ones), better
    ceilings = relaxation.of(open_ones).ceilings(may_go[open_ones])
    rises = removal_bounds(costs[open_ones], relaxation.coupling[open_ones], ceiling=ceilings)
    bounds = losses[open_ones] + np.take_along_axis(rises, to_go[open_ones, None], axis=1)[:, 0]
    alive = bounds < target
    at = open_ones[alive]
    children = _branch(
        Nodes(stay[at], may_go[at], bounds[alive]), order[at], ordered[at], losses[at], to_go[at], ceilings[alive]
    )
    return children.where(children.bounds < target), better


def _leaves(
    present: Mask, order: Indices, ordered: Floats, losses: Floats, to_go: Indices, can_go: Indices, target: float
) -> Found | None:
    """Return the best support among the nodes with at most one unit to go, if it is below `target`."""
    ends = np.full(len(losses), np.inf)
    done, one = to_go == 0, (to_go == 1) & (can_go >= 1)
    ends[done] = losses[done]
    ends[one] = losses[one] + ordered[one, 0]
    if not len(ends) or ends.min() >= target:
        return None
    node = int(ends.argmin())
    left = present[node].copy()
    if one[node]:
        left[order[node, 0]] = False
    return Found(np.flatnonzero(left), float(ends[node]))


def _branch(nodes: Nodes, order: Indices, ordered: Floats, losses: Floats, to_go: Indices, ceilings: Floats) -> Nodes:
    """Drop each unit that may go in turn, and keep those that cost more."""
    places = np.arange(order.shape[1])
    node, place = np.nonzero((places >= to_go[:, None] - 1) & np.isfinite(ordered))
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(places, order.shape), axis=1)
    dearer = (rank[node] > place[:, None]) & nodes.may_go[node]
    left = nodes.may_go[node] & ~dearer
    left[np.arange(len(node)), order[node, place]] = False
    # This unit and the cheapest others that are still to go.
    first = ordered[node, place]
    others = np.take_along_axis(np.cumsum(ordered, axis=1), to_go[:, None] - 2, axis=1)[node, 0]
    rises = np.maximum(first, (first + others) / np.maximum(1.0, ceilings[node]))
    return Nodes(nodes.stay[node] | dearer, left, np.maximum(nodes.bounds[node], losses[node] + rises))

"""Branch and bound under signs: the best support of a size, or an honest bound.

A node is a set of units that stay and a set of units that may go. The constrained optimum on both together bounds its
loss from below, and is the answer where it needs no more units than there may be. Leaving out a set R of the units adds
at least z_R' (K_RR)^-1 z_R, K the inverse curvature of the node's units and z its weights (see
`skcompress.core.subset.signed`), so at least the q-th smallest single cost if q units have to go. A node branches on
the unit that costs most: it goes, or it stays. Nodes with the lowest bounds are taken first.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence

import numpy as np

from ..linalg import Floats, Indices, Mask
from .exact import least_gain
from .problem import Problem
from .profile import EVERY_SIZE, Found, SharedBy, best_size
from .signed import SignedProblem, SignedSwap, State


class SignedExact:
    """Best supports under signs, size by size, when they are asked for.

    Parameters
    ----------
    problem : Problem
        Of n units: the model around the constrained optimum; its curvature must be at hand.
    signed : SignedProblem
        The same units under signs.
    swap : SignedSwap
        Gives the supports to start from.
    max_nodes : int
        Nodes after which the search ends with the lowest bound among the open ones.
    """

    shared_by: SharedBy = "supports"

    def __init__(self, problem: Problem, signed: SignedProblem, swap: SignedSwap, max_nodes: int):
        if not problem.is_dense:
            raise ValueError(
                f"search='exact' needs the whole curvature of the {len(problem.kept)} free columns: use search='swap'"
            )
        self.problem = problem
        self.is_cheap = swap.is_cheap
        self.least = swap.least
        self.most = swap.most
        self._signed = signed
        self._swap = swap
        self._max_nodes = max_nodes
        self._found: dict[int, Found] = {}

    @property
    def visited(self) -> Sequence[int]:
        """Sizes searched so far, ascending."""
        return sorted(self._found)

    def prepare(self, sizes: Indices) -> None:
        """Nothing is cheaper together."""

    def find(self, size: int) -> Found:
        """Return the support of this size, or of as many units as there are."""
        if size not in self._found:
            start = self._swap.find(size)
            empty = self.problem.empty_loss
            state, most = best_state(
                self._signed,
                State(start.units, empty - start.loss),
                ~self.problem.kept,
                size,
                empty - start.bound,
                self._max_nodes,
                least_gain(self.problem, start.loss),
            )
            self._found[size] = Found(state.units, empty - state.gain, empty - most)
        return self._found[size]

    def curve(self, limit: int) -> Floats:
        """Return losses for the sizes 0..limit that need no branching."""
        return self._swap.curve(limit)

    def steps(self, limit: int) -> Floats:
        """Return by how much each unit lowers the loss, on the lower convex hull of the curve."""
        return self._swap.steps(limit)

    def size_at(self, threshold: float, inclusive: bool) -> int:
        """Return the size that minimises loss + threshold x size, over all sizes where they are few."""
        if self.most > EVERY_SIZE:
            return best_size(self, lambda sizes, losses: losses + threshold * sizes)
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


def best_state(
    signed: SignedProblem, start: State, may_go: Mask, size: int, ceiling: float, max_nodes: int, least: float
) -> tuple[State, float]:
    """Return the best state of at most `size` units, and what none of them can explain more than.

    Parameters
    ----------
    signed : SignedProblem
        Of n units.
    start : State
        The state to beat.
    may_go : ndarray of shape (n,), dtype=bool
        Units that can be left out.
    size : int
        Units with a weight at most.
    ceiling : float
        What no state of this size can explain more than, as far as that is known.
    max_nodes : int
        Nodes after which the search ends.
    least : float
        What a state must explain more for it to count as better.
    """
    best = start
    counter = itertools.count()
    nodes: list[tuple[float, int, Mask, Mask]] = [(-ceiling, next(counter), ~may_go, may_go.copy())]
    n_seen = 0
    while nodes and -nodes[0][0] > best.gain + least:
        if n_seen >= max_nodes:
            return best, -nodes[0][0]
        n_seen += 1
        _, _, stay, free = heapq.heappop(nodes)
        state = signed.solve(np.flatnonzero(stay | free))
        if len(state.units) <= size:
            best = state if state.gain > best.gain else best
            continue
        costs = signed.costs(np.flatnonzero(stay | free), state)
        used = np.zeros(len(free), dtype=bool)
        used[state.units] = True
        while True:
            # Branched ones stay; one that is always kept may still lose its weight.
            removable = used & ~(stay & may_go)
            to_go = len(state.units) - size
            if to_go > removable.sum() or not (free & used).any():
                break
            bound = state.gain - float(np.sort(costs[removable])[to_go - 1])
            if bound <= best.gain + least:
                break
            open_ones = np.flatnonzero(free & used)
            unit = int(open_ones[np.argmax(costs[open_ones])])
            free = free.copy()
            free[unit] = False
            without = min(bound, state.gain - float(costs[unit]))
            if without > best.gain + least:
                heapq.heappush(nodes, (-without, next(counter), stay.copy(), free.copy()))
            stay = stay.copy()
            stay[unit] = True
    return best, best.gain + least

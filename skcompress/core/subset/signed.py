"""Supports under signs: the search when some weights may not be negative, or not be positive.

A set of units is worth what the least squares with signs on it explains (`solve_signed`). Units whose weights the signs
hold at zero do not count, so that a `State` holds the units with a weight and is the unconstrained optimum on them. Two
facts make the search cheap. Without signs a set explains no less than with them, so that the unconstrained gains of
additions and exchanges say in which order to look, and when to stop. And adding a unit lowers the loss if and only if
its slope has a sign that it may have: a support can be filled up to any size below that of the whole constrained model,
beyond which no weight lowers the loss.

The lower bounds and the scores are those of the model around the constrained optimum w*: for w within the signs
loss(w) >= loss(w*) + (w - w*)' H (w - w*), since the slope at w* does not point into them.

In branch and bound a node is a set of units that stay and a set of units that may go. The constrained optimum on both
together bounds its loss from below, and is the answer where it needs no more units than there may be. Leaving out a set
R of the units adds at least z_R' (K_RR)^-1 z_R, K the inverse curvature of the node's units and z its weights, so at
least the q-th smallest single cost if q units have to go. A node branches on the unit that costs most: it goes, or it
stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from ..linalg import Floats, Indices, Mask
from ..units import Importance
from .exact import ExactProfile, Nodes, best_first, least_gain, nodes_for
from .nested import stepwise
from .problem import Problem
from .profile import Found, Profile, Searched, Settings, SharedBy, require_walk
from .swap import EQUAL, MOST_RESTARTS, PATIENCE, SWAPPED, dropped

CHEAP = 256
"""Up to so many units the curve of all sizes costs little."""


GROWN = 2**39
"""Largest cube of the size times columns, as `WALKED`: forward selection under signs starts anew at every size."""


class State(NamedTuple):
    """A support under signs.

    Attributes
    ----------
    units : ndarray of shape (k,)
        Units that have a weight other than zero, ascending.
    gain : float
        What they explain.
    """

    units: Indices
    gain: float


class SignedProblem(Protocol):
    """Supports of one problem under signs; units that are always kept take part without being named."""

    def solve(self, units: Indices) -> State:
        """Return the constrained optimum on these units."""

    def grow(self, state: State, size: int) -> State | None:
        """Return the best state with one unit more to choose from and at most `size` units, if it explains more."""

    def costs(self, units: Indices, state: State) -> Floats:
        """Return what leaving out each unit of the optimum on these units costs at least, shape (n,)."""

    def swap(self, state: State, size: int) -> State | None:
        """Return a state of at most `size` units that explains more, with one unit swapped for another."""


class SignedSwap(Searched):
    """Supports found by forward and backward starts and swaps, size by size, when they are asked for.

    Parameters
    ----------
    problem : Problem
        Of n units: the model around the constrained optimum.
    signed : SignedProblem
        The same units under signs.
    settings : Settings
        Restarts and their seed.
    most : int
        Largest size of a support, as far as that is known.
    """

    def __init__(self, problem: Problem, signed: SignedProblem, settings: Settings, most: int):
        super().__init__(problem, most, is_cheap=problem.is_dense and most <= CHEAP)
        self._signed = signed
        self._settings = settings
        self._chain = [signed.solve(np.empty(0, dtype=np.intp))]
        self._passed = {self._chain[0].units.tobytes()}
        self._ended = False

    def search(self, size: int) -> Found:
        """Search the support of this size, or of as many units as there are."""
        state = self._best_of(size)
        return Found(state.units, self.problem.empty_loss - state.gain, float(self.problem.bounds[size]))

    def _best_of(self, size: int) -> State:
        start = self._grown(size)
        # The swaps of huge problems would take minutes.
        if not self.problem.is_dense and size * len(self.problem.kept) > SWAPPED:
            return start
        best = self._improved(start, size)
        if self.problem.is_dense:
            best = _better(self._improved(self._fitting(self.problem.backward(size), size), size), best)
        idle, limit = 0, self._settings.n_restarts
        for attempt in range(MOST_RESTARTS if limit is None else limit):
            if limit is None and idle == PATIENCE:
                break
            trial = self._improved(self._perturbed(best, size, attempt), size)
            idle = idle + 1 if _better(trial, best) is best else 0
            best = _better(trial, best)
        return best

    def _grown(self, size: int) -> State:
        """Return the state that forward selection reaches just before it has more units than this."""
        for state, after in self._along():
            if after is None or len(after.units) > size:
                return state
        return self._chain[-1]

    def _along(self) -> Iterator[tuple[State, State | None]]:
        """Yield each state of forward selection with the next; None after the last."""
        place = 0
        while True:
            if place + 1 == len(self._chain) and not self._ended:
                state = self._chain[-1]
                grown = self._new(self._signed.grow(state, len(state.units) + 1), self._passed)
                self._ended = grown is None
                if grown is not None:
                    self._chain.append(grown)
            last = place + 1 == len(self._chain)
            yield self._chain[place], None if last else self._chain[place + 1]
            if last:
                return
            place += 1

    def _fitting(self, units: Indices, size: int) -> State:
        """Return the constrained optimum on these units, filled up."""
        return self._filled(self._signed.solve(units), size)

    def _filled(self, state: State, size: int) -> State:
        seen = {state.units.tobytes()}
        while len(state.units) < size:
            grown = self._new(self._signed.grow(state, size), seen)
            if grown is None:
                break
            state = grown
        return state

    def _improved(self, state: State, size: int) -> State:
        seen = {state.units.tobytes()}
        while True:
            better = self._signed.swap(state, size)
            moved = self._new(None if better is None else self._filled(better, size), seen)
            if moved is None:
                return state
            state = moved

    @staticmethod
    def _new(state: State | None, seen: set[bytes]) -> State | None:
        """Return the state if its units are not among those seen, to which they are added.

        Where digits are lost, supports may follow one another in a circle, each better than the one before.
        """
        if state is None or state.units.tobytes() in seen:
            return None
        seen.add(state.units.tobytes())
        return state

    def _perturbed(self, best: State, size: int, attempt: int) -> State:
        rng = np.random.default_rng([self._settings.seed, len(best.units), attempt])
        movable = best.units[~self.problem.kept[best.units]]
        if not len(movable):
            return best
        gone = rng.choice(movable, size=dropped(attempt, len(movable)), replace=False)
        return self._fitting(np.setdiff1d(best.units, gone), size)

    def curve(self, limit: int) -> Floats:
        """Return the losses of forward selection for the sizes 0..limit."""
        if not self.problem.is_dense:
            require_walk(limit, len(self.problem.kept), max(64, (GROWN / len(self.problem.kept)) ** (1 / 3)))
        losses = np.full(limit + 1, self.problem.empty_loss)
        for state, after in self._along():
            losses[min(len(state.units), limit + 1) :] = self.problem.empty_loss - state.gain
            if after is None or len(after.units) > limit:
                break
        losses[: self.least] = np.inf
        return losses


class SignedOrder(Searched):
    """Supports along an order of the units: the first ones that have a weight under the signs.

    Parameters
    ----------
    problem : Problem
        Of n units: the model around the constrained optimum.
    signed : SignedProblem
        The same units under signs.
    order : ndarray of shape (r,)
        Units by falling importance.
    scores : ndarray of shape (r,)
        Their worth in that order; infinite for those always kept.
    most : int
        Largest size of a support, as far as that is known.
    """

    shared_by: SharedBy = "scores"

    def __init__(self, problem: Problem, signed: SignedProblem, order: Indices, scores: Floats, most: int):
        super().__init__(problem, most, is_cheap=problem.is_dense and most <= CHEAP)
        self._signed = signed
        self._order = order
        self._scores = scores

    def search(self, size: int) -> Found:
        """Return the first units that have a weight; where one gets none, the next in the order is tried."""
        state, place = self._signed.solve(self._order[:size]), size
        while len(state.units) < size and place < len(self._order):
            missing = size - len(state.units)
            state = self._signed.solve(np.union1d(state.units, self._order[place : place + missing]))
            place += missing
        bound = float(self.problem.bounds[size]) if self.problem.is_dense else self.problem.floor
        return Found(state.units, self.problem.empty_loss - state.gain, bound)

    def curve(self, limit: int) -> Floats:
        """Return the losses of the sizes 0..limit."""
        losses = np.array([self.find(size).loss for size in range(limit + 1)])
        losses[: self.least] = np.inf
        return losses

    def size_at(self, threshold: float, inclusive: bool) -> int:
        """Return the size at which the lowest score passes, going down from all units."""
        passes = self._scores >= threshold if inclusive else self._scores > threshold
        return min(int(np.flatnonzero(passes)[-1]) + 1 if passes.any() else 0, self.most)

    def steps(self, limit: int) -> Floats:
        """Return the scores of the sizes 1..limit."""
        return self._scores[:limit]


def _better(state: State, other: State) -> State:
    """Return the state that explains more; the other one where they are equally good."""
    return state if state.gain > other.gain + EQUAL * abs(other.gain) else other


def signed_search(name: str, problem: Problem, signed: SignedProblem, settings: Settings) -> Profile:
    """Return the profile of a search under signs.

    Raises
    ------
    ValueError
        If there is no such search under signs.
    """
    n = len(problem.kept)
    most = len(signed.solve(np.arange(n)).units) if problem.is_dense else n
    if name in ("swap", "exact"):
        swap = SignedSwap(problem, signed, settings, most)
        if name == "swap":
            return swap
        max_nodes = settings.max_nodes or nodes_for(n, settings.n_problems)
        return ExactProfile(problem, swap, partial(_improved, problem, signed, max_nodes))
    if name == "one_shot" and settings.scores is not None:
        scores = np.where(problem.kept, np.inf, settings.scores)
        order = np.argsort(-scores, kind="stable")
        return SignedOrder(problem, signed, order, scores[order], most)
    if name == "backward" and isinstance(settings.importance, Importance):
        walk = stepwise(problem, settings)
        return SignedOrder(problem, signed, walk.order, walk.scores, most)
    if name == "backward":
        raise ValueError(
            "search='backward' with monotonic_cst cannot score again by a callable importance: use search='one_shot', "
            "or importance='obs'"
        )
    raise ValueError(f"search={name!r} needs the scores of all units")


def _improved(problem: Problem, signed: SignedProblem, max_nodes: int, size: int, start: Found) -> Found:
    """Return the best support of at most `size` units, or the best one found."""
    return best_first(
        start,
        problem.kept,
        partial(_expand, problem, signed, size),
        least=least_gain(problem, start.loss),
        max_nodes=max_nodes,
        batch=1,
    )


def _expand(
    problem: Problem, signed: SignedProblem, size: int, nodes: Nodes, target: float
) -> tuple[Nodes, Found | None]:
    """Return the children of one node that may hold a loss below `target`, or the support that it ends in."""
    may_go = ~problem.kept
    stay, free = nodes.stay[0], nodes.may_go[0].copy()
    present = np.flatnonzero(stay | free)
    state = signed.solve(present)
    loss = problem.empty_loss - state.gain
    if len(state.units) <= size:
        return nodes.where(np.empty(0, dtype=np.intp)), Found(state.units, loss)
    costs = signed.costs(present, state)
    used = np.zeros(len(free), dtype=bool)
    used[state.units] = True
    to_go = len(state.units) - size
    children: list[tuple[Mask, Mask, float]] = []
    while True:
        # Branched ones stay; one that is always kept may still lose its weight.
        removable = used & ~(stay & may_go)
        if to_go > removable.sum() or not (free & used).any():
            break
        bound = loss + float(np.sort(costs[removable])[to_go - 1])
        if bound >= target:
            break
        open_ones = np.flatnonzero(free & used)
        unit = int(open_ones[np.argmax(costs[open_ones])])
        free = free.copy()
        free[unit] = False
        without = max(bound, loss + float(costs[unit]))
        if without < target:
            children.append((stay, free, without))
        stay = stay.copy()
        stay[unit] = True
    if not children:
        return nodes.where(np.empty(0, dtype=np.intp)), None
    stays, frees, bounds = zip(*children, strict=True)
    return Nodes(np.array(stays), np.array(frees), np.array(bounds)), None

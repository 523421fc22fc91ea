"""The searches under signs, by the names that `SEARCHES` has, and how branch and bound branches there.

A node is a set of units that stay and a set of units that may go. The constrained optimum on both together bounds its
loss from below, and is the answer where it needs no more units than there may be. Leaving out a set R of the units adds
at least z_R' (K_RR)^-1 z_R, K the inverse curvature of the node's units and z its weights (see
`skcompress.core.subset.signed`), so at least the q-th smallest single cost if q units have to go. A node branches on
the unit that costs most: it goes, or it stays.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..linalg import Mask
from ..units import Importance
from .exact import ExactProfile, Nodes, best_first, least_gain, nodes_for
from .nested import stepwise
from .problem import Problem
from .profile import Found, Profile, Settings
from .signed import SignedOrder, SignedProblem, SignedSwap


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

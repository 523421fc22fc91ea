"""SIGNED: the searches under signs, by the names that `SEARCHES` has."""

from __future__ import annotations

import numpy as np

from ..units import Importance
from .exact import nodes_for
from .nested import stepwise
from .problem import Problem
from .profile import Profile, Settings
from .signed import SignedOrder, SignedProblem, SignedSwap
from .signed_exact import SignedExact


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
        return (
            swap
            if name == "swap"
            else SignedExact(problem, signed, swap, settings.max_nodes or nodes_for(n, settings.n_problems))
        )
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

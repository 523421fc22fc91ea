"""Sharing: how many units each of several problems keeps, of a number that they have together.

Let f_i(k) be the loss of problem i with k units. The best way to keep t units in all is the min-plus sum

    f(t) = min over k_1 + ... + k_m = t of  f_1(k_1) + ... + f_m(k_m)

(Bellman and Dreyfus, "Applied Dynamic Programming", 1962). Going down from the largest sizes, each time where it costs
least, reaches it where all f_i are convex, and is what scores mean that only order the units (`shared_by`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .linalg import Floats, Indices
from .subset import Profile
from .subset.swap import EQUAL

SUMMED = 2**26
"""Entries of a min-plus sum up to which it is made."""

SWAPPED = 32
"""Units in all up to which swap searches find the sizes by the supports that they end in, not by their starts."""


class Shares(NamedTuple):
    """The least loss f(t) for each total, shape (T + 1,), and for each problem how many units it then has."""

    losses: Floats
    last: list[Indices]

    def sizes(self, total: int) -> Indices:
        """Return the sizes of a total, shape (m,)."""
        chosen = []
        for choice in reversed(self.last):
            chosen.append(int(choice[total]))
            total -= chosen[-1]
        return np.array(chosen[::-1], dtype=np.intp)


def shares_of(curves: Sequence[Floats]) -> Shares:
    """Return the min-plus sum of the losses f_i of the sizes 0, 1, ..., inf where there is no support of a size."""
    losses, last = np.zeros(1), []
    for curve in curves:
        best = np.full(len(losses) + len(curve) - 1, np.inf)
        choice = np.zeros(len(best), dtype=np.intp)
        for size in np.flatnonzero(curve < np.inf):
            part = slice(size, size + len(losses))
            lower = losses + curve[size] < best[part]
            best[part] = np.where(lower, losses + curve[size], best[part])
            choice[part] = np.where(lower, size, choice[part])
        losses = best
        last.append(choice)
    return Shares(losses, last)


def allocate(profiles: Sequence[Profile], limit: int) -> Indices:
    """Share every total among the profiles, by their curves or by the scores that order their units.

    Parameters
    ----------
    profiles : sequence of Profile
        Of the problems.
    limit : int
        Largest size of any profile that is looked at.

    Returns
    -------
    allocations : ndarray of shape (t, n_profiles)
        Sizes, by rising total, from all at their least to all at their most or at `limit`.
    """
    tops = [min(profile.most, max(limit, profile.least)) for profile in profiles]
    allocations = _going_down(profiles, tops)
    if len(profiles) < 2 or not _summable(tops) or any(profile.shared_by == "scores" for profile in profiles):
        return allocations
    shares = shares_of([profile.curve(top)[: top + 1] for profile, top in zip(profiles, tops, strict=True)])
    reached, totals = losses_of(profiles, allocations), allocations.sum(axis=1)
    better = shares.losses[totals] < reached - EQUAL * np.abs(reached[0] - reached)
    for place in np.flatnonzero(better):
        allocations[place] = shares.sizes(int(totals[place]))
    return allocations


def _summable(tops: Sequence[int]) -> bool:
    return sum(sum(tops[: place + 1]) * top for place, top in enumerate(tops)) <= SUMMED


def _going_down(profiles: Sequence[Profile], tops: list[int]) -> Indices:
    steps = [profile.steps(top) for profile, top in zip(profiles, tops, strict=True)]
    sizes = np.array(tops, dtype=np.intp)
    allocations = [sizes.copy()]
    heads = [
        (float(steps[i][top - 1]), -i)
        for i, (profile, top) in enumerate(zip(profiles, tops, strict=True))
        if top > profile.least
    ]
    heapq.heapify(heads)
    while heads:
        i = -heapq.heappop(heads)[1]
        sizes[i] -= 1
        allocations.append(sizes.copy())
        if sizes[i] > profiles[i].least:
            heapq.heappush(heads, (float(steps[i][sizes[i] - 1]), -i))
    return np.array(allocations[::-1], dtype=np.intp)


def losses_of(profiles: Sequence[Profile], allocations: Indices) -> Floats:
    """Return the losses of allocations (t, n_profiles) by the curves, shape (t,)."""
    total = np.zeros(len(allocations))
    for profile, sizes in zip(profiles, allocations.T, strict=True):
        total += profile.curve(int(sizes.max()))[sizes]
    return total


def shared_bound(profiles: Sequence[Profile], total: int) -> float:
    """Return a loss below which no supports with so many units in all can get, from the bounds of the problems."""
    curves = []
    for profile in profiles:
        bounds = np.array(profile.problem.bounds[: profile.most + 1], dtype=np.float64)
        bounds[: profile.least] = np.inf
        if profile.shared_by == "supports":
            for size in profile.visited:
                bounds[size] = max(bounds[size], profile.find(size).bound)
        curves.append(bounds)
    return float(shares_of(curves).losses[total])


def finds_shares(profiles: Sequence[Profile]) -> bool:
    """Return whether a total of several problems is worth sharing by the supports that they find at each size."""
    if len(profiles) < 2 or any(profile.shared_by == "scores" for profile in profiles):
        return False
    tops = [profile.most for profile in profiles]
    exact = all(profile.shared_by == "supports" for profile in profiles)
    bounded = all(profile.problem.is_dense and np.isfinite(profile.problem.floor) for profile in profiles)
    return bounded and (_summable(tops) if exact else sum(tops) <= SWAPPED)


def found_sizes(profiles: Sequence[Profile], total_of: Callable[[Floats], int]) -> Indices:
    """Return the best sizes by the supports that the profiles find, shape (m,).

    Sizes whose bound already says that they cannot be among the best are not searched: a size counts with its bound
    until it is wanted, and the sizes are the best once all of them have been found.

    Parameters
    ----------
    profiles : sequence of Profile
        Of the problems; `finds_shares` must hold.
    total_of : callable
        From the least losses of all totals, shape (T + 1,), to the total wanted.
    """
    curves = []
    for profile in profiles:
        curve = np.array(profile.problem.bounds[: profile.most + 1], dtype=np.float64)
        curve[: profile.least] = np.inf
        curves.append(curve)
    known = [np.zeros(len(curve), dtype=bool) for curve in curves]
    while True:
        shares = shares_of(curves)
        sizes = shares.sizes(total_of(shares.losses))
        unknown = [i for i, size in enumerate(sizes.tolist()) if not known[i][size]]
        if not unknown:
            return sizes
        for i in unknown:
            known[i][sizes[i]] = True
            curves[i][sizes[i]] = max(curves[i][sizes[i]], profiles[i].find(int(sizes[i])).loss)

"""Budgets: how much may be kept, or lost.

A budget turns the profiles of the problems (one for each output, or one for all) into sizes:

    threshold    the scores above it are kept; a searched support minimises loss + threshold x size
    n_nonzero    int: units kept in each problem; float: share of all units, spent where it costs least
    max_loss     the fewest units whose total loss is within it
    none         the size that minimises an information criterion (`skcompress.core.criterion`)
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal, NamedTuple

import numpy as np

from .checks import is_number, is_number_from, require_number
from .linalg import Floats, Indices
from .quadratic import QuadraticModel
from .sharing import allocate, finds_shares, found_sizes, losses_of, shared_bound
from .subset import Profile
from .subset.profile import WALKED, hull_steps, require_walk

Kind = Literal["threshold", "n_nonzero", "max_loss", "criterion"]


class Budget(NamedTuple):
    """A checked budget: which kind, and its value as it was given."""

    kind: Kind
    value: Any = None

    def __str__(self) -> str:
        return "the information criterion" if self.kind == "criterion" else f"{self.kind}={self.value!r}"


class Bar(NamedTuple):
    """A threshold as a number, and whether a score that equals it passes."""

    value: float
    inclusive: bool


def budget_of(threshold: Any = None, n_nonzero: Any = None, max_loss: Any = None) -> Budget:
    """Return the one budget that is given.

    Raises
    ------
    ValueError
        If two are given, or the value is not one that the budget can have.
    """
    given = {"threshold": threshold, "n_nonzero": n_nonzero, "max_loss": max_loss}
    set_ones = [(name, value) for name, value in given.items() if value is not None]
    if len(set_ones) > 1:
        told = " and ".join(f"{name}={value!r}" for name, value in set_ones)
        raise ValueError(f"got {told}: at most one of threshold, n_nonzero and max_loss can be given")
    if not set_ones:
        return Budget("criterion")
    name, value = set_ones[0]
    if name == "threshold":
        return Budget("threshold", _checked_threshold(value))
    if name == "n_nonzero":
        return Budget("n_nonzero", _checked_count(value))
    require_number("max_loss", value, 0, ", in units of the null loss")
    return Budget("max_loss", float(value))


def _checked_threshold(value: Any) -> float | str:
    if isinstance(value, str):
        _parsed(value)
        return value
    if not is_number_from(value, 0):
        raise ValueError(
            f"threshold={value!r} must be a number, 0 or above, or a string such as 'mean', 'median' or '1.25*mean'"
        )
    return float(value)


def _checked_count(value: Any) -> int | float:
    if is_number(value):
        if isinstance(value, Integral):
            if int(value) >= 1:
                return int(value)
        elif 0 < value <= 1:
            return float(value)
    raise ValueError(
        f"n_nonzero={value!r} must be an integer, 1 or above (units kept per output), or a float in (0, 1] (share "
        f"of all units)"
    )


def _parsed(text: str) -> tuple[float, str]:
    factor, star, name = text.rpartition("*")
    try:
        number = float(factor) if star else 1.0
    except ValueError:
        number = np.nan
    if name.strip() not in ("mean", "median") or not 0 <= number < np.inf:
        raise ValueError(
            f"threshold={text!r} is not known: use a number, 'mean', 'median', or a multiple such as '1.25*mean'"
        )
    return number, name.strip()


def bar_of(threshold: float | str, scores: Floats) -> Bar:
    """Return a threshold as a number; `scores` are those of all units that can be kept."""
    if not isinstance(threshold, str):
        return Bar(threshold, inclusive=False)
    factor, name = _parsed(threshold)
    if not len(scores):
        return Bar(0.0, inclusive=True)
    return Bar(factor * float(np.mean(scores) if name == "mean" else np.median(scores)), inclusive=True)


class Choice(NamedTuple):
    """Sizes for the profiles, and the others that were looked at on the way.

    Attributes
    ----------
    sizes : ndarray of shape (n_profiles,)
        What is to be kept.
    visited : ndarray of shape (v, n_profiles)
        Ascending in the total; holds `sizes`.
    shared : bool
        Whether a support competes with all of the same total, not of the same size in each problem.
    """

    sizes: Indices
    visited: Indices
    shared: bool = True


def choose(
    budget: Budget,
    profiles: Sequence[Profile],
    *,
    n_units: int,
    bar: Bar | None = None,
) -> Choice:
    """Spend a budget that is given.

    Parameters
    ----------
    budget : Budget
        What to spend.
    profiles : sequence of Profile
        Of the problems, in order.
    n_units : int
        Number of all units, of which a share may be asked for.
    bar : Bar, default=None
        The threshold as a number, for a threshold budget.
    """
    if budget.kind == "threshold" and bar is not None:
        return by_level(profiles, [profile.size_at(*bar) for profile in profiles])
    if budget.kind == "max_loss":
        return _within_loss(profiles, budget.value)
    if isinstance(budget.value, float):
        total = max(1, round(budget.value * n_units))
        return _share(profiles, total, str(budget))
    for profile in profiles:
        _check_kept(profile.least, budget.value, str(budget))
    sizes, visited, _ = by_level(profiles, [min(budget.value, profile.most) for profile in profiles])
    return Choice(sizes, visited, shared=False)


def _check_kept(least: int, size: int, told: str) -> None:
    if least > size:
        raise ValueError(f"keep holds {least} units and {told} allows {size}: raise the budget or keep fewer")


def by_level(profiles: Sequence[Profile], sizes: Sequence[int]) -> Choice:
    """Return the sizes and, for each size visited, every profile at that size or at its final one above it."""
    final = np.array(sizes, dtype=np.intp)
    if len(profiles) == 1:
        levels = sorted({*profiles[0].visited, int(final[0])})
        if profiles[0].visited and isinstance(profiles[0].visited, range):
            levels = [level for level in levels if level >= final[0]]
        return Choice(final, np.array(levels, dtype=np.intp)[:, None])
    most = np.array([profile.most for profile in profiles], dtype=np.intp)
    if not profiles or not all(isinstance(profile.visited, range) for profile in profiles):
        return Choice(final, final[None])
    steps = np.arange(final.min(), most.max() + 1)[:, None]
    visited = np.unique(np.clip(steps, final, most), axis=0)
    return Choice(final, visited)


def _within_loss(profiles: Sequence[Profile], allowed: float) -> Choice:
    if finds_shares(profiles):
        chosen = found_sizes(profiles, lambda losses: int(np.argmax(losses <= max(allowed, losses.min()))))
        return Choice(chosen, chosen[None])
    limit = _first_limit(profiles)
    while True:
        for profile in profiles:
            if not profile.problem.is_dense:
                n_problem = len(profile.problem.kept)
                require_walk(min(limit, profile.most), n_problem, max(64, WALKED / n_problem))
        allocations = allocate(profiles, limit)
        losses = losses_of(profiles, allocations)
        within = np.flatnonzero(losses <= allowed)
        if len(within) or all(limit >= profile.most for profile in profiles):
            break
        limit *= 2
    place = int(within[0]) if len(within) else len(allocations) - 1
    while place > 0 and _found_loss(profiles, allocations[place - 1]) <= allowed:
        place -= 1
    if len(profiles) == 1:
        return by_level(profiles, allocations[place].tolist())
    nested = all(isinstance(profile.visited, range) for profile in profiles)
    return Choice(allocations[place], allocations[place:] if nested else allocations[place : place + 1])


def _share(profiles: Sequence[Profile], total: int, told: str) -> Choice:
    least = sum(profile.least for profile in profiles)
    _check_kept(least, total, f"{told}, of all units,")
    if finds_shares(profiles):
        chosen = found_sizes(profiles, lambda losses: min(total, len(losses) - 1))
        return Choice(chosen, chosen[None])
    limit = max(64, 2 * -(-total // max(1, len(profiles))))
    while True:
        allocations = allocate(profiles, limit)
        chosen = allocations[min(total - least, len(allocations) - 1)]
        inside = [size < limit or size == profile.most for size, profile in zip(chosen, profiles, strict=True)]
        if all(inside):
            break
        limit *= 2
    if len(profiles) == 1:
        return by_level(profiles, chosen.tolist())
    return Choice(chosen, chosen[None])


def _first_limit(profiles: Sequence[Profile]) -> int:
    cheap = all(profile.is_cheap for profile in profiles)
    return max((profile.most for profile in profiles), default=0) if cheap else 64


def _found_loss(profiles: Sequence[Profile], sizes: Indices) -> float:
    return sum(profile.find(int(size)).loss for profile, size in zip(profiles, sizes, strict=True))


def lowest_of(quadratic: QuadraticModel) -> float:
    """Return the loss of a model without any deviance, below which nothing can get; -inf where it is not known."""
    return -np.inf if quadratic.base_loss is None else -float((quadratic.base_loss / quadratic.loss_unit).sum())


def least_bound(profiles: Sequence[Profile], choice: Choice) -> float:
    """Return a loss below which no support of the chosen size, or of the chosen total, can get, but for rounding."""
    if len(profiles) == 1 or not choice.shared:
        bounds = [profile.find(size).bound for profile, size in zip(profiles, choice.sizes.tolist(), strict=True)]
        return float(sum(bounds))
    if not all(np.isfinite(profile.problem.floor) for profile in profiles):
        return -np.inf
    if finds_shares(profiles):
        return shared_bound(profiles, int(choice.sizes.sum()))
    # The convex hulls of the bounds are lower still, and the best way to share a total among them is a sort.
    empty = sum(profile.problem.bounds[profile.least] for profile in profiles)
    falls = [hull_steps(profile.problem.bounds, profile.least)[profile.least :] for profile in profiles]
    ordered = -np.sort(-np.concatenate(falls))
    spent = int(choice.sizes.sum()) - sum(profile.least for profile in profiles)
    return float(empty - ordered[:spent].sum())

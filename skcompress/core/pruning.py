"""prune: the support with the least loss within a budget, and the best weights on it.

Around the fitted weights the loss is a quadratic (see `skcompress.core.quadratic`), so pruning is

    min over w of  (w - w0)' H (w - w0)   with w zero off a support S

in closed form once S is known. Importances score units (`IMPORTANCES`), searches order or choose them
(`SEARCHES`), a budget says how many.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .budget import Bar, Budget, Choice, bar_of, budget_of, choose, least_bound
from .importance import ImportanceLike, check_importance
from .linalg import Floats, Mask
from .path import Path
from .quadratic import QuadraticModel
from .search import SEARCHES
from .selection import SEARCHED, Selection, select
from .units import Groups

LARGE_LOSS = 0.05
"""Total loss from which a threshold, which bounds single weights, deserves a warning."""

NEGLIGIBLE = 1e-12
"""A gap below this is rounding error."""


@dataclass(frozen=True)
class Pruning:
    """A pruned quadratic model.

    Attributes
    ----------
    weights : ndarray of shape (m, p)
        Zero off the support.
    support : ndarray of shape (m, p), dtype=bool
        Weights kept.
    importances : ndarray of shape (m, p)
        Each weight's unit's score at the full model; 0 for a weight that is not free, and with "obs" for one that
        depends on others. Where the curvature is too large to be inverted: the score at the pruned model, 0 for
        pruned weights.
    threshold_ : float or None
        The threshold as a number.
    path : Path
        Sizes visited.
    loss : float
        The quadratic's loss, in units of loss.
    optimality_gap : float
        No support with as many units has a loss below `loss` minus this.
    proven : bool
        Whether the gap is zero.
    model : QuadraticModel
        The quadratic on the kept weights.
    n_units : int
        Units kept in a problem (an output, or all outputs where units are groups); the most where they differ.
    same_size : int or float
        The `n_nonzero` that asks for as many units again: an int where every problem keeps equally many, else the
        share of all units.
    """

    weights: Floats
    support: Mask
    importances: Floats
    threshold_: float | None
    path: Path
    loss: float
    optimality_gap: float
    proven: bool
    model: QuadraticModel
    n_units: int
    same_size: float


def check_pruning(
    *,
    threshold: Any = None,
    n_nonzero: Any = None,
    max_loss: Any = None,
    importance: Any = "obs",
    search: Any = "auto",
    refit: Any = "closed_form",
    n_restarts: Any = 0,
    max_nodes: Any = 100_000,
) -> None:
    """Raise ValueError unless `prune` can take these parameters; see there for what they mean."""
    budget_of(threshold, n_nonzero, max_loss)
    check_importance(importance)
    _checked_search(search, importance, refit)
    for name, value, least, also in (("n_restarts", n_restarts, 0, ("auto",)), ("max_nodes", max_nodes, 1, ())):
        if isinstance(value, str) and value in also:
            continue
        if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < least:
            told = "".join(f", or {name!r}" for name in also)
            raise ValueError(f"{name}={value!r} must be an integer of at least {least}{told}")


def prune(
    quadratic: QuadraticModel,
    *,
    threshold: float | str | None = None,
    n_nonzero: float | None = None,
    max_loss: float | None = None,
    importance: ImportanceLike = "obs",
    search: str = "auto",
    refit: str | None = "closed_form",
    feature_groups: Groups = None,
    keep: ArrayLike | None = None,
    n_restarts: int | str = 0,
    max_nodes: int = 100_000,
    random_state: Any = None,
) -> Pruning:
    """Prune a quadratic model.

    Parameters
    ----------
    quadratic : QuadraticModel
        The loss around the fitted weights. Only free weights can be kept.
    threshold : float or str, default=None
        Scores above it are kept; "mean", "median" or a multiple such as "1.25*mean" of the scores: at or above.
        It bounds what each unit costs, not the sum.
    n_nonzero : int or float, default=None
        int: units kept for each output, or for all jointly where units are groups; at most what is free. Float
        in (0, 1]: share of all units, spent where it costs least.
    max_loss : float, default=None
        Total loss allowed, in units of the null loss: the fewest units within it.
    importance : {"l1", "l2", "obd", "obs"} or callable, default="obs"
        See `skcompress.core.importance`.
    search : {"auto", "one_shot", "backward", "swap", "exact"}, default="auto"
        "auto" is "swap" for obs, else "one_shot".
    refit : {"closed_form", None}, default="closed_form"
        Whether the kept weights move to their new optimum; None leaves them untouched, with "one_shot" only.
    feature_groups : None, "feature" or array-like of shape (p,), default=None
        None: single weights. "feature": a column goes for all outputs. Labels: columns with equal labels are
        one unit.
    keep : array-like, default=None
        Columns never pruned: a mask of shape (p,) or indices.
    n_restarts : int or "auto", default=0
        Perturbed restarts of "swap", which pay where there are more columns than rows. "auto": at most 100, until 20
        in a row have found nothing better.
    max_nodes : int, default=100_000
        Nodes after which "exact" gives up the proof.
    random_state : int, RandomState or None, default=None
        Of the restarts; None is the same as 0, so that a size has one support.

    Returns
    -------
    pruning : Pruning
        The weights, the support and what is known about them.

    Raises
    ------
    ValueError
        If two budgets are given, or a parameter has a value that is not allowed or cannot go with another.
    MemoryError
        If a p x p matrix would be needed that does not fit.

    Warns
    -----
    UserWarning
        If every weight is pruned, or a threshold leads to a total loss above 0.05.
    """
    check_pruning(
        threshold=threshold,
        n_nonzero=n_nonzero,
        max_loss=max_loss,
        importance=importance,
        search=search,
        refit=refit,
        n_restarts=n_restarts,
        max_nodes=max_nodes,
    )
    budget = budget_of(threshold, n_nonzero, max_loss)
    selection = select(
        quadratic,
        importance=importance,
        search=_checked_search(search, importance, refit),
        refit=refit is not None,
        feature_groups=feature_groups,
        keep=keep,
        n_restarts=n_restarts,
        max_nodes=max_nodes,
        random_state=random_state,
    )
    bar = _bar(budget, selection)
    choice = choose(budget, selection.profiles, n_units=selection.units.n_units, bar=bar, quadratic=selection.centred)
    pruning = _pruning(selection, choice, bar, refit is not None)
    _warn(budget, bar, pruning)
    return pruning


def prune_path(
    quadratic: QuadraticModel,
    sizes: Sequence[int] | None = None,
    *,
    search: str = "auto",
    importance: ImportanceLike = "obs",
    feature_groups: Groups = None,
    keep: ArrayLike | None = None,
    n_restarts: int | str = 0,
    max_nodes: int = 100_000,
    random_state: Any = None,
) -> Path:
    """Return the supports of many sizes, at little more than the cost of the largest.

    Each is the support that `prune` finds for that size alone; its weights are ``quadratic.restrict(support).centre``.

    Parameters
    ----------
    quadratic : QuadraticModel
        The loss around the fitted weights.
    sizes : sequence of int, default=None
        Units kept for each output, or for all jointly where units are groups. None: all sizes there are.
    search, importance, feature_groups, keep, n_restarts, max_nodes, random_state
        As in `prune`.

    Returns
    -------
    path : Path
        Ascending. A size that loses more than a smaller one is left out.

    Raises
    ------
    ValueError
        If a size is not a positive integer or below the number of kept units.
    """
    wanted = [] if sizes is None else [budget_of(n_nonzero=int(size)) for size in sizes]
    check_pruning(search=search, importance=importance, n_restarts=n_restarts, max_nodes=max_nodes)
    selection = select(
        quadratic,
        importance=importance,
        search=_checked_search(search, importance, "closed_form"),
        refit=True,
        feature_groups=feature_groups,
        keep=keep,
        n_restarts=n_restarts,
        max_nodes=max_nodes,
        random_state=random_state,
    )
    profiles = selection.profiles
    if sizes is None:
        most = max((profile.most for profile in profiles), default=0)
        least = max([1, *(profile.least for profile in profiles)])
        wanted = [Budget("n_nonzero", size) for size in range(least, most + 1)]
    chosen = [choose(budget, profiles, n_units=selection.units.n_units, quadratic=quadratic).sizes for budget in wanted]
    visited = np.unique(np.array(chosen, dtype=np.intp).reshape(-1, len(profiles)), axis=0)
    return selection.path(visited)


def _checked_search(search: Any, importance: ImportanceLike, refit: Any) -> str:
    if search != "auto" and (not isinstance(search, str) or search not in SEARCHES):
        raise ValueError(f"search={search!r} is not known: use one of {['auto', *SEARCHES]}")
    if refit not in ("closed_form", None):
        raise ValueError(f"refit={refit!r} is not known here: use 'closed_form' or None")
    chosen: str = search
    if search == "auto":
        chosen = "swap" if isinstance(importance, str) and importance == "obs" and refit else "one_shot"
    if chosen in SEARCHED and importance != "obs":
        raise ValueError(
            f"search={search!r} minimises the loss and cannot use importance={importance!r}: use importance='obs', "
            f"or search='one_shot' or 'backward'"
        )
    if refit is None and chosen != "one_shot":
        raise ValueError(
            f"refit=None leaves the weights untouched and cannot go with search={search!r}: use 'one_shot'"
        )
    return chosen


def _bar(budget: Budget, selection: Selection) -> Bar | None:
    if budget.kind != "threshold":
        return None
    if selection.scores is not None:
        return bar_of(budget.value, selection.scores[selection.units.available])
    if isinstance(budget.value, str):
        raise ValueError(
            f"threshold={budget.value!r} needs the scores of all units, for which the curvature is too large: give a "
            f"number"
        )
    return bar_of(budget.value, np.empty(0))


def _pruning(selection: Selection, choice: Choice, bar: Bar | None, refit: bool) -> Pruning:
    units, sizes = selection.units, choice.sizes
    support = selection.support(sizes)
    if refit:
        model = selection.centred.restrict(support, units.kept_columns)
        weights, loss = model.centre, float((model.offset / model.unit).sum())
    else:
        weights = np.where(support, selection.quadratic.centre, 0.0)
        loss = selection.quadratic.loss(weights)
        model = selection.quadratic.recentred(weights, free=support)
    reached = selection.loss(sizes)
    gap = reached - least_bound(selection.profiles, choice, selection.centred)
    gap = gap if gap > NEGLIGIBLE * max(1.0, abs(reached)) else 0.0
    alike = len(set(sizes.tolist())) == 1
    return Pruning(
        weights=weights,
        support=support,
        importances=selection.importances(model, support),
        threshold_=None if bar is None else bar.value,
        path=selection.path(choice.visited),
        loss=loss,
        optimality_gap=gap,
        proven=gap == 0.0,
        model=model,
        n_units=int(sizes.max(initial=0)),
        same_size=int(sizes[0]) if alike else int(sizes.sum()) / max(1, units.n_units),
    )


def _warn(budget: Budget, bar: Bar | None, pruning: Pruning) -> None:
    if not pruning.support.any():
        warnings.warn(f"{budget} prunes every weight: the model predicts a constant", UserWarning, stacklevel=3)
    elif bar is not None and pruning.loss > LARGE_LOSS:
        warnings.warn(
            f"{budget} bounds what each weight costs, not the sum: together they cost a loss of {pruning.loss:.3g}, "
            f"more than {LARGE_LOSS}; use max_loss or n_nonzero to bound the total",
            UserWarning,
            stacklevel=3,
        )

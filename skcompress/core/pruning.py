"""prune: the support with the least loss within a budget, and the best weights on it.

Around the fitted weights the loss is a quadratic (see `skcompress.core.quadratic`), so pruning is

    min over w of  (w - w0)' H (w - w0)   with w zero off a support S

in closed form once S is known. Importances score units (`IMPORTANCES`), searches order or choose them
(`SEARCHES`), a budget says how many.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .budget import Bar, Budget, Choice, bar_of, budget_of, choose
from .default_size import by_criterion
from .importance import ImportanceLike, check_importance
from .path import Path
from .pruned import Pruning, pruning_of
from .quadratic import QuadraticModel, require_quadratic
from .selection import SEARCHED, Selection, select
from .subset import SEARCHES
from .units import Groups

LARGE_LOSS = 0.05
"""Total loss from which a threshold, which bounds single weights, deserves a warning."""


def check_pruning(
    *,
    threshold: Any = None,
    n_nonzero: Any = None,
    max_loss: Any = None,
    importance: Any = "obs",
    search: Any = "auto",
    refit: Any = "closed_form",
    n_restarts: Any = 0,
    max_nodes: Any = None,
) -> None:
    """Raise ValueError unless `prune` can take these parameters; see there for what they mean."""
    budget_of(threshold, n_nonzero, max_loss)
    check_importance(importance)
    _checked_search(search, importance, refit)
    for name, value, least, also in (("n_restarts", n_restarts, 0, ("auto",)), ("max_nodes", max_nodes, 1, (None,))):
        if (value is None or isinstance(value, str)) and value in also:
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
    monotonic_cst: ArrayLike | None = None,
    n_restarts: int | str = 0,
    max_nodes: int | None = None,
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
    monotonic_cst : array-like of shape (p,) or (m, p), default=None
        1: the weight may not be negative, -1: not positive, 0: any sign; beside the signs that the model has. Weights
        that their sign holds at zero do not count as kept.
    n_restarts : int or "auto", default=0
        Perturbed restarts of "swap", which pay where there are more columns than rows. "auto": at most 100, until 20
        in a row have found nothing better.
    max_nodes : int, default=None
        Nodes after which "exact" gives up the proof and its gap says what is left to prove. None: as many as take
        some ten seconds for a size, 100,000 at most; it depends on the number of columns alone.
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
    require_quadratic(quadratic, "prune")
    found = prune_silently(
        quadratic,
        threshold=threshold,
        n_nonzero=n_nonzero,
        max_loss=max_loss,
        importance=importance,
        search=search,
        refit=refit,
        feature_groups=feature_groups,
        keep=keep,
        monotonic_cst=monotonic_cst,
        n_restarts=n_restarts,
        max_nodes=max_nodes,
        random_state=random_state,
    )
    if quadratic.free.any():
        warn_about(found, found.loss, threshold=threshold, n_nonzero=n_nonzero, max_loss=max_loss)
    return found


def prune_silently(
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
    monotonic_cst: ArrayLike | None = None,
    n_restarts: int | str = 0,
    max_nodes: int | None = None,
    random_state: Any = None,
) -> Pruning:
    """Return what `prune` does, for callers that have still to find out what it costs on the true loss."""
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
    quadratic = quadratic if monotonic_cst is None else _with_signs(quadratic, monotonic_cst)
    _check_signs(quadratic, refit)
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
    if budget.kind == "criterion":
        choice = by_criterion(selection, refit is not None)
    else:
        choice = choose(budget, selection.profiles, n_units=selection.units.n_units, bar=bar)
    return pruning_of(selection, choice, bar, refit is not None)


def prune_sizes(
    quadratic: QuadraticModel,
    sizes: Sequence[float],
    *,
    importance: ImportanceLike = "obs",
    search: str = "auto",
    refit: str | None = "closed_form",
    feature_groups: Groups = None,
    keep: ArrayLike | None = None,
    n_restarts: int | str = 0,
    max_nodes: int | None = None,
    random_state: Any = None,
) -> list[Pruning]:
    """Prune a quadratic model to many sizes, at little more than the cost of the largest.

    Each result is the one that `prune` has for that size alone, but for its path, which holds that size only.

    Parameters
    ----------
    quadratic : QuadraticModel
        The loss around the fitted weights.
    sizes : sequence of int or float
        As `n_nonzero` of `prune`, in any order.
    importance, search, refit, feature_groups, keep, n_restarts, max_nodes, random_state
        As in `prune`.

    Returns
    -------
    prunings : list of Pruning
        One for each size, in their order.

    Raises
    ------
    ValueError
        As `prune`.
    """
    budgets = [budget_of(n_nonzero=size) for size in sizes]
    check_pruning(importance=importance, search=search, refit=refit, n_restarts=n_restarts, max_nodes=max_nodes)
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
    choices = _choices(selection, budgets)
    return [pruning_of(selection, Choice(c.sizes, c.sizes[None], c.shared), None, refit is not None) for c in choices]


def prune_path(
    quadratic: QuadraticModel,
    sizes: Sequence[int] | None = None,
    *,
    search: str = "auto",
    importance: ImportanceLike = "obs",
    feature_groups: Groups = None,
    keep: ArrayLike | None = None,
    n_restarts: int | str = 0,
    max_nodes: int | None = None,
    random_state: Any = None,
) -> Path:
    """Return the losses and supports of many sizes, at little more than the cost of the largest.

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
        Sizes by rising number of units: ``n_units`` and ``losses`` are arrays, each item has ``n_units``, ``loss`` and
        ``support``, and ``at(k)`` is the largest size of at most k. A size that loses more than a smaller one is left
        out.

    Raises
    ------
    ValueError
        If a size is not a positive integer or below the number of kept units.

    Examples
    --------
    >>> import numpy as np
    >>> from skcompress import QuadraticModel, prune_path
    >>> path = prune_path(QuadraticModel(np.eye(3), [3.0, 1.0, 2.0]))
    >>> path.n_units.tolist(), path.losses.tolist()
    ([1, 2, 3], [5.0, 1.0, 0.0])
    >>> path.at(2).support
    array([[ True, False,  True]])
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
    chosen = [choice.sizes for choice in _choices(selection, wanted)]
    visited = np.unique(np.array(chosen, dtype=np.intp).reshape(-1, len(profiles)), axis=0)
    return selection.path(visited)


def _choices(selection: Selection, budgets: list[Budget]) -> list[Choice]:
    """Spend many budgets of sizes, after telling the profiles which sizes are going to be asked for."""
    profiles, n_units = selection.profiles, selection.units.n_units
    choices = [choose(budget, profiles, n_units=n_units) for budget in budgets]
    for place, profile in enumerate(profiles):
        profile.prepare(np.unique(np.array([choice.sizes[place] for choice in choices], dtype=np.intp)))
    return choices


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


def _with_signs(quadratic: QuadraticModel, monotonic_cst: ArrayLike) -> QuadraticModel:
    try:
        return quadratic.with_signs(monotonic_cst)
    except (ValueError, TypeError) as error:
        raise ValueError(f"monotonic_cst cannot be used: {error}") from None


def _check_signs(quadratic: QuadraticModel, refit: Any) -> None:
    if refit is None and ((quadratic.signs * quadratic.centre < 0) & quadratic.free).any():
        raise ValueError(
            "refit=None leaves the weights untouched, and some do not have the sign that monotonic_cst (or a base with "
            "positive=True) asks for: use refit='closed_form'"
        )


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


def warn_about(pruning: Pruning, loss: float, **budget: Any) -> None:
    """Warn if every weight is pruned, or if a threshold leads to a total loss above `LARGE_LOSS`.

    Parameters
    ----------
    pruning : Pruning
        What was found.
    loss : float
        What it costs.
    **budget
        `threshold`, `n_nonzero` and `max_loss` as they were given.
    """
    told = budget_of(**budget)
    if not pruning.support.any():
        warnings.warn(f"{told} prunes every weight: the model predicts a constant", UserWarning, stacklevel=3)
    elif told.kind == "threshold" and loss > LARGE_LOSS:
        warnings.warn(
            f"{told} bounds what each weight costs, not the sum: together they cost a loss of {loss:.3g}, "
            f"more than {LARGE_LOSS}; use max_loss or n_nonzero to bound the total",
            UserWarning,
            stacklevel=3,
        )

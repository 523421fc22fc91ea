"""prune: the support with the least loss within a budget, and the best weights on it.

Around the fitted weights the loss is a quadratic (see `skcompress.core.quadratic`), so pruning is

    min over w of  (w - w0)' H (w - w0)   with w zero off a support S

in closed form once S is known. Importances score units (`IMPORTANCES`), searches order or choose them
(`SEARCHES`), a budget says how many.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .budget import Bar, Budget, Choice, bar_of, budget_of, choose
from .criterion import by_criterion
from .options import PruneOptions, require_quadratic
from .pruned import Pruning, pruning_of
from .quadratic import QuadraticModel
from .selection import Path, Selection, select
from .units import Groups, ImportanceLike

LARGE_LOSS = 0.05
"""Total loss from which a threshold, which bounds single weights, deserves a warning."""


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
        The score of a unit: the norm of its weights, w_j^2 H_jj, or w_j^2 / [H^-1]_jj.
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

    See Also
    --------
    prune_path : Many sizes at once.
    PrunedRegressor : The same for a fitted estimator.

    Examples
    --------
    >>> import numpy as np
    >>> from skcompress import QuadraticModel, prune
    >>> prune(QuadraticModel(np.eye(3), [3.0, 1.0, 2.0]), n_nonzero=2).weights
    array([[3., 0., 2.]])
    """
    require_quadratic(quadratic, "prune")
    options = PruneOptions(
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
    found = prune_with(quadratic, options)
    if quadratic.free.any():
        warn_about(found, found.loss, options.budget)
    return found


def prune_with(quadratic: QuadraticModel, options: PruneOptions) -> Pruning:
    """Return what `prune` does, without its warnings: what it costs on the true loss may still have to be found out."""
    quadratic = quadratic if options.monotonic_cst is None else _with_signs(quadratic, options.monotonic_cst)
    _check_signs(quadratic, options.refit)
    selection = select(quadratic, options)
    bar = _bar(options.budget, selection)
    if options.budget.kind == "criterion":
        choice = by_criterion(selection, options.refits)
    else:
        choice = choose(options.budget, selection.profiles, n_units=selection.units.n_units, bar=bar)
    return pruning_of(selection, choice, bar)


def prune_sizes(
    quadratic: QuadraticModel, sizes: Sequence[float], options: PruneOptions | None = None
) -> list[Pruning]:
    """Prune a quadratic model to many sizes, at little more than the cost of the largest.

    Each result is the one that `prune` has for that size alone, but for its path, which holds that size only.

    Parameters
    ----------
    quadratic : QuadraticModel
        The loss around the fitted weights.
    sizes : sequence of int or float
        As `n_nonzero` of `prune`, in any order.
    options : PruneOptions, default=None
        Whose budget does not matter. None: those of `prune`.

    Returns
    -------
    prunings : list of Pruning
        One for each size, in their order.

    Raises
    ------
    ValueError
        As `prune`.
    """
    options = PruneOptions() if options is None else options
    budgets = [budget_of(n_nonzero=size) for size in sizes]
    selection = select(quadratic, options)
    choices = choices_of(selection, budgets)
    return [pruning_of(selection, Choice(c.sizes, c.sizes[None], c.shared), None) for c in choices]


def prune_path(quadratic: QuadraticModel, sizes: Sequence[int] | None = None, **parameters: Any) -> Path:
    """Return the losses and supports of many sizes, at little more than the cost of the largest.

    Each is the support that `prune` finds for that size alone; its weights are ``quadratic.restrict(support).centre``.

    Parameters
    ----------
    quadratic : QuadraticModel
        The loss around the fitted weights.
    sizes : sequence of int, default=None
        Units kept for each output, or for all jointly where units are groups. None: all sizes there are.
    **parameters
        What `prune` takes beside a budget and `refit`: search, importance, feature_groups, keep, monotonic_cst,
        n_restarts, max_nodes, random_state.

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

    See Also
    --------
    prune : One size, with its weights.

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
    refused = {"threshold", "n_nonzero", "max_loss", "refit"} & set(parameters)
    if refused:
        raise TypeError(f"prune_path() takes no {min(refused)!r}: a path has every size, and refits the kept weights")
    wanted = [] if sizes is None else [budget_of(n_nonzero=int(size)) for size in sizes]
    options = PruneOptions(**parameters)
    if options.monotonic_cst is not None:
        quadratic = _with_signs(quadratic, options.monotonic_cst)
    selection = select(quadratic, options)
    profiles = selection.profiles
    if sizes is None:
        most = max((profile.most for profile in profiles), default=0)
        least = max([1, *(profile.least for profile in profiles)])
        wanted = [Budget("n_nonzero", size) for size in range(least, most + 1)]
    chosen = [choice.sizes for choice in choices_of(selection, wanted)]
    visited = np.unique(np.array(chosen, dtype=np.intp).reshape(-1, len(profiles)), axis=0)
    return selection.path(visited)


def choices_of(selection: Selection, budgets: list[Budget]) -> list[Choice]:
    """Spend many budgets of sizes, after telling the profiles which sizes are going to be asked for."""
    profiles, n_units = selection.profiles, selection.units.n_units
    choices = [choose(budget, profiles, n_units=n_units) for budget in budgets]
    for place, profile in enumerate(profiles):
        profile.prepare(np.unique(np.array([choice.sizes[place] for choice in choices], dtype=np.intp)))
    return choices


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


def warn_about(pruning: Pruning, loss: float, budget: Budget) -> None:
    """Warn if every weight is pruned, or if a threshold leads to a total loss above `LARGE_LOSS`.

    Parameters
    ----------
    pruning : Pruning
        What was found.
    loss : float
        What it costs.
    budget : Budget
        What was asked for.
    """
    if not pruning.support.any():
        warnings.warn(f"{budget} prunes every weight: the model predicts a constant", UserWarning, stacklevel=3)
    elif budget.kind == "threshold" and loss > LARGE_LOSS:
        warnings.warn(
            f"{budget} bounds what each weight costs, not the sum: together they cost a loss of {loss:.3g}, "
            f"more than {LARGE_LOSS}; use max_loss or n_nonzero to bound the total",
            UserWarning,
            stacklevel=3,
        )

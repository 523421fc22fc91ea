"""prune: the support with the least loss within a budget, and the best weights on it.

Around the fitted weights the loss is a quadratic (see `skcompress.core.quadratic`), so pruning is

    min over w of  (w - w0)' H (w - w0)   with w zero off a support S

in closed form once S is known. Importances score units (`IMPORTANCES`), searches order or choose them
(`SEARCHES`), a budget says how many.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .budget import Bar, Budget, Choice, bar_of, budget_of, choose
from .importance import IMPORTANCES, Importance, ImportanceLike, check_importance, scores_by
from .linalg import Floats, Indices, Mask
from .path import Path
from .quadratic import QuadraticModel
from .search import SEARCHES, Found, Problem, Profile, Settings, problems_of
from .units import Groups, Units, units_of

LARGE_LOSS = 0.05
"""Total loss from which a threshold, which bounds single weights, deserves a warning."""

NEGLIGIBLE = 1e-12
"""A gap below this is rounding error."""

SEARCHED = ("swap", "exact")


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
        Each weight's unit's score at the full model; 0 for a weight that is not free.
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
        Units kept, over all outputs.
    same_size : int or float
        The `n_nonzero` that asks for as many units again: an int where every output keeps equally many (or units
        are groups), else the share of all units.
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
    for name, value, least in (("n_restarts", n_restarts, 0), ("max_nodes", max_nodes, 1)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name}={value!r} must be an integer of at least {least}")


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
    n_restarts: int = 0,
    max_nodes: int = 100_000,
    random_state: int | np.random.RandomState | None = None,
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
    n_restarts : int, default=0
        Perturbed restarts of "swap".
    max_nodes : int, default=100_000
        Nodes after which "exact" gives up the proof.
    random_state : int, RandomState or None, default=None
        Of the restarts.

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
    search = _checked_search(search, importance, refit)
    centred = quadratic
    units = units_of(quadratic.free, feature_groups, keep)
    if refit is not None and importance != "obs" and quadratic.gradient[quadratic.free].any():
        centred = quadratic.restrict(quadratic.free, units.kept_columns)
    problems = problems_of(centred, units)
    scores = _scores(importance, search, centred, units, problems)
    bar = _bar(budget, scores, units)
    profiles = []
    for problem in problems:
        settings = Settings(
            None if scores is None else scores[problem.unit_ids],
            _importance_of(importance, centred, units, problem),
            None if refit is not None else _untouched(quadratic, units, problem),
            n_restarts,
            max_nodes,
        )
        profiles.append(SEARCHES[search](problem, settings))
    choice = choose(budget, profiles, n_units=units.n_units, bar=bar, quadratic=centred)
    return _result(quadratic, centred, units, profiles, choice, budget, bar, scores, refit)


def _checked_search(search: str, importance: ImportanceLike, refit: str | None) -> str:
    if search != "auto" and (not isinstance(search, str) or search not in SEARCHES):
        raise ValueError(f"search={search!r} is not known: use one of {['auto', *SEARCHES]}")
    if refit not in ("closed_form", None):
        raise ValueError(f"refit={refit!r} is not known here: use 'closed_form' or None")
    chosen = search
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


def _scores(
    importance: ImportanceLike, search: str, model: QuadraticModel, units: Units, problems: list[Problem]
) -> Floats | None:
    """Return the score of every unit, shape (n_units,); None where the curvature is too large to be inverted."""
    if not isinstance(importance, str):
        return units.total(scores_by(importance, model))
    rule = IMPORTANCES[importance]
    if rule.needs_inverse and search in SEARCHED and not all(problem.is_dense for problem in problems):
        return None
    scores = np.zeros(units.n_units)
    for problem in problems:
        scores[problem.unit_ids] = problem.scores(rule)
    return scores


def _bar(budget: Budget, scores: Floats | None, units: Units) -> Bar | None:
    if budget.kind != "threshold":
        return None
    if scores is None:
        if isinstance(budget.value, str):
            raise ValueError(
                f"threshold={budget.value!r} needs the scores of all units, which take a curvature too large to be "
                f"formed: give a number"
            )
        return bar_of(budget.value, np.empty(0))
    return bar_of(budget.value, scores[units.available])


def _importance_of(
    importance: ImportanceLike, model: QuadraticModel, units: Units, problem: Problem
) -> Importance | Callable[[Indices], Floats]:
    if isinstance(importance, str):
        return IMPORTANCES[importance]

    def rescored(left: Indices) -> Floats:
        gone = np.zeros(units.n_units, dtype=bool)
        gone[problem.unit_ids] = True
        gone[problem.unit_ids[left]] = False
        smaller = model.restrict(model.free & ~units.spread(gone), units.kept_columns)
        return units.total(scores_by(importance, smaller))[problem.unit_ids[left]]

    return rescored


def _untouched(quadratic: QuadraticModel, units: Units, problem: Problem) -> Callable[[Indices], Floats]:
    """Return the losses along an order of units when the weights stay as they are."""

    def losses(order: Indices) -> Floats:
        weights = np.zeros_like(quadratic.centre)
        members = np.zeros(units.n_units, dtype=bool)
        members[problem.unit_ids] = True
        outputs = np.flatnonzero(units.spread(members).any(axis=1)) if len(members) else np.empty(0, dtype=np.intp)
        trail = []
        for unit in [-1, *order.tolist()]:
            if unit >= 0:
                inside = units.labels == problem.unit_ids[unit]
                weights = np.where(inside, quadratic.centre, weights)
            trail.append(float((quadratic.output_losses(weights) / quadratic.unit)[outputs].sum()))
        return np.array(trail)

    return losses


def _result(
    quadratic: QuadraticModel,
    centred: QuadraticModel,
    units: Units,
    profiles: list[Profile],
    choice: Choice,
    budget: Budget,
    bar: Bar | None,
    scores: Floats | None,
    refit: str | None,
) -> Pruning:
    found = [profile.find(int(size)) for profile, size in zip(profiles, choice.sizes, strict=True)]
    support = _support(units, profiles, choice.sizes)
    if refit is None:
        weights = np.where(support, quadratic.centre, 0.0)
        loss = quadratic.loss(weights)
        model = quadratic.recentred(weights, free=support)
    else:
        model = centred.restrict(support, units.kept_columns)
        weights = model.centre
        loss = model.loss(weights)
    totals, losses, supports = [], [], []
    for sizes in choice.visited:
        totals.append(int(sizes.sum()))
        losses.append(sum(p.find(int(size)).loss for p, size in zip(profiles, sizes, strict=True)))
        supports.append(_support(units, profiles, sizes))
    path = Path(np.array(totals, dtype=np.intp), np.array(losses, dtype=np.float64), supports)
    gap = _gap(loss, centred, found)
    total = int(choice.sizes.sum())
    alike = len(set(choice.sizes.tolist())) == 1
    _warn(budget, bar, support, loss)
    return Pruning(
        weights=weights,
        support=support,
        importances=_importances(scores, units, model, support),
        threshold_=None if bar is None else bar.value,
        path=path,
        loss=loss,
        optimality_gap=gap,
        proven=gap == 0.0,
        model=model,
        n_units=total,
        same_size=int(choice.sizes[0]) if alike else total / max(1, units.n_units),
    )


def _gap(loss: float, full: QuadraticModel, found: list[Found]) -> float:
    """Return by how much any support of this size may still be better."""
    bound = sum(one.bound for one in found)
    if full.base_loss is not None:
        bound = max(bound, -float((full.base_loss / full.unit).sum()))
    gap = loss - bound
    return gap if gap > NEGLIGIBLE * max(1.0, abs(loss)) else 0.0


def _support(units: Units, profiles: list[Profile], sizes: Indices) -> Mask:
    kept = np.zeros(units.n_units, dtype=bool)
    for profile, size in zip(profiles, sizes, strict=True):
        kept[profile.problem.unit_ids[profile.find(int(size)).units]] = True
    return np.asarray(units.spread(kept), dtype=bool)


def _importances(scores: Floats | None, units: Units, model: QuadraticModel, support: Mask) -> Floats:
    if scores is not None:
        return np.asarray(units.spread(scores), dtype=np.float64)
    kept = Units(np.where(support, units.labels, -1), units.n_units, units.per_output, units.kept, units.kept_columns)
    partial = np.zeros(units.n_units)
    for problem in problems_of(model, kept):
        partial[problem.unit_ids] = problem.scores(IMPORTANCES["obs"])
    return np.asarray(kept.spread(partial), dtype=np.float64)


def _warn(budget: Budget, bar: Bar | None, support: Mask, loss: float) -> None:
    if not support.any():
        told = f"{budget} prunes every weight: the model predicts a constant"
        warnings.warn(told, UserWarning, stacklevel=4)
    elif bar is not None and loss > LARGE_LOSS:
        warnings.warn(
            f"{budget} bounds what each weight costs, not the sum: together they cost a loss of {loss:.3g}, more than "
            f"{LARGE_LOSS}; use max_loss or n_nonzero to bound the total",
            UserWarning,
            stacklevel=4,
        )

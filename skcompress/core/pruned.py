"""Pruning: what `prune` returns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from .budget import Bar, Choice, least_bound, lowest_of
from .gram import DenseGram
from .linalg import Floats, Mask
from .quadratic import QuadraticModel
from .selection import Path, Selection
from .subset import problems_of
from .units import Groups, units_of

NEGLIGIBLE = 1e-8
"""Gaps up to this, in units of loss and with all rounding error in them, count as zero."""

OWN_ERROR = 0.01
"""Share of what can be lost at all that the rounding error of a refitted support's own loss does not exceed."""


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
        No support with as many units has a loss below `loss` minus this, the rounding error of the losses included; 0
        if that is no more than 1e-8.
    proven : bool
        Whether the gap is zero.
    model : QuadraticModel
        The quadratic on the kept weights.
    quadratic : QuadraticModel
        The quadratic that was pruned.
    n_units : int
        Units kept in a problem (an output, or all outputs where units are groups); the most where they differ.
    same_size : int or float
        The `n_nonzero` that asks for as many units again: an int where every problem keeps equally many, else the
        share of all units.
    total, least, most : int
        Units kept over all problems, and the least and the most of them that can be.
    all_units, available, n_problems : int
        Units that a share is taken of, those of them with a free weight, and problems that it is spent on.
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
    quadratic: QuadraticModel
    n_units: int
    same_size: float
    total: int
    least: int
    most: int
    all_units: int
    available: int
    n_problems: int

    def gap_of(self, support: Mask) -> float:
        """Return how much less than this support any with as many units can lose, on the quadratic that was pruned."""
        if np.array_equal(support, self.support):
            return self.optimality_gap
        there = self.quadratic.restrict(support.reshape(self.quadratic.centre.shape))
        return max(0.0, there.centre_loss - (self.loss - self.optimality_gap))

    @property
    def work(self) -> float:
        """Units kept times units there are, of one problem, times the square of the weights of a unit."""
        return work_of(self.quadratic, self.all_units, self.n_problems, self.n_units)

    def asking_for(self, total: int) -> float:
        """Return the `n_nonzero` that asks for so many units over all problems: a share where there are several."""
        return total if self.n_problems == 1 else total / self.all_units


def pruning_of(selection: Selection, choice: Choice, bar: Bar | None) -> Pruning:
    """Return the model at the chosen sizes.

    Parameters
    ----------
    selection : Selection
        What the searches know.
    choice : Choice
        Sizes, and those for the path.
    bar : Bar or None
        The threshold as a number, where that was the budget.
    """
    units, sizes = selection.units, choice.sizes
    support = selection.support(sizes)
    if selection.refit:
        model = selection.refitted(support)
        # A weight that its sign holds at zero does not count as kept.
        support = model.free if selection.quadratic.signs[support].any() else support
        weights, loss = model.centre, model.centre_loss
    else:
        weights = np.where(support, selection.quadratic.centre, 0.0)
        loss = selection.quadratic.loss(weights)
        model = selection.quadratic.recentred(weights, free=support)
    gap = _gap(selection, choice, loss)
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
        quadratic=selection.quadratic,
        n_units=int(sizes.max(initial=0)),
        total=int(sizes.sum()),
        least=sum(profile.least for profile in selection.profiles),
        most=sum(profile.most for profile in selection.profiles),
        all_units=units.n_units,
        available=int(np.count_nonzero(units.available)),
        n_problems=len(selection.profiles),
        same_size=int(sizes[0]) if alike else int(sizes.sum()) / max(1, units.n_units),
    )


def work_of(quadratic: QuadraticModel, all_units: int, n_problems: int, size: float) -> float:
    """Return `Pruning.work` for a number of units of each problem; 0 where the curvature is not formed."""
    if not all(isinstance(gram, DenseGram) for gram in quadratic.grams):
        return 0.0
    each = max(1.0, np.count_nonzero(quadratic.free) / max(1, all_units))
    return size * all_units / max(1, n_problems) * each**2


def swapped(earlier: Pruning, quadratic: QuadraticModel, feature_groups: Groups, keep: ArrayLike | None) -> Pruning:
    """Return an earlier pruning with units swapped until no swap lowers the loss of another quadratic.

    Every problem keeps as many units as it had. What the earlier search has visited and proven stays as it was.

    Parameters
    ----------
    earlier : Pruning
        Its support is where the swaps begin.
    quadratic : QuadraticModel
        With the same free weights.
    feature_groups, keep
        As in `skcompress.core.pruning.prune`.
    """
    units = units_of(quadratic.free, feature_groups, keep)
    inside = units.total(earlier.support.astype(np.float64)) > 0
    kept = np.zeros(units.n_units, dtype=bool)
    for problem in problems_of(quadratic, units):
        chosen = np.flatnonzero(inside[problem.unit_ids])
        if len(chosen):
            chosen = problem.swap(chosen)[0]
        kept[problem.unit_ids[chosen]] = True
        kept[problem.unit_ids[problem.kept]] = True
    model = quadratic.restrict(units.spread(kept).astype(bool), units.kept_columns)
    loss = model.centre_loss
    return replace(earlier, weights=model.centre, support=model.free, loss=loss, model=model, quadratic=quadratic)


def _gap(selection: Selection, choice: Choice, loss: float) -> float:
    """Return how much less than `loss` the supports that compete with the chosen one can lose."""
    floor = sum(profile.problem.floor for profile in selection.profiles)
    error = selection.rounding_error([loss - floor] * len(selection.profiles))
    known = max(lowest_of(selection.quadratic), selection.known_floor)
    if loss <= known:
        # What is computed to be less than can be lost has no digits.
        return 0.0 if known - loss <= NEGLIGIBLE else max(error, known - loss)
    # What is known of the least loss has no rounding error in it; `loss` has some.
    own = min(error, OWN_ERROR * (loss - known))
    gap = loss - max(least_bound(selection.profiles, choice) - error, known) + own
    return gap if gap > NEGLIGIBLE else 0.0

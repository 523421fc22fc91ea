"""The criterion that chooses a size where no budget is given: the extended BIC.

With F the mean deviance of the refitted weights without the penalty, df of them, k of p units and n rows,

    dispersion to be estimated (squared error, Huber, Gamma)    n log F + df log n + 2 gamma log C(p, min(k, p / 2))
    dispersion known (logistic, multinomial, Poisson)           n F     + df log n + 2 gamma log C(p, min(k, p / 2))

(Chen and Chen, "Extended Bayesian information criteria for model selection with large model spaces", 2008; "Extended
BIC for small-n-large-P sparse GLM", 2012). It is held level beyond p / 2, where the binomial coefficient would reward
further units, and sizes with more weights than n / 2 do not count: where p > n, F falls to zero there whatever the
data. Where rows come several times n is no measure of that; the number of independent columns is, if they fit perfectly
and others depend on them.

On a quadratic model the deviance of a support is its loss, less what of that is penalty. Without a penalty it can be
read off the curve of losses, and with the bounds of the sizes none that could be the best is left out. With one, the
curve says where to look, and the sizes around that are compared by the deviance itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from .budget import Choice, by_level
from .linalg import Floats
from .selection import Selection
from .subset.profile import EVERY_SIZE, best_size

FLOOR = 1e-13
"""Least relative deviance that is told apart from a perfect fit."""

PATIENCE = 2
"""Sizes in a row that are no better before a walk over the sizes turns round."""


@dataclass(frozen=True)
class Criterion:
    """The extended BIC of one problem.

    Attributes
    ----------
    n_rows : float
        n: the sum of the row weights, or the number of rows with weight where that is greater, so that weights of 2
        are rows that come twice, and weights that sum to 1 say nothing about the number of rows.
    n_units : int
        p.
    known_dispersion : bool
        Whether the deviance of the loss has a known dispersion.
    n_outputs : int, default=1
        Outputs that are fitted together; their deviances are averaged.
    largest : float, default=inf
        So many weights at most.
    """

    n_rows: float
    n_units: int
    known_dispersion: bool
    n_outputs: int = 1
    largest: float = np.inf

    @property
    def gamma(self) -> float:
        """1/2 where the dispersion is estimated and rows outnumber units, else 1."""
        return 1.0 if self.known_dispersion or self.n_units > self.n_rows else 0.5

    def __call__(self, deviance: ArrayLike, n_weights: ArrayLike, n_kept: ArrayLike) -> Floats:
        """Return its values, inf where there are too many weights.

        Parameters
        ----------
        deviance : array-like
            F: where the dispersion is known the sum over the outputs, else the mean over them relative to the best
            constant's.
        n_weights, n_kept : array-like
            df and k, of the same shape.
        """
        n, p = self.n_rows, self.n_units
        weights, loss = np.asarray(n_weights, dtype=np.float64), np.asarray(deviance, dtype=np.float64)
        choices = np.minimum(np.asarray(n_kept, dtype=np.float64), p / 2)
        subsets = gammaln(p + 1) - gammaln(choices + 1) - gammaln(p - choices + 1)
        rows = n * self.n_outputs
        fit = n * loss if self.known_dispersion else rows * np.log(np.maximum(loss, FLOOR))
        value = fit + weights * np.log(max(n, 2.0)) + 2 * self.gamma * subsets
        return np.where(weights <= self.largest, value, np.inf)


def lowest_around(begins: Iterable[int], least: int, most: int, value_at: Callable[[int], float]) -> int:
    """Return a size with the lowest value among those tried, walking up and down from the best of some sizes.

    Parameters
    ----------
    begins : iterable of int
        Where to look first.
    least, most : int
        The sizes that there are.
    value_at : callable
        From a size to its value; asked once for each size.
    """
    known: dict[int, float] = {}

    def value(size: int) -> float:
        if size not in known:
            known[size] = value_at(size)
        return known[size]

    best = min(sorted({min(max(begin, least), most) for begin in begins}), key=value)
    for step in (-1, 1):
        size, worse = best + step, 0
        while least <= size <= most and worse < PATIENCE:
            if value(size) < value(best):
                best, worse = size, 0
            else:
                worse += 1
            size += step
    return best


PERFECT = 1e-9
"""Relative deviance of the full model below which it counts as a perfect fit."""


def by_criterion(selection: Selection, refit: bool) -> Choice:
    """Return for each problem the size with the lowest criterion.

    Parameters
    ----------
    selection : Selection
        What the searches know.
    refit : bool
        Whether the kept weights move to their optimum.

    Raises
    ------
    ValueError
        If the quadratic model does not know its deviance or the number of rows.
    """
    if selection.quadratic.base_loss is None or selection.quadratic.n_samples is None:
        raise ValueError(
            "without a budget an information criterion chooses the size, and this model has no base_loss or no "
            "n_samples for it: set n_nonzero, threshold or max_loss"
        )
    sizes = [_size(selection, place, refit) if p.most else 0 for place, p in enumerate(selection.profiles)]
    return by_level(selection.profiles, sizes)


def _size(selection: Selection, place: int, refit: bool) -> int:
    profile, quadratic = selection.profiles[place], selection.quadratic
    problem = profile.problem
    outputs = np.arange(quadratic.n_outputs) if len(selection.profiles) == 1 else np.array([place])
    assert quadratic.base_loss is not None
    base = float((quadratic.base_loss / quadratic.loss_unit)[outputs].sum())
    n_units = len(problem.kept)
    per_unit = problem.n_weights / max(1, n_units)
    known, null = quadratic.known_dispersion, max(base + problem.empty_loss, np.finfo(np.float64).tiny)
    n_rows = float(quadratic.n_samples or 1.0)
    bearable = n_rows * problem.n_rows / 2
    if not known and base < PERFECT * null and profile.most < n_units:
        bearable = min(bearable, profile.most * per_unit / 2)
    criterion = Criterion(
        n_rows,
        n_units,
        known,
        n_outputs=problem.n_rows,
        largest=max(profile.least * per_unit, bearable),
    )
    # Deviances come in units of loss.
    scale = float(quadratic.loss_unit[outputs].mean()) if known else 1 / null

    def by_curve(size: Floats, loss: Floats) -> Floats:
        return criterion((base + loss) * scale, per_unit * size, size)

    begin = best_size(profile, by_curve, every=EVERY_SIZE, first=True)
    penalized = (quadratic.penalty != 0) | (quadratic.penalty_slope != 0)
    if not penalized[quadratic.free].any() and per_unit == round(per_unit):
        return begin

    def by_deviance(size: int) -> float:
        support = selection.support_of(place, profile.find(size).units)
        weights = np.where(support, quadratic.centre, 0.0)
        if refit:
            weights = quadratic.restrict(support, selection.units.kept_columns).centre
        rise = quadratic.output_losses(weights) - (quadratic.penalties(weights) - quadratic.base_penalty)
        deviance = base + float((rise / quadratic.loss_unit)[outputs].sum())
        return float(criterion(deviance * scale, np.count_nonzero(support), size))

    return lowest_around([begin], profile.least, profile.most, by_deviance)

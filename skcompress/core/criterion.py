"""Criterion: the extended BIC, which chooses a size where no budget is given.

With F the mean deviance of the refitted weights without the penalty, df of them, k of p units and n rows,

    dispersion to be estimated (squared error, Huber, Gamma)    n log F + df log n + 2 gamma log C(p, min(k, p / 2))
    dispersion known (logistic, multinomial, Poisson)           n F     + df log n + 2 gamma log C(p, min(k, p / 2))

(Chen and Chen, "Extended Bayesian information criteria for model selection with large model spaces", 2008; "Extended
BIC for small-n-large-P sparse GLM", 2012). It is held level beyond p / 2, where the binomial coefficient would reward
further units, and sizes with more weights than n / 2 do not count: where p > n, F falls to zero there whatever the
data. Where rows come several times n is no measure of that; the number of independent columns is, if they fit perfectly
and others depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from .linalg import Floats

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

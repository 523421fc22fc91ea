"""Cross-validation over all sizes from the moments of the folds: one pass over X.

With n_f, m_f, G_f the rows, means and centred products of fold f for Z = [X, y], shifted by the overall mean,

    G of the others = sum_f (G_f + n_f m_f m_f') - G_f - n_f m_f m_f' - n m m'

and the squared error of weights w on fold f is v' G_f v + n_f (m_f' v - a)^2 with v = (-w, 1), a = the level that the
other rows chose. No row is read again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import KFold

from skcompress import QuadraticModel
from skcompress.core.gram import gram_of
from skcompress.core.pruning import prune_path


class Moments(NamedTuple):
    """Rows, sums and products of Z = [X, y] about one common point."""

    n_rows: float
    sums: np.ndarray
    products: np.ndarray

    def __sub__(self, other):
        return Moments(self.n_rows - other.n_rows, self.sums - other.sums, self.products - other.products)

    @property
    def centred(self):
        """Products about their own mean, over the rows."""
        mean = self.sums / self.n_rows
        return self.products / self.n_rows - np.outer(mean, mean)


def fold_moments(X, y, n_folds) -> list[Moments]:
    """Return the moments of every fold."""
    centre = np.append(X.mean(axis=0), y.mean())
    found = []
    for _, fold in KFold(n_folds).split(X):
        rows = slice(fold[0], fold[-1] + 1)
        n_rows = len(fold)
        part, target = X[rows], y[rows] - centre[-1]
        share = np.full(n_rows, 1 / n_rows)
        products = np.empty((len(centre), len(centre)))
        products[:-1, :-1] = gram_of(part, share, centre[:-1]).matrix * n_rows
        sums = np.append(part.sum(axis=0) - n_rows * centre[:-1], target.sum())
        products[-1, :-1] = products[:-1, -1] = target @ part - target.sum() * centre[:-1]
        products[-1, -1] = target @ target
        found.append(Moments(n_rows, sums, products))
    return found


def quadratic_of(moments: Moments) -> QuadraticModel:
    """Return the least-squares loss around zero weights."""
    centred = moments.centred
    variance = centred[-1, -1]
    return QuadraticModel(
        centred[:-1, :-1],
        np.zeros(len(centred) - 1),
        gradient=-2 * centred[-1, :-1],
        free=True,
        null_loss=variance,
        base_loss=variance,
        n_samples=moments.n_rows,
    )


def cross_validate(folds: list[Moments], largest: int | None = None) -> tuple[np.ndarray, QuadraticModel]:
    """Return the mean squared error of the sizes 1..largest over the folds, and the model of all rows. None: p."""
    total = Moments(*(sum(parts) for parts in zip(*folds, strict=True)))
    errors = np.zeros(len(total.sums) - 1 if largest is None else largest)
    for fold in folds:
        others = total - fold
        quadratic = quadratic_of(others)
        path = prune_path(quadratic, None if largest is None else range(1, largest + 1))
        for size in range(1, len(errors) + 1):
            v = np.append(-quadratic.restrict(path.at(size).support).centre[0], 1.0)
            level = v @ others.sums / others.n_rows
            errors[size - 1] += v @ fold.products @ v - 2 * level * (v @ fold.sums) + fold.n_rows * level**2
    return errors / total.n_rows, quadratic_of(total)

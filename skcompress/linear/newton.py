"""Newton's steps on the kept columns alone, where the loss is not quadratic.

With s the row weights that sum to 1, D the curvature of half the deviance and X_k the columns that output k keeps,
half the Hessian of output k is X_k' diag(s D_k) X_k + P, with the intercept eliminated. The classes of a multinomial
loss are coupled: with p their probabilities the blocks are

    H_kl = X_k' diag(s p_k ([k = l] - p_l)) X_l

Searches of single weights and roundings leave out the blocks between classes. Where few weights are free, or left, the
blocks are affordable: see `MOST_WEIGHTS` and `MOST_WORK`. Where more are left, a step of all classes is found by
conjugate gradients on products with the Hessian (Nocedal and Wright, "Numerical Optimization", section 7.1).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from scipy.linalg import blas
from scipy.sparse.linalg import LinearOperator, cg

from ..core.gram import DenseGram, gram_of, row_chunks, weighted_mean
from ..core.linalg import Floats, Mask
from ..core.quadratic import QuadraticModel

if TYPE_CHECKING:
    from .problem import LinearProblem

MOST_WEIGHTS = 1000
"""Weights, over all classes, up to which the blocks between classes are taken into account."""

MOST_WORK = 2e9
"""Rows times the square of these weights up to which they are: 1,000 weights on 2,000 rows, 300 on 22,000."""

_MOST_NUMBERS = 20_000_000
"""Numbers in the kept columns up to which they are held beside X."""

_JITTER = 1e-10

_FORCING = 0.01
"""Share of the gradient that conjugate gradients leave in one step; the next step goes on from there."""

_PRODUCTS = 100
"""Products with the Hessian in one step at most."""


class Newton:
    """Where Newton's steps over the weights of a support lead.

    Parameters
    ----------
    problem : LinearProblem
        The true loss.
    support : ndarray of shape (m, p), dtype=bool
        Weights that may move.
    signs : array-like, default=0
        As in `QuadraticModel`.

    Attributes
    ----------
    cheap : bool
        Whether a step reads the kept columns alone, else the curvature of all columns is built.
    together : bool
        Whether the classes of a multinomial loss move together.
    """

    def __init__(self, problem: LinearProblem, support: Mask, signs: ArrayLike = 0):
        self.problem, self.support = problem, support
        self.signs: Floats = np.broadcast_to(np.asarray(signs, dtype=np.float64), support.shape)
        used = np.flatnonzero(support.any(axis=0))
        self.cheap = len(used) * len(problem.row_weight) <= _MOST_NUMBERS
        count = np.count_nonzero(support)
        few = count <= MOST_WEIGHTS and count**2 * len(problem.row_weight) <= MOST_WORK
        self.together = self.cheap and few and problem.fit.deviance.coupled
        self._used, self._places = used, support[:, used]

    @cached_property
    def _part(self) -> Floats:
        part = self.problem.X[:, self._used]
        return np.asarray(part.toarray() if sp.issparse(part) else part, dtype=np.float64)

    def _columns(self, output: Any) -> Floats:
        places = self._places[output]
        return self._part if places.all() else self._part[:, places]

    def target(self, weights: Floats, intercept: Floats) -> Floats:
        """Return where a step from these weights leads, shape (m, p), the intercepts at their best."""
        if not self.cheap:
            model = self.problem.quadratic(weights, intercept, self.support, at_minimum=False, signs=self.signs)
            return model.restrict(self.support).centre
        eta = self.problem.predictor(weights, intercept)
        slope = self.problem.fit.deviance.slope(self.problem.y, eta) * self.problem.row_weight[:, None]
        pull = self.problem.penalty_gradient(weights)
        target = np.zeros(self.support.shape)
        if self.together:
            curvature, half = self._all([self._columns(k) for k in range(len(self.support))], eta, slope)
            target[self.support] = self._solved(curvature, half, weights, pull, self.support)
            return target
        if self.problem.fit.deviance.coupled and not self.signs[self.support].any():
            return self._by_gradients(weights, eta, slope, pull)
        row_curvature = self.problem.fit.deviance.curvature(self.problem.y, eta) * self.problem.row_weight[:, None]
        for output in np.flatnonzero(self.support.any(axis=1)):
            mine = np.zeros(self.support.shape, dtype=bool)
            mine[output] = self.support[output]
            curvature, half = self._one(self._columns(output), row_curvature[:, output], slope[:, output])
            target[mine] = self._solved(curvature, half, weights, pull, mine)
        return target

    def _by_gradients(self, weights: Floats, eta: Floats, slope: Floats, pull: Floats) -> Floats:
        """Return where a step of all classes together leads, by conjugate gradients on products with the Hessian."""
        X, places = self._part, self._places
        s, p = self.problem.row_weight[:, None], self.problem.fit.deviance.mean(eta)
        ridge, count = self.problem.l2[self.support], np.count_nonzero(places)
        n_levels = len(weights) if self.problem.fits_intercept else 0

        def along(vector: Floats) -> Floats:
            change = np.zeros(places.shape)
            change[places] = vector[:count]
            moved = X @ change.T + (vector[count:] if n_levels else 0.0)
            bent = s * p * (moved - (p * moved).sum(axis=1, keepdims=True))
            return np.concatenate([(bent.T @ X)[places] + ridge * vector[:count], bent.sum(axis=0)[:n_levels]])

        row_curvature = s * p * (1 - p)
        diagonal = np.concatenate([(row_curvature.T @ X**2)[places] + ridge, row_curvature.sum(axis=0)[:n_levels]])
        diagonal = np.maximum(diagonal, _JITTER * max(float(diagonal.max()), 1e-300))
        down = np.concatenate([(slope.T @ X)[places] + pull[self.support] / 2, slope.sum(axis=0)[:n_levels]])
        shape = (len(down), len(down))
        change, _ = cg(
            LinearOperator(shape, matvec=along, dtype=np.float64),
            -down,
            rtol=_FORCING,
            maxiter=_PRODUCTS,
            M=LinearOperator(shape, matvec=lambda vector: vector / diagonal, dtype=np.float64),
        )
        target = np.where(self.support, weights, 0.0)
        target[self.support] += change[:count]
        return target

    def joint(
        self, weights: Floats, intercept: Floats, *, at_minimum: bool, loss_at_centre: float = 0.0
    ) -> QuadraticModel:
        """Return the quadratic of all classes that move together, with one output of m p weights.

        Parameters
        ----------
        weights, intercept : ndarray of shape (m, p) and (m,)
            Where the loss is linearised.
        at_minimum : bool
            Whether the gradient is zero there.
        loss_at_centre : float, default=0.0
            The loss already lost there.
        """
        problem, free = self.problem, self.support.ravel()
        eta = problem.predictor(weights, intercept)
        slope = problem.fit.deviance.slope(problem.y, eta) * problem.row_weight[:, None]
        curvature, half = self._all([self._columns(k) for k in range(len(self.support))], eta, slope)
        gradient = problem.penalty_gradient(weights).ravel()
        gradient[free] += 2 * half
        return QuadraticModel(
            DenseGram(curvature, np.flatnonzero(free), free.size),
            weights.ravel(),
            gradient=None if at_minimum else np.where(free, gradient, 0.0),
            penalty=problem.l2.ravel() + _jitter(curvature),
            free=free,
            null_loss=problem.null_losses.sum(),
            n_samples=problem.total,
            signs=self.signs.ravel(),
            loss_at_centre=loss_at_centre,
        )

    def _one(self, columns: Floats, row_curvature: Floats, slope: Floats) -> tuple[Floats, Floats]:
        """Return half the Hessian and half the gradient of one output, its intercept eliminated."""
        mean = weighted_mean(columns, row_curvature) if self.problem.fits_intercept else np.zeros(columns.shape[1])
        gram = gram_of(columns, row_curvature, mean)
        return gram.block(np.arange(len(mean))), slope @ columns - slope.sum() * mean

    def _all(self, kept: list[Floats], eta: Floats, slope: Floats) -> tuple[Floats, Floats]:
        """Return half the Hessian and half the gradient over all classes, their intercepts eliminated."""
        s, p = self.problem.row_weight, self.problem.fit.deviance.mean(eta)
        classes = np.arange(p.shape[1])
        half = np.concatenate([columns.T @ slope[:, k] for k, columns in enumerate(kept)])
        curvature = self._between(kept, p)
        for k, (columns, part) in enumerate(zip(kept, _parts(kept), strict=True)):
            # A difference of two products would lose what little curvature a saturated class has.
            weighted = columns * np.sqrt(s * p[:, k] * (1 - p[:, k]))[:, None]
            curvature[part, part] = weighted.T @ weighted
        if self.problem.fits_intercept:
            levels = np.diag(s @ p) - (p * s[:, None]).T @ p
            beside = np.vstack(
                [columns.T @ ((s * p[:, k])[:, None] * ((classes == k) - p)) for k, columns in enumerate(kept)]
            )
            # The same shift of all levels changes nothing: rounding must not invert that zero.
            eliminated = beside @ np.linalg.pinv(levels, rcond=1e-12, hermitian=True)
            curvature -= eliminated @ beside.T
            half = half - eliminated @ slope.sum(axis=0)
        return (curvature + curvature.T) / 2, half

    def _between(self, kept: list[Floats], p: Floats) -> Floats:
        """Return -sum(s p_k p_l x_k x_l') of all classes, as one product of a matrix with itself."""
        parts = _parts(kept)
        root = np.sqrt(self.problem.row_weight)[:, None] * p
        triangle = np.zeros((parts[-1].stop, parts[-1].stop), order="F")
        chunks = row_chunks(len(p), parts[-1].stop)
        buffer = np.empty((chunks[0].stop, parts[-1].stop))
        for chunk in chunks:
            rows = buffer[: chunk.stop - chunk.start]
            for k, part in enumerate(parts):
                np.multiply(kept[k][chunk], root[chunk, k : k + 1], out=rows[:, part])
            triangle = blas.dsyrk(-1.0, rows.T, beta=1.0, c=triangle, overwrite_c=True)
        matrix: Floats = np.triu(triangle)
        matrix += np.triu(triangle, 1).T
        return matrix

    def _solved(self, curvature: Floats, half: Floats, weights: Floats, pull: Floats, mine: Mask) -> Floats:
        model = QuadraticModel(
            curvature,
            weights[mine],
            gradient=2 * half + pull[mine],
            penalty=self.problem.l2[mine] + _jitter(curvature),
            free=True,
            signs=self.signs[mine],
        )
        return model.restrict(model.free).centre[0]


def _parts(kept: list[Floats]) -> list[slice]:
    """Return which of all weights are those of each class."""
    ends = np.cumsum([columns.shape[1] for columns in kept]).tolist()
    return [slice(end - columns.shape[1], end) for columns, end in zip(kept, ends, strict=True)]


def _jitter(curvature: Floats) -> float:
    """Return what decides what the curvature leaves open, such as the same weights added to all classes."""
    return _JITTER * max(float(curvature.trace()) / len(curvature), 1e-300)

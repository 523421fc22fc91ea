"""LinearProblem: one fitted leaf on its training rows, as the loss that compression has to keep low.

It holds the base's weights w0, evaluates the true loss F of other weights on the training rows, re-solves the
intercept for them, and builds the quadratic model of F around any weights.

Where w0 does not minimise the base's loss on y, the base's own predictions take the place of y and the penalty is on
the change of the weights, so that w0 is the minimum and F(w0) = 0: in *fidelity* mode (a frozen model, or a base whose
loss has no curvature) with squared loss and no penalty; after distilling, and with the solver liblinear, which
penalises the intercept, with the base's loss and penalty.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from ..core.gram import DenseGram, Gram, gram_of, row_chunks, weighted_mean
from ..core.linalg import Floats, Mask
from ..core.moments import HOLD
from ..core.quadratic import QuadraticModel
from .containers import Leaf
from .curvature import Fit, fit_of, numeric_target, row_weights, unexplained
from .losses import Squared, best_level
from .view import as_matrix, fits_intercept, read

MISSED = 1e-9
"""What the base may lose to the minimum, in units of the null loss, and still count as there."""

LEAST_SHARE = float(np.finfo(np.float64).eps)
"""Share of its curvature that a column has to itself at the least where that cannot be told from nothing."""

FAR = 1 - 1e-6
"""Share of a column's mean square that the square of its mean has at a thousand standard deviations."""


class LinearProblem:
    """The loss of a linear model on its training rows.

    Parameters
    ----------
    leaf : Leaf
        The fitted leaf with its X, and y unless it is frozen.
    weights, intercept : ndarray of shape (m, p) and (m,), default=None
        w0 and its intercept, where they are not the leaf's present ones.
    base_predictor : ndarray of shape (n, m), default=None
        The base's linear predictor on the training rows, where it is not that of X itself.

    Attributes
    ----------
    X : {ndarray, csr_array} of shape (n, p)
    row_weight : ndarray of shape (n,)
        Sample weights divided by their sum.
    total : float
        The sum of the sample weights.
    n_samples : float
        The number of rows for information criteria: that sum, or the number of rows with weight where it is greater.
    own_target : bool
        Whether the base's own predictions take the place of y.
    """

    def __init__(
        self,
        leaf: Leaf,
        weights: Floats | None = None,
        intercept: Floats | None = None,
        base_predictor: Floats | None = None,
    ):
        self.leaf = leaf
        self.X = as_matrix(leaf.X)
        n_rows = self.X.shape[0]
        sample_weight = row_weights(leaf, n_rows)
        self.total = float(sample_weight.sum())
        self.row_weight: Floats = sample_weight / self.total
        self.n_samples = max(self.total, float(np.count_nonzero(sample_weight)))
        present = read(leaf.estimator)
        self.weights: Floats = present[0] if weights is None else weights
        self.intercept: Floats = present[1] if intercept is None else intercept
        self.fits_intercept = fits_intercept(leaf.estimator)
        fit = None if leaf.frozen else fit_of(leaf.estimator, self.total)
        self.own_target = fit is None or leaf.own_target or fit.level_penalized
        self.fit = Fit(Squared()) if fit is None else fit
        shape = self.weights.shape
        self.l2: Floats = np.broadcast_to(np.asarray(self.fit.l2, dtype=np.float64), shape)
        l1 = 0.0 if self.own_target else self.fit.l1
        self.l1: Floats = np.broadcast_to(np.asarray(l1, dtype=np.float64), shape)
        if base_predictor is not None:
            self.base_predictor = base_predictor
        self._anchor: Floats = self.weights if self.own_target else np.zeros(shape)

    @cached_property
    def base_predictor(self) -> Floats:
        """The base's linear predictor on the training rows, shape (n, m)."""
        return self.predictor(self.weights, self.intercept)

    @cached_property
    def y(self) -> Floats:
        """The target of the loss, shape (n, m)."""
        if self.own_target:
            return self.fit.deviance.mean(self.base_predictor)
        return self._given_target()

    def _given_target(self) -> Floats:
        return self.fit.target(numeric_target(self.leaf, len(self.weights)))

    @property
    def exact(self) -> bool:
        """Whether the loss is quadratic, so that one linearisation is enough."""
        return self.fit.deviance.constant_curvature

    def predictor(self, weights: Floats, intercept: Floats) -> Floats:
        """Return the linear predictor on the training rows, shape (n, m)."""
        if sp.issparse(self.X) or self.X.dtype == np.float64:
            return self.X @ weights.T + intercept
        # A product of float32 with float64 would first copy the whole of X.
        return np.vstack([self.X[chunk] @ weights.T + intercept for chunk in row_chunks(*self.X.shape)])

    def losses(self, weights: Floats, predictor: Floats) -> Floats:
        """Return F of each output, penalty included, shape (m,)."""
        data = self.row_weight @ self.fit.deviance.value(self.y, predictor)
        squares = (weights - self._anchor) ** 2
        return data + (self.l2 * squares).sum(axis=1) + (self.l1 * np.abs(weights)).sum(axis=1)

    def penalty_gradient(self, weights: Floats) -> Floats:
        """Return the gradient of the penalties, shape (m, p): an L1 penalty's as long as no sign changes."""
        return 2 * self.l2 * weights + self._penalty_slope

    @cached_property
    def _penalty_slope(self) -> Floats:
        """Return c of the penalties l2 w^2 + c w, shape (m, p), as long as no sign changes."""
        return self.l1 * np.sign(self.weights) - 2 * self.l2 * self._anchor

    @cached_property
    def base_losses(self) -> Floats:
        """F at w0, shape (m,)."""
        return self.losses(self.weights, self.base_predictor)

    @cached_property
    def null_losses(self) -> Floats:
        """The data part of F at the best constant prediction, shape (m,): the unit of loss.

        Outputs that share one loss share its unit, each the m-th part of it.
        """
        mean = self.row_weight @ self.y
        constant = self._newton(np.zeros((1, 1)), self.fit.deviance.start(mean))
        losses = self.row_weight @ self.fit.deviance.value(self.y, np.broadcast_to(constant, self.y.shape))
        return np.full_like(losses, losses.mean()) if self.fit.deviance.coupled else losses

    @cached_property
    def loss_unit(self) -> Floats:
        """What an output's losses are divided by, shape (m,): the null loss, or 1 where that is zero."""
        return np.where(self.null_losses > 0, self.null_losses, 1.0)

    @cached_property
    def noise(self) -> Floats | None:
        """Mean deviance of the base from y, shape (m,), for information criteria; None where y is not known.

        In fidelity mode, what its linear predictor leaves of them (`unexplained`): a base that is shrunk, or of
        another scale than y, is no reason to prune more.
        """
        if self.leaf.y is None:
            return None
        target = self._given_target()
        if self.own_target and isinstance(self.fit.deviance, Squared):
            return unexplained(target, self.base_predictor, self.row_weight)
        return self.row_weight @ self.fit.deviance.value(target, self.base_predictor)

    def deviance(self, weights: Floats, intercept: Floats) -> float:
        """Return the mean deviance from y without the penalty, summed over outputs, for information criteria.

        Where the base's own predictions take the place of y: the base's from y, and from there the deviance from the
        base.
        """
        data = self.row_weight @ self.fit.deviance.value(self.y, self.predictor(weights, intercept))
        if self.own_target:
            assert self.noise is not None
            data = data + self.noise
        return float(data.sum())

    def assess(self, weights: Floats, intercept: Floats, predictor: Floats | None = None) -> tuple[float, float]:
        """Return what other weights cost on the training rows.

        Parameters
        ----------
        weights, intercept : ndarray of shape (m, p) and (m,)
            The weights.
        predictor : ndarray of shape (n, m), default=None
            Their linear predictor, where it is not that of X itself.

        Returns
        -------
        loss_increase : float
            (F(w) - F(w0)) / null loss, averaged over outputs.
        prediction_change : float
            Root mean square change of the linear predictor.
        """
        predictor = self.predictor(weights, intercept) if predictor is None else predictor
        rise = self.losses(weights, predictor) - self.base_losses
        change = self.row_weight @ (predictor - self.base_predictor) ** 2
        return float((rise / self.loss_unit).mean()), float(np.sqrt(change.mean()))

    @cached_property
    def column_mean(self) -> Floats:
        """Weighted mean of each column of X, shape (p,)."""
        return weighted_mean(self.X, self.row_weight)

    def best_intercept(self, weights: Floats) -> Floats:
        """Return the intercept that minimises F for these weights, shape (m,); the base's if it fits none."""
        if not self.fits_intercept:
            return self.intercept
        if self.exact:
            return self.intercept + (self.weights - weights) @ self.column_mean
        if np.array_equal(weights, self.weights):
            return self.intercept
        return self._newton(self.predictor(weights, np.zeros(1)), self.intercept)

    def best_shift(self, predictor: Floats) -> Floats:
        """Return what makes F least when added to a linear predictor (n, m): shape (m,), 0 without an intercept."""
        if not self.fits_intercept:
            return np.zeros(predictor.shape[1])
        if self.exact:
            return self.row_weight @ (self.base_predictor - predictor)
        return self._newton(predictor, np.zeros(predictor.shape[1]))

    def _newton(self, predictor: Floats, start: Floats) -> Floats:
        """Minimise F over one constant added to the predictor of each output."""
        return best_level(self.fit.deviance, self.row_weight, self.y, predictor, start)

    def quadratic(
        self,
        weights: Floats,
        intercept: Floats,
        free: Mask,
        *,
        at_minimum: bool = True,
        signs: ArrayLike = 0,
        loss_at_centre: ArrayLike = 0.0,
    ) -> QuadraticModel:
        """Return the quadratic model of F around these weights.

        Parameters
        ----------
        weights, intercept : ndarray of shape (m, p) and (m,)
            Where F is linearised.
        free : ndarray of shape (m, p), dtype=bool
            Weights that may be other than zero.
        at_minimum : bool, default=True
            Whether `weights` minimises F over the free weights, so that the gradient is zero. Otherwise it is that of
            F with the intercept at its optimum: 2 Xc' S slope / sum(s) + 2 P w + l1 sign(w0).
        signs, loss_at_centre
            As in `QuadraticModel`.
        """
        grams, mean = self._grams(weights, intercept)
        gradient = None if at_minimum else self._gradient(weights, intercept, mean)
        return QuadraticModel(
            grams,
            weights,
            mean=mean,
            gradient=gradient,
            penalty=self.l2,
            free=free,
            null_loss=self.null_losses,
            base_loss=self.noise,
            n_samples=self.n_samples,
            known_dispersion=self.fit.deviance.known_dispersion,
            penalty_slope=self._penalty_slope,
            base_penalty=((self.l2 * self.weights + self._penalty_slope) * self.weights).sum(axis=1),
            signs=signs,
            loss_at_centre=loss_at_centre,
            hold=HOLD if self.leaf.frozen else 0.0,
        )

    def _require_finite(self, grams: list[Gram]) -> None:
        """Raise ValueError if a column of X that the model reads is not finite."""
        wrong = np.flatnonzero(~np.isfinite(np.vstack([gram.diag() for gram in grams])).all(axis=0))
        if len(wrong):
            name = type(self.leaf.estimator).__name__
            raise ValueError(f"column {wrong[0]} of what {name} reads holds NaN or infinity: impute or scale it before")

    def _gradient(self, weights: Floats, intercept: Floats, mean: Floats) -> Floats:
        slope = self.fit.deviance.slope(self.y, self.predictor(weights, intercept)) * self.row_weight[:, None]
        data = np.asarray((self.X.T @ slope).T) - mean * slope.sum(axis=0)[:, None]
        return 2 * data + self.penalty_gradient(weights)

    @cached_property
    def base_at_minimum(self) -> bool:
        """Whether w0 minimises F, which a solver that loses digits may have missed where F is quadratic.

        `LinearRegression` cuts the rank where columns differ in scale or lie far from zero, and normal equations of
        columns far from zero have no digits left. Only such bases are looked at. A slope g of a column with curvature h
        could gain (g/2)^2 / (h s), with s the share of h that the other columns leave it.
        """
        if not self.exact or self.own_target or self.l1.any() or not self._may_miss():
            return True
        around = self.quadratic(self.weights, self.intercept, self.weights != 0, at_minimum=False)
        diagonal = around.diag() * around.loss_unit[:, None]
        # A constant column has neither slope nor curvature.
        looked_at = around.free & (diagonal > 0)
        slope = np.square(around.gradient / 2)[looked_at] / diagonal[looked_at]
        return bool((slope <= MISSED * LEAST_SHARE).all())

    def _may_miss(self) -> bool:
        (gram, *_), _ = self._exact_grams
        if not isinstance(gram, DenseGram):
            return False
        cut = getattr(self.leaf.estimator, "rank_", len(self.column_mean)) < len(self.column_mean)
        size = np.sqrt(gram.diag() + self.fits_intercept * self.column_mean**2)
        noisy = LEAST_SHARE * np.abs(self.weights) * size > MISSED * np.sqrt(self.loss_unit)[:, None]
        return bool(cut or noisy.any() or (not self.fits_intercept and (self.column_mean**2 > FAR * gram.diag()).any()))

    def _grams(self, weights: Floats, intercept: Floats) -> tuple[list[Gram], Floats]:
        if self.exact:
            return self._exact_grams
        curvature = self.fit.deviance.curvature(self.y, self.predictor(weights, intercept))
        return self._weighted_grams(list((curvature * self.row_weight[:, None]).T))

    @cached_property
    def _exact_grams(self) -> tuple[list[Gram], Floats]:
        return self._weighted_grams([self.row_weight])

    @property
    def exact_gram(self) -> tuple[Gram, Floats]:
        """The curvature of the data and the centre of the columns, shape (p,), where the loss is quadratic."""
        return self._exact_grams[0][0], self._exact_grams[1][0]

    def take_exact_gram(self, gram: Gram) -> None:
        """Use a curvature that is known already in place of a pass over the rows, where the loss is quadratic."""
        mean = self.column_mean if self.fits_intercept else np.zeros(self.X.shape[1])
        self._exact_grams = [gram], mean[None]

    def _weighted_grams(self, row_weights: list[Floats]) -> tuple[list[Gram], Floats]:
        n_features = self.X.shape[1]
        active = np.flatnonzero((self.weights != 0).any(axis=0))
        if not self.fits_intercept:
            means = [np.zeros(n_features) for _ in row_weights]
        elif self.exact:
            means = [self.column_mean]
        else:
            means = [weighted_mean(self.X, row_weight) for row_weight in row_weights]
        grams = [
            gram_of(self.X, row_weight, mean, active if len(active) < n_features else None)
            for row_weight, mean in zip(row_weights, means, strict=True)
        ]
        self._require_finite(grams)
        return grams, np.vstack(means)

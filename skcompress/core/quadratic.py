"""QuadraticModel: the loss around the fitted weights, the waist between estimators and algorithms.

With F the mean deviance of the training rows plus the base model's own penalty on that scale, and w0 the
fitted weights,

    F(w) - F(w0)  ~  g'(w - w0) + (w - w0)' H (w - w0),      H = Xc' S D Xc / sum(s) + P

There is no factor 1/2: for squared error F is the mean squared error and the right-hand side is exact. See
`skcompress.core.gram` for Xc and the weights S D / sum(s); P is the diagonal of the L2 penalty. The same
function of w is

    w' H w - 2 c'w + constant,      c = H w0 - g/2  (the *moment*)

Losses that leave this module are in units of the null loss of their output (the variance of y, the null
deviance, or the variance of the base's linear predictor) and averaged over outputs: for LinearRegression the
R2 lost. Arrays are (m, p): m outputs, p features.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .checks import require_all_finite
from .gram import DenseGram, Gram
from .linalg import Floats, Mask, solve_psd, solve_signed
from .moments import Moments, fidelity, least_squares
from .row_blocks import Block
from .systems import Systems, spread_to


class QuadraticModel(Systems):
    """A quadratic model of the loss of a linear model with m outputs and p features.

    Parameters
    ----------
    curvature : Gram, ndarray of shape (p, p), or a sequence of them
        The data part of H: one for all outputs, or one for each.
    centre : array-like of shape (m, p) or (p,)
        w0, the fitted weights.
    mean : array-like of shape (m, p) or (p,), default=None
        Centre of the columns: when the weights move by d, the best intercept moves by ``-mean @ d``.
        None: zeros.
    gradient : array-like of shape (m, p) or (p,), default=None
        g. None: w0 minimises the loss.
    penalty : array-like of shape (m, p) or (p,), or float, default=0.0
        Diagonal of P.
    free : array-like of shape (m, p) or (p,), dtype=bool, default=None
        Weights that may be other than zero. None: those that are not zero in `centre`.
    null_loss : array-like of shape (m,), default=1.0
        The unit of the losses, for each output.
    base_loss : array-like of shape (m,), default=None
        Mean deviance at w0 without the penalty, in the units of F. Information criteria need it. None: not known.
    n_samples : float, default=None
        Number of rows: the sum of the sample weights, or the number of them above 0 where that is greater. Information
        criteria need it.
    known_dispersion : bool, default=False
        Whether the deviance has a known dispersion, as a logistic or a Poisson one has; for information criteria.
    penalty_slope : array-like of shape (m, p) or (p,), default=0.0
        c of what of F is penalty, w' P w + c'w.
    base_penalty : array-like of shape (m,), default=None
        The penalty where the deviance is `base_loss`. None: that at w0.
    loss_at_centre : array-like of shape (m,), default=0.0
        What w0 has already lost, in the units of F.
    level : array-like of shape (m,), default=None
        Mean of the linear predictor, ``intercept + centre @ mean``, which pruning and rounding leave as it is.
        None: not known.
    signs : array-like of shape (m, p) or (p,), default=0
        1: the weight may not be negative, -1: not positive, 0: free. Held by `restrict`, by searches and by roundings;
        the centre may violate them until it is restricted.
    hold : float, default=0.0
        For a centre not fitted on these rows: how strongly rounding keeps to it (`skcompress.core.unseen`).

    See Also
    --------
    prune, quantize : Compress it.

    Examples
    --------
    >>> import numpy as np
    >>> from skcompress import QuadraticModel
    >>> model = QuadraticModel(np.diag([2.0, 1.0]), [3.0, 1.0])
    >>> model.loss([0.0, 1.0])
    18.0
    """

    def __init__(
        self,
        curvature: Gram | Floats | Sequence[Gram | Floats],
        centre: ArrayLike,
        *,
        mean: ArrayLike | None = None,
        gradient: ArrayLike | None = None,
        penalty: ArrayLike = 0.0,
        free: ArrayLike | None = None,
        null_loss: ArrayLike = 1.0,
        base_loss: ArrayLike | None = None,
        n_samples: float | None = None,
        known_dispersion: bool = False,
        penalty_slope: ArrayLike = 0.0,
        base_penalty: ArrayLike | None = None,
        loss_at_centre: ArrayLike = 0.0,
        level: ArrayLike | None = None,
        signs: ArrayLike = 0,
        hold: float = 0.0,
    ):
        self.centre: Floats = np.atleast_2d(np.asarray(centre, dtype=np.float64))
        shape = self.centre.shape
        parts: list[Any] = list(curvature) if isinstance(curvature, (list, tuple)) else [curvature]
        self.grams: tuple[Gram, ...] = tuple(
            DenseGram(np.asarray(part, dtype=np.float64)) if isinstance(part, np.ndarray) else part for part in parts
        )
        if not all(hasattr(part, "n_features") for part in self.grams):
            raise ValueError(
                f"curvature must be an array of shape (p, p), a Gram, or a sequence of them; got {curvature!r}"
            )
        given = [("curvature", part) for part in parts if isinstance(part, np.ndarray)]
        for name, array in (("centre", self.centre), *given):
            require_all_finite(name, array)
        if len(self.grams) not in (1, shape[0]) or any(g.n_features != shape[1] for g in self.grams):
            raise ValueError(
                f"curvature must have {shape[1]} features and come once, or once for each of the "
                f"{shape[0]} outputs of centre; got {[g.n_features for g in self.grams]} features"
            )
        self.mean: Floats = spread_to(0.0 if mean is None else mean, shape, "mean")
        self.gradient: Floats = spread_to(0.0 if gradient is None else gradient, shape, "gradient")
        self.penalty: Floats = spread_to(penalty, shape, "penalty")
        self.free: Mask = (self.centre != 0) if free is None else spread_to(free, shape, "free").astype(bool)
        self.null_loss: Floats = np.broadcast_to(np.asarray(null_loss, dtype=np.float64), shape[:1])
        self.base_loss: Floats | None = (
            None if base_loss is None else np.broadcast_to(np.asarray(base_loss, dtype=np.float64), shape[:1])
        )
        self.n_samples = n_samples
        self.known_dispersion = known_dispersion
        self.penalty_slope: Floats = spread_to(penalty_slope, shape, "penalty_slope")
        self.base_penalty: Floats = (
            self.penalties(self.centre)
            if base_penalty is None
            else np.broadcast_to(np.asarray(base_penalty, dtype=np.float64), shape[:1])
        )
        self.loss_at_centre: Floats = np.broadcast_to(np.asarray(loss_at_centre, dtype=np.float64), shape[:1])
        self.level: Floats | None = (
            None if level is None else np.broadcast_to(np.asarray(level, dtype=np.float64), shape[:1])
        )
        self.signs: Floats = spread_to(signs, shape, "signs")
        self.hold = hold

    @classmethod
    def from_blocks(
        cls,
        blocks: Iterable[Block],
        *,
        alpha: float = 0.0,
        fit_intercept: bool = True,
        coef: ArrayLike | None = None,
        intercept: ArrayLike = 0.0,
        null_loss: ArrayLike | None = None,
        base_loss: ArrayLike | None = None,
        n_samples: float | None = None,
    ) -> QuadraticModel:
        """Return the model of rows that do not fit into memory, or of a model that was trained elsewhere.

        Parameters
        ----------
        blocks : iterable of (X, y) or (X, y, sample_weight)
            Rows in blocks of any size, looked at once; y may be None where `coef` is given.
        alpha : float, default=0.0
            L2 penalty, as in Ridge; only where the weights are fitted here.
        fit_intercept : bool, default=True
            Whether there is an intercept.
        coef : array-like of shape (m, p) or (p,), default=None
            Weights of a model trained elsewhere: the loss is then the mean squared change of its linear predictor.
            For a generalised linear model multiply sample_weight by the curvature (mu (1 - mu) for a logistic one,
            mu for Poisson) and give the three numbers below, so that it is the change of its deviance in shares of the
            null deviance. None: the weights are fitted here by least squares.
        intercept : array-like of shape (m,), default=0.0
            Intercept that goes with `coef`.
        null_loss, base_loss : array-like of shape (m,), default=None
            With `coef`: mean deviance of the best constant and of the model on the rows. Losses are shares of the first
            (None: the variance of the linear predictor), and the criterion needs the second.
        n_samples : float, default=None
            With `coef`: the sum of the sample weights without curvature. None: the sum of those in the blocks.

        Returns
        -------
        model : QuadraticModel
            With `level`, so that `best_intercept` is known.

        Raises
        ------
        ValueError
            If there is no block, one is wrong (named by its number, from 0), y is missing where weights are fitted, or
            a loss or number of rows is given where they are.
        MemoryError
            If p x p matrices do not fit.

        See Also
        --------
        skcompress.core.moments : How blocks are merged.
        """
        moments = Moments.of_blocks(blocks)
        known = {"null_loss": null_loss, "base_loss": base_loss, "n_samples": n_samples}
        given = {name: value for name, value in known.items() if value is not None}
        for name, value in given.items():
            if coef is None:
                raise ValueError(
                    f"{name}={value!r} goes with coef: without it the weights and their loss are found here"
                )
            if not (np.isfinite(value) & (np.asarray(value) > 0)).all():
                raise ValueError(f"{name} must be positive and finite, got {value!r}")
        if coef is None:
            return cls(**least_squares(moments, alpha=alpha, fit_intercept=fit_intercept))
        return cls(**{**fidelity(moments, coef, intercept, fit_intercept=fit_intercept, total=n_samples), **given})

    @property
    def loss_unit(self) -> Floats:
        """What divides each output's loss so that the sum over outputs is the loss; shape (m,)."""
        return np.where(self.null_loss > 0, self.null_loss, 1.0) * self.n_outputs

    @property
    def centre_loss(self) -> float:
        """The loss of the centre in units of the null loss, averaged over outputs."""
        return float((self.loss_at_centre / self.loss_unit).sum())

    def moment(self) -> Floats:
        """Return c = H w0 - g/2, shape (m, p): half the gain per unit of weight when starting from zero."""
        return self.dot(self.centre) - self.gradient / 2

    def output_losses(self, weights: Floats) -> Floats:
        """Return the quadratic's loss of each output in the units of F, shape (m,)."""
        change = np.atleast_2d(weights) - self.centre
        curved = np.einsum("ij,ij->i", self.dot(change), change)
        sloped = np.einsum("ij,ij->i", self.gradient, change)
        losses: Floats = self.loss_at_centre + curved + sloped
        return losses

    def loss(self, weights: Floats) -> float:
        """Return the loss of these weights in units of the null loss, averaged over outputs."""
        return float((self.output_losses(weights) / self.loss_unit).sum())

    def penalties(self, weights: Floats) -> Floats:
        """Return what of F is penalty with these weights, for each output, shape (m,)."""
        penalties: Floats = np.einsum("mp,mp->m", self.penalty * weights + self.penalty_slope, weights)
        return penalties

    def best_intercept(self, weights: Floats) -> Floats:
        """Return the intercept that goes with these weights, shape (m,).

        Raises
        ------
        ValueError
            If the model knows no `level`.
        """
        if self.level is None:
            raise ValueError("the model knows no intercept: build it with level=intercept + centre @ mean")
        intercept: Floats = self.level - np.einsum("mp,mp->m", np.atleast_2d(weights), self.mean)
        return intercept

    def output(self, output: int) -> QuadraticModel:
        """Return the model of one output alone. Its unit is the null loss of that output."""
        names = ("centre", "mean", "gradient", "penalty", "penalty_slope", "base_penalty", "free", "null_loss")
        parts = {name: getattr(self, name) for name in (*names, "base_loss", "loss_at_centre", "level", "signs")}
        one = {name: None if part is None else part[output : output + 1] for name, part in parts.items()}
        return self._with(grams=(self.gram_at(output),), **one)

    def restrict(self, support: Mask, first: Mask | None = None) -> QuadraticModel:
        """Return the same quadratic on fewer weights, re-centred on their optimum.

        On vectors that are zero off the free weights both models agree; the new `loss_at_centre` is the loss of the new
        centre. A dependent column inside the support gets weight zero; a weight that its sign holds at zero is no
        longer free.

        Parameters
        ----------
        support : ndarray of shape (m, p), dtype=bool
            Weights that stay free; must be free already.
        first : ndarray of shape (p,), dtype=bool, default=None
            Columns preferred as independent ones.
        """
        support = np.broadcast_to(support, self.centre.shape) & self.free
        inside = np.where(support, self.centre, 0.0)
        # What the removed weights and the gradient leave to be made up for: H (w0 - inside) - g/2.
        debt = self.dot(self.centre - inside) - self.gradient / 2
        centre = inside.copy()
        free = support.copy()
        model = self.with_free(support)
        for outputs, columns in model.systems():
            owed = debt[np.ix_(outputs, columns)]
            if not len(columns) or not (owed.any() or self._violated(centre).any()):
                continue
            preferred = None if first is None else first[columns]
            block = self.block(columns, outputs[0])
            centre[np.ix_(outputs, columns)] += solve_psd(block, owed.T, preferred).T
            for place in np.flatnonzero(self._violated(centre)[outputs].any(axis=1)):
                output = outputs[place]
                right = block @ inside[output, columns] + owed[place]
                signs = self.signs[output, columns]
                centre[output, columns] = solve_signed(block, right, signs, preferred)
                free[output, columns] &= (signs == 0) | (centre[output, columns] != 0)
        loss_at_centre = self.output_losses(centre)
        return self._with(centre=centre, gradient=np.zeros_like(centre), free=free, loss_at_centre=loss_at_centre)

    def with_free(self, free: Mask) -> QuadraticModel:
        """Return the same quadratic with other weights free; the centre stays."""
        return self._with(free=np.broadcast_to(free, self.centre.shape))

    def with_signs(self, signs: ArrayLike) -> QuadraticModel:
        """Return the same quadratic with these signs beside those that it has, (p,) or (m, p) of -1, 0 and 1.

        Raises
        ------
        ValueError
            If a sign is another number, the shape does not fit, or a weight would have both signs.
        """
        asked = spread_to(signs, self.centre.shape, "signs")
        if not np.isin(asked, (-1, 0, 1)).all():
            wrong = asked[~np.isin(asked, (-1, 0, 1))][0]
            raise ValueError(f"signs must be -1 (not positive), 0 (any sign) or 1 (not negative), got {wrong:g}")
        if (asked * self.signs < 0).any():
            column = int(np.flatnonzero((asked * self.signs < 0).any(axis=0))[0])
            raise ValueError(f"signs ask for the other sign of column {column} than the model has already")
        return self._with(signs=np.where(asked != 0, asked, self.signs))

    def recentred(self, centre: Floats, free: Mask | None = None) -> QuadraticModel:
        """Return a model with the same curvature whose minimum is `centre` and whose loss there is zero."""
        centre = np.atleast_2d(np.asarray(centre, dtype=np.float64))
        return self._with(
            centre=centre,
            gradient=np.zeros_like(centre),
            free=(centre != 0) if free is None else free,
            loss_at_centre=np.zeros(self.n_outputs),
        )

    def holding(self, centre: Floats, free: Mask, penalty: Floats) -> QuadraticModel:
        """Return the model around another centre of the same loss, with a penalty (m, p) on leaving it."""
        return self._with(centre=centre, free=free, penalty=self.penalty + penalty)

    def _violated(self, weights: Floats) -> Mask:
        """Return which weights have a sign that they may not have, shape (m, p)."""
        return self.signs * weights < 0

    def _with(self, **changes: Any) -> QuadraticModel:
        other = copy.copy(self)
        for name, value in changes.items():
            setattr(other, name, value)
        return other

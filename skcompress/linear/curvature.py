"""CURVATURES: which loss and which penalty a fitted linear model has minimised.

Each entry turns a fitted leaf into a `Fit` on the scale where squared loss is the mean squared error. A class
that is not in the table, nor any class that it derives from, was not fitted to the minimum of a loss with
curvature (Quantile, LinearSVR, SGD, TheilSen, PLS, OMP, Lars, ...): it is treated in *fidelity* mode, where the
loss is the mean squared change of its own linear predictor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import linear_model as lm

from ..core.linalg import Floats
from .losses import Deviance, Huber, Logistic, Softmax, Squared, Tweedie


def _as_it_is(y: Floats) -> Floats:
    return y


def _plus_minus(y: Floats) -> Floats:
    return 2 * y - 1


@dataclass(frozen=True)
class Fit:
    """The loss that a leaf has minimised.

    Attributes
    ----------
    deviance : Deviance
        The unit deviance.
    l2 : float or ndarray of shape (m, p) or (p,) or (m, 1)
        Weight of the squared L2 penalty, the diagonal of P.
    l1 : float or ndarray of shape (m, p)
        Weight of the L1 penalty.
    target : callable
        What the numeric target, 0 and 1 for a classifier, becomes before it is compared with the linear predictor.
    level_penalized : bool
        Whether the leaf has penalised its intercept too, so that its weights do not minimise this loss on y.
    """

    deviance: Deviance
    l2: Any = 0.0
    l1: Any = 0.0
    target: Callable[[Floats], Floats] = _as_it_is
    level_penalized: bool = False


def _plain(leaf: Any, total: float) -> Fit:
    return Fit(Squared())


def _ridge(leaf: Any, total: float) -> Fit:
    alpha: ArrayLike = leaf.alpha_ if hasattr(leaf, "alpha_") else leaf.alpha
    return Fit(Squared(), l2=np.asarray(alpha, dtype=np.float64).reshape(-1, 1) / total)


def _elastic_net(leaf: Any, total: float) -> Fit:
    alpha = leaf.alpha_ if hasattr(leaf, "alpha_") else leaf.alpha
    ratio = leaf.l1_ratio_ if hasattr(leaf, "l1_ratio_") else getattr(leaf, "l1_ratio", 1.0)
    return Fit(Squared(), l2=alpha * (1 - ratio), l1=2 * alpha * ratio)


def _multi_task(leaf: Any, total: float) -> Fit:
    # The norm of a feature's weights over the tasks, linear along the directions that the fit has chosen.
    fit = _elastic_net(leaf, total)
    weights: Floats = np.abs(leaf.coef_)
    norms = np.linalg.norm(weights, axis=0)
    return Fit(fit.deviance, l2=fit.l2, l1=fit.l1 * weights / np.where(norms > 0, norms, 1.0))


def _lasso_lars(leaf: Any, total: float) -> Fit:
    return Fit(Squared(), l1=2 * (leaf.alpha_ if hasattr(leaf, "alpha_") else leaf.alpha))


def _bayesian(leaf: Any, total: float) -> Fit:
    return Fit(Squared(), l2=np.asarray(leaf.lambda_) / leaf.alpha_ / total)


def _huber(leaf: Any, total: float) -> Fit:
    return Fit(Huber(leaf.epsilon * leaf.scale_), l2=leaf.alpha * leaf.scale_ / total)


def _glm(power: float) -> Callable[[Any, float], Fit]:
    return lambda leaf, total: Fit(Tweedie(power), l2=leaf.alpha)


def _tweedie(leaf: Any, total: float) -> Fit:
    log_link = leaf.power > 0 if leaf.link == "auto" else leaf.link == "log"
    return Fit(Tweedie(leaf.power, log_link=log_link), l2=leaf.alpha)


def _ridge_classifier(leaf: Any, total: float) -> Fit:
    return replace(_ridge(leaf, total), target=_plus_minus)


def _logistic(leaf: Any, total: float) -> Fit:
    one_against_rest = leaf.solver == "liblinear" or getattr(leaf, "multi_class", None) == "ovr"
    deviance: Deviance = Logistic() if len(leaf.classes_) == 2 or one_against_rest else Softmax()
    if leaf.penalty is None:
        return Fit(deviance)
    strength = np.asarray(leaf.C_ if hasattr(leaf, "C_") else leaf.C, dtype=np.float64).reshape(-1, 1)
    ratio, weight = _l1_share(leaf), 1 / (strength * total)
    l2, l1 = (1 - ratio) * weight, 2 * ratio * weight
    return Fit(deviance, l2=l2, l1=l1, level_penalized=leaf.solver == "liblinear" and leaf.fit_intercept)


def _l1_share(leaf: Any) -> Any:
    """Return the share of the L1 penalty, whether it is told by `penalty` (before scikit-learn 1.8) or `l1_ratio`."""
    if leaf.penalty == "l2":
        return 0.0
    if leaf.penalty == "l1":
        return 1.0
    ratio = np.asarray(getattr(leaf, "l1_ratio_", getattr(leaf, "l1_ratio", None)), dtype=np.float64).reshape(-1, 1)
    # None, for a leaf without an L1 share, has become NaN.
    return np.where(np.isnan(ratio), 0.0, ratio)


CURVATURES: dict[type, Callable[[Any, float], Fit]] = {
    lm.LinearRegression: _plain,
    lm.Ridge: _ridge,
    lm.RidgeCV: _ridge,
    lm.ElasticNet: _elastic_net,
    lm.ElasticNetCV: _elastic_net,
    lm.LassoCV: _elastic_net,
    lm.MultiTaskElasticNet: _multi_task,
    lm.MultiTaskElasticNetCV: _multi_task,
    lm.MultiTaskLassoCV: _multi_task,
    lm.LassoLars: _lasso_lars,
    lm.LassoLarsCV: _lasso_lars,
    lm.LassoLarsIC: _lasso_lars,
    lm.BayesianRidge: _bayesian,
    lm.ARDRegression: _bayesian,
    lm.HuberRegressor: _huber,
    lm.PoissonRegressor: _glm(1),
    lm.GammaRegressor: _glm(2),
    lm.TweedieRegressor: _tweedie,
    lm.RidgeClassifier: _ridge_classifier,
    lm.RidgeClassifierCV: _ridge_classifier,
    lm.LogisticRegression: _logistic,
    lm.LogisticRegressionCV: _logistic,
}


def fit_of(leaf: Any, total: float) -> Fit | None:
    """Return what this fitted leaf has minimised, or None for fidelity mode.

    Parameters
    ----------
    leaf : estimator
        A fitted linear model.
    total : float
        The sum of the sample weights.
    """
    for kind in type(leaf).__mro__:
        if kind in CURVATURES:
            return CURVATURES[kind](leaf, total)
    return None

"""What a fitted linear model has minimised: its loss and penalty (table `CURVATURES`), its target and its row weights.

Each entry turns a fitted leaf into a `Fit` on the scale where squared loss is the mean squared error. A class
that is not in the table, nor any class that it derives from, was not fitted to the minimum of a loss with
curvature (Quantile, LinearSVR, SGD, TheilSen, PLS, OMP, Lars, ...): it is treated in *fidelity* mode, where the
loss is the mean squared change of its own linear predictor. A classifier's labels become the numbers that its loss
compares with the linear predictor, and its class_weight becomes weights of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn import linear_model as lm
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.utils import compute_class_weight, compute_sample_weight

from ..core.linalg import Floats
from .containers import Leaf
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


_BY_WEIGHT = (LogisticRegression, LinearSVC)
"""Classifiers that balance the weights of the classes; RidgeClassifier and SGDClassifier balance their rows."""

LEAST_EXPLAINED = 1e-6
"""Share of the labels' variance that counts as explained at least."""

_COUNTS_WEIGHTS = "sample_weight" in signature(compute_class_weight).parameters
"""Whether they do so in this release: from scikit-learn 1.7 on."""


def numeric_target(leaf: Leaf, n_outputs: int) -> Floats:
    """Return the target as numbers, shape (n, n_outputs): a classifier's labels as 0 and 1, one column a class.

    Two classes with one linear predictor give one column, 1 for the second class; several labels a row, given as an
    indicator matrix, are numbers already.
    """
    if not hasattr(leaf.estimator, "classes_"):
        y = np.asarray(leaf.y, dtype=np.float64)
        return y.reshape(len(y), -1)
    labels = leaf.y.toarray() if sp.issparse(leaf.y) else np.asarray(leaf.y)
    if labels.ndim == 2 and labels.shape[1] == n_outputs > 1:
        return np.asarray(labels, dtype=np.float64)
    indicator = (labels.reshape(-1, 1) == leaf.estimator.classes_).astype(np.float64)
    return indicator[:, 1:] if n_outputs == 1 else indicator


def unexplained(labels: Floats, predictor: Floats, row_weight: Floats) -> Floats:
    """Return the squared error of labels from the best line in a predictor t, in units of t, shape (m,).

    It is (1 - r^2) / r^2 var(t), with the correlation r of labels and t.

    Parameters
    ----------
    labels, predictor : ndarray of shape (n, m)
        Numbers of any scale.
    row_weight : ndarray of shape (n,)
        Weights of the rows, with the sum 1.
    """
    apart, moved = labels - row_weight @ labels, predictor - row_weight @ predictor
    variance = row_weight @ moved**2
    both = variance * (row_weight @ apart**2)
    explained = np.divide((row_weight @ (apart * moved)) ** 2, both, out=np.ones_like(both), where=both > 0)
    return (1 / np.maximum(explained, LEAST_EXPLAINED) - 1) * variance


def row_weights(leaf: Leaf, n_rows: int) -> Floats:
    """Return the weights of the rows with a classifier's own class_weight multiplied in, shape (n,)."""
    given: Any = np.ones(n_rows) if leaf.sample_weight is None else np.asarray(leaf.sample_weight, dtype=np.float64)
    if leaf.frozen:
        # No fit has looked at them.
        _check_weights(given, n_rows)
    weights = np.broadcast_to(given, n_rows)
    if hasattr(leaf.estimator, "classes_") and leaf.y is not None and not leaf.frozen:
        require_every_class(leaf.y, weights)
    if getattr(leaf.estimator, "class_weight", None) is None or leaf.y is None or leaf.frozen:
        return weights
    labels = np.asarray(leaf.y)
    if labels.ndim > 1 and labels.shape[1] > 1:
        return weights * compute_sample_weight(leaf.estimator.class_weight, labels)
    return weights * class_factors(leaf)[np.searchsorted(leaf.estimator.classes_, labels.reshape(-1))]


def class_factors(leaf: Leaf) -> Floats:
    """Return the factor that the classifier's own class_weight puts on each class of its labelled rows, shape (K,).

    "balanced" counts rows, or sums their weights where the classifier does so in its own fit.
    """
    classes: NDArray[Any] = leaf.estimator.classes_
    class_weight = getattr(leaf.estimator, "class_weight", None)
    if class_weight is None or leaf.frozen:
        return np.ones(len(classes))
    params: dict[str, Any] = {}
    if leaf.sample_weight is not None and _COUNTS_WEIGHTS and isinstance(leaf.estimator, _BY_WEIGHT):
        params["sample_weight"] = np.broadcast_to(np.asarray(leaf.sample_weight, dtype=np.float64), len(leaf.y))
    return compute_class_weight(class_weight, classes=classes, y=np.asarray(leaf.y).reshape(-1), **params)


def require_labels(labels: Any, classes: Sequence[Any]) -> None:
    """Raise ValueError if there is a label that is none of the classes."""
    known = set(classes)
    unknown = sorted({str(label) for label in np.asarray(labels).tolist() if label not in known})
    if unknown:
        raise ValueError(f"y has the labels {unknown[:5]}, which are none of the model's classes, {list(classes)}")


def _check_weights(weights: Floats, n_rows: int) -> None:
    if weights.shape not in ((), (n_rows,)):
        raise ValueError(f"sample_weight must have one entry for each of the {n_rows} rows, got shape {weights.shape}")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError("sample_weight must be finite and 0 or above, and above 0 on some row")


def require_every_class(labels: Any, sample_weight: Any) -> None:
    """Raise ValueError unless there are two classes, each with a row of positive weight.

    Labels that are not one a row, and weights of another shape, are others' business.
    """
    labels = np.empty((0, 0)) if sp.issparse(labels) else np.asarray(labels)
    if labels.ndim != 1:
        return
    classes = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(
            f"y has one class only, {classes.tolist()}: a classifier can't train when only one class is present"
        )
    weights = None if sample_weight is None else np.asarray(sample_weight)
    if weights is None or weights.shape != labels.shape:
        return
    left_out = np.setdiff1d(classes, labels[weights > 0])
    if len(left_out):
        raise ValueError(
            f"sample_weight is zero on every row of the class {left_out.tolist()[0]!r}: leave these rows out, or give "
            "one of them a positive weight"
        )

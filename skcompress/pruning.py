"""PrunedRegressor: delete the weights that cost least, and let the others make up for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._base import LinearCompressor, RegressorCompressor
from ._classifier import ClassifierCompressor
from .linear.pruning_step import PruneStep
from .linear.state import Attributes, State, options_of


class _Pruning(LinearCompressor):
    """The step that pruning regressors and classifiers share."""

    support_: NDArray[np.bool_]

    def __init__(
        self,
        estimator: Any = None,
        *,
        threshold: float | str | None = None,
        n_nonzero: float | None = None,
        max_loss: float | None = None,
        importance: Any = "obs",
        search: str = "auto",
        refit: str | None = "closed_form",
        feature_groups: Any = None,
        keep: Any = None,
        monotonic_cst: Any = None,
        n_restarts: int = 0,
        max_nodes: int | None = None,
        memory: Any = None,
        random_state: Any = None,
    ):
        self.estimator = estimator
        self.threshold = threshold
        self.n_nonzero = n_nonzero
        self.max_loss = max_loss
        self.importance = importance
        self.search = search
        self.refit = refit
        self.feature_groups = feature_groups
        self.keep = keep
        self.monotonic_cst = monotonic_cst
        self.n_restarts = n_restarts
        self.max_nodes = max_nodes
        self.memory = memory
        self.random_state = random_state

    def compression_step(self) -> PruneStep:
        """Return the step that this wrapper is in a nest."""
        return options_of(PruneStep, self)

    def _take(self, attributes: Attributes, own: State, last: State) -> None:
        super()._take(attributes, own, last)
        if last is not own:
            self.support_ = self.support_ & (np.asarray(self.coef_) != 0)


class PrunedRegressor(RegressorCompressor, _Pruning):
    """Fit a linear regressor and keep only the weights that matter.

    The loss around the fitted weights is quadratic, so that the cost of deleting any set of weights, with the others
    moved to their new optimum, is known without fitting again. The weights to keep are chosen by that cost, not by
    their size.

    Parameters
    ----------
    estimator : estimator, default=None
        A linear regressor, or a Pipeline, TransformedTargetRegressor, search, FrozenEstimator or wrapper around one.
        None: LinearRegression().
    threshold : float or str, default=None
        Units with a score above it are kept; "mean", "median" or "1.25*mean" of the scores: at or above. It bounds
        each unit's own cost, not the sum.
    n_nonzero : int or float, default=None
        int: units kept per output. float in (0, 1]: fraction of all weights, shared among the outputs where it costs
        least.
    max_loss : float, default=None
        The fewest units with a `loss_increase_` within it, which takes several searches where the loss is not quadratic
        or the estimator inside is compressed already; all that is left of that where its own loss is above. At most one
        of these three may be given; with none the extended BIC chooses the size, on the true deviance of the refitted
        weights.
    importance : {"obs", "obd", "l1", "l2"} or callable, default="obs"
        The score of a unit. "l1" and "l2": the norm of its weights, the textbook. "obd": w_j^2 H_jj. "obs":
        w_j^2 / [H^-1]_jj, the exact loss of deleting it. A callable gets the quadratic model and returns scores of the
        shape of its centre. "obd" and "obs" are in units of loss.
    search : {"auto", "one_shot", "backward", "swap", "exact"}, default="auto"
        "one_shot" scores once, at the weights before pruning. "backward" drops the lowest and scores again. "swap"
        starts forward and backward and then swaps units until no swap helps. "exact": branch and bound, which
        proves the support optimal or says by `optimality_gap_` how far it may be. "auto": "swap" for "obs", else
        "one_shot"; where the loss is not quadratic and units kept times units exceeds 32,768, it swaps from one
        linearisation to the next, where "swap" searches each from the start.
    refit : {"closed_form", "estimator", None}, default="closed_form"
        How the kept weights make up for the deleted ones: on the quadratic model, by fitting the base again on the kept
        features, or not at all (one_shot only).
    feature_groups : None, "feature", "input", labels, dict or callable, default=None
        None: single weights. "feature": a feature goes for all outputs. "input": all features that come from one raw
        input go together. Labels, one per feature; {label: features}; or a callable from names to labels.
    keep : list of str or int, default=None
        Features or raw inputs that are never pruned; those that the base has at zero already, or that a step before it
        has dropped, are warned of. After a refit of least squares, logistic regression or Poisson without penalty, the
        mean prediction on the segment of a kept 0/1 column equals the observed mean.
    monotonic_cst : array-like of {-1, 0, 1} or dict, default=None
        The sign that a feature's weight may have, for every output: 1 not negative, -1 not positive, 0 any. One entry
        for each feature of the linear model, or a dict from names of features or raw inputs to signs; a raw input
        stands for all features that are made of it. The signs hold in the search, the refit and every rounding by a
        wrapper around this one; a base that violates them is solved again under them. With more weights asked for
        than can be other than zero under the signs, there are as many as can. A base with positive=True brings its
        own signs. Not with refit="estimator".
    n_restarts : int or "auto", default=0
        Perturbed restarts of the swap search; they matter where there are more columns than rows. "auto": at most 100,
        until 20 in a row have found nothing better.
    max_nodes : int, default=None
        Nodes after which the exact search gives up the proof, keeps the best support found, and says by
        `optimality_gap_` what is left to prove. None: as many as take some ten seconds for a size, 100,000 at most; it
        depends on the number of features alone.
    memory : str or joblib.Memory, default=None
        Caches the fit of the base; refused where its random_state=None would make each fit another.
    random_state : int, RandomState or None, default=None
        For the restarts.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator with the pruned weights.
    coef_, intercept_ : ndarray, in the shapes of the linear model inside
        Pruned weights, and the intercept re-solved for them.
    base_coef_, base_intercept_ : ndarray
        The same before compression.
    support_ : ndarray of bool, in the shape of coef_
        Which weights are kept. Around a wrapper that quantizes, its grid may round some of them to zero; inside other
        wrappers, those that they leave other than zero.
    importances_ : ndarray, in the shape of coef_
        The score of each weight's unit before pruning.
    n_nonzero_ : int
        Number of weights that are not zero; at most ``support_.sum()``.
    path_ : sequence of (n_units, loss, support)
        The sizes that the search visited, on the quadratic model at the weights before pruning.
    loss_increase_ : float
        Loss gained on the training rows, in units of the null loss (for LinearRegression the R2 lost).
    prediction_change_ : float
        Root mean square change of the linear predictor on the training rows.
    steps_ : DataFrame
        A row for the base and for each step of the nest: ``step``, ``weights`` that are not zero, ``bits`` of each,
        ``loss_increase`` and ``prediction_change`` after it. What else a wrapper inside says is of the last weights.
    optimality_gap_ : float
        No support of this size can lose less, on the quadratic model at the weights before pruning, than the chosen
        one's loss there minus this. For several classes of a multinomial loss with a budget for each, nothing is
        proven, and it is the whole `loss_increase_`.
    compact_ : CompactLinear
        What ships, made when it is first asked for.
    n_features_in_ : int
        Number of input columns.
    input_range_ : ndarray of shape (2, n_features_in_), or None
        The least and the greatest value of each input in training; NaN for columns without numbers.
    feature_names_in_ : ndarray of str
        Names of the input columns, where X was a dataframe.

    See Also
    --------
    QuantizedRegressor : Puts the weights that are left on a grid of integers.

    References
    ----------
    Hassibi and Stork, "Second order derivatives for network pruning: Optimal Brain Surgeon" (1993).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skcompress import PrunedRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = PrunedRegressor(n_nonzero=4).fit(X, y)
    >>> model.feature_names_in_[model.support_].tolist()
    ['bmi', 'bp', 's1', 's5']
    >>> round(model.loss_increase_, 3)
    0.026
    """


class PrunedClassifier(ClassifierCompressor, _Pruning):
    """Fit a linear classifier and keep only the weights that matter.

    The weights to keep are chosen by what deleting them costs once the others are moved to their new optimum: on the
    deviance (twice the log loss) of LogisticRegression or the squared loss of RidgeClassifier; for classifiers whose
    loss has no curvature, such as LinearSVC, on the change of the decision function. An output is a class here (two
    classes are one output), and with feature_groups=None each class keeps its own weights. For a logistic base with an
    intercept, the intercept is solved again so that the mean probability of each class equals its share in the weighted
    rows.

    Parameters
    ----------
    estimator : estimator, default=None
        A linear classifier, or a Pipeline, search, FrozenEstimator or wrapper around one. None: LogisticRegression().
    threshold : float or str, default=None
        Units with a score above it are kept; "mean", "median" or "1.25*mean" of the scores: at or above. It bounds
        each unit's own cost, not the sum.
    n_nonzero : int or float, default=None
        int: units kept per output. float in (0, 1]: fraction of all weights, shared among the outputs where it costs
        least.
    max_loss : float, default=None
        The fewest units with a `loss_increase_` within it, which takes several searches where the loss is not quadratic
        or the estimator inside is compressed already; all that is left of that where its own loss is above. At most one
        of these three may be given; with none the extended BIC chooses the size, on the true deviance of the refitted
        weights.
    importance : {"obs", "obd", "l1", "l2"} or callable, default="obs"
        The score of a unit. "l1" and "l2": the norm of its weights, the textbook. "obd": w_j^2 H_jj. "obs":
        w_j^2 / [H^-1]_jj, the exact loss of deleting it. A callable gets the quadratic model and returns scores of the
        shape of its centre. "obd" and "obs" are in units of loss.
    search : {"auto", "one_shot", "backward", "swap", "exact"}, default="auto"
        "one_shot" scores once, at the weights before pruning. "backward" drops the lowest and scores again. "swap"
        starts forward and backward and then swaps units until no swap helps. "exact": branch and bound, which
        proves the support optimal or says by `optimality_gap_` how far it may be. "auto": "swap" for "obs", else
        "one_shot"; where the loss is not quadratic and units kept times units exceeds 32,768, it swaps from one
        linearisation to the next, where "swap" searches each from the start.
    refit : {"closed_form", "estimator", None}, default="closed_form"
        How the kept weights make up for the deleted ones: on the quadratic model, by fitting the base again on the kept
        features, or not at all (one_shot only).
    feature_groups : None, "feature", "input", labels, dict or callable, default=None
        None: single weights. "feature": a feature goes for all outputs. "input": all features that come from one raw
        input go together. Labels, one per feature; {label: features}; or a callable from names to labels.
    keep : list of str or int, default=None
        Features or raw inputs that are never pruned; those that the base has at zero already, or that a step before it
        has dropped, are warned of. After a refit of least squares, logistic regression or Poisson without penalty, the
        mean prediction on the segment of a kept 0/1 column equals the observed mean.
    monotonic_cst : array-like of {-1, 0, 1} or dict, default=None
        The sign that a feature's weight may have, for every output: 1 not negative, -1 not positive, 0 any. One entry
        for each feature of the linear model, or a dict from names of features or raw inputs to signs; a raw input
        stands for all features that are made of it. The signs hold in the search, the refit and every rounding by a
        wrapper around this one; a base that violates them is solved again under them. With more weights asked for
        than can be other than zero under the signs, there are as many as can. A base with positive=True brings its
        own signs. Not with refit="estimator".
    n_restarts : int or "auto", default=0
        Perturbed restarts of the swap search; they matter where there are more columns than rows. "auto": at most 100,
        until 20 in a row have found nothing better.
    max_nodes : int, default=None
        Nodes after which the exact search gives up the proof, keeps the best support found, and says by
        `optimality_gap_` what is left to prove. None: as many as take some ten seconds for a size, 100,000 at most; it
        depends on the number of features alone.
    memory : str or joblib.Memory, default=None
        Caches the fit of the base; refused where its random_state=None would make each fit another.
    random_state : int, RandomState or None, default=None
        For the restarts.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    estimator_ : estimator
        The fitted estimator with the pruned weights.
    coef_, intercept_ : ndarray, in the shapes of the linear model inside
        Pruned weights, and the intercept re-solved for them.
    base_coef_, base_intercept_ : ndarray
        The same before compression.
    support_ : ndarray of bool, in the shape of coef_
        Which weights are kept. Around a wrapper that quantizes, its grid may round some of them to zero; inside other
        wrappers, those that they leave other than zero.
    importances_ : ndarray, in the shape of coef_
        The score of each weight's unit before pruning.
    n_nonzero_ : int
        Number of weights that are not zero; at most ``support_.sum()``.
    path_ : sequence of (n_units, loss, support)
        The sizes that the search visited, on the quadratic model at the weights before pruning.
    loss_increase_ : float
        Loss gained on the training rows, in units of the null deviance.
    prediction_change_ : float
        Root mean square change of the linear predictor on the training rows.
    steps_ : DataFrame
        A row for the base and for each step of the nest: ``step``, ``weights`` that are not zero, ``bits`` of each,
        ``loss_increase`` and ``prediction_change`` after it. What else a wrapper inside says is of the last weights.
    optimality_gap_ : float
        No support of this size can lose less, on the quadratic model at the weights before pruning, than the chosen
        one's loss there minus this. For several classes of a multinomial loss with a budget for each, nothing is
        proven, and it is the whole `loss_increase_`.
    compact_ : CompactLinear
        What ships, made when it is first asked for.
    n_features_in_ : int
        Number of input columns.
    input_range_ : ndarray of shape (2, n_features_in_), or None
        The least and the greatest value of each input in training; NaN for columns without numbers.
    feature_names_in_ : ndarray of str
        Names of the input columns, where X was a dataframe.

    See Also
    --------
    QuantizedClassifier : Puts the weights that are left on a grid of integers.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skcompress import PrunedClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = PrunedClassifier(make_pipeline(StandardScaler(), LogisticRegression()), n_nonzero=5)
    >>> model = model.fit(X, y)
    >>> int(model.support_.sum()), bool(model.score(X, y) > 0.97)
    (5, True)
    """

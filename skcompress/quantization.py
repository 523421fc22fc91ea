"""QuantizedRegressor: put the weights on a grid of integers at the least cost in loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if

from ._base import LinearCompressor, RegressorCompressor
from ._classifier import ClassifierCompressor
from .linear.containers import find_leaf
from .linear.integer_inputs import leaf_input, reader_of
from .linear.integer_training import can_train, train
from .linear.nest import record_of
from .linear.quantizing_step import QuantizeStep, shown
from .linear.rows import input_range, widened
from .linear.state import Attributes, State, options_of
from .linear.view import like_coef, read

NOT_OF_THIS_FIT = ("input_scale_", "input_offset_", "n_saturated_", "_random_")
"""What an earlier fit or partial_fit may have left."""

_OF_THE_GRID = ("scale_", "zero_point_", "levels_")

_OF_THE_INPUTS = ("input_scale_", "input_offset_")


class _Quantizing(LinearCompressor):
    """The step that quantizing regressors and classifiers share."""

    def __init__(
        self,
        estimator: Any = None,
        *,
        bits: int = 8,
        grid: str = "symmetric",
        rounding: Any = "lattice",
        scale: str | float = "loss",
        granularity: str = "auto",
        input_bits: int | None = None,
        memory: Any = None,
        random_state: Any = None,
    ):
        self.estimator = estimator
        self.bits = bits
        self.grid = grid
        self.rounding = rounding
        self.scale = scale
        self.granularity = granularity
        self.input_bits = input_bits
        self.memory = memory
        self.random_state = random_state

    def compression_step(self) -> QuantizeStep:
        """Return the step that this wrapper is in a nest."""
        return options_of(QuantizeStep, self)

    def _forget(self) -> None:
        for name in NOT_OF_THIS_FIT:
            self.__dict__.pop(name, None)

    def _take(self, attributes: Attributes, own: State, last: State) -> None:
        super()._take(attributes, own, last)
        for name in (*_OF_THE_GRID, *_OF_THE_INPUTS):
            if (last.grid is not own.grid) if name in _OF_THE_GRID else (last.inputs is not own.inputs):
                self.__dict__.pop(name, None)

    def n_clipped_inputs(self, X: Any) -> NDArray[np.intp]:
        """Return how many values of each column lie beyond the codes of the inputs and are clipped.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Input of the estimator inside.

        Returns
        -------
        counts : ndarray of int, shape (p,)
            For each column that the linear model reads.

        Raises
        ------
        AttributeError
            If the model was fitted without `input_bits`.
        """
        self._require_fitted()
        reader = reader_of(self.estimator_)
        if reader is None:
            raise AttributeError(f"{type(self).__name__} clips no input: it was fitted with input_bits=None")
        return reader.n_clipped_inputs(leaf_input(self.estimator_, X))

    @property
    def codes_(self) -> NDArray[Any]:
        """The integers of the present weights, in the shape of coef_; a wrapper around this one may change them."""
        self._fitted("codes_")
        leaf, grid = find_leaf(self).estimator, self.state_.grid
        if grid is None or "scale_" not in self.__dict__:
            raise AttributeError(
                f"{type(self).__name__} has no codes_: a wrapper around it has put its weights on another grid"
            )
        return like_coef(leaf, grid.encode(read(leaf)[0]))

    def _train(self, X: Any, y: Any, sample_weight: Any, **given: Any) -> None:
        leaf, grid, trained = train(self, X, y, sample_weight, **given)
        self.input_range_ = widened(self.__dict__.get("input_range_"), input_range(X, sample_weight))
        state = replace(State.uncompressed(*read(leaf)), grid=grid, rounding=self.rounding)
        # The loss would be that of all rows so far, which are gone.
        steps = (
            record_of(type(leaf).__name__, trained, leaf, None, 0.0, 0.0),
            record_of(type(self).__name__, state.weights, leaf, grid, np.nan, np.nan),
        )
        self.state_ = replace(state, history=steps)
        self.__dict__.update(shown(grid, leaf))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata goes to the estimator inside.

        Returns
        -------
        routing : MetadataRouter
            Of fit, partial_fit and score.
        """
        mapping = MethodMapping()
        for method in ("fit", "partial_fit", "score"):
            mapping = mapping.add(caller=method, callee=method)
        return MetadataRouter(owner=self).add(estimator=self.inner_estimator(), method_mapping=mapping)


class QuantizedRegressor(RegressorCompressor, _Quantizing):
    """Fit a linear regressor and round its weights to integers times a scale.

    Rounding each weight to the nearest grid point ruins a model with correlated columns. Here the rounding errors
    are made to cancel: the weights are chosen on the grid to minimise the loss itself, an integer least squares
    problem, solved by the nearest-plane algorithm, a beam search and swap moves.

    Parameters
    ----------
    estimator : estimator, default=None
        A linear regressor, or a Pipeline, TransformedTargetRegressor, search, FrozenEstimator or wrapper around one.
        None: LinearRegression().
    bits : int, default=8
        Bits of a weight, 1 to 16.
    grid : {"symmetric", "affine", "fixed_point", "power_of_two", "codebook"}, default="symmetric"
        "symmetric": codes -q..q with q = 2^(bits-1) - 1. "affine": codes 0..2^bits - 1 over the range of the
        weights widened to contain zero, with an integer zero point. "fixed_point": symmetric with a power of two as
        scale. "power_of_two": 0 and plus or minus the scale times 2^-i. "codebook": up to 2^bits values of any kind.
    rounding : str or callable, default="lattice"
        "nearest" and "floor" are the textbook's; "gptq" rounds one weight after the other and lets the rest make up
        for it; "beam" keeps the best partial roundings; "descent" improves codes one by one and in pairs until none
        helps; "lattice" takes the best of these at about the cost of the base's fit; "joint" searches support, codes
        and scale together and takes longer; "exact" is optimal for the scales tried, for few weights; "stochastic" is
        unbiased. A callable gets the rounding problem and returns the values.
    scale : {"max", "mse", "loss"} or float, default="loss"
        How the step of the grid is found: from the largest weight, for the least error in the weights, for the
        least loss; or given.
    granularity : {"auto", "tensor", "output", "feature"}, default="auto"
        One scale in all, one per output, or the output's scale times a power of two per feature. "auto" takes
        "feature" when the columns' sqrt(H_jj) spread by more than 8x, else "output".
    input_bits : int, default=None
        Bits of an input, 2 to 16: X becomes integers too, on steps that span the training rows, and the prediction is
        one integer dot product and one scale for each output. Values beyond the training rows are clipped
        (`n_clipped_inputs` counts them). With integer grids, and granularity "auto", "output" or "tensor".
    memory : str or joblib.Memory, default=None
        Caches the fit of the base; refused where its random_state=None would make each fit another.
    random_state : int, RandomState or None, default=None
        For stochastic roundings.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator with the rounded weights.
    codes_ : ndarray of int, in the shape of coef_
        The integers, in the smallest dtype that holds them. Not inside a wrapper that has put the weights on another
        grid, nor `scale_`, `zero_point_` and `levels_` then.
    scale_ : float or ndarray that broadcasts to coef_
        What a step of the code is worth: ``coef_ == (codes_ - zero_point_) * scale_`` where `levels_` is None. float64:
        of a base fitted in float32, `coef_` is the product rounded to float32.
    zero_point_ : int or ndarray that broadcasts to coef_
        The code of zero; 0 for symmetric grids.
    levels_ : ndarray of shape (n_levels,) or (n_outputs, n_levels), or None
        The values of the codes 0, 1, ... in steps, for grids whose values are no integers ("codebook", and
        "power_of_two" from 2 bits on): ``coef_ == levels_[codes_] * scale_``. A codebook has a row for each output,
        unless granularity="tensor".
    input_scale_, input_offset_ : ndarray of shape (p,)
        With `input_bits`: one step of a column's code, and what code 0 stands for.
    coef_, intercept_ : ndarray, in the shapes of the linear model inside
        Rounded weights, and the intercept re-solved for them.
    base_coef_, base_intercept_ : ndarray
        The same before compression.
    loss_increase_ : float
        Loss gained on the training rows, in units of the null loss (for LinearRegression the R2 lost).
    prediction_change_ : float
        Root mean square change of the linear predictor on the training rows.
    n_nonzero_ : int
        Number of weights that are not zero, over all outputs.
    steps_ : DataFrame
        A row for the base and for each step of the nest: ``step``, ``weights`` that are not zero, ``bits`` of each,
        ``loss_increase`` and ``prediction_change`` after it. What else a wrapper inside says is of the last weights.
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
    PrunedRegressor : Deletes weights; ``QuantizedRegressor(PrunedRegressor(...))`` does both.

    References
    ----------
    Babai, "On Lovasz' lattice reduction and the nearest lattice point problem" (1986).
    Frantar et al., "GPTQ: accurate post-training quantization for generative pre-trained transformers" (2023).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skcompress import QuantizedRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = QuantizedRegressor(Ridge(alpha=0.01), bits=4).fit(X, y)
    >>> model.codes_.dtype
    dtype('int8')
    >>> bool(model.loss_increase_ < 0.01)
    True
    """

    @available_if(can_train)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train on one batch, with the weights on the grid between the calls.

        The codes are decoded, the base does its own partial_fit, and the weights are rounded at random, without bias
        (or by rounding="nearest" or "floor"). What is kept of a weight is worth its code and no more, though this
        object holds it as a float in `coef_`; `compact_` holds the code. Needs grid="fixed_point" and a number as
        scale.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            The batch.
        y : array-like of shape (n_samples,)
            Its target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        self : object
            Fitted; a later call goes on from `codes_`, `scale_` and the intercept. `n_saturated_` says how many
            weights this call clipped to the end of the grid.

        Raises
        ------
        ValueError
            If the base keeps float weights of its own (``average=True``), or a parameter is out of its range.
        """
        self._train(X, y, sample_weight)
        return self


class QuantizedClassifier(ClassifierCompressor, _Quantizing):
    """Fit a linear classifier and round its weights to integers times a scale.

    The weights are chosen on the grid to minimise the loss itself: the deviance of LogisticRegression or the squared
    loss of RidgeClassifier; for classifiers whose loss has no curvature, such as LinearSVC, the change of the decision
    function. An output is a class here; two classes are one output.

    Parameters
    ----------
    estimator : estimator, default=None
        A linear classifier, or a Pipeline, search, FrozenEstimator or wrapper around one. None: LogisticRegression().
    bits : int, default=8
        Bits of a weight, 1 to 16.
    grid : {"symmetric", "affine", "fixed_point", "power_of_two", "codebook"}, default="symmetric"
        "symmetric": codes -q..q with q = 2^(bits-1) - 1. "affine": codes 0..2^bits - 1 over the range of the
        weights widened to contain zero, with an integer zero point. "fixed_point": symmetric with a power of two as
        scale. "power_of_two": 0 and plus or minus the scale times 2^-i. "codebook": up to 2^bits values of any kind.
    rounding : str or callable, default="lattice"
        "nearest" and "floor" are the textbook's; "gptq" rounds one weight after the other and lets the rest make up
        for it; "beam" keeps the best partial roundings; "descent" improves codes one by one and in pairs until none
        helps; "lattice" takes the best of these at about the cost of the base's fit; "joint" searches support, codes
        and scale together and takes longer; "exact" is optimal for the scales tried, for few weights; "stochastic" is
        unbiased. A callable gets the rounding problem and returns the values.
    scale : {"max", "mse", "loss"} or float, default="loss"
        How the step of the grid is found: from the largest weight, for the least error in the weights, for the
        least loss; or given.
    granularity : {"auto", "tensor", "output", "feature"}, default="auto"
        One scale in all, one per output, or the output's scale times a power of two per feature. "auto" takes
        "feature" when the columns' sqrt(H_jj) spread by more than 8x, else "output".
    input_bits : int, default=None
        Bits of an input, 2 to 16: X becomes integers too, on steps that span the training rows, and the prediction is
        one integer dot product and one scale for each output. Values beyond the training rows are clipped
        (`n_clipped_inputs` counts them). With integer grids, and granularity "auto", "output" or "tensor".
    memory : str or joblib.Memory, default=None
        Caches the fit of the base; refused where its random_state=None would make each fit another.
    random_state : int, RandomState or None, default=None
        For stochastic roundings.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    estimator_ : estimator
        The fitted estimator with the rounded weights.
    codes_ : ndarray of int, in the shape of coef_
        The integers, in the smallest dtype that holds them. Not inside a wrapper that has put the weights on another
        grid, nor `scale_`, `zero_point_` and `levels_` then.
    scale_ : float or ndarray that broadcasts to coef_
        What a step of the code is worth: ``coef_ == (codes_ - zero_point_) * scale_`` where `levels_` is None. float64:
        of a base fitted in float32, `coef_` is the product rounded to float32.
    zero_point_ : int or ndarray that broadcasts to coef_
        The code of zero; 0 for symmetric grids.
    levels_ : ndarray of shape (n_levels,) or (n_outputs, n_levels), or None
        The values of the codes 0, 1, ... in steps, for grids whose values are no integers ("codebook", and
        "power_of_two" from 2 bits on): ``coef_ == levels_[codes_] * scale_``. A codebook has a row for each output,
        unless granularity="tensor".
    input_scale_, input_offset_ : ndarray of shape (p,)
        With `input_bits`: one step of a column's code, and what code 0 stands for.
    coef_, intercept_ : ndarray, in the shapes of the linear model inside
        Rounded weights, and the intercept re-solved for them.
    base_coef_, base_intercept_ : ndarray
        The same before compression.
    loss_increase_ : float
        Loss gained on the training rows, in units of the null deviance.
    prediction_change_ : float
        Root mean square change of the linear predictor on the training rows.
    n_nonzero_ : int
        Number of weights that are not zero, over all outputs.
    steps_ : DataFrame
        A row for the base and for each step of the nest: ``step``, ``weights`` that are not zero, ``bits`` of each,
        ``loss_increase`` and ``prediction_change`` after it. What else a wrapper inside says is of the last weights.
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
    PrunedClassifier : Deletes weights; ``QuantizedClassifier(PrunedClassifier(...))`` does both.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skcompress import QuantizedClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = QuantizedClassifier(make_pipeline(StandardScaler(), LogisticRegression()), bits=3)
    >>> model = model.fit(X, y)
    >>> int(abs(model.codes_).max()), bool(model.score(X, y) > 0.97)
    (3, True)
    """

    @available_if(can_train)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """Train on one batch, with the weights on the grid between the calls.

        The codes are decoded, the base does its own partial_fit, and the weights are rounded at random, without bias
        (or by rounding="nearest" or "floor"). What is kept of a weight is worth its code and no more, though this
        object holds it as a float in `coef_`; `compact_` holds the code. Needs grid="fixed_point" and a number as
        scale.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            The batch.
        y : array-like of shape (n_samples,)
            Its target.
        classes : array-like of shape (n_classes,), default=None
            All labels there will be; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        self : object
            Fitted; a later call goes on from `codes_`, `scale_` and the intercept. `n_saturated_` says how many
            weights this call clipped to the end of the grid.

        Raises
        ------
        ValueError
            If the base keeps float weights of its own (``average=True``), or a parameter is out of its range.
        """
        self._train(X, y, sample_weight, classes=classes)
        return self

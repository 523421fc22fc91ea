"""CompressedRegressorCV and CompressedClassifierCV: the smallest model within a tolerance of the best."""

from __future__ import annotations

from typing import ClassVar

from .._base import RegressorCompressor
from .._classifier import ClassifierCompressor
from ..pruning import PrunedClassifier, PrunedRegressor
from ..quantization import QuantizedClassifier, QuantizedRegressor
from .compressed_cv import CompressedCV


class CompressedRegressorCV(RegressorCompressor, CompressedCV):
    """Choose how far to prune and to quantize by cross-validation, at one fit of the base for each fold.

    On each fold the base is fitted once; all sizes and widths are then walked on the quadratic model of its loss and
    scored on the rows held out. The smallest model whose mean score is close enough to the best is fitted on all rows.

    Parameters
    ----------
    estimator : estimator, default=None
        A linear regressor, or a Pipeline or other container around one, or wrappers of this package around it, whose
        other options are kept: ``QuantizedRegressor(PrunedRegressor(Ridge(), keep=["term"]), rounding="gptq")``. A step
        that is missing is added. None: LinearRegression().
    n_nonzero : int, float or sequence of them, default=None
        Sizes to try. int: units kept per output; float in (0, 1]: fraction of all weights; a None among them is the
        unpruned model. None: all sizes up to 20 units, or 20 sizes evenly spaced on a logarithmic scale.
    bits : int, None or sequence of them, default=(None, 8, 6, 4, 3, 2)
        Bit widths to try, 1 to 16; None is the float model.
    size : {"bytes", "weights", "inputs"} or callable, default="bytes"
        What is to be small: bytes that ship, weights that are not zero, raw inputs read, or a callable of the fitted
        model. Sizes are those of the models fitted on all rows.
    tolerance : float or "1se", default="1se"
        How far below the best mean score a model may be, in units of the score; 0: the best one. "1se": one standard
        error of the best mean (ddof=1).
    max_bytes : int, default=None
        Models that take more are left out before anything is chosen.
    cv : int, splitter or iterable, default=None
        Folds, as GridSearchCV takes them. None: 5.
    scoring : str, callable or None, default=None
        One metric. None: the score of the estimator inside. scikit-learn's own metrics get `sample_weight`. Another
        callable gets each candidate as a fitted wrapper, which costs one prediction for each.
    n_jobs : int, default=None
        Folds at the same time.
    verbose : int, default=0
        1: one line for each fold. With scikit-learn 1.9 or later `set_callbacks` takes its ProgressBar too.
    memory : str or joblib.Memory, default=None
        Caches the fits of the base; refused where its random_state=None would make each fit another.
    random_state : int, RandomState or None, default=None
        For the steps that are added.

    Attributes
    ----------
    estimator_ : estimator
        The chosen model, fitted on all rows: the wrappers with the chosen size and width around the base.
    best_params_ : dict
        "n_nonzero" and "bits" of the chosen model.
    best_index_ : int
        Its place in `cv_results_`.
    best_score_ : float
        Its mean held-out score.
    cv_results_ : dict of ndarray
        One entry for each candidate, sizes first: "params", "param_n_nonzero", "param_bits", "split0_test_score", ...,
        "mean_test_score", "std_test_score" (ddof=0), "standard_error" (of the mean, ddof=1), "rank_test_score", "size",
        "weights", "inputs", "bytes". Bytes that were not needed are NaN.
    frontier_ : DataFrame
        The candidates than which none is smaller and as good, by rising size.
    support_frequency_ : ndarray, in the shape of coef_
        Share of the folds in which the chosen size and width keep each weight.
    n_splits_ : int
        Number of folds.
    scorer_ : callable
        The scorer.
    coef_, intercept_ : ndarray, in the shapes of the linear model inside
        Weights of the chosen model, and the intercept re-solved for them.
    base_coef_, base_intercept_ : ndarray
        The same before compression.
    loss_increase_ : float
        Loss gained on the training rows, in units of the null loss (for LinearRegression the R2 lost).
    prediction_change_ : float
        Root mean square change of the linear predictor on the training rows.
    steps_ : DataFrame
        A row for the base and for each step of the chosen model: ``step``, ``weights`` that are not zero, ``bits`` of
        each, ``loss_increase`` and ``prediction_change`` after it.
    input_range_ : ndarray of shape (2, n_features_in_), or None
        The least and the greatest value of each input in training; NaN for columns without numbers.
    n_nonzero_ : int
        Number of weights that are not zero, over all outputs.
    compact_ : CompactLinear
        What ships, made when it is first asked for.
    n_features_in_ : int
        Number of input columns.
    feature_names_in_ : ndarray of str
        Names of the input columns, where X was a dataframe.

    See Also
    --------
    CompressionPathDisplay : Draws the frontier.
    smallest_within : The same choice for GridSearchCV.

    Notes
    -----
    Held-out scores are weighted by `sample_weight`. Where a base with a loss other than squared is pruned, each
    candidate takes a few passes over the training rows.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skcompress import CompressedRegressorCV
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> search = CompressedRegressorCV().fit(X, y)
    >>> search.best_params_
    {'n_nonzero': 6, 'bits': 3}
    >>> search.feature_names_in_[search.coef_ != 0].tolist()
    ['sex', 'bmi', 'bp', 's1', 's2', 's5']
    """

    _kinds: ClassVar = {"n_nonzero": PrunedRegressor, "bits": QuantizedRegressor}


class CompressedClassifierCV(ClassifierCompressor, CompressedCV):
    """Choose how far to prune and to quantize a linear classifier by cross-validation.

    On each fold the base is fitted once; all sizes and widths are then walked on the quadratic model of its loss and
    scored on the rows held out. The smallest model whose mean score is close enough to the best is fitted on all rows,
    in PrunedClassifier and QuantizedClassifier. An output is a class here; two classes are one output.

    Parameters
    ----------
    estimator : estimator, default=None
        A linear classifier, or a Pipeline or wrappers of this package around one. None: LogisticRegression().
    n_nonzero : int, float or sequence of them, default=None
        Sizes to try. int: units kept per output; float in (0, 1]: fraction of all weights; a None among them is the
        unpruned model. None: all sizes up to 20 units, or 20 sizes evenly spaced on a logarithmic scale.
    bits : int, None or sequence of them, default=(None, 8, 6, 4, 3, 2)
        Bit widths to try, 1 to 16; None is the float model.
    size : {"bytes", "weights", "inputs"} or callable, default="bytes"
        What is to be small: bytes that ship, weights that are not zero, raw inputs read, or a callable of the fitted
        model. Sizes are those of the models fitted on all rows.
    tolerance : float or "1se", default="1se"
        How far below the best mean score a model may be, in units of the score; 0: the best one. "1se": one standard
        error of the best mean (ddof=1).
    max_bytes : int, default=None
        Models that take more are left out before anything is chosen.
    cv : int, splitter or iterable, default=None
        Folds, as GridSearchCV takes them; those of a number are stratified. None: 5.
    scoring : str, callable or None, default=None
        One metric. None: the score of the estimator inside. scikit-learn's own metrics get `sample_weight`. Another
        callable gets each candidate as a fitted wrapper, which costs one prediction for each.
    n_jobs : int, default=None
        Folds at the same time.
    verbose : int, default=0
        1: one line for each fold. With scikit-learn 1.9 or later `set_callbacks` takes its ProgressBar too.
    memory : str or joblib.Memory, default=None
        Caches the fits of the base; refused where its random_state=None would make each fit another.
    random_state : int, RandomState or None, default=None
        For the steps that are added.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    estimator_ : estimator
        The chosen model, fitted on all rows: the wrappers with the chosen size and width around the base.
    best_params_ : dict
        "n_nonzero" and "bits" of the chosen model.
    best_index_ : int
        Its place in `cv_results_`.
    best_score_ : float
        Its mean held-out score.
    cv_results_ : dict of ndarray
        One entry for each candidate, sizes first: "params", "param_n_nonzero", "param_bits", "split0_test_score", ...,
        "mean_test_score", "std_test_score" (ddof=0), "standard_error" (of the mean, ddof=1), "rank_test_score", "size",
        "weights", "inputs", "bytes". Bytes that were not needed are NaN.
    frontier_ : DataFrame
        The candidates than which none is smaller and as good, by rising size.
    support_frequency_ : ndarray, in the shape of coef_
        Share of the folds in which the chosen size and width keep each weight.
    n_splits_ : int
        Number of folds.
    scorer_ : callable
        The scorer.
    coef_, intercept_ : ndarray, in the shapes of the linear model inside
        Weights of the chosen model, and the intercept re-solved for them.
    base_coef_, base_intercept_ : ndarray
        The same before compression.
    loss_increase_ : float
        Loss gained on the training rows, in units of the null deviance.
    prediction_change_ : float
        Root mean square change of the linear predictor on the training rows.
    steps_ : DataFrame
        A row for the base and for each step of the chosen model: ``step``, ``weights`` that are not zero, ``bits`` of
        each, ``loss_increase`` and ``prediction_change`` after it.
    input_range_ : ndarray of shape (2, n_features_in_), or None
        The least and the greatest value of each input in training; NaN for columns without numbers.
    n_nonzero_ : int
        Number of weights that are not zero, over all outputs.
    compact_ : CompactLinear
        What ships, made when it is first asked for.
    n_features_in_ : int
        Number of input columns.
    feature_names_in_ : ndarray of str
        Names of the input columns, where X was a dataframe.

    See Also
    --------
    CompressedRegressorCV : For regressors.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skcompress import CompressedClassifierCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> base = make_pipeline(StandardScaler(), LogisticRegression())
    >>> search = CompressedClassifierCV(base, n_nonzero=[2, 4, 8], bits=[None, 4], size="weights", cv=3)
    >>> search = search.set_params(scoring="roc_auc").fit(X, y)
    >>> bool(search.best_score_ > 0.98), search.best_params_["n_nonzero"]
    (True, 4)
    """

    _kinds: ClassVar = {"n_nonzero": PrunedClassifier, "bits": QuantizedClassifier}

"""DistilledRegressor and DistilledClassifier: let a strong model teach a linear one, where that helps."""

from __future__ import annotations

from typing import Any

from sklearn.base import ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter

from ._base import LinearCompressor, RegressorCompressor
from ._classifier import ClassifierCompressor
from .linear.distil_step import DistilStep
from .linear.state import options_of


class Distilling(LinearCompressor):
    """The flow that distilled regressors and classifiers share."""

    distils = True
    own_params = ("X_unlabeled",)

    def __init__(
        self,
        estimator: Any = None,
        *,
        teacher: Any = None,
        alpha: float | str = "auto",
        debias: bool = True,
        cv: Any = 5,
        representation: Any = None,
        n_components: int | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
    ):
        self.estimator = estimator
        self.teacher = teacher
        self.alpha = alpha
        self.debias = debias
        self.cv = cv
        self.representation = representation
        self.n_components = n_components
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, X_unlabeled: Any = None, **fit_params: Any) -> Any:
        """Fit the teacher and the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            What both the student and the teacher accept; either may be a Pipeline that takes its own columns of it.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, for the student and the teacher.
        X_unlabeled : {array-like, sparse matrix, dataframe} of shape (n_unlabeled, n_features), default=None
            Rows without a target; four times as many as labelled ones are about enough. A search such as
            GridSearchCV cuts whatever has as many rows as X along with X: exactly as many give a warning.
        **fit_params
            Passed to the fit of the student.

        Returns
        -------
        self : object
            The fitted wrapper.
        """
        if X_unlabeled is not None:
            fit_params["X_unlabeled"] = X_unlabeled
        return super().fit(X, y, sample_weight, **fit_params)

    def compression_step(self) -> DistilStep:
        """Return the step that this wrapper is in a nest."""
        return options_of(DistilStep, self, owner=type(self).__name__, classifier=isinstance(self, ClassifierMixin))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata is used here and which goes to the student.

        Returns
        -------
        routing : MetadataRouter
            Of fit and score.
        """
        return super().get_metadata_routing().add_self_request(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.teacher is None:
            tags.input_tags.sparse = False
        elif hasattr(self.teacher, "__sklearn_tags__"):
            teacher = get_tags(self.teacher).input_tags
            tags.input_tags.sparse &= teacher.sparse
            tags.input_tags.allow_nan &= teacher.allow_nan
        return tags


class DistilledRegressor(RegressorCompressor, Distilling):
    """Fit a linear student on the target and on the answers of a stronger teacher.

    The student's weights are ``(1 - alpha) w_y + alpha w_T``: w_y is fitted on y, w_T on the teacher's answers. With
    labelled rows alone this gains nothing; with few labels and many unlabelled rows it can gain much, and
    ``alpha="auto"`` keeps to w_y unless cross-validation says otherwise.

    Parameters
    ----------
    estimator : estimator, default=None
        The student: a linear regressor, one of the wrappers of this package, or a Pipeline ending in one. Distilling
        acts on the innermost estimator, transformers included; the wrappers then prune and quantize the distilled
        weights. A TransformedTargetRegressor, RANSACRegressor, search or FrozenEstimator may be inside, but not around
        a wrapper, whose work would be lost. None: LinearRegression().
    teacher : estimator, default=None
        Any regressor, or a FrozenEstimator that holds a fitted one. None: HistGradientBoostingRegressor().
    alpha : float or "auto", default="auto"
        Share of the teacher, in [0, 1]. "auto": the best of 0, 0.25, 0.5, 0.75 and 1 by nested cross-validation; 0
        unless the gain over 0 passes its standard error, or there are unlabelled rows and the teacher's out-of-fold
        answers are better than the student. With K folds it takes K (K - 1) / 2 more fits of the teacher.
    debias : bool, default=True
        With unlabelled rows, correct w_T by what the labelled rows say against the teacher's out-of-fold answers, so
        that its bias is taken out: a ridge on their residuals. Its penalty is chosen together with alpha, or by
        generalised cross-validation where alpha is given.
    cv : int, splitter, iterable or "in_sample", default=5
        Folds of the teacher's out-of-fold answers for the labelled rows; "in_sample": the answers of a teacher that has
        seen them.
    representation : {"leaves", "stages", "hidden"}, transformer or callable, default=None
        What the student learns in place of the answer: the leaves of a forest, the predictions after each stage of a
        boosted teacher, the last hidden layer of a multi-layer perceptron, what a transformer gives, or what
        ``callable(teacher, X)`` returns. A linear decoder, fitted on the labelled rows, maps the code to y, and both
        are folded into one linear model. It seldom gains over the answer.
    n_components : int, default=None
        Numbers of the code of the representation. None: 8, or as many as the representation has.
    n_jobs : int, default=None
        Teachers fitted at the same time.
    random_state : int, RandomState or None, default=None
        For the default teacher and the code of a representation.

    Attributes
    ----------
    estimator_ : estimator
        The fitted student.
    teacher_ : estimator
        The teacher, fitted on all labelled rows.
    alpha_ : float
        Share of the teacher.
    coef_, intercept_ : ndarray, in the shapes of the linear model inside
        Weights of the student.
    base_coef_, base_intercept_ : ndarray
        The distilled weights before the student's own pruning and quantizing.
    loss_increase_, prediction_change_ : float
        What the student's own pruning and quantizing have cost against the distilled weights.
    steps_ : DataFrame
        A row for the base and for each step of the nest: ``step``, ``weights`` that are not zero, ``bits`` of each,
        ``loss_increase`` and ``prediction_change`` after it. What else a wrapper inside says is of the last weights.
    n_nonzero_ : int
        Number of weights that are not zero, over all outputs.
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
    DistilledClassifier : The same for classifiers.

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015).
    Angelopoulos et al., "Prediction-powered inference", Science 382 (2023).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import ExtraTreesRegressor
    >>> from sklearn.linear_model import Ridge
    >>> from skcompress import DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> teacher = ExtraTreesRegressor(n_estimators=20, random_state=0)
    >>> model = DistilledRegressor(Ridge(0.1), teacher=teacher, alpha=0.5, cv=3)
    >>> model = model.fit(X[:200], y[:200], X_unlabeled=X[200:])
    >>> bool(model.score(X[200:], y[200:]) > 0.4)
    True
    """


class DistilledClassifier(ClassifierCompressor, Distilling):
    """Fit a linear classifier on the labels and on the probabilities of a stronger teacher.

    On the log-odds scale the student's weights are ``(1 - alpha) w_y + alpha w_T``: w_y is fitted on the labels, w_T on
    the teacher's probabilities, with each row repeated once a class and the probability as its weight. With few labels
    and many unlabelled rows this can gain much; ``alpha="auto"`` keeps to w_y unless cross-validation says otherwise.

    Parameters
    ----------
    estimator : estimator, default=None
        The student: a linear classifier whose fit takes sample_weight, one of the wrappers of this package, or a
        Pipeline ending in one. A penalty chosen by cross-validation is chosen on the labels. None:
        LogisticRegression().
    teacher : estimator, default=None
        Any classifier with predict_proba, or a FrozenEstimator that holds a fitted one. None:
        HistGradientBoostingClassifier().
    alpha : float or "auto", default="auto"
        Share of the teacher, in [0, 1]. "auto": the best of 0, 0.25, 0.5, 0.75 and 1 by nested cross-validation, judged
        by the log loss, or the hinge loss where the student's has no curvature; 0 unless the gain over 0 passes its
        standard error, or there are unlabelled rows and the teacher's out-of-fold answers are better than the student.
        With K folds it takes K (K - 1) / 2 more fits of the teacher.
    debias : bool, default=True
        With unlabelled rows, correct w_T by one Newton step on what the labels say against the teacher's out-of-fold
        probabilities. Students whose loss has no curvature are not corrected.
    temperature : float, default=1.0
        By which the teacher's log-odds are divided for the fit; the student's are multiplied by it again. Above 1 the
        student cares more for rows where the teacher is sure. Needs a student that predicts log-odds.
    cv : int, splitter, iterable or "in_sample", default=5
        Folds of the teacher's out-of-fold answers for the labelled rows, stratified if a number; "in_sample": the
        answers of a teacher that has seen them.
    representation : {"leaves", "stages", "hidden"}, transformer or callable, default=None
        What the student learns in place of the answer: the leaves of a forest, the predictions after each stage of a
        boosted teacher, the last hidden layer of a multi-layer perceptron, what a transformer gives, or what
        ``callable(teacher, X)`` returns. A linear decoder, fitted on the labelled rows, maps the code to y, and both
        are folded into one linear model. It seldom gains over the answer.
    n_components : int, default=None
        Numbers of the code of the representation. None: 8, or as many as the representation has.
    n_jobs : int, default=None
        Teachers fitted at the same time.
    random_state : int, RandomState or None, default=None
        For the default teacher and the code of a representation.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    estimator_ : estimator
        The fitted student.
    teacher_ : estimator
        The teacher, fitted on all labelled rows.
    alpha_ : float
        Share of the teacher.
    coef_, intercept_ : ndarray, in the shapes of the linear model inside
        Weights of the student.
    base_coef_, base_intercept_ : ndarray
        The distilled weights before the student's own pruning and quantizing.
    loss_increase_, prediction_change_ : float
        What the student's own pruning and quantizing have cost against the distilled weights.
    steps_ : DataFrame
        A row for the base and for each step of the nest: ``step``, ``weights`` that are not zero, ``bits`` of each,
        ``loss_increase`` and ``prediction_change`` after it. What else a wrapper inside says is of the last weights.
    n_nonzero_ : int
        Number of weights that are not zero, over all outputs.
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
    DistilledRegressor : The same for regressors.

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import ExtraTreesClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skcompress import DistilledClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> student = make_pipeline(StandardScaler(), LogisticRegression())
    >>> teacher = ExtraTreesClassifier(n_estimators=20, random_state=0)
    >>> model = DistilledClassifier(student, teacher=teacher, alpha=0.5, cv=3)
    >>> model = model.fit(X[:100], y[:100], X_unlabeled=X[100:])
    >>> bool(model.score(X[100:], y[100:]) > 0.9)
    True
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        teacher: Any = None,
        alpha: float | str = "auto",
        debias: bool = True,
        temperature: float = 1.0,
        cv: Any = 5,
        representation: Any = None,
        n_components: int | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
    ):
        super().__init__(
            estimator,
            teacher=teacher,
            alpha=alpha,
            debias=debias,
            cv=cv,
            representation=representation,
            n_components=n_components,
            n_jobs=n_jobs,
            random_state=random_state,
        )
        self.temperature = temperature

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        return tags

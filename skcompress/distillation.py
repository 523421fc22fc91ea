"""DistilledRegressor: let a strong model teach a linear one, where that helps."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter

from ._base import LinearCompressor, RegressorCompressor
from .linear.distil import choose, has_log_odds, held_out_errors, lines_of, write_line
from .linear.inside import BaseFit, fit_clone, fit_inside
from .linear.labels import require_every_class
from .linear.problem import LinearProblem
from .linear.representation import check_representation, encode
from .linear.routing import (
    fit_params_of,
    innermost,
    leaf_weight,
    require_estimator,
    require_random_state,
    weight_params,
    wrappers_of,
)
from .linear.rows import count_rows, take_rows
from .linear.state import State
from .linear.teaching import Lesson, School, default_teacher, teach
from .linear.view import find_leaf, is_wrapper, read, require_kind

ALPHAS = (0.25, 0.5, 0.75, 1.0)
"""Shares of the teacher that alpha="auto" compares with none."""

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 10_000.0)
"""Penalties of the correction by the labelled rows that alpha="auto" chooses from, in units of the rows' weight."""


class Distilling(LinearCompressor):
    """The flow that distilled regressors and classifiers share."""

    _own_target = True
    temperature: float = 1.0

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

    def _fit_problem(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        fit_params: dict[str, Any],
        base_fit: BaseFit | None = None,
    ) -> LinearProblem:
        student = self._inner()
        require_estimator(student, type(self).__name__)
        require_kind(innermost(student), type(self).__name__)
        self._check_parameters()
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        y = y if hasattr(y, "shape") else np.asarray(y)
        unlabeled = fit_params.pop("X_unlabeled", None)
        if unlabeled is not None and count_rows(unlabeled) == count_rows(X):
            warnings.warn(
                f"X_unlabeled has as many rows as X ({count_rows(X)}): a search or cross-validation that was given as "
                "many unlabelled as labelled rows has cut them along with X, and part of them is lost; pass at least "
                "one row more or less",
                UserWarning,
                stacklevel=3,
            )
        params = fit_params_of(self, student, sample_weight, fit_params)
        self.teacher_, lesson = teach(
            self._school(X, y, sample_weight, unlabeled), cv=self.cv, nested=self.alpha == "auto", n_jobs=self.n_jobs
        )
        fitted, problem, state = self._fit_student(student, X, y, params, lesson)
        self.estimator_ = fitted
        weights, intercept = read(problem.leaf.estimator)
        self._finish(problem, replace(state, weights=weights, intercept=intercept, leveled=True))
        return problem

    def _school(self, X: Any, y: Any, sample_weight: Any, unlabeled: Any) -> School:
        classes = np.unique(np.asarray(y)) if is_classifier(self) else None
        if classes is not None and np.ndim(y) == 2 and y.shape[1] > 1:
            raise ValueError(f"{type(self).__name__} takes one label for each row, got y of shape {y.shape}")
        if classes is not None:
            require_every_class(y, sample_weight)
        teacher = self.teacher
        if teacher is None:
            teacher = default_teacher(y, self.random_state, classifier=classes is not None)
        elif classes is not None and isinstance(teacher, FrozenEstimator):
            unknown = np.setdiff1d(classes, teacher.classes_)
            if len(unknown):
                raise ValueError(f"the frozen teacher does not know the classes {unknown.tolist()} of y")
        coder = None
        if self.representation is not None:
            coder = partial(encode, self.representation, self.n_components, random_state=self.random_state)
        return School(teacher, X, y, sample_weight, unlabeled, classes, coder)

    def _fit_student(
        self, student: Any, X: Any, y: Any, params: dict[str, Any], lesson: Lesson
    ) -> tuple[Any, LinearProblem, State]:
        """Fit the student; below a Pipeline's transformers where it ends in one of our wrappers."""
        if isinstance(student, Pipeline) and len(student) > 1 and is_wrapper(student[-1]):
            return self._fit_below(student, X, y, params, lesson)

        def distil(base: Any, X: Any, y: Any, base_params: dict[str, Any]) -> Any:
            fitted = fit_clone(base, X, y, base_params)
            self._check_temperature(fitted)
            weight = leaf_weight(base_params)
            self.alpha_, strength = self._chosen(base, X, y, weight, lesson)
            if self.alpha_ > 0:
                options = self.debias, self.temperature, (strength,)
                own, taught = lines_of(fitted, X, y, weight, lesson.answers, *options)
                write_line(fitted, own.blend(taught, self.alpha_))
            return fitted

        return fit_inside(student, X, y, params, BaseFit(distil, own_target=True))

    def _fit_below(
        self, student: Pipeline, X: Any, y: Any, params: dict[str, Any], lesson: Lesson
    ) -> tuple[Any, LinearProblem, State]:
        """Fit the transformers of a Pipeline, then the wrapper at its end on what they give."""
        name, wrapper = student.steps[-1]
        prefix = f"{name}__"
        head = clone(student[:-1])
        head_params = {key: value for key, value in params.items() if not key.startswith(prefix)}
        if sklearn.get_config()["enable_metadata_routing"]:
            head_params, last_params = {}, params
        else:
            last_params = {key.removeprefix(prefix): params[key] for key in params if key.startswith(prefix)}
        inside = head.fit_transform(X, y, **head_params)
        below = lesson.transformed(head.transform)
        last, problem, state = self._fit_student(wrapper, inside, y, last_params, below)
        problem.leaf = replace(problem.leaf, steps=(*(step for _, step in head.steps), *problem.leaf.steps))
        fitted = clone(student)
        fitted.steps = [*head.steps, (name, last)]
        return fitted, problem, state

    def _chosen(self, base: Any, X: Any, y: Any, sample_weight: Any, lesson: Lesson) -> tuple[float, float | None]:
        """Return the share of the teacher, and how strongly the correction of the teacher is shrunk."""
        if self.alpha != "auto":
            return float(self.alpha), None
        errors, weights = [], []
        for fold in lesson.folds:
            X_train, y_train, weight = (take_rows(data, fold.train) for data in (X, y, sample_weight))
            fitted = fit_clone(base, X_train, y_train, weight_params(base, weight))
            options = self.debias, self.temperature, STRENGTHS
            own, *taught = lines_of(fitted, X_train, y_train, weight, fold.answers, *options)
            lines = [own, *(own.blend(line, alpha) for line in taught for alpha in ALPHAS)]
            errors.append(held_out_errors(fitted, lines, take_rows(X, fold.test), take_rows(y, fold.test)))
            tested = take_rows(sample_weight, fold.test)
            weights.append(np.ones(len(fold.test)) if tested is None else np.asarray(tested, dtype=np.float64))
        row_weight = np.concatenate(weights)
        margin = 1.0 if lesson.answers.X_unlabeled is None else 0.0
        best = choose(np.vstack(errors), row_weight / row_weight.sum(), margin)
        if best == 0:
            return 0.0, None
        strength, alpha = divmod(best - 1, len(ALPHAS))
        return ALPHAS[alpha], STRENGTHS[strength]

    def _check_parameters(self) -> None:
        check_representation(self.representation, self.n_components)
        require_random_state(self.random_state)
        alpha, temperature = self.alpha, self.temperature
        if not _is_number(alpha, 0, 1) and not (isinstance(alpha, str) and alpha == "auto"):
            raise ValueError(f"alpha must be 'auto' or a number in [0, 1], got {alpha!r}")
        if not _is_number(temperature, 0, np.inf) or temperature == 0:
            raise ValueError(f"temperature must be a number above 0, got {temperature!r}")
        if isinstance(self.cv, str) and self.cv != "in_sample":
            raise ValueError(f"cv must be an int, a splitter, an iterable of splits or 'in_sample', got {self.cv!r}")
        kind, method = ("classifier", "predict_proba") if is_classifier(self) else ("regressor", "predict")
        if self.teacher is not None and not (hasattr(self.teacher, "fit") and hasattr(self.teacher, method)):
            raise ValueError(
                f"teacher must be a {kind} with fit and {method}, or a FrozenEstimator that holds a fitted one; "
                f"got {self.teacher!r}"
            )
        for wrapper in wrappers_of(self._inner()):
            if getattr(wrapper, "refit", None) == "estimator":
                raise ValueError(
                    f"refit='estimator' of the {type(wrapper).__name__} inside fits the base again on y, which would "
                    "undo the distillation: use refit='closed_form' or refit=None"
                )

    def _check_temperature(self, fitted: Any) -> None:
        leaf = find_leaf(fitted).estimator
        if self.temperature != 1 and not has_log_odds(leaf):
            raise ValueError(
                f"temperature={self.temperature!r} needs a student that predicts log-odds, such as LogisticRegression; "
                f"{type(leaf).__name__} does not: leave temperature=1.0"
            )

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


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and low <= float(value) <= high


class DistilledRegressor(RegressorCompressor, Distilling):
    """Fit a linear student on the target and on the answers of a stronger teacher.

    The student's weights are ``(1 - alpha) w_y + alpha w_T``: w_y is fitted on y, w_T on the teacher's answers. With
    labelled rows alone this gains nothing; with few labels and many unlabelled rows it can gain much, and
    ``alpha="auto"`` keeps to w_y unless cross-validation says otherwise.

    Parameters
    ----------
    estimator : estimator, default=None
        The student: a linear regressor, one of the wrappers of this package, or a Pipeline ending in one. Distilling
        acts on the innermost estimator; the wrappers then prune and quantize the distilled weights. None:
        LinearRegression().
    teacher : estimator, default=None
        Any regressor, or a FrozenEstimator that holds a fitted one. None: HistGradientBoostingRegressor().
    alpha : float or "auto", default="auto"
        Share of the teacher, in [0, 1]. "auto": the best of 0, 0.25, 0.5, 0.75 and 1 by nested cross-validation;
        without unlabelled rows, 0 unless the gain over 0 passes its standard error. With K folds it takes K (K - 1) / 2
        more fits of the teacher.
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

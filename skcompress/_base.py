"""The fit flow that all compressing wrappers share.

    check parameters -> route metadata -> fit the base (a copy; distilling overrides this) -> LinearProblem
    -> _compress (pruning and quantizing fill it) -> write the weights at the leaf -> probe that predict obeys

Predictions are the inner estimator's own, with other weights: links, classes and decision functions come for free.
Nested wrappers hand the problem and the state of the inner one on, so that the base is fitted, X is read and
the curvature is computed once.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._state import VersionedState
from .artifact import CompactLinear
from .linear.caching import base_fit_through
from .linear.columns import Columns
from .linear.fold import compact
from .linear.inside import BaseFit, fit_inside
from .linear.integer_inputs import reader_of
from .linear.problem import LinearProblem
from .linear.ranges import input_range
from .linear.routing import fit_params_of, innermost, require_estimator, weight_given
from .linear.state import State
from .linear.summary import with_summary
from .linear.view import find_leaf, like_coef, read, require_kind, write


class NotFoldableError(ValueError, AttributeError):
    """What `compact_` raises where the steps before the base cannot be folded.

    An AttributeError as well, as scikit-learn's NotFittedError is, so that hasattr, dir and the diagram in a notebook,
    which read all attributes, pass over it.
    """


class LinearCompressor(VersionedState, MetaEstimatorMixin):
    """Base of the wrappers, before scikit-learn's mixins: its `score` holds, and its tags see theirs."""

    estimator: Any
    _own_target = False

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, **fit_params: Any) -> Any:
        """Fit the estimator inside and compress its weights.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Whatever the estimator inside accepts.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Target. None only for a FrozenEstimator: the loss is then the mean squared change of its linear predictor.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, for the estimator inside and for the loss; for the loss alone where that is frozen.
        **fit_params
            Passed to the fit of the estimator inside, or routed to it where metadata routing is enabled.

        Returns
        -------
        self : object
            The fitted wrapper.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or the estimator inside takes no `sample_weight`.
        TypeError
            If the estimator inside has no weights that can be written.
        """
        self._fit_problem(X, y, sample_weight, fit_params)
        self.input_range_ = input_range(X, weight_given(sample_weight, fit_params))
        return self

    @abstractmethod
    def _fit_problem(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        fit_params: dict[str, Any],
        base_fit: BaseFit | None = None,
    ) -> LinearProblem:
        """Fit, and return the problem so that a wrapper around this one need not build it again."""

    @abstractmethod
    def _check_parameters(self) -> None:
        """Raise ValueError for parameters out of range, before anything is fitted."""

    def _finish(self, problem: LinearProblem, state: State) -> None:
        leaf = problem.leaf.estimator
        write(leaf, state.weights, state.intercept)
        self.state_ = state
        self.base_coef_ = like_coef(leaf, problem.weights.astype(leaf.coef_.dtype))
        self.base_intercept_ = self._like_intercept(problem.intercept.astype(leaf.coef_.dtype))
        reader, predictor = reader_of(self.estimator_), None
        if reader is not None:
            predictor = reader.of_codes(reader.inputs.codes(problem.X))
            if state.leveled:
                shift = problem.best_shift(predictor)
                write(leaf, state.weights, state.intercept + shift)
                predictor = predictor + shift
        self.loss_increase_, self.prediction_change_ = problem.assess(*read(leaf), predictor)

    def _require_target(self, inner: Any, y: Any) -> None:
        if y is None and not isinstance(innermost(inner), FrozenEstimator):
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None; only a FrozenEstimator, "
                "which is fitted already, can be compressed without it"
            )

    def _inner(self) -> Any:
        return LinearRegression() if self.estimator is None else self.estimator

    def _like_intercept(self, array: NDArray[Any]) -> Any:
        """Return an (m,) array in the shape of the leaf's intercept_."""
        shape = np.shape(self.intercept_)
        return array[0] if shape == () else array.reshape(shape)

    @property
    def coef_(self) -> NDArray[Any]:
        """Compressed weights in the shape of the leaf's coef_, float."""
        self._require_fitted()
        return find_leaf(self).estimator.coef_

    @property
    def intercept_(self) -> Any:
        """Intercept that goes with the compressed weights."""
        self._require_fitted()
        return find_leaf(self).estimator.intercept_

    @property
    def compact_(self) -> CompactLinear:
        """The model as it ships: inputs, terms and weights; built anew each time it is asked for."""
        self._require_fitted()
        try:
            return compact(self)
        except ValueError as error:
            raise NotFoldableError(str(error)) from error

    @property
    def n_features_in_(self) -> int:
        """Number of input columns of the wrapper."""
        return self._fitted("n_features_in_").n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Names of the input columns, where X was a dataframe."""
        return self._fitted("feature_names_in_").feature_names_in_

    def _require_fitted(self) -> None:
        # scikit-learn's check copies the tags of all that is inside, which takes as long as a small prediction.
        if "estimator_" not in self.__dict__:
            check_is_fitted(self)

    def _fitted(self, attribute: str) -> Any:
        try:
            return self.__dict__["estimator_"]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} is not fitted yet, so it has no {attribute}") from None

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict with the compressed weights.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Input of the estimator inside.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        """
        self._require_fitted()
        return self.estimator_.predict(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None, **score_params: Any) -> float:
        """Return the score of the estimator inside (R2, or D2 for a generalised linear model).

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Input of the estimator inside.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        **score_params
            Passed to the score of the estimator inside, or routed to it.

        Returns
        -------
        score : float
            The higher the better.
        """
        self._require_fitted()
        given = dict(score_params)
        if sample_weight is not None:
            given["sample_weight"] = sample_weight
        if given and sklearn.get_config()["enable_metadata_routing"]:
            given = dict(process_routing(self, "score", **given)["estimator"]["score"])
        return self.estimator_.score(X, y, **given)

    def _repr_html_inner(self) -> str:
        return with_summary(super()._repr_html_inner(), self)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] = with_summary(bundle["text/html"], self)
        return bundle

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata goes to the estimator inside.

        Returns
        -------
        routing : MetadataRouter
            Of fit and score.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit").add(caller="score", callee="score")
        return MetadataRouter(owner=self).add(estimator=self._inner(), method_mapping=mapping)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self._inner())
        tags.input_tags = copy.deepcopy(inner.input_tags)
        tags.target_tags = copy.deepcopy(inner.target_tags)
        tags.non_deterministic = inner.non_deterministic
        if tags.regressor_tags is not None and inner.regressor_tags is not None:
            tags.regressor_tags.poor_score = inner.regressor_tags.poor_score
        return tags


class WeightCompressor(LinearCompressor):
    """Base of the wrappers that prune or quantize."""

    memory: Any

    @abstractmethod
    def _compress(self, problem: LinearProblem, start: State, columns: Columns) -> State:
        """Return the compressed weights; set this wrapper's own fitted attributes."""

    def _fit_problem(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        fit_params: dict[str, Any],
        base_fit: BaseFit | None = None,
    ) -> LinearProblem:
        inner = self._inner()
        require_estimator(inner, type(self).__name__)
        require_kind(innermost(inner), type(self).__name__)
        self._check_parameters()
        self._require_target(inner, y)
        params = fit_params_of(self, inner, sample_weight, fit_params)
        if base_fit is None:
            base_fit = base_fit_through(self.memory)
        fitted, problem, start = fit_inside(inner, X, y, params, base_fit)
        state = self._compress(problem, start, Columns.of(fitted, problem.leaf, problem.weights.shape[1]))
        self.estimator_ = fitted
        self._finish(problem, state)
        return problem


class RegressorCompressor(LinearCompressor, RegressorMixin, BaseEstimator):
    """Base of the regressors' wrappers."""


def _inner_has(method: str) -> Callable[[Any], bool]:
    """Return a check that the estimator inside has a method, whose AttributeError goes through."""

    def check(self: Any) -> bool:
        getattr(self.__dict__.get("estimator_", self._inner()), method)
        return True

    return check


class ClassifierCompressor(LinearCompressor, ClassifierMixin, BaseEstimator):
    """Base of the classifiers' wrappers."""

    def _inner(self) -> Any:
        return LogisticRegression() if self.estimator is None else self.estimator

    @property
    def classes_(self) -> NDArray[Any]:
        """Class labels, shape (n_classes,)."""
        return self._fitted("classes_").classes_

    @available_if(_inner_has("decision_function"))
    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return the linear predictor of each class, or of the second class of two.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Input of the estimator inside.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            From the compressed weights.
        """
        self._require_fitted()
        return self.estimator_.decision_function(X)

    @available_if(_inner_has("predict_proba"))
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Input of the estimator inside.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            From the compressed weights.
        """
        self._require_fitted()
        return self.estimator_.predict_proba(X)

    @available_if(_inner_has("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Input of the estimator inside.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            From the compressed weights.
        """
        self._require_fitted()
        return self.estimator_.predict_log_proba(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self._inner())
        if tags.classifier_tags is not None and inner.classifier_tags is not None:
            tags.classifier_tags = copy.deepcopy(inner.classifier_tags)
        return tags

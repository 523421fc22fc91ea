"""ClassifierCompressor: what the wrappers of classifiers have beside those of regressors."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from ._base import LinearCompressor


def _inner_has(method: str) -> Callable[[Any], bool]:
    """Return a check that the estimator inside has a method, whose AttributeError goes through."""

    def check(self: Any) -> bool:
        getattr(self.__dict__.get("estimator_", self.inner_estimator()), method)
        return True

    return check


class ClassifierCompressor(LinearCompressor, ClassifierMixin, BaseEstimator):
    """Base of the classifiers' wrappers."""

    def inner_estimator(self) -> Any:
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
        inner = get_tags(self.inner_estimator())
        if tags.classifier_tags is not None and inner.classifier_tags is not None:
            tags.classifier_tags = copy.deepcopy(inner.classifier_tags)
        return tags

"""The fit flow that all compressing wrappers share.

    unroll the nest -> check all parameters -> route metadata -> fit the base (a copy) -> take the steps, from the
    inside out -> write the weights -> put the wrappers around the fitted base, each with what its step has said

Predictions are the inner estimator's own, with other weights: links, classes and decision functions come for free.
What a wrapper says of its weights is that of the last ones, which it predicts with; `steps_` has what each step cost.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from ._version import VersionedState
from .artifact import CompactLinear
from .linear.compacting import compact, with_summary
from .linear.containers import find_leaf, inside_of, is_wrapper
from .linear.fitting import base_fit_through, fit_clone, require_fitting, weight_given
from .linear.nest import Nest, Run, base_params, inside_pipelines, run, unroll, with_inside
from .linear.rows import input_range
from .linear.state import Attributes, State, StepRecord
from .linear.view import like_coef


class NotFoldableError(ValueError, AttributeError):
    """What `compact_` raises where the steps before the base cannot be compiled.

    An AttributeError as well, as scikit-learn's NotFittedError is, so that hasattr, dir and the diagram in a notebook,
    which read all attributes, pass over it.
    """


class LinearCompressor(VersionedState, MetaEstimatorMixin):
    """Base of the wrappers, before scikit-learn's mixins: its `score` holds, and its tags see theirs."""

    estimator: Any
    distils: ClassVar[bool] = False
    own_params: ClassVar[tuple[str, ...]] = ()
    state_: State

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Python's own message for a parameter that does not exist names the function: let it be the public class.
        inherited = cls.__init__
        if "__init__" not in vars(cls) and isinstance(inherited, FunctionType):
            own = FunctionType(inherited.__code__, inherited.__globals__, "__init__", inherited.__defaults__)
            for name in ("__kwdefaults__", "__annotations__", "__doc__", "__module__"):
                setattr(own, name, getattr(inherited, name))
            own.__qualname__ = f"{cls.__qualname__}.__init__"
            cls.__init__ = own  # type: ignore[method-assign]

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
        self._fit_all(X, y, sample_weight, fit_params)
        return self

    def _fit_all(self, X: Any, y: Any, sample_weight: Any, fit_params: dict[str, Any]) -> None:
        """Fit the base and take the steps; a search does it in its own way."""
        nest = unroll(self)
        require_fitting(nest.places, y)
        params = base_params(self, sample_weight, fit_params)
        _, done = fit_nest(nest, X, y, params, base_fit_through(getattr(self, "memory", None)), self)
        _keep_ranges(self, done, X, weight_given(sample_weight, fit_params))

    def check_parameters(self) -> None:
        """Raise ValueError for parameters out of range, before anything is fitted."""
        self.compression_step().check(self.inner_estimator())

    def inner_estimator(self) -> Any:
        """Return the unfitted estimator inside: the parameter, or what None stands for."""
        return LinearRegression() if self.estimator is None else self.estimator

    def _take(self, attributes: Attributes, own: State, last: State) -> None:
        """Set what the step has said, and make all of it true of the last weights, which steps around may have changed.

        Parameters
        ----------
        attributes : dict
            What only the step knows.
        own : State
            After the step.
        last : State
            After the last step of the nest.
        """
        self.__dict__.update(attributes)
        self.state_ = last
        leaf = find_leaf(self).estimator
        dtype = leaf.coef_.dtype
        self.base_coef_ = like_coef(leaf, last.base.astype(dtype))
        self.base_intercept_ = self._like_intercept(last.base_intercept.astype(dtype))
        self.loss_increase_, self.prediction_change_ = last.history[-1][-2:]

    def _follow(self, last: State, frozen: bool) -> None:
        """Make what this wrapper says, fitted by itself inside a container, true of the weights that it has now.

        What a frozen one has lost since its own base is known of its own training rows alone.
        """
        own_base = {name: self.__dict__.get(name) for name in ("base_coef_", "base_intercept_")}
        self._take({}, self.state_, last)
        if frozen:
            self.__dict__.update(own_base)
            del self.loss_increase_, self.prediction_change_

    def _forget(self) -> None:
        """Drop what an earlier fit, with other options, may have left."""

    def _like_intercept(self, array: NDArray[Any]) -> Any:
        """Return an (m,) array in the shape of the leaf's intercept_."""
        shape = np.shape(self.intercept_)
        return array[0] if shape == () else array.reshape(shape)

    @property
    def steps_(self) -> pd.DataFrame:
        """What each step has come to."""
        self._require_fitted()
        return pd.DataFrame(self.state_.history, columns=StepRecord._fields)

    @property
    def n_nonzero_(self) -> int:
        """Number of weights that are not zero, over all outputs."""
        return int(np.count_nonzero(self.coef_))

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
        return MetadataRouter(owner=self).add(estimator=self.inner_estimator(), method_mapping=mapping)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.inner_estimator())
        tags.input_tags = copy.deepcopy(inner.input_tags)
        tags.target_tags = copy.deepcopy(inner.target_tags)
        tags.non_deterministic = inner.non_deterministic
        if tags.regressor_tags is not None and inner.regressor_tags is not None:
            tags.regressor_tags.poor_score = inner.regressor_tags.poor_score
        return tags


def fit_nest(
    nest: Nest, X: Any, y: Any, params: Mapping[str, Any], fit: Callable[..., Any] = fit_clone, outer: Any = None
) -> tuple[Any, Run]:
    """Fit a nest; return the model with its wrappers, and the run.

    Parameters
    ----------
    nest : Nest
        The estimator taken apart.
    X, y
        Training rows.
    params : dict
        For the fit of the base.
    fit : callable, default=fit_clone
        How a base that nothing distils is fitted.
    outer : estimator, default=None
        The wrapper that is being fitted; the others, which are the user's, are cloned.
    """
    done = run(nest, X, y, params, fit)
    return assembled(done, outer), done


def assembled(done: Run, outer: Any = None) -> Any:
    """Put the wrappers of a nest around its fitted base, and make what each says true of the last weights."""
    model, below = done.model, list(_fitted_wrappers(done.model))
    for taken in done.taken:
        wrapper = taken.place.wrapper
        if wrapper is outer:
            wrapper._forget()
        else:
            wrapper = clone(wrapper)
        wrapper.estimator_ = inside_pipelines(model, taken.place.depth)
        model = with_inside(model, taken.place.depth, wrapper)
        wrapper._take(taken.attributes, taken.state, done.state)
    for wrapper, frozen in below:
        wrapper._follow(done.state, frozen)
    return model


def filled(wrapper: Any, model: Any, state: State, *, assessed: bool) -> Any:
    """Return an unfitted wrapper, changed in place, as if it had put a fitted model into this state.

    Unless the state has been assessed, nothing is known of what it has cost.
    """
    wrapper.estimator_, wrapper.state_ = model, state
    if assessed:
        wrapper._take({}, state, state)
    return wrapper


def _fitted_wrappers(model: Any) -> Iterator[tuple[LinearCompressor, bool]]:
    """Yield the wrappers inside a fitted model from the outside in, and whether a FrozenEstimator holds them."""
    frozen = False
    while model is not None:
        if is_wrapper(model):
            yield model, frozen
        frozen = frozen or isinstance(model, FrozenEstimator)
        model = inside_of(model)


def _keep_ranges(outer: Any, done: Run, X: Any, sample_weight: Any) -> None:
    """Let each wrapper of a nest know the range of the rows that it reads."""
    steps, passed, rows = done.problem.leaf.steps, 0, X
    limits = input_range(rows, sample_weight)
    for (wrapper, _), taken in zip(_fitted_wrappers(outer), reversed(done.taken), strict=False):
        above = steps[passed : len(steps) - len(taken.columns.leaf.steps)]
        for step in above:
            rows = rows if step is None or isinstance(step, str) else step.transform(rows)
        limits = input_range(rows, sample_weight) if above else limits
        wrapper.input_range_, passed = limits, passed + len(above)


class RegressorCompressor(LinearCompressor, RegressorMixin, BaseEstimator):
    """Base of the regressors' wrappers."""

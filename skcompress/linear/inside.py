"""Fit the estimator inside a wrapper, and find the problem that its leaf has solved."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from .integer_inputs import reader_of
from .problem import LinearProblem
from .routing import innermost, leaf_weight
from .state import State
from .view import find_leaf, is_wrapper, keeps_positive, require_obedience


@dataclass(frozen=True)
class BaseFit:
    """How the innermost estimator is fitted.

    Attributes
    ----------
    fit : callable
        ``(unfitted estimator, X, y, fit parameters) -> fitted estimator``.
    own_target : bool
        Whether its weights then minimise something else than its own loss on y.
    """

    fit: Callable[[Any, Any, Any, dict[str, Any]], Any]
    own_target: bool = False


def fit_clone(estimator: Any, X: Any, y: Any, params: dict[str, Any]) -> Any:
    """Return a fitted clone of the estimator; a copy of a frozen one, so that the user's model stays as it is."""
    fitted = clone(estimator).fit(X, y, **params)
    return copy.deepcopy(fitted) if isinstance(innermost(estimator), FrozenEstimator) else fitted


def fit_inside(
    inner: Any, X: Any, y: Any, params: dict[str, Any], base_fit: BaseFit
) -> tuple[Any, LinearProblem, State]:
    """Fit the estimator inside a wrapper; return it with its problem and its state.

    A wrapper hands on the problem that it has built; for anything else the leaf is looked for. A frozen model is
    its own base, whatever has compressed it: the loss is the change of its predictions; its support and grid are kept.
    """
    if is_wrapper(inner):
        fitted = clone(inner)
        rest = {name: value for name, value in params.items() if name != "sample_weight"}
        problem = fitted._fit_problem(X, y, params.get("sample_weight"), rest, base_fit)
        return fitted, problem, fitted.state_
    fitted = base_fit.fit(inner, X, y, params)
    leaf = find_leaf(fitted, X, y, leaf_weight(params), own_target=base_fit.own_target)
    require_obedience(leaf.estimator, leaf.X)
    if leaf.state is None:
        problem = LinearProblem(leaf)
        return fitted, problem, State.uncompressed(problem.weights, problem.intercept, keeps_positive(leaf.estimator))
    if leaf.frozen:
        problem = LinearProblem(leaf)
        reader = reader_of(fitted)
        if reader is not None:
            problem.base_predictor = reader.of_codes(reader.inputs.codes(problem.X))
        weights, intercept = problem.weights, problem.intercept
        found = leaf.state.centred_at(weights, intercept, base=weights, base_intercept=intercept)
        return fitted, problem, found
    problem = LinearProblem(leaf, leaf.state.base, leaf.state.base_intercept)
    return fitted, problem, leaf.state

"""Nest: an estimator taken apart into what is fitted once, a step that prunes and a step that quantizes.

    QuantizedRegressor(PrunedRegressor(base))  ->  base, (PrunedRegressor, QuantizedRegressor)

The steps keep the options and the order that the user gave them; one that is missing is added, pruning next to the
base and quantizing outermost. A DistilledRegressor around the steps acts on the innermost estimator, so that it
belongs to what is fitted once.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone

from .._base import WeightCompressor
from ..distillation import DistilledRegressor
from ..linear.columns import Columns
from ..linear.problem import LinearProblem
from ..linear.routing import fit_params_of
from ..linear.state import State
from ..linear.view import is_wrapper, write

PARAMETERS = ("n_nonzero", "bits")
"""What is searched; a step is known by the parameter that it has."""


@dataclass(frozen=True)
class Step:
    """A wrapper with the parameter that is searched in it.

    Attributes
    ----------
    wrapper : WeightCompressor
        Unfitted; what it wraps does not matter.
    parameter : str
        One of `PARAMETERS`.
    """

    wrapper: WeightCompressor
    parameter: str

    def at(self, value: Any) -> WeightCompressor:
        """Return a clone with a value of the parameter, around nothing."""
        wrapper: WeightCompressor = clone(self.wrapper)
        if self.parameter == "n_nonzero":
            wrapper.set_params(threshold=None, max_loss=None)
        return wrapper.set_params(**{self.parameter: value})


@dataclass(frozen=True)
class Nest:
    """A base and the steps around it.

    Attributes
    ----------
    base : estimator
        Unfitted; fitted once for each fold.
    steps : tuple of Step
        From the inside out.
    owners : tuple of wrappers
        The user's own wrappers from the outside in, through which fit parameters go to the base.
    """

    base: Any
    steps: tuple[Step, ...]
    owners: tuple[Any, ...]

    def base_params(self, owner: Any, inner: Any, sample_weight: Any, fit_params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keyword arguments for the fit of the base; `owner` is the search, `inner` its estimator."""
        params = fit_params_of(owner, inner, sample_weight, dict(fit_params))
        for wrapper in self.owners:
            weight = params.pop("sample_weight", None)
            params = fit_params_of(wrapper, wrapper._inner(), weight, params)
        return params

    def compress(
        self, fitted: Any, problem: LinearProblem, base: State, columns: Columns, values: Mapping[str, Any]
    ) -> tuple[Any, State]:
        """Return the fitted base with the steps done around it at these values, and its state.

        A step whose value is None is left out.
        """
        state, unfitted, model = base, self.base, fitted
        for step in self.steps:
            if values[step.parameter] is None:
                continue
            wrapper = step.at(values[step.parameter])
            wrapper.estimator = unfitted
            state = wrapper._compress(problem, state, columns)
            wrapper.estimator_ = model
            wrapper._finish(problem, state)
            unfitted, model = wrapper, wrapper
        if model is fitted:
            write(problem.leaf.estimator, state.weights, state.intercept)
        return model, state

    def shell(self, fitted: Any, values: Mapping[str, Any]) -> Any:
        """Return the outermost step that is not left out, to be filled by `_finish`; the base where there is none."""
        last = next((step for step in reversed(self.steps) if values[step.parameter] is not None), None)
        if last is None:
            return fitted
        wrapper = copy.copy(last.wrapper)
        setattr(wrapper, last.parameter, values[last.parameter])
        wrapper.estimator, wrapper.estimator_ = self.base, fitted
        return wrapper


def nest_of(estimator: Any, kinds: Mapping[str, type], random_state: Any) -> Nest:
    """Take an estimator apart.

    Parameters
    ----------
    estimator : estimator
        A linear base, or our wrappers around one.
    kinds : dict
        The class of the wrapper for each of `PARAMETERS`.
    random_state : int, RandomState or None
        For the steps that are added.
    """
    found: list[Step] = []
    owners: list[Any] = []
    inside, outermost = estimator, None
    if isinstance(estimator, DistilledRegressor):
        outermost, inside = estimator, estimator._inner()
        owners.append(estimator)
    while is_wrapper(inside) and hasattr(inside, "_compress"):
        parameter = next((name for name in PARAMETERS if isinstance(inside, kinds[name])), None)
        if parameter is None or any(step.parameter == parameter for step in found):
            break
        if getattr(inside, "input_bits", None) is not None:
            raise ValueError(
                f"input_bits={inside.input_bits!r} of {type(inside).__name__} changes the inputs of every candidate: "
                "search it with GridSearchCV, or set input_bits=None here"
            )
        owners.append(inside)
        found.insert(0, Step(clone(inside).set_params(estimator=None), parameter))
        inside = inside._inner()
    if outermost is not None:
        inside = clone(outermost).set_params(estimator=inside)
        owners = []
    names = [step.parameter for step in found]
    if "n_nonzero" not in names:
        found.insert(0, Step(kinds["n_nonzero"](random_state=random_state), "n_nonzero"))
    if "bits" not in names:
        found.append(Step(kinds["bits"](random_state=random_state), "bits"))
    return Nest(inside, tuple(found), tuple(owners))

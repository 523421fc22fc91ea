"""Walk the whole grid of sizes and bits on one fitted base.

    QuantizedRegressor(PrunedRegressor(base))  ->  base, (PrunedRegressor, QuantizedRegressor)

A SearchNest is an estimator taken apart into what is fitted once, a step that prunes and a step that quantizes.
The steps keep the options and the order that the user gave them; one that is missing is added, pruning next to the
base and quantizing outermost. A second step of a kind, and what is inside it, belongs to the base; so does a
DistilledRegressor around the steps, which acts on the innermost estimator.

The quadratic model is built once for each step's start, so that a size or a width costs no fit and no pass over the
training rows where the loss is quadratic.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sklearn.base import clone

from ..linear.containers import wrappers_of
from ..linear.nest import Place, Run, Sweeping, has_step, opens
from ..linear.state import State

PARAMETERS = ("n_nonzero", "bits")
"""What is searched; a step is known by the parameter that it has."""


@dataclass(frozen=True)
class SearchStep:
    """A wrapper with the parameter that is searched in it.

    Attributes
    ----------
    wrapper : estimator
        Unfitted; what it wraps does not matter.
    parameter : str
        One of `PARAMETERS`.
    """

    wrapper: Any
    parameter: str

    @cached_property
    def step(self) -> Sweeping:
        """What the wrapper does to the weights."""
        return self.wrapper.compression_step()

    def at(self, value: Any, inner: Any = None) -> Any:
        """Return a clone of the wrapper with a value of the parameter, around an unfitted estimator."""
        wrapper = clone(self.wrapper)
        if self.parameter == "n_nonzero":
            wrapper.set_params(threshold=None, max_loss=None)
        wrapper.set_params(**{self.parameter: value})
        wrapper.estimator = inner
        return wrapper


@dataclass(frozen=True)
class SearchNest:
    """A base and the steps around it.

    Attributes
    ----------
    base : estimator
        Unfitted; fitted once for each fold.
    steps : tuple of SearchStep
        From the inside out.
    """

    base: Any
    steps: tuple[SearchStep, ...]

    def places(self, values: Mapping[str, Any]) -> tuple[Place, ...]:
        """Return the steps at these values, from the inside out; a step whose value is None is left out."""
        places: list[Place] = []
        inner = self.base
        for step in self.steps:
            if values[step.parameter] is not None:
                inner = step.at(values[step.parameter], inner)
                places.append(Place(inner, inner.compression_step(), 0))
        return tuple(places)


def nest_of(estimator: Any, kinds: Mapping[str, type], random_state: Any) -> SearchNest:
    """Take an estimator apart.

    Parameters
    ----------
    estimator : estimator
        A linear base, or our wrappers around one.
    kinds : dict
        The class of the wrapper for each of `PARAMETERS`.
    random_state : int, RandomState or None
        For the steps that are added.

    Raises
    ------
    ValueError
        If a wrapper that is searched ends a Pipeline or has `input_bits`.
    """
    found: list[SearchStep] = []
    distilling = estimator if has_step(estimator) and estimator.distils else None
    inside = estimator if distilling is None else distilling.inner_estimator()
    while has_step(inside):
        parameter = next((name for name in PARAMETERS if isinstance(inside, kinds[name])), None)
        if parameter is None or any(step.parameter == parameter for step in found):
            break
        if getattr(inside, "input_bits", None) is not None:
            raise ValueError(
                f"input_bits={inside.input_bits!r} of {type(inside).__name__} changes the inputs of every candidate: "
                "search it with GridSearchCV, or set input_bits=None here"
            )
        found.insert(0, SearchStep(clone(inside).set_params(estimator=None), parameter))
        inside = inside.inner_estimator()
    for wrapper in wrappers_of(inside) if opens(inside) else ():
        if isinstance(wrapper, tuple(kinds.values())):
            name = type(wrapper).__name__
            raise ValueError(
                f"{name} ends a Pipeline, where every candidate would be compressed twice: "
                f"put it around the Pipeline, as in {name}(make_pipeline(..., Ridge()))"
            )
    if distilling is not None:
        inside = clone(distilling).set_params(estimator=inside)
    names = [step.parameter for step in found]
    if "n_nonzero" not in names:
        found.insert(0, SearchStep(kinds["n_nonzero"](random_state=random_state), "n_nonzero"))
    if "bits" not in names:
        found.append(SearchStep(kinds["bits"](random_state=random_state), "bits"))
    return SearchNest(inside, tuple(found))


Values = dict[str, Any]
"""A point of the grid: {"n_nonzero": ..., "bits": ...}."""


class Candidate(NamedTuple):
    """A point of the grid and what it gives."""

    values: Values
    state: State


def sweep(nest: SearchNest, fitted: Run, grid: Mapping[str, Sequence[Any]]) -> list[Candidate]:
    """Return the candidates of one fitted base, in the order of `grid_points`.

    Parameters
    ----------
    nest : SearchNest
        The steps.
    fitted : Run
        The fitted base, its loss on the training rows and its state.
    grid : dict
        The values of "n_nonzero" and "bits".
    """
    with warnings.catch_warnings():
        # A search looks at small models on purpose.
        warnings.filterwarnings("ignore", message=".* prunes every weight", category=UserWarning)
        found = {_key(c.values): c for c in _walk(nest.steps, fitted, Candidate({}, fitted.state), grid)}
    return [found[_key(values)] for values in grid_points(grid)]


def grid_points(grid: Mapping[str, Sequence[Any]]) -> list[Values]:
    """Return all combinations, sizes first."""
    return [{"n_nonzero": size, "bits": width} for size in grid["n_nonzero"] for width in grid["bits"]]


def _key(values: Values) -> tuple[Any, Any]:
    return values["n_nonzero"], values["bits"]


def _walk(
    steps: Sequence[SearchStep],
    fitted: Run,
    so_far: Candidate,
    grid: Mapping[str, Sequence[Any]],
) -> Iterator[Candidate]:
    if not steps:
        yield so_far
        return
    step = steps[0]
    values = [value for value in grid[step.parameter] if value is not None]
    states = step.step.sweep(fitted.problem, so_far.state, fitted.columns, values)
    if len(values) < len(grid[step.parameter]):
        yield from _walk(steps[1:], fitted, _extended(so_far, step, None, so_far.state), grid)
    for value, state in zip(values, states, strict=True):
        yield from _walk(steps[1:], fitted, _extended(so_far, step, value, state), grid)


def _extended(candidate: Candidate, step: SearchStep, value: Any, state: State) -> Candidate:
    return Candidate({**candidate.values, step.parameter: value}, state)

"""A nest of wrappers is a list: the base, and the steps around it from the inside out.

    QuantizedRegressor(make_pipeline(StandardScaler(), PrunedRegressor(Ridge())))
        ->  base make_pipeline(StandardScaler(), Ridge()),  steps (prune, quantize)

The base is fitted once, the steps run in order over one state, and the weights are written once. Pipelines between
wrappers are opened, so that their transformers belong to the base; a TransformedTargetRegressor, a RANSACRegressor, a
search or a FrozenEstimator is fitted as it is, wrappers inside included, and the steps around it start from the state
of its weights.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import sklearn
from sklearn.pipeline import Pipeline

from ..core.grids import Grid
from ..core.linalg import Floats
from .column_names import Columns
from .containers import Leaf, find_leaf
from .fitting import fit_clone, fit_params_of, leaf_weight
from .integer_inputs import integer_reader, reader_of, with_reader
from .problem import LinearProblem
from .row_warnings import warn_of_identifiers
from .state import Attributes, State, StepRecord
from .view import as_matrix, keeps_positive, read, require_obedience, write


class Step(Protocol):
    """What a wrapper does to the weights."""

    def check(self, inner: Any) -> None:
        """Raise ValueError for options out of range, or that do not go with the unfitted estimator inside."""

    def apply(self, problem: LinearProblem, start: State, columns: Columns) -> tuple[State, Attributes]:
        """Return the state after the step, and the fitted attributes that only the step knows."""


class Sweeping(Step, Protocol):
    """A step that a search walks over many values of its parameter."""

    def sweep(self, problem: LinearProblem, start: State, columns: Columns, values: Any) -> Iterator[State]:
        """Yield the state after the step at each of the values, as if it had been asked for alone."""


class Teaching(Protocol):
    """A step that fits the base in its own way; it leaves the state as it is."""

    def fit(self, base: Any, X: Any, y: Any, params: Mapping[str, Any]) -> tuple[Any, Attributes]:
        """Return the fitted base, and the fitted attributes that only the step knows."""


class Wrapper(Protocol):
    """What the rest of the package knows of a wrapper.

    Attributes
    ----------
    distils : bool
        Whether its step is a `Teaching`, after which the weights do not minimise the base's own loss on y.
    own_params : tuple of str
        Arguments of fit that are its own.
    state_ : State
        Once it is fitted: of the weights that it predicts with.
    """

    distils: bool
    own_params: tuple[str, ...]
    state_: State

    def inner_estimator(self) -> Any:
        """Return the unfitted estimator inside."""

    def check_parameters(self) -> None:
        """Raise ValueError for parameters out of range, before anything is fitted."""

    def compression_step(self) -> Any:
        """Return its `Step` or `Teaching`; a search over steps has none, and is fitted as it is."""


class Place(NamedTuple):
    """A wrapper in a nest, its step, and how many opened Pipelines are around it."""

    wrapper: Any
    step: Any
    depth: int


class Nest(NamedTuple):
    """An estimator taken apart: the base without wrappers, and their places from the inside out."""

    base: Any
    places: tuple[Place, ...]

    @property
    def teaching(self) -> Teaching | None:
        """The step that fits the base, where one distils."""
        return next((place.step for place in self.places if place.wrapper.distils), None)


class Taken(NamedTuple):
    """A step that was taken: where, on what columns, what it says, and the state after it."""

    place: Place
    columns: Columns
    attributes: Attributes
    state: State


@dataclass(frozen=True)
class Run:
    """A fitted nest.

    Attributes
    ----------
    model : estimator
        The fitted base with the last weights, without the wrappers of the nest.
    problem : LinearProblem
        The loss of its leaf on the training rows.
    start : State
        Before the first step.
    taken : tuple of Taken
        The steps, from the inside out.
    """

    model: Any
    problem: LinearProblem
    start: State
    taken: tuple[Taken, ...] = ()

    @property
    def state(self) -> State:
        """The state after the last step."""
        return self.taken[-1].state if self.taken else self.start

    @property
    def columns(self) -> Columns:
        """The features by the names that the whole nest has for them."""
        return columns_at(self.model, self.problem.leaf, 0)


def unroll(outer: Any) -> Nest:
    """Take an unfitted estimator apart."""
    places: list[Place] = []
    at, depth = outer, 0
    while True:
        if has_step(at):
            places.insert(0, Place(at, at.compression_step(), depth))
            at = at.inner_estimator()
        elif opens(at):
            at, depth = at.steps[-1][1], depth + 1
        else:
            return Nest(_without_wrappers(outer), tuple(places))


def has_step(estimator: Any) -> bool:
    """Return whether this is a wrapper that is a step of a nest."""
    return hasattr(type(estimator), "compression_step")


def opens(estimator: Any) -> bool:
    """Return whether this is a Pipeline that ends in wrappers, of which none distils: a teacher reads what it reads."""
    if not isinstance(estimator, Pipeline):
        return False
    at, found = estimator, False
    while has_step(at) or isinstance(at, Pipeline):
        if has_step(at):
            found = True
            if at.distils:
                return False
        at = at.inner_estimator() if has_step(at) else at.steps[-1][1]
    return found


def _without_wrappers(estimator: Any) -> Any:
    if has_step(estimator):
        return _without_wrappers(estimator.inner_estimator())
    if not opens(estimator):
        return estimator
    pipeline = copy.copy(estimator)
    name, last = estimator.steps[-1]
    pipeline.steps = [*estimator.steps[:-1], (name, _without_wrappers(last))]
    return pipeline


def base_params(wrapper: Any, sample_weight: Any, fit_params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments for the fit of the base, and the wrappers' own ones, from those of the wrapper's fit.

    Raises
    ------
    ValueError
        If `sample_weight` is given and the base takes none.
    """
    own = {name: fit_params[name] for name in wrapper.own_params if name in fit_params}
    rest = {name: value for name, value in fit_params.items() if name not in own}
    inner = wrapper.inner_estimator()
    return {**params_inside(inner, fit_params_of(wrapper, inner, sample_weight, rest)), **own}


def params_inside(estimator: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments for the fit of an estimator without its wrappers, from those for its own fit."""
    if has_step(estimator):
        rest = dict(params)
        return base_params(estimator, rest.pop("sample_weight", None), rest)
    if not opens(estimator) or sklearn.get_config()["enable_metadata_routing"]:
        return dict(params)
    name, last = estimator.steps[-1]
    prefix = f"{name}__"
    above = {key: value for key, value in params.items() if not key.startswith(prefix)}
    below = {key.removeprefix(prefix): value for key, value in params.items() if key.startswith(prefix)}
    return {**above, **{prefix + key: value for key, value in params_inside(last, below).items()}}


def run(nest: Nest, X: Any, y: Any, params: Mapping[str, Any], fit: Callable[..., Any] = fit_clone) -> Run:
    """Fit the base of a nest and take its steps.

    Parameters
    ----------
    nest : Nest
        From `unroll`.
    X, y
        Training rows.
    params : dict
        From `base_params`.
    fit : callable, default=fit_clone
        ``(unfitted estimator, X, y, params) -> fitted estimator``, for a base that nothing distils.
    """
    teaching = nest.teaching
    model, known = (fit(nest.base, X, y, params), {}) if teaching is None else teaching.fit(nest.base, X, y, params)
    leaf = find_leaf(
        model, X, y, leaf_weight(params), own_target=teaching is not None, params=params if teaching is None else None
    )
    require_obedience(leaf.estimator, leaf.X)
    problem, start = opened(model, leaf)
    warn_of_identifiers(columns_at(model, leaf, 0))
    for place in nest.places:
        if place.wrapper.distils:
            start = replace(start, history=(start.history[0]._replace(step=type(place.wrapper).__name__),))
    return through(Run(model, problem, start), nest.places, known)


def through(done: Run, places: tuple[Place, ...], known: Attributes | None = None) -> Run:
    """Take steps from the last state of a run on, and write the weights.

    Parameters
    ----------
    done : Run
        With the fitted base.
    places : tuple of Place
        The steps, from the inside out.
    known : dict, default=None
        The fitted attributes of the step that has distilled the base.
    """
    problem, state, taken = done.problem, done.state, list(done.taken)
    for place in places:
        columns, attributes = columns_at(done.model, problem.leaf, place.depth), known or {}
        if not place.wrapper.distils:
            state, attributes = place.step.apply(problem, state, columns)
            state = recorded(problem, state, type(place.wrapper).__name__)
        taken.append(Taken(place, columns, attributes, state))
    finished = replace(done, taken=tuple(taken))
    write(problem.leaf.estimator, state.weights, state.intercept)
    reader = reader_of(done.model)
    if (None if reader is None else reader.inputs) is state.inputs:
        return finished
    return replace(finished, model=with_reader(done.model, integer_reader(state)))


def opened(model: Any, leaf: Leaf) -> tuple[LinearProblem, State]:
    """Return the problem that the leaf of a fitted base has solved, and the state of its weights.

    A frozen model is its own base, whatever has compressed it: the loss is the change of its predictions; its support
    and grid are kept.
    """
    weights, intercept = read(leaf.estimator)
    if leaf.state is None:
        problem = LinearProblem(leaf)
        state = State.uncompressed(weights, intercept, keeps_positive(leaf.estimator))
    elif leaf.frozen:
        reader = reader_of(model)
        seen = None if reader is None else reader.of_codes(reader.inputs.codes(as_matrix(leaf.X)))
        problem = LinearProblem(leaf, base_predictor=seen)
        state = leaf.state.centred_at(weights, intercept, base=weights, base_intercept=intercept, history=())
    else:
        problem = LinearProblem(leaf, leaf.state.base, leaf.state.base_intercept)
        state = replace(leaf.state, weights=weights, intercept=intercept, leveled=True)
    if not state.history:
        name = type(leaf.estimator).__name__
        state = replace(state, history=(record_of(name, state.weights, leaf.estimator, state.grid, 0.0, 0.0),))
    return problem, state


def recorded(problem: LinearProblem, state: State, step: str) -> State:
    """Return the state with a record of what the step has come to, judged with the codes of the inputs, if it has any.

    Their rounding moves the mean prediction, and the intercept is solved again for it.
    """
    leaf, predictor = problem.leaf.estimator, None
    read_codes = integer_reader(state)
    if read_codes is not None and state.inputs is not None:
        predictor = read_codes(_written(leaf, state)).of_codes(state.inputs.codes(problem.X))
        if state.leveled:
            shift = problem.best_shift(predictor)
            state, predictor = replace(state, intercept=state.intercept + shift), predictor + shift
    weights, intercept = read(_written(leaf, state))
    lost, moved = problem.assess(weights, intercept, predictor)
    return replace(state, history=(*state.history, record_of(step, state.weights, leaf, state.grid, lost, moved)))


def record_of(step: str, weights: Floats, leaf: Any, grid: Grid | None, lost: float, moved: float) -> StepRecord:
    """Return the record of a step that has come to these weights (m, p), on a grid or in the leaf's own precision."""
    bits = 8 * leaf.coef_.dtype.itemsize if grid is None else int(grid.bits)
    return StepRecord(step, int(np.count_nonzero(weights)), bits, lost, moved)


def _written(leaf: Any, state: State) -> Any:
    """Return a copy of the leaf with the weights of a state, in its own precision."""
    model = copy.copy(leaf)
    write(model, state.weights, state.intercept)
    return model


def columns_at(model: Any, leaf: Leaf, depth: int) -> Columns:
    """Return the leaf's features by the names that a wrapper has for them that reads what the inner Pipelines read."""
    above = 0
    for _ in range(depth):
        above, model = above + len(model.steps) - 1, model.steps[-1][1]
    return Columns.of(model, replace(leaf, steps=leaf.steps[above:]), read(leaf.estimator)[0].shape[1])


def inside_pipelines(model: Any, depth: int) -> Any:
    """Return what is at the end of so many Pipelines."""
    return model if depth == 0 else inside_pipelines(model.steps[-1][1], depth - 1)


def with_inside(model: Any, depth: int, inside: Any) -> Any:
    """Return the model with another one at the end of so many Pipelines, which are changed in place."""
    if depth == 0:
        return inside
    pipeline = inside_pipelines(model, depth - 1)
    pipeline.steps[-1] = (pipeline.steps[-1][0], inside)
    return model

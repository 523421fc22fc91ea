"""Walk the whole grid of sizes and bits on one fitted base.

The quadratic model is built once for each step's start, so that a size or a width costs no fit and no pass over the
training rows where the loss is quadratic.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from ..core.budget import budget_of, choose
from ..core.linalg import Mask
from ..core.pruning import check_pruning
from ..core.quadratic import QuadraticModel
from ..core.selection import select
from ..core.widths import quantize_widths
from ..linear.columns import Columns
from ..linear.problem import LinearProblem
from ..linear.state import State
from .nest import Nest, Step

Values = dict[str, Any]
"""A point of the grid: {"n_nonzero": ..., "bits": ...}."""


class Candidate(NamedTuple):
    """A point of the grid and what it gives."""

    values: Values
    state: State


def sweep(
    nest: Nest, problem: LinearProblem, start: State, columns: Columns, grid: Mapping[str, Sequence[Any]]
) -> list[Candidate]:
    """Return the candidates of one fitted base, in the order of `grid_points`.

    Parameters
    ----------
    nest : Nest
        The steps.
    problem : LinearProblem
        The loss on the training rows of the fitted base.
    start : State
        The weights of the base and what has been asked of them already.
    columns : Columns
        Names of the features.
    grid : dict
        The values of "n_nonzero" and "bits".
    """
    with warnings.catch_warnings():
        # A search looks at small models on purpose.
        warnings.filterwarnings("ignore", message=".* prunes every weight", category=UserWarning)
        found = {_key(c.values): c for c in _walk(nest.steps, problem, Candidate({}, start), columns, grid)}
    return [found[_key(values)] for values in grid_points(grid)]


def grid_points(grid: Mapping[str, Sequence[Any]]) -> list[Values]:
    """Return all combinations, sizes first."""
    return [{"n_nonzero": size, "bits": width} for size in grid["n_nonzero"] for width in grid["bits"]]


def _key(values: Values) -> tuple[Any, Any]:
    return values["n_nonzero"], values["bits"]


def _walk(
    steps: Sequence[Step],
    problem: LinearProblem,
    so_far: Candidate,
    columns: Columns,
    grid: Mapping[str, Sequence[Any]],
) -> Iterator[Candidate]:
    if not steps:
        yield so_far
        return
    step = steps[0]
    values = [value for value in grid[step.parameter] if value is not None]
    states = COMPRESSORS[step.parameter](step, problem, so_far.state, columns, values)
    if len(values) < len(grid[step.parameter]):
        yield from _walk(steps[1:], problem, _extended(so_far, step, None, so_far.state), columns, grid)
    for value, state in zip(values, states, strict=True):
        yield from _walk(steps[1:], problem, _extended(so_far, step, value, state), columns, grid)


def _extended(candidate: Candidate, step: Step, value: Any, state: State) -> Candidate:
    return Candidate({**candidate.values, step.parameter: value}, state)


def _prunings(
    step: Step, problem: LinearProblem, start: State, columns: Columns, sizes: Sequence[Any]
) -> Iterator[State]:
    if not sizes:
        return
    wrapper: Any = step.wrapper.compression_step()
    signed = wrapper.monotonic_cst is not None or np.any(start.signs)
    plain = wrapper.refit == "closed_form" and not signed and start.grid is None
    if not problem.exact or not plain:
        for size in sizes:
            yield step.at(size)._compress(problem, start, columns)
        return
    quadratic = problem.quadratic(start.centre, start.centre_intercept, start.support)
    for support, keep in _supports(wrapper, quadratic, columns, sizes):
        weights = quadratic.restrict(support, keep).centre
        intercept = problem.best_intercept(weights)
        yield start.centred_at(weights, intercept, support=support)


def _supports(
    wrapper: Any, quadratic: QuadraticModel, columns: Columns, sizes: Sequence[Any]
) -> Iterator[tuple[Mask, Mask]]:
    """Yield the support of each size and the columns kept always; the problems are cut and searched once."""
    check_pruning(**wrapper._options())
    search = wrapper.search
    if search == "auto":
        search = "swap" if wrapper.importance == "obs" else "one_shot"
    selection = select(
        quadratic,
        importance=wrapper.importance,
        search=search,
        refit=True,
        feature_groups=columns.labels(wrapper.feature_groups),
        keep=None if wrapper.keep is None else columns.select(wrapper.keep, "keep"),
        n_restarts=wrapper.n_restarts,
        max_nodes=wrapper.max_nodes,
        random_state=wrapper.random_state,
    )
    units, profiles = selection.units, selection.profiles
    chosen = [
        choose(budget_of(n_nonzero=size), profiles, n_units=units.n_units, quadratic=selection.centred).sizes
        for size in sizes
    ]
    for place, profile in enumerate(profiles):
        profile.prepare(np.unique([choice[place] for choice in chosen]))
    for choice in chosen:
        yield selection.support(choice), units.kept_columns


def _quantizations(
    step: Step, problem: LinearProblem, start: State, columns: Columns, widths: Sequence[Any]
) -> Iterator[State]:
    wrapper: Any = step.wrapper.compression_step()
    if not problem.exact or wrapper.input_bits is not None:
        for width in widths:
            yield step.at(width)._compress(problem, start, columns)
        return
    quadratic = problem.quadratic(start.centre, start.centre_intercept, start.support, signs=start.signs)
    options = {name: value for name, value in wrapper._options().items() if name != "bits"}
    random_state = check_random_state(wrapper.random_state)
    for result in quantize_widths(quadratic, widths, **options, random_state=random_state):
        intercept = problem.best_intercept(result.weights)
        yield replace(start, weights=result.weights, intercept=intercept, grid=result.grid, rounding=wrapper.rounding)


COMPRESSORS: dict[str, Callable[..., Iterator[State]]] = {"n_nonzero": _prunings, "bits": _quantizations}
"""How a step goes through the values of its parameter."""

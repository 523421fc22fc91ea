"""Walk the whole grid of sizes and bits on one fitted base.

The quadratic model is built once for each step's start, so that a size or a width costs no fit and no pass over the
training rows where the loss is quadratic.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..linear.nest import Run
from ..linear.state import State
from .nest import SearchNest, SearchStep

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

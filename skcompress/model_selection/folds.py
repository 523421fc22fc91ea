"""One fold of a search: fit the base once, walk the grid, score every candidate on the rows held out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.linalg import Floats, Indices
from ..linear.columns import Columns
from ..linear.inside import BaseFit, fit_inside
from ..linear.problem import LinearProblem
from ..linear.rows import count_rows, take_rows
from ..linear.state import State
from ..linear.view import read, write
from .fold_moments import Whole, subtracted
from .held_out import HeldOut
from .nest import Nest
from .sweep import Candidate, sweep

Grid = Mapping[str, Sequence[Any]]


class Fitted(NamedTuple):
    """A fitted base with its loss.

    Attributes
    ----------
    model : estimator
        The fitted base; candidates are written into it.
    problem : LinearProblem
        Its loss on the training rows.
    base : State
        Its own weights, and what has been asked of them already.
    columns : Columns
        Names of its features.
    """

    model: Any
    problem: LinearProblem
    base: State
    columns: Columns

    @property
    def bare(self) -> bool:
        """Whether nothing stands between the columns of X and the weights."""
        return self.model is self.problem.leaf.estimator

    def lend(self, nest: Nest, candidate: Candidate, *, assess: bool = True) -> Any:
        """Write a candidate into the model and return it inside the outermost step; the next one takes its place.

        Without `assess` it knows no `loss_increase_`, which costs a pass over the training rows.
        """
        state = candidate.state
        shell = nest.shell(self.model, candidate.values)
        if shell is not self.model and assess:
            shell._finish(self.problem, state)
        else:
            write(self.problem.leaf.estimator, state.weights, state.intercept)
            if shell is not self.model:
                shell.state_ = state
        return shell


@dataclass(frozen=True)
class Data:
    """Training data of a search.

    Attributes
    ----------
    X, y, sample_weight
        As given to fit.
    params : dict
        What the fit of the base is given; values with one entry a row are sliced along.
    """

    X: Any
    y: Any
    sample_weight: Any
    params: Mapping[str, Any]

    def take(self, rows: Indices) -> Data:
        """Return these rows."""
        n_rows = count_rows(self.X)
        params = {name: take_rows(v, rows) if _has_rows(v, n_rows) else v for name, v in self.params.items()}
        return Data(take_rows(self.X, rows), take_rows(self.y, rows), take_rows(self.sample_weight, rows), params)


def _has_rows(value: Any, n_rows: int) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, (str, dict)) and count_rows(value) == n_rows


class FoldResult(NamedTuple):
    """What one fold says about the candidates.

    Attributes
    ----------
    scores : ndarray of shape (c,)
        On the rows held out.
    nonzero : list of ndarray of uint8
        The bits of each candidate's weights that are not zero.
    names : ndarray of shape (p,)
        Names of the features.
    shape : tuple of int
        (m, p).
    seconds : float
        Time taken.
    """

    scores: Floats
    nonzero: list[NDArray[np.uint8]]
    names: NDArray[Any]
    shape: tuple[int, int]
    seconds: float


def fit_base(nest: Nest, data: Data, base_fit: BaseFit) -> Fitted:
    """Fit the base of a nest."""
    model, problem, start = fit_inside(nest.base, data.X, data.y, dict(data.params), base_fit)
    weights, intercept = read(problem.leaf.estimator)
    base = replace(start, weights=weights, intercept=intercept, leveled=True)
    return Fitted(model, problem, base, Columns.of(model, problem.leaf, problem.weights.shape[1]))


def run_fold(
    nest: Nest,
    data: Data,
    train: Indices,
    test: Indices,
    grid: Grid,
    scoring: Any,
    base_fit: BaseFit,
    whole: Whole | None = None,
) -> FoldResult:
    """Return the scores of all candidates on one fold.

    Parameters
    ----------
    nest : Nest
        The estimator taken apart.
    data : Data
        All rows.
    train, test : ndarray of int
        Rows of the fold.
    grid : dict
        The values of "n_nonzero" and "bits".
    scoring : str, callable or None
        The score.
    base_fit : BaseFit
        How the innermost estimator is fitted.
    whole : Whole, default=None
        Moments of all rows, from which those of the fold come by subtraction where that is exact.
    """
    started = time.perf_counter()
    fitted = fit_base(nest, data.take(train), base_fit)
    held = data.take(test)
    moments = subtracted(whole, fitted.problem, held.X, train, test) if whole is not None and fitted.bare else None
    candidates = sweep(nest, fitted.problem, fitted.base, fitted.columns, grid)
    rows = HeldOut(fitted.model, held.X, held.y, held.sample_weight, scoring, moments)
    lines = [(c.state.weights, c.state.intercept) for c in candidates]
    scores = rows.scores(lines, lambda place: fitted.lend(nest, candidates[place]))
    return FoldResult(
        scores,
        [np.packbits(weights != 0) for weights, _ in lines],
        fitted.columns.names,
        fitted.problem.weights.shape,
        time.perf_counter() - started,
    )

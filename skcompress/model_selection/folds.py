"""The folds of a search: fit the base once, walk the grid, score every candidate on the rows held out, and tell of it.

A search prints a line for each fold, and reports to the callbacks of scikit-learn 1.9 and later. The tasks that
callbacks see are the folds, and then the compression of all rows. They are told in the main process as the folds come
back, so that callbacks need not be pickled. Before 1.9 there is no `set_callbacks`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._base import filled, fit_nest
from ..core.linalg import Floats, Indices
from ..linear.nest import Run, recorded, unroll
from ..linear.rows import count_rows, take_params, take_rows
from ..linear.view import write
from .fold_moments import Whole, subtracted
from .held_out import HeldOut
from .sweep import Candidate, SearchNest, sweep

Grid = Mapping[str, Sequence[Any]]


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
        params = take_params(self.params, rows, count_rows(self.X))
        return Data(take_rows(self.X, rows), take_rows(self.y, rows), take_rows(self.sample_weight, rows), params)


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


def fit_base(nest: SearchNest, data: Data, fit: Callable[..., Any]) -> Run:
    """Fit the base of a nest; candidates start from its state and are written into its model."""
    model, done = fit_nest(unroll(nest.base), data.X, data.y, data.params, fit)
    return Run(model, done.problem, done.state)


def is_bare(fitted: Run) -> bool:
    """Return whether nothing stands between the columns of X and the weights."""
    return fitted.model is fitted.problem.leaf.estimator


def lend(nest: SearchNest, fitted: Run, candidate: Candidate, *, assess: bool = True) -> Any:
    """Write a candidate into the model and return it inside the outermost step; the next one takes its place.

    Without `assess` it knows no `loss_increase_`, which costs a pass over the training rows.
    """
    state = candidate.state
    write(fitted.problem.leaf.estimator, state.weights, state.intercept)
    places = nest.places(candidate.values)
    if not places:
        return fitted.model
    wrapper = places[-1].wrapper
    if assess:
        state = recorded(fitted.problem, state, type(wrapper).__name__)
    return filled(wrapper, fitted.model, state, assessed=assess)


def run_fold(
    nest: SearchNest,
    data: Data,
    train: Indices,
    test: Indices,
    grid: Grid,
    scoring: Any,
    base_fit: Callable[..., Any],
    whole: Whole | None = None,
) -> FoldResult:
    """Return the scores of all candidates on one fold.

    Parameters
    ----------
    nest : SearchNest
        The estimator taken apart.
    data : Data
        All rows.
    train, test : ndarray of int
        Rows of the fold.
    grid : dict
        The values of "n_nonzero" and "bits".
    scoring : str, callable or None
        The score.
    base_fit : callable
        How the innermost estimator is fitted.
    whole : Whole, default=None
        Moments of all rows, from which those of the fold come by subtraction where that is exact.
    """
    started = time.perf_counter()
    fitted = fit_base(nest, data.take(train), base_fit)
    held = data.take(test)
    moments = subtracted(whole, fitted.problem, held.X, train, test) if whole is not None and is_bare(fitted) else None
    candidates = sweep(nest, fitted, grid)
    rows = HeldOut(fitted.model, held.X, held.y, held.sample_weight, scoring, moments)
    lines = [(c.state.weights, c.state.intercept) for c in candidates]
    scores = rows.scores(lines, lambda place: lend(nest, fitted, candidates[place]))
    return FoldResult(
        scores,
        [np.packbits(weights != 0) for weights, _ in lines],
        fitted.columns.names,
        fitted.problem.weights.shape,
        time.perf_counter() - started,
    )


try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class _NoContext:
        """Stands for a task where nobody listens."""

        def subcontext(self, **options: Any) -> _NoContext:
            return self

        def call_on_fit_task_begin(self, **data: Any) -> _NoContext:
            return self

        def call_on_fit_task_end(self, **data: Any) -> bool:
            return False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """A search without callbacks."""

        def _init_callback_context(self, **options: Any) -> _NoContext:
            return _NoContext()

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method as it is."""
        return method


def watched(search: Any, context: Any, folds: Iterator[FoldResult], n_folds: int, n_points: int) -> list[FoldResult]:
    """Return the results of the folds, telling of each as it comes.

    Parameters
    ----------
    search : estimator
        Its `verbose` decides whether lines are printed.
    context : CallbackContext
        The task of the whole fit.
    folds : iterator of FoldResult
        In their order.
    n_folds, n_points : int
        Folds, and candidates in each.
    """
    found: list[FoldResult] = []
    for number in range(1, n_folds + 1):
        task = context.subcontext(task_name="fold").call_on_fit_task_begin(estimator=search)
        fold = next(folds)
        found.append(fold)
        task.call_on_fit_task_end(estimator=search)
        if search.verbose:
            print(
                f"[{type(search).__name__}] fold {number}/{n_folds}: {n_points} candidates, best score "
                f"{np.max(fold.scores):.4g}, {fold.seconds:.1f} s",
                flush=True,
            )
    return found

"""What a model or a candidate takes: sizes as scorers, `SIZES`, and the default grid of sizes.

A scorer is `scorer(estimator, X, y) -> float`, the higher the better, so that sizes are negative in the scorers that
stand alone and positive in `score_and_size`, whose numbers are for reading.

Sizes of candidates are those of the models fitted on all rows, which are the ones that would ship.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..artifact import size_bytes
from ..core.linalg import Floats, Mask
from ..core.units import units_of
from ..linear.column_names import Columns
from ..linear.compacting import compact
from ..linear.containers import find_leaf
from ..linear.nest import Run
from ..linear.view import read
from ..pruning import PrunedRegressor
from .folds import lend
from .held_out import scorer_of, takes_weight
from .sweep import Candidate, SearchNest


def n_weights(model: Any) -> int:
    """Return the number of weights that are not zero."""
    return int(np.count_nonzero(read(find_leaf(model).estimator)[0]))


def neg_size_scorer(estimator: Any, X: Any = None, y: Any = None, sample_weight: Any = None) -> float:
    """Return minus the bytes that the model takes, see `size_bytes`.

    Parameters
    ----------
    estimator : estimator
        A fitted linear model that `compact` takes.
    X, y, sample_weight : object, default=None
        Not used.

    Returns
    -------
    score : float
        The higher the smaller.

    See Also
    --------
    size_bytes : The bytes of one model.
    score_and_size : The score and all sizes in one callable.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import neg_size_scorer, size_bytes
    >>> model = LinearRegression().fit([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1.0, 3.0, 4.0])
    >>> neg_size_scorer(model) == -size_bytes(model)
    True
    """
    return -float(size_bytes(compact(estimator)))


def neg_nonzero_scorer(estimator: Any, X: Any = None, y: Any = None, sample_weight: Any = None) -> float:
    """Return minus the number of weights that are not zero, over all outputs.

    Parameters
    ----------
    estimator : estimator
        A fitted linear model, or a pipeline or wrapper around one.
    X, y, sample_weight : object, default=None
        Not used.

    Returns
    -------
    score : float
        The higher the smaller.

    See Also
    --------
    neg_inputs_scorer : Counts inputs in place of weights.
    score_and_size : The score and all sizes in one callable.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import neg_nonzero_scorer
    >>> model = LinearRegression().fit([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1.0, 3.0, 4.0])
    >>> neg_nonzero_scorer(model)
    -2.0
    """
    return -float(n_weights(estimator))


def neg_inputs_scorer(estimator: Any, X: Any = None, y: Any = None, sample_weight: Any = None) -> float:
    """Return minus the number of raw inputs that the model reads.

    Parameters
    ----------
    estimator : estimator
        A fitted linear model that `compact` takes.
    X, y, sample_weight : object, default=None
        Not used.

    Returns
    -------
    score : float
        The higher the fewer.

    See Also
    --------
    neg_nonzero_scorer : Counts weights in place of inputs.
    score_and_size : The score and all sizes in one callable.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import neg_inputs_scorer
    >>> model = LinearRegression().fit([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1.0, 3.0, 4.0])
    >>> neg_inputs_scorer(model)
    -2.0
    """
    return -float(len(compact(estimator).inputs))


class ScoreAndSize:
    """A score together with what the model takes; see `score_and_size`."""

    def __init__(self, scoring: Any):
        self.scoring = scoring

    def __call__(self, estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> dict[str, float]:
        """Return the score, the bytes, the weights and the inputs of a fitted model."""
        scorer = scorer_of(estimator, self.scoring)
        params = {} if sample_weight is None or not takes_weight(scorer) else {"sample_weight": sample_weight}
        shipped = compact(estimator)
        return {
            "score": float(scorer(estimator, X, y, **params)),
            "size": float(size_bytes(shipped)),
            "weights": float(n_weights(estimator)),
            "inputs": float(len(shipped.inputs)),
        }

    def __repr__(self) -> str:
        return f"score_and_size({self.scoring!r})"


def score_and_size(scoring: Any = None) -> Callable[..., dict[str, float]]:
    """Return a `scoring` for GridSearchCV that tells the score and the size of every candidate.

    Parameters
    ----------
    scoring : str, callable or None, default=None
        The score; None: the estimator's own.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y) -> {"score", "size", "weights", "inputs"}``: the score, the bytes that ship, the
        weights that are not zero and the raw inputs read. Sizes are positive, so that of the ranks in `cv_results_`
        that of the score alone means something. One callable, which can be pickled and goes with a search's
        `fit(X, y, sample_weight=...)`.

    See Also
    --------
    smallest_within : The `refit` that goes with it.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import score_and_size
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> found = score_and_size()(LinearRegression().fit(X, y), X, y)
    >>> found["score"], found["weights"], found["inputs"]
    (1.0, 1.0, 1.0)
    """
    return ScoreAndSize(scoring)


N_SIZES = 20
"""How many sizes are tried where none are given, or fewer where the model has fewer units."""


def bytes_of(model: Any) -> float:
    """Return the bytes of a model; where its transformers cannot be compiled, those of its linear part."""
    try:
        return float(size_bytes(compact(model)))
    except ValueError:
        return float(size_bytes(compact(linear_part(model))))


def linear_part(model: Any) -> Any:
    """Return a wrapper around the leaf of a model alone, with the grid of its weights."""
    leaf = find_leaf(model)
    shell: Any = PrunedRegressor()
    shell.estimator_, shell.state_ = leaf.estimator, leaf.state
    return shell


def n_inputs(support: Mask, columns: Columns) -> int:
    """Return how many raw inputs the weights of a support (m, p) read."""
    used = np.flatnonzero(support.any(axis=0))
    return len(frozenset().union(*(columns.origins[j] for j in used)))


SIZES = ("bytes", "weights", "inputs")
"""What `size` may be, beside a callable of the fitted model."""


def check_size(size: Any) -> None:
    """Raise ValueError unless this is a name in `SIZES` or a callable."""
    if not callable(size) and size not in SIZES:
        raise ValueError(f"size must be one of {list(SIZES)} or a callable of the fitted model, got {size!r}")


def measure(
    nest: SearchNest, fitted: Run, candidates: Sequence[Candidate], size: Any, *, with_bytes: bool
) -> dict[str, Floats]:
    """Return "size", "weights", "inputs" and "bytes" of all candidates; bytes are NaN unless they are asked for."""
    supports = [candidate.state.weights != 0 for candidate in candidates]
    sizes = {
        "weights": np.array([support.sum() for support in supports], dtype=np.float64),
        "inputs": np.array([n_inputs(support, fitted.columns) for support in supports], dtype=np.float64),
        "bytes": np.full(len(candidates), np.nan),
    }
    if with_bytes:
        sizes["bytes"] = bytes_at(nest, fitted, candidates, range(len(candidates)))
    if callable(size):
        lent = (lend(nest, fitted, candidate) for candidate in candidates)
        return {"size": np.array([size(model) for model in lent], dtype=np.float64), **sizes}
    return {"size": sizes[size], **sizes}


def bytes_at(nest: SearchNest, fitted: Run, candidates: Sequence[Candidate], places: Iterable[int]) -> Floats:
    """Return the bytes of the candidates at these places."""
    lent = (lend(nest, fitted, candidates[place], assess=False) for place in places)
    return np.array([bytes_of(model) for model in lent], dtype=np.float64)


def default_sizes(nest: SearchNest, fitted: Run) -> list[int]:
    """Return up to `N_SIZES` numbers of units, all of them or evenly spaced on a logarithmic scale."""
    wrapper: Any = next(step.wrapper for step in nest.steps if step.parameter == "n_nonzero")
    support, columns = fitted.state.support, fitted.columns
    keep = None if wrapper.keep is None else columns.select(wrapper.keep, "keep")
    units = units_of(support, columns.labels(wrapper.feature_groups), keep)
    available = units.available
    if units.per_output:
        most = int(support.sum(axis=1).max(initial=1))
        least = int(units.kept_columns.sum())
    else:
        most, least = int(available.sum()), int((units.kept & available).sum())
    least, most = max(1, least), max(1, most)
    if most - least < N_SIZES:
        return list(range(least, most + 1))
    return np.unique(np.geomspace(least, most, N_SIZES).round().astype(int)).tolist()


def checked_values(values: Any, name: str) -> list[Any]:
    """Return the values of a parameter as a list: a single one, or those of a sequence, each once.

    Raises
    ------
    ValueError
        If there are none.
    """
    if hasattr(values, "tolist"):
        values = values.tolist()
    single = values is None or (np.ndim(values) == 0 and not isinstance(values, range))
    listed = [values] if single else list(dict.fromkeys(values))
    if not listed:
        raise ValueError(f"{name} must hold at least one value, got {values!r}")
    return listed

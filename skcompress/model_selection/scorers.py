"""Sizes as scorers, for searches that take any scorer.

A scorer is `scorer(estimator, X, y) -> float`, the higher the better, so that sizes are negative in the scorers that
stand alone and positive in `score_and_size`, whose numbers are for reading.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..artifact import size_bytes
from ..linear.compacting import compact
from ..linear.containers import find_leaf
from ..linear.view import read
from .held_out import scorer_of, takes_weight


def n_weights(model: Any) -> int:
    """Return the number of weights that are not zero."""
    return int(np.count_nonzero(read(find_leaf(model).estimator)[0]))


def neg_size_scorer(estimator: Any, X: Any = None, y: Any = None, sample_weight: Any = None) -> float:
    """Return minus the bytes that the model takes, see `size_bytes`.

    Parameters
    ----------
    estimator : estimator
        A fitted linear model that `compact` takes.
    X, y, sample_weight
        Not used.

    Returns
    -------
    score : float
        The higher the smaller.
    """
    return -float(size_bytes(compact(estimator)))


def neg_nonzero_scorer(estimator: Any, X: Any = None, y: Any = None, sample_weight: Any = None) -> float:
    """Return minus the number of weights that are not zero, over all outputs.

    Parameters
    ----------
    estimator : estimator
        A fitted linear model, or a pipeline or wrapper around one.
    X, y, sample_weight
        Not used.

    Returns
    -------
    score : float
        The higher the smaller.
    """
    return -float(n_weights(estimator))


def neg_inputs_scorer(estimator: Any, X: Any = None, y: Any = None, sample_weight: Any = None) -> float:
    """Return minus the number of raw inputs that the model reads.

    Parameters
    ----------
    estimator : estimator
        A fitted linear model that `compact` takes.
    X, y, sample_weight
        Not used.

    Returns
    -------
    score : float
        The higher the fewer.
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
    """
    return ScoreAndSize(scoring)

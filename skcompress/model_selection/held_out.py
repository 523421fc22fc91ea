"""Score many weight vectors of one linear model on held-out rows.

Three ways, the first that applies:

1. R2 and squared error from the moments of the rows, or from all linear predictors at once. With centred moments
   G = Xc'SXc, C = Xc'SYc, V = diag(Yc'SYc), s = sum(S),

       sum of squares(w, b) = w'G w - 2 C'w + V + s (mean(y) - mean(x)'w - b)^2

2. scorers that look at predictions alone: all linear predictors at once; each then goes through a copy of the model
   whose own weights are the identity, so that links, labels and inverse transforms are the model's own;
3. any callable: the model itself, with the weights written into it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from inspect import signature
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import RegressorMixin, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring, make_scorer, r2_score
from sklearn.pipeline import Pipeline

from ..core.gram import DenseGram, gram_of, weighted_mean
from ..core.linalg import Floats
from ..linear.containers import find_leaf, is_wrapper
from ..linear.rows import count_rows, take_rows
from ..linear.view import as_matrix, identity_of, read
from .fold_moments import Moments

AT_ONCE = 2**22
"""Linear predictors held at a time."""

_PROBED = 8

Lines = Sequence[tuple[Floats, Floats]]
"""Weights (m, p) and intercepts (m,) of each candidate."""


def _r2(errors: Floats, spread: Floats, total: float) -> Floats:
    score = 1 - errors / np.where(spread > 0, spread, 1.0)
    return np.where(spread > 0, score, np.where(errors > 0, 0.0, 1.0)).mean(axis=1)


def _negative_mse(errors: Floats, spread: Floats, total: float) -> Floats:
    return -(errors / total).mean(axis=1)


def _negative_rmse(errors: Floats, spread: Floats, total: float) -> Floats:
    return -np.sqrt(errors / total).mean(axis=1)


SQUARED: dict[str, Callable[[Floats, Floats, float], Floats]] = {
    "r2": _r2,
    "neg_mean_squared_error": _negative_mse,
    "neg_root_mean_squared_error": _negative_rmse,
}
"""Scores as functions of the sums of squared errors (c, m), those around the mean (m,) and the sum of the weights."""


class HeldOut:
    """Held-out rows on which candidates are scored.

    Parameters
    ----------
    fitted : estimator
        The fitted model whose weights the candidates replace.
    X, y, sample_weight
        Held-out rows; None for no weights.
    scoring : str, callable or None
        As in GridSearchCV, one metric.
    moments : Moments, default=None
        Second moments of these rows, weighted by `sample_weight`, where they are known already.

    Raises
    ------
    ValueError
        If all weights are 0 and the score takes them, y holds NaN, or `scoring` names several metrics.
    """

    def __init__(self, fitted: Any, X: Any, y: Any, sample_weight: Any, scoring: Any, moments: Moments | None = None):
        target = np.asarray(y)
        if target.dtype.kind == "f" and np.isnan(target).any():
            raise ValueError("Input y contains NaN: leave out the rows without a target, which cannot be scored")
        self.fitted = fitted
        self.X, self.y = X, y
        self.scoring, self.moments = scoring, moments
        self.scorer = scorer_of(fitted, scoring)
        self.params = {} if sample_weight is None or not takes_weight(self.scorer) else {"sample_weight": sample_weight}
        n_rows = count_rows(X)
        weight = np.ones(n_rows) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        self.weight: Floats = np.broadcast_to(weight, n_rows)
        if self.params and not self.weight.any():
            raise ValueError(
                f"sample_weight is 0 on all {n_rows} rows of a test fold, which cannot be scored: leave them out, "
                "or give cv a splitter that spreads them over the folds, such as KFold(shuffle=True)"
            )
        self.leaf = find_leaf(fitted).estimator
        if np.ndim(y) == 2 and np.shape(y)[1] == 1 and np.ndim(self.leaf.coef_) == 1:
            self.y = np.asarray(y)[:, 0]
        self.reader: Any = reader_of(fitted, self.leaf) if predicts_alone(scoring) else None
        if self.reader is not None:
            self.matrix = as_matrix(find_leaf(fitted, X).X)
            if not self._reader_agrees():
                self.reader = None

    def scores(self, lines: Lines, write_into: Callable[[int], Any]) -> Floats:
        """Return the score of each candidate, shape (c,).

        Parameters
        ----------
        lines : sequence of (weights, intercept)
            The candidates.
        write_into : callable
            From a candidate's place to the model that holds it, for scorers that look at more than predictions.
        """
        if self.reader is None:
            models = (write_into(place) for place in range(len(lines)))
            return np.array([self.scorer(model, self.X, self.y, **self.params) for model in models], dtype=np.float64)
        lines = [self._as_written(weights, intercept) for weights, intercept in lines]
        rule = self._squared_rule()
        if rule is not None:
            return rule(*self._squared_errors(lines))
        scores: list[float] = []
        for eta in self._predictors(lines):
            scores.extend(self.scorer(self.reader, part, self.y, **self.params) for part in eta)
        return np.array(scores, dtype=np.float64)

    def _reader_agrees(self) -> bool:
        """Tell whether the reader gives the model's own predictions on a few rows."""
        weights, intercept = read(self.leaf)
        rows = take_rows(self.X, np.arange(min(_PROBED, count_rows(self.X))))
        eta = self.matrix[:_PROBED] @ weights.T + intercept
        told, asked = np.asarray(self.reader.predict(eta)), np.asarray(self.fitted.predict(rows))
        if told.dtype.kind != "f":
            return bool((told == asked).all())
        return told.shape == asked.shape and np.allclose(told, asked, rtol=1e-5, atol=1e-8)

    def _as_written(self, weights: Floats, intercept: Floats) -> tuple[Floats, Floats]:
        """Return a candidate in the precision of the leaf."""
        dtype = self.leaf.coef_.dtype
        return weights.astype(dtype).astype(np.float64), intercept.astype(dtype).astype(np.float64)

    def _squared_rule(self) -> Callable[[Floats, Floats, float], Floats] | None:
        """Return the score in terms of squared errors of the linear predictor, if it is one."""
        name = self.scoring
        if name is None and type(scored_by(self.fitted)).score is RegressorMixin.score:
            name = "r2"
        if name not in SQUARED or not is_regressor(self.leaf) or count_rows(self.X) < 2:
            return None
        probe = np.linspace(-1.0, 1.0, 2 * len(read(self.leaf)[0])).reshape(2, -1)
        straight = np.array_equal(np.asarray(self.reader.predict(probe)).reshape(probe.shape), probe)
        return SQUARED[name] if straight else None

    def _squared_errors(self, lines: Lines) -> tuple[Floats, Floats, float]:
        total = float(self.weight.sum())
        target = np.asarray(self.y, dtype=np.float64).reshape(len(self.weight), -1)
        mean = self.weight @ target / total
        centred = target - mean
        spread = self.weight @ centred**2
        used = np.flatnonzero(np.any([(weights != 0).any(axis=0) for weights, _ in lines], axis=0))
        if 0 < len(used) < len(lines) * len(mean) and not sp.issparse(self.matrix):
            return self._from_moments(lines, used, mean, centred, spread), spread, total
        errors = []
        for eta in self._predictors(lines):
            rest = target - eta
            errors.append(np.einsum("n,cnm->cm", self.weight, rest * rest))
        return np.concatenate(errors), spread, total

    def _from_moments(self, lines: Lines, used: Any, mean: Floats, centred: Floats, spread: Floats) -> Floats:
        weight, total = self.weight, float(self.weight.sum())
        matrix = self.matrix if len(used) == self.matrix.shape[1] else self.matrix[:, used]
        if self.moments is None:
            centre = weighted_mean(matrix, weight)
            gram = gram_of(matrix, weight, centre)
        else:
            centre = self.moments.mean[used]
            gram = DenseGram(self.moments.products[np.ix_(used, used)])
        cross = (matrix.T @ (centred * weight[:, None])) - np.outer(centre, weight @ centred)
        W = np.stack([weights[:, used] for weights, _ in lines])
        b = np.stack([intercept for _, intercept in lines])
        curved = np.einsum("cmp,cmp->cm", gram.dot(W.reshape(-1, len(used))).reshape(W.shape), W)
        crossed = np.einsum("cmp,pm->cm", W, cross)
        return np.maximum(curved - 2 * crossed + spread + total * (mean - W @ centre - b) ** 2, 0.0)

    def _predictors(self, lines: Lines) -> Iterator[Floats]:
        """Yield the linear predictors of some candidates at a time, shape (c, n, m)."""
        n_outputs, n_rows = len(lines[0][1]), count_rows(self.X)
        step = max(1, AT_ONCE // (n_rows * n_outputs))
        for start in range(0, len(lines), step):
            part = lines[start : start + step]
            stacked = np.concatenate([weights for weights, _ in part])
            eta = np.asarray(self.matrix @ stacked.T).reshape(n_rows, len(part), n_outputs)
            yield np.moveaxis(eta, 1, 0) + np.stack([intercept for _, intercept in part])[:, None, :]


def scorer_of(estimator: Any, scoring: Any) -> Callable[..., float]:
    """Return the scorer that GridSearchCV would use.

    Raises
    ------
    ValueError
        If `scoring` names several metrics.
    """
    if isinstance(scoring, (list, tuple, set, dict)):
        raise ValueError(f"scoring must be one metric: a name, a callable or None; got {scoring!r}")
    return check_scoring(estimator, scoring)


def takes_weight(scorer: Callable[..., float]) -> bool:
    """Return whether a scorer can be given sample_weight."""
    names = signature(scorer).parameters
    return "sample_weight" in names or any(p.kind is p.VAR_KEYWORD for p in names.values())


def scored_by(model: Any) -> Any:
    """Return the estimator whose score method decides, behind wrappers, pipelines and frozen estimators."""
    if is_wrapper(model):
        return scored_by(model.estimator_)
    if isinstance(model, Pipeline):
        return scored_by(model[-1])
    return scored_by(model.estimator) if isinstance(model, FrozenEstimator) else model


def predicts_alone(scoring: Any) -> bool:
    """Return whether a scorer is one of scikit-learn's, which look at predictions and nothing else."""
    return scoring is None or isinstance(scoring, (str, type(make_scorer(r2_score))))


def reader_of(model: Any, leaf: Any) -> Any:
    """Return a copy of a model that takes the linear predictor (n, m) for X, or None where that cannot be had."""
    if model is leaf:
        return identity_of(leaf)
    if is_wrapper(model):
        return reader_of(model.estimator_, leaf)
    if isinstance(model, Pipeline):
        return reader_of(model[-1], leaf)
    if isinstance(model, FrozenEstimator):
        return reader_of(model.estimator, leaf)
    if isinstance(model, TransformedTargetRegressor):
        inside = reader_of(model.regressor_, leaf)
        outer = copy.copy(model)
        vars(outer).pop("feature_names_in_", None)
        outer.regressor_ = inside
        return None if inside is None else outer
    return None

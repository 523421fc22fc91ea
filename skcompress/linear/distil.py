"""The arithmetic of distilling: two fits of one linear model, added up.

    w = (1 - alpha) w_y + alpha w_T

w_y is the student fitted on y. w_T is the student fitted on the teacher's answers for all rows; where there are
unlabelled rows and the link is the identity, the student fitted on the labelled rows' residuals, y minus the teacher's
out-of-fold answer, is added to it, which takes out the teacher's bias (prediction-powered inference; Angelopoulos
et al., Science 2023, equation 2). Every fit uses the same features, those of the student fitted on y, so that the sum
is one linear model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone

from ..core.linalg import Floats
from .curvature import fit_of
from .deviance import Squared, Tweedie
from .view import Leaf, as_matrix, find_leaf, read, write


@dataclass(frozen=True)
class Answers:
    """What the teacher says.

    Attributes
    ----------
    labelled : ndarray of shape (n,) or (n, m)
        For the labelled rows: out of fold, or in sample.
    X_unlabeled : {array-like, sparse matrix, dataframe} of shape (u, p) or None
        Rows without a target.
    unlabeled : ndarray of shape (u,) or (u, m) or None
        For those rows.
    """

    labelled: Any
    X_unlabeled: Any = None
    unlabeled: Any = None


@dataclass(frozen=True)
class Line:
    """A linear predictor: weights (m, p) and intercept (m,)."""

    weights: Floats
    intercept: Floats

    def blend(self, other: Line, alpha: float) -> Line:
        """Return (1 - alpha) self + alpha other."""
        return Line(
            (1 - alpha) * self.weights + alpha * other.weights,
            (1 - alpha) * self.intercept + alpha * other.intercept,
        )

    def predict(self, X: Any) -> Floats:
        """Return the linear predictor, shape (n, m)."""
        return X @ self.weights.T + self.intercept


def lines_of(fitted: Any, X: Any, y: Any, sample_weight: Any, answers: Answers, debias: bool) -> list[Line]:
    """Return the student of y and the student of the teacher as linear predictors of the same features.

    Parameters
    ----------
    fitted : estimator
        The student fitted on X and y.
    X, y, sample_weight
        What it was fitted on.
    answers : Answers
        The teacher's.
    debias : bool
        Whether the residuals of the labelled rows are fitted too, where there are unlabelled rows.
    """
    leaf = find_leaf(fitted, X, y, sample_weight)
    own = Line(*read(leaf.estimator))
    taught = find_leaf(fitted, X, _like(answers.labelled, y), sample_weight)
    if answers.X_unlabeled is None:
        return [own, _refit(leaf, as_matrix(leaf.X), taught.y, leaf.sample_weight)]
    more = find_leaf(fitted, answers.X_unlabeled, _like(answers.unlabeled, y))
    X_all = _stack(as_matrix(leaf.X), as_matrix(more.X))
    y_all = np.concatenate([taught.y, more.y])
    weight = leaf.sample_weight
    weight_all = None if weight is None else np.concatenate([weight, np.full(len(more.y), np.mean(weight))])
    teacher = _refit(leaf, X_all, y_all, weight_all)
    if debias and has_identity_link(leaf.estimator):
        rest = _refit(leaf, as_matrix(leaf.X), np.asarray(leaf.y) - taught.y, weight)
        teacher = Line(teacher.weights + rest.weights, teacher.intercept + rest.intercept)
    return [own, teacher]


def choose_alpha(errors: Floats, alphas: Sequence[float], row_weight: Floats) -> float:
    """Return the share of the teacher with the least held-out error, or 0 unless it gains more than one standard error.

    Parameters
    ----------
    errors : ndarray of shape (n, 1 + len(alphas))
        Held-out deviance of each row: without the teacher, then with each share.
    alphas : sequence of float
        The shares.
    row_weight : ndarray of shape (n,)
        Sample weights divided by their sum.
    """
    gains = errors[:, :1] - errors[:, 1:]
    means = row_weight @ gains
    best = int(np.argmax(means))
    variance = row_weight @ (gains[:, best] - means[best]) ** 2
    # The variance of a weighted mean: the sum of the squared weights takes the place of 1 / n.
    standard_error = np.sqrt(variance * (row_weight**2).sum())
    return alphas[best] if means[best] > standard_error else 0.0


def held_out_errors(fitted: Any, lines: Sequence[Line], X: Any, y: Any) -> Floats:
    """Return the deviance of each held-out row under each line, shape (n, len(lines))."""
    leaf = find_leaf(fitted, X, y)
    fit = fit_of(leaf.estimator, 1.0)
    deviance = Squared() if fit is None else fit.deviance
    matrix, target = as_matrix(leaf.X), np.asarray(leaf.y, dtype=np.float64)
    target = target.reshape(len(target), -1)
    return np.column_stack([deviance.value(target, line.predict(matrix)).mean(axis=1) for line in lines])


def has_identity_link(estimator: Any) -> bool:
    """Return whether the leaf predicts its linear predictor, so that fits can be added."""
    fit = fit_of(estimator, 1.0)
    return fit is None or not (isinstance(fit.deviance, Tweedie) and fit.deviance.log_link)


def write_line(fitted: Any, line: Line) -> None:
    """Write a linear predictor at the leaf of a fitted model."""
    write(find_leaf(fitted).estimator, line.weights, line.intercept)


def _refit(leaf: Leaf, X: Any, y: Any, sample_weight: Any) -> Line:
    params = {} if sample_weight is None else {"sample_weight": sample_weight}
    return Line(*read(clone(leaf.estimator).fit(X, y, **params)))


def _like(answers: Any, y: Any) -> Any:
    """Return the teacher's answers with as many dimensions as y."""
    answers = np.asarray(answers)
    return answers.reshape(-1, 1) if np.ndim(y) == 2 and answers.ndim == 1 else answers


def _stack(first: Any, second: Any) -> Any:
    if sp.issparse(first):
        return sp.csr_array(sp.vstack([first, second]))
    return np.concatenate([first, second])

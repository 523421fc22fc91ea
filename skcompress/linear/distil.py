"""The arithmetic of distilling: fits of one kind of linear model, added up.

    w = (1 - alpha) w_y + alpha w_T

w_y is the student fitted on y. w_T is the student fitted on the teacher's answers for all rows. Every fit uses the
same features, those of the student fitted on y, so that the sum is one linear model; for classifiers and log links it
is a sum on the scale of the linear predictor, the log-odds.

Where there are unlabelled rows, w_T is debiased (prediction-powered inference; Angelopoulos et al., Science 2023,
equation 2): what the labelled rows say against the teacher is added as one Newton step from w_T,

    v = argmin sum_i D_i (r_i / D_i - x_i'v)^2 + ridge,   r_i = slope(f_i, x_i'w_T) - slope(y_i, x_i'w_T),

f_i the out-of-fold answer, D_i the curvature of half the deviance; for squared loss r = y - f and D = 1. These
residuals have far less signal than y, so that the ridge has a penalty of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from ..core.linalg import Floats, Indices
from .containers import Leaf, find_leaf
from .curvature import Fit, class_factors, fit_of, numeric_target
from .fitting import leaf_weight
from .losses import Huber, Logistic, Softmax, Squared, Tweedie
from .rows import count_rows, has_rows, stack_rows
from .soft_labels import align, fit_soft, shrunk_fit, soften
from .view import as_matrix, fits_intercept, read, write

_FLATTEST = 0.1
"""Least curvature of a row in a Newton step, as a share of the mean."""

_LEAST_CHANCE = 1e-3
"""Least probability, or share of the mean count, that a teacher's own answer is judged by: a tree may say 0."""


@dataclass(frozen=True)
class Answers:
    """What the teacher says.

    Attributes
    ----------
    labelled : ndarray of shape (n,) or (n, m)
        For the labelled rows: out of fold, or in sample. Probabilities (n, K) where `classes` are given, the numbers
        of a code (n, d) where `is_code`.
    X_unlabeled : {array-like, sparse matrix, dataframe} of shape (u, p) or None
        Rows without a target.
    unlabeled : ndarray of shape (u,) or (u, m) or None
        For those rows.
    classes : ndarray of shape (K,) or None
        Labels of the columns of a classifier's answers.
    is_code : bool
        Whether the teacher gives a representation of each row instead of an answer.
    """

    labelled: Any
    X_unlabeled: Any = None
    unlabeled: Any = None
    classes: NDArray[Any] | None = None
    is_code: bool = False

    def of_rows(self, rows: Indices) -> Answers:
        """Return the answers for some of the labelled rows alone."""
        return Answers(self.labelled[rows], classes=self.classes, is_code=self.is_code)


@dataclass(frozen=True)
class Line:
    """A linear predictor: weights (m, p) and intercept (m,)."""

    weights: Floats
    intercept: Floats

    def blend(self, other: Line, alpha: float) -> Line:
        """Return (1 - alpha) self + alpha other."""
        return self.times(1 - alpha).plus(other.times(alpha))

    def times(self, factor: float) -> Line:
        """Return factor * self."""
        return Line(factor * self.weights, factor * self.intercept)

    def plus(self, other: Line) -> Line:
        """Return self + other."""
        return Line(self.weights + other.weights, self.intercept + other.intercept)

    def predict(self, X: Any) -> Floats:
        """Return the linear predictor, shape (n, m)."""
        return X @ self.weights.T + self.intercept


@dataclass(frozen=True)
class Taught:
    """The teacher's answers as the student's leaf sees them.

    Attributes
    ----------
    X, X_all : {ndarray, csr_array}
        The labelled rows, and with the unlabelled ones below them.
    labelled, all : ndarray
        The answers for these rows.
    weight, weight_all : ndarray
        Weights of these rows; an unlabelled row weighs as much as the mean labelled one.
    weighted : bool
        Whether weights were given.
    """

    X: Any
    X_all: Any
    labelled: Floats
    all: Floats
    weight: Floats
    weight_all: Floats
    weighted: bool


def lines_of(
    fitted: Any,
    X: Any,
    y: Any,
    params: Mapping[str, Any],
    answers: Answers,
    debias: bool,
    temperature: float = 1.0,
    strengths: Sequence[float | None] = (None,),
) -> list[Line]:
    """Return the student of y and students of the teacher as linear predictors of the same features.

    Parameters
    ----------
    fitted : estimator
        The student fitted on X and y.
    X, y
        What it was fitted on.
    params : dict
        Arguments of its fit, among them the weights of the rows.
    answers : Answers
        The teacher's.
    debias : bool
        Whether the labelled rows correct the teacher, where there are unlabelled rows.
    temperature : float, default=1.0
        By which the log-odds of a classifier's answers are divided.
    strengths : sequence of float or None, default=(None,)
        Penalties of the correction; None: chosen by generalised cross-validation.

    Returns
    -------
    lines : list of Line
        The student of y; then the student of the teacher, once for each strength, or once where nothing is corrected.
    """
    leaf = find_leaf(fitted, X, y, leaf_weight(params), params=params)
    if answers.X_unlabeled is not None:
        _require_for_all_rows(leaf)
    own = Line(*read(leaf.estimator))
    taught = _taught(fitted, leaf, y, answers)
    if answers.is_code:
        return [own, _through_code(leaf, taught)]
    if answers.classes is None:
        line = _fit(leaf, taught.X_all, taught.all, taught.weight_all if taught.weighted else None)
    else:
        soft = soften(taught.all, temperature)
        line = Line(*read(fit_soft(leaf, taught.X_all, soft, taught.weight_all))).times(temperature)
    fit = fit_of(leaf.estimator, float(taught.weight.sum()))
    if not debias or answers.X_unlabeled is None or (fit is None and answers.classes is not None):
        return [own, line]
    pull = _pull(leaf, line, taught, Fit(Squared()) if fit is None else fit)
    return [own, *(line.plus(_correction(leaf, own, line, taught.X, *pull, strength)) for strength in strengths)]


def _taught(fitted: Any, leaf: Leaf, y: Any, answers: Answers) -> Taught:
    X = as_matrix(leaf.X)
    weighted = leaf.sample_weight is not None
    weight = np.asarray(leaf.sample_weight, dtype=np.float64) if weighted else np.ones(X.shape[0])
    labelled = _at_leaf(fitted, leaf, y, answers, answers.labelled)
    if answers.X_unlabeled is None:
        return Taught(X, X, labelled, labelled, weight, weight, weighted)
    more = as_matrix(find_leaf(fitted, answers.X_unlabeled).X)
    X_all = stack_rows([X, more])
    everything = np.concatenate([labelled, _at_leaf(fitted, leaf, y, answers, answers.unlabeled)])
    weight_all = np.concatenate([weight, np.full(more.shape[0], weight.mean())])
    return Taught(X, X_all, labelled, everything, weight, weight_all, weighted)


def _at_leaf(fitted: Any, leaf: Leaf, y: Any, answers: Answers, given: Any) -> Floats:
    """Return answers in the terms of the leaf: its classes, or its transformed target."""
    if answers.is_code:
        return np.asarray(given, dtype=np.float64)
    if answers.classes is not None:
        return align(given, answers.classes, leaf.estimator.classes_)
    target: Floats = np.asarray(find_leaf(fitted, y=_like(given, y)).y, dtype=np.float64)
    fit = fit_of(leaf.estimator, 1.0)
    if fit is not None and isinstance(fit.deviance, Tweedie) and fit.deviance.log_link:
        return np.clip(target, np.min(leaf.y), np.max(leaf.y))
    return target


def _pull(leaf: Leaf, line: Line, taught: Taught, fit: Fit) -> tuple[Floats, Floats]:
    """Return the r_i and D_i of the module's docstring, times the weights of the rows, shape (n, m) each."""
    n_outputs = len(line.weights)
    y, answer = numeric_target(leaf, n_outputs), taught.labelled
    weight_y = weight_answer = taught.weight[:, None]
    if hasattr(leaf.estimator, "classes_"):
        factors, indicator = class_factors(leaf), numeric_target(leaf, len(leaf.estimator.classes_))
        weight_y = weight_y * (indicator @ factors)[:, None]
        share = (answer @ factors)[:, None]
        answer, weight_answer = answer * factors / share, weight_answer * share
        answer = answer[:, 1:] if n_outputs == 1 else answer
    y, answer = fit.target(y), fit.target(answer.reshape(len(y), -1))
    eta, deviance = line.predict(taught.X), fit.deviance
    pull = weight_answer * deviance.slope(answer, eta) - weight_y * deviance.slope(y, eta)
    curvature = np.ones_like(eta) if isinstance(deviance, Huber) else deviance.curvature(answer, eta)
    return pull, weight_answer * np.maximum(curvature, _FLATTEST * curvature.mean(axis=0))


def _correction(
    leaf: Leaf, own: Line, line: Line, X: Any, pull: Floats, curvature: Floats, strength: float | None
) -> Line:
    """Return the Newton step that the labelled rows ask for; zeros of a sparse student stay zero."""
    step = Line(np.zeros_like(line.weights), np.zeros_like(line.intercept))
    for output in range(len(line.weights)):
        used = np.flatnonzero((own.weights[output] != 0) | (line.weights[output] != 0))
        rows = np.flatnonzero(curvature[:, output] > 0)
        D = curvature[rows, output]
        target = pull[rows, output : output + 1] / D[:, None]
        weights, intercept = shrunk_fit(X[rows][:, used], target, D, fits_intercept(leaf.estimator), strength)
        step.weights[output, used], step.intercept[output] = weights[0], intercept[0]
    return step


def _through_code(leaf: Leaf, taught: Taught) -> Line:
    """Return decoder(encoder(x)) as one linear predictor.

    The encoder maps the student's features to the code on all rows; the decoder, a model of the student's own kind,
    maps what the encoder gives to y on the labelled rows.
    """
    encoder = Line(*shrunk_fit(taught.X_all, taught.all, taught.weight_all, True))
    decoder = _fit(leaf, encoder.predict(taught.X), leaf.y, taught.weight if taught.weighted else None)
    return Line(decoder.weights @ encoder.weights, decoder.weights @ encoder.intercept + decoder.intercept)


def choose(errors: Floats, row_weight: Floats, margin: float = 1.0) -> int:
    """Return the column with the least held-out error, or 0 unless it gains more than `margin` standard errors on it.

    Parameters
    ----------
    errors : ndarray of shape (n, n_candidates)
        Held-out deviance of each row.
    row_weight : ndarray of shape (n,)
        Sample weights divided by their sum.
    margin : float, default=1.0
        In standard errors of the mean gain.
    """
    gains = errors[:, :1] - errors
    means = row_weight @ gains
    best = int(np.argmax(means))
    variance = row_weight @ (gains[:, best] - means[best]) ** 2
    # The variance of a weighted mean: the sum of the squared weights takes the place of 1 / n.
    standard_error = np.sqrt(variance * (row_weight**2).sum())
    return best if means[best] > margin * standard_error else 0


def held_out_errors(fitted: Any, lines: Sequence[Line], X: Any, y: Any) -> Floats:
    """Return the deviance of each held-out row under each line, shape (n, len(lines)).

    A classifier whose loss has no curvature is judged by the hinge loss.
    """
    leaf = find_leaf(fitted, X, y)
    fit = fit_of(leaf.estimator, 1.0)
    matrix, target = as_matrix(leaf.X), numeric_target(leaf, len(lines[0].weights))
    predictors = [line.predict(matrix) for line in lines]
    if fit is None and hasattr(leaf.estimator, "classes_"):
        return np.column_stack([np.maximum(0, 1 - (2 * target - 1) * eta).mean(axis=1) for eta in predictors])
    deviance, target = (Squared(), target) if fit is None else (fit.deviance, fit.target(target))
    return np.column_stack([deviance.value(target, eta).mean(axis=1) for eta in predictors])


def answer_errors(fitted: Any, X: Any, y: Any, answers: Answers) -> Floats | None:
    """Return the deviance of each row under the teacher's own answers, shape (n,), in the terms of the student's loss.

    None where they cannot be compared: codes, and probabilities beside a loss that has no curvature.
    """
    leaf = find_leaf(fitted, X, y)
    fit = fit_of(leaf.estimator, 1.0)
    if answers.is_code or (fit is None and answers.classes is not None):
        return None
    fit = Fit(Squared()) if fit is None else fit
    n_outputs = len(read(leaf.estimator)[0])
    answer = _at_leaf(fitted, leaf, y, answers, answers.labelled)
    if answers.classes is not None:
        answer = np.clip(answer, _LEAST_CHANCE, 1 - _LEAST_CHANCE)
        answer = answer[:, 1:] if n_outputs == 1 else answer
    target = fit.target(numeric_target(leaf, n_outputs))
    answer = fit.target(answer.reshape(len(target), -1))
    if isinstance(fit.deviance, Tweedie) and fit.deviance.log_link:
        answer = np.maximum(answer, _LEAST_CHANCE * max(float(target.mean()), np.finfo(float).tiny))
    return fit.deviance.value(target, fit.deviance.start(answer)).mean(axis=1)


def has_log_odds(estimator: Any) -> bool:
    """Return whether a fitted leaf's linear predictor is a log-odds, to which a temperature applies."""
    fit = fit_of(estimator, 1.0)
    return fit is not None and isinstance(fit.deviance, (Logistic, Softmax))


def write_line(fitted: Any, line: Line) -> None:
    """Write a linear predictor at the leaf of a fitted model."""
    write(find_leaf(fitted).estimator, line.weights, line.intercept)


def _fit(leaf: Leaf, X: Any, y: Any, sample_weight: Any) -> Line:
    weight = {} if sample_weight is None else {"sample_weight": sample_weight}
    return Line(*read(clone(leaf.estimator).fit(X, y, **leaf.params, **weight)))


def _require_for_all_rows(leaf: Leaf) -> None:
    """Raise ValueError for an argument of fit that has an entry for each labelled row, and none for the others."""
    for name, value in leaf.params.items():
        if has_rows(value, count_rows(leaf.X)):
            raise ValueError(
                f"{name} has an entry for each row of X and none for those of X_unlabeled, on which "
                f"{type(leaf.estimator).__name__} is fitted too: leave out {name}, or X_unlabeled"
            )


def _like(answers: Any, y: Any) -> Any:
    """Return the teacher's answers with as many dimensions as y."""
    answers = np.asarray(answers)
    return answers.reshape(-1, 1) if np.ndim(y) == 2 and answers.ndim == 1 else answers

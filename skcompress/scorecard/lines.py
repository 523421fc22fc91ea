"""Which lines a scorecard has: pruning on the log loss, in rounds.

The mean deviance is a quadratic around the last weights (curvature p (1 - p), gradient p - y); the lines that lose
least on it are chosen, their weights polished on the true deviance by damped Newton steps with the signs of monotone
inputs, and the deviance linearised again there. A round is kept if the deviance falls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from ..core.pruning import prune
from ..core.quadratic import QuadraticModel
from .encoder import StepEncoder, input_names

Floats = NDArray[np.float64]
_ROUNDS = 3
_POLISH = 25
_REFUSALS = 10


class Lines(NamedTuple):
    """Numbers of the chosen lines, their float weights and the intercept."""

    numbers: NDArray[np.intp]
    weights: Floats
    intercept: float


def line_signs(encoder: StepEncoder, cst: Any) -> NDArray[np.int64]:
    """Return the sign of each line's weight, 0 where it is free, given `monotonic_cst`.

    Raises
    ------
    ValueError
        If it names no column of X, or a column without order.
    """
    lines = encoder.lines_
    if cst is None:
        return np.zeros(len(lines), dtype=np.int64)
    names = input_names(encoder)
    if isinstance(cst, Mapping):
        unknown = sorted(str(name) for name in cst if name not in names)
        if unknown:
            raise ValueError(f"monotonic_cst names {unknown}, not in X: it has {names}")
        by_input = np.array([cst.get(name, 0) for name in names])
    else:
        by_input = np.asarray(cst)
    if by_input.shape != (len(names),) or not np.isin(by_input, (-1, 0, 1)).all():
        raise ValueError(f"monotonic_cst={cst!r} must have -1, 0 or 1 for each of the {len(names)} inputs")
    text = [names[line.place] for line in lines if line.kind == "level" and by_input[line.place]]
    if text:
        raise ValueError(f"monotonic_cst is for numbers: {text[0]!r} holds levels")
    return np.array([by_input[line.place] if line.kind == "step" else 0 for line in lines], dtype=np.int64)


def choose_lines(
    estimator: Any,
    Z: Floats,
    y: Floats,
    weight: Floats,
    n_lines: int,
    signs: NDArray[np.int64],
    keep: NDArray[np.intp] | None,
    random_state: Any,
) -> Lines:
    """Choose lines.

    Parameters
    ----------
    estimator : LogisticRegression or None
        Fitted for the start; its `C` is the penalty.
    Z : ndarray of shape (n, p)
        All lines, 0/1.
    y, weight : ndarray of shape (n,)
        Targets 0/1 and weights of the rows.
    n_lines : int
        Most lines.
    signs : ndarray of shape (p,)
        1: the weight may not be negative, -1: not positive, 0: free.
    keep : ndarray of int, or None
        Lines that are always chosen.
    random_state : int, RandomState or None
        Of the search.
    """
    base = LogisticRegression(max_iter=1000) if estimator is None else clone(estimator)
    base.fit(Z, y, sample_weight=weight)
    coef, intercept = np.asarray(base.coef_, dtype=np.float64).ravel(), float(np.ravel(base.intercept_)[0])
    penalty = 1.0 / (getattr(base, "C", np.inf) * weight.sum())
    best, lowest = None, np.inf
    for _ in range(_ROUNDS):
        model = _quadratic(Z, y, weight, coef, intercept, penalty, np.ones(len(coef), dtype=bool), signs)
        if signs.any():
            # The best weights with these signs; those that stay at zero are no candidates.
            model = model.restrict(model.free)
        improved = False
        for _ in range(_REFUSALS):
            support = prune(model, n_nonzero=n_lines, keep=keep, random_state=random_state).support[0]
            w, b, loss = _polished(Z, y, weight, penalty, support, signs)
            if loss < lowest:
                best, lowest, improved = Lines(np.flatnonzero(support), w[support], b), loss, True
                coef, intercept = w, b
            wrong = support & (signs != 0) & (w == 0)
            if not wrong.any():
                break
            # Lines that only the wrong sign would use make room for others.
            model = model.restrict(model.free & ~wrong)
        if not improved:
            break
    assert best is not None
    return best


def _loss(eta: Floats, y: Floats, weight: Floats, coef: Floats, penalty: float) -> float:
    return float(2 * weight @ (np.logaddexp(0.0, eta) - y * eta) / weight.sum() + penalty * coef @ coef)


def _quadratic(
    Z: Floats,
    y: Floats,
    weight: Floats,
    coef: Floats,
    intercept: float,
    penalty: float,
    free: NDArray[np.bool_],
    signs: NDArray[np.int64],
) -> QuadraticModel:
    """Return the deviance around (coef, intercept), the intercept at its best for them."""
    p = expit(Z @ coef + intercept)
    curve = weight * np.maximum(p * (1 - p), 1e-10)
    mean = curve @ Z / curve.sum()
    slope, gain = weight * (p - y), weight @ (p - y)
    scaled = (Z - mean) * np.sqrt(curve / weight.sum())[:, None]
    gradient = 2 * (slope @ Z - gain * mean) / weight.sum() + 2 * penalty * coef
    rate = weight @ y / weight.sum()
    null = -2 * (rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    return QuadraticModel(
        scaled.T @ scaled, coef, mean=mean, gradient=gradient, penalty=penalty, free=free, null_loss=null, signs=signs
    )


def _polished(
    Z: Floats,
    y: Floats,
    weight: Floats,
    penalty: float,
    support: NDArray[np.bool_],
    signs: NDArray[np.int64],
) -> tuple[Floats, float, float]:
    """Return the weights on the support with the least penalised deviance, by damped Newton with signs."""
    part, limits, everything = Z[:, support], signs[support], np.ones(int(support.sum()), dtype=bool)
    rate = weight @ y / weight.sum()
    w, b = np.zeros(part.shape[1]), float(np.log(rate / (1 - rate)))
    loss = _loss(part @ w + b, y, weight, w, penalty)
    for _ in range(_POLISH):
        model = _quadratic(part, y, weight, w, b, penalty, everything, limits)
        step = model.restrict(everything[None]).centre[0] - w
        p = expit(part @ w + b)
        level = float(weight @ (y - p)) / max(float(weight @ (p * (1 - p))), 1e-300) - model.mean[0] @ step
        size = 1.0
        while size > 1e-4:
            new = _loss(part @ (w + size * step) + b + size * level, y, weight, w + size * step, penalty)
            if new < loss:
                break
            size /= 2
        else:
            break
        w, b, gained, loss = w + size * step, b + size * level, loss - new, new
        if gained < 1e-10:
            break
    full = np.zeros(Z.shape[1])
    full[support] = w
    return full, float(b), loss

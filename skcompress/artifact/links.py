"""From the linear predictor to the prediction: the inverse links, table `LINKS`.

eta is the linear predictor, of shape (..., m). The prediction is

    identity   eta
    log        exp(eta)          (GLMs with a log link, a target fitted as log y)
    log1p      exp(eta) - 1      (a target fitted as log(1 + y))
    sqrt       eta^2             (a target fitted as the root of y)
    logit      1 / (1 + exp(-eta))
    softmax    exp(eta_k) / sum_l exp(eta_l)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Inverse = Callable[[NDArray[Any]], NDArray[Any]]


class Link(NamedTuple):
    """An inverse link: its number in the byte format and the function of eta."""

    code: int
    inverse: Inverse


def _identity(eta: NDArray[Any]) -> NDArray[Any]:
    return eta


def _logistic(eta: NDArray[Any]) -> NDArray[Any]:
    # exp of a non-positive number only: no overflow on either side.
    small = np.exp(-np.abs(eta))
    return np.asarray(np.where(eta >= 0, 1.0, small) / (1.0 + small))


def _softmax(eta: NDArray[Any]) -> NDArray[Any]:
    shifted = np.exp(eta - eta.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def require_probabilities(link: str, classes: Sequence[Any]) -> None:
    """Raise ValueError unless a model is a classifier whose scores are log-odds."""
    if not classes or link == "identity":
        raise ValueError(
            "this model has no probabilities: the one it was compiled from has no predict_proba, or none that is a "
            "logistic or softmax function of its scores"
        )


def probabilities(link: str, eta: NDArray[Any]) -> NDArray[Any]:
    """Return the probabilities of all classes, shape (n, n_classes), of a classifier's eta, shape (n, m)."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = LINKS[link].inverse(eta)
        if found.shape[1] == 1:
            return np.hstack([1.0 - found, found])
        # Softmax sums to one already; one class against the rest does not, and is nothing where all scores are lowest.
        return _finite(found / found.sum(axis=1, keepdims=True), eta)


def predictions(link: str, eta: NDArray[Any]) -> NDArray[Any]:
    """Return the predictions of a regressor, shape (n, m).

    Raises
    ------
    ValueError
        If one is too large for its type.
    """
    if link == "identity":
        # The linear predictor is finite already, and one row should be quick.
        return eta
    with np.errstate(over="ignore"):
        return _finite(LINKS[link].inverse(eta), eta)


def _finite(answers: NDArray[Any], eta: NDArray[Any]) -> NDArray[Any]:
    finite = np.isfinite(answers)
    if not finite.all():
        row = int(np.argmin(finite.all(axis=1)))
        raise ValueError(f"the inputs of row {row} give no finite prediction: the linear predictor is {eta[row]}")
    return answers


LINKS: dict[str, Link] = {
    "identity": Link(0, _identity),
    "log": Link(1, np.exp),
    "log1p": Link(2, np.expm1),
    "logit": Link(3, _logistic),
    "softmax": Link(4, _softmax),
    "sqrt": Link(5, np.square),
}

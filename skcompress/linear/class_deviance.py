"""The losses of linear classifiers as functions of the linear predictor; see `skcompress.linear.losses`.

The target is 1 for the row's class and 0 otherwise, shape (n, 1) for two classes and (n, m) for m. The deviance is
twice the log loss. The classes of the multinomial loss are coupled through the softmax; its curvature is given as the
diagonal blocks p_k (1 - p_k), one for each class, which is what searches and roundings work on. With the blocks between
classes, -p_k p_l, see `skcompress.linear.newton`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit, xlogy

from ..core.linalg import Floats
from .losses import Deviance


class Logistic(Deviance):
    """Twice the binary log loss, log(1 + exp(eta)) - y eta; the mean may be anything in [0, 1]."""

    longest_step = 2.0
    known_dispersion = True
    saturates = True

    def mean(self, eta: Floats) -> Floats:
        """Return the mean of y that the linear predictor stands for."""
        return expit(eta)

    def value(self, y: Floats, eta: Floats) -> Floats:
        """Return the deviance of each row."""
        entropy = xlogy(y, y) + xlogy(1 - y, 1 - y)
        return 2 * (np.logaddexp(0, eta) - y * eta + entropy)

    def slope(self, y: Floats, eta: Floats) -> Floats:
        """Return half the derivative in eta."""
        return expit(eta) - y

    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """Return half the expected second derivative in eta."""
        return expit(eta) * expit(-eta)

    def start(self, mean: Floats) -> Floats:
        """Return a constant predictor to start from, given the mean of y, shape (m,)."""
        return logit(mean)


class Softmax(Deviance):
    """Twice the multinomial log loss, each row's deviance split over the classes of the target."""

    longest_step = 2.0
    known_dispersion = True
    saturates = True
    coupled = True

    def mean(self, eta: Floats) -> Floats:
        """Return the mean of y that the linear predictor stands for."""
        p = _shifted(eta)
        np.exp(p, out=p)
        p /= p.sum(axis=1, keepdims=True)
        return p

    def value(self, y: Floats, eta: Floats) -> Floats:
        """Return the share of each class in the deviance of each row; they sum to it."""
        return 2 * (xlogy(y, y) - y * _log_softmax(eta))

    def slope(self, y: Floats, eta: Floats) -> Floats:
        """Return half the derivative in eta."""
        return self.mean(eta) - y

    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """Return the diagonal of half the expected second derivative in eta."""
        p = self.mean(eta)
        return p * (1 - p)

    def start(self, mean: Floats) -> Floats:
        """Return a constant predictor to start from, given the mean of y, shape (m,)."""
        return np.log(mean)


def _shifted(eta: Floats) -> Floats:
    """Return eta less the greatest entry of its row."""
    shifted: Floats = eta - eta.max(axis=1, keepdims=True)
    return shifted


def _log_softmax(eta: Floats) -> Floats:
    shifted = _shifted(eta)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted

"""The losses of linear models as functions of the linear predictor eta.

Each is a unit deviance d(y, eta) on the scale on which squared loss is (y - eta)^2. With half its first derivative
and half its expected second derivative,

    F(eta + h) - F(eta)  ~  mean(s (2 slope h + curvature h^2))

so that ``curvature`` is 1 for squared loss, mu (1 - mu) for the logistic one and mu for Poisson (McCullagh and Nelder,
"Generalized Linear Models", section 2.5). All arrays are (n, m).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import xlogy

from ..core.linalg import Floats


class Deviance(ABC):
    """A unit deviance with its derivatives in the linear predictor."""

    constant_curvature = False
    """Whether the curvature is 1 everywhere, so that the quadratic model is exact."""

    longest_step = np.inf
    """How far one Newton step may move the linear predictor."""

    coupled = False
    """Whether the outputs share one loss, so that its unit is the sum over them."""

    known_dispersion = False
    """Whether its scale is that of a likelihood without a dispersion to be estimated."""
    saturates = False
    """Whether the curvature falls to zero as the linear predictor grows."""

    def mean(self, eta: Floats) -> Floats:
        """Return the mean of y that the linear predictor stands for."""
        return eta

    @abstractmethod
    def value(self, y: Floats, eta: Floats) -> Floats:
        """Return the deviance of each row."""

    @abstractmethod
    def slope(self, y: Floats, eta: Floats) -> Floats:
        """Return half the derivative in eta."""

    @abstractmethod
    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """Return half the expected second derivative in eta."""

    @abstractmethod
    def start(self, mean: Floats) -> Floats:
        """Return a constant predictor to start from, given the mean of y, shape (m,)."""


class Squared(Deviance):
    """(y - eta)^2."""

    constant_curvature = True

    def value(self, y: Floats, eta: Floats) -> Floats:
        """Return the deviance of each row."""
        return (y - eta) ** 2

    def slope(self, y: Floats, eta: Floats) -> Floats:
        """Return half the derivative in eta."""
        return eta - y

    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """Return half the expected second derivative in eta."""
        return np.ones_like(eta)

    def start(self, mean: Floats) -> Floats:
        """Return a constant predictor to start from, given the mean of y, shape (m,)."""
        return mean


class Huber(Deviance):
    """Squared up to `limit`, then linear (Huber 1964); the scale of the noise is held fixed."""

    def __init__(self, limit: float):
        self.limit = limit
        self.longest_step = limit

    def value(self, y: Floats, eta: Floats) -> Floats:
        """Return the deviance of each row."""
        size = np.abs(y - eta)
        return np.where(size <= self.limit, size**2, 2 * self.limit * size - self.limit**2)

    def slope(self, y: Floats, eta: Floats) -> Floats:
        """Return half the derivative in eta."""
        return np.clip(eta - y, -self.limit, self.limit)

    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """Return half the expected second derivative in eta."""
        return (np.abs(y - eta) <= self.limit).astype(np.float64)

    def start(self, mean: Floats) -> Floats:
        """Return a constant predictor to start from, given the mean of y, shape (m,)."""
        return mean


class Tweedie(Deviance):
    """Tweedie deviance of the given power with the log link (2 is Gamma, 1 Poisson) or the identity link.

    The variance function is V(mu) = mu^power; the expected curvature (dmu/deta)^2 / V(mu).
    """

    def __init__(self, power: float, *, log_link: bool = True):
        self.power = power
        self.log_link = log_link
        self.constant_curvature = power == 0 and not log_link
        self.known_dispersion = power == 1
        self.longest_step = 2.0 if log_link else np.inf

    def mean(self, eta: Floats) -> Floats:
        """Return the mean of y that the linear predictor stands for."""
        return np.exp(eta) if self.log_link else eta

    def value(self, y: Floats, eta: Floats) -> Floats:
        """Return the deviance of each row."""
        mu, power = self.mean(eta), self.power
        if power == 0:
            return (y - mu) ** 2
        if power == 1:
            return 2 * (xlogy(y, y / mu) - y + mu)
        if power == 2:
            return 2 * (np.log(mu / y) + y / mu - 1)
        rest = y * mu ** (1 - power) / (1 - power) - mu ** (2 - power) / (2 - power)
        return 2 * (np.maximum(y, 0) ** (2 - power) / ((1 - power) * (2 - power)) - rest)

    def slope(self, y: Floats, eta: Floats) -> Floats:
        """Return half the derivative in eta."""
        mu = self.mean(eta)
        return (mu - y) * (mu if self.log_link else 1.0) / mu**self.power

    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """Return half the expected second derivative in eta."""
        mu = self.mean(eta)
        return (mu**2 if self.log_link else 1.0) / mu**self.power

    def start(self, mean: Floats) -> Floats:
        """Return a constant predictor to start from, given the mean of y, shape (m,)."""
        return np.log(mean) if self.log_link else mean

"""The losses of linear models as functions of the linear predictor eta.

Each is a unit deviance d(y, eta) on the scale on which squared loss is (y - eta)^2. With half its first derivative
and half its expected second derivative,

    F(eta + h) - F(eta)  ~  mean(s (2 slope h + curvature h^2))

so that ``curvature`` is 1 for squared loss, mu (1 - mu) for the logistic one and mu for Poisson (McCullagh and Nelder,
"Generalized Linear Models", section 2.5). All arrays are (n, m).

The target of a classifier is 1 for the row's class and 0 otherwise, (n, 1) for two classes and (n, m) for m. Its
deviance is twice the log loss. The classes of the multinomial loss are coupled through the softmax; its curvature is
given as the diagonal blocks p_k (1 - p_k), one for each class, which is what searches and roundings work on. With the
blocks between classes, -p_k p_l, see `skcompress.linear.newton`.

The constant to add to eta at which a loss is least is the intercept, with the weights held. For one output the half
derivative g(a) = sum(s slope(y, eta + a)) has one sign on each side of its root, whatever the loss. Newton's steps are
kept between the arguments known to lie on either side, and give way to bisection where they do not shrink. The classes
of a multinomial loss take Newton's step together. Where it lowers the loss by less than

    a_k + log(mean of y_k) - log(mean of p_k)

does, which lowers it by at least the Kullback-Leibler divergence between these means (iterative scaling, Darroch and
Ratcliff, 1972), that direction is taken, as far as the loss falls. Predictors of hundreds, with all probabilities 0 or
1 and no curvature, are within reach so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import expit, logit, xlogy

from ..core.linalg import Floats

_STEPS = 200

_CLOSE = 1e-12


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
    return eta - eta.max(axis=1, keepdims=True)


def _log_softmax(eta: Floats) -> Floats:
    shifted = _shifted(eta)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def best_level(deviance: Deviance, row_weight: Floats, y: Floats, predictor: Floats, start: Floats) -> Floats:
    """Return the constants that minimise the mean deviance, shape (m,); never worse than those to start from.

    Parameters
    ----------
    deviance : Deviance
        The loss.
    row_weight : ndarray of shape (n,)
        Row weights that sum to 1.
    y : ndarray of shape (n, m)
        Target.
    predictor : ndarray of shape (n, m), or what broadcasts to it
        What the constants are added to.
    start : ndarray of shape (m,)
        Where to begin.
    """
    eta = np.broadcast_to(predictor, y.shape)
    begin: Floats = np.array(start, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        solve = _together if deviance.coupled else _alone
        level = solve(deviance, row_weight, y, eta, begin)
        before, after = (row_weight @ deviance.value(y, eta + a) for a in (begin, level))
        if deviance.coupled:
            before, after = before.sum(keepdims=True), after.sum(keepdims=True)
        # Differences within rounding are no reason to give up a root.
        worse = ~np.isfinite(level) | ~(after <= before + 1e-12 * np.abs(before))
        return np.where(worse & np.isfinite(begin), begin, level)


def _alone(deviance: Deviance, row_weight: Floats, y: Floats, eta: Floats, start: Floats) -> Floats:
    level = start
    below, above = np.full_like(level, -np.inf), np.full_like(level, np.inf)
    reach = np.full_like(level, deviance.longest_step)
    earlier = np.full_like(level, np.inf)
    done = np.zeros(level.shape, dtype=bool)
    for _ in range(_STEPS):
        at = eta + level
        slope = row_weight @ deviance.slope(y, at)
        curvature = row_weight @ deviance.curvature(y, at)
        below = np.where(slope < 0, level, below)
        above = np.where(slope > 0, level, above)
        step = -slope / np.maximum(curvature, 1e-12)
        inside = np.isfinite(below) & np.isfinite(above)
        step = np.where(inside, step, np.clip(step, -reach, reach))
        moved = level + step
        # Half the interval, where a step leaves it or is not half as long as the one before.
        stalled = inside & ((moved <= below) | (moved >= above) | (2 * np.abs(step) > earlier))
        moved = np.where(stalled, below + (above - below) / 2, moved)
        moved = np.where((slope == 0) | done, level, moved)
        # Far from the root, on one side of it still, steps grow.
        reach = np.where(inside, reach, 2 * reach)
        earlier = np.where(inside, np.abs(moved - level), np.inf)
        done = done | (np.abs(moved - level) <= _CLOSE * (1 + np.abs(moved)))
        level = moved
        if done.all():
            break
    return level


def _together(deviance: Deviance, row_weight: Floats, y: Floats, eta: Floats, start: Floats) -> Floats:
    def loss(at: Floats) -> float:
        return float(row_weight @ deviance.value(y, eta + at).sum(axis=1))

    level, lowest = start, loss(start)
    target, before, least = row_weight @ y, start, np.inf
    for _ in range(_STEPS):
        p = deviance.mean(eta + level)
        total = row_weight @ p
        gradient = total - target
        size = np.abs(gradient).max()
        if size >= least:
            # The loss was flat to rounding here, and now the gradient is too.
            return before
        curvature = np.diag(total) - (p * row_weight[:, None]).T @ p
        step = -np.linalg.pinv(curvature, rcond=1e-12, hermitian=True) @ gradient
        if np.abs(step).max() <= _CLOSE * (1 + np.abs(level).max()):
            return level + step
        scaling = np.log(np.maximum(target, 1e-300) / np.maximum(total, 1e-300))
        promised = 2 * max(float(target @ scaling), 0.0)
        before = level
        if promised <= 1e-12 * abs(lowest):
            level, least = level + step, size
            continue
        reached = loss(level + step)
        if not reached <= lowest - promised / 2:
            step = scaling - scaling.mean()
            reached = loss(level + step)
            while (further := loss(level + 2 * step)) < reached:
                step, reached = 2 * step, further
        if not reached < lowest:
            break
        level, lowest, least = level + step, reached, np.inf
    return level

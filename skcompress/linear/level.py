"""The constant to add to a linear predictor eta at which a loss is least: its intercept, with the weights held.

For one output the half derivative g(a) = sum(s slope(y, eta + a)) has one sign on each side of its root, whatever the
loss. Newton's steps are kept between the arguments known to lie on either side, and give way to bisection where they
do not shrink. The classes of a multinomial loss take Newton's step together. Where it lowers the loss by less than

    a_k + log(mean of y_k) - log(mean of p_k)

does, which lowers it by at least the Kullback-Leibler divergence between these means (iterative scaling, Darroch and
Ratcliff, 1972), that direction is taken, as far as the loss falls. Predictors of hundreds, with all
probabilities 0 or 1 and no curvature, are within reach so.
"""

from __future__ import annotations

import numpy as np

from ..core.linalg import Floats
from .losses import Deviance

_STEPS = 200

_CLOSE = 1e-12


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

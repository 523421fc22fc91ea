"""Newton's step for all classes of a multinomial loss at once.

With p the probabilities, s the row weights that sum to 1 and X_k the columns that class k keeps (1 among them for an
intercept), half the Hessian has the blocks

    H_kl = X_k' diag(s p_k ([k = l] - p_l)) X_l  + P

Searches and roundings leave out the blocks between classes; once the support is known and small, they are affordable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from ..core.linalg import Floats, Mask
from ..core.quadratic import QuadraticModel

if TYPE_CHECKING:
    from .problem import LinearProblem

MOST_WEIGHTS = 500
"""Kept weights, over all classes, up to which the blocks between classes are taken into account."""

_JITTER = 1e-10


def coupled_target(
    problem: LinearProblem, weights: Floats, intercept: Floats, support: Mask, signs: ArrayLike = 0
) -> Floats:
    """Return where a Newton step from these weights leads, shape (m, p), with the intercepts at their best.

    Parameters
    ----------
    problem : LinearProblem
        With a loss that couples its outputs.
    weights, intercept : ndarray of shape (m, p) and (m,)
        Where the loss is linearised.
    support : ndarray of shape (m, p), dtype=bool
        Weights that may move.
    signs : array-like
        As in `QuadraticModel`.
    """
    deviance, s = problem.fit.deviance, problem.row_weight
    eta = problem.predictor(weights, intercept)
    p, slope = deviance.mean(eta), deviance.slope(problem.y, eta) * s[:, None]
    used = np.flatnonzero(support.any(axis=0))
    part = problem.X[:, used]
    dense: Floats = np.asarray(part.toarray() if sp.issparse(part) else part, dtype=np.float64)
    kept = [dense[:, row[used]] for row in support]
    half = np.concatenate([columns.T @ slope[:, k] for k, columns in enumerate(kept)])
    curvature = np.block(
        [
            [left.T @ ((s * p[:, k] * ((k == j) - p[:, j]))[:, None] * right) for j, right in enumerate(kept)]
            for k, left in enumerate(kept)
        ]
    )
    if problem.fits_intercept:
        levels = np.diag(s @ p) - (p * s[:, None]).T @ p
        # The column of level j beside the kept columns of class k.
        beside = np.vstack(
            [columns.T @ (s * p[:, k])[:, None] * (np.arange(len(s @ p)) == k) for k, columns in enumerate(kept)]
        )
        beside -= np.vstack([columns.T @ (p * (s * p[:, k])[:, None]) for k, columns in enumerate(kept)])
        eliminated = beside @ np.linalg.pinv(levels, hermitian=True)
        curvature = curvature - eliminated @ beside.T
        half = half - eliminated @ slope.sum(axis=0)
    penalty = problem.l2[support] + _JITTER * max(curvature.trace() / len(curvature), 1e-300)
    gradient = 2 * half + problem.penalty_gradient(weights)[support]
    model = QuadraticModel(
        (curvature + curvature.T) / 2,
        weights[support],
        gradient=gradient,
        penalty=penalty,
        free=True,
        signs=np.broadcast_to(np.asarray(signs, dtype=np.float64), support.shape)[support],
    )
    target = np.zeros(support.shape)
    target[support] = model.restrict(model.free).centre[0]
    return target

"""Least squares with given signs: minimise x'Hx - 2c'x subject to sign_j x_j >= 0.

Block principal pivoting (Judice and Pires 1994; Kim and Park, "Fast nonnegative matrix factorization: an
active-set-like method and comparisons", SIAM J. Sci. Comput. 2011, algorithm 2): a guess of which variables are at
zero is corrected for all violations at once, and one at a time where that does not lessen them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .linalg import Floats, Mask, scale_of, solve_psd

_PATIENCE = 3
_TOLERANCE = 1e-10


def solve_signed(matrix: Floats, right: Floats, signs: NDArray[np.int_], first: Mask | None = None) -> Floats:
    """Return the minimum of ``x @ matrix @ x - 2 * right @ x`` over x with the given signs.

    Parameters
    ----------
    matrix : ndarray of shape (p, p)
        Symmetric positive semi-definite, in any units.
    right : ndarray of shape (p,)
        In the range of `matrix`.
    signs : ndarray of shape (p,)
        1: not negative, -1: not positive, 0: free.
    first : ndarray of shape (p,), dtype=bool, default=None
        Columns that are preferred as independent ones.
    """
    scale = scale_of(np.diag(matrix))
    unit, target = matrix / np.outer(scale, scale), right / scale
    level = _TOLERANCE * max(np.abs(target).max(initial=0.0), np.finfo(float).tiny)
    passive = np.ones(len(target), dtype=bool)
    fewest, patience = len(target) + 1, _PATIENCE
    # Every guess is left for good or lessens the violations, so that the number of steps is bounded.
    while True:
        x = np.zeros(len(target))
        inside = np.flatnonzero(passive)
        preferred = None if first is None else first[inside]
        x[inside] = solve_psd(unit[np.ix_(inside, inside)], target[inside], preferred)
        slack = signs * (target - unit @ x)
        wrong = np.where(passive, signs * x < -level, slack > level)
        count = int(wrong.sum())
        if count == 0:
            x[passive & (signs * x < 0)] = 0.0
            return x / scale
        if count < fewest:
            fewest, patience = count, _PATIENCE
        elif patience > 0:
            patience -= 1
        else:
            wrong[: np.flatnonzero(wrong)[-1]] = False
        passive ^= wrong

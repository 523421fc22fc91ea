"""Least squares with given signs: minimise x'Hx - 2c'x subject to sign_j x_j >= 0.

Block principal pivoting (Judice and Pires 1994; Kim and Park, "Fast nonnegative matrix factorization: an
active-set-like method and comparisons", SIAM J. Sci. Comput. 2011, algorithm 2): a guess of which variables are at
zero is corrected for all violations at once, and one at a time where that does not lessen them. That may cycle where
the matrix is singular, and then the active-set method of Lawson and Hanson ("Solving least squares problems", 1974,
chapter 23) starts from zero: its passive variables stay independent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .linalg import Floats, Mask, scale_of, solve_psd

_PATIENCE = 3
_TOLERANCE = 1e-10

_SINGLE = 40
"""Corrections of one at a time before the active-set method takes over."""

_ENTRIES = 3
"""How often the active-set method lets each variable in, at the most."""


def solve_signed(matrix: Floats, right: Floats, signs: NDArray[Any], first: Mask | None = None) -> Floats:
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
    fewest, patience, single = len(target) + 1, _PATIENCE, _SINGLE
    while single > 0:
        x = _solved(unit, target, passive, first)
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
            single -= 1
            wrong[: np.flatnonzero(wrong)[-1]] = False
        passive ^= wrong
    return _from_zero(unit, target, signs, level, first) / scale


def _from_zero(unit: Floats, target: Floats, signs: NDArray[Any], level: float, first: Mask | None) -> Floats:
    """Return the minimum by letting in one variable after the other, that of the steepest slope first.

    A right-hand side out of the range of the matrix has no minimum: then the point reached after a while.
    """
    passive = signs == 0
    x = _solved(unit, target, passive, first)
    barred = np.zeros(len(x), dtype=bool)
    for _ in range(_ENTRIES * (1 + len(x))):
        slack = np.where(passive | barred, -np.inf, signs * (target - unit @ x))
        entering = int(slack.argmax())
        if slack[entering] <= level:
            return x
        passive[entering] = True
        while True:
            z = _solved(unit, target, passive, first)
            wrong = passive & (signs * z < 0)
            if not wrong.any():
                break
            share = np.where(wrong, x / np.where(wrong, x - z, 1.0), np.inf)
            step = share.min()
            out = wrong & (share <= step)
            if not out.any():
                return x
            x = x + step * (z - x)
            x[out] = 0.0
            passive &= ~out
        # One that rounding error sends back at once is not let in again before another one has moved.
        barred = np.zeros(len(x), dtype=bool) if passive[entering] else barred
        barred[entering] |= not passive[entering]
        x = z
    return x


def _solved(unit: Floats, target: Floats, passive: Mask, first: Mask | None) -> Floats:
    x = np.zeros(len(target))
    inside = np.flatnonzero(passive)
    x[inside] = solve_psd(unit[np.ix_(inside, inside)], target[inside], None if first is None else first[inside])
    return x

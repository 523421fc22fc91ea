"""How much of a loss is rounding error.

In the scaled coordinates of `skcompress.core.subset.curvature` the loss of weights z is e - 2 c'z + z'Az with a unit
diagonal of A, |c_j| <= sqrt(e), and entries that carry a relative error of a few units of rounding u, so that

    |error of the loss of z| <= ROUNDING (sqrt(e) + |z|)^2

to first order; a jitter on the diagonal adds jitter x |z|^2. The weights of a support that nobody has looked at are not
known, but if it loses no more than `rise` above the full model z0 then (z - z0)' A (z - z0) <= rise, and so

    |z_j| <= |z0_j| + sqrt(rise K_jj),     K = A^-1

A column that counts as dependent (`skcompress.core.linalg.RANK_TOLERANCE`) might yet have a share s of its curvature to
itself that rounding has hidden. With r what the others leave of its moment it would then gain r^2 / s. An r that is
larger than its rounding error, ROUNDING (sqrt(e) + |z|), shows such a column, and where that error is large a small r
proves nothing: `hidden_gain` counts both, for s down to `HIDDEN`.

Where columns are centred all this is nothing. A model without an intercept on columns whose means are a thousand
times their deviations explains a million null losses, and at a million deviations the digits of the null loss itself
are gone: then a proof is not to be had from the moments, and the gap of a support has to say so.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular

from ..linalg import Floats, Indices

ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""Relative error of the entries of a curvature and of what is solved with it."""


HIDDEN = float(np.finfo(np.float64).eps)
"""Least share of its curvature that a column might have to itself without its being seen."""


class Solved(NamedTuple):
    """The optimum on the independent columns of a curvature, found without its inverse.

    Attributes
    ----------
    weights : ndarray of shape (r, n)
        Zero for dependent columns.
    gain : float
        What they explain.
    left : ndarray of shape (r, d)
        What they leave of the moments of the dependent columns.
    """

    weights: Floats
    gain: float
    left: Floats


def solved(matrix: Floats, moments: Floats, factor: Floats, order: Indices) -> Solved:
    """Return the optimum on the columns of an order, whose block of A has this upper triangular factor."""
    weights = np.zeros_like(moments)
    others = np.delete(np.arange(len(matrix)), order)
    if not len(order):
        return Solved(weights, 0.0, moments[:, others])
    half = solve_triangular(factor, moments[:, order].T, trans="T")
    weights[:, order] = solve_triangular(factor, half).T
    left = moments[:, others] - half.T @ solve_triangular(factor, matrix[np.ix_(order, others)], trans="T")
    return Solved(weights, float(np.vdot(half, half)), left)


def hidden_gain(left: Floats, empty_loss: float, reach: float) -> float:
    """Return what columns that count as dependent might explain yet, with these moments left (r, d)."""
    noise = ROUNDING * (np.sqrt(max(empty_loss, 0.0)) + reach)
    return float(np.square(np.abs(left) + noise).sum() / HIDDEN)


def missed_gain(moments: Floats, spread: Floats, slope: float) -> float:
    """Return what weights might explain yet where each slope up to a share of the largest moment counts as none.

    With slopes g on the columns S the minimum is g' (A_SS)^-1 g lower, at most max(g)^2 n sum(K_jj).

    Parameters
    ----------
    moments : ndarray of shape (..., n)
        C.
    spread : ndarray of shape (n,)
        K_jj.
    slope : float
        The share.
    """
    if not slope:
        return 0.0
    steepest = slope * np.abs(moments).max(initial=0.0)
    n_rows = moments.size // max(1, moments.shape[-1])
    return float(n_rows * steepest**2 * len(spread) * spread.sum())


def reach_of(weights: Floats, spread: Floats, rise: float) -> float:
    """Return a bound on the length of weights that lose at most `rise` more than these.

    Parameters
    ----------
    weights : ndarray of shape (n,)
        |z0_j|, over all outputs.
    spread : ndarray of shape (n,)
        K_jj.
    rise : float
        In units of loss.
    """
    return float(np.linalg.norm(weights + np.sqrt(max(rise, 0.0) * spread)))


def rounding_error(empty_loss: float, reach: float, jitter: float) -> float:
    """Return the rounding error of the losses of weights whose length is at most `reach`."""
    return float(ROUNDING * (np.sqrt(max(empty_loss, 0.0)) + reach) ** 2 + jitter * reach**2)

"""Weights that the rows say nothing about.

A column that does not vary on the rows (constant where there is an intercept, all zero where there is none, or without
weight in every row where it varies) has no curvature: H_jj = P_jj, and the loss is the same whatever its weight. That
weight may matter on other rows, so rounding keeps it where it is, by a penalty on leaving the centre that is too small
to have a say in anything else:

    HELD min(h, e / w_j^2),   h, e: means of H_ii and H_ii w_i^2 over the columns with curvature

Duplicates, dependent columns and few rows leave a direction, not a column, without curvature. Where the centre was not
fitted on these rows, all weights are held in the same way, by

    hold c H_jj,   c = min(1, w0'H w0 / sum_j H_jj w0_j^2)

with the model's own `hold`. c is small where large weights cancel each other: rounding them needs the weak directions.
"""

from __future__ import annotations

import numpy as np

from .linalg import Floats, Mask
from .quadratic import QuadraticModel

HELD = 1e-12
"""Curvature given to a weight without any, as a share of the mean curvature of the others."""


def unseen(quadratic: QuadraticModel) -> Mask:
    """Return which free weights have no curvature but a penalty's, shape (m, p)."""
    return quadratic.free & ~_curved(quadratic)


def _curved(quadratic: QuadraticModel) -> Mask:
    """Return which columns the rows say something about, (m, p) or (1, p)."""
    return np.vstack([gram.diag() for gram in quadratic.grams]) > 0


def held(quadratic: QuadraticModel) -> QuadraticModel:
    """Return the model around the optimum of its free weights, with the penalties that hold them there."""
    model = quadratic.restrict(quadratic.free)
    flat = unseen(quadratic)
    if not flat.any() and not quadratic.hold:
        return model
    stay = flat & (quadratic.signs * quadratic.centre >= 0)
    diagonal = np.broadcast_to(quadratic.diag(), flat.shape)
    live = quadratic.free & ~flat
    curvature = float(diagonal[live].mean()) if live.any() else 1.0
    energy = float((diagonal * quadratic.centre**2)[live].mean()) if live.any() else 1.0
    square = (np.where(flat, quadratic.centre, 0.0) ** 2).max(axis=0)
    small = HELD * np.minimum(curvature, energy / np.where(square > 0, square, 1.0))
    penalty = np.where(_curved(quadratic), quadratic.hold * _cancelling(model) * diagonal, small)
    return model.holding(np.where(stay, quadratic.centre, model.centre), model.free | stay, penalty)


def _cancelling(quadratic: QuadraticModel) -> float:
    """Return c, the least over outputs: one for all, so that outputs go on sharing one curvature."""
    centre = quadratic.centre
    together = np.einsum("mp,mp->m", quadratic.dot(centre), centre)
    apart = np.einsum("mp,mp->m", quadratic.diag(), centre**2)
    return float(np.divide(together, apart, out=np.ones_like(apart), where=apart > 0).clip(0.0, 1.0).min())


def octaves_beyond(quadratic: QuadraticModel, exponents: np.ndarray) -> np.ndarray:
    """Return the exponents with those of columns without curvature so high that a grid for the others holds them.

    Parameters
    ----------
    quadratic : QuadraticModel
        The model.
    exponents : ndarray of int, shape (p,)
        e_j >= 0 of all columns; those of columns without curvature do not count.
    """
    flat = unseen(quadratic)
    if not flat.any():
        return exponents
    size: Floats = np.abs(np.where(quadratic.free, quadratic.centre, 0.0))
    reach = np.where(flat, 0.0, size / np.exp2(exponents)).max(axis=1, keepdims=True)
    beyond = np.where(flat & (reach > 0), size / np.where(reach > 0, reach, 1.0), 0.0).max(axis=0)
    needed = np.ceil(np.log2(np.maximum(beyond, 1.0))).astype(exponents.dtype)
    return np.where(flat.any(axis=0), needed, exponents)

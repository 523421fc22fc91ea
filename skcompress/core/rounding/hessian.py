"""Curvature: the H of one problem, its triangular factors and its inverse, each worked out once.

With H = R'R, R upper triangular, (u - t)' H (u - t) splits over the columns, last one first:

    sum_j (R_jj (c_j - u_j))^2,   c_j = t_j - sum_{l>j} (R_jl / R_jj) (u_l - t_l)

which is what nearest plane, beam and sphere decoding walk (Babai 1986; Agrell et al. 2002, "Closest point
search in lattices"). The unit-diagonal H gets a jitter of `JITTER` before it is factored, so that a singular H
does no harm and the units of the columns do not matter.

The walk starts with the last column of an order. In the *confident* order that is the column on which a
rounding error costs most whatever the others do, 1 / inv(H)_jj, then the most costly of the rest given the
first, and so on (V-BLAST: Wolniansky et al. 1998): the search then meets its large costs first.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack, solve_triangular

from ..linalg import Floats, Indices, scale_of
from ..quadratic import QuadraticModel
from ..systems import OutputCurvature

JITTER = 1e-10
"""Added to the unit diagonal before factoring."""

ORDERING_EFFORT = 5e7
"""Steps x columns^2 that choosing an order may take; beyond, it chooses several columns in a step."""


class Factor(NamedTuple):
    """R of H[order][:, order] = R'R, as its diagonal and R with each row divided by it."""

    diagonal: Floats
    ratios: Floats
    order: Indices

    def solve(self, right: Floats) -> Floats:
        """Return x with ``x @ H = right``, for right-hand sides of shape (B, k)."""
        half = solve_triangular(self.ratios, right[:, self.order].T, trans="T", unit_diagonal=True)
        solution = np.empty_like(right)
        solution[:, self.order] = solve_triangular(
            self.ratios, half / self.diagonal[:, None] ** 2, unit_diagonal=True
        ).T
        return solution


class Curvature:
    """H of one problem as a matrix.

    Parameters
    ----------
    matrix : ndarray of shape (k, k)
        Symmetric positive semi-definite.
    """

    lazy = False
    """Whether H is too large to be made."""

    def __init__(self, matrix: Floats):
        self._matrix = matrix

    @property
    def matrix(self) -> Floats:
        """H, shape (k, k)."""
        return self._matrix

    @cached_property
    def _correlated(self) -> dict[int, Indices]:
        return {}

    @cached_property
    def diagonal(self) -> Floats:
        """The diagonal of H, shape (k,)."""
        return np.diag(self.matrix).copy()

    @property
    def live_diagonal(self) -> Floats:
        """The diagonal of H with 1 where it is not positive, shape (k,)."""
        return scale_of(self.diagonal) ** 2

    def dot(self, vectors: Floats) -> Floats:
        """Return ``vectors @ H`` for vectors of shape (B, k)."""
        return vectors @ self.matrix

    @cached_property
    def factor(self) -> Factor:
        """The factor in the columns' own order."""
        return self._factor(np.arange(len(self.diagonal)))

    @cached_property
    def confident_factor(self) -> Factor:
        """The factor in the confident order."""
        return self._factor(confident_order(self.inverse))

    @cached_property
    def inverse(self) -> Floats:
        """The inverse of H with its jitter, shape (k, k)."""
        scale = scale_of(self.diagonal)
        half, _ = lapack.dtrtri(self._unit_factor(np.arange(len(scale))), lower=0)
        inverse: Floats = half @ half.T
        return inverse / scale[:, None] / scale

    def most_correlated(self, count: int) -> Indices:
        """Return for each column itself and those most correlated with it, shape (k, count)."""
        if count not in self._correlated:
            scale = scale_of(self.diagonal)
            correlation = np.abs(self.matrix / scale / scale[:, None])
            np.fill_diagonal(correlation, np.inf)
            self._correlated[count] = np.argpartition(-correlation, count - 1, axis=1)[:, :count]
        return self._correlated[count]

    def _factor(self, order: Indices) -> Factor:
        raw = self._unit_factor(order)
        scale = scale_of(self.diagonal)[order]
        diagonal = np.diag(raw)
        return Factor(diagonal * scale, raw / (diagonal * scale)[:, None] * scale, order)

    def _unit_factor(self, order: Indices) -> Floats:
        scale = scale_of(self.diagonal)[order]
        unit = self.matrix[np.ix_(order, order)] / scale[:, None] / scale
        jitter = JITTER
        while True:
            unit[np.diag_indices_from(unit)] = 1.0 + jitter
            raw, failed = lapack.dpotrf(unit, lower=0, clean=1)
            if not failed:
                upper: Floats = raw
                return upper
            # Rounding errors of a large singular matrix can exceed the jitter.
            jitter *= 100


class LazyCurvature(Curvature):
    """H of one problem as part of a quadratic model; the matrix is made only if it is asked for.

    Parameters
    ----------
    quadratic : QuadraticModel
        Where the rows and products come from.
    outputs : ndarray of shape (r,)
        Outputs that share H.
    columns : ndarray of shape (k,)
        The columns.
    feature_scale : ndarray of shape (k,)
        2^(e_j) of these columns: H is that of the weights divided by it.
    """

    def __init__(self, quadratic: QuadraticModel, outputs: Indices, columns: Indices, feature_scale: Floats):
        self._unscaled = OutputCurvature(quadratic, int(outputs[0]), columns)
        self._feature_scale = feature_scale
        self.lazy = self._unscaled.lazy

    @cached_property
    def matrix(self) -> Floats:
        """H, shape (k, k)."""
        return self.block(np.arange(len(self._feature_scale)))

    @cached_property
    def diagonal(self) -> Floats:
        """The diagonal of H, shape (k,)."""
        diagonal: Floats = self._unscaled.diag() * self._feature_scale**2
        return diagonal

    def block(self, places: Indices) -> Floats:
        """Return the block of H that these of its k columns span."""
        block = self._unscaled.block(places)
        scale = self._feature_scale[places]
        return block if (scale == 1).all() else block * np.outer(scale, scale)

    def dot(self, vectors: Floats) -> Floats:
        """Return ``vectors @ H`` for vectors of shape (B, k)."""
        if not self.lazy:
            return vectors @ self.matrix
        return self._unscaled.dot(vectors * self._feature_scale) * self._feature_scale


def confident_order(inverse: Floats) -> Indices:
    """Return the order in which the last column is the most certain one, given those after it.

    Fixing columns c leaves inv(H) - L'L with L = R^-T inv(H)[c, :] and R'R = inv(H)[c, c]: a pivoted Cholesky
    factorisation of inv(H) that takes the smallest pivots first.

    Parameters
    ----------
    inverse : ndarray of shape (k, k)
        The inverse of H.
    """
    n_columns = len(inverse)
    steps = max(16, int(ORDERING_EFFORT / max(1, n_columns) ** 2))
    at_once = max(1, -(-n_columns // steps))
    variance = np.diag(inverse).copy()
    least = JITTER * variance
    factor = np.empty_like(inverse)
    order = np.empty(n_columns, dtype=np.intp)
    for start in range(0, n_columns, at_once):
        stop = min(start + at_once, n_columns)
        certain = np.argsort(variance, kind="stable")[: stop - start] if at_once > 1 else [int(variance.argmin())]
        order[start:stop] = certain
        rows = inverse[certain] - factor[:start, certain].T @ factor[:start]
        if at_once == 1:
            factor[start] = rows[0] / np.sqrt(max(rows[0, certain[0]], least[certain[0]]))
        else:
            fixed = rows[:, certain] + np.diag(least[certain])
            factor[start:stop] = np.linalg.solve(np.linalg.cholesky(fixed), rows)
        variance -= np.einsum("ij,ij->j", factor[start:stop], factor[start:stop])
        variance[certain] = np.inf
    return order[::-1]

"""Problem: integer least squares as a rounding sees it.

B rows share a curvature H over k columns. Each row has a target t (the optimum in units of its step) and a
box of allowed values; wanted is

    min over u in the box of  (u - t)' H (u - t)

A row is one output at one trial scale. The rows differ by a factor in their loss, which no rounding needs.

With H = R'R, R upper triangular, the sum splits over the columns, last one first:

    sum_j (R_jj (c_j - u_j))^2,   c_j = t_j - sum_{l>j} (R_jl / R_jj) (u_l - t_l)

which is what nearest plane, beam and sphere decoding walk (Babai 1986; Agrell et al. 2002, "Closest point
search in lattices"). The factor is that of the unit-diagonal H with a jitter of `JITTER`, so that a singular
H does no harm and the units of the columns do not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular

from ..gram import DENSE_LIMIT, LazyGram
from ..grids import Box
from ..linalg import Floats, Indices, scale_of
from ..quadratic import QuadraticModel, System

JITTER = 1e-10
"""Added to the unit diagonal before factoring."""


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
    """H of one problem as a matrix, with its factor computed once, when it is asked for.

    Parameters
    ----------
    matrix : ndarray of shape (k, k)
        Symmetric positive semi-definite.
    """

    lazy = False

    def __init__(self, matrix: Floats):
        self._matrix = matrix

    @property
    def matrix(self) -> Floats:
        """H, shape (k, k)."""
        return self._matrix

    @cached_property
    def diagonal(self) -> Floats:
        """The diagonal of H, shape (k,)."""
        return np.diag(self.matrix).copy()

    def dot(self, vectors: Floats) -> Floats:
        """Return ``vectors @ H`` for vectors of shape (B, k)."""
        return vectors @ self.matrix

    @cached_property
    def factor(self) -> Factor:
        """The triangular factor, in the order in which the columns are rounded, last one first."""
        scale = scale_of(self.diagonal)
        unit = self.matrix / np.outer(scale, scale)
        unit[np.diag_indices_from(unit)] = 1.0 + JITTER
        order = _confident_last(unit)
        raw, info = lapack.dpotrf(unit[np.ix_(order, order)], lower=0, clean=1)
        if info:
            unit[np.diag_indices_from(unit)] = 1.0 + 1e4 * JITTER
            raw, info = lapack.dpotrf(unit[np.ix_(order, order)], lower=0, clean=1)
        diagonal = np.diag(raw)
        ratios = raw / diagonal[:, None] / scale[order][:, None] * scale[order]
        return Factor(diagonal * scale[order], ratios, order)


class LazyCurvature(Curvature):
    """H of one problem as part of a quadratic model; the matrix is made only if it is asked for.

    Parameters
    ----------
    quadratic : QuadraticModel
        Where the rows and products come from.
    system : System
        The outputs, of which the first one's H is taken, and the columns.
    feature_scale : ndarray of shape (k,)
        2^(e_j) of these columns: H is that of the weights divided by it.
    """

    def __init__(self, quadratic: QuadraticModel, system: System, feature_scale: Floats):
        self._quadratic = quadratic
        self._output = int(system.outputs[0])
        self._columns = system.columns
        self._feature_scale = feature_scale
        gram = quadratic.grams[0 if len(quadratic.grams) == 1 else self._output]
        self.lazy = isinstance(gram, LazyGram) and len(system.columns) > DENSE_LIMIT
        self._gram = gram

    @cached_property
    def matrix(self) -> Floats:
        """H, shape (k, k)."""
        return self.block(np.arange(len(self._columns)))

    @cached_property
    def diagonal(self) -> Floats:
        """The diagonal of H, shape (k,)."""
        whole = self._gram.diag() + self._quadratic.penalty[self._output]
        diagonal: Floats = whole[self._columns] * self._feature_scale**2
        return diagonal

    def block(self, places: Indices) -> Floats:
        """Return the block of H that these of its k columns span."""
        block = self._quadratic.block(self._columns[places], self._output)
        scale = self._feature_scale[places]
        return block if (scale == 1).all() else block * np.outer(scale, scale)

    def dot(self, vectors: Floats) -> Floats:
        """Return ``vectors @ H`` for vectors of shape (B, k)."""
        if not self.lazy:
            return vectors @ self.matrix
        whole = np.zeros((len(vectors), self._quadratic.n_features))
        whole[:, self._columns] = vectors * self._feature_scale
        product = self._gram.dot(whole) + self._quadratic.penalty[self._output] * whole
        part: Floats = product[:, self._columns] * self._feature_scale
        return part


@dataclass(frozen=True)
class Problem:
    """Rows of integer least squares that share a curvature.

    Parameters
    ----------
    curvature : Curvature
        H, over k columns.
    target : ndarray of shape (B, k)
        The optimum of each row, in units of its step.
    box : Box
        The values allowed, in the same units.
    random : numpy.random.Generator
        For roundings that draw.
    """

    curvature: Curvature
    target: Floats
    box: Box
    random: np.random.Generator = field(default_factory=np.random.default_rng)

    def excess(self, values: Floats) -> Floats:
        """Return (u - t)' H (u - t) of each row, shape (B,)."""
        error = values - self.target
        return np.einsum("ij,ij->i", self.curvature.dot(error), error)

    def cheap_excess(self, values: Floats) -> Floats:
        """Return `excess`, from the diagonal of H alone where the whole of it is too large, shape (B,)."""
        if not self.curvature.lazy:
            return self.excess(values)
        return (values - self.target) ** 2 @ self.curvature.diagonal

    def take(self, rows: NDArray[Any]) -> Problem:
        """Return the problem of these rows alone."""
        return replace(self, target=self.target[rows], box=self.box.take(rows))

    def columns(self, places: Indices, curvature: Curvature, target: Floats) -> Problem:
        """Return the problem of these columns, given their own curvature and target."""
        return Problem(curvature, target, self.box.columns(places), self.random)

    def better(self, first: Floats, second: Floats) -> Floats:
        """Return for each row the candidate with the smaller loss; `first` on a tie."""
        return np.where((self.excess(second) < self.excess(first))[:, None], second, first)


RoundingFunction = Callable[[Problem], Floats]
"""A rounding: given a problem, the values of its box that were chosen, shape (B, k)."""


def _confident_last(unit: Floats) -> Indices:
    return np.argsort(-np.diag(unit), kind="stable")

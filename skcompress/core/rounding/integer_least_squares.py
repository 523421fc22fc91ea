"""Integer least squares as a rounding sees it: the problem, and its relaxation.

B rows share a curvature H over k columns. Each row has a target t (the optimum in units of its step) and a box of
allowed values; wanted is

    min over u in the box of  (u - t)' H (u - t)

A row is one output at one trial scale. The rows differ by a factor in their loss, which no rounding needs.

The relaxation is the optimum inside the box before any rounding, where the good searches are centred. For low <= u <=
high, at the optimum u* the *pull* x = H (t - u*) is zero where u* is inside, not negative at the upper end and not
positive at the lower one, and for every u

    (u - t)' H (u - t) = (u* - t)' H (u* - t) + (u - u*)' H (u - u*) - 2 x'(u - u*)

with no negative term anywhere in the box. A search that is centred on u* and pays -2 x_j (u_j - u*_j) for each weight
that leaves its end of the box therefore has a lower bound that already contains what clipping costs; one that is
centred on t has none, and goes wrong where large collinear weights do not fit into the box.

Its solver is block principal pivoting for bounds on both sides (Portugal, Judice and Vicente 1994, "A comparison of
block pivoting and interior-point algorithms for linear least squares problems with nonnegative variables"): exchange
every weight on the wrong side, and only the worst one once that no longer helps. With C the weights at an end,
u = t - inv(H)[:, C] x_C and inv(H)[C, C] x_C = t_C - end_C: small systems where few are clipped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from ..grids import Box
from ..linalg import Floats, Indices, Mask
from .hessian import JITTER, Curvature

MAX_EXCHANGES = 400
PATIENCE = 3
TOLERANCE = 1e-9


class Relaxation(NamedTuple):
    """The optimum in the box and its pull, both (B, k)."""

    centre: Floats
    pull: Floats


def relax(inverse: Floats, target: Floats, low: Floats, high: Floats) -> Relaxation:
    """Return the optimum of each row inside its box.

    Parameters
    ----------
    inverse : ndarray of shape (k, k)
        The inverse of H, positive definite.
    target : ndarray of shape (B, k)
        The optimum without the box.
    low, high : ndarray of shape (B, 1) or (B, k)
        The ends of the box.
    """
    low, high = np.broadcast_to(low, target.shape), np.broadcast_to(high, target.shape)
    centre, pull = np.clip(target, low, high), np.zeros_like(target)
    clipped = (target > high).astype(np.int8) - (target < low).astype(np.int8)
    follows = _parallel_to_the_one_before(target)
    for row in np.flatnonzero(clipped.any(axis=1)):
        # One output at the next trial scale: nearly the same weights are at an end.
        at_end = np.sign(pull[row - 1]).astype(np.int8) if follows[row] else clipped[row]
        centre[row], pull[row] = _relax_row(inverse, target[row], low[row], high[row], at_end)
    return Relaxation(centre, pull)


def _parallel_to_the_one_before(target: Floats) -> Mask:
    length = np.sqrt(np.einsum("ij,ij->i", target, target))
    along = np.einsum("ij,ij->i", target[1:], target[:-1])
    return np.concatenate([[False], along > (1 - 1e-12) * length[1:] * length[:-1]])


def _relax_row(
    inverse: Floats, target: Floats, low: Floats, high: Floats, at_end: NDArray[np.int8]
) -> tuple[Floats, Floats]:
    width = TOLERANCE * (high - low)
    spread = np.sqrt(np.diag(inverse))
    fewest, patience = len(target) + 1, PATIENCE
    for _ in range(MAX_EXCHANGES):
        pull = np.zeros_like(target)
        ends = np.flatnonzero(at_end)
        bound = np.where(at_end[ends] > 0, high[ends], low[ends])
        pull[ends] = _solve(inverse[np.ix_(ends, ends)], target[ends] - bound)
        centre = target - inverse[:, ends] @ pull[ends]
        centre[ends] = bound
        above, below = centre - high, low - centre
        outside = (at_end == 0) & (np.maximum(above, below) > width)
        wrong = np.flatnonzero(outside | (at_end * pull < 0))
        if not len(wrong):
            break
        if len(wrong) < fewest:
            fewest, patience = len(wrong), PATIENCE
        elif patience > 0:
            patience -= 1
        else:
            violation = np.where(outside, np.maximum(above, below) / spread, np.abs(pull) * spread)
            wrong = wrong[[np.argmax(violation[wrong])]]
        into = np.where(above[wrong] > 0, 1, -1)
        at_end[wrong] = np.where(outside[wrong], into, 0)
    return np.clip(centre, low, high), pull


def _solve(matrix: Floats, right: Floats) -> Floats:
    if not len(right):
        return right
    _, solution, failed = lapack.dposv(matrix, right)
    return np.asarray(np.linalg.solve(matrix, right) if failed else solution, dtype=np.float64)


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
        excess: Floats = np.einsum("ij,ij->i", self.curvature.dot(error), error)
        return excess

    def cheap_excess(self, values: Floats) -> Floats:
        """Return `excess`, from the diagonal of H alone where the whole of it is too large, shape (B,)."""
        if not self.curvature.lazy:
            return self.excess(values)
        return (values - self.target) ** 2 @ self.curvature.diagonal

    @cached_property
    def relaxation(self) -> Relaxation:
        """The optimum of each row inside its box, and its pull.

        H has a jitter here; the target moves with it, to inv(H + jitter) H t, so that what is minimised differs
        from the excess by the jitter's own small penalty on u alone, however large t is in a direction
        that H does not see.
        """
        inverse = self.curvature.inverse
        jitter = JITTER * self.curvature.live_diagonal
        shifted = self.target - (self.target * jitter) @ inverse
        return relax(inverse, shifted, *self.box.ends())

    def bound(self) -> Floats:
        """Return a lower bound of the excess of each row: the relaxation's where it is known, else 0."""
        if "relaxation" not in self.__dict__:
            return np.zeros(len(self.target))
        return self.excess(self.relaxation.centre)

    def take(self, rows: NDArray[Any]) -> Problem:
        """Return the problem of these rows alone, which may repeat."""
        part = replace(self, target=self.target[rows], box=self.box.take(rows))
        if "relaxation" in self.__dict__:
            known = self.relaxation
            part.__dict__["relaxation"] = Relaxation(known.centre[rows], known.pull[rows])
        return part

    def columns(self, places: Indices, curvature: Curvature, target: Floats) -> Problem:
        """Return the problem of these columns, given their own curvature and target."""
        return Problem(curvature, target, self.box.columns(places), self.random)

    def better(self, first: Floats, second: Floats) -> Floats:
        """Return for each row the candidate with the smaller loss; `first` on a tie."""
        return np.where((self.excess(second) < self.excess(first))[:, None], second, first)


RoundingFunction = Callable[[Problem], Floats]
"""A rounding: given a problem, the values of its box that were chosen, shape (B, k)."""

"""Problem: integer least squares as a rounding sees it.

B rows share a curvature H over k columns. Each row has a target t (the optimum in units of its step) and a
box of allowed values; wanted is

    min over u in the box of  (u - t)' H (u - t)

A row is one output at one trial scale. The rows differ by a factor in their loss, which no rounding needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grids import Box
from ..linalg import Floats, Indices
from .hessian import JITTER, Curvature
from .relaxation import Relaxation, relax


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
        settled = self.target - (self.target * jitter) @ inverse
        return relax(inverse, settled, *self.box.ends())

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

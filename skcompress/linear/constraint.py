"""Constraint: what a fitted wrapper asks of the weights, for the wrappers around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..core.linalg import Floats, Mask


@dataclass(frozen=True)
class Constraint:
    """Where the next compression starts from, and what it must keep.

    Attributes
    ----------
    base : ndarray of shape (m, p)
        The weights before any compression.
    base_intercept : ndarray of shape (m,)
        The intercept that goes with `base`.
    centre : ndarray of shape (m, p)
        The float weights to stay close to: the base's own, or after pruning the refitted ones.
    intercept : ndarray of shape (m,)
        The intercept that goes with `centre`.
    support : ndarray of shape (m, p), dtype=bool
        The weights that may be other than zero.
    grid : Grid or None
        The grid that the weights are on.
    rounding : str or callable
        How they were put there.
    signs : ndarray of shape (m, p), or 0
        1: the weight may not be negative, -1: not positive, 0: free.
    at_minimum : bool
        Whether `centre` minimises the loss on the support; not after pruning without a refit, and then what comes next
        stays close to it and does not follow the gradient.
    """

    base: Floats
    base_intercept: Floats
    centre: Floats
    intercept: Floats
    support: Mask
    grid: Any = None
    rounding: Any = "lattice"
    signs: Any = 0
    at_minimum: bool = True

    @classmethod
    def unbound(cls, weights: Floats, intercept: Floats, positive: bool = False) -> Constraint:
        """Return the constraint of a model that nothing has compressed: zeros stay zero, and positive ones positive."""
        return cls(weights, intercept, weights, intercept, weights != 0, signs=int(positive))

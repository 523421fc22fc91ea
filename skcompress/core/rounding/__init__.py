"""Roundings: from the optimum in units of the grid's step to values on the grid.

A rounding is a pure function of a `Problem` (B rows of integer least squares that share a curvature): it
returns the chosen values, shape (B, k), from the problem's box. The table says how each is used when a scale
is searched.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ..linalg import Floats
from .descent import descend, descent
from .elementwise import PLAIN_ROUNDINGS, floor, nearest, stochastic, stochastic_values
from .exact import exact
from .hessian import Curvature, LazyCurvature
from .integer_least_squares import Problem, RoundingFunction
from .lattice import joint, lattice, polish, scout
from .nearest_plane import beam, gptq

__all__ = [
    "PLAIN_ROUNDINGS",
    "ROUNDINGS",
    "Curvature",
    "LazyCurvature",
    "Problem",
    "Rounding",
    "RoundingFunction",
    "nearest",
    "rounding_of",
    "stochastic_values",
]


class Rounding(NamedTuple):
    """A rounding and how to search a scale for it.

    Attributes
    ----------
    round : callable(problem) -> ndarray of shape (B, k)
        The rounding itself.
    scout : callable(problem) -> ndarray of shape (B, k)
        A cheaper one that ranks the trial scales.
    finalists : int
        How many of the trial scales are kept for the rounding itself.
    polish : callable(problem, values) -> ndarray of shape (B, k), or None
        Takes values to a slightly changed scale. None: round again.
    turns : bool
        Whether the scale may follow the codes; not where that would bias a random rounding.
    per_octave : int
        Trial scales between a scale and its double.
    returns : int
        How often the rounding may start anew at the scale that won, where polishing had taken values there.
    """

    round: RoundingFunction
    scout: RoundingFunction
    finalists: int = 1
    polish: Callable[[Problem, Floats], Floats] | None = None
    turns: bool = True
    per_octave: int = 4
    returns: int = 0

    def improved(self, problem: Problem, values: Floats) -> Floats:
        """Return values that are no worse for this problem, polished or rounded again."""
        if self.polish is not None:
            return self.polish(problem, values)
        return problem.better(values, self.round(problem))


ROUNDINGS: dict[str, Rounding] = {
    "nearest": Rounding(nearest, nearest),
    "floor": Rounding(floor, floor),
    "stochastic": Rounding(stochastic, nearest, turns=False),
    "gptq": Rounding(gptq, gptq),
    "beam": Rounding(beam, scout, finalists=4),
    "descent": Rounding(descent, nearest, finalists=4, polish=descend, returns=1),
    "lattice": Rounding(lattice, scout, finalists=4, polish=polish, returns=1),
    "joint": Rounding(joint, scout, finalists=12, polish=polish, per_octave=16, returns=4),
    "exact": Rounding(exact, scout, finalists=12),
}


def _checked(rounding: RoundingFunction, problem: Problem) -> Floats:
    """Return the values that a callable gives, or raise ValueError where they are no numbers of the right shape."""
    returned, shape = rounding(problem), problem.target.shape
    try:
        values = np.asarray(returned, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"rounding must return values of shape {shape}, got {returned!r}") from None
    if values.shape != shape:
        raise ValueError(f"rounding must return values of shape {shape}, got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("rounding returned values that are not finite")
    return values


def rounding_of(rounding: str | RoundingFunction) -> Rounding:
    """Return the entry of `ROUNDINGS`, or one made of a callable.

    Raises
    ------
    ValueError
        If the name is not in the table.
    """
    if callable(rounding):
        own = partial(_checked, rounding)
        return Rounding(own, own)
    if isinstance(rounding, str) and rounding in ROUNDINGS:
        return ROUNDINGS[rounding]
    raise ValueError(f"rounding must be one of {sorted(ROUNDINGS)} or a callable, got {rounding!r}")

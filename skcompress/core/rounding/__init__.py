"""Roundings: from the optimum in units of the grid's step to values on the grid.

A rounding is a pure function of a `Problem` (B rows of integer least squares that share a curvature): it
returns the chosen values, shape (B, k), from the problem's box. The table says how each is used when a scale
is searched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..linalg import Floats
from .beam import beam
from .descent import descend, descent
from .gptq import gptq
from .lattice import lattice, polish
from .nearest import floor, nearest
from .problem import Curvature, LazyCurvature, Problem, RoundingFunction

__all__ = [
    "ROUNDINGS",
    "Curvature",
    "LazyCurvature",
    "Problem",
    "Rounding",
    "RoundingFunction",
    "rounding_of",
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
    """

    round: RoundingFunction
    scout: RoundingFunction
    finalists: int = 1
    polish: Callable[[Problem, Floats], Floats] | None = None


ROUNDINGS: dict[str, Rounding] = {
    "nearest": Rounding(nearest, nearest),
    "floor": Rounding(floor, floor),
    "gptq": Rounding(gptq, gptq),
    "beam": Rounding(beam, gptq, finalists=4),
    "descent": Rounding(descent, nearest, finalists=4, polish=descend),
    "lattice": Rounding(lattice, gptq, finalists=4, polish=polish),
}


def rounding_of(rounding: str | RoundingFunction) -> Rounding:
    """Return the entry of `ROUNDINGS`, or one made of a callable.

    Raises
    ------
    ValueError
        If the name is not in the table.
    """
    if callable(rounding):
        return Rounding(rounding, rounding)
    if isinstance(rounding, str) and rounding in ROUNDINGS:
        return ROUNDINGS[rounding]
    raise ValueError(f"rounding must be one of {sorted(ROUNDINGS)} or a callable, got {rounding!r}")

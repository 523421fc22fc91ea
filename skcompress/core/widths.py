"""Quantize to several widths."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from .quadratic import QuadraticModel
from .quantizing import Quantization, quantize
from .rounding import RoundingFunction


def quantize_widths(
    quadratic: QuadraticModel,
    widths: Sequence[int],
    *,
    grid: str = "symmetric",
    rounding: str | RoundingFunction = "lattice",
    scale: str | float = "loss",
    granularity: str = "auto",
    random_state: Any = None,
) -> list[Quantization]:
    """Put the free weights on grids of several widths.

    Parameters
    ----------
    quadratic : QuadraticModel
        The loss around the weights; `free` says which weights may be other than zero.
    widths : sequence of int
        Bits, each from 1 to 16.
    grid, rounding, scale, granularity, random_state
        As in `quantize`.

    Returns
    -------
    quantizations : list of Quantization
        One for each width, each as if it had been asked for alone.

    Raises
    ------
    ValueError
        If a parameter is not one of those allowed.
    MemoryError
        If the rounding needs a curvature that does not fit into memory.
    """
    options: dict[str, Any] = {"grid": grid, "rounding": rounding, "scale": scale, "granularity": granularity}
    return [quantize(quadratic, bits=bits, **options, random_state=copy.deepcopy(random_state)) for bits in widths]

"""Quantize to several widths."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .grids import GRIDS
from .options import QuantizeOptions
from .quadratic import QuadraticModel
from .quantizing import (
    Quantization,
    assembled,
    generator_of,
    grid_of,
    on_even_grid,
    quantize_with,
)
from .rounding import rounding_of
from .scale_search import Trials
from .scales import GRANULARITIES, ScaleRule, scale_rule_of, tasks_of

ROW_BY_ROW = {"nearest", "floor", "gptq"}
"""Roundings whose result for a row does not depend on how many rows there are."""


def quantize_widths(
    quadratic: QuadraticModel, widths: Sequence[int], options: QuantizeOptions | None = None
) -> list[Quantization]:
    """Put the free weights on grids of several widths.

    Parameters
    ----------
    quadratic : QuadraticModel
        The loss around the weights; `free` says which weights may be other than zero.
    widths : sequence of int
        Bits, each from 1 to 16.
    options : QuantizeOptions, default=None
        Whose bits do not matter. None: those of `quantize`.

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
    options = QuantizeOptions() if options is None else options
    each = [options.at(bits) for bits in widths]
    if len(widths) > 1 and _can_be_stacked(quadratic, each):
        return _stacked(quadratic, [int(bits) for bits in widths], options)
    drawn = (replace(own, random_state=copy.deepcopy(options.random_state)) for own in each)
    return [quantize_with(quadratic, own) for own in drawn]


def _can_be_stacked(quadratic: QuadraticModel, each: list[QuantizeOptions]) -> bool:
    """Return whether all the widths can be rows of one search without one of them changing another."""
    options, kind = each[0], GRIDS[each[0].grid]
    even = all(kind.values(int(own.bits)) is None and not kind.has_levels(int(own.bits)) for own in each)
    alone = options.granularity != "tensor" or quadratic.n_outputs == 1
    row_by_row = isinstance(options.rounding, str) and options.rounding in ROW_BY_ROW and options.units is None
    return even and alone and row_by_row and isinstance(scale_rule_of(options.scale), ScaleRule)


def _stacked(quadratic: QuadraticModel, widths: list[int], options: QuantizeOptions) -> list[Quantization]:
    grid, scale, granularity = options.grid, options.scale, options.granularity
    kind, method, m = GRIDS[grid], rounding_of(options.rounding), quadratic.n_outputs
    sharing = GRANULARITIES[granularity](quadratic)._replace(shared=False)
    feature_scale = np.ones(1) if sharing.exponents is None else np.exp2(sharing.exponents)
    tasks = tasks_of(quadratic, feature_scale, kind, widths[0], generator_of(0))
    bits = np.repeat(widths, m)[:, None]
    every = [task.at_widths(np.array(widths), m) for task in tasks]
    unit = np.tile(quadratic.unit, len(widths))
    trials, values = on_even_grid(every, kind, bits, method, scale_rule_of(scale), unit, False)
    results = []
    for place, width in enumerate(widths):
        own = slice(place * m, (place + 1) * m)
        zeros = None if trials.zero_points is None else trials.zero_points[own]
        final = GRANULARITIES[granularity](quadratic) if granularity == "tensor" else sharing
        chosen = grid_of(grid, width, Trials(trials.steps[own], zeros), final, quadratic)
        parts = [np.split(each, len(widths))[place] for each in values]
        results.append(assembled(quadratic, chosen, tasks, parts))
    return results

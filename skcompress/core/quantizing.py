"""Quantizing: put the free weights of a quadratic model on a grid where that costs the least loss.

    minimise  (w - w0)' H (w - w0)   over   w_ij = s_i 2^(e_j) z_ij,   z_ij on the grid, w_ij = 0 off `free`

`skcompress.core.scale_search` finds the scales, `skcompress.core.codebooks` the levels of a codebook, and
`skcompress.core.rounding` the codes.

A weight that is not free has the code of exactly zero. A free weight whose column carries no curvature may be
anything without loss; it stays where it is as near as the grid allows (`skcompress.core.unseen`).
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .codebooks import CodebookSearch
from .grids import GRIDS, Codes, Grid, GridKind
from .linalg import Floats
from .options import QuantizeOptions, require_quadratic
from .quadratic import QuadraticModel
from .rounding import Rounding, RoundingFunction, rounding_of
from .scale_search import ScaleSearch, Trials
from .scales import GRANULARITIES, SCALES, Granularity, ScaleRule, Task, reach, scale_rule_of, tasks_of

MOST_CLIPPED = 0.5
"""Share of the weights that a given scale may clip without a warning."""

Rule = ScaleRule | float


@dataclass(frozen=True)
class Quantization:
    """Weights on a grid.

    Attributes
    ----------
    weights : ndarray of shape (m, p)
        ``grid.decode(codes)``.
    codes : ndarray of int, shape (m, p)
        In the smallest integer type.
    grid : Grid
        Scale, zero point and kind.
    loss : float
        Loss of `weights` by the quadratic model, in units of loss.
    """

    weights: Floats
    codes: Codes
    grid: Grid
    loss: float


def quantize(
    quadratic: QuadraticModel,
    *,
    bits: int = 8,
    grid: str = "symmetric",
    rounding: str | RoundingFunction = "lattice",
    scale: str | float = "loss",
    granularity: str = "auto",
    units: ArrayLike | None = None,
    random_state: Any = None,
) -> Quantization:
    """Put the free weights on a grid.

    Parameters
    ----------
    quadratic : QuadraticModel
        The loss around the weights; `free` says which weights may be other than zero.
    bits : int, default=8
        Bits of a code, 1 to 16.
    grid : str, default="symmetric"
        A key of `GRIDS`.
    rounding : str or callable, default="lattice"
        A key of `ROUNDINGS`, or a function of a `Problem` that returns the chosen values.
    scale : str or float, default="loss"
        A key of `SCALES`, or the scale itself.
    granularity : str, default="auto"
        A key of `GRANULARITIES`: what shares a scale.
    units : array-like of shape (p,), default=None
        Positive units of the features' weights: w_ij = s_i units_j z_ij. In place of the exponents of granularity
        "feature"; "auto" is then "output".
    random_state : int, Generator, RandomState or None, default=None
        For roundings that draw.

    Returns
    -------
    Quantization
        Weights, codes, grid and loss.

    Raises
    ------
    ValueError
        If a parameter is not one of those allowed.
    MemoryError
        If the rounding needs a curvature that does not fit into memory.

    Warns
    -----
    UserWarning
        If a given scale clips more than half of the weights, or rounds all of them to zero.

    See Also
    --------
    QuantizedRegressor : The same for a fitted estimator.

    Examples
    --------
    >>> quantize(QuadraticModel(np.eye(2), [3.0, 1.1]), bits=3).codes
    array([[3, 1]], dtype=int8)
    """
    require_quadratic(quadratic, "quantize")
    return quantize_with(quadratic, QuantizeOptions(bits, grid, rounding, scale, granularity, units, random_state))


def quantize_with(quadratic: QuadraticModel, options: QuantizeOptions) -> Quantization:
    """Return what `quantize` does."""
    bits, kind, method = int(options.bits), GRIDS[options.grid], rounding_of(options.rounding)
    rule = scale_rule_of(options.scale)
    by_output = options.units is not None and options.granularity == "auto"
    sharing = GRANULARITIES["output" if by_output else options.granularity](quadratic)
    units = None if options.units is None else _checked_units(options.units, quadratic.n_features)
    tasks = tasks_of(quadratic, _feature_scale(sharing, units), kind, bits, generator_of(options.random_state))
    if kind.values(bits) is None and kind.has_levels(bits) and isinstance(rule, ScaleRule):
        trials = Trials(np.ones((quadratic.n_outputs, 1)))
        levels: Floats | None
        levels, values = CodebookSearch(tasks, method, quadratic.loss_unit, sharing.shared).best(rule)
    else:
        levels = kind.values(bits) if kind.has_levels(bits) else None
        trials, values = on_even_grid(tasks, kind, bits, method, rule, quadratic.loss_unit, sharing.shared)
    grid = grid_of(options.grid, bits, trials, sharing, quadratic, levels, units)
    result = assembled(quadratic, grid, tasks, values)
    if not isinstance(rule, ScaleRule) and not result.weights.any() and quadratic.centre[quadratic.free].any():
        warnings.warn(
            f"scale={options.scale!r} rounds every weight to zero: the model predicts a constant; give a smaller "
            "number, or scale='loss'",
            UserWarning,
            stacklevel=3,
        )
    return result


def on_even_grid(
    tasks: list[Task], kind: GridKind, bits: Any, method: Rounding, rule: Rule, loss_unit: Floats, shared: bool
) -> tuple[Trials, list[Floats]]:
    """Return the scales and zero points, S = 1, and the values of each task on a grid that has no levels to be found.

    Parameters
    ----------
    tasks : list of Task
        The systems.
    kind, method, rule
        Entries of `GRIDS`, `ROUNDINGS` and `SCALES`, or a number for the last.
    bits : int or ndarray of int, shape (m, 1)
        As the tasks have them.
    loss_unit : ndarray of shape (m,)
        The unit of the loss of each output.
    shared : bool
        Whether all outputs have one scale.
    """
    low, high = reach(tasks, len(loss_unit), shared)
    full_step = kind.spanning(low, high, bits)
    if not isinstance(rule, ScaleRule):
        _warn_of_clipping(tasks, np.maximum(-low, high), full_step, rule)
        full_step = np.full_like(full_step, rule)
        rule = SCALES["max"]
    spanning = Trials(full_step, kind.zero_point(low, full_step, bits))
    search = ScaleSearch(tasks, kind, method, loss_unit, shared)
    return search.widened(spanning, rule) if kind.refined else search.best(spanning, rule)


def grid_of(
    kind: str,
    bits: int,
    trials: Trials,
    sharing: Granularity,
    quadratic: QuadraticModel,
    levels: Floats | None = None,
    units: Floats | None = None,
) -> Grid:
    """Return the grid with these scales and zero points, shape (m, 1)."""
    row_scale = _row_values(trials.steps, sharing.shared)
    zero_point = trials.zero_points
    one_for_each = units is not None or sharing.exponents is not None
    spread = row_scale * _feature_scale(sharing, units)
    return Grid(
        kind=kind,
        bits=bits,
        scale=np.array(np.broadcast_to(spread, quadratic.free.shape)) if one_for_each else row_scale,
        zero_point=None if zero_point is None else _row_values(zero_point, sharing.shared).astype(np.int64),
        exponents=sharing.exponents,
        levels=levels,
        units=units,
    )


def _feature_scale(sharing: Granularity, units: Floats | None) -> Floats:
    if units is not None:
        return units
    return np.ones(1) if sharing.exponents is None else np.exp2(sharing.exponents)


def _warn_of_clipping(tasks: list[Task], largest: Floats, full_step: Floats, step: float) -> None:
    """Warn if most of the weights lie beyond the ends of the grid that this step makes."""
    held = largest * (step / full_step) * (1 + 1e-9)
    clipped = [(np.abs(task.optimum) > held[task.outputs]).ravel() for task in tasks]
    share = float(np.mean(np.concatenate(clipped))) if clipped else 0.0
    if share > MOST_CLIPPED:
        warnings.warn(
            f"scale={step:.3g} clips {share:.0%} of the weights at the ends of the grid; a scale of "
            f"{float(full_step.max()):.3g} would hold them all",
            UserWarning,
            stacklevel=3,
        )


def _checked_units(units: ArrayLike, n_features: int) -> Floats:
    try:
        array = np.asarray(units, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape != (n_features,) or not (array > 0).all() or not np.isfinite(array).all():
        raise ValueError(f"units must be {n_features} positive finite numbers, got {units!r}")
    return array


def round_on(
    quadratic: QuadraticModel,
    grid: Grid,
    *,
    rounding: str | RoundingFunction = "lattice",
    random_state: Any = None,
) -> Quantization:
    """Put the free weights on a grid that is given, scale and all.

    Parameters
    ----------
    quadratic : QuadraticModel
        The loss around the weights; `free` says which weights may be other than zero.
    grid : Grid
        Where the weights may lie; its scale fits the shape (m, p).
    rounding : str or callable, default="lattice"
        A key of `ROUNDINGS`, or a function of a `Problem` that returns the chosen values.
    random_state : int, Generator, RandomState or None, default=None
        For roundings that draw.
    """
    method = rounding_of(rounding)
    kind = GRIDS[grid.kind]
    tasks = tasks_of(quadratic, grid.feature_scale, kind, grid.bits, generator_of(random_state))
    shape = (quadratic.n_outputs, 1)
    steps = np.broadcast_to(grid.row_scale, shape)
    zero_point = None if grid.zero_point is None else np.broadcast_to(grid.zero_point, shape).astype(float)
    values = [method.round(task.problem(steps, zero_point, grid.levels)) for task in tasks]
    return assembled(quadratic, grid, tasks, values)


def generator_of(random_state: Any) -> np.random.Generator:
    """Return a generator seeded by an int, a RandomState, a Generator or None."""
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31 - 1))
    return np.random.default_rng(random_state)


def assembled(quadratic: QuadraticModel, grid: Grid, tasks: list[Task], values: list[Floats]) -> Quantization:
    """Return the quantization in which these tasks have these values, (r, k) each."""
    whole = np.zeros((quadratic.n_outputs, quadratic.n_features))
    for task, chosen in zip(tasks, values, strict=True):
        whole[np.ix_(task.outputs, task.columns)] = chosen
    codes = grid.code(whole)
    weights = grid.decode(codes)
    return Quantization(weights, codes, grid, quadratic.loss(weights))


def _row_values(values: Floats, shared: bool) -> Floats:
    return values[:1, 0].reshape(()) if shared else values


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
    loss_unit = np.tile(quadratic.loss_unit, len(widths))
    trials, values = on_even_grid(every, kind, bits, method, scale_rule_of(scale), loss_unit, False)
    results = []
    for place, width in enumerate(widths):
        own = slice(place * m, (place + 1) * m)
        zeros = None if trials.zero_points is None else trials.zero_points[own]
        final = GRANULARITIES[granularity](quadratic) if granularity == "tensor" else sharing
        chosen = grid_of(grid, width, Trials(trials.steps[own], zeros), final, quadratic)
        parts = [np.split(each, len(widths))[place] for each in values]
        results.append(assembled(quadratic, chosen, tasks, parts))
    return results

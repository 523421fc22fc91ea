"""From blocks to expressions: table `LOWERINGS`.

A lowering is a function of (params, sources, factors) that returns expressions whose sum is the block's outputs times
the factors, shape (n_out,). Factors that are integers give integers. A kind that is not in the table (the texts)
cannot be printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artifact.categories import REFUSED
from ..artifact.terms.spline import CONSTANT, CONTINUE, ERROR, LINEAR, PERIODIC, basis, slope
from .expressions import (
    Call,
    Clip,
    Entry,
    Expr,
    Lookup,
    Minus,
    Number,
    Over,
    Pieces,
    Plus,
    Product,
    Ref,
    Steps,
    Times,
    Where,
    times,
)

Params = Mapping[str, Any]
Factors = NDArray[Any]
Lowering = Callable[[Params, Sequence[int], Factors], list[Expr]]

NAN = float("nan")


def _each(make: Callable[[Params, int, int], Expr]) -> Lowering:
    """Return the lowering of a kind with one output for each source."""

    def lower(params: Params, sources: Sequence[int], factors: Factors) -> list[Expr]:
        chosen = np.flatnonzero(factors).tolist()
        return [times(factors[j].item(), make(params, j, sources[j])) for j in chosen]

    return lower


def _by_slot(slots: NDArray[Any], factors: Factors) -> tuple[float, ...]:
    """Return the factor of each slot, 0 for no term and NaN for one that is refused."""
    known = [factors[slot].item() if slot >= 0 else NAN if slot == REFUSED else 0 for slot in slots.tolist()]
    return tuple(known)


def _lower_category(params: Params, sources: Sequence[int], factors: Factors) -> list[Expr]:
    values = _by_slot(params["slots"], factors)
    (other,) = _by_slot(np.array([params["other"]]), factors)
    return [_looked_up(sources[0], params["levels"], values, other)]


def _looked_up(column: int, levels: Sequence[Any], values: Sequence[float], other: float) -> Lookup:
    """Return a table without infinity, which is refused whatever the table says."""
    known = [pair for pair in zip(levels, values, strict=True) if pair[0] not in (float("inf"), -float("inf"))]
    return Lookup(column, tuple(level for level, _ in known), tuple(value for _, value in known), other)


def _lower_lookup(params: Params, sources: Sequence[int], factors: Factors) -> list[Expr]:
    numbers = [factors[0].item() * value for value in params["values"].tolist()] + [NAN]
    values = tuple(numbers[max(slot, -1)] for slot in params["slots"].tolist())
    other = numbers[max(params["other"], -1)]
    return [_looked_up(sources[0], params["levels"], values, other)]


def _lower_bins(params: Params, sources: Sequence[int], factors: Factors) -> list[Expr]:
    return [Steps(sources[0], tuple(params["edges"].tolist()), _by_slot(params["slots"], factors))]


def _lower_step(params: Params, sources: Sequence[int], factors: Factors) -> list[Expr]:
    values = tuple(factors[0].item() * _whole(value) for value in params["values"].tolist())
    return [Steps(sources[0], tuple(params["edges"].tolist()), values)]


def _whole(value: float) -> float:
    """Return a whole number as an integer."""
    return int(value) if value.is_integer() and abs(value) < 2**31 else value


def _lower_product(params: Params, sources: Sequence[int], factors: Factors) -> list[Expr]:
    starts = np.cumsum(params["sizes"]) - params["sizes"]
    out: list[Expr] = []
    for j in np.flatnonzero(factors).tolist():
        chosen = params["factors"][starts[j] : starts[j] + params["sizes"][j]].tolist()
        out.append(times(factors[j].item(), Product(tuple(sources[place] for place in chosen))))
    return out


def _lower_spline(params: Params, sources: Sequence[int], factors: Factors) -> list[Expr]:
    column, knots, degree = sources[0], params["knots"], params["degree"]
    n = len(knots) - degree - 1
    weights = np.zeros(n)
    kept = np.flatnonzero(params["slots"] >= 0)
    weights[kept] = np.asarray(factors, dtype=np.float64)[params["slots"][kept]]
    if params["extrapolation"] == PERIODIC and degree:
        weights[n - degree :] = weights[:degree]
    pieces = polynomials(knots, degree, weights)
    breaks, origins, coefficients = _extended(pieces, knots[degree], knots[n], params, weights)
    period = float(knots[n] - knots[degree]) if params["extrapolation"] == PERIODIC else None
    spline: Expr = Pieces(column, tuple(breaks), tuple(origins), tuple(map(tuple, coefficients)), period or None)
    return [Where(column, NAN, 0.0, spline)] if params["missing"] else [spline]


def polynomials(
    knots: NDArray[np.float64], degree: int, weights: NDArray[np.float64]
) -> tuple[list[float], list[list[float]]]:
    """Return a spline as polynomials: the left end of each piece, and its Taylor coefficients there.

    The derivative of a spline of degree d is one of degree d - 1 with the weights
    d (c_i - c_(i-1)) / (t_(i+d) - t_i) (de Boor, "A Practical Guide to Splines", chapter X).
    """
    n = len(knots) - degree - 1
    ends = knots[degree : n + 1]
    # A piece of no length is never looked at.
    left = ends[:-1][np.diff(ends) > 0] if (np.diff(ends) > 0).any() else ends[:1]
    columns = []
    t, c = knots, weights
    for order in range(degree + 1):
        values, first = basis(left, t, degree - order)
        columns.append((values * c[first[:, None] + np.arange(degree - order + 1)]).sum(axis=1) / factorial(order))
        if order < degree:
            d = degree - order
            width = t[1 + d : -1] - t[1:-1][: len(t) - 2 - d]
            c = np.divide(d * np.diff(c), width, out=np.zeros(len(c) - 1), where=width > 0)
            t = t[1:-1]
    return left.tolist(), np.column_stack(columns).tolist()


def _extended(
    pieces: tuple[list[float], list[list[float]]], low: float, high: float, params: Params, weights: NDArray[Any]
) -> tuple[list[float], list[float], list[list[float]]]:
    """Return breaks, origins and coefficients with what stands outside of the base interval."""
    left, coefficients = pieces
    extrapolation, knots, degree = params["extrapolation"], params["knots"], params["degree"]
    breaks = left[1:]
    if extrapolation in (CONTINUE, PERIODIC):
        return breaks, left, coefficients
    ends = np.array([low, high])
    values, first = basis(ends, knots, degree)
    chosen = weights[first[:, None] + np.arange(degree + 1)]
    at = (values * chosen).sum(axis=1)
    rise = (slope(ends, knots, degree) * chosen).sum(axis=1) if extrapolation == LINEAR else np.zeros(2)
    outside = [[NAN, 0.0], [NAN, 0.0]] if extrapolation == ERROR else np.column_stack([at, rise]).tolist()
    # The upper end belongs to the last piece.
    upper = float(np.nextafter(high, np.inf)) if extrapolation in (ERROR, CONSTANT) else float(high)
    return (
        [float(low), *breaks, upper],
        [float(low), *left, float(high)],
        [outside[0], *coefficients, outside[1]],
    )


def _lower_affine(params: Params, j: int, source: int) -> Expr:
    return Over(Minus(Ref(source), params["offset"][j].item()), params["divisor"][j].item())


def _lower_scaled(params: Params, j: int, source: int) -> Expr:
    return Plus(Times(params["factor"][j].item(), Ref(source)), params["shift"][j].item())


def _lower_fill(params: Params, j: int, source: int) -> Expr:
    return Where(source, float(params["marker"][0]), params["value"][j].item(), None)


LOWERINGS: dict[str, Lowering] = {
    "category": _lower_category,
    "lookup": _lower_lookup,
    "entry": _each(lambda params, j, source: Entry(source)),
    "affine": _each(_lower_affine),
    "scaled": _each(_lower_scaled),
    "clip": _each(lambda params, j, source: Clip(source, params["low"][j].item(), params["high"][j].item())),
    "fill": _each(_lower_fill),
    "missing": _each(lambda params, j, source: Where(source, float(params["marker"][0]), 1, Number(0))),
    "function": _each(lambda params, j, source: Call(params["function"], source)),
    "bins": _lower_bins,
    "step": _lower_step,
    "spline": _lower_spline,
    "product": _lower_product,
}

"""Terms of one number that are pieces between knots: which interval it lies in, and B-splines.

With edges e_1 < ... < e_k, number x lies in interval b = the number of edges <= x, one of 0..k.

bins    one column for each slot >= 0: 1 where x lies in an interval of that slot
step    one column: values[b]

With knots t and degree d, the basis functions are those of de Boor ("A Practical Guide to Splines", chapter IX):

    B_i,0(x) = 1 for t_i <= x < t_(i+1)
    B_i,d(x) = (x - t_i) / (t_(i+d) - t_i) B_i,d-1(x) + (t_(i+d+1) - x) / (t_(i+d+1) - t_(i+1)) B_i+1,d-1(x)

on the base interval from t_d to t_(n), n = len(t) - d - 1 functions. Outside of it, `extrapolation` says: 0 the outer
polynomials go on, 1 the values at the ends, 2 straight lines, 3 periodic (the last d functions are added to the first
ones), 4 an error. Slots choose the functions that are columns; -1 is none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .kind import NO_TERM, Column, Function, Kept, Mask, Params, TermKind, number_of_slots, renumbered


def _require_edges(params: Params, per_interval: str, n_sources: int) -> None:
    edges = params["edges"]
    if n_sources != 1 or (np.diff(edges) < 0).any() or len(params[per_interval]) != len(edges) + 1:
        raise ValueError(f"bins read one column and have edges in order, with one of {per_interval} more")


def _interval(x: NDArray[np.float64], edges: NDArray[np.float64], name: str) -> NDArray[np.intp]:
    finite = np.isfinite(x)
    if not finite.all():
        worst = int(np.argmin(finite))
        raise ValueError(f"input {name!r} is {x[worst]} in row {worst}: it must be a finite number")
    return np.searchsorted(edges, x, side="right")


def _check_bins(params: Params, n_sources: int) -> int:
    _require_edges(params, "slots", n_sources)
    return number_of_slots(params["slots"], NO_TERM)


def _prepare_bins(params: Params, name: str) -> Function:
    slots = params["slots"].astype(np.intp)
    return lambda columns: slots[_interval(columns[0], params["edges"], name)]


def _keep_bins(params: Params, mask: Mask, n_sources: int) -> Kept:
    slots = renumbered(params["slots"], mask)
    # Neighbours that do the same become one interval.
    parted = np.diff(slots) != 0
    return {"edges": params["edges"][parted], "slots": slots[np.append(True, parted)]}, np.ones(1, dtype=bool)


def _check_step(params: Params, n_sources: int) -> int:
    _require_edges(params, "values", n_sources)
    return 1


def _prepare_step(params: Params, name: str) -> Function:
    def run(columns: Sequence[Column]) -> NDArray[np.float64]:
        stairs: NDArray[np.float64] = params["values"][_interval(columns[0], params["edges"], name)][:, None]
        return stairs

    return run


def _keep_step(params: Params, mask: Mask, n_sources: int) -> Kept:
    return dict(params), np.ones(1, dtype=bool)


BINS = TermKind(9, (("edges", "floats"), ("slots", "ints")), "numbers", _check_bins, _prepare_bins, _keep_bins, "one")
STEP = TermKind(10, (("edges", "floats"), ("values", "floats")), "numbers", _check_step, _prepare_step, _keep_step)


Floats = NDArray[np.float64]

CONTINUE, CONSTANT, LINEAR, PERIODIC, ERROR = range(5)


def n_functions(params: Params) -> int:
    """Return the number of basis functions."""
    degree: int = params["degree"]
    n = len(params["knots"]) - degree - 1
    return n - degree if params["extrapolation"] == PERIODIC else n


def _check(params: Params, n_sources: int) -> int:
    knots, degree = params["knots"], params["degree"]
    if n_sources != 1 or not 0 <= degree <= 64 or len(knots) < 2 * degree + 2 or (np.diff(knots) < 0).any():
        raise ValueError("a spline reads one column and has at least 2 x degree + 2 knots in order")
    if not 0 <= params["extrapolation"] <= ERROR or params["missing"] not in (0, 1):
        raise ValueError("a spline has an unknown way to extrapolate, or to treat missing values")
    if len(params["slots"]) != n_functions(params) or n_functions(params) < 1:
        raise ValueError("a spline has one slot for each basis function")
    return number_of_slots(params["slots"], NO_TERM)


def basis(x: Floats, knots: Floats, degree: int) -> tuple[Floats, NDArray[np.intp]]:
    """Return the d + 1 basis functions that are not zero, shape (n, d + 1), and the number of the first."""
    n = len(knots) - degree - 1
    interval = np.clip(np.searchsorted(knots[degree : n + 1], x, side="right") - 1, 0, n - degree - 1) + degree
    values = np.ones((len(x), 1))
    for order in range(1, degree + 1):
        new = np.zeros((len(x), order + 1))
        for place in range(order):
            left = knots[interval - order + 1 + place]
            right = knots[interval + 1 + place]
            width = right - left
            share = np.divide(values[:, place], width, out=np.zeros(len(x)), where=width > 0)
            new[:, place] += (right - x) * share
            new[:, place + 1] += (x - left) * share
        values = new
    return values, interval - degree


def slope(x: Floats, knots: Floats, degree: int) -> Floats:
    """Return the derivatives of what `basis` returns, shape (n, d + 1)."""
    if degree == 0:
        return np.zeros((len(x), 1))
    lower, first = basis(x, knots[1:-1], degree - 1)
    out = np.zeros((len(x), degree + 1))
    for place in range(degree):
        left = knots[first + place + 1]
        width = knots[first + place + 1 + degree] - left
        share = degree * np.divide(lower[:, place], width, out=np.zeros(len(x)), where=width > 0)
        out[:, place] -= share
        out[:, place + 1] += share
    return out


def _prepare(params: Params, name: str) -> Function:
    knots, degree, extrapolation = params["knots"], params["degree"], params["extrapolation"]
    n = len(knots) - degree - 1
    low, high = knots[degree], knots[n]
    slots = params["slots"]
    kept = np.flatnonzero(slots >= 0)
    order = kept[np.argsort(slots[kept])]

    def run(columns: Sequence[Column]) -> Floats:
        raw = columns[0].astype(np.float64)
        missing = np.isnan(raw) & bool(params["missing"])
        x = np.where(missing, low, raw)
        outside = (x < low) | (x > high)
        if extrapolation == ERROR and outside.any():
            worst = int(np.argmax(outside))
            raise ValueError(f"input {name!r} is {x[worst]} in row {worst}: it must lie in {low}..{high}")
        if extrapolation == PERIODIC:
            x = low + (x - low) % (high - low) if high > low else np.zeros_like(x)
        inside = np.clip(x, low, high) if extrapolation in (CONSTANT, LINEAR) else x
        local, first = basis(inside, knots, degree)
        if extrapolation == LINEAR:
            local = local + slope(inside, knots, degree) * (x - inside)[:, None]
        out = np.zeros((len(x), n))
        rows = np.arange(len(x))[:, None]
        out[rows, first[:, None] + np.arange(degree + 1)] = local
        if extrapolation == PERIODIC and degree:
            out[:, :degree] += out[:, n - degree :]
        # NaN and infinity fall into some interval, and would go unseen if no function of that has a weight.
        out[~np.isfinite(raw)] = np.nan
        out[missing] = 0.0
        return out[:, order]

    return run


def _keep(params: Params, mask: Mask, n_sources: int) -> Kept:
    return {**params, "slots": renumbered(params["slots"], mask)}, np.ones(1, dtype=bool)


SPLINE = TermKind(
    11,
    (("degree", "int"), ("extrapolation", "int"), ("missing", "int"), ("knots", "floats"), ("slots", "ints")),
    "numbers",
    _check,
    _prepare,
    _keep,
)

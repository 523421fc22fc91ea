"""Where a function of one number bends: the pieces on which it is smooth, and the points at which it turns.

The pieces of a composed function are found from the inside out: an edge of a block is carried back to the input by
bisection over the floats, which is exact to the last bit wherever the columns before it are monotone; where they are
not, their turning points split the pieces first. On a piece a function is smooth, and is replaced by its Chebyshev
interpolant, halving the piece until that is exact to rounding (Battles and Trefethen, "An Extension of MATLAB to
Continuous Functions and Operators", SIAM J. Sci. Comput. 25, 2004); the roots of the derivative are the turning points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from ..terms.numbers import ARCSINH, COS, FLOOR, RINT, ROUGH_AT_ZERO, SIN, TANH
from ..terms.spline import PERIODIC
from .anatomy import Curve

Floats = NDArray[np.float64]
Function = Callable[[Floats], tuple[Floats, Floats]]
"""From points, shape (n,), to values and to the sizes of what they were added up from, shape (n,)."""

MOST_PIECES = 400_000
_DEGREE, _TAIL = 16, 3
_BEND = (-20.0, -4.0, 0.0, 4.0, 20.0)
_NODES = np.cos(np.pi * np.arange(_DEGREE + 1) / _DEGREE)
_NOISE = 64 * np.finfo(np.float64).eps


def _interpolation() -> Floats:
    """Return the matrix from values at the nodes to Chebyshev coefficients."""
    half = np.ones(_DEGREE + 1)
    half[[0, -1]] = 0.5
    table = np.cos(np.pi * np.outer(np.arange(_DEGREE + 1), np.arange(_DEGREE + 1)) / _DEGREE)
    return 2.0 / _DEGREE * half[:, None] * table * half


_COEFFICIENTS = _interpolation()


class Turns(NamedTuple):
    """Points between which a function is monotone, and whether all of them were found."""

    points: Floats
    complete: bool


def last_before(points: Floats) -> Floats:
    """Return the next smaller floats."""
    before: Floats = np.nextafter(points, -np.inf)
    return before


def ends_of(starts: Floats, high: float) -> Floats:
    """Return the last points of pieces that begin at `starts` and reach up to `high`."""
    return np.append(last_before(starts[1:]), high)


def turning_points(function: Function, starts: Floats, high: float) -> Turns:
    """Return the ends of the pieces, and the points inside of them at which the function turns."""
    left, right = starts, ends_of(starts, high)
    found, n_pieces, floor = [left, right], len(left), np.zeros(len(left))
    while len(left):
        middle, half = left / 2 + right / 2, right / 2 - left / 2
        nodes = np.clip(middle[:, None] + half[:, None] * _NODES, left[:, None], right[:, None])
        flat, sizes = function(nodes.ravel())
        values = flat.reshape(nodes.shape)
        # What is small beside the piece that this one was cut from does not matter.
        noise = np.maximum(_NOISE * sizes.reshape(nodes.shape).max(axis=1), floor)
        coefficients = values @ _COEFFICIENTS.T
        bent = np.abs(coefficients[:, 2:]).max(axis=1) > noise
        rough = bent & (np.abs(coefficients[:, -_TAIL:]).max(axis=1) > noise)
        for place in np.flatnonzero(bent & ~rough).tolist():
            found.append(middle[place] + half[place] * _roots(coefficients[place]))
        wide = half > 4 * np.spacing(np.maximum(np.abs(left), np.abs(right)))
        rough &= wide & (np.ptp(values, axis=1) > noise)
        found.append(middle[rough])
        n_pieces += int(rough.sum())
        if n_pieces > MOST_PIECES:
            return Turns(np.unique(np.concatenate(found)), False)
        left, right, floor = (
            np.concatenate([left[rough], middle[rough]]),
            np.concatenate([middle[rough], right[rough]]),
            np.tile(noise[rough], 2),
        )
    return Turns(np.unique(np.concatenate(found)), True)


def _roots(coefficients: Floats) -> Floats:
    """Return the real roots of the derivative within -1..1."""
    slope = chebyshev.chebder(coefficients)
    slope = chebyshev.chebtrim(slope, np.finfo(np.float64).eps * np.abs(slope).max())
    roots = chebyshev.chebroots(slope)
    return np.clip(roots.real[(np.abs(roots.imag) < 1e-6) & (np.abs(roots.real) <= 1)], -1.0, 1.0)


def pieces_of(curves: list[Curve], low: float, high: float) -> Floats:
    """Return where the pieces begin on which all columns of these curves are smooth and continuous.

    Raises
    ------
    ValueError
        If there are more than `MOST_PIECES`.
    """
    starts = np.array([low])
    for curve in curves:
        for atom in curve.atoms:
            if atom.block.kind not in EDGES:
                continue
            (source,) = atom.sources
            if source == curve.place:
                new = EDGES[atom.block.kind](atom.block.params, low, high)
            else:
                column = _column_of(curve, source)
                starts = turning_points(column, starts, high).points
                values = column(np.append(starts, ends_of(starts, high)))[0]
                edges = EDGES[atom.block.kind](atom.block.params, float(values.min()), float(values.max()))
                new = _crossings(column, starts, ends_of(starts, high), edges)
            starts = np.unique(np.concatenate([starts, new[(new > low) & (new <= high)]]))
            _require_few(len(starts))
    return starts


def _require_few(n: float) -> None:
    if n > MOST_PIECES:
        raise ValueError(f"it has more than {MOST_PIECES} steps within its bounds: give it narrower bounds")


def _column_of(curve: Curve, column: int) -> Function:
    def function(x: Floats) -> tuple[Floats, Floats]:
        values = curve.column(column, x)
        return values, np.abs(values)

    return function


def _crossings(function: Function, left: Floats, right: Floats, edges: Floats) -> Floats:
    """Return, for each monotone piece and each edge within its values, the first float on the other side of it."""
    at_left, at_right = function(left)[0], function(right)[0]
    low, high = np.minimum(at_left, at_right), np.maximum(at_left, at_right)
    piece, edge = np.nonzero((low[:, None] < edges) & (edges <= high[:, None]))
    rising, wanted = (at_right > at_left)[piece], edges[edge]
    before, after = _ordered(left[piece]), _ordered(right[piece])
    while (before + 1 < after).any():
        middle = (before >> 1) + (after >> 1) + (before & after & 1)
        crossed = (function(_unordered(middle))[0] >= wanted) == rising
        before, after = np.where(crossed, before, middle), np.where(crossed, middle, after)
    return _unordered(after)


def _ordered(x: Floats) -> NDArray[np.int64]:
    """Return integers in the order of the floats, one for each float."""
    bits = (x + 0.0).view(np.int64)
    return np.where(bits >= 0, bits, np.int64(-(2**63)) - bits)


def _unordered(number: NDArray[np.int64]) -> Floats:
    bits = np.where(number >= 0, number, np.int64(-(2**63)) - number)
    floats: Floats = bits.astype(np.int64).view(np.float64)
    return floats


def _around(points: Any) -> Floats:
    """Return edges that make pieces of their own of these points."""
    at = np.unique(np.array([p for p in points if isinstance(p, (int, float)) and p == p], dtype=np.float64))
    return np.concatenate([at, np.nextafter(at, np.inf)])


def _grid(low: float, high: float, first: float) -> Floats:
    """Return the numbers first + i between two bounds."""
    _require_few(high - low)
    return np.arange(np.floor(low), np.ceil(high) + 1) + first


def _function_edges(params: Mapping[str, Any], low: float, high: float) -> Floats:
    chosen = params["function"]
    if chosen == FLOOR:
        return _grid(low, high, 0.0)
    if chosen == RINT:
        return _around(_grid(low, high, -0.5).tolist())
    if chosen in (SIN, COS):
        _require_few((high - low) / (np.pi / 2))
        return np.arange(np.floor(low / (np.pi / 2)), np.ceil(high / (np.pi / 2)) + 1) * (np.pi / 2)
    if chosen in (TANH, ARCSINH):
        # Nodes that are spread over all of a wide range would not see what happens here.
        return np.array(_BEND)
    return _around([0.0]) if chosen in ROUGH_AT_ZERO else np.zeros(0)


def _spline_edges(params: Mapping[str, Any], low: float, high: float) -> Floats:
    knots, degree = params["knots"], params["degree"]
    inside = np.unique(knots[degree : len(knots) - degree])
    period = inside[-1] - inside[0]
    if params["extrapolation"] == PERIODIC and period > 0:
        _require_few((high - low) / period * len(inside))
        turns = np.arange(np.floor((low - inside[0]) / period), np.ceil((high - inside[0]) / period) + 1)
        return np.unique(inside + period * turns[:, None])
    # The upper end belongs to the last piece.
    return np.append(inside, np.nextafter(inside[-1], np.inf))


EDGES: dict[str, Callable[[Mapping[str, Any], float, float], Floats]] = {
    "bins": lambda params, low, high: params["edges"],
    "step": lambda params, low, high: params["edges"],
    "clip": lambda params, low, high: np.concatenate([params["low"], params["high"]]),
    "category": lambda params, low, high: _around(params["levels"]),
    "lookup": lambda params, low, high: _around(params["levels"]),
    "fill": lambda params, low, high: _around(params["marker"]),
    "missing": lambda params, low, high: _around(params["marker"]),
    "function": _function_edges,
    "spline": _spline_edges,
}
"""Edges e of a block's source: what it makes may jump or bend between the floats below e and those from e on."""

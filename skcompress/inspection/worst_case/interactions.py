"""Terms of several inputs: the range of a product over a box, and rows in which a difference is large."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...artifact.analysis.anatomy import Anatomy, Curve, Floats, Values, difference
from ...artifact.analysis.turning import pieces_of, turning_points
from ...artifact.terms.numbers import INCREASING, NEGATIVE
from .boxes import Side

_ROUNDS, _DRAWN, _STARTS = 8, 2000, 8


class Interval(NamedTuple):
    """A range for each output, shape (m,)."""

    low: Floats
    high: Floats


def ranges_of_products(
    models: Sequence[Anatomy], candidates: Mapping[str, Values], without: Collection[str] = ()
) -> dict[str, Interval]:
    """Return, by the inputs that they read, the ranges of the difference of the terms of several inputs.

    Terms of the inputs in `without` are left out. Terms that both models have are compared, not bounded one by one.
    """
    m = len(models[0].weights)
    weights: dict[Any, Floats] = {}
    where: dict[Any, tuple[Anatomy, int]] = {}
    found: dict[str, Interval] = {}
    for sign, anatomy in zip((-1.0, 1.0), models, strict=True):
        for term in anatomy.shared_terms():
            column = int(anatomy.model.columns[term])
            if any(anatomy.model.inputs[place] in without for place in anatomy.needs[column]):
                continue
            key = (anatomy.key(column), float(anatomy.offset[term]))
            weights[key] = weights.get(key, np.zeros(m)) + sign * anatomy.weights[:, term]
            where.setdefault(key, (anatomy, column))
    for key, weight in weights.items():
        anatomy, column = where[key]
        low, high = range_of_column(anatomy, column, candidates)
        ends = np.sort(np.stack([weight * (low - key[1]), weight * (high - key[1])]), axis=0)
        name = " x ".join(anatomy.model.inputs[place] for place in sorted(anatomy.needs[column]))
        before = found.get(name, Interval(np.zeros(m), np.zeros(m)))
        found[name] = Interval(before.low + ends[0], before.high + ends[1])
    return found


def range_of_column(anatomy: Anatomy, column: int, candidates: Mapping[str, Values]) -> tuple[float, float]:
    """Return the least and the greatest value of a column over a box.

    Parameters
    ----------
    anatomy : Anatomy
        The model.
    column : int
        The column.
    candidates : dict
        For each input the ends of its pieces, its turning points and its single values.

    Raises
    ------
    ValueError
        If the column is made of several inputs by anything but products and functions that are monotone or capped.
    """
    needs = anatomy.needs[column]
    if len(needs) == 1:
        (place,) = needs
        return _range_of_one(anatomy, place, column, candidates[anatomy.model.inputs[place]])
    atom = anatomy.makers[column]
    inside = [range_of_column(anatomy, source, candidates) for source in atom.sources]
    if atom.block.kind == "product":
        counts = np.bincount(atom.block.params["factors"], minlength=len(inside))
        low, high = 1.0, 1.0
        for (a, b), power in zip(inside, counts.tolist(), strict=True):
            ends = [low * end for end in _power(a, b, power)] + [high * end for end in _power(a, b, power)]
            low, high = min(ends), max(ends)
        return low, high
    if atom.block.kind in ("affine", "scaled", "clip", "step", "bins") or _is_monotone(atom.block):
        grid = np.array(inside[0])
        if atom.block.kind in ("step", "bins"):
            edges = atom.block.params["edges"]
            grid = np.unique(np.concatenate([grid, edges[(edges > grid[0]) & (edges <= grid[1])]]))
        made = atom.run([grid])[:, atom.columns.index(column)]
        return float(made.min()), float(made.max())
    names = ", ".join(repr(anatomy.model.inputs[place]) for place in sorted(needs))
    raise ValueError(f"the range of a {atom.block.kind!r} term of the inputs {names} together cannot be bounded")


def _is_monotone(block: Any) -> bool:
    return block.kind == "function" and block.params["function"] in (*INCREASING, NEGATIVE)


def _power(low: float, high: float, power: int) -> tuple[float, float]:
    ends = sorted((low**power, high**power))
    if power and power % 2 == 0 and low < 0 < high:
        return 0.0, ends[1]
    return ends[0], ends[1]


def _range_of_one(anatomy: Anatomy, place: int, column: int, candidates: Values) -> tuple[float, float]:
    curve = Curve(anatomy, place)
    numbers = np.unique([v for v in candidates if isinstance(v, (int, float)) and v == v])
    made = [curve.column(column, candidates)]
    if len(numbers) > 1:
        low, high = float(numbers[0]), float(numbers[-1])

        def function(x: Any) -> tuple[Any, Any]:
            values = curve.column(column, x)
            return values, np.abs(values)

        made.append(function(turning_points(function, pieces_of([curve], low, high), high).points)[0])
    values = np.concatenate(made)
    values = values[np.isfinite(values)]
    return float(values.min()), float(values.max())


def climbed(
    models: Sequence[Anatomy],
    candidates: Mapping[str, Values],
    sides: Mapping[str, Side],
    ends: Sequence[dict[str, Any]],
    output: int,
) -> dict[str, Any]:
    """Return a row in which the difference is large, up or down.

    The given rows and the best of some random ones are climbed from, in both directions: one input after the other is
    moved to where the difference is largest.
    """
    tried = {name: _tried(candidates[name], sides[name]) for name in candidates}
    rng = np.random.default_rng(0)
    drawn = {name: [own[i] for i in rng.integers(len(own), size=_DRAWN)] for name, own in tried.items()}
    changes = difference(models, drawn, _DRAWN)[:, output]
    climbs = []
    for sign in (1.0, -1.0):
        best = np.argsort(-sign * changes)[:_STARTS].tolist()
        starts = [*ends, *({name: drawn[name][i] for name in drawn} for i in best)]
        climbs += [_climb(models, tried, start, output, sign) for start in starts]
    return max(climbs, key=lambda climb: climb[0])[1]


def _tried(candidates: Values, side: Side) -> list[Any]:
    own: list[Any] = candidates.tolist() if isinstance(candidates, np.ndarray) else list(candidates)
    if side.interval is not None:
        own += np.linspace(side.interval[0], side.interval[1], 9).tolist()
    return own


def _climb(
    models: Sequence[Anatomy], tried: Mapping[str, list[Any]], row: dict[str, Any], output: int, sign: float
) -> tuple[float, dict[str, Any]]:
    best, top = dict(row), -np.inf
    for _ in range(_ROUNDS):
        before = top
        for name, own in tried.items():
            values = [best[name], *own]
            columns = {other: [best[other]] * len(values) for other in best} | {name: values}
            changes = sign * difference(models, columns, len(values))[:, output]
            place = int(np.argmax(changes))
            top, best[name] = float(changes[place]), values[place]
        if top <= before:
            break
    return top, best

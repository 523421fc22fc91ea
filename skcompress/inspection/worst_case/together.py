"""Together: the difference as a function of inputs that terms read together, of which at most one is a number.

The others are categories. All combinations of their levels are tried, and for each the difference is a function of
one number, so that the extremes are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...artifact.analysis.anatomy import Anatomy, Floats, difference
from ...artifact.analysis.turning import turning_points
from .boxes import Side
from .interactions import ranges_of_products
from .line import Line

MOST_COMBINATIONS = 1000


def joined(models: Sequence[Anatomy]) -> list[tuple[str, ...]]:
    """Return the sets of inputs that terms read together, those with an input in common made one."""
    groups: list[set[str]] = []
    for anatomy in models:
        for needs in anatomy.terms:
            if len(needs) > 1:
                names = {anatomy.model.inputs[place] for place in needs}
                touched = [group for group in groups if group & names]
                groups = [group for group in groups if not group & names] + [names.union(*touched)]
    order = list(dict.fromkeys(name for anatomy in models for name in anatomy.model.inputs))
    return [tuple(sorted(group, key=order.index)) for group in groups]


def can_be_listed(names: Sequence[str], lines: Mapping[str, Line], sides: Mapping[str, Side]) -> bool:
    """Return whether at most one of the inputs is a number, and the combinations of the others are not too many."""
    others = [name for name in names if sides[name].interval is None]
    return len(others) >= len(names) - 1 and prod(len(lines[name].candidates) for name in others) <= MOST_COMBINATIONS


class Together:
    """See the module.

    Parameters
    ----------
    names : tuple of str
        The inputs.
    lines : dict of Line
        All inputs, one by one.
    models : sequence of two Anatomy
        a and b.
    sides : dict of Side
        The box.
    """

    def __init__(
        self, names: tuple[str, ...], lines: Mapping[str, Line], models: Sequence[Anatomy], sides: Mapping[str, Side]
    ):
        self.names = names
        self.models = models
        self.complete = True
        self._rest = {name: line.point(0, True) for name, line in lines.items()}
        noise = sum((line.size.max(axis=0, initial=0.0) for line in lines.values()), np.zeros(lines[names[0]].m))
        self._others = [name for name in names if sides[name].interval is None]
        self._moving = next((name for name in names if name not in self._others), None)
        tried: list[tuple[dict[str, Any], list[Any]]] = []
        for levels in product(*(list(lines[name].candidates) for name in self._others)):
            fixed = dict(zip(self._others, levels, strict=True))
            tried.append((fixed, self._values(fixed, lines, noise)))
        at = {name: [self._rest[name]] for name in names}
        here = sum((lines[name](at[name])[0][0] for name in names), np.zeros(len(noise)))
        for interval in ranges_of_products(models, at, without=set(lines) - set(names)).values():
            here = here + interval.low
        shift = here - self._difference(self._rest, {}, 1)[0]
        rows: list[dict[str, Any]] = []
        changes = []
        for fixed, values in tried:
            changes.append(self._difference(fixed, {self._moving: values} if self._moving else {}, len(values)) + shift)
            rows += [{**fixed, **({self._moving: value} if self._moving else {})} for value in values]
        found = np.vstack(changes)
        self.low, self.high = found.min(axis=0), found.max(axis=0)
        self._rows, self._least, self._most = rows, found.argmin(axis=0), found.argmax(axis=0)

    def point(self, output: int, upwards: bool) -> dict[str, Any]:
        """Return the values at which the difference is greatest, or least."""
        return self._rows[int((self._most if upwards else self._least)[output])]

    def _difference(self, fixed: Mapping[str, Any], moving: Mapping[str, Any], n: int) -> Floats:
        columns: dict[str, Any] = {name: [value] * n for name, value in {**self._rest, **fixed}.items()}
        return difference(self.models, {**columns, **moving}, n)

    def _values(self, fixed: Mapping[str, Any], lines: Mapping[str, Line], noise: Floats) -> list[Any]:
        """Return the values of the number that may be extremes, for some levels of the others."""
        if self._moving is None:
            return [None]
        moving, line = self._moving, lines[self._moving]
        candidates = line.candidates.tolist() if isinstance(line.candidates, np.ndarray) else list(line.candidates)
        numbers = [value for value in candidates if isinstance(value, float) and value == value]
        found = list(candidates)
        for output in range(len(noise)):

            def function(x: Floats, output: int = output) -> tuple[Floats, Floats]:
                values = self._difference(fixed, {moving: x}, len(x))[:, output]
                return values, np.abs(values) + noise[output]

            turns = turning_points(function, line.starts, max(numbers))
            self.complete &= turns.complete
            found += turns.points.tolist()
        return list(dict.fromkeys(found))

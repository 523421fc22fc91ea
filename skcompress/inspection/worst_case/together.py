"""The difference of two models as a function of one input, or of inputs that terms read together.

Of the latter at most one is a number and the others are categories. All combinations of their levels are tried, and for
each the difference is a function of one number, so that the extremes are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...artifact.analysis.anatomy import Anatomy, Curve, Floats, Values, difference
from ...artifact.analysis.turning import pieces_of, turning_points
from .boxes import FAR, Side
from .interactions import ranges_of_products


class Line:
    """The difference as a function of one input.

    Parameters
    ----------
    name : str
        The input.
    models : sequence of two Anatomy
        a and b.
    side : Side
        Its values.
    """

    def __init__(self, name: str, models: Sequence[Anatomy], side: Side):
        self.name = name
        self.m = len(models[0].weights)
        self.curves: list[tuple[float, Curve]] = []
        for sign, anatomy in zip((-1.0, 1.0), models, strict=True):
            if name in anatomy.model.inputs:
                self.curves.append((sign, Curve(anatomy, anatomy.model.inputs.index(name))))
        self.complete = True
        self.starts: Floats = np.zeros(0)
        points: Floats = np.zeros(0)
        if side.interval is not None:
            points = self._turning_points(*side.interval)
        self.candidates: Values = points
        changes, self.size = self(points) if len(points) else (np.zeros((0, self.m)), np.zeros((0, self.m)))
        taken, found = self._of_values(list(side.values), side.strict)
        if taken:
            self.candidates = [*points.tolist(), *taken]
            changes = np.vstack([changes, found])
        if not len(changes):
            raise ValueError(f"input {name!r} has no value in its bounds that both models take")
        self.low, self.high = changes.min(axis=0), changes.max(axis=0)
        self._changes = changes

    def point(self, output: int, upwards: bool) -> Any:
        """Return the value at which the difference is greatest, or least; of equals the shortest."""
        changes = self._changes[:, output]
        best = np.flatnonzero(changes == (self.high if upwards else self.low)[output]).tolist()
        own = self.candidates.tolist() if isinstance(self.candidates, np.ndarray) else self.candidates
        return min((own[place] for place in best), key=_length)

    def __call__(self, values: Values) -> tuple[Floats, Floats]:
        """Return the difference and the size of its parts, each of shape (n, m)."""
        total, size = np.zeros((len(values), self.m)), np.zeros((len(values), self.m))
        for sign, curve in self.curves:
            part, weight = curve(values)
            total += sign * part
            size += weight
        return total, size

    def _turning_points(self, low: float, high: float) -> Floats:
        try:
            self.starts = starts = pieces_of([curve for _, curve in self.curves], low, high)
            found = [np.array([low, high])]
            for output in range(self.m):
                turns = turning_points(lambda x, i=output: self._finite(x, i), starts, high)  # type: ignore[misc]
                self.complete &= turns.complete
                found.append(turns.points)
        except ValueError as error:
            raise ValueError(f"input {self.name!r}: {error}") from None
        return np.unique(np.concatenate(found))

    def _finite(self, x: Floats, output: int) -> tuple[Floats, Floats]:
        with np.errstate(all="ignore"):
            total, size = self(x)
        if not np.isfinite(total[:, output]).all():
            bad = x[int(np.argmax(~np.isfinite(total[:, output])))]
            raise ValueError(f"a model has no finite prediction at {bad:g}, which its bounds hold")
        return total[:, output], size[:, output]

    def _of_values(self, values: list[Any], strict: bool) -> tuple[list[Any], Floats]:
        """Return the single values that both models take, and the difference there, shape (n, m)."""
        if not values:
            return [], np.zeros((0, self.m))
        try:
            with np.errstate(all="ignore"):
                changes, _ = self(values)
        except (ValueError, TypeError) as error:
            if len(values) == 1:
                if strict:
                    raise ValueError(f"input {self.name!r} has {values[0]!r} in its bounds: {error}") from None
                return [], np.zeros((0, self.m))
            # One value is refused: halves find it.
            middle = len(values) // 2
            left, right = self._of_values(values[:middle], strict), self._of_values(values[middle:], strict)
            return [*left[0], *right[0]], np.vstack([left[1], right[1]])
        finite = np.isfinite(changes).all(axis=1)
        if strict and not finite.all():
            bad = values[int(np.argmin(finite))]
            raise ValueError(f"input {self.name!r} has {bad!r} in its bounds, at which a model has no prediction")
        return [values[place] for place in np.flatnonzero(finite).tolist()], changes[finite]


def _length(value: Any) -> tuple[bool, int]:
    return isinstance(value, float) and abs(value) >= FAR, len(repr(value))


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

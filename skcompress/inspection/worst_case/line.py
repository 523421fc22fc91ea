"""Line: the difference of two models as a function of one input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...artifact.analysis.anatomy import Anatomy, Curve, Floats, Values
from ...artifact.analysis.turning import pieces_of, turning_points
from .boxes import FAR, Side


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

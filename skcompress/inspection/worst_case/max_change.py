"""max_change: the largest difference between two compact models over a box of inputs.

Before the link each model is a constant, a sum of functions of one input each, and terms of several inputs. So is
their difference: without terms of several inputs its maximum over a box is the sum of one-dimensional maxima, and the
row that attains it is made of the points that attain those. Terms of several inputs are bounded by the products of
the ranges of their factors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...artifact import CompactLinear
from ...artifact.anatomy import Anatomy, Curve, Floats, Values, difference
from ...artifact.categories import ABSENT
from ...artifact.turning import pieces_of, turning_points
from ...linear.fold import compact
from .boxes import FAR, Boxes, Side, ranges_of
from .interactions import climbed, range_of_column

_CLOSE = 1e-9


@dataclass(frozen=True)
class MaxChange:
    """What `max_change` found.

    Attributes
    ----------
    value : float
        The largest absolute difference of the linear predictors; an upper bound of it unless `exact`.
    exact : bool
        Whether a row attains `value`, to rounding.
    row : dict
        Input -> value: the row that attains it, or the worst that was found. An input that must be absent is left out.
    attained : float
        The difference b - a in that row, with its sign.
    shares : dict
        Input -> how much of the difference it makes: half of the distance between the most and the least that it can
        do. The difference is `common` with the sum of these added, or subtracted where it is negative. Terms of several
        inputs stand under their names joined by " x ".
    common : float
        What both directions have in common: the middle of the range of b - a.
    output : int
        The output, of several.
    """

    value: float
    exact: bool
    row: dict[str, Any]
    attained: float
    shares: dict[str, float] = field(repr=False)
    common: float = field(repr=False)
    output: int = 0


def max_change(a: Any, b: Any, bounds: Any = "observed") -> MaxChange:
    """Return the largest difference, before the link, that two models can have over a box of inputs.

    Parameters
    ----------
    a, b : estimator or CompactLinear
        Two models of the same link and outputs: CompactLinear, or anything that `compact` takes. They need not read
        the same inputs.
    bounds : "observed", "all", dict, or rows (array, frame, sparse matrix), default="observed"
        The box. "observed": each number within its range in training, as far as a model knows it (``input_range_`` of
        our wrappers; the range at which a compact model is capped). "all": every number; each input must then be
        binned, categorical or capped. dict: name -> (low, high) for a number, name -> list of levels for a category;
        inputs that are not in it as with "observed". Rows: the range of their numbers, and the levels that occur.
        Except for lists and rows, a missing value and an unknown level are in the box where both models take them.

    Returns
    -------
    change : MaxChange
        The largest absolute difference, the row that attains it, and the share of each input.

    Raises
    ------
    ValueError
        If the models do not compare, an input has no bounds, or a model has no finite prediction within the box; the
        message names the input.

    Notes
    -----
    The inputs of the box are free of one another: a row in which a person of 18 has had a loan for 30 years counts.
    The value is exact where each term depends on one input. With products of inputs (interactions of
    PolynomialFeatures) it is an upper bound, and `exact` says so: ranges are then multiplied as if the factors of
    different products could be chosen apart. A feature that another step has made of several inputs is read as one.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skcompress import PrunedRegressor, QuantizedRegressor, max_change
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    >>> pruned = PrunedRegressor(n_nonzero=3).fit(X, y)
    >>> rounded = QuantizedRegressor(pruned, bits=4).fit(X, y)
    >>> change = max_change(pruned, rounded, bounds=X)
    >>> print(f"{change.value:.1f}", change.row["bmi"] in (X["bmi"].min(), X["bmi"].max()))
    4.2 True
    """
    small = [model if isinstance(model, CompactLinear) else compact(model) for model in (a, b)]
    _require_alike(*small)
    models = [Anatomy(model) for model in small]
    sides = Boxes(models, [ranges_of(a, small[0]), ranges_of(b, small[1])], bounds).sides()
    lines = {name: _Line(name, models, side) for name, side in sides.items()}
    base = small[1].intercept - small[0].intercept
    low, high = base.copy(), base.copy()
    for line in lines.values():
        low, high = low + line.low, high + line.high
    products = _products(models, lines)
    for interval in products.values():
        low, high = low + interval[0], high + interval[1]
    output = int(np.argmax(np.maximum(np.abs(low), np.abs(high))))
    upwards = bool(high[output] >= -low[output])
    value = float(max(high[output], -low[output]))
    row = {name: line.point(output, upwards) for name, line in lines.items()}
    if products:
        ends = [{name: line.point(output, up) for name, line in lines.items()} for up in (True, False)]
        row = climbed(models, {name: line.candidates for name, line in lines.items()}, sides, ends, output)
    attained = difference(models, {name: [row[name]] for name in row}, 1)[0, output]
    scale = (
        max(abs(value), *(float(np.abs(line.size).max(initial=0.0)) for line in lines.values()), 1e-300)
        if lines
        else 1.0
    )
    complete = all(line.complete for line in lines.values())
    return MaxChange(
        value=value,
        exact=bool(complete and abs(abs(attained) - value) <= _CLOSE * scale),
        row={name: point for name, point in row.items() if point is not ABSENT},
        attained=float(attained),
        shares={
            **{name: float(line.high[output] - line.low[output]) / 2 for name, line in lines.items()},
            **{name: float(interval[1][output] - interval[0][output]) / 2 for name, interval in products.items()},
        },
        common=float(low[output] + high[output]) / 2,
        output=output,
    )


def _require_alike(a: CompactLinear, b: CompactLinear) -> None:
    for what in ("link", "n_outputs", "classes"):
        ours, theirs = getattr(a, what), getattr(b, what)
        if ours != theirs:
            raise ValueError(f"a and b must have the same {what}, got {ours!r} and {theirs!r}")
    if a.reads.rows != b.reads.rows or "values" in (a.reads.rows, b.reads.rows):
        raise ValueError("max_change needs models of tables or mappings: texts have no bounds")
    if (a.reads.labels is None) != (b.reads.labels is None) and len(a.reads) and len(b.reads):
        raise ValueError("one of a and b names its inputs and the other does not: fit both on frames, or on arrays")
    for model in (a, b):
        for block in model.blocks:
            if block.kind in ("words", "hash"):
                raise ValueError(f"input {model.inputs[block.sources[0]]!r} is a text, which has no bounds")


class _Line:
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
            starts = pieces_of([curve for _, curve in self.curves], low, high)
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


def _products(models: Sequence[Anatomy], lines: Mapping[str, _Line]) -> dict[str, tuple[Floats, Floats]]:
    """Return for each set of inputs the range of the difference of the terms that read them together."""
    m = len(models[0].weights)
    weights: dict[Any, Floats] = {}
    where: dict[Any, tuple[Anatomy, int]] = {}
    found: dict[str, tuple[Floats, Floats]] = {}
    for sign, anatomy in zip((-1.0, 1.0), models, strict=True):
        for term in anatomy.shared_terms():
            column = int(anatomy.model.columns[term])
            key = (anatomy.key(column), float(anatomy.offset[term]))
            weights[key] = weights.get(key, np.zeros(m)) + sign * anatomy.weights[:, term]
            where.setdefault(key, (anatomy, column))
    candidates = {name: line.candidates for name, line in lines.items()}
    for key, weight in weights.items():
        anatomy, column = where[key]
        low, high = range_of_column(anatomy, column, candidates)
        ends = np.sort(np.stack([weight * (low - key[1]), weight * (high - key[1])]), axis=0)
        name = " x ".join(anatomy.model.inputs[place] for place in sorted(anatomy.needs[column]))
        before = found.get(name, (np.zeros(m), np.zeros(m)))
        found[name] = (before[0] + ends[0], before[1] + ends[1])
    return found

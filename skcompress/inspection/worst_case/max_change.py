"""max_change: the largest difference between two compact models over a box of inputs.

Before the link each model is a constant, a sum of functions of one input each, and terms of several inputs. So is
their difference: without terms of several inputs its maximum over a box is the sum of one-dimensional maxima, and the
row that attains it is made of the points that attain those. Terms of several inputs are bounded by the products of
the ranges of their factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...artifact import CompactLinear
from ...artifact.analysis.anatomy import Anatomy, difference
from ...artifact.categories import ABSENT
from ...export.normal_form import compacted
from .boxes import Boxes, ranges_of
from .interactions import Interval, climbed, ranges_of_products
from .together import Line, Together, can_be_listed, joined

_CLOSE = 1e-9


@dataclass(frozen=True, repr=False)
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

    See Also
    --------
    max_change : Finds it.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import max_change
    >>> a, b = (LinearRegression().fit([[0.0], [1.0]], [0.0, slope]) for slope in (1.0, 3.0))
    >>> change = max_change(a, b, bounds={"x0": (0.0, 2.0)})
    >>> print(f"{change.value:.3f}", change.row, change.exact)
    4.000 {'x0': 2.0} True
    """

    value: float
    exact: bool
    row: dict[str, Any]
    attained: float
    shares: dict[str, float]
    common: float
    output: int = 0

    def __repr__(self) -> str:
        limit = "" if self.exact else "at most "
        which = f" of output {self.output}" if self.output else ""
        lines = [f"MaxChange{which}: {limit}{_shown(self.value)}; b - a is {_shown(self.attained)} with these values"]
        width = max((len(name) for name in ("common", *self.shares)), default=0)
        for name, share in sorted(self.shares.items(), key=lambda item: -item[1]):
            at = f"  at {_shown(self.row[name])}" if name in self.row else ""
            lines.append(f"  {name:{width}}  {_shown(share):>9}{at}")
        return "\n".join([*lines, f"  {'common':{width}}  {_shown(self.common):>9}"])


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


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

    See Also
    --------
    change_report : How predictions change on rows that were observed.

    Notes
    -----
    The inputs of the box are free of one another: a row in which a person of 18 has had a loan for 30 years counts.
    The value is exact where each term depends on one input, and where products join categories with one number at
    most: their levels are tried one by one. With other products of inputs (interactions of PolynomialFeatures) it is an
    upper bound, and `exact` says so: ranges are then multiplied as if the factors of different products could be
    chosen apart.

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
    small = [compacted(model) for model in (a, b)]
    _require_alike(*small)
    models = [Anatomy(model) for model in small]
    sides = Boxes(models, [ranges_of(a, small[0]), ranges_of(b, small[1])], bounds).sides()
    lines = {name: Line(name, models, side) for name, side in sides.items()}
    base = small[1].intercept - small[0].intercept
    groups = [Together(names, lines, models, sides) for names in joined(models) if can_be_listed(names, lines, sides)]
    listed = {name for group in groups for name in group.names}
    alone = {name: line for name, line in lines.items() if name not in listed}
    products = ranges_of_products(models, {name: line.candidates for name, line in lines.items()}, listed)
    parts: dict[str, Line | Together | Interval] = {**alone, **{" x ".join(g.names): g for g in groups}, **products}
    low, high = base.copy(), base.copy()
    for part in parts.values():
        low, high = low + part.low, high + part.high
    output = int(np.argmax(np.maximum(np.abs(low), np.abs(high))))
    upwards = bool(high[output] >= -low[output])
    value = float(max(high[output], -low[output]))
    row = {name: line.point(output, upwards) for name, line in alone.items()}
    for group in groups:
        row.update(group.point(output, upwards))
    row = {name: row[name] for name in lines}
    if products:
        ends = [{name: line.point(output, up) for name, line in lines.items()} for up in (True, False)]
        row = climbed(models, {name: line.candidates for name, line in lines.items()}, sides, ends, output)
    attained = difference(models, {name: [row[name]] for name in row}, 1)[0, output]
    scale = max([abs(value), 1e-300, *(float(np.abs(line.size).max(initial=0.0)) for line in lines.values())])
    complete = all(line.complete for line in lines.values()) and all(group.complete for group in groups)
    return MaxChange(
        value=value,
        exact=bool(complete and abs(abs(attained) - value) <= _CLOSE * scale),
        row={name: point for name, point in row.items() if point is not ABSENT},
        attained=float(attained),
        shares={name: float(part.high[output] - part.low[output]) / 2 for name, part in parts.items()},
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

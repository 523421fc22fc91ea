"""Expressions: the few operations that any compact model without texts comes down to, for languages to print.

A column is a number: that of an input, or of a block's output. With b = the number of breaks <= x:

    Number     a constant
    Ref        column j
    Times      factor * part
    Minus      part - offset
    Over       part / divisor
    Plus       part + shift
    Product    the product of columns
    Clip       min(max(x, low), high)
    Where      yes where x is the marker of missing values (NaN or a number), else no (None: x itself)
    Call       a function of `skcompress.artifact.terms.numbers`, by number
    Steps      values[b]
    Pieces     sum over k of coefficients[b, k] (x - origins[b])^k; with a period, of x brought into
               the first one, x - period * floor((x - origins[0]) / period)
    Lookup     values of the levels; `other` for the rest
    Entry      the value itself if it is a number, 0 if it is a text or absent

NaN stands for "no prediction": where `predict` raises, an expression gives NaN (NULL in SQL). Factors and values that
are Python integers stay integers, so that a language can add them up without rounding.

A row has a prediction if every number on the way to it is finite (see `skcompress.artifact.plan`). In floats an
infinite column usually makes the linear predictor infinite or NaN, which is seen there. It is hidden by whatever
makes a finite number of it: a bound, an interval, exp(-inf), a table of categories, or an imputer behind sqrt(-inf).
`Readers` finds the columns in which an infinite number has to be looked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..artifact.terms.numbers import ARCSINH, COS, FLOOR, NEGATIVE, RINT, SIN


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Ref:
    """A column: an input as a number, or a block's output."""

    column: int


@dataclass(frozen=True)
class Times:
    """A factor times an expression."""

    factor: float
    part: Expr


@dataclass(frozen=True)
class Minus:
    """An expression less an offset."""

    part: Expr
    offset: float


@dataclass(frozen=True)
class Over:
    """An expression over a divisor."""

    part: Expr
    divisor: float


@dataclass(frozen=True)
class Plus:
    """An expression and a shift."""

    part: Expr
    shift: float


@dataclass(frozen=True)
class Product:
    """A product of columns, a power as a column that comes more than once."""

    factors: tuple[int, ...]


@dataclass(frozen=True)
class Clip:
    """A column between two bounds."""

    column: int
    low: float
    high: float


@dataclass(frozen=True)
class Where:
    """One thing where a column is missing, another where it is not."""

    column: int
    marker: float
    yes: float
    no: Expr | None


@dataclass(frozen=True)
class Call:
    """A function of a column, by its number."""

    function: int
    column: int


@dataclass(frozen=True)
class Steps:
    """A staircase: values[number of edges <= x]."""

    column: int
    edges: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Pieces:
    """Polynomials between breaks, each around its origin; with a period, of x moved into the first period."""

    column: int
    breaks: tuple[float, ...]
    origins: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]
    period: float | None = None


@dataclass(frozen=True)
class Lookup:
    """Numbers of levels, read from a column's value; NaN for what is refused."""

    column: int
    levels: tuple[Any, ...]
    values: tuple[float, ...]
    other: float


@dataclass(frozen=True)
class Entry:
    """A column's value as a number."""

    column: int


Expr = Number | Ref | Times | Minus | Over | Plus | Product | Clip | Where | Call | Steps | Pieces | Lookup | Entry


def is_missing(level: Any) -> bool:
    """Return whether a level is None or NaN."""
    return level is None or level != level


def value_of_missing(lookup: Lookup, name: str, target: str) -> float:
    """Return what a table gives for the one missing value that a language has.

    Parameters
    ----------
    lookup : Lookup
        The table.
    name, target : str
        Names of the input and the language, for the message.

    Raises
    ------
    ValueError
        If the table tells None from NaN.
    """
    pairs = zip(lookup.levels, lookup.values, strict=True)
    found = {repr(value): value for level, value in pairs if is_missing(level)}
    if len(found) > 1:
        raise ValueError(
            f"input {name!r} tells None from NaN, which are one missing value in {target}: give one of them a name "
            "before fitting"
        )
    return next(iter(found.values()), lookup.other)


def parts_of(expr: Expr) -> list[Expr]:
    """Return the expressions right inside an expression."""
    if isinstance(expr, (Times, Minus, Over, Plus)):
        return [expr.part]
    return [expr.no] if isinstance(expr, Where) and expr.no is not None else []


def columns_of(expr: Expr) -> list[int]:
    """Return the columns that an expression reads, one for each time."""
    own: list[int] = []
    if isinstance(expr, Product):
        own = list(expr.factors)
    elif isinstance(expr, (Ref, Clip, Where, Call, Steps, Pieces, Lookup, Entry)):
        own = [expr.column]
    return own + [column for part in parts_of(expr) for column in columns_of(part)]


def times(factor: float, part: Expr) -> Expr:
    """Return factor * part, as simple as it can be."""
    if factor == 1:
        return part
    return Number(factor * part.value) if isinstance(part, Number) else Times(factor, part)


def merged(terms: Sequence[Expr]) -> list[Expr]:
    """Return summands in which the staircases of a column are one staircase."""
    stairs: dict[int, list[tuple[float, Steps]]] = {}
    for term in terms:
        factor, part = (term.factor, term.part) if isinstance(term, Times) else (1, term)
        if isinstance(part, Steps):
            stairs.setdefault(part.column, []).append((factor, part))
    out: list[Expr] = []
    for term in terms:
        part = term.part if isinstance(term, Times) else term
        if not isinstance(part, Steps) or len(stairs[part.column]) == 1:
            out.append(term)
        elif stairs[part.column][0][1] is part:
            out.append(_sum_of(part.column, stairs[part.column]))
    return out


def _sum_of(column: int, stairs: Sequence[tuple[float, Steps]]) -> Steps:
    edges = sorted({edge for _, steps in stairs for edge in steps.edges})
    values = []
    for place in range(len(edges) + 1):
        reached = edges[place - 1] if place else -float("inf")
        values.append(sum(factor * steps.values[bisect_right(steps.edges, reached)] for factor, steps in stairs))
    return Steps(column, tuple(edges), tuple(values))


INFINITE, NAN = "infinite", "nan"

_CBRT, _SQUARE, _ABS = 5, 6, 7
_OF_INFINITY: dict[int, tuple[str, ...]] = {
    **dict.fromkeys((0, 1, 2, 3, 4), (INFINITE, NAN)),
    **dict.fromkeys((_CBRT, _SQUARE, _ABS, NEGATIVE, ARCSINH, FLOOR, RINT), (INFINITE,)),
    **dict.fromkeys((SIN, COS), (NAN,)),
}
"""What the functions of `skcompress.artifact.terms.numbers` may make of infinity, where it is nothing finite."""


def passed(expr: Expr, state: str) -> tuple[str, ...]:
    """Return what an expression may make of an infinite or a NaN column; nothing if it may make a finite number."""
    if isinstance(expr, (Times, Minus, Over, Plus)):
        return passed(expr.part, state)
    if isinstance(expr, (Ref, Entry)):
        return (state,)
    if isinstance(expr, Where):
        filled = state == NAN and expr.marker != expr.marker
        return () if filled else (state,) if expr.no is None else passed(expr.no, state)
    if isinstance(expr, Lookup):
        return (NAN,) if state == INFINITE and expr.other != expr.other else ()
    if state == NAN:
        # Bounds, intervals, functions and products keep NaN; a constant reads no column.
        return (NAN,) if columns_of(expr) else ()
    if isinstance(expr, Product):
        return (INFINITE, NAN)
    return _OF_INFINITY.get(expr.function, ()) if isinstance(expr, Call) else ()


class Readers:
    """Who reads which column.

    Parameters
    ----------
    columns : mapping of int to Expr
        The columns that are made, in the order in which they can be made.
    ends : iterable of Expr
        The terms of the linear predictors.
    """

    def __init__(self, columns: Mapping[int, Expr], ends: Iterable[Expr]):
        self.of: dict[int, list[tuple[Expr, int | None]]] = {}
        made: list[tuple[Expr, int | None]] = [(expr, column) for column, expr in columns.items()]
        for expr, target in [*made, *((end, None) for end in ends)]:
            for column in dict.fromkeys(columns_of(expr)):
                self.of.setdefault(column, []).append((expr, target))

    def is_seen(self, column: int, state: str, checked: Collection[int] = ()) -> bool:
        """Return whether a linear predictor is not finite if a column is infinite (or NaN).

        Parameters
        ----------
        column : int
            The column.
        state : str
            INFINITE or NAN.
        checked : collection of int
            Columns in which infinity is looked for.
        """
        if state == INFINITE and column in checked:
            return True
        for expr, target in self.of.get(column, ()):
            states = passed(expr, state)
            if states and (target is None or all(self.is_seen(target, s, checked) for s in states)):
                return True
        return False

    def to_check(self) -> list[int]:
        """Return the columns in which infinity has to be looked for, in ascending order."""
        found: set[int] = set()
        for column in sorted(self.of, reverse=True):
            if not self.is_seen(column, INFINITE, found):
                found.add(column)
        return sorted(found)

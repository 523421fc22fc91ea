"""Refusals: the columns in which an infinite number has to be looked for, because it would not be seen in the end.

A row has a prediction if every number on the way to it is finite (see `skcompress.artifact.plan`). In floats an
infinite column usually makes the linear predictor infinite or NaN, which is seen there. It is hidden by whatever
makes a finite number of it: a bound, an interval, exp(-inf), a table of categories, or an imputer behind sqrt(-inf).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..artifact.terms.numbers import ARCSINH, COS, FLOOR, NEGATIVE, RINT, SIN
from .expressions import Call, Entry, Expr, Lookup, Minus, Over, Plus, Product, Ref, Times, Where, columns_of

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

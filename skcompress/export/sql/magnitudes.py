"""Magnitudes: how large a number may be so that nothing in a query overflows or underflows.

Some databases (PostgreSQL, BigQuery, SQL Server) end a whole query when one row overflows, and PostgreSQL also when
one underflows. So a query takes only inputs x with |x| <= 10^r, in PostgreSQL also |x| >= 10^-r or x = 0; others have
no score. r is the largest of `REACHES` for which every number on the way stays within 10^-300..10^300: bounds on the
magnitudes of products add up, and a sum is either 0 or no smaller than the last digit of its smallest part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf, log10
from typing import NamedTuple

from ..expressions import (
    Call,
    Clip,
    Entry,
    Expr,
    Lookup,
    Minus,
    Number,
    Over,
    Pieces,
    Plus,
    Product,
    Ref,
    Steps,
    Times,
    Where,
)
from ..normal_form import NormalForm

REACHES = (200, 150, 100, 75, 60, 50, 40, 30, 25, 20, 15, 10)
LIMIT = 300
_DIGITS = 16


class Span(NamedTuple):
    """Logarithms to the base 10 of the least magnitude other than 0, and of the greatest."""

    least: float
    greatest: float


ZERO = Span(inf, -inf)


def span_of(*values: float) -> Span:
    """Return the span of some numbers; NaN is none."""
    sizes = [log10(abs(value)) for value in values if value == value and value != 0]
    return Span(min(sizes), max(sizes)) if sizes else ZERO


def union(spans: Iterable[Span]) -> Span:
    """Return the span of numbers that lie in one of several spans."""
    listed = [*spans, ZERO]
    return Span(min(span.least for span in listed), max(span.greatest for span in listed))


class Magnitudes:
    """Spans of the expressions of a model.

    Parameters
    ----------
    inputs : mapping of int to Span
        Those of the inputs that are read as numbers.
    reach : int
        What exponentials and reciprocals are bounded by, as a power of 10.

    Attributes
    ----------
    worst : float
        The greatest distance of any number from 1, as a power of 10.
    """

    def __init__(self, inputs: Mapping[int, Span], reach: int):
        self.columns = dict(inputs)
        self.reach = reach
        self.worst = 0.0

    def _seen(self, span: Span) -> Span:
        if span.greatest > -inf:
            self.worst = max(self.worst, -span.least, span.greatest)
        return span

    def product(self, *spans: Span) -> Span:
        """Return the span of a product, made from left to right."""
        total = spans[0]
        for span in spans[1:]:
            total = ZERO if ZERO in (total, span) else Span(total.least + span.least, total.greatest + span.greatest)
            self._seen(total)
        return total

    def sum(self, spans: Sequence[Span]) -> Span:
        """Return the span of a sum in any order."""
        parts = union(spans)
        if len([span for span in spans if span != ZERO]) < 2:
            return parts
        return self._seen(Span(parts.least - _DIGITS, parts.greatest + log10(len(spans))))

    def of(self, expr: Expr) -> Span:
        """Return the span of an expression."""
        if isinstance(expr, Number):
            return self._seen(span_of(expr.value))
        if isinstance(expr, (Ref, Entry)):
            return self.columns[expr.column]
        if isinstance(expr, Times):
            return self.product(span_of(expr.factor), self.of(expr.part))
        if isinstance(expr, Over):
            divisor = span_of(expr.divisor)
            return self.product(self.of(expr.part), Span(-divisor.greatest, -divisor.least))
        if isinstance(expr, (Minus, Plus)):
            return self.sum([self.of(expr.part), span_of(expr.offset if isinstance(expr, Minus) else expr.shift)])
        if isinstance(expr, Product):
            return self.product(*(self.columns[column] for column in expr.factors))
        if isinstance(expr, Clip):
            bounds = span_of(expr.low, expr.high)
            return union([self.columns[expr.column]._replace(greatest=bounds.greatest), bounds])
        if isinstance(expr, Where):
            no = self.columns[expr.column] if expr.no is None else self.of(expr.no)
            return union([span_of(expr.yes), no])
        if isinstance(expr, (Steps, Lookup)):
            return span_of(*expr.values, *((expr.other,) if isinstance(expr, Lookup) else ()))
        return self._pieces(expr) if isinstance(expr, Pieces) else self._call(expr)

    def _pieces(self, expr: Pieces) -> Span:
        x = self.columns[expr.column]
        if expr.period is not None:
            period = span_of(expr.period)
            turns = self.product(self.sum([x, span_of(expr.origins[0])]), Span(-period.greatest, -period.least))
            x = self.sum([x, self.product(period, Span(0.0, turns.greatest))])
        results = []
        for origin, coefficients in zip(expr.origins, expr.coefficients, strict=True):
            u = self.sum([x, span_of(origin)])
            total = span_of(coefficients[-1])
            for coefficient in coefficients[-2::-1]:
                total = self.sum([span_of(coefficient), self.product(u, total)])
            results.append(total)
        return union(results)

    def _call(self, expr: Call) -> Span:
        x = self.columns[expr.column]
        least, greatest = x
        spans = {
            "log": Span(-_DIGITS, 3.0),
            "sqrt": Span(least / 2, greatest / 2),
            "cbrt": Span(least / 3, greatest / 3),
            "whole": Span(0.0, max(0.0, greatest)),
            "exp": Span(-self.reach, self.reach),
            "expm1": Span(-_DIGITS, self.reach),
            "wave": Span(min(-_DIGITS - 1, least), 0.0),
        }
        if expr.function in (6, 16):
            square = self.product(x, x)
            return square if expr.function == 6 else Span(-_DIGITS - 1, 3.0)
        if expr.function == 11:
            return self._seen(Span(-greatest, min(-least, self.reach)))
        return self._seen(spans[_KINDS[expr.function]]) if expr.function in _KINDS else x


_KINDS: dict[int, str] = {
    **dict.fromkeys((0, 1, 2, 3), "log"),
    4: "sqrt",
    5: "cbrt",
    9: "exp",
    10: "expm1",
    **dict.fromkeys((8, 17, 18), "whole"),
    **dict.fromkeys((13, 14, 15), "wave"),
}
"""What the functions of `skcompress.artifact.terms.numbers` do to magnitudes; the others leave them as they are."""


def reach_of(form: NormalForm, stand_ins: Mapping[int, float]) -> int:
    """Return the largest reach with which nothing in a query overflows or underflows, or the least there is.

    Parameters
    ----------
    form : NormalForm
        The model.
    stand_ins : mapping from input to number
        What missing values stand for.
    """
    numbers = {*form.number_inputs, *form.entries}
    for reach in REACHES:
        spans = {column: union([Span(-reach, reach), span_of(stand_ins.get(column, 0.0))]) for column in numbers}
        found = Magnitudes(spans, reach)
        for column, expr in form.columns.items():
            found.columns[column] = found.of(expr)
        for total in form.totals:
            parts = [found.of(term) for term in total.floats]
            if total.integers:
                whole = found.sum([found.of(term) for term in total.integers])
                parts.append(found.product(span_of(total.scale), whole))
            eta = found.sum([*parts, span_of(total.intercept)])
            if form.model.link == "sqrt":
                found.product(eta, eta)
        if found.worst <= LIMIT:
            break
    return reach

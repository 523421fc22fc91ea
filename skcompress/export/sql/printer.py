"""Print expressions as SQL.

NULL is NaN's place: where an input is NULL, arithmetic gives NULL by itself, and a CASE names every interval, so that
NULL falls through it. Numbers are written with an exponent, which makes them doubles and not decimals.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..base_printer import BasePrinter, require_writable
from ..expressions import (
    Call,
    Clip,
    Entry,
    Expr,
    Lookup,
    Number,
    Pieces,
    Steps,
    Times,
    Where,
    is_missing,
    value_of_missing,
)
from ..normal_form import NormalForm
from .dialects import Dialect

_FLAT = 8
_IN_A_LIST = 500
"""Sums are split in halves down to so many terms; lists of constants hold at most so many."""

MANY = 1000
"""A staircase and the like print their column many times."""


def number(value: float) -> str:
    """Return a number as a constant of SQL, NULL for NaN."""
    if value != value:
        return "NULL"
    if isinstance(value, int):
        return f"({value})" if value < 0 else str(value)
    if value in (float("inf"), -float("inf")):
        raise ValueError("infinity has no constant in SQL: the model cannot be written")
    text = repr(float(value))
    text = text if "e" in text else f"{text}e0"
    return f"({text})" if text.startswith("-") else text


def constant(level: Any, dialect: Dialect) -> str:
    """Return a level or a label as a constant."""
    if isinstance(level, str):
        return dialect.text(require_writable(level, "text", "SQL"))
    if isinstance(level, bool):
        return dialect.truth[level]
    return str(level) if isinstance(level, int) else number(level)


def balanced_sum(terms: Sequence[str]) -> str:
    """Return a sum as a balanced tree: databases limit how deep an expression is, not how long."""
    if len(terms) <= _FLAT:
        return ("\n  + " if any(term.startswith("CASE") for term in terms) else " + ").join(terms)
    middle = len(terms) // 2
    return f"({balanced_sum(terms[:middle])}) + ({balanced_sum(terms[middle:])})"


class Printer(BasePrinter):
    """Prints expressions in one dialect.

    Parameters
    ----------
    form : NormalForm
        The model.
    dialect : Dialect
        The dialect.
    reach : int
        What exponentials are bounded by, as a power of 10 (see `skcompress.export.sql.magnitudes`).
    """

    def __init__(self, form: NormalForm, dialect: Dialect, reach: int):
        super().__init__(form)
        self.dialect = dialect
        self.bounds = {"most": number(reach * 2.302585092994045), "least": f"1e-{reach}"}

    @abstractmethod
    def value(self, column: int) -> str:
        """Return what a column is called where it is read as a value."""

    def number(self, value: float) -> str:
        """Return a number as a constant."""
        return number(value)

    def choice(self, test: str, yes: str, no: str) -> str:
        """Return a CASE."""
        return f"CASE WHEN {test} THEN {yes} ELSE {no} END"

    def is_marker(self, x: str, marker: float) -> str:
        """Return the condition that a number is the marker of missing values, where NULL stands for NaN."""
        return f"{x} IS NULL" if marker != marker else f"{x} = {number(marker)}"

    def of(self, expr: Expr) -> str:
        """Return an expression in brackets where it needs them."""
        printed = super().of(expr)
        # What is made of constants alone would be decimals in some databases, and be rounded in another way.
        is_constant = isinstance(expr, (Number, Steps, Lookup)) or (isinstance(expr, Where) and expr.no is not None)
        return f"CAST({printed} AS {self.dialect.double})" if is_constant and self.dialect.decimal else printed

    def term(self, expr: Expr, *, integer: bool) -> str:
        """Return a summand; with `integer` its part becomes a whole number first."""
        factor, part = (expr.factor, expr.part) if isinstance(expr, Times) else (1, expr)
        if not integer:
            return self.of(expr)
        if isinstance(part, (Steps, Lookup, Where)):
            printed = super().of(part)
            return printed if factor == 1 else f"{number(factor)} * {printed}"
        whole = f"CAST({self.of(part)} AS {self.dialect.integer})"
        return whole if factor == 1 else f"{number(factor)} * {whole}"

    def _clip(self, expr: Clip) -> str:
        x, low, high = self.column(expr.column), number(expr.low), number(expr.high)
        return f"CASE WHEN {x} < {low} THEN {low} WHEN {x} > {high} THEN {high} ELSE {x} END"

    def _steps(self, expr: Steps) -> str:
        x = self.column(expr.column)
        if not expr.edges:
            return f"CASE WHEN {x} IS NOT NULL THEN {number(expr.values[0])} END"
        return self._staircase(x, expr.edges, [number(value) for value in expr.values])

    def _staircase(self, x: str, edges: Sequence[float], results: Sequence[str]) -> str:
        merged = [place for place, (a, b) in enumerate(pairwise(results)) if a != b]
        if not merged:
            return f"CASE WHEN {x} IS NOT NULL THEN {results[0]} END"
        tests = [_below(edges[place]) for place in merged]
        arms = [f"WHEN {x} {test} THEN {results[place]}" for test, place in zip(tests, merged, strict=True)]
        last = tests[-1].replace("<=", ">") if "<=" in tests[-1] else tests[-1].replace("<", ">=")
        return f"CASE {' '.join(arms)} WHEN {x} {last} THEN {results[-1]} END"

    def _pieces(self, expr: Pieces) -> str:
        x = self.column(expr.column)
        if expr.period is not None:
            start, period = number(expr.origins[0]), number(expr.period)
            # Beyond so many periods there are too few digits left of the place within one.
            near = f"CASE WHEN ABS({x}) <= {number(1e6 * expr.period)} THEN {x} END"
            x = f"({near} - {period} * FLOOR(({x} - {start}) / {period}))"
        results = []
        for origin, coefficients in zip(expr.origins, expr.coefficients, strict=True):
            u = f"({x} - {number(origin)})"
            printed = number(coefficients[-1])
            for coefficient in coefficients[-2::-1]:
                printed = (
                    number(coefficient) if printed == number(0.0) else f"({number(coefficient)} + {u} * {printed})"
                )
            results.append(printed)
        return self._staircase(x, expr.breaks, results) if expr.breaks else results[0]

    def _entry(self, expr: Entry) -> str:
        return f"COALESCE({self.column(expr.column)}, {number(0.0)})"

    def _lookup(self, expr: Lookup) -> str:
        x, name = self.value(expr.column), self._input_name(expr.column)
        null, groups = self._grouped(expr, name)
        # What is NULL is no level, and does what the rest does, unless it is a level.
        arms = [] if null == number(expr.other) else [f"WHEN {x} IS NULL THEN {null}"]
        if any(isinstance(level, str) for level in expr.levels):
            x += self.dialect.binary
        for result, levels in groups.items():
            for start in range(0, len(levels), _IN_A_LIST):
                some = levels[start : start + _IN_A_LIST]
                test = f"= {some[0]}" if len(some) == 1 else f"IN ({', '.join(some)})"
                arms.append(f"WHEN {x} {test} THEN {result}")
        if not arms:
            return number(expr.other)
        rest = "" if expr.other != expr.other else f" ELSE {number(expr.other)}"
        return f"CASE {' '.join(arms)}{rest} END"

    def _input_name(self, column: int) -> str:
        return self.form.names[column] if column < len(self.form.names) else f"column {column}"

    def _grouped(self, expr: Lookup, name: str) -> tuple[str, dict[str, list[str]]]:
        """Return what NULL gives, and the constants of the levels by what they give."""
        kinds = {_kind(level) for level in expr.levels if not is_missing(level)}
        if len(kinds) > 1:
            raise ValueError(f"input {name!r} mixes {' and '.join(sorted(kinds))}: a column of SQL has one type")
        groups: dict[str, list[str]] = {}
        for level, value in zip(expr.levels, expr.values, strict=True):
            if not is_missing(level) and number(value) != number(expr.other):
                groups.setdefault(number(value), []).append(constant(level, self.dialect))
        return number(value_of_missing(expr, name, "SQL")), groups

    def _call(self, expr: Call) -> str:
        x = self.column(expr.column)
        return FUNCTIONS[expr.function].format(x=x, ln=self.dialect.log, **self.bounds)

    def is_infinite(self, expr: Call) -> str:
        """Return the condition that a function is infinite in floats and NULL here, or nothing if it never is."""
        test = INFINITE_AT.get(expr.function, "")
        return test.format(x=self.column(expr.column), **self.bounds)


def _below(edge: float) -> str:
    """Return the comparison x < edge, or x <= the float before it where that is written shorter."""
    before = float(np.nextafter(edge, -np.inf))
    return f"<= {number(before)}" if len(number(before)) < len(number(edge)) else f"< {number(edge)}"


def _kind(level: Any) -> str:
    return "texts" if isinstance(level, str) else "truth values" if isinstance(level, bool) else "numbers"


FUNCTIONS: dict[int, str] = {
    0: "CASE WHEN {x} > (-1e0) THEN {ln}(1e0 + {x}) END",
    1: "CASE WHEN {x} > 0e0 THEN {ln}({x}) END",
    2: "CASE WHEN {x} > 0e0 THEN {ln}({x}) / 2.302585092994046e0 END",
    3: "CASE WHEN {x} > 0e0 THEN {ln}({x}) / 0.6931471805599453e0 END",
    4: "CASE WHEN {x} >= 0e0 THEN SQRT({x}) END",
    5: (
        "CASE WHEN {x} > 0e0 THEN EXP({ln}({x}) / 3e0) WHEN {x} < 0e0 THEN -EXP({ln}(-({x})) / 3e0) "
        "WHEN {x} = 0e0 THEN 0e0 END"
    ),
    6: "({x} * {x})",
    7: "ABS({x})",
    8: "CASE WHEN {x} > 0e0 THEN 1 WHEN {x} < 0e0 THEN (-1) WHEN {x} = 0e0 THEN 0 END",
    9: "CASE WHEN {x} < -{most} THEN 0e0 WHEN {x} <= {most} THEN EXP({x}) END",
    10: "CASE WHEN {x} < -{most} THEN (-1e0) WHEN {x} <= {most} THEN EXP({x}) - 1e0 END",
    11: "CASE WHEN ABS({x}) >= {least} THEN 1e0 / {x} END",
    12: "(-({x}))",
    13: "SIN({x})",
    14: "COS({x})",
    15: (
        "CASE WHEN {x} > 20e0 THEN 1e0 WHEN {x} < (-20e0) THEN (-1e0) "
        "ELSE (EXP({x}) - EXP(-({x}))) / (EXP({x}) + EXP(-({x}))) END"
    ),
    16: (
        "CASE WHEN {x} >= 0e0 THEN {ln}({x} + SQRT({x} * {x} + 1e0)) "
        "WHEN {x} < 0e0 THEN -{ln}(SQRT({x} * {x} + 1e0) - {x}) END"
    ),
    17: "FLOOR({x})",
    18: (
        "CASE WHEN {x} - FLOOR({x}) < 0.5e0 THEN FLOOR({x}) WHEN {x} - FLOOR({x}) > 0.5e0 THEN FLOOR({x}) + 1e0 "
        "WHEN FLOOR({x} / 2e0) * 2e0 = FLOOR({x}) THEN FLOOR({x}) ELSE FLOOR({x}) + 1e0 END"
    ),
}
"""The functions of `skcompress.artifact.terms.numbers`; NULL outside of their domain. rint rounds halves to even."""

INFINITE_AT: dict[int, str] = {
    0: "{x} = (-1e0)",
    **dict.fromkeys((1, 2, 3), "{x} = 0e0"),
    11: "ABS({x}) < {least}",
    **dict.fromkeys((9, 10), "{x} > {most}"),
}
"""Where those functions are infinite, or too large."""


def repeats(expr: Expr) -> int:
    """Return how often an expression prints each column that it reads."""
    if isinstance(expr, (Steps, Pieces, Lookup)):
        return MANY
    if isinstance(expr, (Clip, Where)):
        return 3
    return FUNCTIONS[expr.function].count("{x}") if isinstance(expr, Call) else 1

"""Print expressions as C99: doubles, constant tables, and the few functions that they call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...artifact.categories import ABSENT
from ...artifact.terms.numbers import FUNCTIONS as NUMPY
from ..base_printer import BasePrinter, require_writable
from ..expressions import Call, Clip, Entry, Lookup, Pieces, Steps, is_missing, value_of_missing
from ..normal_form import NormalForm

HEADERS = "#include <math.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n"
_PER_LINE = 8

INTEGERS = {"int8_t": 2**7 - 1, "int16_t": 2**15 - 1, "int32_t": 2**31 - 1, "int64_t": 2**63 - 1}


def constant(value: float) -> str:
    """Return a number as a double of C."""
    if value != value:
        return "NAN"
    if value in (float("inf"), -float("inf")):
        return f"{'-' if value < 0 else ''}INFINITY"
    text = repr(float(value))
    return f"({text})" if text.startswith("-") else text


def text(value: str) -> str:
    """Return a text as a constant of C, its bytes in UTF-8."""
    require_writable(value, "text", "C")
    plain = {ord('"'), ord("\\"), ord("?")}
    bytes_ = (chr(b) if 32 <= b < 127 and b not in plain else f"\\{b:03o}" for b in value.encode())
    return f'"{"".join(bytes_)}"'


def comment(lines: Sequence[str]) -> str:
    """Return lines as a comment, whatever they hold."""
    # Two question marks begin a trigraph, and compilers refuse characters that change the direction of the text.
    unsafe = (("*/", "* /"), ("/*", "/ *"), ("??", "? ?"))
    safe = ["".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in line) for line in lines]
    for what, instead in unsafe:
        safe = [line.replace(what, instead) for line in safe]
    return "\n".join(["/*", *(f" * {line}".rstrip() for line in safe), " */"])


def function(head: str, lines: Sequence[str]) -> str:
    """Return a function of these lines."""
    return "\n".join(["", head, "{", *(f"    {line}" for line in lines), "}"])


def smallest_type(values: Sequence[int]) -> str:
    """Return the smallest signed type that holds the integers."""
    most = max((abs(value) for value in values), default=0)
    return next(name for name, top in INTEGERS.items() if most <= top)


def array(kind: str, name: str, values: Sequence[Any]) -> str:
    """Return a constant table; one of no numbers has a zero."""
    printed = [constant(v) if kind == "double" else text(v) if "char" in kind else str(int(v)) for v in values] or ["0"]
    rows = [", ".join(printed[start : start + _PER_LINE]) for start in range(0, len(printed), _PER_LINE)]
    inside = ",\n    ".join(rows)
    return f"static const {kind} {name}[{len(printed)}] = {{\n    {inside}\n}};"


def index_type(most: int) -> str:
    """Return the smallest unsigned type of 16 or 32 bits that holds an integer."""
    return "uint16_t" if most < 65536 else "uint32_t"


class Printer(BasePrinter):
    """Prints the expressions of one normal form; what they look up becomes tables.

    Parameters
    ----------
    form : NormalForm
        The model.
    name : str
        What all names begin with.
    """

    def __init__(self, form: NormalForm, name: str):
        super().__init__(form)
        self.name = name
        self.tables: list[str] = []
        self._named: dict[tuple[Any, ...], str] = {}
        self.texts = {place: _texts(form, place) for place in form.value_inputs}

    def table(self, kind: str, values: Sequence[Any]) -> str:
        """Add a table, unless there is the same already, and return its name."""
        key = (kind, *values)
        if key not in self._named:
            self._named[key] = f"{self.name}_t{len(self.tables)}"
            self.tables.append(array(kind, self._named[key], values))
        return self._named[key]

    def levels(self) -> str:
        """Return the functions from a text to its place among the levels of an input."""
        parts = []
        for place, texts in self.texts.items():
            if not texts:
                continue
            names = f"{self.name}_levels_{place}"
            parts += [
                array("char *const", names, texts),
                f"\ndouble {self.name}_level_{place}(const char *text)",
                "{",
                f"    for (int i = 0; i < {len(texts)}; i++) if (strcmp(text, {names}[i]) == 0) return i;",
                "    return -1;",
                "}",
            ]
        return "\n".join(parts)

    def code_of(self, place: int, value: Any) -> float:
        """Return what stands for a value of an input that is read as a value."""
        if value is ABSENT:
            return -1.0 if self.texts.get(place) else 0.0
        if value is None or (not isinstance(value, str) and value != value):
            return float("nan")
        texts = self.texts.get(place, [])
        if isinstance(value, str):
            return float(texts.index(value)) if value in texts else -1.0
        return float(value)

    def is_infinite(self, columns: Sequence[int]) -> str:
        """Return a condition that is true where one of some columns is infinite, or nothing for no column."""
        raw = [column for column in columns if column < len(self.form.names)]
        tests = [f"isinf({self.column(column)})" for column in columns if column not in raw]
        if len(raw) > _PER_LINE:
            tests.insert(0, f"skc_any_infinite(x, {self.table('uint32_t', raw)}, {len(raw)})")
        else:
            tests = [*(f"isinf(x[{column}])" for column in raw), *tests]
        return " || ".join(tests)

    def columns(self, used_in: Sequence[str]) -> list[str]:
        """Return the lines that make the columns which are read by others."""
        lines: list[str] = []
        for column, expr in self.form.columns.items():
            lines.append(f"const double c{column} = {self.of(expr)};")
        found = set(re.findall(r"\bc\d+\b", "\n".join(used_in)))
        kept: list[str] = []
        for line in reversed(lines):
            name, _, made = line.removeprefix("const double ").partition(" = ")
            if name in found:
                found.update(re.findall(r"\bc\d+\b", made))
                kept.insert(0, line)
        return kept

    def number(self, value: float) -> str:
        """Return a number as a double of C."""
        return constant(value)

    def column(self, column: int) -> str:
        """Return where a column stands: among the inputs, or in a variable."""
        return f"x[{column}]" if column < len(self.form.names) else f"c{column}"

    def choice(self, test: str, yes: str, no: str) -> str:
        """Return a conditional expression."""
        return f"({test} ? {yes} : {no})"

    def _clip(self, expr: Clip) -> str:
        return f"skc_clip({self.column(expr.column)}, {constant(expr.low)}, {constant(expr.high)})"

    def _call(self, expr: Call) -> str:
        return f"{FUNCTIONS[NUMPY[expr.function].__name__]}({self.column(expr.column)})"

    def _entry(self, expr: Entry) -> str:
        return self.column(expr.column)

    def _steps(self, expr: Steps) -> str:
        place = self.interval(expr)
        x = self.column(expr.column)
        return f"({x} != {x} ? NAN : {self.table('double', expr.values)}[{place}])"

    def interval(self, expr: Steps | Pieces) -> str:
        """Return the number of the interval in which a column lies."""
        edges = expr.edges if isinstance(expr, Steps) else expr.breaks
        return f"skc_interval({self.column(expr.column)}, {self.table('double', edges)}, {len(edges)})"

    def _pieces(self, expr: Pieces) -> str:
        order = max(map(len, expr.coefficients))
        breaks, origins = self.table("double", expr.breaks), self.table("double", expr.origins)
        rows = self.table("double", [c for row in expr.coefficients for c in (*row, *[0.0] * (order - len(row)))])
        x = self.column(expr.column)
        if expr.period is not None:
            x = f"skc_wrap({x}, {constant(expr.origins[0])}, {constant(expr.period)})"
        return f"skc_pieces({x}, {breaks}, {len(expr.breaks)}, {origins}, {rows}, {order})"

    def _lookup(self, expr: Lookup) -> str:
        return f"{self.table('double', self.lookup_values(expr))}[{self.place(expr)}]"

    def lookup_values(self, expr: Lookup) -> list[float]:
        """Return the values of a lookup by place: the levels, the rest, and what is missing."""
        nulls = {repr(v): v for level, v in zip(expr.levels, expr.values, strict=True) if is_missing(level)}
        null = next(iter(nulls.values())) if nulls else expr.other
        if self.texts.get(expr.column):
            known = dict(zip(expr.levels, expr.values, strict=True))
            return [*(known.get(level, expr.other) for level in self.texts[expr.column]), expr.other, null]
        chosen = [v for level, v in zip(expr.levels, expr.values, strict=True) if not is_missing(level)]
        return [*chosen, expr.other, null]

    def place(self, expr: Lookup) -> str:
        """Return the place of a column's value in `lookup_values`."""
        x = self.column(expr.column)
        if texts := self.texts.get(expr.column):
            return f"skc_place({x}, {len(texts)})"
        levels = [level for level in expr.levels if not is_missing(level)]
        rounded = [level for level in levels if float(level) != level]
        if rounded:
            name = self.form.names[expr.column]
            raise ValueError(
                f"input {name!r} has the category {rounded[0]!r}, which a double of C cannot hold: make texts of it"
            )
        return f"skc_find({x}, {self.table('double', levels)}, {len(levels)})"


def _texts(form: NormalForm, place: int) -> list[str]:
    """Return the texts among the levels of an input.

    Raises
    ------
    ValueError
        If there are numbers among them, or None and NaN do not do the same.
    """
    name = form.names[place]
    levels = [level for level in form.value_inputs[place] if not is_missing(level)]
    texts = list(dict.fromkeys(level for level in levels if isinstance(level, str)))
    as_numbers = place in form.number_inputs or Entry(place) in form.everything()
    if texts and (len(texts) < len(set(levels)) or as_numbers):
        raise ValueError(f"input {name!r} mixes texts and numbers, which cannot be written in C")
    for expr in form.everything():
        if isinstance(expr, Lookup) and expr.column == place:
            value_of_missing(expr, name, "C")
    return texts


FUNCTIONS: dict[str, str] = {
    **{f.__name__: f.__name__ for f in (np.log1p, np.log, np.log10, np.log2, np.sqrt, np.cbrt, np.exp, np.expm1)},
    **{f.__name__: f.__name__ for f in (np.sin, np.cos, np.tanh, np.floor, np.rint)},
    "square": "skc_square",
    "absolute": "fabs",
    "sign": "skc_sign",
    "reciprocal": "1.0 / ",
    "negative": "-",
    "arcsinh": "asinh",
}
"""How C calls the functions of the artifact."""

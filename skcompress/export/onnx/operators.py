"""Print expressions as operators of ONNX: many at once, side by side in one tensor of shape (n, k).

Expressions of one kind that differ in their constants alone are one operator on a vector of constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..base_printer import require_writable
from ..expressions import (
    Call,
    Clip,
    Expr,
    Lookup,
    Minus,
    Number,
    Over,
    Pieces,
    Plus,
    Product,
    Steps,
    Times,
    Where,
    is_missing,
    value_of_missing,
)
from ..normal_form import NormalForm
from .graph import OnnxGraph


class Operators:
    """Prints the expressions of one normal form.

    Parameters
    ----------
    form : NormalForm
        The model.
    graph : OnnxGraph
        Takes the operators.
    texts : set of int
        The inputs that hold texts; the empty one stands for a missing value.
    dtype : dtype
        The type of the inputs that are numbers, float32 or float64; the graph computes with float64.

    Attributes
    ----------
    where : dict of int to (str, int, int)
        For each column the tensor that holds it, its place there, and the tensor's width.
    """

    def __init__(self, form: NormalForm, graph: OnnxGraph, texts: set[int], dtype: np.dtype[Any]):
        self.form, self.g, self.texts, self.dtype = form, graph, texts, dtype
        self.where: dict[int, tuple[str, int, int]] = {}

    def place(self, tensor: str, columns: Sequence[int]) -> None:
        """Say that a tensor holds some columns."""
        self.where.update({column: (tensor, place, len(columns)) for place, column in enumerate(columns)})

    def columns(self, columns: Sequence[int]) -> str:
        """Return columns as one tensor of shape (n, len(columns))."""
        runs: list[tuple[str, list[int], int]] = []
        for column in columns:
            tensor, place, width = self.where[column]
            if column in self.texts:
                raise ValueError(f"input {self.form.names[column]!r} is read as a text and as a number")
            if runs and runs[-1][0] == tensor:
                runs[-1][1].append(place)
            else:
                runs.append((tensor, [place], width))
        return self.g.concat([self.g.pick(tensor, places, width) for tensor, places, width in runs])

    def of(self, exprs: Sequence[Expr]) -> str:
        """Return expressions as one tensor of shape (n, len(exprs))."""
        groups: dict[Any, list[int]] = {}
        for place, expr in enumerate(exprs):
            groups.setdefault((type(expr).__name__, *_KEYS.get(type(expr), lambda expr: ())(expr)), []).append(place)
        parts = []
        for (kind, *_), group in groups.items():
            parts.append(getattr(self, f"_{kind.lower()}")([exprs[place] for place in group]))
        order = np.argsort([place for group in groups.values() for place in group]).tolist()
        return self.g.pick(self.g.concat(parts), order, len(exprs))

    def _sources(self, exprs: Sequence[Any]) -> str:
        return self.columns([expr.column for expr in exprs])

    _ref = _entry = _sources

    def _arithmetic(self, exprs: Sequence[Any]) -> str:
        operator, constant = _ARITHMETIC[type(exprs[0])]
        parts = self.of([expr.part for expr in exprs])
        return self.g.op(operator, parts, self.g.floats([getattr(expr, constant) for expr in exprs]))

    _times = _minus = _over = _plus = _arithmetic

    def _product(self, exprs: Sequence[Product]) -> str:
        total, *others = (self.columns(factors) for factors in zip(*(expr.factors for expr in exprs), strict=True))
        for other in others:
            total = self.g.op("Mul", total, other)
        return total

    def _clip(self, exprs: Sequence[Clip]) -> str:
        g, x = self.g, self._sources(exprs)
        low, high = g.floats([expr.low for expr in exprs]), g.floats([expr.high for expr in exprs])
        # Where, and not Min and Max, keeps NaN.
        below = g.op("Where", g.op("Less", x, low), low, x)
        return g.op("Where", g.op("Greater", x, high), high, below)

    def _where(self, exprs: Sequence[Where]) -> str:
        g, x = self.g, self._sources(exprs)
        marker = exprs[0].marker
        missing = g.op("IsNaN", x) if marker != marker else g.op("Equal", x, g.floats(marker))
        others = [expr.no for expr in exprs]
        if None in others:
            no = x
        elif all(isinstance(other, Number) for other in others):
            no = g.floats([other.value for other in others if isinstance(other, Number)])
        else:
            no = self.of([other for other in others if other is not None])
        return g.op("Where", missing, g.floats([expr.yes for expr in exprs]), no)

    def _call(self, exprs: Sequence[Call]) -> str:
        return FUNCTIONS[exprs[0].function](self.g, self._sources(exprs))

    def _steps(self, exprs: Sequence[Steps]) -> str:
        g = self.g
        if len(exprs[0].edges) == 1:
            # Each its own input and threshold, compared at once.
            x = self._sources(exprs)
            reached = g.op("GreaterOrEqual", x, g.floats([expr.edges[0] for expr in exprs]))
            low, high = (g.floats([expr.values[end] for expr in exprs]) for end in (0, 1))
            return g.op("Where", g.op("IsNaN", x), g.floats(np.nan), g.op("Where", reached, high, low))
        x = self._sources(exprs[:1])
        found = g.op("Gather", g.floats(np.transpose([expr.values for expr in exprs])), g.interval(x, exprs[0].edges))
        return g.op("Where", g.op("IsNaN", x), g.floats(np.nan), found)

    def _pieces(self, exprs: Sequence[Pieces]) -> str:
        g, first = self.g, exprs[0]
        x = self._sources(exprs[:1])
        known = g.op("Where", g.op("IsNaN", x), g.floats(first.origins[0]), x)
        if first.period is not None:
            start, period = g.floats(first.origins[0]), g.floats(first.period)
            rest = g.op("Mod", g.op("Sub", known, start), period, fmod=1)
            rest = g.op("Where", g.op("Less", rest, g.floats(0.0)), g.op("Add", rest, period), rest)
            known = g.op("Add", start, rest)
        interval = g.interval(known, first.breaks)
        u = g.op("Sub", known, g.column(g.op("Gather", g.floats(first.origins), interval)))
        order = max(len(row) for row in first.coefficients)
        total = ""
        for power in reversed(range(order)):
            rows = [[expr.coefficients[b] for expr in exprs] for b in range(len(first.origins))]
            table = [[row[power] if power < len(row) else 0.0 for row in piece] for piece in rows]
            part = g.op("Gather", g.floats(table), interval, axis=0)
            total = g.op("Add", part, g.op("Mul", u, total)) if total else part
        return g.op("Where", g.op("IsNaN", x), g.floats(np.nan), total)

    def _lookup(self, exprs: Sequence[Lookup]) -> str:
        (expr,) = exprs
        table: dict[str, float] = {}
        for value in (*expr.values, expr.other):
            table.setdefault(repr(value), value)
        found = self.numbers(expr, [list(table).index(repr(value)) for value in (*expr.values, expr.other)])
        return self.g.column(self.g.op("Gather", self.g.floats(list(table.values())), found))

    def numbers(self, expr: Lookup, numbers: Sequence[int]) -> str:
        """Return the number of each row's level, shape (n,).

        Parameters
        ----------
        expr : Lookup
            The table.
        numbers : sequence of int
            The number of each level, and in the end that of all other values.
        """
        g = self.g
        name = self.form.names[expr.column] if expr.column < len(self.form.names) else f"column {expr.column}"
        of_level = Lookup(expr.column, expr.levels, tuple(numbers[:-1]), numbers[-1])
        null = int(value_of_missing(of_level, name, "ONNX"))
        known = {level: n for level, n in zip(expr.levels, numbers, strict=False) if not is_missing(level)}
        if expr.column in self.texts:
            return self._of_texts(expr.column, name, known, null, numbers[-1])
        dtype = self.dtype if expr.column < len(self.form.names) else np.dtype(np.float64)
        rounded = [level for level in known if float(dtype.type(level)) != level]
        if rounded:
            raise ValueError(
                f"input {name!r} has the category {rounded[0]!r}, which {dtype} cannot hold: make texts of it"
            )
        x = self._sources([expr])
        tests = [g.op("Equal", x, g.floats([[float(level) for level in known]]))] if known else []
        tests.append(g.op("IsNaN", x))
        hits = g.op("Cast", g.concat(tests), to=int(g.proto.INT32))
        rest = g.op("Add", g.op("Mul", g.pick(hits, [0], 2), g.constant(np.int32(0))), g.constant(np.int32(1)))
        place = g.op("ArgMax", g.op("Concat", hits, rest, axis=1), axis=1, keepdims=0)
        return g.op("Gather", g.integers([*known.values(), null, numbers[-1]]), place)

    def _of_texts(self, column: int, name: str, known: dict[Any, int], null: int, other: int) -> str:
        if any(not isinstance(level, str) for level in known):
            raise ValueError(f"input {name!r} mixes texts and numbers: an input of ONNX has one type")
        if known.get("", null) != null:
            raise ValueError(f"input {name!r} has the category '', which in ONNX stands for a missing value: name it")
        for level in known:
            require_writable(level, "category", "ONNX")
        table = {"": null, **known}
        encoded = self.g.op(
            "LabelEncoder",
            self.where[column][0],
            domain="ai.onnx.ml",
            keys_strings=list(table),
            values_int64s=list(table.values()),
            default_int64=other,
        )
        return self.g.flat(encoded)


_ARITHMETIC: dict[type, tuple[str, str]] = {
    Times: ("Mul", "factor"),
    Minus: ("Sub", "offset"),
    Over: ("Div", "divisor"),
    Plus: ("Add", "shift"),
}
"""The operators of arithmetic with a constant, and what the constant is called."""

_KEYS: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    Product: lambda expr: (len(expr.factors),),
    Where: lambda expr: (repr(expr.marker), type(expr.no)),
    Call: lambda expr: (expr.function,),
    Steps: lambda expr: (1,) if len(expr.edges) == 1 else (expr.column, expr.edges),
    Pieces: lambda expr: (expr.column, expr.breaks, expr.origins, expr.period),
    Lookup: lambda expr: (id(expr),),
}
"""What else is the same in expressions that are printed together."""


def _cbrt(g: OnnxGraph, x: str) -> str:
    root = g.op("Pow", g.op("Abs", x), g.floats(1 / 3))
    return g.op("Mul", g.op("Sign", x), root)


def _arcsinh(g: OnnxGraph, x: str) -> str:
    size = g.op("Abs", x)
    root = g.op("Sqrt", g.op("Add", g.op("Mul", x, x), g.floats(1.0)))
    # The square of a large number overflows, and its root is the number itself.
    far = g.op("Add", g.op("Log", size), g.floats(np.log(2.0)))
    near = g.op("Log", g.op("Add", size, root))
    return g.op("Mul", g.op("Sign", x), g.op("Where", g.op("Greater", size, g.floats(1e8)), far, near))


def _cos(g: OnnxGraph, x: str) -> str:
    half = g.op("Sin", g.op("Mul", x, g.floats(0.5)))
    return g.op("Sub", g.floats(1.0), g.op("Mul", g.floats(2.0), g.op("Mul", half, half)))


def _tanh(g: OnnxGraph, x: str) -> str:
    return g.op("Tanh", x)


def _log_of(base: float) -> Callable[[OnnxGraph, str], str]:
    return lambda g, x: g.op("Div", g.op("Log", x), g.floats(np.log(base)))


def _plain(kind: str) -> Callable[[OnnxGraph, str], str]:
    return lambda g, x: g.op(kind, x)


FUNCTIONS: dict[int, Callable[[OnnxGraph, str], str]] = {
    0: lambda g, x: g.op("Log", g.op("Add", x, g.floats(1.0))),
    1: _plain("Log"),
    2: _log_of(10.0),
    3: _log_of(2.0),
    4: _plain("Sqrt"),
    5: _cbrt,
    6: lambda g, x: g.op("Mul", x, x),
    7: _plain("Abs"),
    8: _plain("Sign"),
    9: _plain("Exp"),
    10: lambda g, x: g.op("Sub", g.op("Exp", x), g.floats(1.0)),
    11: _plain("Reciprocal"),
    12: _plain("Neg"),
    13: _plain("Sin"),
    14: _cos,
    15: _tanh,
    16: _arcsinh,
    17: _plain("Floor"),
    18: _plain("Round"),
}
"""The functions of `skcompress.artifact.terms.numbers`."""

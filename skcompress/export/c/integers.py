"""The integer form of a model in C: codes of the inputs, their dot product in integers, one scale for each output."""

from __future__ import annotations

from typing import Any

from ..expressions import Clip, Expr, Lookup, Steps, Times, columns_of
from ..normal_form import NormalForm
from .printer import Printer, constant, function, smallest_type
from .readers import loops_of


class _Codes:
    """What is read off the inputs: whole numbers, and places in tables."""

    def __init__(self, printer: Printer):
        self.printer = printer
        self.numbers: dict[Expr, int] = {}
        self.places: dict[Any, int] = {}
        self.lines: list[str] = []
        self.refused: list[str] = []

    def number(self, part: Expr) -> int:
        """Return the place of a whole number among the numbers."""
        return self.numbers.setdefault(part, len(self.numbers))

    def place(self, part: Steps | Lookup) -> int:
        """Return the place of a table's index among the indices."""
        key = (part.column, part.edges) if isinstance(part, Steps) else (part.column, tuple(map(repr, part.levels)))
        if key not in self.places:
            self.places[key] = len(self.places)
            self._read_place(part, self.places[key])
        return self.places[key]

    def _read_place(self, part: Steps | Lookup, number: int) -> None:
        q = f"q[N_NUMBERS + {number}]"
        if isinstance(part, Steps):
            x = self.printer._column(part.column)
            self.lines.append(f"if ({x} != {x}) return 0;")
            self.lines.append(f"{q} = {self.printer.interval(part)};")
            return
        self.lines.append(f"{q} = {self.printer.place(part)};")
        bad = [i for i, value in enumerate(self.printer.lookup_values(part)) if value != value]
        if bad:
            self.lines.append(f"if ({' || '.join(f'{q} == {i}' for i in bad)}) return 0;")

    def values(self, part: Steps | Lookup) -> list[int]:
        """Return the whole numbers of a table, 0 for what is refused."""
        values = part.values if isinstance(part, Steps) else self.printer.lookup_values(part)
        return [int(value) if value == value else 0 for value in values]


def integer_functions(program: NormalForm, printer: Printer) -> str:
    """Return the functions codes, sums and linear.

    Raises
    ------
    ValueError
        If a term is no integer; the message names the inputs.
    """
    _require_integers(program)
    codes = _Codes(printer)
    tabled: list[list[tuple[int, str]]] = []
    weights: list[dict[int, int]] = []
    for total in program.totals:
        by_number: dict[int, int] = {}
        tables: list[tuple[int, str]] = []
        for term in total.integers:
            factor, part = (int(term.factor), term.part) if isinstance(term, Times) else (1, term)
            if isinstance(part, (Steps, Lookup)):
                values = [factor * value for value in codes.values(part)]
                tables.append((codes.place(part), printer.table(smallest_type(values), values)))
            else:
                by_number[codes.number(part)] = by_number.get(codes.number(part), 0) + factor
        tabled.append(tables)
        weights.append(by_number)
    return _written(program, printer, codes, weights, tabled)


def _written(
    program: NormalForm,
    printer: Printer,
    codes: _Codes,
    weights: list[dict[int, int]],
    tabled: list[list[tuple[int, str]]],
) -> str:
    name, upper, m, n = printer.name, printer.name.upper(), len(program.totals), len(codes.numbers)
    wide = "int32_t" if max(total.most for total in program.totals) < 2**31 else "int64_t"
    loops, looped = loops_of(program, printer, codes.numbers)
    numbers = [
        f"{{ const double v = {printer.of(part)}; if (v != v) return 0; q[{place}] = (int32_t)v; }}"
        for part, place in codes.numbers.items()
        if part not in looped
    ]
    places = [line.replace("N_NUMBERS", str(n)) for line in codes.lines]
    inside = {part.column for part in looped if isinstance(part, Clip)}
    refused = printer.is_infinite([column for column in program.readers.to_check() if column not in inside])
    checks = [f"if ({refused}) return 0;"] if refused else []
    columns = printer.columns(used_in=[*checks, *numbers, *places])
    nothing = [] if loops or numbers or places else ["(void)x;", "(void)q;"]
    read = [*nothing, *columns, *checks, *loops, *numbers, *places, "return 1;"]
    dot: list[str] = []
    if n:
        flat = [by_number.get(j, 0) for by_number in weights for j in range(n)]
        table = printer.table(smallest_type(flat), flat)
        dot = [
            f"for (int i = 0; i < {m}; i++) {{",
            "    sums[i] = 0;",
            f"    for (int j = 0; j < {n}; j++) sums[i] += ({wide}){table}[i * {n} + j] * q[j];",
            "}",
        ]
    else:
        dot = [f"for (int i = 0; i < {m}; i++) sums[i] = 0;"]
    for i, tables in enumerate(tabled):
        dot += [f"sums[{i}] += {table}[q[{n + place}]];" for place, table in tables]
    if not n and not codes.places:
        dot = ["(void)q;", *dot]
    finish = [
        f"int32_t q[{max(1, n + len(codes.places))}];",
        f"{wide} sums[{m}];",
        f"if (!{name}_codes(x, q)) {{",
        f"    for (int i = 0; i < {m}; i++) eta[i] = NAN;",
        "    return;",
        "}",
        f"{name}_sums(q, sums);",
        *(
            f"eta[{i}] = {constant(total.scale)} * sums[{i}] + {constant(total.intercept)};"
            for i, total in enumerate(program.totals)
        ),
    ]
    size = f"#define {upper}_N_CODES {n + len(codes.places)}\n"
    return size + "\n".join(
        [
            function(f"int {name}_codes(const double *x, int32_t *q)", read),
            function(f"void {name}_sums(const int32_t *q, {wide} *sums)", dot),
            function(f"void {name}_linear(const double *x, double *eta)", finish),
        ]
    )


def _require_integers(program: NormalForm) -> None:
    if program.model.weights.codes is None:
        raise ValueError("integer=True needs weights that are integer codes: quantize the model first")
    for total in program.totals:
        if total.floats:
            names = ", ".join(repr(program.names[place]) for place in sorted(_inputs_of(program, total.floats))[:5])
            raise ValueError(
                f"integer=True needs whole numbers with one scale for each output, but the terms of {names} are not: "
                "QuantizedRegressor(..., input_bits=8) reads inputs as integers"
            )


def _inputs_of(program: NormalForm, terms: list[Expr]) -> set[int]:

    found: set[int] = set()
    waiting = [column for term in terms for column in columns_of(term)]
    while waiting:
        column = waiting.pop()
        if column < len(program.names):
            found.add(column)
        elif column in program.columns:
            waiting += columns_of(program.columns[column])
    return found

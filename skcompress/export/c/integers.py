"""The integer form of a model in C: codes of the inputs, their dot product in integers, one scale for each output.

Inputs that are read as codes alike are read in a loop over tables,

    v = x[i_j];  v = (v - a_j) / b_j, once or more;  v = rint(v);  q_j = min(max(v, low_j), high_j)

unless v is not finite before it is bounded: then the row has no prediction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...artifact.terms.numbers import RINT
from ..expressions import Call, Clip, Expr, Lookup, Minus, Over, Ref, Steps, Times, columns_of
from ..normal_form import NormalForm
from .printer import Printer, constant, function, index_type, smallest_type


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
            x = self.printer.column(part.column)
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


def integer_functions(form: NormalForm, printer: Printer) -> str:
    """Return the functions codes, sums and linear.

    Raises
    ------
    ValueError
        If a term is no integer; the message names the inputs.
    """
    _require_integers(form)
    codes = _Codes(printer)
    tabled: list[list[tuple[int, str]]] = []
    weights: list[dict[int, int]] = []
    for total in form.totals:
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
    return _written(form, printer, codes, weights, tabled)


def _written(
    form: NormalForm,
    printer: Printer,
    codes: _Codes,
    weights: list[dict[int, int]],
    tabled: list[list[tuple[int, str]]],
) -> str:
    name, upper, m, n = printer.name, printer.name.upper(), len(form.totals), len(codes.numbers)
    wide = "int32_t" if max(total.most for total in form.totals) < 2**31 else "int64_t"
    loops, looped = loops_of(form, printer, codes.numbers)
    numbers = [
        f"{{ const double v = {printer.of(part)}; if (v != v) return 0; q[{place}] = (int32_t)v; }}"
        for part, place in codes.numbers.items()
        if part not in looped
    ]
    places = [line.replace("N_NUMBERS", str(n)) for line in codes.lines]
    inside = {part.column for part in looped if isinstance(part, Clip)}
    refused = printer.is_infinite([column for column in form.readers.to_check() if column not in inside])
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
            for i, total in enumerate(form.totals)
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


def _require_integers(form: NormalForm) -> None:
    if form.model.weights.codes is None:
        raise ValueError("integer=True needs weights that are integer codes: quantize the model first")
    for total in form.totals:
        if total.floats:
            names = ", ".join(repr(form.names[place]) for place in sorted(_inputs_of(form, total.floats))[:5])
            raise ValueError(
                f"integer=True needs whole numbers with one scale for each output, but the terms of {names} are not: "
                "QuantizedRegressor(..., input_bits=8) reads inputs as integers"
            )


def _inputs_of(form: NormalForm, terms: list[Expr]) -> set[int]:

    found: set[int] = set()
    waiting = [column for term in terms for column in columns_of(term)]
    while waiting:
        column = waiting.pop()
        if column < len(form.names):
            found.add(column)
        elif column in form.columns:
            waiting += columns_of(form.columns[column])
    return found


@dataclass(frozen=True)
class Reader:
    """How an input is read as a code.

    Attributes
    ----------
    column : int
        The input.
    steps : tuple of (offset, divisor)
        Affine steps, in order.
    low, high : float
        The least and the greatest code.
    """

    column: int
    steps: tuple[tuple[float, float], ...]
    low: float
    high: float


def reader_of(form: NormalForm, expr: Expr) -> Reader | None:
    """Return how an expression reads an input as a code, None if it is anything else."""
    if not isinstance(expr, Clip):
        return None
    inside = form.columns.get(expr.column)
    if not (isinstance(inside, Call) and inside.function == RINT):
        return None
    steps: list[tuple[float, float]] = []
    column = inside.column
    while column in form.columns:
        made = form.columns[column]
        if not (isinstance(made, Over) and isinstance(made.part, Minus) and isinstance(made.part.part, Ref)):
            return None
        steps.insert(0, (made.part.offset, made.divisor))
        column = made.part.part.column
    return Reader(column, tuple(steps), expr.low, expr.high)


def loops_of(form: NormalForm, printer: Printer, numbers: Mapping[Expr, int]) -> tuple[list[str], set[Expr]]:
    """Return loops that read the numbers that are read alike, and which numbers those are.

    Parameters
    ----------
    form : NormalForm
        The model.
    printer : Printer
        Takes the tables.
    numbers : mapping from expression to place
        Whole numbers, and where they go in q.
    """
    groups: dict[int, list[tuple[Expr, Reader, int]]] = {}
    for part, place in numbers.items():
        reader = reader_of(form, part)
        if reader is not None:
            groups.setdefault(len(reader.steps), []).append((part, reader, place))
    lines: list[str] = []
    done: set[Expr] = set()
    for n_steps, members in groups.items():
        if len(members) > 1:
            lines += _loop(printer, n_steps, [reader for _, reader, _ in members], [place for *_, place in members])
            done.update(part for part, *_ in members)
    return lines, done


def _loop(printer: Printer, n_steps: int, readers: Sequence[Reader], places: Sequence[int]) -> list[str]:
    """Return the lines of one loop."""

    def listed(values: Sequence[float]) -> str:
        return constant(values[0]) if len(set(values)) == 1 else f"{printer.table('double', values)}[j]"

    def place_of(numbers: Sequence[int]) -> str:
        if list(numbers) == list(range(numbers[0], numbers[0] + len(numbers))):
            return "j" if numbers[0] == 0 else f"j + {numbers[0]}"
        return f"{printer.table(index_type(max(numbers)), numbers)}[j]"

    low, high = listed([reader.low for reader in readers]), listed([reader.high for reader in readers])
    lines = [f"for (int j = 0; j < {len(readers)}; j++) {{"]
    lines.append(f"    double v = x[{place_of([reader.column for reader in readers])}];")
    for step in range(n_steps):
        offset = listed([reader.steps[step][0] for reader in readers])
        divisor = listed([reader.steps[step][1] for reader in readers])
        lines.append(f"    v = (v - {offset}) / {divisor};")
    lines += [
        "    if (!isfinite(v)) return 0;",
        f"    q[{place_of(places)}] = (int32_t)skc_clip(rint(v), {low}, {high});",
        "}",
    ]
    return lines

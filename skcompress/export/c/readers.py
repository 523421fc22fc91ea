"""Loops that read many inputs as codes alike, in C.

v = x[i_j];  v = (v - a_j) / b_j, once or more;  v = rint(v);  q_j = min(max(v, low_j), high_j)

unless v is not finite before it is bounded: then the row has no prediction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...artifact.terms.numbers import RINT
from ..expressions import Call, Clip, Expr, Minus, Over, Ref
from ..normal_form import NormalForm
from .printer import Printer, constant, index_type


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


def reader_of(program: NormalForm, expr: Expr) -> Reader | None:
    """Return how an expression reads an input as a code, None if it is anything else."""
    if not isinstance(expr, Clip):
        return None
    inside = program.columns.get(expr.column)
    if not (isinstance(inside, Call) and inside.function == RINT):
        return None
    steps: list[tuple[float, float]] = []
    column = inside.column
    while column in program.columns:
        made = program.columns[column]
        if not (isinstance(made, Over) and isinstance(made.part, Minus) and isinstance(made.part.part, Ref)):
            return None
        steps.insert(0, (made.part.offset, made.divisor))
        column = made.part.part.column
    return Reader(column, tuple(steps), expr.low, expr.high)


def loops_of(program: NormalForm, printer: Printer, numbers: Mapping[Expr, int]) -> tuple[list[str], set[Expr]]:
    """Return loops that read the numbers that are read alike, and which numbers those are.

    Parameters
    ----------
    program : NormalForm
        The model.
    printer : Printer
        Takes the tables.
    numbers : mapping from expression to place
        Whole numbers, and where they go in q.
    """
    groups: dict[int, list[tuple[Expr, Reader, int]]] = {}
    for part, place in numbers.items():
        reader = reader_of(program, part)
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

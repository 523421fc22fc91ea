"""The columns of a raw table as a scorecard reads them, and its lines as terms of a compact model.

Numbers are read as floats, everything else as categories. A column is a number if its dtype is, or if it holds objects
that are all numbers or booleans (a nullable column of polars, a column read from a database). A missing value is NaN
among numbers and None among categories.

    number      fill (codes, missing values)  ->  one block of bins for each step
                an indicator of each special code and of "is missing"
    category    one block: a slot for each level, one for missing values

A card gives neutral points to values that training never had. They are one term more for an input: 1 where a number is
missing, or where a category is none of the known ones. A card that refuses such values leaves NaN to the bins, and the
category to its table, which refuse them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..artifact.terms import NO_TERM, REFUSED
from ..linear.rows import name_row
from ..linear.transformers.graph import Column, Graph

Scalar = Any

_IDENTIFIER_ROWS = 50
_IDENTIFIER_SHARE = 0.9


@dataclass(frozen=True)
class StepLine:
    """One output column: `kind` is "step" (x > value), "code" (x == value), "level" or "missing"."""

    place: int
    kind: str
    value: Scalar = None

    def condition(self) -> str:
        """Return the condition as text, without the input's name."""
        if self.kind == "missing":
            return "is missing"
        text = repr(float(self.value)).removesuffix(".0") if self.kind in ("step", "code") else str(self.value)
        return f"> {text}" if self.kind == "step" else f"= {text}"


@dataclass(frozen=True)
class KnownColumn:
    """What is known of an input column from the rows of `fit`.

    Attributes
    ----------
    name : str
        Its name.
    levels : tuple of str, int, float or bool, or None
        The categories; None for a column of numbers.
    codes : tuple of float
        The special codes of a column of numbers.
    new_codes : tuple of float
        Those of them that no row had.
    has_missing : bool
        Whether a value was missing.
    """

    name: str
    levels: tuple[Scalar, ...] | None
    codes: tuple[float, ...]
    new_codes: tuple[float, ...]
    has_missing: bool


def read_columns(X: Any, names: Sequence[str]) -> list[NDArray[Any]]:
    """Return each column of a frame as floats, or as objects where it holds categories.

    Raises
    ------
    ValueError
        If a column holds infinity, dates, complex numbers or anything else that is no scalar.
    """
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame({name: X[name].to_list() for name in X.columns})
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise ValueError(f"Found array with shape {frame.shape}: at least one row and one column are required.")
    return [_read(frame.iloc[:, place], name, X) for place, name in enumerate(names)]


def _read(series: pd.Series, name: str, X: Any) -> NDArray[Any]:
    dtype = series.dtype
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return _finite(series.to_numpy(dtype=np.float64, na_value=np.nan), name, X)
    values = series.astype(object).to_numpy(copy=True)
    missing = np.asarray(pd.isna(values))
    # pandas.NA equals nothing, and is not false either.
    values[missing] = None
    kinds = {type(value) for value in values[~missing]}
    for kind in kinds:
        if not issubclass(kind, (str, bool, int, float, np.bool_, np.integer, np.floating)):
            row = next(row for row, value in enumerate(values) if type(value) is kind)
            advice = ": make numbers of dates, such as days up to a fixed day" if hasattr(values[row], "year") else ""
            raise ValueError(
                f"column {name!r} holds {values[row]!r} in row {name_row(X, row)}, of type {kind.__name__}; a column "
                f"must hold numbers, strings or booleans{advice}"
            )
    if kinds and not isinstance(dtype, pd.CategoricalDtype) and not any(issubclass(kind, str) for kind in kinds):
        return _finite(np.array([np.nan if value is None else value for value in values], dtype=np.float64), name, X)
    return values


def _finite(column: NDArray[np.float64], name: str, X: Any) -> NDArray[np.float64]:
    infinite = np.isinf(column)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise ValueError(
            f"column {name!r} contains infinity, {column[row]} in row {name_row(X, row)}: values must be finite or "
            "missing"
        )
    return column


def matched(column: NDArray[Any], known: KnownColumn, X: Any) -> NDArray[Any]:
    """Return a column in the form that it had in `fit`: floats, or objects for categories.

    Raises
    ------
    ValueError
        If it holds strings where it held numbers, or numbers where all categories were strings.
    """
    is_number, was_number = column.dtype.kind == "f", known.levels is None
    if is_number == was_number:
        return column
    missing = np.asarray(pd.isna(column))
    if was_number:
        wrong, held = np.array([isinstance(value, str) for value in column.tolist()]), "numbers"
    else:
        only_strings = bool(known.levels) and all(isinstance(level, str) for level in known.levels or ())
        wrong, held = ~missing & only_strings, "strings"
    if wrong.any():
        row = int(np.argmax(wrong))
        value = column[row : row + 1].tolist()[0]
        raise ValueError(f"column {known.name!r} held {held} in fit, and holds {value!r} in row {name_row(X, row)}")
    values = column.astype(object)
    values[missing] = np.nan if was_number else None
    return values.astype(np.float64) if was_number else values


def levels_of(column: NDArray[Any]) -> list[Scalar]:
    """Return the distinct categories, in the order of their texts."""
    known = column[~np.asarray(pd.isna(column))]
    return sorted(set(known.tolist()), key=lambda level: (str(level), str(type(level))))


def level_numbers(column: NDArray[Any], levels: Sequence[Scalar]) -> NDArray[np.intp]:
    """Return the number of each value's category, -1 where it is none of them or missing."""
    number = {level: place for place, level in enumerate(levels)}
    return np.array([number.get(value, -1) for value in column.tolist()], dtype=np.intp)


def is_identifier(levels: Sequence[Scalar], n_rows: int) -> bool:
    """Tell whether a column of strings names rows: nearly every row has a value of its own."""
    return len(levels) >= _IDENTIFIER_ROWS and len(levels) >= _IDENTIFIER_SHARE * n_rows


_NAN = float("nan")
_MISSING = (_NAN, None)


def fold_lines(
    known: Sequence[KnownColumn],
    lines: Sequence[StepLine],
    columns: Sequence[Column],
    graph: Graph,
    lenient: Collection[int] = (),
    refuse_new: bool = False,
) -> tuple[list[Column], dict[int, Column]]:
    """Fold the lines of an encoder.

    Parameters
    ----------
    known : sequence of KnownColumn
        The inputs.
    lines : sequence of StepLine
        The lines, those of one input next to one another.
    columns : sequence of Column
        The columns of the inputs.
    graph : Graph
        Where the blocks go.
    lenient : collection of int, default=()
        Places of the inputs that may be missing though they never were in training.
    refuse_new : bool, default=False
        Whether categories and special codes that training never had are refused, as missing values are; else no line
        holds for them.

    Returns
    -------
    folded : list of Column
        One for each line.
    new : dict from place to Column
        For each lenient input with lines the column that is 1 for values that training never had, where there can be
        such values. With `refuse_new` the column that is NaN for special codes that training never had, else 0.
    """
    plain = graph.as_nodes(columns)
    by_place: dict[int, list[StepLine]] = {}
    for line in lines:
        by_place.setdefault(line.place, []).append(line)
    folded: list[Column] = []
    new = {}
    for place, own in by_place.items():
        fold = _fold_number if known[place].levels is None else _fold_category
        made = fold(known[place], own, plain[place], graph, place in lenient, refuse_new)
        folded += made[: len(own)]
        if len(made) > len(own):
            new[place] = made[-1]
    return folded, new


def _fold_number(
    known: KnownColumn, lines: Sequence[StepLine], column: Column, graph: Graph, lenient: bool, refuse_new: bool
) -> list[Column]:
    may_be_missing = known.has_missing or lenient
    # NaN and the codes that training never had are one.
    unknown = (*known.new_codes, *([_NAN] if may_be_missing else []))
    filled, steps = column, [line.value for line in lines if line.kind == "step"]
    if steps:
        # Below every threshold, and by so much that it stays there in float32.
        below = float(np.floor(min(steps) - max(1.0, abs(min(steps)))))
        seen_codes = [code for code in known.codes if code not in known.new_codes]
        filled = _filled(column, (*seen_codes, *unknown), below, graph)
    out: list[Column] = []
    for line in lines:
        if line.kind == "step":
            params: dict[str, Any] = {"edges": [np.nextafter(line.value, np.inf)], "slots": [NO_TERM, 0]}
            out += graph.add("bins", [filled], params)
        elif line.kind == "missing":
            out += _equals(unknown, column, graph)
        elif may_be_missing:
            out += _equals((line.value,), column, graph)
        else:
            # Bins refuse what is missing.
            edges = [line.value, np.nextafter(line.value, np.inf)]
            out += graph.add("bins", [column], {"edges": edges, "slots": [NO_TERM, 0, NO_TERM]})
    if not known.has_missing and lenient:
        out += _equals(unknown, column, graph)
    if not known.has_missing and refuse_new and known.new_codes:
        params = {"levels": known.new_codes, "slots": [-1] * len(known.new_codes), "other": 0, "values": [0.0]}
        out += graph.add("lookup", [column], params)
    return out


def _filled(column: Column, markers: Sequence[float], value: float, graph: Graph) -> Column:
    for marker in markers:
        column = graph.add("fill", [column], {"marker": (marker,), "value": [value]})[0]
    return column


def _equals(markers: Sequence[float], column: Column, graph: Graph) -> list[Column]:
    """Return the indicator of these numbers, one of which may be NaN, the last."""
    first = _filled(column, markers[1:], markers[0], graph)
    return graph.add("missing", [first], {"marker": markers[:1]})


def _fold_category(
    known: KnownColumn, lines: Sequence[StepLine], column: Column, graph: Graph, lenient: bool, refuse_new: bool
) -> list[Column]:
    asked = {line.value: slot for slot, line in enumerate(lines) if line.kind == "level"}
    levels = list(known.levels or ())
    slots = [asked.get(level, NO_TERM) for level in levels]
    if known.has_missing:
        levels, slots = [*levels, *_MISSING], [*slots, *[len(lines) - 1] * len(_MISSING)]
    other = len(lines) if lenient else REFUSED if refuse_new else NO_TERM
    return graph.add("category", [column], {"levels": levels, "slots": slots, "other": other})

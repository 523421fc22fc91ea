"""The lines of a scorecard as terms of a compact model.

    number      fill (codes, missing values)  ->  one block of bins for each step
                an indicator of each special code and of "is missing"
    category    one block: a slot for each level, one for missing values

A card gives neutral points to values that training never had. They are one term more for an input: 1 where a number is
missing, or where a category is none of the known ones. A card that refuses such values leaves NaN to the bins, and the
category to its table, which refuse them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from ..artifact.terms import NO_TERM, REFUSED
from ..linear.transformers.graph import Column, Graph
from .columns import KnownColumn, StepLine

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

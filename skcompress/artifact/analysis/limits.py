"""The range of a model's inputs: of training rows, and what lies beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..reading import Table
from ..terms import TERMS

if TYPE_CHECKING:
    from ..compact import CompactLinear


def number_inputs(model: CompactLinear) -> NDArray[np.intp]:
    """Return the inputs that a weight or a block reads as numbers, those of entries of a mapping included."""
    read = set(model.columns[model.columns < len(model.reads)].tolist())
    for block in model.blocks:
        if TERMS[block.kind].reads == "numbers" or block.kind == "entry":
            read.update(source for source in block.sources if source < len(model.reads))
    return np.array(sorted(read), dtype=np.intp)


def range_of(model: CompactLinear, X: Any) -> NDArray[np.float64]:
    """Return the least and the greatest value of each input, shape (2, k); NaN where it is no number.

    Raises
    ------
    ValueError
        If X has no rows.
    """
    table = Table(X, model.reads)
    if not table.n_rows:
        raise ValueError("cap must have at least one row to take ranges from")
    entries = entries_of(model)
    limits = np.full((2, len(model.reads)), np.nan)
    for index in number_inputs(model).tolist():
        column = _column(table, index, index in entries)
        column = column[np.isfinite(column)]
        if column.size:
            limits[:, index] = column.min(), column.max()
    return limits


def rows_outside(model: CompactLinear, X: Any) -> int:
    """Return how many rows have an input beyond the range at which the model caps it."""
    table = Table(X, model.reads)
    entries = entries_of(model)
    sources = {column: place for place, column in entries.items()}
    beyond = np.zeros(table.n_rows, dtype=bool)
    for block in model.blocks:
        for place, source in enumerate(block.sources if block.kind == "clip" else ()):
            source = sources.get(source, source)
            if source < len(model.reads):
                column = _column(table, source, source in entries)
                beyond |= (column < block.params["low"][place]) | (column > block.params["high"][place])
    return int(beyond.sum())


def entries_of(model: CompactLinear) -> dict[int, int]:
    """Return the column that each entry of a mapping makes, by its input."""
    found: dict[int, int] = {}
    start = len(model.reads)
    for block in model.blocks:
        if block.kind == "entry":
            found[block.sources[0]] = start
        start += block.n_out
    return found


def _column(table: Table, index: int, is_entry: bool) -> NDArray[np.float64]:
    if is_entry:
        made: NDArray[np.float64] = TERMS["entry"].prepare({}, "")([table.values(index)])
        return made[:, 0]
    return np.asarray(table.numbers(index), dtype=np.float64)

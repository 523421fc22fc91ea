"""The range of a model's inputs: of training rows, and what lies beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .reading import Table
from .terms import TERMS

if TYPE_CHECKING:
    from .compact import CompactLinear


def number_inputs(model: CompactLinear) -> NDArray[np.intp]:
    """Return the inputs that a weight or a block reads as numbers."""
    read = set(model.columns[model.columns < len(model.reads)].tolist())
    for block in model.blocks:
        if TERMS[block.kind].reads == "numbers":
            read.update(source for source in block.sources if source < len(model.reads))
    return np.array(sorted(read), dtype=np.intp)


def range_of(model: CompactLinear, X: Any) -> NDArray[np.float64]:
    """Return the least and the greatest value of each input, shape (2, k); NaN where it is no number."""
    table = Table(X, model.reads)
    limits = np.full((2, len(model.reads)), np.nan)
    for index in number_inputs(model):
        column = np.asarray(table.numbers(int(index)), dtype=np.float64)
        column = column[np.isfinite(column)]
        if column.size:
            limits[:, index] = column.min(), column.max()
    return limits


def rows_outside(model: CompactLinear, X: Any) -> int:
    """Return how many rows have an input beyond the range at which the model caps it."""
    table = Table(X, model.reads)
    beyond = np.zeros(table.n_rows, dtype=bool)
    for block in model.blocks:
        for place, source in enumerate(block.sources if block.kind == "clip" else ()):
            if source < len(model.reads):
                column = table.numbers(source)
                beyond |= (column < block.params["low"][place]) | (column > block.params["high"][place])
    return int(beyond.sum())

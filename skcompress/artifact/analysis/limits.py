"""The range of a model's inputs: of training rows, what lies beyond it, and models that cap their inputs at it."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..parts import Parts
from ..reading import Table
from ..terms import TERMS, Block

Model = TypeVar("Model", bound=Parts)


def number_inputs(model: Parts) -> NDArray[np.intp]:
    """Return the inputs that a weight or a block reads as numbers, those of entries of a mapping included."""
    read = set(model.columns[model.columns < len(model.reads)].tolist())
    for block in model.blocks:
        if TERMS[block.kind].reads == "numbers" or block.kind == "entry":
            read.update(source for source in block.sources if source < len(model.reads))
    return np.array(sorted(read), dtype=np.intp)


def range_of(model: Parts, X: Any) -> NDArray[np.float64]:
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


def rows_outside(model: Parts, X: Any) -> int:
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


def capped(model: Model, limits: NDArray[np.float64]) -> Model:
    """Return the model with the inputs that it reads as numbers capped.

    Parameters
    ----------
    model : Parts
        Any model.
    limits : ndarray of shape (2, k)
        The least and the greatest value of each input; NaN: not capped.
    """
    chosen = number_inputs(model)
    chosen = chosen[np.isfinite(limits[:, chosen]).all(axis=0)]
    k = len(model.reads)
    entries = entries_of(model)
    # The number of an entry is what the block makes of it, and is capped behind that.
    raw = [place for place in chosen.tolist() if place not in entries]
    if not len(chosen):
        return model
    blocks: list[Block] = []
    values = {place: place for place in range(k)}
    numbers = dict(values)
    end = k
    if raw:
        blocks.append(_clip(raw, limits[:, raw]))
        numbers.update({place: k + new for new, place in enumerate(raw)})
        end += len(raw)
    start = k
    for block in model.blocks:
        blocks.append(block.moved(numbers if TERMS[block.kind].reads == "numbers" else values))
        for new in range(block.n_out):
            values[start + new] = numbers[start + new] = end + new
        start, end = start + block.n_out, end + block.n_out
        if block.kind == "entry" and block.sources[0] in chosen:
            blocks.append(_clip([end - 1], limits[:, list(block.sources)]))
            values[start - 1] = numbers[start - 1] = end
            end += 1
    return model.with_blocks(blocks, [numbers[int(column)] for column in model.columns])


def _clip(columns: list[int], limits: NDArray[np.float64]) -> Block:
    return Block.make("clip", columns, {"low": limits[0], "high": limits[1]})


def entries_of(model: Parts) -> dict[int, int]:
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

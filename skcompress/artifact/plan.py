"""Plan: a compact model made ready to predict, for one float type.

    eta = (x_raw - offset) @ W_raw  +  sum over blocks of  block(x) @ W_block  +  intercept

W is ``decode(codes) / divisor``, laid out inputs by outputs. The offsets of block columns are part of the
intercept; those of raw inputs stay, because x - offset keeps digits that x @ W - offset @ W loses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import categories
from .reading import Table
from .terms import TERMS, Block, Function

if TYPE_CHECKING:
    from .compact import CompactLinear


class Step(NamedTuple):
    """One block, ready to run.

    Attributes
    ----------
    block : Block
        The block.
    run : callable
        Its function of the source columns.
    start : int
        Number of its first column.
    feeds : bool
        Whether later blocks read it.
    weights : ndarray of shape (n_out + 1, m), or None
        Weights of its columns, and a row of zeros that the number -1 finds.
    """

    block: Block
    run: Function
    start: int
    feeds: bool
    weights: NDArray[Any] | None


class Plan(NamedTuple):
    """See the module.

    Attributes
    ----------
    raw : ndarray of shape (r,)
        Inputs that are used as they are.
    weights : ndarray of shape (r, m)
        Their weights.
    offset : ndarray of shape (r,), or None
        What is subtracted from them first.
    steps : tuple of Step
        The blocks.
    intercept : ndarray of shape (m,)
        Intercepts.
    """

    raw: NDArray[np.intp]
    weights: NDArray[Any]
    offset: NDArray[Any] | None
    steps: tuple[Step, ...]
    intercept: NDArray[Any]

    def predictor(self, table: Table) -> NDArray[Any]:
        """Return eta, shape (n, m)."""
        if len(self.raw):
            X = table.matrix(self.raw)
            eta = (X if self.offset is None else X - self.offset) @ self.weights
            eta = eta + self.intercept
        else:
            eta = np.repeat(self.intercept[None, :], table.n_rows, axis=0)
        derived: dict[int, NDArray[Any]] = {}
        for step in self.steps:
            columns = _columns(step.block, table, derived)
            out = step.run(columns)
            indicators = TERMS[step.block.kind].indicators
            if step.weights is not None:
                eta = eta + (step.weights[out] if indicators else out @ step.weights[:-1])
            if step.feeds:
                full = categories.indicators(out, step.block.n_out) if indicators else out
                derived.update({step.start + j: full[:, j] for j in range(step.block.n_out)})
        return eta


def _columns(block: Block, table: Table, derived: dict[int, NDArray[Any]]) -> Sequence[Any]:
    values = TERMS[block.kind].reads == "values"
    columns: list[Any] = []
    for source in block.sources:
        if source in derived:
            column = derived[source]
            columns.append([categories.key_of(v) for v in column.tolist()] if values else column)
        else:
            columns.append(table.values(source) if values else table.numbers(source))
    return columns


def make_plan(model: CompactLinear, dtype: np.dtype[Any]) -> Plan:
    """Return the plan of a model for predictions in `dtype`."""
    n_inputs = len(model.reads)
    weights = np.asarray(model.weights.decode(), dtype=np.float64)
    if model.divisor is not None:
        weights = weights / model.divisor
    intercept = model.intercept.astype(np.float64)
    by_column = weights.T
    plain = not model.blocks and np.array_equal(model.columns, np.arange(n_inputs))
    if model.offset is not None:
        derived = model.columns >= n_inputs
        intercept = intercept - weights[:, derived] @ model.offset[derived]
    if plain:
        raw = np.arange(n_inputs)
        offset = model.offset
    else:
        raw_terms = np.flatnonzero(model.columns < n_inputs)
        raw, place = np.unique(model.columns[raw_terms], return_inverse=True)
        offset, by_raw, intercept = _gathered(model, raw_terms, place, len(raw), weights, intercept)
    matrix = by_column if plain else by_raw
    return Plan(
        raw.astype(np.intp),
        np.ascontiguousarray(matrix, dtype=dtype),
        None if offset is None or not offset.any() else offset.astype(dtype),
        tuple(_steps(model, by_column, dtype)),
        intercept.astype(dtype),
    )


def _gathered(
    model: CompactLinear,
    terms: NDArray[np.intp],
    place: NDArray[np.intp],
    n_raw: int,
    weights: NDArray[Any],
    intercept: NDArray[Any],
) -> tuple[NDArray[Any] | None, NDArray[Any], NDArray[Any]]:
    """Add up the terms that read the same raw input; all of them take the offset of the first."""
    matrix = np.zeros((n_raw, weights.shape[0]))
    np.add.at(matrix, place, weights[:, terms].T)
    if model.offset is None:
        return None, matrix, intercept
    offset = np.zeros(n_raw)
    offset[place[::-1]] = model.offset[terms][::-1]
    intercept = intercept - weights[:, terms] @ (model.offset[terms] - offset[place])
    return offset, matrix, intercept


def _steps(model: CompactLinear, by_column: NDArray[Any], dtype: np.dtype[Any]) -> list[Step]:
    read = {source for block in model.blocks for source in block.sources}
    start = len(model.reads)
    steps = []
    for block in model.blocks:
        stop = start + block.n_out
        terms = np.flatnonzero((model.columns >= start) & (model.columns < stop))
        weights = None
        if len(terms):
            weights = np.zeros((block.n_out + 1, by_column.shape[1]), dtype=dtype)
            np.add.at(weights, model.columns[terms] - start, by_column[terms].astype(dtype))
        name = model.inputs[block.sources[0]] if block.sources[0] < len(model.reads) else block.kind
        run = TERMS[block.kind].prepare(block.params, name)
        steps.append(Step(block, run, start, any(start <= s < stop for s in read), weights))
        start = stop
    return steps

"""Plan: a compact model made ready to predict, for one float type.

    eta = (x_raw - offset) @ W_raw  +  sum over blocks of  block(x) @ W_block  +  intercept

W is ``decode(codes) / divisor``, laid out inputs by outputs. The offsets of block columns are part of the
intercept; those of raw inputs stay, because x - offset keeps digits that x @ W - offset @ W loses.

A row has a prediction if every number on the way to it is finite: an input that is read as a number, what a block
makes of it, the linear predictor, and the prediction. Missing (NaN, None) may be what a block knows to read: it is then
filled, or a category. `predict` raises for any other row, and every export gives no score for it (see the chapter
"Other systems" of the user guide).

There is a way for every layout of X. A C-ordered array that holds more than the used inputs is multiplied whole by
weights padded with zeros, unless few inputs are used: reading a row costs the same as picking from it. A sparse
matrix has its column numbers replaced by those of the used inputs. One row of numbers is one dot product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from . import categories
from .one_row import OneRow
from .parts import Parts
from .reading import Inputs, Table
from .terms import TERMS, Block, Function, densified

_FLOAT64 = np.dtype(np.float64)
_FEW = 16
"""Inputs are picked from a C-ordered array if they are less than one in this many of its columns."""


_DOTS: dict[str, Callable[[Any, NDArray[Any]], NDArray[Any]]] = {
    "dense": lambda out, weights: out @ weights[:-1],
    "one": lambda out, weights: weights[out],
    "entries": lambda out, weights: out.dot(weights),
}


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
    used : ndarray of int, or None
        The columns that have a term, where not all have: NaN in the others must not be seen.
    """

    block: Block
    run: Function
    start: int
    feeds: bool
    weights: NDArray[Any] | None
    used: NDArray[np.intp] | None

    def share(self, out: Any) -> NDArray[Any]:
        """Return what the block's output adds to eta, shape (n, m)."""
        assert self.weights is not None
        if self.used is not None:
            picked: NDArray[Any] = out[:, self.used] @ self.weights[self.used]
            return picked
        return _DOTS[TERMS[self.block.kind].form](out, self.weights)


class Plan:
    """See the module.

    Parameters
    ----------
    reads : Inputs
        What the model reads.
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

    def __init__(
        self,
        reads: Inputs,
        raw: NDArray[np.intp],
        weights: NDArray[Any],
        offset: NDArray[Any] | None,
        steps: tuple[Step, ...],
        intercept: NDArray[Any],
    ):
        self.reads = reads
        self.raw = raw
        self.weights = weights
        self.offset = offset
        self.steps = steps
        self.intercept = intercept

    def predictor(self, table: Table | OneRow) -> NDArray[Any]:
        """Return eta, shape (n, m)."""
        # What is not finite is refused, and needs no warning.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._predictor(table)

    def _predictor(self, table: Table | OneRow) -> NDArray[Any]:
        if len(self.raw):
            eta = self._sparse(table) if isinstance(table, Table) and table.is_sparse else self._dense(table)
            eta += self.intercept
        else:
            eta = np.repeat(self.intercept[None, :], table.n_rows, axis=0)
        derived: dict[int, NDArray[Any]] = {}
        for step in self.steps:
            columns = self._columns(step.block, table, derived)
            out, form = step.run(columns), TERMS[step.block.kind].form
            if step.weights is not None:
                eta += step.share(out)
            if step.feeds:
                full = densified(form, out, step.block.n_out)
                derived.update({step.start + j: full[:, j] for j in range(step.block.n_out)})
        return eta

    def _columns(self, block: Block, table: Table | OneRow, derived: dict[int, NDArray[Any]]) -> Sequence[Any]:
        kind = TERMS[block.kind]
        columns: list[Any] = []
        for source in block.sources:
            if kind.reads == "values":
                known = source in derived
                columns.append(
                    [categories.key_of(v) for v in derived[source].tolist()] if known else table.values(source)
                )
                continue
            column = derived[source] if source in derived else table.numbers(source)
            if kind.hides_infinity and np.isinf(column).any():
                what = (
                    f"input {self.reads.names[source]!r}" if source not in derived else "a number that the model makes"
                )
                row = int(np.argmax(np.isinf(column)))
                raise ValueError(f"{what} is {column[row]} in row {row}: it must be finite")
            columns.append(column)
        return columns

    def _dense(self, table: Table | OneRow) -> NDArray[Any]:
        whole = table.whole
        if whole is not None and self.offset is None and self._is_padded(whole.shape[1]):
            eta: NDArray[Any] = whole @ self._padded_for(whole.shape[1])
            # NaN or infinity in a column that is not used must not be seen.
            if np.isfinite(eta).all():
                return eta
        X = table.matrix(self.raw)
        product: NDArray[Any] = (X if self.offset is None else X - self.offset) @ self.weights
        return product

    def _is_padded(self, width: int) -> bool:
        return len(self.raw) < width <= _FEW * len(self.raw)

    def _padded_for(self, width: int) -> NDArray[Any]:
        return self._padded_all if width == self.reads.n_all else self._padded_used

    @cached_property
    def _padded_all(self) -> NDArray[Any]:
        return self._padded(self.reads.positions[self.raw], self.reads.n_all)

    @cached_property
    def _padded_used(self) -> NDArray[Any]:
        return self._padded(self.raw, len(self.reads))

    def _padded(self, places: NDArray[np.intp], width: int) -> NDArray[Any]:
        padded = np.zeros((width, self.weights.shape[1]), dtype=self.weights.dtype)
        padded[places] = self.weights
        return padded

    def _sparse(self, table: Table) -> NDArray[Any]:
        X = table.array
        width = X.shape[1]
        if len(self.raw) < width:
            number = self._number_all if width == self.reads.n_all else self._number_used
            columns = number[X.indices]
            used = columns < len(self.raw)
            data = X.data if used.all() else np.where(used, X.data, 0)
            X = type(X)((data, columns, X.indptr), shape=(X.shape[0], len(self.raw) + 1))
            eta: NDArray[Any] = X @ self._with_zero_row
        else:
            eta = X @ self.weights
        return eta if self.offset is None else eta - self.offset @ self.weights

    @cached_property
    def _number_all(self) -> NDArray[np.int32]:
        return self._number(self.reads.positions[self.raw], self.reads.n_all)

    @cached_property
    def _number_used(self) -> NDArray[np.int32]:
        return self._number(self.raw, len(self.reads))

    def _number(self, places: NDArray[np.intp], width: int) -> NDArray[np.int32]:
        number = np.full(width, len(places), dtype=np.int32)
        number[places] = np.arange(len(places))
        return number

    @cached_property
    def _with_zero_row(self) -> NDArray[Any]:
        return np.vstack([self.weights, np.zeros((1, self.weights.shape[1]), dtype=self.weights.dtype)])


def plan_of(model: Parts, dtype: np.dtype[Any]) -> Plan:
    """Return the plan of a model for inputs of `dtype`, made once."""
    key = dtype if model.weights.single else _FLOAT64
    plan: Plan | None = model.memo.get(key)
    if plan is None:
        plan = model.memo[key] = make_plan(model, key)
    return plan


def linear_predictor(model: Parts, table: Table | OneRow) -> NDArray[Any]:
    """Return what goes into the link, shape (n, m).

    Raises
    ------
    ValueError
        If a row has no finite prediction.
    """
    plan = plan_of(model, table.dtype)
    eta = plan.predictor(table)
    if not np.isfinite(eta).all():
        _refuse(model, plan.raw, table, eta)
    return eta


def _refuse(model: Parts, raw: NDArray[np.intp], table: Table | OneRow, eta: NDArray[Any]) -> NoReturn:
    """Raise ValueError for the first row without a finite prediction, naming the input if it is one of `raw`."""
    row = int(np.flatnonzero(~np.isfinite(eta).all(axis=1))[0])
    for index in raw:
        value = table.numbers(int(index))[row]
        if not np.isfinite(value):
            raise ValueError(f"input {model.inputs[index]!r} is {value} in row {row}: it must be finite")
    raise ValueError(f"the inputs of row {row} give no finite prediction")


def make_plan(model: Parts, dtype: np.dtype[Any]) -> Plan:
    """Return the plan of a model for predictions in `dtype`."""
    n_inputs = len(model.reads)
    weights = model.weights.over(model.divisor)
    intercept = model.intercept.astype(np.float64)
    by_column = weights.T
    plain = not model.blocks and np.array_equal(model.columns, np.arange(n_inputs))
    if model.offset is not None:
        derived = model.columns >= n_inputs
        intercept = intercept - weights[:, derived] @ model.offset[derived]
    if plain:
        raw, offset, matrix = np.arange(n_inputs), model.offset, by_column
    else:
        raw_terms = np.flatnonzero(model.columns < n_inputs)
        raw, place = np.unique(model.columns[raw_terms], return_inverse=True)
        offset, matrix, intercept = _gathered(model, raw_terms, place, len(raw), weights, intercept)
    return Plan(
        model.reads,
        raw.astype(np.intp),
        np.ascontiguousarray(matrix, dtype=dtype),
        None if offset is None or not offset.any() else offset.astype(dtype),
        tuple(_steps(model, by_column, dtype)),
        intercept.astype(dtype),
    )


def _gathered(
    model: Parts,
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


def _steps(model: Parts, by_column: NDArray[Any], dtype: np.dtype[Any]) -> list[Step]:
    read = {source for block in model.blocks for source in block.sources}
    start = len(model.reads)
    steps = []
    for block in model.blocks:
        stop = start + block.n_out
        terms = np.flatnonzero((model.columns >= start) & (model.columns < stop))
        weights, used = None, None
        if len(terms):
            held = np.unique(model.columns[terms] - start)
            used = held if TERMS[block.kind].form == "dense" and len(held) < block.n_out else None
            weights = np.zeros((block.n_out + 1, by_column.shape[1]), dtype=dtype)
            np.add.at(weights, model.columns[terms] - start, by_column[terms].astype(dtype))
        name = model.inputs[block.sources[0]] if block.sources[0] < len(model.reads) else block.kind
        run = TERMS[block.kind].prepare(block.params, name)
        steps.append(Step(block, run, start, any(start <= s < stop for s in read), weights, used))
        start = stop
    return steps


class Dot(NamedTuple):
    """One row as one dot product: whether a row is numbers alone, its shape, and the parts of the product if it is."""

    dense: bool
    shape: tuple[int]
    offset: NDArray[np.float64] | None
    vector: NDArray[np.float64] | None
    constant: float


def dot_of(model: Parts, plan: Plan) -> Dot:
    """Return how a model predicts one row."""
    dense = not model.blocks and not model.classes and model.reads.rows == "table"
    dot = Dot(dense, (len(model.reads),), None, None, 0.0)
    if dense and model.flat and model.link == "identity" and len(plan.raw) == len(model.reads):
        vector = np.ascontiguousarray(plan.weights[:, 0])
        dot = dot._replace(offset=plan.offset, vector=vector, constant=float(plan.intercept[0]))
    return dot

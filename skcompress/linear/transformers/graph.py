"""Graph: columns on their way from the inputs to the linear model.

A `Column` is an affine function of a *node*,

    value = (node - offset) / divisor

and a node is an input or an output of a block (`skcompress.artifact.terms`). Scalers change offset and divisor
alone, an imputer is remembered as the column's `fill`; whatever bends a column adds a block. At the end nodes that no
weight uses are dropped, and offsets and divisors go into the weights and the intercept:

    weight = coef / divisor,    intercept = b - sum of weight x offset

Weights held as codes stay as they are, and the divisor is kept beside them. An offset of a raw input that is
large beside its divisor stays too, rounded to a multiple of a power of two (which costs no accuracy, since the
rest goes into the intercept): x - offset keeps digits that weight x - weight offset would lose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...artifact import Block, CompactLinear, Inputs, Weights

CONSTANT = -1
"""The node of a column that does not depend on the inputs: its node counts as 0."""

LARGE_OFFSET = 100.0
"""Offsets stay if they are more than this many divisors."""

Step = tuple[str, float, float]


class Column(NamedTuple):
    """A column: (node - offset) / divisor.

    Attributes
    ----------
    node : int
        Number of the node, or `CONSTANT`.
    offset, divisor : float
        The affine function.
    fill : tuple (marker, value), or None
        What the node is replaced by where it equals the marker of missing values, before anything else.
    steps : tuple of (kind, a, b)
        How the transformers came to the affine function: "affine" (x - a) / b, "scaled" a x + b. They are repeated
        to the last bit where a block reads the column, since bins and levels depend on it.
    """

    node: int
    offset: float = 0.0
    divisor: float = 1.0
    fill: tuple[Any, Any] | None = None
    steps: tuple[Step, ...] = ()

    @classmethod
    def constant(cls, value: float) -> Column:
        """Return the column that is the same in every row."""
        return cls(CONSTANT, offset=-float(value))

    def standardised(self, offset: float, divisor: float) -> Column:
        """Return (column - offset) / divisor."""
        offset, divisor = float(offset), float(divisor)
        return self._replace(
            offset=self.offset + offset * self.divisor,
            divisor=self.divisor * divisor,
            steps=self.steps if (offset, divisor) == (0.0, 1.0) else (*self.steps, ("affine", offset, divisor)),
        )

    def scaled(self, factor: float, shift: float = 0.0) -> Column:
        """Return factor x column + shift."""
        factor, shift = float(factor), float(shift)
        if factor == 0.0 or self.node == CONSTANT:
            return Column.constant(factor * self.value() + shift if self.node == CONSTANT else shift)
        divisor = self.divisor / factor
        return self._replace(
            offset=self.offset - shift * divisor, divisor=divisor, steps=(*self.steps, ("scaled", factor, shift))
        )

    def value(self) -> float:
        """Return what a constant column is."""
        return -self.offset / self.divisor

    @property
    def is_node(self) -> bool:
        """Whether the column is its node, unchanged."""
        return self.node != CONSTANT and not self.steps and self.fill is None


class Graph:
    """The inputs of a model and the blocks that its transformers add.

    Parameters
    ----------
    names : sequence of str
        Names of all the inputs.
    named : bool
        Whether they are column names, or x0, x1, ...
    rows : "table", "values" or "mappings"
        What X is; see `skcompress.artifact.Inputs`.
    """

    def __init__(self, names: Sequence[str], named: bool, rows: str = "table"):
        self.names = tuple(str(name) for name in names)
        self.named = named
        self.rows = rows
        self.blocks: list[tuple[int, Block]] = []
        self._next = len(self.names)

    def inputs(self) -> list[Column]:
        """Return the columns that are the inputs."""
        return [Column(node) for node in range(len(self.names))]

    def add(self, kind: str, sources: Sequence[Column], params: dict[str, Any]) -> list[Column]:
        """Add a block that reads these columns, which must be nodes; return its outputs."""
        block = Block.make(kind, [column.node for column in sources], params)
        start = self._next
        self._next += block.n_out
        self.blocks.append((start, block))
        return [Column(node) for node in range(start, self._next)]

    def maker(self, columns: Sequence[Column]) -> int | None:
        """Return the place in `blocks` of the block whose outputs are these columns, all of them and in order."""
        for place, (start, block) in enumerate(self.blocks):
            if [column.node for column in columns] == list(range(start, start + block.n_out)):
                return place if all(column.is_node for column in columns) else None
        return None

    def filled(self, columns: Sequence[Column]) -> list[Column]:
        """Return the columns with their missing values replaced, so that none has a `fill` any more."""
        out = list(columns)
        waiting = [place for place, column in enumerate(out) if column.fill is not None]
        markers = {repr(_fill_of(out[place])[0]): _fill_of(out[place])[0] for place in waiting}
        for name, marker in markers.items():
            chosen = [place for place in waiting if repr(_fill_of(out[place])[0]) == name]
            sources = [Column(out[place].node) for place in chosen]
            values = [_number(_fill_of(out[place])[1]) for place in chosen]
            made = self.add("fill", sources, {"marker": (marker,), "value": values})
            for place, column in zip(chosen, made, strict=True):
                out[place] = out[place]._replace(node=column.node, fill=None)
        return out

    def as_nodes(self, columns: Sequence[Column]) -> list[Column]:
        """Return the columns as nodes, for a block of numbers to read; the steps are repeated exactly.

        Raises
        ------
        ValueError
            If a column is constant.
        """
        out = self.filled(columns)
        if any(column.node == CONSTANT for column in out):
            raise ValueError("a constant column cannot be read by a transformer in a compact model")
        while waiting := [place for place, column in enumerate(out) if column.steps]:
            kind = out[waiting[0]].steps[0][0]
            chosen = [place for place in waiting if out[place].steps[0][0] == kind]
            first = [out[place].steps[0][1] for place in chosen]
            second = [out[place].steps[0][2] for place in chosen]
            names = ("offset", "divisor") if kind == "affine" else ("factor", "shift")
            sources = [Column(out[place].node) for place in chosen]
            made = self.add(kind, sources, dict(zip(names, (first, second), strict=True)))
            for place, column in zip(chosen, made, strict=True):
                out[place] = Column(column.node, steps=out[place].steps[1:])
        return out

    def clipped(self, columns: Sequence[Column], low: Sequence[float], high: Sequence[float]) -> list[Column]:
        """Return min(max(column, low), high), clipping the nodes so that the affine function stays."""
        if any(column.node == CONSTANT for column in columns):
            raise ValueError("a constant column cannot be clipped in a compact model")
        out = self.filled(columns)
        ends = [
            sorted((float(a) * c.divisor + c.offset, float(b) * c.divisor + c.offset))
            for c, a, b in zip(out, low, high, strict=True)
        ]
        params = {"low": [end[0] for end in ends], "high": [end[1] for end in ends]}
        made = self.add("clip", [Column(column.node) for column in out], params)
        return [column._replace(node=new.node) for column, new in zip(out, made, strict=True)]

    def finish(
        self,
        columns: Sequence[Column],
        weights: Weights,
        intercept: NDArray[np.float64],
        **options: Any,
    ) -> CompactLinear:
        """Return the model of these columns' weights, without what no weight uses.

        Parameters
        ----------
        columns : sequence of p columns
            What the linear model reads.
        weights : Weights
            Of shape (m, p).
        intercept : ndarray of shape (m,)
            Intercepts.
        **options
            Passed on to `CompactLinear`.
        """
        columns = self.filled(columns)
        nodes = np.array([column.node for column in columns], dtype=np.intp)
        offset = np.array([column.offset for column in columns], dtype=np.float64)
        divisor = np.array([column.divisor for column in columns], dtype=np.float64)
        constant = nodes == CONSTANT
        coef = weights.decode().astype(np.float64)
        intercept = intercept + coef[:, constant] @ (-offset[constant] / divisor[constant])
        kept = np.flatnonzero(weights.nonzero().any(axis=0) & ~constant)
        nodes, offset, divisor = nodes[kept], offset[kept], divisor[kept]
        effective = coef[:, kept] / divisor
        held = _held_offsets(offset, divisor, nodes < len(self.names))
        intercept = intercept - effective @ (offset - held)
        number, positions, blocks = self._pruned(nodes)
        if weights.codes is None:
            weights = Weights.from_values(effective.astype(np.float32 if weights.single else np.float64))
        else:
            weights = weights.take(kept)
        by_codes = weights.codes is not None and bool((divisor != 1.0).any())
        labels = tuple(self.names[j] for j in positions) if self.named else None
        inputs = Inputs(labels, positions, len(self.names), self.rows)
        return CompactLinear(
            weights,
            intercept,
            inputs,
            blocks=blocks,
            columns=[number[int(node)] for node in nodes],
            offset=held if held.any() else None,
            divisor=divisor if by_codes else None,
            n_terms_all=len(columns),
            **options,
        )

    def _pruned(self, nodes: NDArray[np.intp]) -> tuple[dict[int, int], NDArray[np.intp], list[Block]]:
        """Return new numbers of the nodes in use, the inputs in use, and the blocks cut down to them."""
        used = set(nodes.tolist())
        kept: list[tuple[int, NDArray[np.bool_], Block]] = []
        for start, block in reversed(self.blocks):
            mask = np.array([start + place in used for place in range(block.n_out)], dtype=bool)
            if mask.any():
                cut = block if mask.all() else block.keep(mask)
                used.update(cut.sources)
                kept.append((start, mask, cut))
        positions = np.array(sorted(node for node in used if node < len(self.names)), dtype=np.intp)
        number = {int(node): place for place, node in enumerate(positions)}
        blocks = []
        for start, mask, block in reversed(kept):
            blocks.append(block.moved(number))
            first = len(number)
            number.update({int(start + place): first + i for i, place in enumerate(np.flatnonzero(mask))})
        return number, positions, blocks


def _held_offsets(
    offset: NDArray[np.float64], divisor: NDArray[np.float64], raw: NDArray[np.bool_]
) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        unit = np.exp2(np.floor(np.log2(np.abs(divisor))))
    large = raw & (np.abs(offset) > LARGE_OFFSET * np.abs(divisor))
    return np.where(large, np.round(offset / unit) * unit, 0.0)


def _fill_of(column: Column) -> tuple[Any, Any]:
    if column.fill is None:
        raise ValueError("the column has nothing to fill")
    return column.fill


def _number(value: Any) -> float:
    if isinstance(value, (str, type(None))):
        raise ValueError(f"missing values are filled with {value!r}, but the column is used as a number")
    return float(value)

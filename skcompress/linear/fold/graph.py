"""Graph: columns on their way from the inputs to the linear model.

A `Column` is an affine function of a *node*,

    value = (node - offset) / divisor

and a node is an input or an output of a block (`skcompress.artifact.terms`). Scalers change offset and divisor
alone; whatever bends a column adds a block. At the end nodes that no weight uses are dropped, and offsets and
divisors go into the weights and the intercept:

    weight = coef / divisor,    intercept = b - sum of weight x offset

Weights held as codes stay as they are, and the divisor is kept beside them. An offset of a raw input that is
large beside its divisor stays too, rounded to a multiple of a power of two (which costs no accuracy, since the
rest goes into the intercept): x - offset keeps digits that weight x - weight offset would lose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...artifact import Block, CompactLinear, Inputs, Weights

CONSTANT = -1
"""The node of a column that does not depend on the inputs: its node counts as 0."""

LARGE_OFFSET = 100.0
"""Offsets stay if they are more than this many divisors."""


@dataclass(frozen=True)
class Column:
    """A column: (node - offset) / divisor."""

    node: int
    offset: float = 0.0
    divisor: float = 1.0

    @classmethod
    def constant(cls, value: float) -> Column:
        """Return the column that is the same in every row."""
        return cls(CONSTANT, offset=-float(value))

    def standardised(self, offset: float, divisor: float) -> Column:
        """Return (column - offset) / divisor."""
        return replace(
            self,
            offset=self.offset + float(offset) * self.divisor,
            divisor=self.divisor * float(divisor),
        )

    @property
    def is_node(self) -> bool:
        """Whether the column is its node, unchanged."""
        return self.node != CONSTANT and self.offset == 0.0 and self.divisor == 1.0


class Graph:
    """The inputs of a model and the blocks that its transformers add.

    Parameters
    ----------
    names : sequence of str
        Names of all the inputs.
    named : bool
        Whether they are column names, or x0, x1, ...
    """

    def __init__(self, names: Sequence[str], named: bool):
        self.names = tuple(str(name) for name in names)
        self.named = named
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
        return [Column(start + place) for place in range(block.n_out)]

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
        nodes = np.array([column.node for column in columns], dtype=np.intp)
        offset = np.array([column.offset for column in columns])
        divisor = np.array([column.divisor for column in columns])
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
        inputs = Inputs(tuple(self.names[j] for j in positions), positions, len(self.names), self.named)
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
            number.update({int(start + place): len(number) + i for i, place in enumerate(np.flatnonzero(mask))})
        return number, positions, blocks


def _held_offsets(
    offset: NDArray[np.float64], divisor: NDArray[np.float64], raw: NDArray[np.bool_]
) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        unit = np.exp2(np.floor(np.log2(np.abs(divisor))))
    large = raw & (np.abs(offset) > LARGE_OFFSET * np.abs(divisor))
    return np.where(large, np.round(offset / unit) * unit, 0.0)

"""Fold inputs that are read as codes: (x - offset) / step, rounded and clipped, column by column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...artifact import Weights
from ..integer_inputs import IntegerModel
from ..view import read
from .graph import CONSTANT, Column, Graph

RINT = 18
"""Number of the function in `skcompress.artifact.terms.numbers`."""


def in_integers(
    reader: IntegerModel, columns: Sequence[Column], graph: Graph, bits: int
) -> tuple[list[Column], Weights, NDArray[np.float64]]:
    """Return the columns as codes, with the weights and intercepts that go with them.

    Parameters
    ----------
    reader : IntegerModel
        How the leaf reads its columns.
    columns : sequence of p columns
        What it reads.
    graph : Graph
        Gets the blocks that round and clip.
    bits : int
        Bits of a weight.
    """
    inputs, codes = reader.inputs, reader.codes
    weights, intercept = read(reader.leaf)
    out = list(columns)
    used = np.flatnonzero((codes != 0).any(axis=0)).tolist()
    for j in used:
        if columns[j].node == CONSTANT:
            value = (columns[j].value() - inputs.offset[j]) / inputs.step[j]
            out[j] = Column.constant(float(np.clip(np.rint(value), -inputs.top, inputs.top)))
    moving = [j for j in used if columns[j].node != CONSTANT]
    if moving:
        scaled = [columns[j].standardised(inputs.offset[j], inputs.step[j]) for j in moving]
        made = graph.add("function", graph.settled(scaled), {"function": RINT})
        low, high = [-float(inputs.top)] * len(made), [float(inputs.top)] * len(made)
        for j, column in zip(moving, graph.add("clip", made, {"low": low, "high": high}), strict=True):
            out[j] = column
    coded = Weights.from_codes(codes, reader.scale, np.int64(0), None, _bits_of(codes, bits), False)
    return out, coded, intercept + weights @ inputs.offset


def _bits_of(codes: NDArray[np.int64], bits: int) -> int:
    """Return the bits of a weight's code less its zero point, which may need one more than the code itself."""
    return bits if np.abs(codes).max(initial=0) < 2 ** max(1, bits - 1) else bits + 1

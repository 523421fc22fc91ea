"""Cap the inputs of a compact model at a range, so that a row from far away is treated like one from its edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compact import CompactLinear
from ..terms import TERMS, Block
from .limits import entries_of, number_inputs


def capped(model: CompactLinear, limits: NDArray[np.float64]) -> CompactLinear:
    """Return the model with the inputs that it reads as numbers capped.

    Parameters
    ----------
    model : CompactLinear
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
    return CompactLinear(
        model.weights,
        model.intercept,
        model.reads,
        blocks=blocks,
        columns=[numbers[int(column)] for column in model.columns],
        offset=model.offset,
        divisor=model.divisor,
        link=model.link,
        flat=model.flat,
        classes=model.classes,
        n_terms_all=model.n_terms_all,
        metadata=model.metadata,
    )


def _clip(columns: list[int], limits: NDArray[np.float64]) -> Block:
    return Block.make("clip", columns, {"low": limits[0], "high": limits[1]})

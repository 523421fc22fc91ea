"""Cap the inputs of a compact model at a range, so that a row from far away is treated like one from its edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compact import CompactLinear
from .limits import number_inputs
from .terms import TERMS, Block


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
    if not len(chosen):
        return model
    k = len(model.reads)
    params = {"low": limits[0, chosen], "high": limits[1, chosen]}
    clip = Block.make("clip", chosen.tolist(), params)
    moved = {place: place for place in range(k)}
    moved.update({place: place + len(chosen) for place in range(k, k + sum(b.n_out for b in model.blocks))})
    numbers = {**moved, **{int(place): k + new for new, place in enumerate(chosen)}}
    blocks = [block.moved(numbers if TERMS[block.kind].reads == "numbers" else moved) for block in model.blocks]
    return CompactLinear(
        model.weights,
        model.intercept,
        model.reads,
        blocks=[clip, *blocks],
        columns=[numbers[int(column)] for column in model.columns],
        offset=model.offset,
        divisor=model.divisor,
        link=model.link,
        flat=model.flat,
        classes=model.classes,
        n_terms_all=model.n_terms_all,
        metadata=model.metadata,
    )

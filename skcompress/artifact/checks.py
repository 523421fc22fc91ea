"""Whether the parts of a compact model fit together, and what keeps a row from being predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from .links import LINKS

if TYPE_CHECKING:
    from .compact import CompactLinear


def require_fit(model: CompactLinear) -> None:
    """Raise ValueError unless shapes, places and numbers of columns agree."""
    m, p = model.weights.shape
    if model.link not in LINKS:
        raise ValueError(f"link must be one of {sorted(LINKS)}, got {model.link!r}")
    if model.intercept.shape != (m,):
        raise ValueError(f"intercept must have {m} numbers, one for each output, got {model.intercept.size}")
    if model.flat and m != 1 and not model.classes:
        raise ValueError(f"flat predictions need one output, got {m}")
    if model.classes and len(model.classes) != (2 if m == 1 else m):
        raise ValueError(f"{m} outputs need {2 if m == 1 else m} classes, got {len(model.classes)}")
    positions = model.reads.positions
    labels = model.reads.labels
    if (labels is not None and len(labels) != len(positions)) or (np.diff(positions) <= 0).any():
        raise ValueError("positions must increase and be one for each input")
    if len(positions) and not 0 <= positions[0] <= positions[-1] < model.reads.n_all:
        raise ValueError(f"positions must lie in 0..{model.reads.n_all - 1}")
    for name in ("columns", "offset", "divisor"):
        array = getattr(model, name)
        if array is not None and array.shape != (p,):
            raise ValueError(f"{name} must have {p} numbers, one for each term, got {array.size}")
    n_columns = len(positions)
    for block in model.blocks:
        if not block.sources or not 0 <= min(block.sources) <= max(block.sources) < n_columns:
            raise ValueError(f"a {block.kind} block must read columns that come before it")
        n_columns += block.n_out
    if p and not 0 <= model.columns.min() <= model.columns.max() < n_columns:
        raise ValueError(f"columns must lie in 0..{n_columns - 1}")


def require_probabilities(model: CompactLinear) -> None:
    """Raise ValueError unless a model is a classifier whose scores are log-odds."""
    if not model.classes or model.link == "identity":
        raise ValueError("this model has no probabilities: it was folded from one without predict_proba")


def refuse(model: CompactLinear, raw: NDArray[np.intp], table: Any, eta: NDArray[Any]) -> NoReturn:
    """Raise ValueError for the first row without a finite prediction, naming the input if it is one of `raw`."""
    row = int(np.flatnonzero(~np.isfinite(eta).all(axis=1))[0])
    for index in raw:
        value = table.numbers(int(index))[row]
        if not np.isfinite(value):
            raise ValueError(f"input {model.inputs[index]!r} is {value} in row {row}: it must be finite")
    raise ValueError(f"the inputs of row {row} give no finite prediction")

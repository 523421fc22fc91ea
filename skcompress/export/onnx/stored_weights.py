"""The weights of a model as ONNX stores them: by column, as floats or as integer codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...artifact import CompactLinear


@dataclass(frozen=True)
class ByColumn:
    """Weights by column, not by term.

    Attributes
    ----------
    weights : ndarray of shape (n_columns, m)
        Floats, or integer codes.
    row_scale : ndarray of shape (n_columns, m), or None
        What each weight is multiplied by, where it is not the same for a whole output.
    scale : ndarray of shape (m,), or None
        What each output is multiplied by in the end.
    """

    weights: NDArray[Any]
    row_scale: NDArray[np.float64] | None
    scale: NDArray[np.float64] | None


def by_column(model: CompactLinear, n_columns: int, bits: int | None) -> ByColumn:
    """Return the weights of a model by column: floats, or integers of some bits.

    Raises
    ------
    ValueError
        If the weights are no codes of so many bits.
    """
    m, p = model.weights.shape
    if bits is None:
        floats = np.zeros((n_columns, m))
        np.add.at(floats, model.columns, model.weights.over(model.divisor).T)
        return ByColumn(floats, None, None)
    codes = _codes(model, bits)
    if len(np.unique(model.columns)) < p:
        raise ValueError("two terms share a column, so that their codes cannot be stored: use weights='float'")
    held = np.zeros((n_columns, m), dtype=np.int64)
    held[model.columns] = codes.T
    divisor = np.ones(p) if model.divisor is None else model.divisor
    if model.weights.scale.shape[1] == 1 and (divisor == 1.0).all():
        return ByColumn(held, None, np.broadcast_to(model.weights.scale[:, 0], m))
    by_row = np.zeros((n_columns, m))
    if model.weights.scale.shape[1] == 1:
        by_row[model.columns] = 1.0 / divisor[:, None]
        return ByColumn(held, by_row, np.broadcast_to(model.weights.scale[:, 0], m))
    by_row[model.columns] = (np.broadcast_to(model.weights.scale, (m, p)) / divisor).T
    return ByColumn(held, by_row, None)


def _codes(model: CompactLinear, bits: int) -> NDArray[np.int64]:
    """Return the codes without their zero point, shape (m, p)."""
    held = model.weights
    if held.codes is None or held.levels is not None:
        what = "floats" if held.codes is None else "codes of uneven levels"
        raise ValueError(f"weights='int{bits}' needs evenly spaced codes, but the weights are {what}: use 'float'")
    codes = np.asarray(held.codes, dtype=np.int64) - held.zero_point
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if codes.size and not low <= codes.min() <= codes.max() <= high:
        raise ValueError(
            f"weights='int{bits}' holds {low}..{high}, but the codes (less their zero point, on grid='affine') reach "
            f"from {codes.min()} to {codes.max()}: use grid='symmetric', fewer bits, or weights='float'"
        )
    return codes

"""Reading one row: the needed values out of a sequence, an array or a mapping, without a table around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .categories import key_of, plain_of
from .reading import Inputs, floats_of, number_of

REQUIRED: Any = object()
"""Stands for no replacement of absent keys."""


class OneRow:
    """One row of used inputs, read as a `Table` is.

    Parameters
    ----------
    row : sequence
        The values of the used inputs.
    inputs : Inputs
        What the model reads.
    """

    is_sparse = False
    whole = None
    n_rows = 1
    dtype = np.dtype(np.float64)

    def __init__(self, row: Sequence[Any], inputs: Inputs):
        self.row = row
        self.inputs = inputs

    def values(self, index: int) -> list[Any]:
        """Return one input as the key of a category, in a list."""
        value = self.row[index]
        return [key_of(plain_of(value))]

    def numbers(self, index: int) -> NDArray[np.float64]:
        """Return one input as a float, shape (1,)."""
        return np.array([self._float(index)])

    def matrix(self, wanted: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return some inputs as floats, shape (1, len(wanted))."""
        return np.array([[self._float(index) for index in wanted.tolist()]])

    def _float(self, index: int) -> float:
        try:
            return number_of(self.row[index])
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"input {self.inputs.names[index]!r} must hold numbers") from None


def from_mapping(row: Mapping[str, Any], reads: Inputs, missing: Any) -> Sequence[Any]:
    """Return the used inputs of a mapping.

    Raises
    ------
    ValueError
        If a key is absent and `missing` does not stand in for it.
    """
    try:
        picked: Sequence[Any] = reads.pick(row)
        return picked
    except KeyError as error:
        if missing is REQUIRED:
            raise ValueError(f"row lacks the input {error.args[0]!r}; missing= can stand in for it") from None
    names = reads.names
    defaults = missing if isinstance(missing, Mapping) else dict.fromkeys(names, missing)
    absent = [name for name in names if name not in row and name not in defaults]
    if absent:
        raise ValueError(f"row lacks the input {absent[0]!r}, and missing has no value for it")
    return [row[name] if name in row else defaults[name] for name in names]


def as_numbers(row: NDArray[Any]) -> NDArray[np.float64]:
    """Return a row as float64.

    Raises
    ------
    ValueError
        If it holds anything but numbers.
    """
    return floats_of(row, f"row must hold one number for each input, got {row.tolist()!r}: it")


def used_of(row: Any, reads: Inputs) -> Any:
    """Return the used inputs of a sequence that holds them alone, or all of the folded model's.

    Raises
    ------
    ValueError
        If the row has another length or more than one dimension.
    """
    if isinstance(row, np.ndarray) and row.ndim != 1:
        raise ValueError(f"row must have one dimension, got an array of shape {row.shape}")
    places = reads.places(len(row))
    if places is None:
        return row
    return row[places] if isinstance(row, np.ndarray) else [row[place] for place in places]

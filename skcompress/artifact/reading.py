"""Reading inputs: the needed columns out of an array, a frame, a mapping of columns or a sparse matrix.

An array may have the model's used inputs only, in the order of `inputs`, or all the inputs of the model that was
folded; a frame or a mapping needs the used names and may hold any others. Columns that no term uses are not read:
what stands there, even NaN, goes unseen. No library of frames is imported; a frame is what has ``columns`` and
gives a column for ``X[name]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .categories import ABSENT, NAN_KEY, key_of

_SHOWN = 8

_NO_NUMBERS = (str, bytes, complex, np.datetime64, np.timedelta64)
"""What Python or numpy would make a number of; a date in nanoseconds is another one than in days."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a model reads.

    Attributes
    ----------
    labels : tuple of str, or None
        Column names of the used inputs. None: they have none, and frames are read by position.
    positions : ndarray of shape (k,)
        Their places among all the inputs of the folded model.
    n_all : int
        How many inputs the folded model had.
    rows : "table", "values" or "mappings"
        What X is: a table; a sequence with one value for each row, such as a document; or a sequence of mappings from
        the labels, where keys may be absent (a table will do, too).
    """

    labels: tuple[str, ...] | None
    positions: NDArray[np.intp]
    n_all: int
    rows: str = "table"

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the used inputs: the labels, or x and the position."""
        if self.labels is not None:
            return self.labels
        return tuple(f"x{place}" for place in self.positions.tolist())

    @cached_property
    def pick(self) -> Callable[[Any], Any]:
        """The function that takes the used inputs out of a mapping, in order."""
        if len(self) == 0:
            return lambda row: ()
        return itemgetter(*self.names) if len(self) > 1 else lambda row: (row[self.names[0]],)

    def places(self, width: int) -> NDArray[np.intp] | None:
        """Return where the used inputs stand in a row of this width, or None if it holds them alone.

        Raises
        ------
        ValueError
            If the width is neither that of the used inputs nor that of all of them.
        """
        if width == len(self):
            return None
        if width == self.n_all:
            return self.positions
        raise ValueError(
            f"X has {width} columns, but this model reads {len(self)} inputs "
            f"(or takes all the {self.n_all} that it was compiled from)"
        )


def is_sparse(X: Any) -> bool:
    """Return whether X is a scipy.sparse matrix or array."""
    return hasattr(X, "tocsr") and hasattr(X, "nnz")


def is_frame(X: Any) -> bool:
    """Return whether X has named columns."""
    return isinstance(X, Mapping) or (hasattr(X, "columns") and hasattr(X, "__getitem__"))


class Table:
    """Columns of X, read when they are asked for.

    Parameters
    ----------
    X : array, frame, mapping of columns or sparse matrix
        n rows.
    inputs : Inputs
        What the model reads.
    """

    def __init__(self, X: Any, inputs: Inputs):
        self.inputs = inputs
        self.array: Any = None
        self.is_sparse = False
        self._frame: Any = None
        self._places: NDArray[np.intp] | None = None
        self._rows: list[Any] | None = None
        if inputs.rows != "table" and not is_frame(X):
            self._open_rows(X)
            return
        if isinstance(X, np.ndarray):
            self.array = X
        elif is_frame(X):
            self._open_frame(X)
            return
        else:
            self.is_sparse = is_sparse(X)
            self.array = X.tocsr() if self.is_sparse else _array_of(X)
        if self.array.ndim != 2:
            raise ValueError(
                f"X must have two dimensions, rows by inputs; got an array of shape {self.array.shape}: "
                "use predict_one for a single row"
            )
        self.n_rows = self.array.shape[0]
        self._places = inputs.places(self.array.shape[1])

    def _open_frame(self, X: Any) -> None:
        self._frame = X
        self._all_labels = list(X.keys() if isinstance(X, Mapping) else X.columns)
        if self.inputs.labels is not None:
            self._labels: Sequence[Any] = self.inputs.labels
            known = set(self._all_labels)
            missing = [name for name in self._labels if name not in known]
            if missing:
                shown = ", ".join(map(repr, missing[:_SHOWN])) + (", ..." if len(missing) > _SHOWN else "")
                raise ValueError(f"X lacks {len(missing)} of the columns that this model reads: {shown}")
        else:
            places = self.inputs.places(len(self._all_labels))
            everything = self._all_labels
            self._labels = everything if places is None else [everything[j] for j in places]
        self.n_rows = len(X[self._labels[0]]) if self._labels else _length(X)

    def _open_rows(self, X: Any) -> None:
        if isinstance(X, (str, bytes)) or getattr(X, "ndim", 1) != 1:
            raise ValueError("X must be a sequence with one string, list or mapping for each row")
        self._rows = list(X)
        if self.inputs.rows == "mappings" and not all(isinstance(row, Mapping) for row in self._rows):
            raise ValueError("X must be a frame or a sequence of mappings from names to values")
        self.n_rows = len(self._rows)

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 if X is an array of float32, else float64."""
        if self.array is not None and self.array.dtype == np.float32:
            return np.dtype(np.float32)
        return np.dtype(np.float64)

    @property
    def whole(self) -> NDArray[Any] | None:
        """X itself, if it is a C-ordered array of floats."""
        X = self.array
        if X is None or self.is_sparse or X.dtype.kind != "f" or not X.flags.c_contiguous:
            return None
        array: NDArray[Any] = X
        return array

    def values(self, index: int) -> list[Any]:
        """Return one input as keys of categories, a list of n."""
        if self._rows is not None:
            if self.inputs.rows == "values":
                return self._rows
            name = self.inputs.names[index]
            return [key_of(row.get(name, ABSENT)) for row in self._rows]
        raw = self._column(index)
        if isinstance(raw, np.ndarray) and raw.dtype.kind in "mM":
            raw = list(raw)
        listed = raw.tolist() if hasattr(raw, "tolist") else raw.to_list() if hasattr(raw, "to_list") else raw
        return [key_of(value) for value in listed]

    def numbers(self, index: int) -> NDArray[Any]:
        """Return one input as floats, shape (n,)."""
        return floats_of(np.asarray(self._column(index)), f"input {self.inputs.names[index]!r}")

    def matrix(self, wanted: NDArray[np.intp]) -> NDArray[Any]:
        """Return some inputs as floats, shape (n, len(wanted))."""
        if self.array is None:
            return self._frame_matrix(wanted)
        columns = wanted if self._places is None else self._places[wanted]
        part = self.array
        if len(columns) < part.shape[1]:
            part = part.take(columns, axis=1) if part.flags.c_contiguous else part[:, columns]
        return floats_of(part, "X")

    def _frame_matrix(self, wanted: NDArray[np.intp]) -> NDArray[Any]:
        if hasattr(self._frame, "to_numpy"):
            labels = [self._labels[index] for index in wanted]
            part = self._frame if labels == self._all_labels else self._frame[labels]
            array = np.asarray(part.to_numpy())
            if array.dtype.kind in "fiub":
                return array if array.dtype.kind == "f" else array.astype(np.float64)
        out = np.empty((self.n_rows, len(wanted)), order="F")
        for place, index in enumerate(wanted):
            out[:, place] = self.numbers(int(index))
        return out

    def _column(self, index: int) -> Any:
        if self._rows is not None:
            return np.array([*self.values(index), None], dtype=object)[:-1]
        if self._frame is not None:
            return self._frame[self._labels[index]]
        column = index if self._places is None else int(self._places[index])
        if self.is_sparse:
            return self.array[:, [column]].toarray().ravel()
        return self.array[:, column]


def floats_of(array: NDArray[Any], what: str) -> NDArray[Any]:
    """Return an array of any type as floats, NaN where a value is missing.

    Raises
    ------
    ValueError
        If a value is no number: a text is none, though it may read as one, nor is a date or a duration.
    """
    if array.dtype.kind == "f":
        return array
    try:
        if array.dtype.kind == "O":
            numbers = np.array([number_of(value) for value in array.ravel().tolist()], dtype=np.float64)
            return numbers.reshape(array.shape)
        if array.dtype.kind in "iub":
            return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{what} must hold numbers")


def number_of(value: Any) -> float:
    """Return a value as a float, NaN for a missing one; raise TypeError, ValueError or OverflowError for no number."""
    if value is None or key_of(value) is NAN_KEY:
        return float("nan")
    if isinstance(value, _NO_NUMBERS):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _array_of(rows: Any) -> NDArray[Any]:
    """Return rows as an array; numpy alone would make texts of the numbers beside a text."""
    array = np.asarray(rows)
    return np.asarray(rows, dtype=object) if array.dtype.kind in "US" and not hasattr(rows, "dtype") else array


def _length(X: Any) -> int:
    if isinstance(X, Mapping):
        return len(next(iter(X.values()))) if X else 0
    return len(X)

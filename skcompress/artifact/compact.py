"""CompactLinear: a linear model as it ships: inputs -> terms -> dot product -> link.

    prediction = link( sum over terms t of weight_t (column_t - offset_t) / divisor_t + intercept )

See `skcompress.artifact.terms` for columns and blocks, `skcompress.artifact.weights` for the weights,
`skcompress.artifact.packed` for the bytes. A model never changes once it is built, so that threads may share it.
It needs numpy alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import packed
from .links import LINKS
from .plan import Plan, make_plan
from .reading import Inputs, Table
from .terms import Block
from .weights import Weights, frozen

_REQUIRED: Any = object()
_FLOAT64 = np.dtype(np.float64)


class _One(NamedTuple):
    """What `predict_one` needs: eta of one row, the shape of a row of used inputs, and the way to take."""

    predictor: Callable[[NDArray[np.float64]], Any]
    shape: tuple[int]
    dense: bool
    plain: bool


class CompactLinear:
    """A linear model that needs numpy alone.

    It is built by `skcompress.compact` or `from_bytes`, seldom by hand.

    Parameters
    ----------
    weights : Weights
        Weights of shape (m, p): m outputs, p terms.
    intercept : array-like of shape (m,)
        Intercepts.
    inputs : Inputs
        Names and places of the k inputs that are read.
    blocks : sequence of Block, default=()
        How the columns beyond the inputs are made.
    columns : array-like of shape (p,), default=None
        The column of each term. None: the first p.
    offset, divisor : array-like of shape (p,), default=None
        What is subtracted from each term's column, and what divides the rest. None: 0 and 1.
    link : str, default="identity"
        A key of `LINKS`.
    flat : bool, default=True
        Whether predictions have one dimension (with one output).
    classes : sequence of scalars, default=()
        Labels of a classifier: two for one output, else one for each output.
    n_terms_all : int, default=None
        How many terms the folded model had. None: p.
    metadata : dict, default=None
        Anything that JSON can hold. It is no part of the model's identity.
    """

    __slots__ = (
        "_made",
        "_plans",
        "blocks",
        "classes",
        "columns",
        "divisor",
        "flat",
        "intercept",
        "link",
        "metadata",
        "n_terms_all",
        "offset",
        "reads",
        "weights",
    )

    weights: Weights
    intercept: NDArray[np.float64]
    reads: Inputs
    blocks: tuple[Block, ...]
    columns: NDArray[np.intp]
    offset: NDArray[np.float64] | None
    divisor: NDArray[np.float64] | None
    link: str
    flat: bool
    classes: tuple[Any, ...]
    n_terms_all: int
    metadata: dict[str, Any] | None
    _plans: dict[np.dtype[Any], Plan]
    _made: dict[str, Any]

    def __init__(
        self,
        weights: Weights,
        intercept: ArrayLike,
        inputs: Inputs,
        *,
        blocks: Sequence[Block] = (),
        columns: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        divisor: ArrayLike | None = None,
        link: str = "identity",
        flat: bool = True,
        classes: Sequence[Any] = (),
        n_terms_all: int | None = None,
        metadata: dict[str, Any] | None = None,
    ):
        m, p = weights.shape
        chosen = np.arange(p) if columns is None else np.asarray(columns, dtype=np.intp)
        fields: dict[str, Any] = {
            "weights": weights,
            "intercept": frozen(np.array(intercept, dtype=np.float64).ravel()),
            "reads": inputs,
            "blocks": tuple(blocks),
            "columns": frozen(chosen),
            "offset": _per_term(offset),
            "divisor": _per_term(divisor),
            "link": link,
            "flat": bool(flat),
            "classes": tuple(classes),
            "n_terms_all": p if n_terms_all is None else int(n_terms_all),
            "metadata": None if metadata is None else json.loads(json.dumps(metadata)),
            "_plans": {},
            "_made": {},
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        self._check(m, p)

    def _check(self, m: int, p: int) -> None:
        if self.link not in LINKS:
            raise ValueError(f"link must be one of {sorted(LINKS)}, got {self.link!r}")
        if self.intercept.shape != (m,):
            raise ValueError(f"intercept must have {m} numbers, one for each output, got {self.intercept.size}")
        if self.flat and m != 1 and not self.classes:
            raise ValueError(f"flat predictions need one output, got {m}")
        if self.classes and len(self.classes) != (2 if m == 1 else m):
            raise ValueError(f"{m} outputs need {2 if m == 1 else m} classes, got {len(self.classes)}")
        positions = self.reads.positions
        labels = self.reads.labels
        if (labels is not None and len(labels) != len(positions)) or (np.diff(positions) <= 0).any():
            raise ValueError("positions must increase and be one for each input")
        if len(positions) and not 0 <= positions[0] <= positions[-1] < self.reads.n_all:
            raise ValueError(f"positions must lie in 0..{self.reads.n_all - 1}")
        for name in ("columns", "offset", "divisor"):
            array = getattr(self, name)
            if array is not None and array.shape != (p,):
                raise ValueError(f"{name} must have {p} numbers, one for each term, got {array.size}")
        n_columns = len(positions)
        for block in self.blocks:
            if not block.sources or not 0 <= min(block.sources) <= max(block.sources) < n_columns:
                raise ValueError(f"a {block.kind} block must read columns that come before it")
            n_columns += block.n_out
        if p and not 0 <= self.columns.min() <= self.columns.max() < n_columns:
            raise ValueError(f"columns must lie in 0..{n_columns - 1}")

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"a CompactLinear does not change: cannot set {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a CompactLinear does not change: cannot delete {name!r}")

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        return CompactLinear.from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        form = "floats" if self.weights.codes is None else f"{self.weights.bits or 16}-bit codes"
        return (
            f"<CompactLinear {self.model_id}: {len(self.reads)} of {self.reads.n_all} inputs, "
            f"{int(self.weights.nonzero().sum())} weights as {form}, {self.link} link>"
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that the model reads."""
        return self.reads.names

    @property
    def n_outputs(self) -> int:
        """Number of outputs, m."""
        return self.weights.shape[0]

    @property
    def coef(self) -> NDArray[Any]:
        """Weights of the terms, shape (m, p), decoded."""
        return self.weights.decode()

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 if the model was fitted in float32, else float64."""
        return np.dtype(np.float32 if self.weights.single else np.float64)

    @property
    def model_id(self) -> str:
        """First 12 hex digits of the SHA-256 of the decoded model, without names and metadata."""
        return packed.digest(self).hex()[:12]

    @property
    def nbytes(self) -> int:
        """Bytes that the weights take in a file: codes or floats, scales and intercepts."""
        return packed.section_sizes(self)["weights"]

    def linear_predictor(self, X: Any) -> NDArray[Any]:
        """Return what goes into the link, shape (n, m).

        Parameters
        ----------
        X : array, frame, mapping of columns or sparse matrix, n rows
            With the columns of `inputs`, or all those of the folded model in their order.

        Raises
        ------
        ValueError
            If columns are missing, an input is NaN or infinite, or a category is unknown and not ignored.
        """
        table = Table(X, self.reads)
        eta = self._plan(table.dtype).predictor(table)
        if not np.isfinite(eta).all():
            self._refuse(table, eta)
        return eta

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the predictions, shape (n,) or (n, m); for a classifier the labels.

        Parameters
        ----------
        X : array, frame, mapping of columns or sparse matrix, n rows
            See `linear_predictor`.
        """
        eta = self.linear_predictor(X)
        if self.classes:
            chosen = (eta[:, 0] > 0).astype(np.intp) if self.n_outputs == 1 else eta.argmax(axis=1)
            return np.array(self.classes)[chosen]
        answer = LINKS[self.link].inverse(eta)
        return answer[:, 0] if self.flat else answer

    def predict_one(self, row: Any, *, missing: Any = _REQUIRED) -> Any:
        """Return the prediction for one row: a float, an array of shape (m,), or a label.

        Parameters
        ----------
        row : sequence or mapping
            The values of `inputs` in their order, or of all inputs of the folded model; or values by name.
        missing : scalar or mapping, default=error
            What an absent key of a mapping stands for: one value, or one for each name.

        Raises
        ------
        ValueError
            If a key is absent and `missing` does not give it, or a value cannot be used.
        """
        predictor, shape, dense, plain = self._made.get("one") or self._prepare_one()
        kind = type(row)
        if kind is not np.ndarray:
            if kind is dict or (kind is not list and isinstance(row, Mapping)):
                row = self._from_mapping(row, missing)
            if dense:
                row = np.array(row)
        if dense:
            if row.dtype is not _FLOAT64:
                row = _as_numbers(row)
            if row.shape != shape:
                row = self._used_of(row)
            if plain and isfinite(eta := predictor(row)):
                return eta
        return self._predict_row(row)

    def _prepare_one(self) -> _One:
        dense = not self.blocks and not self.classes and self.reads.rows == "table"
        plain = dense and self.flat and self.link == "identity"
        one = _One(self._plan(_FLOAT64).one, (len(self.reads),), dense, plain)
        self._made["one"] = one
        return one

    def _used_of(self, row: NDArray[Any]) -> NDArray[Any]:
        if row.ndim != 1:
            raise ValueError(f"row must have one dimension, got an array of shape {row.shape}")
        places = self.reads.places(len(row))
        return row if places is None else row[places]

    def _predict_row(self, row: Any) -> Any:
        if self.reads.rows != "table":
            return self.predict([row])[0]
        if isinstance(row, np.ndarray):
            return self.predict(row[None, :])[0]
        array = np.empty((1, len(row)), dtype=object)
        array[0, :] = row
        return self.predict(array)[0]

    def outside(self, X: Any) -> int:
        """Return how many rows have an input beyond the range at which the model caps it.

        Parameters
        ----------
        X : array, frame, mapping of columns or sparse matrix, n rows
            See `linear_predictor`.
        """
        table = Table(X, self.reads)
        beyond = np.zeros(table.n_rows, dtype=bool)
        for block in self.blocks:
            for place, source in enumerate(block.sources if block.kind == "clip" else ()):
                if source < len(self.reads):
                    column = table.numbers(source)
                    beyond |= (column < block.params["low"][place]) | (column > block.params["high"][place])
        return int(beyond.sum())

    def _from_mapping(self, row: Mapping[str, Any], missing: Any) -> Any:
        if self.reads.rows != "table":
            return row
        names = self.inputs
        try:
            picked: Sequence[Any] = self.reads.pick(row)
            return picked
        except KeyError as error:
            if missing is _REQUIRED:
                raise ValueError(f"row lacks the input {error.args[0]!r}; missing= can stand in for it") from None
        defaults = missing if isinstance(missing, Mapping) else dict.fromkeys(names, missing)
        absent = [name for name in names if name not in row and name not in defaults]
        if absent:
            raise ValueError(f"row lacks the input {absent[0]!r}, and missing has no value for it")
        return [row[name] if name in row else defaults[name] for name in names]

    def _plan(self, dtype: np.dtype[Any]) -> Plan:
        if not self.weights.single:
            dtype = _FLOAT64
        plan = self._plans.get(dtype)
        if plan is None:
            # Two threads may both get here: they make the same plan, and either may stay.
            plan = self._plans[dtype] = make_plan(self, dtype)
        return plan

    def _refuse(self, table: Table, eta: NDArray[Any]) -> NoReturn:
        row = int(np.flatnonzero(~np.isfinite(eta).all(axis=1))[0])
        for index in self._plan(table.dtype).raw:
            value = table.numbers(int(index))[row]
            if not np.isfinite(value):
                raise ValueError(f"input {self.inputs[index]!r} is {value} in row {row}: it must be finite")
        raise ValueError(f"the inputs of row {row} give no finite prediction")

    def report(self) -> dict[str, Any]:
        """Return what the model holds and what it takes.

        Returns
        -------
        report : dict
            ``inputs`` and ``inputs_dropped``, ``terms`` and ``terms_dropped``, ``weights`` (not zero), ``bits``
            (None for floats), ``outputs``, ``link``, ``model_id``, and ``bytes``: a dict from the parts of the
            file to their bytes, with ``total`` and ``total_without_names``.
        """
        sizes = packed.section_sizes(self)
        total = sum(sizes.values())
        return {
            "model_id": self.model_id,
            "inputs": len(self.reads),
            "inputs_dropped": self.reads.n_all - len(self.reads),
            "terms": self.weights.shape[1],
            "terms_dropped": self.n_terms_all - self.weights.shape[1],
            "outputs": self.n_outputs,
            "weights": int(self.weights.nonzero().sum()),
            "bits": self.weights.bits,
            "link": self.link,
            "bytes": {
                **sizes,
                "total": total,
                "total_without_names": len(self.to_bytes(names=False, metadata=False)),
            },
        }

    def to_bytes(self, *, names: bool = True, metadata: bool = True) -> bytes:
        """Return the model in the format of `skcompress.artifact.packed`.

        Parameters
        ----------
        names : bool, default=True
            Whether the names of the inputs go along. Without them they are x0, x1, ... on reading.
        metadata : bool, default=True
            Whether `metadata` goes along.
        """
        return packed.write(self, names=names, metadata=metadata)

    @classmethod
    def from_bytes(cls, data: bytes, *, max_bytes: int = packed.MAX_BYTES) -> CompactLinear:
        """Read a model. Nothing in the bytes is ever executed.

        Parameters
        ----------
        data : bytes
            What `to_bytes` gave.
        max_bytes : int, default=2**28
            The most that the decoded model may take.

        Raises
        ------
        FormatError
            If the bytes are no such model, are damaged, or ask for more than `max_bytes`.
        """
        return packed.read(data, max_bytes=max_bytes)


def _as_numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    try:
        if values.dtype.kind not in "USM":
            return values.astype(np.float64)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"row must hold one number for each input, got {values.tolist()!r}")


def _per_term(array: ArrayLike | None) -> NDArray[np.float64] | None:
    return None if array is None else frozen(np.array(array, dtype=np.float64).ravel())


def dump(model: CompactLinear, path: str | os.PathLike[str], *, names: bool = True, metadata: bool = True) -> int:
    """Write a model to a file and return the number of bytes."""
    data = model.to_bytes(names=names, metadata=metadata)
    with open(path, "wb") as file:
        file.write(data)
    return len(data)


def load(path: str | os.PathLike[str], *, max_bytes: int = packed.MAX_BYTES) -> CompactLinear:
    """Read a model from a file; see `CompactLinear.from_bytes`."""
    with open(path, "rb") as file:
        data = file.read()
    return CompactLinear.from_bytes(data, max_bytes=max_bytes)

"""Parts: what a compact model consists of, and that it fits together.

    prediction = link( sum over terms t of weight_t (column_t - offset_t) / divisor_t + intercept )

Columns are the inputs that are read, and then what each block makes (see `skcompress.artifact.terms`). Predicting,
writing and analysing are functions of the parts; `skcompress.artifact.compact.CompactLinear` is the parts with all that
can be done with them as methods.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .links import LINKS
from .reading import Inputs
from .terms import Block
from .weights import Weights, frozen, frozen_row


class Parts:
    """The parts of a model, see `skcompress.artifact.compact.CompactLinear` for the parameters.

    They never change once they are built, so that threads and copies may share them.

    Attributes
    ----------
    reads : Inputs
        What the model reads.
    metadata_json : str or None
        The metadata as JSON with sorted keys.
    memo : dict
        What others have made of the parts and want to keep, such as plans and hashes, by keys of theirs. Threads that
        make the same thing twice may overwrite one another.
    """

    __slots__ = (
        "blocks",
        "classes",
        "columns",
        "divisor",
        "flat",
        "intercept",
        "link",
        "memo",
        "metadata_json",
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
    metadata_json: str | None
    memo: dict[Hashable, Any]

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
        p = weights.shape[1]
        chosen = np.arange(p) if columns is None else np.asarray(columns, dtype=np.intp)
        fields: dict[str, Any] = {
            "weights": weights,
            "intercept": frozen(np.array(intercept, dtype=np.float64).ravel()),
            "reads": inputs,
            "blocks": tuple(blocks),
            "columns": frozen(chosen),
            "offset": frozen_row(offset),
            "divisor": frozen_row(divisor),
            "link": link,
            "flat": bool(flat),
            "classes": tuple(classes),
            "n_terms_all": p if n_terms_all is None else int(n_terms_all),
            "metadata_json": None if metadata is None else json.dumps(metadata, sort_keys=True, separators=(",", ":")),
            "memo": {},
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        _require_fit(self)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} does not change: cannot set {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} does not change: cannot delete {name!r}")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that the model reads."""
        return self.reads.names

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What was given as `metadata`, as a new dict."""
        return None if self.metadata_json is None else json.loads(self.metadata_json)

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

    def with_blocks(self, blocks: Sequence[Block], columns: ArrayLike) -> Self:
        """Return the same model with other blocks, and other columns for its terms."""
        return type(self)(
            self.weights,
            self.intercept,
            self.reads,
            blocks=blocks,
            columns=columns,
            offset=self.offset,
            divisor=self.divisor,
            link=self.link,
            flat=self.flat,
            classes=self.classes,
            n_terms_all=self.n_terms_all,
            metadata=self.metadata,
        )


def _require_fit(parts: Parts) -> None:
    """Raise ValueError unless shapes, places and numbers of columns agree."""
    m, p = parts.weights.shape
    if parts.link not in LINKS:
        raise ValueError(f"link must be one of {sorted(LINKS)}, got {parts.link!r}")
    if parts.intercept.shape != (m,):
        raise ValueError(f"intercept must have {m} numbers, one for each output, got {parts.intercept.size}")
    if parts.flat and m != 1 and not parts.classes:
        raise ValueError(f"flat predictions need one output, got {m}")
    if parts.classes and len(parts.classes) != (2 if m == 1 else m):
        raise ValueError(f"{m} outputs need {2 if m == 1 else m} classes, got {len(parts.classes)}")
    positions = parts.reads.positions
    labels = parts.reads.labels
    if (labels is not None and len(labels) != len(positions)) or (np.diff(positions) <= 0).any():
        raise ValueError("positions must increase and be one for each input")
    if len(positions) and not 0 <= positions[0] <= positions[-1] < parts.reads.n_all:
        raise ValueError(f"positions must lie in 0..{parts.reads.n_all - 1}")
    for name in ("columns", "offset", "divisor"):
        array = getattr(parts, name)
        if array is not None and array.shape != (p,):
            raise ValueError(f"{name} must have {p} numbers, one for each term, got {array.size}")
    n_columns = len(positions)
    for block in parts.blocks:
        if not block.sources or not 0 <= min(block.sources) <= max(block.sources) < n_columns:
            raise ValueError(f"a {block.kind} block must read columns that come before it")
        n_columns += block.n_out
    if p and not 0 <= parts.columns.min() <= parts.columns.max() < n_columns:
        raise ValueError(f"columns must lie in 0..{n_columns - 1}")

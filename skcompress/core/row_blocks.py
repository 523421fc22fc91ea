"""Rows that come in blocks, checked one block at a time; what is wrong is told with the number of the block, from 0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from .linalg import Floats

Block = Sequence[Any]
"""(X, y) or (X, y, sample_weight); y may be None. Arrays, sparse matrices, or frames of pandas, polars and pyarrow."""


FAR = {
    "dask": "pass one block for each partition, ((X.get_partition(i).compute(), y.get_partition(i).compute()) for i in "
    "range(X.npartitions))",
    "pyspark": "pass one block for each batch, such as those of toLocalIterator() or of mapInPandas",
}
"""Engines whose frames are no block, and what to pass in place of one."""


class CheckedBlock(NamedTuple):
    """A block of n rows.

    Attributes
    ----------
    number : int
        Its place among the blocks, from 0.
    rows : ndarray or csr_array of shape (n, p)
        X.
    target : ndarray of shape (n, m)
        y; m is 0 where there is none.
    weight : ndarray of shape (n,)
        Weights of the rows.
    """

    number: int
    rows: Any
    target: Floats
    weight: Floats


def checked_blocks(blocks: Iterable[Block]) -> Iterator[CheckedBlock]:
    """Yield the blocks, each checked when its turn comes, by itself and against the first one.

    Raises
    ------
    ValueError
        If a block is no (X, y) or (X, y, sample_weight), its parts do not fit together, a weight is negative or not
        finite, or its columns are other ones than those of the first block.
    """
    expected: tuple[int, int] | None = None
    first_names: list[str] | None = None
    if not isinstance(blocks, Iterable):
        raise TypeError(f"blocks must be an iterable of (X, y) or (X, y, sample_weight), got {blocks!r}")
    for number, block in enumerate(blocks):
        checked, names = _checked(number, block)
        found = checked.rows.shape[1], checked.target.shape[1]
        if expected is None:
            expected, first_names = found, names
        if expected != found:
            raise ValueError(
                f"block {number}: all blocks must have the same columns; the first has {expected[0]} features and "
                f"{expected[1]} targets, this one {found[0]} and {found[1]}"
            )
        if names is not None and first_names is not None and names != first_names:
            place = next(j for j in range(len(names)) if names[j] != first_names[j])
            raise ValueError(
                f"block {number}: column {place} is {names[place]!r}, and {first_names[place]!r} in the first block; "
                "bring the columns into the same order"
            )
        yield checked


def require_finite(piece: Floats, number: int, n_features: int) -> None:
    """Raise ValueError that names the block and the column if a number of (X, y) is NaN or infinite."""
    if np.isfinite(piece).all():
        return
    row, column = (int(place) for place in np.argwhere(~np.isfinite(piece))[0])
    where = (
        f"X holds {piece[row, column]} in column {column}" if column < n_features else f"y holds {piece[row, column]}"
    )
    raise ValueError(f"block {number}: {where}; every number must be finite")


def _checked(number: int, block: Any) -> tuple[CheckedBlock, list[str] | None]:
    if not isinstance(block, (tuple, list)) or len(block) not in (2, 3):
        raise ValueError(f"block {number}: must be (X, y) or (X, y, sample_weight), got {type(block).__name__}")
    X, y = block[:2]
    for part in block:
        _require_local(part, number)
    names: list[str] | None = None
    if type(X).__module__.partition(".")[0] == "pyarrow":
        names = [str(name) for name in X.column_names]
        X = np.column_stack(
            [column.to_numpy() if hasattr(column, "chunks") else np.asarray(column) for column in X.columns]
        )
    elif hasattr(X, "columns"):
        names = [str(name) for name in X.columns]
    rows = sp.csr_array(X) if sp.issparse(X) else np.asarray(X)
    if rows.ndim != 2:
        raise ValueError(f"block {number}: X must have two dimensions, got shape {rows.shape}")
    if rows.dtype.kind not in "buif":
        rows = _numbers(rows, number, "X")
    n_rows = rows.shape[0]
    target = np.empty((n_rows, 0)) if y is None else _numbers(y, number, "y")
    if target.ndim not in (1, 2) or len(target) != n_rows:
        raise ValueError(f"block {number}: y must have shape ({n_rows},) or ({n_rows}, m), got {target.shape}")
    if target.ndim == 1:
        target = target[:, None]
    given = block[2] if len(block) == 3 else None
    weight = np.ones(n_rows) if given is None else _numbers(given, number, "sample_weight")
    if weight.shape != (n_rows,):
        raise ValueError(f"block {number}: sample_weight must have shape ({n_rows},), got {weight.shape}")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        wrong = weight[~(np.isfinite(weight) & (weight >= 0))][0]
        raise ValueError(f"block {number}: sample_weight must be finite and not negative, got {wrong:g}")
    return CheckedBlock(number, rows, target, weight), names


def _require_local(part: Any, number: int) -> None:
    """Raise ValueError for rows of another engine, which would be collected whole, or not at all."""
    engine = type(part).__module__.partition(".")[0]
    if engine in FAR:
        raise ValueError(f"block {number}: a {engine} {type(part).__name__} is not in memory: {FAR[engine]}")
    if engine == "polars" and type(part).__name__ == "LazyFrame":
        raise ValueError(
            f"block {number}: a polars LazyFrame is not in memory: pass one block for each slice, collected"
        )


def _numbers(values: Any, number: int, name: str) -> Floats:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"block {number}: {name} must hold numbers: {error}") from None

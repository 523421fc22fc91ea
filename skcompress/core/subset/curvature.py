"""The curvature as the searches see it: one output's free columns, scaled to a unit diagonal.

In the scaled coordinates z_j = sqrt(H_jj / unit) w_j the loss of a support S, in units of loss, is

    loss(S) = loss(nothing kept) - tr(C_S A_SS^-1 C_S'),     A_jk = H_jk / sqrt(H_jj H_kk)

with C the moments of the outputs, one row each. Neither the units of the columns nor those of the target are
left in A and C. Where A is too large to be formed, its rows are computed when they are asked for, several at a
time, and the latest ones are remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from scipy.linalg import lapack

from ..checks import require_bytes
from ..gram import LazyGram
from ..linalg import Floats, Indices, Mask, independent_first, scale_of
from ..quadratic import QuadraticModel
from ..systems import OutputCurvature

ELIGIBLE = 1e-11
"""Share of a column's own curvature that the kept columns must leave for it to be added to them.

Somewhat above `RANK_TOLERANCE`, so that what a search adds is independent for every later solve.
"""

REGULAR = 1e-9
"""Share of its curvature that every column must have left by the ones before it for all sets of columns to be inverted
as they are."""

WAY_OUT = (
    "use search='swap' with a small n_nonzero, which needs a few rows only, or start from a base that keeps fewer "
    "weights, such as Lasso"
)

_BATCH = 32
_CACHE_BYTES = 2**27
_SMALL = 2**24


class Curvature:
    """A = H scaled to a unit diagonal, on the columns that are free.

    Parameters
    ----------
    quadratic : QuadraticModel
        Whose curvature.
    output : int
        Of which output.
    columns : ndarray of shape (n,)
        The free columns.
    first : ndarray of shape (p,), dtype=bool
        Columns preferred as independent ones.
    """

    def __init__(self, quadratic: QuadraticModel, output: int, columns: Indices, first: Mask):
        self._unscaled = OutputCurvature(quadratic, output, columns)
        self.columns = columns
        self._first = first[columns]
        diagonal = self._unscaled.diag()
        self.scale = scale_of(diagonal)
        self.diagonal: Floats = (diagonal > 0).astype(np.float64)
        self.is_dense = not self._unscaled.lazy
        gram = self._unscaled.gram
        self.wide = gram if isinstance(gram, LazyGram) and gram.is_wide and not self.is_dense else None
        self._cache: dict[int, Floats] = {}

    def __len__(self) -> int:
        return len(self.columns)

    @cached_property
    def matrix(self) -> Floats:
        """A, shape (n, n).

        Raises
        ------
        MemoryError
            If it would take more than half of the free memory.
        """
        n = len(self.columns)
        require(8 * n**2, f"the curvature of {n} free columns")
        matrix: Floats = self._unscaled.whole() / self.scale
        matrix /= self.scale[:, None]
        return matrix

    def rows(self, chosen: Indices) -> Floats:
        """Return rows of A, shape (k, n)."""
        if self.is_dense:
            return self.matrix[chosen]
        wanted = chosen.tolist()
        known = {column: self._cache[column] for column in wanted if column in self._cache}
        self._load([column for column in wanted if column not in known], room_for=len(wanted))
        found = [known[column] if column in known else self._cache[column] for column in wanted]
        return np.array(found).reshape(len(wanted), len(self))

    def block(self, chosen: Indices) -> Floats:
        """Return the rows and columns of A that these columns span, shape (k, k)."""
        if self.is_dense:
            return self.matrix[np.ix_(chosen, chosen)]
        block = self._unscaled.block(chosen) / self.scale[chosen]
        block /= self.scale[chosen, None]
        return block

    def dot(self, vectors: Floats) -> Floats:
        """Return ``vectors @ A`` for vectors of shape (r, n)."""
        if self.is_dense:
            return vectors @ self.matrix
        return self._unscaled.dot(vectors / self.scale) / self.scale

    def row(self, column: int, promise: Floats | None = None) -> Floats:
        """Return one row of A; where rows are computed, those of the most promising columns come along."""
        if self.is_dense:
            row: Floats = self.matrix[column]
            return row
        if column not in self._cache:
            promise = np.zeros(len(self)) if promise is None else promise
            count = min(_BATCH, len(self))
            likely = np.argpartition(-promise, count - 1)[:count].tolist()
            wanted = [column, *(other for other in likely if other != column and other not in self._cache)]
            self._load(wanted, room_for=count + 1)
        return self._cache[column]

    def _load(self, columns: list[int], room_for: int) -> None:
        """Compute rows of A; the oldest ones make room for them."""
        if not columns:
            return
        limit = max(2 * room_for, _CACHE_BYTES // (8 * len(self)))
        while len(self._cache) + len(columns) > limit and self._cache:
            del self._cache[next(iter(self._cache))]
        for start in range(0, len(columns), _BATCH):
            part = columns[start : start + _BATCH]
            rows = self._unscaled.rows(np.array(part)) / self.scale
            rows /= self.scale[part, None]
            self._cache.update(zip(part, rows, strict=True))

    def vector(self, column: int) -> Floats:
        """Return the column z of A = Z'Z + a diagonal, shape (n_rows,); for a wide sparse X."""
        assert self.wide is not None
        return self.wide.column(int(self.columns[column])) / float(self.scale[column])

    def project(self, vector: Floats) -> Floats:
        """Return ``vector @ Z``, shape (n,); for a wide sparse X."""
        assert self.wide is not None
        return self.wide.project(vector)[self.columns] / self.scale

    @cached_property
    def independent_factor(self) -> tuple[Floats, Indices]:
        """The upper triangular factor (r, r) of the block of the independent columns, and those in its order (r,)."""
        n = len(self.columns)
        require(24 * n**2, f"the inverse curvature of {n} free columns")
        return independent_first(self.matrix, self._first if self._first.any() else None)

    @cached_property
    def independent(self) -> tuple[Indices, Floats]:
        """The independent columns (r,), ascending, and the inverse of their block of A, shape (r, r)."""
        factor, order = self.independent_factor
        inverse = inverse_from(factor)
        ascending = np.argsort(order)
        if (np.diff(ascending) != 1).any():
            inverse = inverse[np.ix_(ascending, ascending)]
        return order[ascending], inverse

    @cached_property
    def is_regular(self) -> bool:
        """Whether A is far enough from singular that any set of columns can be inverted."""
        factor, order = self.independent_factor
        return len(order) == len(self) and bool(np.square(np.diag(factor)).min(initial=1.0) > REGULAR)


class Rows:
    """A small matrix with a unit diagonal, read as a `Curvature` is."""

    is_dense = True
    wide = None

    def __init__(self, matrix: Floats):
        self.matrix = matrix
        self.diagonal: Floats = (np.diag(matrix) > 0).astype(np.float64)

    def __len__(self) -> int:
        return len(self.matrix)

    def row(self, column: int, promise: Floats | None = None) -> Floats:
        """Return one row."""
        row: Floats = self.matrix[column]
        return row


def require(n_bytes: int, what: str) -> None:
    """Raise MemoryError if this takes more than half of the free memory; small sizes are not looked into."""
    if n_bytes > _SMALL:
        require_bytes(n_bytes, what=what, way_out=WAY_OUT)


def inverse_from(factor: Floats) -> Floats:
    """Return (R'R)^-1 for an upper triangular R with zeros below, shape (r, r)."""
    if not len(factor):
        return np.empty((0, 0))
    upper, _ = lapack.dpotri(factor, lower=0)
    inverse: Floats = upper + upper.T
    inverse.flat[:: len(factor) + 1] *= 0.5
    return inverse


def regular_factor_of(matrix: Floats) -> Floats | None:
    """Return the same factor where every column has more to itself than what makes it eligible, else None."""
    factor = factor_of(matrix)
    return factor if factor is not None and np.square(np.diag(factor)).min(initial=1.0) > ELIGIBLE else None


def support_factor_of(matrix: Floats) -> Floats:
    """Return the same factor for a support, whose columns are independent up to rounding error.

    Raises
    ------
    LinAlgError
        If they are not.
    """
    factor = factor_of(matrix)
    factor = factor_of(matrix + 1e-12 * np.eye(len(matrix))) if factor is None else factor
    if factor is None:
        raise np.linalg.LinAlgError("the columns of a support must be independent")
    return factor


def factor_of(matrix: Floats) -> Floats | None:
    """Return the upper triangular Cholesky factor, or None where the matrix is not positive definite."""
    if not len(matrix):
        return np.empty((0, 0))
    factor, trouble = lapack.dpotrf(matrix, lower=0, clean=1)
    return None if trouble else factor


_CHUNK = 64


def steps_untouched(rows: Callable[[Indices], Floats], moments: Floats, weights: Floats, order: Indices) -> Floats:
    """Return the change of the loss, from nothing kept, along an order of columns with given weights.

    With the first k columns kept at z the loss changes by z' A z - 2 C z, so column k adds
    z_k (A_kk z_k + 2 sum_{i<k} A_ki z_i - 2 C_k).

    Parameters
    ----------
    rows : callable
        From columns (k,) to their rows of A, shape (k, n).
    moments : ndarray of shape (r, n)
        C.
    weights : ndarray of shape (r, n)
        z.
    order : ndarray of shape (q,)
        Columns.

    Returns
    -------
    changes : ndarray of shape (q + 1,)
        For the first 0..q columns.
    """
    steps = np.zeros(len(order))
    ordered = weights[:, order]
    for start in range(0, len(order), _CHUNK):
        part = order[start : start + _CHUNK]
        square = rows(part)[:, order[: start + len(part)]]
        before = np.tril(square, start - 1)
        own = square[np.arange(len(part)), start + np.arange(len(part))]
        pulled = 2.0 * (ordered[:, : start + len(part)] @ before.T) + ordered[:, start : start + len(part)] * own
        steps[start : start + len(part)] = (weights[:, part] * (pulled - 2.0 * moments[:, part])).sum(axis=0)
    return np.concatenate([[0.0], np.cumsum(steps)])

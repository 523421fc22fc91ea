"""The data part of the curvature: G = Xc' A Xc, dense or computed row by row when asked for.

A = diag(a) holds the row weights (sample weight times curvature, divided by the sum of the sample
weights) and Xc = X - 1 m' is X centred by the A-weighted mean m where the model has an intercept; m = 0
where it has none. Centring comes before the product, never after: X'AX - (sum a) m m' has lost every
digit once a column's offset is 1e8 times its spread.

Two forms with the same methods, which is all that searches and roundings may use:

- `DenseGram` keeps the p x p matrix of its active columns;
- `LazyGram` keeps X (sparse, or dense with few rows) and computes the rows that are asked for.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from scipy.linalg import blas

from .checks import require_bytes
from .linalg import Floats, Indices, Mask

CONSTANT = 1e-27
"""Share of a column's mean square that its variance may be for it to count as constant: rounding errors alone."""

DENSE_LIMIT = 4000
"""Up to this many active columns the p x p matrix is kept (128 MB); above, X is, unless n is larger still."""

_CHUNK_FLOATS = 2**17
"""1 MB of float64: half of a usual second-level cache."""


class Gram(Protocol):
    """What the searches and roundings may ask of a curvature."""

    n_features: int

    def diag(self) -> Floats:
        """Return the diagonal, shape (p,)."""

    def rows(self, columns: Indices) -> Floats:
        """Return the rows of these columns, shape (k, p)."""

    def block(self, columns: Indices) -> Floats:
        """Return the rows and columns of these columns, shape (k, k)."""

    def dot(self, vectors: Floats) -> Floats:
        """Return ``vectors @ G`` for vectors of shape (r, p)."""


class DenseGram:
    """G kept as a matrix.

    Parameters
    ----------
    matrix : ndarray of shape (k, k)
        The curvature of the active columns.
    active : ndarray of shape (k,), default=None
        Which of the p columns these are; the other columns are zero. None: all.
    n_features : int, default=None
        p; None: k.
    """

    def __init__(self, matrix: Floats, active: Indices | None = None, n_features: int | None = None):
        self.matrix = matrix
        self.n_features = len(matrix) if n_features is None else n_features
        self._active = None if active is None or len(active) == self.n_features else active
        if self._active is not None:
            self._position = np.full(self.n_features, -1)
            self._position[self._active] = np.arange(len(self._active))

    def diag(self) -> Floats:
        """Return the diagonal, shape (p,)."""
        if self._active is None:
            return np.diag(self.matrix).copy()
        diagonal = np.zeros(self.n_features)
        diagonal[self._active] = np.diag(self.matrix)
        return diagonal

    def rows(self, columns: Indices) -> Floats:
        """Return the rows of these columns, shape (k, p)."""
        if self._active is None:
            return self.matrix[columns]
        inside, places = self._inside(columns)
        rows = np.zeros((len(columns), self.n_features))
        rows[np.ix_(inside, self._active)] = self.matrix[places]
        return rows

    def block(self, columns: Indices) -> Floats:
        """Return the rows and columns of these columns, shape (k, k)."""
        if self._active is None:
            if len(columns) == self.n_features and np.array_equal(columns, np.arange(self.n_features)):
                return self.matrix
            return self.matrix[np.ix_(columns, columns)]
        inside, places = self._inside(columns)
        if len(places) == len(columns):
            return self.matrix[np.ix_(places, places)]
        block = np.zeros((len(columns), len(columns)))
        block[np.ix_(inside, inside)] = self.matrix[np.ix_(places, places)]
        return block

    def dot(self, vectors: Floats) -> Floats:
        """Return ``vectors @ G`` for vectors of shape (r, p)."""
        if self._active is None:
            return vectors @ self.matrix
        product = np.zeros_like(vectors)
        product[:, self._active] = vectors[:, self._active] @ self.matrix
        return product

    def _inside(self, columns: Indices) -> tuple[Indices, Indices]:
        places = self._position[columns]
        inside = np.flatnonzero(places >= 0)
        return inside, places[inside]


class LazyGram:
    """G as a product that is computed where it is asked for; X is kept, sparse or dense.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n, p)
        A dense X is centred and weighted into one copy; a sparse X is weighted but never densified.
    row_weight : ndarray of shape (n,)
        a, the diagonal of A.
    mean : ndarray of shape (p,)
        m; zeros for a model without an intercept.

    Attributes
    ----------
    is_wide : bool
        Whether X is sparse with fewer rows than columns, so that Z = A^(1/2) Xc has short `column` vectors.
    """

    def __init__(self, X: Any, row_weight: Floats, mean: Floats):
        self.n_features = X.shape[1]
        root = np.sqrt(row_weight)
        self._sparse = sp.issparse(X)
        self.is_wide = self._sparse and X.shape[0] < X.shape[1]
        if self._sparse:
            self._half = sp.csc_array(sp.diags_array(root) @ X.astype(np.float64))
            self._by_rows = sp.csr_array(self._half)
            self._root = root
            self._mean = mean
            self._total = float(row_weight.sum())
        else:
            self._half = (X - mean) * root[:, None]
            self._half[:, is_constant(self.diag(), mean, row_weight.sum())] = 0.0

    def diag(self) -> Floats:
        """Return the diagonal, shape (p,)."""
        if not self._sparse:
            diagonal: Floats = np.einsum("ij,ij->j", self._half, self._half)
            return diagonal
        squares = np.asarray(self._half.multiply(self._half).sum(axis=0)).ravel()
        diagonal = squares - self._total * self._mean**2
        # What is left of a constant column is rounding error.
        diagonal[diagonal <= 1e-14 * squares] = 0.0
        return diagonal

    def rows(self, columns: Indices) -> Floats:
        """Return the rows of these columns, shape (k, p)."""
        return self._between(columns, None)

    def block(self, columns: Indices) -> Floats:
        """Return the rows and columns of these columns, shape (k, k)."""
        require_bytes(
            8 * len(columns) ** 2,
            what=f"the curvature of {len(columns)} columns",
            way_out="prune first (search='swap' with a small n_nonzero needs few rows), or fit on fewer columns",
        )
        return self._between(columns, columns)

    def dot(self, vectors: Floats) -> Floats:
        """Return ``vectors @ G`` for vectors of shape (r, p)."""
        product = (self._half.T @ (self._half @ vectors.T)).T
        if self._sparse:
            product = product - self._total * np.outer(vectors @ self._mean, self._mean)
        return np.asarray(product, dtype=np.float64)

    def column(self, column: int) -> Floats:
        """Return a column of Z = A^(1/2) Xc for a sparse X, shape (n,)."""
        vector = -self._mean[column] * self._root
        start, stop = self._half.indptr[column : column + 2]
        vector[self._half.indices[start:stop]] += self._half.data[start:stop]
        return np.asarray(vector)

    def project(self, vector: Floats) -> Floats:
        """Return ``vector @ Z`` for a sparse X, shape (p,)."""
        return np.asarray(self._half.T @ vector - self._mean * float(self._root @ vector))

    def _between(self, columns: Indices, others: Indices | None) -> Floats:
        if not self._sparse:
            right = self._half if others is None else self._half[:, others]
            return np.asarray(self._half[:, columns].T @ right)
        # A product with columns in the order of rows would first be turned round, every time.
        product = self._half[:, columns].T @ (self._by_rows if others is None else self._half[:, others])
        mean = self._mean if others is None else self._mean[others]
        dense = product.toarray()
        dense -= self._total * np.outer(self._mean[columns], mean)
        return np.asarray(dense, dtype=np.float64)


def weighted_mean(X: Any, row_weight: Floats) -> Floats:
    """Return the weighted column means of a dense or sparse X, shape (p,)."""
    total = row_weight.sum()
    # Where no row has any curvature left, any centre does.
    share = row_weight / total if total > 0 else np.full(len(row_weight), 1 / max(1, len(row_weight)))
    if sp.issparse(X):
        return np.asarray(X.T @ share, dtype=np.float64).ravel()
    mean = np.zeros(X.shape[1])
    for chunk in row_chunks(*X.shape):
        mean += share[chunk] @ X[chunk]
    return mean


def row_chunks(n_rows: int, n_columns: int) -> list[slice]:
    """Return slices of rows whose float64 copies stay in the cache; the first is the longest."""
    length = max(256, _CHUNK_FLOATS // max(1, n_columns))
    return [slice(start, min(start + length, n_rows)) for start in range(0, n_rows, length)]


def gram_of(X: Any, row_weight: Floats, mean: Floats, active: Indices | None = None) -> Gram:
    """Return the curvature of the active columns of X, in the form that suits its shape.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n, p)
        Never copied whole into a dense array when it is sparse.
    row_weight : ndarray of shape (n,)
        a, the diagonal of A.
    mean : ndarray of shape (p,)
        m; zeros for a model without an intercept.
    active : ndarray of shape (k,), default=None
        The columns that can have a weight at all; None: all. A dense form holds no others.

    Raises
    ------
    MemoryError
        If the form would take more than half of the free memory.
    """
    n_rows, n_features = X.shape
    n_active = n_features if active is None else len(active)
    if n_active > DENSE_LIMIT and (sp.issparse(X) or n_rows < n_active):
        if not sp.issparse(X):
            require_bytes(
                8 * n_rows * n_features,
                what=f"a centred copy of X with {n_features} columns",
                way_out="fit on fewer rows or columns, or pass X as a sparse matrix",
            )
        return LazyGram(X, row_weight, mean)
    require_bytes(
        8 * n_active**2,
        what=f"the {n_active} x {n_active} curvature",
        way_out="fit on fewer columns, or start from a base that keeps fewer weights, such as Lasso",
    )
    columns = slice(None) if active is None else active
    if sp.issparse(X):
        chosen = sp.csr_array(X) if active is None else sp.csr_array(X)[:, active]
        matrix = LazyGram(chosen, row_weight, mean[columns]).block(np.arange(n_active))
    else:
        matrix = _dense_product(X, row_weight, mean[columns], active)
    return DenseGram(matrix, active, n_features)


def _dense_product(X: Any, row_weight: Floats, mean: Floats, active: Indices | None) -> Floats:
    """Accumulate Xc' A Xc over chunks of rows, each centred in one buffer that stays in the cache.

    BLAS ``dsyrk`` adds each chunk to the upper triangle, so that no chunk costs a p x p copy.
    """
    n_active = len(mean)
    if n_active == 0:
        return np.zeros((0, 0))
    chunks = row_chunks(X.shape[0], n_active)
    buffer = np.empty((chunks[0].stop, n_active))
    triangle = np.zeros((n_active, n_active), order="F")
    alike = bool((row_weight == row_weight[0]).all())
    root = np.sqrt(row_weight)
    for chunk in chunks:
        rows = X[chunk] if active is None else X[chunk][:, active]
        centred = np.subtract(rows, mean, out=buffer[: len(rows)])
        if not alike:
            centred *= root[chunk, None]
        triangle = blas.dsyrk(1.0, centred.T, beta=1.0, c=triangle, overwrite_c=True)
    matrix = triangle + triangle.T
    matrix[np.diag_indices(n_active)] /= 2
    matrix = matrix * row_weight[0] if alike else matrix
    flat = is_constant(np.diag(matrix), mean, row_weight.sum())
    if flat.any():
        matrix[flat] = matrix[:, flat] = 0.0
    return matrix


def is_constant(variance: Floats, mean: Floats, total: float = 1.0) -> Mask:
    """Return which columns are constant up to rounding errors.

    Parameters
    ----------
    variance : ndarray of shape (p,)
        The diagonal of G.
    mean : ndarray of shape (p,)
        m; zeros where the columns are not centred.
    total : float, default=1.0
        Sum of the row weights.
    """
    return (variance <= CONSTANT * total * mean**2) & (variance > 0)

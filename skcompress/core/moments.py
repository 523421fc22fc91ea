"""Moments of rows that come in blocks, centred, merged as a tree.

With weights s a block has the moments

    W = sum(s),   m = sum(s z) / W,   M = Zc'SZc     of   z = (x, y),   Zc = Z - 1 m'

and two blocks merge exactly (Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
variances", 1979):

    W = Wa + Wb,   m = ma + (mb - ma) Wb / W,   M = Ma + Mb + (mb - ma)(mb - ma)' Wa Wb / W

A common origin is taken off first, so that no digits are lost whatever the offset of a column, and since pieces of
like size are merged pairwise the rounding error grows with the logarithm of their number. At most log2 of that number
of p x p matrices is held at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from .linalg import Floats, solve_psd
from .memory import require_bytes

Block = Sequence[Any]
"""(X, y) or (X, y, sample_weight); y may be None."""

_CHUNK_FLOATS = 2**20


@dataclass(frozen=True)
class Moments:
    """Centred second moments of p columns and m targets.

    Attributes
    ----------
    total : float
        W, the sum of the weights.
    shift : ndarray of shape (p + m,)
        m - origin.
    second : ndarray of shape (p + m, p + m)
        M.
    origin : ndarray of shape (p + m,)
        Where the columns are counted from.
    n_features : int
        p.
    """

    total: float
    shift: Floats
    second: Floats
    origin: Floats
    n_features: int

    @property
    def mean(self) -> Floats:
        """m, shape (p + m,)."""
        return self.origin + self.shift

    def around(self, centred: bool) -> Floats:
        """Return the mean second moments around the means, or around zero, shape (p + m, p + m)."""
        matrix: Floats = self.second / self.total
        return matrix if centred else matrix + np.outer(self.mean, self.mean)

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both together; they must have the same origin."""
        total = self.total + other.total
        share = other.total / total if total > 0 else 0.0
        apart = other.shift - self.shift
        second = self.second + other.second
        second += np.outer(apart, apart * (self.total * share))
        return Moments(total, self.shift + apart * share, second, self.origin, self.n_features)

    @classmethod
    def of_blocks(cls, blocks: Iterable[Block]) -> Moments:
        """Return the moments of all blocks, which are looked at once and one at a time.

        Parameters
        ----------
        blocks : iterable of (X, y) or (X, y, sample_weight)
            Of any number of rows each. Sparse blocks are made dense a few rows at a time.

        Raises
        ------
        ValueError
            If there are none, their columns differ, a weight is negative or a number is not finite.
        MemoryError
            If the p x p matrices do not fit.
        """
        tree: list[tuple[int, Moments]] = []
        for leaf in _leaves(blocks):
            level, moments = 0, leaf
            while tree and tree[-1][0] == level:
                moments = tree.pop()[1].merge(moments)
                level += 1
            tree.append((level, moments))
        if not tree:
            raise ValueError("there must be at least one block with rows")
        moments = tree.pop()[1]
        while tree:
            moments = tree.pop()[1].merge(moments)
        return moments


def _leaves(blocks: Iterable[Block]) -> Iterator[Moments]:
    """Yield the moments of pieces of the blocks that fit into the cache."""
    origin = np.empty(0)
    shape: tuple[int, int] | None = None
    for block in blocks:
        rows, target, weight = _checked(block)
        if shape is None:
            shape = rows.shape[1], target.shape[1]
            _require_room(sum(shape))
        elif shape != (rows.shape[1], target.shape[1]):
            raise ValueError(
                f"blocks must have the same columns: {shape[0]} features and {shape[1]} targets, then "
                f"{rows.shape[1]} and {target.shape[1]}"
            )
        chunk = max(256, _CHUNK_FLOATS // max(1, sum(shape)))
        for start in range(0, rows.shape[0], chunk):
            part = rows[start : start + chunk]
            piece = np.empty((part.shape[0], sum(shape)))
            piece[:, : shape[0]] = part.toarray() if sp.issparse(part) else part
            piece[:, shape[0] :] = target[start : start + chunk]
            if not np.isfinite(piece).all():
                raise ValueError("a block holds NaN or infinite numbers")
            if not len(origin):
                origin = piece.mean(axis=0)
            yield _leaf(piece, weight[start : start + chunk], origin, shape[0])


def _leaf(piece: Floats, weight: Floats, origin: Floats, n_features: int) -> Moments:
    total = float(weight.sum())
    piece -= origin
    shift = weight @ piece / (total if total > 0 else 1.0)
    piece -= shift
    piece *= np.sqrt(weight)[:, None]
    return Moments(total, shift, piece.T @ piece, origin, n_features)


def _checked(block: Any) -> tuple[Any, Floats, Floats]:
    if not isinstance(block, (tuple, list)) or len(block) not in (2, 3):
        raise ValueError("a block must be (X, y) or (X, y, sample_weight)")
    X, y = block[:2]
    rows = sp.csr_array(X) if sp.issparse(X) else np.asarray(X)
    if rows.ndim != 2:
        raise ValueError(f"X of a block must have two dimensions, got shape {rows.shape}")
    n_rows = rows.shape[0]
    target = np.empty((n_rows, 0)) if y is None else np.asarray(y, dtype=np.float64).reshape(np.shape(y)[0], -1)
    given = block[2] if len(block) == 3 else None
    weight = np.ones(n_rows) if given is None else np.asarray(given, dtype=np.float64)
    if len(target) != n_rows or weight.shape != (n_rows,):
        raise ValueError(f"a block of {n_rows} rows has {len(target)} targets and weights of shape {weight.shape}")
    if (weight < 0).any():
        raise ValueError("sample_weight of a block must not be negative")
    return rows, target, weight


def _require_room(n_columns: int) -> None:
    require_bytes(
        8 * 8 * n_columns**2,
        what=f"the moments of {n_columns} columns",
        way_out="use fewer columns, or fit in memory with a sparse X, which needs no p x p matrix",
    )


def least_squares(moments: Moments, *, alpha: float, fit_intercept: bool) -> dict[str, Any]:
    """Return the arguments of a `QuadraticModel` around the weights of ridge regression.

    They minimise the mean squared error plus alpha / W times the squared norm of the weights, as Ridge does.

    Raises
    ------
    ValueError
        If there is no target.
    """
    p, total = moments.n_features, moments.total
    if len(moments.mean) == p:
        raise ValueError("blocks without y need coef, the weights of a model trained elsewhere")
    second = moments.around(fit_intercept)
    curvature, cross, spread = second[:p, :p], second[:p, p:], np.diag(second)[p:]
    penalised = curvature + alpha / total * np.eye(p) if alpha else curvature
    centre = solve_psd(penalised, cross).T
    explained = 2 * np.einsum("mp,pm->m", centre, cross) - np.einsum("mp,mp->m", centre @ curvature, centre)
    return {
        "curvature": curvature,
        "centre": centre,
        "penalty": alpha / total,
        "mean": moments.mean[:p] if fit_intercept else None,
        "level": moments.mean[p:] if fit_intercept else np.zeros(len(centre)),
        "null_loss": spread,
        "base_loss": np.maximum(spread - explained, 0.0),
        "n_samples": total,
    }


def fidelity(moments: Moments, coef: ArrayLike, intercept: ArrayLike, *, fit_intercept: bool) -> dict[str, Any]:
    """Return the arguments of a `QuadraticModel` whose loss is the change of a given linear predictor."""
    p = moments.n_features
    centre = np.atleast_2d(np.asarray(coef, dtype=np.float64))
    curvature = moments.around(fit_intercept)[:p, :p]
    mean = moments.mean[:p] if fit_intercept else np.zeros(p)
    return {
        "curvature": curvature,
        "centre": centre,
        "mean": mean,
        "level": np.asarray(intercept, dtype=np.float64) + centre @ mean,
        "null_loss": np.einsum("mp,mp->m", centre @ curvature, centre),
        "n_samples": moments.total,
    }

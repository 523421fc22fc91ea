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

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from .checks import require_all_finite, require_bytes, require_number
from .gram import is_constant
from .linalg import Floats, solve_psd
from .row_blocks import Block, checked_blocks, require_finite

HOLD = 0.01
"""The `hold` of a `QuadraticModel` whose centre was not fitted on the rows.

Ten times as much costs loss on the rows (docs/decisions.md).
"""

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
        if not centred:
            return matrix + np.outer(self.mean, self.mean)
        flat = is_constant(np.diag(matrix), self.mean)
        matrix[flat] = matrix[:, flat] = 0.0
        return matrix

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both together, counted from the origin of this one."""
        total = self.total + other.total
        share = other.total / total if total > 0 else 0.0
        # Origins first: at an offset of 1e8 the means have lost the digits that the shifts still have.
        apart = (other.origin - self.origin) + (other.shift - self.shift)
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
            If there are none, all weights are zero, or a block is wrong, which is then named by its number.
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
        if moments.total == 0:
            raise ValueError("at least one row of the blocks must have a weight above 0")
        return moments


def _leaves(blocks: Iterable[Block]) -> Iterator[Moments]:
    """Yield the moments of pieces of the blocks that fit into the cache."""
    origin = np.empty(0)
    for number, rows, target, weight in checked_blocks(blocks):
        n_features, n_columns = rows.shape[1], rows.shape[1] + target.shape[1]
        if not len(origin):
            _require_room(n_columns)
        chunk = max(256, _CHUNK_FLOATS // max(1, n_columns))
        for start in range(0, rows.shape[0], chunk):
            part = rows[start : start + chunk]
            piece = np.empty((part.shape[0], n_columns))
            piece[:, :n_features] = part.toarray() if sp.issparse(part) else part
            piece[:, n_features:] = target[start : start + chunk]
            require_finite(piece, number, n_features)
            if not len(origin):
                origin = piece.mean(axis=0)
            yield _leaf(piece, weight[start : start + chunk], origin, n_features)


def _leaf(piece: Floats, weight: Floats, origin: Floats, n_features: int) -> Moments:
    total = float(weight.sum())
    piece -= origin
    shift = weight @ piece / (total if total > 0 else 1.0)
    piece -= shift
    piece *= np.sqrt(weight)[:, None]
    return Moments(total, shift, piece.T @ piece, origin, n_features)


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
        If there is no target, or alpha is negative.
    """
    p, total = moments.n_features, moments.total
    require_number("alpha", alpha, 0)
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


def fidelity(
    moments: Moments, coef: ArrayLike, intercept: ArrayLike, *, fit_intercept: bool, total: float | None = None
) -> dict[str, Any]:
    """Return the arguments of a `QuadraticModel` whose loss is the change of a given linear predictor.

    The weights of the rows may be multiplied by a curvature; `total` is their sum without it, to which the mean refers.
    """
    p = moments.n_features
    centre = np.atleast_2d(np.asarray(coef, dtype=np.float64))
    constant = np.asarray(intercept, dtype=np.float64)
    if centre.ndim != 2 or centre.shape[1] != p:
        raise ValueError(
            f"coef must have shape ({p},) or (m, {p}), as the blocks have {p} features; got {centre.shape}"
        )
    if constant.shape not in ((), (1,), (len(centre),)):
        raise ValueError(f"intercept must be a number or have shape ({len(centre)},), got {constant.shape}")
    require_all_finite("coef", centre)
    require_all_finite("intercept", constant)
    curvature = moments.around(fit_intercept)[:p, :p]
    if total is not None:
        curvature = curvature * (moments.total / total)
    mean = moments.mean[:p] if fit_intercept else np.zeros(p)
    return {
        "curvature": curvature,
        "centre": centre,
        "mean": mean,
        "hold": HOLD,
        "level": constant + centre @ mean,
        "null_loss": np.einsum("mp,mp->m", centre @ curvature, centre),
        "n_samples": moments.total,
    }

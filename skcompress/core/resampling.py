"""Least squares on bootstrap samples, from one pass over the rows.

The rows are split into B blocks. With Z = [X, Y] shifted by its overall mean, a block b has the moments

    n_b = sum s_i,      t_b = sum s_i z_i,      M_b = sum s_i z_i z_i'

and a bootstrap sample that takes block b a_b times, a ~ multinomial(B; 1/B, ..., 1/B), has the sums of a_b times these:
all samples together are one matrix product of the counts (n_boot, B) and the moments (blocks of single rows, which are
few, are kept as rows). The curvature and moment of a sample are

    G = M_xx / n - m_x m_x',     c = M_xy / n - m_x m_y',     m = t / n

with no row of X read again. Blocks of single rows are the ordinary bootstrap (Efron, "Bootstrap methods: another look
at the jackknife", 1979). With rows put into blocks at random, blocks of several rows have the same expectation for the
variance of each moment, estimated from B numbers in place of n.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from .gram import DenseGram, weighted_mean
from .linalg import Floats, Indices, Mask
from .quadratic import QuadraticModel

MOST_BLOCKS = 1000
"""Blocks at most: beyond, they cost more time than they bring exactness."""

_CHUNK_FLOATS = 2**22
"""32 MB of float64 for the products of some blocks; up to eight times that, so that they are at least `_AT_ONCE`."""

_AT_ONCE = 64
"""Blocks that are added up together: fewer, and moving the sums takes longer than adding."""


def blocks_of(n_rows: int, rng: np.random.RandomState, most: int = MOST_BLOCKS) -> list[Indices]:
    """Return the rows of each block: single rows in their order, or else random ones in blocks of equal length.

    The last block may be shorter.
    """
    length = -(-n_rows // most)
    order = np.arange(n_rows) if length == 1 else rng.permutation(n_rows)
    return [order[start : start + length] for start in range(0, n_rows, length)]


class ResampledSquares:
    """The moments of bootstrap samples.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n, p)
        A sparse X is made dense a few blocks at a time.
    Y : ndarray of shape (n, m)
        Targets.
    weight : ndarray of shape (n,)
        Sample weights.
    blocks : list of ndarray
        The rows of each block, the first the longest.
    counts : ndarray of shape (n_boot, n_blocks)
        How often each sample takes each block.
    """

    def __init__(self, X: Any, Y: Floats, weight: Floats, blocks: list[Indices], counts: Floats):
        self._n_columns = X.shape[1]
        self._centre = np.concatenate([weighted_mean(X, weight), weight @ Y / weight.sum()])
        self._rows = self._read(X, Y, np.arange(len(Y))) if len(blocks[0]) == 1 else None
        if self._rows is not None:
            self._row_weights: Floats = counts * weight
            self.totals: Floats = self._row_weights.sum(axis=1)
            return
        size, length, n_boot = len(self._centre), len(blocks[0]), len(counts)
        self.totals = np.zeros(n_boot)
        self._sums: Floats = np.zeros((n_boot, size))
        self._products: Floats = np.zeros((n_boot, size * size))
        together = _CHUNK_FLOATS // (size * (size + length))
        together = max(1, together, min(_AT_ONCE, 8 * together))
        for start in range(0, len(blocks), together):
            some = blocks[start : start + together]
            shape = (len(some), length)
            rows = np.concatenate(some)
            # Only the very last block may be shorter: zeros follow its rows.
            Z, s = np.zeros((len(some) * length, size)), np.zeros(len(some) * length)
            Z[: len(rows)] = self._read(X, Y, rows)
            s[: len(rows)] = weight[rows]
            weighted = (Z * s[:, None]).reshape(*shape, size)
            taken = counts[:, start : start + len(some)]
            self.totals += taken @ s.reshape(shape).sum(axis=1)
            self._sums += taken @ weighted.sum(axis=1)
            products = weighted.transpose(0, 2, 1) @ Z.reshape(*shape, size)
            self._products += taken @ products.reshape(len(some), -1)

    def _read(self, X: Any, Y: Floats, rows: Indices) -> Floats:
        """Return rows of Z, shifted."""
        part = X[rows].toarray() if sp.issparse(X) else X[rows]
        shifted: Floats = np.column_stack([part, Y[rows]]) - self._centre
        return shifted

    def _moments(self, sample: int) -> tuple[Floats, Floats]:
        """Return the mean and the mean product of one sample's shifted Z, shapes (q,) and (q, q)."""
        total = self.totals[sample]
        if self._rows is None:
            mean = self._sums[sample] / total
            return mean, self._products[sample].reshape(len(mean), -1) / total
        share = self._row_weights[sample] / total
        drawn = np.flatnonzero(share)
        half = self._rows[drawn] * np.sqrt(share[drawn])[:, None]
        return share @ self._rows, half.T @ half

    def quadratic(
        self, sample: int, *, free: Mask, penalty: Floats, fit_intercept: bool, order: Indices
    ) -> QuadraticModel:
        """Return the loss of least squares on one sample, around its minimum over the free weights.

        Parameters
        ----------
        sample : int
            Which one.
        free : ndarray of shape (m, p), dtype=bool
            Weights that may be other than zero.
        penalty : ndarray of shape (m, p)
            Diagonal of P.
        fit_intercept : bool
            Whether the columns are centred.
        order : ndarray of shape (p,)
            The order that the columns are to have; `free` and `penalty` are in the old one.
        """
        p, total = self._n_columns, self.totals[sample]
        mean, raw = self._moments(sample)
        spread = raw - np.outer(mean, mean)
        null = np.diag(spread)[p:].copy()
        if not fit_intercept:
            spread += np.outer(self._centre + mean, self._centre + mean)
        moment = spread[p:, :p][:, order]
        start = QuadraticModel(
            DenseGram(spread[np.ix_(order, order)]),
            np.zeros_like(moment),
            gradient=-2 * moment,
            penalty=penalty[:, order],
            free=free[:, order],
            null_loss=null,
        )
        weights = start.restrict(start.free).centre
        curved = np.einsum("ij,ij->i", start.grams[0].dot(weights), weights)
        rest = np.diag(spread)[p:] - 2 * np.einsum("ij,ij->i", moment, weights) + curved
        return QuadraticModel(
            start.grams[0],
            weights,
            mean=(self._centre + mean)[:p][order] if fit_intercept else None,
            penalty=start.penalty,
            free=start.free,
            null_loss=null,
            base_loss=np.maximum(rest, 0.0),
            n_samples=total,
        )

"""The optimum inside the box before any rounding: where the good searches are centred.

For one row, minimise (u - t)' H (u - t) over low <= u <= high. At the optimum u* the *pull* x = H (t - u*) is zero
where u* is inside, not negative at the upper end and not positive at the lower one, and for every u

    (u - t)' H (u - t) = (u* - t)' H (u* - t) + (u - u*)' H (u - u*) - 2 x'(u - u*)

with no negative term anywhere in the box. A search that is centred on u* and pays -2 x_j (u_j - u*_j) for each
weight that leaves its end of the box therefore has a lower bound that already contains what clipping costs; one
that is centred on t has none, and goes wrong where large collinear weights do not fit into the box.

The solver is block principal pivoting for bounds on both sides (Portugal, Judice and Vicente 1994, "A comparison
of block pivoting and interior-point algorithms for linear least squares problems with nonnegative variables"):
exchange every weight on the wrong side, and only the worst one once that no longer helps. With C the weights at
an end, u = t - inv(H)[:, C] x_C and inv(H)[C, C] x_C = t_C - end_C: small systems where few are clipped.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from ..linalg import Floats, Mask

MAX_EXCHANGES = 400
PATIENCE = 3
TOLERANCE = 1e-9


class Relaxation(NamedTuple):
    """The optimum in the box and its pull, both (B, k)."""

    centre: Floats
    pull: Floats


def relax(inverse: Floats, target: Floats, low: Floats, high: Floats) -> Relaxation:
    """Return the optimum of each row inside its box.

    Parameters
    ----------
    inverse : ndarray of shape (k, k)
        The inverse of H, positive definite.
    target : ndarray of shape (B, k)
        The optimum without the box.
    low, high : ndarray of shape (B, 1) or (B, k)
        The ends of the box.
    """
    low, high = np.broadcast_to(low, target.shape), np.broadcast_to(high, target.shape)
    centre, pull = np.clip(target, low, high), np.zeros_like(target)
    clipped = (target > high).astype(np.int8) - (target < low).astype(np.int8)
    follows = _parallel_to_the_one_before(target)
    for row in np.flatnonzero(clipped.any(axis=1)):
        # One output at the next trial scale: nearly the same weights are at an end.
        at_end = np.sign(pull[row - 1]).astype(np.int8) if follows[row] else clipped[row]
        centre[row], pull[row] = _relax_row(inverse, target[row], low[row], high[row], at_end)
    return Relaxation(centre, pull)


def _parallel_to_the_one_before(target: Floats) -> Mask:
    length = np.sqrt(np.einsum("ij,ij->i", target, target))
    along = np.einsum("ij,ij->i", target[1:], target[:-1])
    return np.concatenate([[False], along > (1 - 1e-12) * length[1:] * length[:-1]])


def _relax_row(
    inverse: Floats, target: Floats, low: Floats, high: Floats, at_end: NDArray[np.int8]
) -> tuple[Floats, Floats]:
    width = TOLERANCE * (high - low)
    spread = np.sqrt(np.diag(inverse))
    fewest, patience = len(target) + 1, PATIENCE
    for _ in range(MAX_EXCHANGES):
        pull = np.zeros_like(target)
        ends = np.flatnonzero(at_end)
        bound = np.where(at_end[ends] > 0, high[ends], low[ends])
        pull[ends] = _solve(inverse[np.ix_(ends, ends)], target[ends] - bound)
        centre = target - inverse[:, ends] @ pull[ends]
        centre[ends] = bound
        above, below = centre - high, low - centre
        outside = (at_end == 0) & (np.maximum(above, below) > width)
        wrong = np.flatnonzero(outside | (at_end * pull < 0))
        if not len(wrong):
            break
        if len(wrong) < fewest:
            fewest, patience = len(wrong), PATIENCE
        elif patience > 0:
            patience -= 1
        else:
            violation = np.where(outside, np.maximum(above, below) / spread, np.abs(pull) * spread)
            wrong = wrong[[np.argmax(violation[wrong])]]
        into = np.where(above[wrong] > 0, 1, -1)
        at_end[wrong] = np.where(outside[wrong], into, 0)
    return np.clip(centre, low, high), pull


def _solve(matrix: Floats, right: Floats) -> Floats:
    if not len(right):
        return right
    _, solution, failed = lapack.dposv(matrix, right)
    return np.asarray(np.linalg.solve(matrix, right) if failed else solution, dtype=np.float64)

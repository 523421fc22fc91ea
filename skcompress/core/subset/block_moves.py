"""The moves of forward, backward and swap with blocks of columns in place of single columns.

A unit g with columns J gains tr(R_J S_JJ^-1 R_J') where a column gains r_j^2 / s_j. Arrays carry a leading axis
over b curvatures. Units are gathered in buckets of equal size, so that each step is a few batched operations.
"""

from __future__ import annotations

import numpy as np

from ..linalg import Floats, Indices
from .backward import BLOCK
from .relaxation import Bucket


def blocks_at(matrix: Floats, columns: Indices) -> Floats:
    """Return the diagonal blocks (b, U, d, d) of matrices (b, q, q)."""
    blocks: Floats = matrix[:, columns[:, :, None], columns[:, None, :]]
    return blocks


def parts_at(rows: Floats, columns: Indices) -> Floats:
    """Return the columns of each unit, (b, U, t, d), of rows (b, t, q)."""
    parts: Floats = rows[:, :, columns].transpose(0, 2, 1, 3)
    return parts


def worth_of(blocks: Floats, parts: Floats) -> Floats:
    """Return tr(P M^-1 P') for each unit, summed over the curvatures, shape (U,).

    Parameters
    ----------
    blocks : ndarray of shape (b, U, d, d)
        M, positive definite.
    parts : ndarray of shape (b, U, r, d)
        P.
    """
    if blocks.shape[-1] == 1:
        worth: Floats = (np.square(parts[..., 0]).sum(axis=2) / blocks[..., 0, 0]).sum(axis=0)
    else:
        right = parts.swapaxes(2, 3)
        worth = (np.linalg.solve(blocks, right) * right).sum(axis=(0, 2, 3))
    return worth


class ForwardBlocks:
    """Block-pivoted Cholesky: what has been added, and what the other units have left.

    Parameters
    ----------
    matrix : ndarray of shape (b, q, q)
        A, positive definite.
    moments : ndarray of shape (b, r, q)
        C.
    members : list of ndarray
        The columns of each unit.
    buckets : list of Bucket
        The units whose gains are wanted.
    """

    def __init__(self, matrix: Floats, moments: Floats, members: list[Indices], buckets: list[Bucket]):
        self._matrix = matrix
        self._members = members
        self._buckets = buckets
        self._residual = moments.copy()
        self._rows = np.empty((len(matrix), matrix.shape[1], matrix.shape[1]))
        self._rank = 0
        self._left = [blocks_at(matrix, columns) for _, columns in buckets]

    def gains(self) -> Floats:
        """Return what each unit would gain, shape (n,); units that were added gain nothing."""
        gain = np.zeros(len(self._members))
        for (units, columns), left in zip(self._buckets, self._left, strict=True):
            gain[units] = worth_of(left, parts_at(self._residual, columns))
        return gain

    def add(self, unit: int) -> float:
        """Add a unit and return its gain."""
        columns = self._members[unit]
        done = self._rows[:, : self._rank]
        rest = self._matrix[:, columns] - done[:, :, columns].swapaxes(1, 2) @ done
        factor = np.linalg.cholesky(rest[:, :, columns])
        rows = np.linalg.solve(factor, rest)
        rho = np.linalg.solve(factor, self._residual[:, :, columns].swapaxes(1, 2))
        self._residual -= rho.swapaxes(1, 2) @ rows
        self._residual[:, :, columns] = 0.0
        self._rows[:, self._rank : self._rank + len(columns)] = rows
        self._rank += len(columns)
        for (units, others), left in zip(self._buckets, self._left, strict=True):
            part = parts_at(rows, others)
            left -= part.swapaxes(2, 3) @ part
            left[:, units == unit] = np.eye(others.shape[1])
        return float(np.square(rho).sum())


class BackwardBlocks:
    """Removal of units from an inverse curvature, with delayed updates.

    Parameters
    ----------
    inverse : ndarray of shape (b, q, q)
        K; columns that play no part are decoupled.
    moments : ndarray of shape (b, r, q)
        C, zero for columns that play no part.
    members : list of ndarray
        The columns of each unit.
    buckets : list of Bucket
        All units.

    Attributes
    ----------
    weights : ndarray of shape (b, r, q)
        The optimal weights.
    spread : list of ndarray of shape (b, U, d, d)
        The units' blocks of K, by bucket; the identity for units that are gone.
    """

    def __init__(self, inverse: Floats, moments: Floats, members: list[Indices], buckets: list[Bucket]):
        self._inverse = inverse.copy()
        self._members = members
        self._buckets = buckets
        self._spent = np.zeros((len(inverse), inverse.shape[1], 0))
        self.weights = moments @ inverse
        self.spread = [blocks_at(inverse, columns) for _, columns in buckets]

    def remove(self, unit: int) -> None:
        """Take a unit out."""
        columns = self._members[unit]
        reach = self._inverse[:, columns] - self._spent[:, columns] @ self._spent.swapaxes(1, 2)
        factor = np.linalg.cholesky(reach[:, :, columns])
        rows = np.linalg.solve(factor, reach)
        rho = np.linalg.solve(factor, self.weights[:, :, columns].swapaxes(1, 2))
        self.weights -= rho.swapaxes(1, 2) @ rows
        self.weights[:, :, columns] = 0.0
        for (units, others), spread in zip(self._buckets, self.spread, strict=True):
            part = parts_at(rows, others)
            spread -= part.swapaxes(2, 3) @ part
            spread[:, units == unit] = np.eye(others.shape[1])
        self._spent = np.concatenate([self._spent, rows.swapaxes(1, 2)], axis=2)
        if self._spent.shape[2] >= BLOCK:
            self._inverse -= self._spent @ self._spent.swapaxes(1, 2)
            self._spent = self._spent[:, :, :0]


class SwapBlocks:
    """A support of units and what the swaps around it need.

    Parameters
    ----------
    matrix : ndarray of shape (b, q, q)
        A, positive definite.
    moments : ndarray of shape (b, r, q)
        C.
    members : list of ndarray
        The columns of each unit.
    buckets : list of Bucket
        All units.
    chosen : ndarray of shape (k,)
        The support.
    floor : float
        What a unit has left at least of each of its own columns' curvature.
    """

    def __init__(
        self,
        matrix: Floats,
        moments: Floats,
        members: list[Indices],
        buckets: list[Bucket],
        chosen: Indices,
        floor: float,
    ):
        self._buckets = buckets
        self._chosen = chosen
        self._n_units = len(members)
        self._floor = floor
        columns = np.concatenate([members[unit] for unit in chosen])
        ends = np.cumsum([len(members[unit]) for unit in chosen])
        self._places = {
            unit: slice(int(end) - len(members[unit]), int(end))
            for unit, end in zip(chosen.tolist(), ends, strict=True)
        }
        factor = np.linalg.cholesky(matrix[:, columns[:, None], columns])
        half = np.linalg.solve(factor, matrix[:, columns])
        half_moments = np.linalg.solve(factor, moments[:, :, columns].swapaxes(1, 2))
        upper = factor.swapaxes(1, 2)
        inverse_factor = np.linalg.solve(factor, np.eye(len(columns)))
        self._inverse = inverse_factor.swapaxes(1, 2) @ inverse_factor
        self._weights = np.linalg.solve(upper, half_moments).swapaxes(1, 2)
        self._ratio = np.linalg.solve(upper, half)
        self._residual = moments - half_moments.swapaxes(1, 2) @ half
        self._left = []
        for _, others in buckets:
            part = parts_at(half, others)
            self._left.append(blocks_at(matrix, others) - part.swapaxes(2, 3) @ part)
        self.gain = float(np.square(half_moments).sum())

    def changes(self, unit: int) -> Floats:
        """Return the change of the loss when `unit` is swapped for each other unit, shape (n,)."""
        inside = self._places[unit]
        ratio = self._ratio[:, inside]
        weights = self._weights[:, :, inside]
        factor = np.linalg.cholesky(self._inverse[:, inside, inside])
        lift = np.linalg.solve(factor, ratio)
        rho = np.linalg.solve(factor, weights.swapaxes(1, 2))
        residual = self._residual + rho.swapaxes(1, 2) @ lift
        delta = np.full(self._n_units, np.inf)
        for (units, columns), left in zip(self._buckets, self._left, strict=True):
            part = parts_at(lift, columns)
            room = left + part.swapaxes(2, 3) @ part + self._floor * np.eye(columns.shape[1])
            delta[units] = float(np.square(rho).sum()) - worth_of(room, parts_at(residual, columns))
        delta[self._chosen] = np.inf
        return delta

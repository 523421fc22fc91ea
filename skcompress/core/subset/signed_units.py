"""Supports under signs whose units are groups of columns, for all outputs together.

Each set of units is solved for every output on its own. A unit that is not in the support promises at most

    sum over its columns and outputs of r_j^2 / s_j

where the slope r_j has a sign that it may have and s_j is what the support leaves of the column; the promise is exact
for a unit of one column that upsets no other sign. The most promising units are solved.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..linalg import NO_SLOPE, Floats, Indices, Mask, solve_signed
from ..quadratic import QuadraticModel
from ..units import Units
from .columns import ColumnProblem
from .curvature import Curvature, inverse_from, regular_factor_of, support_factor_of
from .forward import TIE
from .problem import Problem
from .signed import State
from .signed_columns import SignedColumns, gains_under_signs
from .swap_state import IMPROVES

ADDED = 16
"""Units at most that are solved before one is added."""

LEAVING, ENTERING = 16, 6
"""Units that are tried to be left out, cheapest first, and for each of them those that are tried in its place."""


class _Part(NamedTuple):
    """One output: its curvature, its moments (n,), its signs (n,), and the columns of each unit."""

    curvature: Curvature
    moments: Floats
    signs: Floats
    members: list[Indices]


class SignedUnits:
    """Groups under signs; see `skcompress.core.subset.signed.SignedProblem` for the interface.

    Parameters
    ----------
    parts : list of _Part
        The outputs.
    kept : ndarray of shape (n,), dtype=bool
        Units that are always there.
    kept_columns : list of ndarray of bool
        For each output the columns that are preferred as independent ones.
    """

    def __init__(self, parts: list[_Part], kept: Mask, kept_columns: list[Mask]):
        self._parts = parts
        self._kept = np.flatnonzero(kept)
        self._first = kept_columns
        self._n_units = len(kept)

    def solve(self, units: Indices) -> State:
        """Return the constrained optimum on these units and those always kept."""
        present = np.union1d(units, self._kept).astype(np.intp)
        gain, alive = 0.0, np.zeros(len(present), dtype=bool)
        for part, first in zip(self._parts, self._first, strict=True):
            columns, owner = self._columns(part, present)
            right = part.moments[columns]
            preferred = first[columns] if first.any() else None
            weights = solve_signed(part.curvature.block(columns), right, part.signs[columns], preferred)
            gain += float(right @ weights)
            alive[owner[weights != 0]] = True
        return State(present[alive], gain)

    def grow(self, state: State, size: int) -> State | None:
        """Return the best of the states with a promising unit more."""
        return self._added(state, state.gain, size, ADDED)

    def costs(self, units: Indices, state: State) -> Floats:
        """Return z' K^-1 z of each unit, K its block of the inverse curvature of these units; 0 if that is singular."""
        costs = np.zeros(self._n_units)
        present = np.union1d(units, self._kept).astype(np.intp)
        for part in self._parts:
            columns, owner = self._columns(part, present)
            block = part.curvature.block(columns)
            factor = regular_factor_of(block)
            if factor is None:
                continue
            inverse = inverse_from(factor)
            weights = solve_signed(block, part.moments[columns], part.signs[columns])
            for place, unit in enumerate(present.tolist()):
                own = np.flatnonzero(owner == place)
                costs[unit] += weights[own] @ np.linalg.solve(inverse[np.ix_(own, own)], weights[own])
        return costs

    def swap(self, state: State, size: int) -> State | None:
        """Return the best of the states with a cheap unit swapped for a promising one."""
        movable = np.setdiff1d(state.units, self._kept)
        enough = state.gain + IMPROVES * abs(state.gain)
        without = [self.solve(np.setdiff1d(state.units, unit)) for unit in movable]
        order = np.argsort([-left.gain for left in without], kind="stable")[:LEAVING]
        best = None
        for place in order.tolist():
            found = self._added(
                without[place], enough if best is None else best.gain, size, ENTERING, int(movable[place])
            )
            best = best if found is None else found
        return best

    def _added(self, state: State, gain: float, size: int, tried: int, barred: int = -1) -> State | None:
        """Return the best state with one of the promising units more that explains more than `gain`."""
        promises = self._promises(state)
        promises[state.units] = 0.0
        if barred >= 0:
            promises[barred] = 0.0
        ranks = np.rint(promises / (TIE * max(promises.max(initial=0.0), np.finfo(np.float64).tiny)))
        order = np.argsort(-ranks, kind="stable")
        best, solved = None, 0
        for unit in order[promises[order] > 0].tolist():
            # After as many as should do, only until one is found at all.
            if solved >= tried and (best is not None or barred >= 0):
                break
            found, solved = self.solve(np.append(state.units, unit)), solved + 1
            if len(found.units) <= size and found.gain > gain:
                best, gain = found, found.gain * (1 + TIE)
        return best

    def _promises(self, state: State) -> Floats:
        promises = np.zeros(self._n_units)
        for part in self._parts:
            columns, _ = self._columns(part, state.units)
            block = part.curvature.block(columns)
            weights = solve_signed(block, part.moments[columns], part.signs[columns])
            used = columns[weights != 0]
            rows = part.curvature.rows(used)
            residual = part.moments - weights[weights != 0] @ rows
            factor = support_factor_of(rows[:, used] + 1e-12 * np.eye(len(used)))
            left = part.curvature.diagonal - np.einsum("ij,ij->j", rows, inverse_from(factor) @ rows)
            level = NO_SLOPE * np.abs(part.moments).max(initial=0.0)
            worth = gains_under_signs(residual, left, part.signs, level)
            for unit, columns in enumerate(part.members):
                promises[unit] += worth[columns].sum()
        return promises

    @staticmethod
    def _columns(part: _Part, units: Indices) -> tuple[Indices, Indices]:
        """Return the columns of these units, and for each the place of its unit."""
        members = [part.members[unit] for unit in units.tolist()]
        if not members:
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
        return np.concatenate(members), np.repeat(np.arange(len(members)), [len(one) for one in members])


def signed_of(
    quadratic: QuadraticModel, units: Units, problems: list[Problem]
) -> list[SignedColumns] | list[SignedUnits]:
    """Return for each problem the same units under the signs of the quadratic.

    Parameters
    ----------
    quadratic : QuadraticModel
        The loss itself: its moments are those without signs.
    units : Units
        What is kept or pruned as a whole.
    problems : list of Problem
        As `problems_of` cuts them.
    """
    moment = quadratic.moment() / np.sqrt(quadratic.loss_unit)[:, None]
    if units.per_output:
        return [
            _columns_of(problem, row, signs)
            for problem, row, signs in zip(problems, moment, quadratic.signs, strict=True)
        ]
    ids = problems[0].unit_ids
    parts, first = [], []
    shared: dict[bytes, Curvature] = {}
    for output in range(quadratic.n_outputs):
        columns = np.flatnonzero(units.labels[output] >= 0)
        key = columns.tobytes() + (b"" if quadratic.shared else str(output).encode())
        if key not in shared:
            shared[key] = Curvature(quadratic, output, columns, units.kept_columns)
        curvature = shared[key]
        order = np.argsort(units.labels[output, columns], kind="stable")
        ends = np.searchsorted(units.labels[output, columns][order], ids, side="right")
        starts = np.searchsorted(units.labels[output, columns][order], ids, side="left")
        members = [order[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        live = curvature.diagonal > 0
        members = [columns_of_unit[live[columns_of_unit]] for columns_of_unit in members]
        parts.append(
            _Part(curvature, moment[output, columns] / curvature.scale, quadratic.signs[output, columns], members)
        )
        first.append(units.kept_columns[columns])
    return [SignedUnits(parts, problems[0].kept, first)]


def _columns_of(problem: Problem, moment: Floats, signs: Floats) -> SignedColumns:
    """Return the columns of one output under signs, given its moments and signs, shape (p,)."""
    assert isinstance(problem, ColumnProblem)
    curvature = problem.curvature
    columns = curvature.columns
    return SignedColumns(curvature, moment[columns] / curvature.scale, signs[columns], problem.kept)

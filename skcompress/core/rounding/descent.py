"""Local search over roundings: single moves and pair moves until none helps.

With g = H (t - u), the *pull*, moving u_i by a and u_j by b changes the loss by

    D_i(a) + D_j(b) + 2 a b H_ij,   D_i(a) = a^2 H_ii - 2 a g_i

A sweep moves each weight in turn to its best value given all the others. Pair moves take the best pair of
steps to a neighbouring value: one partner from the `CANDIDATES` weights that are cheapest to move, the other
any weight.
"""

from __future__ import annotations

import numpy as np

from ..linalg import Floats
from .nearest import nearest
from .problem import Problem

MAX_SWEEPS = 20
CANDIDATES = 24
MOVES_PER_COLUMN = 4
RELATIVE_GAIN = 1e-9
"""A move must gain this share of the row's loss: rounding errors cannot make it go round in circles."""


def descent(problem: Problem) -> Floats:
    """Return the rounding to nearest of each row, improved by single and pair moves, shape (B, k)."""
    return descend(problem, nearest(problem))


def descend(problem: Problem, values: Floats, pairs: bool = True) -> Floats:
    """Return values improved by sweeps and then by pair moves, never worse than they were.

    Parameters
    ----------
    problem : Problem
        B rows over k columns.
    values : ndarray of shape (B, k)
        Where to start; in the box.
    pairs : bool
        Whether to go on with pair moves.
    """
    swept = sweep(problem, values)
    if pairs:
        swept = pair_moves(problem, swept)
    return problem.better(values, swept)


def sweep(problem: Problem, values: Floats) -> Floats:
    """Return values moved one weight at a time until no single move helps."""
    matrix = problem.curvature.matrix
    scale = np.where(problem.curvature.diagonal > 0, problem.curvature.diagonal, np.inf)
    values = values.copy()
    pull = (problem.target - values) @ matrix
    for _ in range(MAX_SWEEPS):
        moved = False
        # The columns that can move at all are few after the first sweep.
        wanted = problem.box.nearest(values + pull / scale)
        for j in np.flatnonzero((wanted != values).any(axis=0)):
            box = problem.box.columns(slice(j, j + 1))
            step = box.nearest(values[:, j : j + 1] + pull[:, j : j + 1] / scale[j])[:, 0] - values[:, j]
            gain = step * (2 * pull[:, j] - step * problem.curvature.diagonal[j])
            rows = np.flatnonzero((step != 0) & (gain > 0))
            if len(rows):
                moved = True
                values[rows, j] += step[rows]
                pull[rows] -= np.outer(step[rows], matrix[j])
        if not moved:
            break
    return values


def pair_moves(problem: Problem, values: Floats) -> Floats:
    """Return values moved by the best single or pair move again and again until none helps."""
    matrix = problem.curvature.matrix
    values = values.copy()
    n_columns = values.shape[1]
    active = np.arange(len(values))
    for _ in range(MOVES_PER_COLUMN * n_columns):
        if not len(active):
            break
        part = problem.take(active)
        here = values[active]
        pull = (problem.target[active] - here) @ matrix
        error = problem.target[active] - here
        least = RELATIVE_GAIN * np.einsum("ij,ij->i", pull, error)
        gain, first, a, second, b = _best_pair(part, here, pull)
        helps = gain > np.maximum(least, 0.0)
        rows = np.flatnonzero(helps)
        active = active[rows]
        values[active, first[rows]] += a[rows]
        values[active, second[rows]] += b[rows]
    return problem.box.nearest(values)


def _best_pair(problem: Problem, values: Floats, pull: Floats) -> tuple[Floats, np.ndarray, Floats, np.ndarray, Floats]:
    """Return the gain of the best move of each row and the move: column and step, twice (step 0: none)."""
    matrix = problem.curvature.matrix
    n_rows, n_columns = values.shape
    up, down = problem.box.neighbours(values)
    steps = np.concatenate([up - values, down - values], axis=1)
    columns = np.concatenate([np.arange(n_columns)] * 2)
    change = steps * (steps * problem.curvature.diagonal[columns] - 2 * pull[:, columns])
    n_candidates = min(2 * CANDIDATES, 2 * n_columns)
    blocked = steps == 0
    ranked = np.where(blocked, np.inf, change)
    lead = np.argpartition(ranked, n_candidates - 1, axis=1)[:, :n_candidates]
    each_row = np.arange(n_rows)[:, None]
    lead_column = columns[lead]
    lead_step = steps[each_row, lead]
    lead_change = change[each_row, lead]
    coupling = matrix[lead_column]
    # With the same column twice the second step would be counted from the wrong place: leave it alone.
    joint = coupling[:, :, columns] * steps[:, None, :] * (2 * lead_step[:, :, None])
    total = joint + change[:, None, :] + lead_change[:, :, None]
    total[columns[None, None, :] == lead_column[:, :, None]] = np.inf
    single = lead_change
    flat = total.reshape(n_rows, -1)
    best = np.argmin(flat, axis=1)
    row = np.arange(n_rows)
    pair_change = flat[row, best]
    best_single = np.argmin(single, axis=1)
    alone = single[row, best_single] <= pair_change
    first = np.where(alone, lead_column[row, best_single], lead_column[row, best // (2 * n_columns)])
    a = np.where(alone, lead_step[row, best_single], lead_step[row, best // (2 * n_columns)])
    second = columns[best % (2 * n_columns)]
    b = np.where(alone, 0.0, steps[row, best % (2 * n_columns)])
    return -np.where(alone, single[row, best_single], pair_change), first, a, second, b

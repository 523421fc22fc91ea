"""Local search over roundings: single moves and pair moves until none helps.

With g = H (t - u), the *pull*, moving u_i by a and u_j by b changes the loss by

    D_i(a) + D_j(b) + 2 a b H_ij,   D_i(a) = a^2 H_ii - 2 a g_i

A sweep moves each weight in turn to its best value given all the others. Then the best pair of steps to
neighbouring values is taken again and again. One partner is among the `LEADERS` weights that are cheapest to
move; the other is any weight or, where there are many, one of the `PARTNERS` most correlated with it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..linalg import Floats, Indices
from .elementwise import nearest
from .integer_least_squares import Problem

MAX_SWEEPS = 20
LEADERS = 24
PARTNERS = 96
MOVES_PER_COLUMN = 4
EFFORT = 1e7
"""Pairs of moves that one search may look at; where that is not enough to get anywhere, it is left out."""

RELATIVE_GAIN = 1e-9
"""A move must gain this share of the row's loss: rounding errors cannot make it go round in circles."""


class Move(NamedTuple):
    """The best move of each row: its gain and two columns with their steps (0: none), each of shape (B,)."""

    gain: Floats
    first: Indices
    first_step: Floats
    second: Indices
    second_step: Floats


def descent(problem: Problem) -> Floats:
    """Return the rounding to nearest of each row, improved by single and pair moves, shape (B, k)."""
    return descend(problem, nearest(problem))


def descend(problem: Problem, values: Floats) -> Floats:
    """Return values improved by sweeps and then by pair moves, never worse than they were.

    Parameters
    ----------
    problem : Problem
        B rows over k columns.
    values : ndarray of shape (B, k)
        Where to start; in the box.
    """
    return pair_moves(problem, sweep(problem, values))


def sweep(problem: Problem, values: Floats) -> Floats:
    """Return values moved one weight at a time until no single move helps."""
    matrix, diagonal = problem.curvature.matrix, problem.curvature.diagonal
    stiffness = np.where(diagonal > 0, diagonal, np.inf)
    values = values.copy()
    pull = (problem.target - values) @ matrix
    for _ in range(MAX_SWEEPS):
        moved = False
        wanted = problem.box.nearest(values + pull / stiffness)
        for j in np.flatnonzero((wanted != values).any(axis=0)):
            here = values[:, j : j + 1]
            there = problem.box.columns(slice(j, j + 1)).nearest(here + pull[:, j : j + 1] / stiffness[j])
            step = (there - here)[:, 0]
            rows = np.flatnonzero(step * (2 * pull[:, j] - step * diagonal[j]) > 0)
            if len(rows):
                moved = True
                values[rows, j] = there[rows, 0]
                pull[rows] -= np.outer(step[rows], matrix[j])
        if not moved:
            break
    return values


def pair_moves(problem: Problem, values: Floats) -> Floats:
    """Return values moved by the best single or pair move again and again until none helps."""
    matrix = problem.curvature.matrix
    n_rows, n_columns = values.shape
    looked_at = n_rows * (2 * LEADERS * 2 * min(PARTNERS, n_columns) + n_columns)
    rounds = int(min(MOVES_PER_COLUMN * n_columns, EFFORT / max(1, looked_at)))
    if 4 * rounds < n_columns or n_columns == 0:
        return values
    partners = problem.curvature.most_correlated(PARTNERS) if n_columns > PARTNERS else None
    values = values.copy()
    pull = (problem.target - values) @ matrix
    active = np.arange(n_rows)
    for _ in range(rounds):
        move = _best_move(problem.take(active), values[active], pull[active], partners)
        loss = np.einsum("ij,ij->i", pull[active], problem.target[active] - values[active])
        helps = move.gain > np.maximum(RELATIVE_GAIN * loss, 0.0)
        active = active[helps]
        if not len(active):
            break
        for column, step in ((move.first, move.first_step), (move.second, move.second_step)):
            values[active, column[helps]] += step[helps]
            pull[active] -= step[helps, None] * matrix[column[helps]]
    return problem.box.nearest(values)


def _best_move(problem: Problem, values: Floats, pull: Floats, partners: Indices | None) -> Move:
    """Return the best single or pair move of each row."""
    n_rows, n_columns = values.shape
    row = np.arange(n_rows)
    up, down = problem.box.neighbours(values)
    steps = np.stack([up - values, down - values])
    change = steps * (steps * problem.curvature.diagonal - 2 * pull)
    n_leaders = min(LEADERS, n_columns)
    ranked = np.where(steps == 0, np.inf, change).min(axis=0)
    leaders = np.argpartition(ranked, n_leaders - 1, axis=1)[:, :n_leaders]
    # Axes from here on: row, leader, the leader's direction, the partner's direction, partner.
    own_step = np.moveaxis(steps[:, row[:, None], leaders], 0, 2)
    own_change = np.moveaxis(change[:, row[:, None], leaders], 0, 2)
    if partners is None:
        coupling = problem.curvature.matrix[leaders]
        other_step, other_change = np.moveaxis(steps, 0, 1)[:, None], np.moveaxis(change, 0, 1)[:, None]
        same = np.arange(n_columns) == leaders[:, :, None]
    else:
        others = partners[leaders]
        coupling = problem.curvature.matrix[leaders[:, :, None], others]
        other_step = np.moveaxis(steps[:, row[:, None, None], others], 0, 2)
        other_change = np.moveaxis(change[:, row[:, None, None], others], 0, 2)
        same = others == leaders[:, :, None]
    total = 2 * own_step[..., None, None] * other_step[:, :, None] * coupling[:, :, None, None]
    total = total + own_change[..., None, None] + other_change[:, :, None]
    # A leader with itself stands for the single move.
    alone = np.broadcast_to(own_change[..., None, None], total.shape)
    total = np.where(same[:, :, None, None], alone, total)
    best = np.argmin(total.reshape(n_rows, -1), axis=1)
    leader, direction, other_direction, place = np.unravel_index(best, total.shape[1:])
    first = leaders[row, leader]
    second = place if partners is None else partners[first, place]
    other = np.where(second == first, 0.0, steps[other_direction, row, second])
    return Move(-total.reshape(n_rows, -1)[row, best], first, own_step[row, leader, direction], second, other)

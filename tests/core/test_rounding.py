"""Every rounding against brute force and against the others."""

import itertools
from importlib import import_module

import numpy as np
import pytest

from skcompress.core.grids import GRIDS, IntegerBox, box_of
from skcompress.core.rounding import ROUNDINGS, Curvature, Problem
from skcompress.core.rounding.beam import beam_of_width
from skcompress.core.rounding.descent import descend, pair_moves, sweep
from skcompress.core.rounding.gptq import gptq, nearest_plane


def random_problem(seed, n_columns=5, n_rows=4, top=2, singular=False):
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(3 if singular else 30 + 2 * n_columns, n_columns))
    half += rng.normal(size=(len(half), 1))
    target = rng.normal(size=(n_rows, n_columns)) * top
    bound = np.full((n_rows, 1), float(top))
    return Problem(Curvature(half.T @ half / len(half)), target, IntegerBox(-bound, bound))


def best_by_enumeration(problem, allowed):
    points = np.array(list(itertools.product(allowed, repeat=problem.target.shape[1])))
    error = points[None] - problem.target[:, None]
    return np.einsum("rcj,jk,rck->rc", error, problem.curvature.matrix, error).min(axis=1)


@pytest.mark.parametrize("name", ROUNDINGS)
@pytest.mark.parametrize("kind", GRIDS)
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_values_lie_in_the_box_and_points_of_the_box_stay(name, kind, bits):
    problem = random_problem(0)
    zero = GRIDS[kind].zero_point(np.full((4, 1), -3.0), np.ones((4, 1)), bits)
    box = box_of(GRIDS[kind], bits, 4, zero)
    values = ROUNDINGS[name].round(Problem(problem.curvature, problem.target, box))
    assert np.array_equal(box.nearest(values), values)
    again = ROUNDINGS[name].round(Problem(problem.curvature, values, box))
    assert np.array_equal(again, values)


@pytest.mark.parametrize("name", ROUNDINGS)
@pytest.mark.parametrize("singular", [False, True])
def test_no_rounding_beats_enumeration_and_the_good_ones_come_close(name, singular):
    found = best = 0.0
    for seed in range(20):
        problem = random_problem(seed, singular=singular)
        least = best_by_enumeration(problem, np.arange(-2, 3))
        excess = problem.excess(ROUNDINGS[name].round(problem))
        assert (excess >= least - 1e-9).all()
        found, best = found + excess.sum(), best + least.sum()
    allowance = {"nearest": 40.0, "floor": 200.0, "gptq": 4.0, "descent": 2.0, "beam": 1.5, "stochastic": 100.0}.get(
        name, 1.02
    )
    assert found <= allowance * best + 1e-6


@pytest.mark.parametrize("name", sorted(set(ROUNDINGS) - {"floor", "stochastic"}))
def test_without_coupling_every_rounding_is_the_nearest(name):
    target = np.random.default_rng(0).normal(size=(3, 7)) * 3
    bound = np.full((3, 1), 4.0)
    problem = Problem(Curvature(np.diag(np.arange(1.0, 8))), target, IntegerBox(-bound, bound))
    assert np.array_equal(ROUNDINGS[name].round(problem), np.clip(np.rint(target), -4, 4))


def test_gptq_is_the_sequential_formula():
    problem = random_problem(1, n_columns=120)
    matrix = problem.curvature.matrix
    order = problem.curvature.factor.order
    target, error = problem.target.copy(), np.zeros_like(problem.target)
    for place in range(119, -1, -1):
        # The best continuous value of this column given the columns fixed so far and the rest at their best.
        left = order[:place]
        j = order[place]
        block = matrix[np.ix_(order[: place + 1], order[: place + 1])] + 1e-12 * np.eye(place + 1)
        pull = error @ matrix[:, order[: place + 1]]
        shift = -np.linalg.solve(block, pull.T).T[:, -1]
        value = np.clip(np.rint(target[:, j] + shift), -2, 2)
        error[:, j] = value - target[:, j]
        assert len(left) == place
    assert gptq(problem) == pytest.approx(target + error)


def test_beam_of_width_one_is_nearest_plane_around_the_relaxation_and_a_full_beam_is_optimal():
    problem = random_problem(2)
    centre, pull = problem.relaxation
    plane = nearest_plane(problem.box, problem.curvature.confident_factor, centre, pull)
    assert np.array_equal(beam_of_width(problem, 1), plane)
    wide = problem.excess(beam_of_width(problem, 5**5, children=5))
    assert wide == pytest.approx(best_by_enumeration(problem, np.arange(-2, 3)))


def test_beam_gives_the_same_in_chunks(monkeypatch):
    problem = random_problem(3, n_columns=20, n_rows=9)
    whole = beam_of_width(problem, 8)
    monkeypatch.setattr(import_module("skcompress.core.rounding.beam"), "FLOATS_AT_ONCE", 400)
    assert np.array_equal(beam_of_width(problem, 8), whole)


@pytest.mark.parametrize("seed", range(5))
def test_descent_ends_where_no_single_and_no_pair_move_helps(seed):
    problem = random_problem(seed, n_columns=9)
    values = descend(problem, problem.box.nearest(problem.target))
    excess = problem.excess(values)
    for i, j in itertools.combinations(range(9), 2):
        for a, b in itertools.product((-1, 0, 1), repeat=2):
            moved = values.copy()
            moved[:, i] += a
            moved[:, j] += b
            inside = (problem.box.nearest(moved) == moved).all(axis=1)
            assert (problem.excess(moved)[inside] >= excess[inside] * (1 - 1e-8)).all()


def test_local_search_never_makes_a_row_worse():
    problem = random_problem(4, n_columns=15)
    start = problem.box.nearest(problem.target)
    swept = sweep(problem, start)
    assert (problem.excess(swept) <= problem.excess(start) + 1e-12).all()
    assert (problem.excess(pair_moves(problem, swept)) <= problem.excess(swept) + 1e-12).all()


def test_factor_solves_and_reproduces_the_curvature():
    problem = random_problem(5, n_columns=8)
    factor = problem.curvature.factor
    upper = factor.diagonal[:, None] * np.triu(factor.ratios)
    permuted = problem.curvature.matrix[np.ix_(factor.order, factor.order)]
    assert upper.T @ upper == pytest.approx(permuted, rel=1e-8)
    assert factor.solve(problem.target) @ problem.curvature.matrix == pytest.approx(problem.target, rel=1e-6)

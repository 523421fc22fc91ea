"""Every rounding against brute force and against the others."""

import itertools
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from skcompress.core.grids import GRIDS, IntegerBox, LevelBox, box_of
from skcompress.core.rounding import ROUNDINGS, Curvature, Problem
from skcompress.core.rounding.descent import descend, pair_moves, sweep
from skcompress.core.rounding.exact import MAX_COLUMNS, exact
from skcompress.core.rounding.hessian import confident_order
from skcompress.core.rounding.integer_least_squares import relax
from skcompress.core.rounding.lattice import neighbourhoods
from skcompress.core.rounding.nearest_plane import beam_of_width, gptq

SEARCHED = {"beam", "lattice", "joint", "exact"}


def random_problem(seed, n_columns=5, n_rows=4, top=2, singular=False, spread=1.0):
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(3 if singular else 30 + 2 * n_columns, n_columns))
    half += spread * rng.normal(size=(len(half), 1))
    target = rng.normal(size=(n_rows, n_columns)) * top
    bound = np.full((n_rows, 1), float(top))
    return Problem(Curvature(half.T @ half / len(half)), target, IntegerBox(-bound, bound))


def excess_of_all(problem, allowed):
    points = np.array(list(itertools.product(allowed, repeat=problem.target.shape[1])))
    error = points[None] - problem.target[:, None]
    return np.einsum("rcj,jk,rck->rc", error, problem.curvature.matrix, error)


def boxes():
    yield "integers", IntegerBox(np.full((4, 1), -2.0), np.full((4, 1), 2.0)), np.arange(-2, 3)
    yield "signs", box_of(GRIDS["symmetric"], 1, 4), [-1, 1]
    yield "powers", box_of(GRIDS["power_of_two"], 3, 4), GRIDS["power_of_two"].values(3)
    levels = np.array([-1.7, -0.3, 0.0, 2.1])
    table = np.tile(levels, (4, 1))
    yield "levels of each row", LevelBox(table, np.zeros((4, 1)), np.full((4, 1), 3.0)), levels


@pytest.mark.parametrize("name", ROUNDINGS)
@pytest.mark.parametrize("kind", [kind for kind in GRIDS if kind != "codebook"])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_values_lie_in_the_box_and_points_of_the_box_stay(name, kind, bits):
    problem = random_problem(0)
    zero = GRIDS[kind].zero_point(np.full((4, 1), -3.0), np.ones((4, 1)), bits)
    box = box_of(GRIDS[kind], bits, 4, zero_point=zero)
    values = ROUNDINGS[name].round(Problem(problem.curvature, problem.target, box))
    assert np.array_equal(box.nearest(values), values)
    again = ROUNDINGS[name].round(Problem(problem.curvature, values, box))
    assert np.array_equal(again, values)


@pytest.mark.parametrize("name", ROUNDINGS)
@pytest.mark.parametrize("singular", [False, True])
@pytest.mark.parametrize("box", list(boxes()), ids=lambda entry: entry[0])
def test_no_rounding_beats_enumeration_and_the_searches_reach_it(name, singular, box):
    _, box, allowed = box
    found = best = 0.0
    for seed in range(8):
        problem = random_problem(seed, n_columns=4, singular=singular)
        problem = Problem(problem.curvature, problem.target / 2, box)
        least = excess_of_all(problem, allowed).min(axis=1)
        excess = problem.excess(ROUNDINGS[name].round(problem))
        assert (excess >= least - 1e-9).all()
        if name == "exact":
            assert excess == pytest.approx(least, abs=1e-8)
        found, best = found + excess.sum(), best + least.sum()
    if name in SEARCHED:
        assert found <= (1.05 if singular else 1.001) * best + 1e-6


@pytest.mark.parametrize("name", sorted(set(ROUNDINGS) - {"floor", "stochastic"}))
def test_without_coupling_every_rounding_is_the_nearest(name):
    target = np.random.default_rng(0).normal(size=(3, 7)) * 3
    bound = np.full((3, 1), 4.0)
    problem = Problem(Curvature(np.diag(np.arange(1.0, 8))), target, IntegerBox(-bound, bound))
    assert np.array_equal(ROUNDINGS[name].round(problem), np.clip(np.rint(target), -4, 4))


@pytest.mark.parametrize("n_columns", [5, 12, 16])
def test_lattice_and_joint_are_optimal_nearly_always(n_columns):
    hits = {"lattice": [], "joint": []}
    for seed in range(4):
        problem = random_problem(seed, n_columns=n_columns, n_rows=8, top=3, spread=3.0)
        least = problem.excess(exact(problem))
        for name, hit in hits.items():
            hit.extend(problem.excess(ROUNDINGS[name].round(problem)) <= least * (1 + 1e-9))
    assert np.mean(hits["lattice"]) >= 0.9
    assert np.mean(hits["joint"]) >= 0.95


def test_exact_refuses_many_columns_and_says_what_to_use():
    problem = random_problem(0, n_columns=MAX_COLUMNS + 1)
    with pytest.raises(ValueError, match=f"at most {MAX_COLUMNS} free weights .* got {MAX_COLUMNS + 1}: use .*joint"):
        exact(problem)


def test_exact_gives_the_same_in_small_batches(monkeypatch):
    problem = random_problem(3, n_columns=14, n_rows=3, top=7, spread=3.0)
    whole = exact(problem)
    monkeypatch.setattr(import_module("skcompress.core.rounding.exact"), "BATCH", 5)
    assert np.array_equal(exact(problem), whole)


def test_exact_never_gets_worse_as_a_nested_grid_grows():
    losses = []
    for bits in range(2, 9):
        problem = replace(random_problem(5, n_columns=10, top=40), box=box_of(GRIDS["symmetric"], bits, 4))
        losses.append(problem.excess(exact(problem)))
    assert (np.diff(losses, axis=0) <= 1e-9).all()


def test_gptq_is_the_sequential_formula():
    problem = random_problem(1, n_columns=120)
    matrix = problem.curvature.matrix
    target, error = problem.target.copy(), np.zeros_like(problem.target)
    for j in range(119, -1, -1):
        # The best continuous value of this column given the columns fixed so far and the rest at their best.
        pull = error @ matrix[:, : j + 1]
        shift = -np.linalg.solve(matrix[: j + 1, : j + 1], pull.T).T[:, -1]
        value = np.clip(np.rint(target[:, j] + shift), -2, 2)
        error[:, j] = value - target[:, j]
    assert gptq(problem) == pytest.approx(target + error)


def test_a_full_beam_is_optimal():
    problem = random_problem(2)
    wide = problem.excess(beam_of_width(problem, 5**5, children=5))
    assert wide == pytest.approx(excess_of_all(problem, np.arange(-2, 3)).min(axis=1))


def test_beam_gives_the_same_in_chunks(monkeypatch):
    problem = random_problem(3, n_columns=20, n_rows=9)
    whole = beam_of_width(problem, 8)
    monkeypatch.setattr(import_module("skcompress.core.rounding.nearest_plane"), "FLOATS_AT_ONCE", 400)
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


@pytest.mark.parametrize("n_columns", [15, 130])
def test_local_search_never_makes_a_row_worse(n_columns):
    problem = random_problem(4, n_columns=n_columns)
    values = problem.box.nearest(problem.target)
    for step in (sweep, pair_moves, neighbourhoods):
        better = step(problem, values)
        assert (problem.excess(better) <= problem.excess(values) + 1e-12).all()
        values = better


def test_stochastic_rounding_is_unbiased_inside_the_box_and_clips_outside():
    target = np.array([[-1.7, -0.2, 0.0, 0.5, 1.25, 9.0, -9.0]])
    levels = np.array([-2.0, -0.5, 0.0, 2.0])
    one = np.ones((1, 1))
    few = LevelBox(levels, 0 * one, 3 * one)
    for box, allowed in ((IntegerBox(-3 * one, 3 * one), np.arange(-3, 4)), (few, levels)):
        problem = Problem(Curvature(np.eye(7)), target, box, np.random.default_rng(0))
        drawn = np.vstack([ROUNDINGS["stochastic"].round(problem) for _ in range(2000)])
        assert set(drawn.ravel()) <= set(allowed)
        assert drawn.mean(axis=0) == pytest.approx(np.clip(target[0], allowed[0], allowed[-1]), abs=0.1)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_columns", [3, 25])
def test_relaxation_satisfies_the_optimality_conditions(seed, n_columns):
    problem = random_problem(seed, n_columns=n_columns, n_rows=7, top=3, spread=4.0)
    target = problem.target * 3
    target[1:4] = target[:1] * np.array([[1.3], [2.0], [5.0]])
    centre, pull = relax(problem.curvature.inverse, target, np.array([[-3.0]]), np.array([[2.0]]))
    assert ((centre >= -3) & (centre <= 2)).all()
    assert pull == pytest.approx((target - centre) @ problem.curvature.matrix, abs=1e-6)
    assert (pull[centre == 2] >= -1e-9).all()
    assert (pull[centre == -3] <= 1e-9).all()
    assert pull[(centre > -3) & (centre < 2)] == pytest.approx(0, abs=1e-9)


def test_the_bound_is_below_every_rounding_once_the_relaxation_is_known():
    problem = random_problem(2)
    assert not problem.bound().any()
    best = problem.excess(ROUNDINGS["exact"].round(problem))
    assert ((problem.bound() >= 0) & (problem.bound() <= best + 1e-9)).all()
    assert problem.bound().any()


def test_confident_order_ends_with_the_column_that_others_cannot_make_up_for():
    problem = random_problem(6, n_columns=9)
    order = confident_order(problem.curvature.inverse)
    fixed = []
    for j in order[::-1]:
        left = [column for column in range(9) if column not in fixed]
        certainty = 1 / np.diag(np.linalg.inv(problem.curvature.matrix[np.ix_(left, left)]))
        assert left[np.argmax(certainty)] == j
        fixed.append(j)


@pytest.mark.parametrize("which", ["factor", "confident_factor"])
def test_factor_solves_and_reproduces_the_curvature(which):
    problem = random_problem(5, n_columns=8)
    factor = getattr(problem.curvature, which)
    upper = factor.diagonal[:, None] * np.triu(factor.ratios)
    permuted = problem.curvature.matrix[np.ix_(factor.order, factor.order)]
    assert upper.T @ upper == pytest.approx(permuted, rel=1e-8)
    assert factor.solve(problem.target) @ problem.curvature.matrix == pytest.approx(problem.target, rel=1e-6)

"""Least squares with given signs: optimality conditions, and scipy's own solver as reference."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear, nnls

from skcompress.core.linalg import solve_signed
from skcompress.core.quadratic import QuadraticModel


def random_problem(seed, *, n=80, p=15):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, 3)) @ rng.normal(size=(3, p)) + rng.normal(size=(n, p)) * 10 ** rng.uniform(-2, 0)
    A *= 10 ** rng.uniform(-3, 3, size=p)
    return A, rng.normal(size=n) + 0.1 * A @ rng.normal(size=p), rng.integers(-1, 2, size=p)


@pytest.mark.parametrize("seed", range(30))
def test_equals_bounded_least_squares(seed):
    A, b, signs = random_problem(seed)
    x = solve_signed(A.T @ A, A.T @ b, signs)
    length = np.linalg.norm(A, axis=0)
    bounds = (np.where(signs > 0, 0, -np.inf), np.where(signs < 0, 0, np.inf))
    reference = lsq_linear(A / length, b, bounds, method="bvls", tol=1e-14)
    assert (signs * x >= 0).all()
    assert np.sum((A @ x - b) ** 2) <= np.sum((A / length @ reference.x - b) ** 2) * (1 + 1e-9)


def test_without_signs_it_solves_the_equations():
    A, b, _ = random_problem(1)
    x = solve_signed(A.T @ A, A.T @ b, np.zeros(A.shape[1], dtype=int))
    np.testing.assert_allclose(A @ x, A @ np.linalg.lstsq(A, b, rcond=None)[0], atol=1e-8)


def test_duplicates_with_opposite_signs_share_the_weight_as_they_may():
    A, b, _ = random_problem(2, p=4)
    A[:, 1] = A[:, 0]
    b = b + 3 * A[:, 0]
    x = solve_signed(A.T @ A, A.T @ b, np.array([-1, 1, 0, 0]))
    assert x[0] <= 0 <= x[1]
    np.testing.assert_allclose(A @ x, A @ np.linalg.lstsq(A, b, rcond=None)[0], rtol=1e-8)


def test_restrict_holds_signs_and_frees_nothing_that_they_bind():
    A, b, signs = random_problem(3)
    H, c = A.T @ A, A.T @ b
    signs = np.where(signs == 0, 1, signs)
    model = QuadraticModel(H, np.linalg.solve(H, c), signs=signs)
    restricted = model.restrict(model.free)
    assert (signs * restricted.centre >= 0).all()
    np.testing.assert_allclose(restricted.centre[0], solve_signed(H, c, signs), rtol=1e-6)
    assert not restricted.free[restricted.centre == 0].any()
    moved = np.where(restricted.free, restricted.centre * 1.1, 0.0)
    assert restricted.loss(moved) == pytest.approx(model.loss(moved), rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_more_variables_than_rows_end_at_the_optimality_conditions(seed):
    A, b, _ = random_problem(seed, n=30, p=90)
    signs = np.where(np.arange(90) % 4 == 0, -1, np.arange(90) % 3 > 0)
    signs[:20] = np.where(signs[:20] == 0, 1, signs[:20])
    x = solve_signed(A.T @ A, A.T @ b, signs)
    slope = (A / np.linalg.norm(A, axis=0)).T @ (b - A @ x) / np.linalg.norm(b)
    assert (signs * x >= 0).all()
    assert (signs * slope <= 1e-7).all()
    np.testing.assert_allclose(slope[(x != 0) | (signs == 0)], 0, atol=1e-7)


def test_nonnegative_with_more_variables_than_rows_is_scipys():
    rng = np.random.default_rng(0)
    A, b = rng.normal(size=(60, 150)), rng.normal(size=60) + 1
    A[:, 75:] = -A[:, :75] + 0.01 * A[:, 75:]
    x = solve_signed(A.T @ A, A.T @ b, np.ones(150))
    assert np.linalg.norm(A @ x - b) == pytest.approx(nnls(A, b)[1], rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_without_a_minimum_it_ends_with_the_signs(seed):
    """A right-hand side out of the range: the function falls for ever along some direction."""
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((3, 9)) * 10.0 ** rng.integers(-9, 3, 9)
    signs = rng.choice([-1, 0, 1], 9)
    x = solve_signed(factor.T @ factor, rng.standard_normal(9), signs)
    assert (signs * x >= 0).all()

"""Solving with positive semi-definite matrices of any rank and any units."""

import numpy as np
import pytest

from skcompress.core.linalg import independent_first, scale_of, solve_psd


def gram(rank, size, seed=0):
    """A positive semi-definite matrix of this rank."""
    root = np.random.default_rng(seed).standard_normal((rank, size))
    return root.T @ root


def unit(matrix):
    scale = np.sqrt(np.diag(matrix))
    return matrix / np.outer(scale, scale)


@pytest.mark.parametrize("size", [1, 2, 7, 40])
def test_full_rank_is_solved(size):
    matrix = gram(size + 3, size)
    right = np.random.default_rng(1).standard_normal((size, 3))
    np.testing.assert_allclose(solve_psd(matrix, right), np.linalg.solve(matrix, right), rtol=1e-6)
    np.testing.assert_allclose(solve_psd(matrix, right[:, 0]), np.linalg.solve(matrix, right[:, 0]), rtol=1e-6)


@pytest.mark.parametrize("rank", [0, 1, 3, 6])
def test_a_singular_system_gets_a_basic_solution(rank):
    matrix = gram(rank, 7)
    right = matrix @ np.random.default_rng(1).standard_normal(7)
    solution = solve_psd(matrix, right)
    np.testing.assert_allclose(matrix @ solution, right, atol=1e-9)
    assert np.count_nonzero(solution) <= rank


def test_units_of_the_columns_do_not_matter():
    matrix, right = gram(4, 6), gram(4, 6) @ np.arange(6.0)
    units = 2.0 ** np.array([-200, 13, 0, -6, 150, 1])
    scaled = solve_psd(matrix * np.outer(units, units), right * units)
    np.testing.assert_array_equal(scaled * units, solve_psd(matrix, right))


@pytest.mark.parametrize("first", [[0, 1], [4, 5], [2], [0, 1, 2, 3, 4, 5]])
def test_preferred_columns_are_independent_before_the_others(first):
    matrix = gram(3, 6)
    mask = np.isin(np.arange(6), first)
    _, order = independent_first(unit(matrix), mask)
    expected = min(len(first), 3)
    assert mask[order[:expected]].all()
    assert len(order) == 3
    right = matrix @ np.ones(6)
    np.testing.assert_allclose(matrix @ solve_psd(matrix, right, mask), right, atol=1e-9)


def test_one_of_two_equal_columns_is_dependent_and_the_preferred_one_stays():
    root = np.random.default_rng(0).standard_normal((20, 4))
    root[:, 3] = root[:, 0]
    matrix = unit(root.T @ root)
    for kept, gone in ((0, 3), (3, 0)):
        _, order = independent_first(matrix, np.arange(4) == kept)
        assert kept in order
        assert gone not in order


@pytest.mark.parametrize("rank", [1, 3, 5])
@pytest.mark.parametrize("preferred", [None, [1, 2]])
def test_the_factor_is_that_of_the_independent_columns(rank, preferred):
    matrix = unit(gram(rank, 5))
    first = None if preferred is None else np.isin(np.arange(5), preferred)
    factor, order = independent_first(matrix, first)
    assert len(order) == rank
    np.testing.assert_array_equal(factor, np.triu(factor))
    np.testing.assert_allclose(factor.T @ factor, matrix[np.ix_(order, order)], atol=1e-12)


def test_an_empty_matrix_and_a_dead_column():
    factor, order = independent_first(np.empty((0, 0)))
    assert factor.shape == (0, 0)
    assert len(order) == 0
    matrix = np.diag([2.0, 0.0, 3.0])
    np.testing.assert_allclose(solve_psd(matrix, np.array([4.0, 0.0, 3.0])), [2.0, 0.0, 1.0])


def test_scale_of_replaces_what_cannot_be_divided_by():
    np.testing.assert_array_equal(scale_of(np.array([4.0, 0.0, -1e-20])), [2.0, 1.0, 1.0])

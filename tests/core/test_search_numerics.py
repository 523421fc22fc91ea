"""Searches where digits are lost, against least squares on X."""

import numpy as np
import pytest
from least_squares import best_r2, correlated, model_from_zero, r2

from skcompress.core.pruning import prune
from skcompress.core.subset import SEARCHES

GLOBAL = ["swap", "exact"]


def reached(X, y, size, search="swap", **options):
    """The training R2 of the support, checked against the loss that the search says."""
    pruned = prune(model_from_zero(X, y), n_nonzero=size, search=search, **options)
    found = r2(X, y, np.flatnonzero(pruned.support[0]))
    assert -pruned.loss == pytest.approx(found, abs=1e-5)
    assert pruned.optimality_gap >= 0
    return found


@pytest.fixture
def data():
    X, y = correlated(60, 8, rho=0.0)
    return X, y


@pytest.mark.parametrize("search", SEARCHES)
def test_offsets_do_not_matter(data, search):
    X, y = data
    for size in (1, 3, 5):
        assert reached(X + 1e8, y + 1e8, size, search) == pytest.approx(reached(X, y, size, search), abs=1e-7)


@pytest.mark.parametrize("search", GLOBAL)
@pytest.mark.parametrize("delta", [1e-3, 1e-4, 1e-5, 1e-8, 0.0])
def test_a_near_duplicate_does_no_harm(data, search, delta):
    X, y = data
    twin = X[:, [0]] + delta * np.random.default_rng(1).standard_normal((60, 1))
    X = np.hstack([X, twin])
    for size in (1, 2, 4):
        assert reached(X, y, size, search) == pytest.approx(best_r2(X, y, size), abs=1e-7)


@pytest.mark.parametrize("search", GLOBAL)
@pytest.mark.parametrize("delta", [1e-3, 1e-4, 1e-5])
def test_the_difference_of_near_duplicates_is_found(data, search, delta):
    X, _ = data
    rng = np.random.default_rng(1)
    X = np.hstack([X, X[:, [0]] + delta * rng.standard_normal((60, 1))])
    y = (X[:, 0] - X[:, 8]) / delta + X[:, 1] + rng.standard_normal(60)
    for size in (2, 3, 4):
        assert reached(X, y, size, search) == pytest.approx(best_r2(X, y, size), abs=1e-5)


@pytest.mark.parametrize("search", SEARCHES)
def test_constant_and_zero_columns_are_never_kept(data, search):
    X, y = data
    X = np.hstack([X, np.ones((60, 1)), np.zeros((60, 1)), np.full((60, 1), 1e8 + 0.1)])
    for size in (3, 8):
        pruned = prune(model_from_zero(X, y), n_nonzero=size, search=search)
        assert not pruned.support[0, 8:].any()
        assert pruned.support.sum() == size


@pytest.mark.parametrize("search", GLOBAL)
def test_sums_of_columns_may_stand_for_them(data, search):
    X, _ = data
    X = np.hstack([X, X[:, [0]] + X[:, [1]], X[:, [2]] - X[:, [3]]])
    y = 2 * X[:, 8] - X[:, 9] + 0.5 * np.random.default_rng(1).standard_normal(60)
    for size in (1, 2, 3):
        assert reached(X, y, size, search) == pytest.approx(best_r2(X, y, size), abs=1e-9)
    np.testing.assert_array_equal(
        np.flatnonzero(prune(model_from_zero(X, y), n_nonzero=2, search=search).support[0]), [8, 9]
    )


@pytest.mark.parametrize("search", SEARCHES)
def test_more_columns_than_rows(search):
    X, y = correlated(6, 10, seed=1)
    for size in (1, 3, 5, 9):
        found = reached(X, y, size, search)
        if search == "exact":
            assert found == pytest.approx(best_r2(X, y, min(size, 5)), abs=1e-9)
    assert reached(X, y, 9, search) == pytest.approx(1.0)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("noise", [0.0, 1e-7])
def test_a_perfect_fit(data, search, noise):
    X, _ = data
    y = X[:, 0] - 2 * X[:, 5] + noise * np.random.default_rng(1).standard_normal(60)
    pruned = prune(model_from_zero(X, y), n_nonzero=2, search=search)
    np.testing.assert_array_equal(np.flatnonzero(pruned.support[0]), [0, 5])
    assert pruned.proven
    assert reached(X, y, 4, search) == pytest.approx(1.0)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("power", [1, 10, 100])
def test_scales_of_columns_and_target_do_not_matter(data, search, power):
    X, y = data
    factors = 10.0 ** (power * np.linspace(-1, 1, 8))
    for size in (1, 3, 6):
        one = prune(model_from_zero(X, y), n_nonzero=size, search=search)
        other = prune(model_from_zero(X * factors, 10.0**power * y), n_nonzero=size, search=search)
        np.testing.assert_array_equal(one.support, other.support)
        np.testing.assert_allclose(one.weights, other.weights * factors / 10.0**power, rtol=1e-9)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("groups", [None, "feature"])
def test_a_constant_target_and_a_model_without_weights(data, search, groups):
    X, _ = data
    with np.errstate(all="raise"):
        pruned = prune(model_from_zero(X, np.full(60, 3.0)), n_nonzero=2, search=search, feature_groups=groups)
    assert pruned.loss == 0.0
    assert not pruned.weights.any()


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("groups", [None, [0, 0, 1, 1, 2, 2, 3, 3]])
def test_nothing_is_free(data, search, groups):
    quadratic = model_from_zero(*data).with_free(np.zeros((1, 8), dtype=bool))
    pruned = prune(quadratic, n_nonzero=2, search=search, feature_groups=groups)
    assert not pruned.support.any()
    assert pruned.loss == 0.0


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("groups", [None, [0, 0, 1, 1, 2, 2, 3, 3, 4]])
def test_kept_columns_may_be_duplicates(data, search, groups):
    X, y = data
    X = np.hstack([X, X[:, [0]]])
    pruned = prune(model_from_zero(X, y), n_nonzero=4, keep=[0, 8], search=search, feature_groups=groups)
    assert pruned.support[0, [0, 8]].all()
    assert pruned.n_units == 4
    assert -pruned.loss == pytest.approx(r2(X, y, pruned.support[0]), abs=1e-8)


@pytest.mark.parametrize("search", SEARCHES)
def test_ties_go_to_the_first_column_whatever_the_order_of_summation(search):
    rng = np.random.default_rng(0)
    base = rng.standard_normal((60, 3))
    X = np.hstack([base, base, base])
    y = base @ [3.0, 2.0, 1.0] + rng.standard_normal(60)
    for rows in (np.arange(60), rng.permutation(60), rng.permutation(60)):
        pruned = prune(model_from_zero(X[rows], y[rows]), n_nonzero=2, search=search)
        np.testing.assert_array_equal(np.flatnonzero(pruned.support[0]), [0, 1])

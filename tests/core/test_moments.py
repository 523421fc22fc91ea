"""Moments that come in blocks against moments of all rows, and the models made of them."""

import functools

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LinearRegression, Ridge

from skcompress import QuadraticModel, prune, quantize
from skcompress.core.moments import Moments


@pytest.fixture
def rows():
    """X (700, 6) with offsets a million times the spread of some columns, y (700, 2), weights."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((700, 6)) @ (rng.standard_normal((6, 6)) + 2 * np.eye(6))
    X = X * 10.0 ** np.arange(-3, 3) + 1e3 * rng.standard_normal(6)
    spread = (X - X.mean(axis=0)) / X.std(axis=0)
    return X, spread @ rng.standard_normal((6, 2)) + rng.standard_normal((700, 2)) + 5, rng.random(700)


def blocks_of(X, y, weight, size):
    return ((X[i : i + size], y[i : i + size], weight[i : i + size]) for i in range(0, X.shape[0], size))


@pytest.mark.parametrize("size", [1, 7, 64, 700])
def test_blocks_of_any_size_give_the_moments_of_all_rows(rows, size):
    X, y, weight = rows
    Z = np.column_stack([X, y])
    mean = np.average(Z, axis=0, weights=weight)
    second = (Z - mean).T * weight @ (Z - mean)
    found = Moments.of_blocks(blocks_of(X, y, weight, size))
    np.testing.assert_allclose(found.mean, mean, rtol=1e-13)
    scale = np.sqrt(np.diag(second))
    np.testing.assert_allclose(found.second / np.outer(scale, scale), second / np.outer(scale, scale), atol=1e-10)
    assert found.total == pytest.approx(weight.sum(), rel=1e-14)


def test_moments_keep_their_digits_where_columns_are_far_from_zero():
    rng = np.random.default_rng(0)
    near = np.ldexp(rng.integers(-(2**20), 2**20, size=(3000, 3)).astype(float), -20)
    exact = Moments.of_blocks([(near, None)])
    far = Moments.of_blocks((near[i : i + 100] + 2.0**30, None) for i in range(0, 3000, 100))
    np.testing.assert_allclose(far.second, exact.second, rtol=1e-13, atol=1e-10)


def test_merging_is_the_same_in_any_order(rows):
    X, y, weight = rows
    blocks = list(blocks_of(X, y, weight, 41))
    first = Moments.of_blocks(blocks)
    last = Moments.of_blocks(blocks[::-1])
    np.testing.assert_allclose(first.second, last.second, rtol=1e-9, atol=1e-9 * np.abs(first.second).max())


@pytest.mark.parametrize("offset", [0.0, 1.0, -1e3, 1e6, 1e8])
@pytest.mark.parametrize("apart", [0.0, 1e-3, 5.0, -1e4, 1e8])
@pytest.mark.parametrize("seed", range(4))
def test_moments_of_other_origins_merge_in_any_order(offset, apart, seed):
    """Each stream counts from its own first rows."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 40, size=2 + seed)
    # Multiples of 1/64, so that the sums that the test takes are exact.
    parts = [np.rint(64 * rng.standard_normal((size, 3))) / 64 + offset + apart * k for k, size in enumerate(sizes)]
    weights = [rng.integers(0, 4, size).astype(float) + (np.arange(size) == 0) for size in sizes]
    streams = [Moments.of_blocks([(part, None, weight)]) for part, weight in zip(parts, weights, strict=True)]
    rows, weight = np.vstack(parts) - offset, np.concatenate(weights)
    mean = np.average(rows, axis=0, weights=weight)
    second = (rows - mean).T * weight @ (rows - mean)
    for order in (streams, streams[::-1]):
        found = functools.reduce(Moments.merge, order)
        assert found.total == weight.sum()
        np.testing.assert_allclose(found.mean - offset, mean, rtol=1e-9, atol=1e-7)
        np.testing.assert_allclose(found.second, second, rtol=1e-6, atol=1e-7 * np.abs(second).max() + 1e-9)


def test_a_constant_column_has_no_variance_however_large_it_is():
    X = np.column_stack([np.full(1000, 0.1), np.full(1000, 1e8 / 3), np.arange(1000.0)])
    moments = Moments.of_blocks([(X[:300], None), (X[300:], None)])
    np.testing.assert_array_equal(np.diag(moments.around(True))[:2], 0)
    assert np.diag(moments.around(True))[2] == pytest.approx(X[:, 2].var())


@pytest.mark.slow
def test_a_weight_of_two_is_a_row_twice(rows):
    X, y, _ = rows
    twice = Moments.of_blocks([(np.concatenate([X, X[:100]]), np.concatenate([y, y[:100]]))])
    weighted = Moments.of_blocks([(X, y, np.where(np.arange(700) < 100, 2.0, 1.0))])
    np.testing.assert_allclose(weighted.second, twice.second, rtol=1e-10, atol=1e-10 * np.abs(twice.second).max())


def test_sparse_blocks_give_what_dense_ones_give(rows):
    X, y, weight = rows
    X = np.where(np.abs(X) < np.abs(X).mean(axis=0), 0.0, X)
    dense = Moments.of_blocks(blocks_of(X, y, weight, 50))
    sparse = Moments.of_blocks(blocks_of(sp.csr_array(X), y, weight, 50))
    np.testing.assert_allclose(sparse.second, dense.second, rtol=1e-9, atol=1e-9 * np.abs(dense.second).max())


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 10.0])
def test_from_blocks_fits_ridge(rows, alpha, fit_intercept):
    X, y, weight = rows
    X = (X - X.mean(axis=0)) / X.std(axis=0) + 1
    base = Ridge(alpha, fit_intercept=fit_intercept) if alpha else LinearRegression(fit_intercept=fit_intercept)
    base.fit(X, y, sample_weight=weight)
    model = QuadraticModel.from_blocks(blocks_of(X, y, weight, 33), alpha=alpha, fit_intercept=fit_intercept)
    np.testing.assert_allclose(model.centre, base.coef_, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(model.best_intercept(model.centre), base.intercept_, rtol=1e-9, atol=1e-10)
    errors = np.average((y - base.predict(X)) ** 2, axis=0, weights=weight)
    np.testing.assert_allclose(model.base_loss, errors, rtol=1e-9)
    assert model.n_samples == pytest.approx(weight.sum())


def test_losses_of_a_model_from_blocks_are_shares_of_the_variance(rows):
    X, y, _ = rows
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), y[:, 0]
    model = QuadraticModel.from_blocks([(X[:300], y[:300]), (X[300:], y[300:])])
    pruned = prune(model, n_nonzero=3)
    full = LinearRegression().fit(X, y).score(X, y)
    kept = LinearRegression().fit(X[:, pruned.support[0]], y).score(X[:, pruned.support[0]], y)
    assert pruned.loss == pytest.approx(full - kept, rel=1e-9)
    rounded = quantize(pruned.model, bits=5)
    prediction = X @ rounded.weights[0] + model.best_intercept(rounded.weights)
    assert rounded.loss == pytest.approx(full - 1 + ((y - prediction) ** 2).mean() / y.var(), rel=1e-9)


def test_coef_trained_elsewhere_is_kept_by_the_change_of_its_predictor(rows):
    X, _, weight = rows
    coef, intercept = np.arange(6.0) / X.std(axis=0), 2.0
    model = QuadraticModel.from_blocks([(X, None, weight)], coef=coef, intercept=intercept)
    np.testing.assert_array_equal(model.centre[0], coef)
    assert model.best_intercept(model.centre) == pytest.approx(intercept, abs=1e-7)
    other = coef * [1, 1, 1, 1, 0, 1]
    change = X @ (other - coef) + model.best_intercept(other) - intercept
    variance = np.cov(X @ coef, aweights=weight, ddof=0)
    assert model.loss(other) == pytest.approx(np.average(change**2, weights=weight) / variance, rel=1e-7)


GOOD = (np.arange(6.0).reshape(3, 2) ** 2, np.array([1.0, 0.0, 2.0]))


def replaced(place, value):
    """The good block with one of its parts replaced."""
    parts = [*GOOD, np.ones(3)]
    parts[place] = value
    return tuple(parts)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (np.ones((3, 2)), r"must be \(X, y\) or \(X, y, sample_weight\), got ndarray"),
        ((np.ones(3), np.ones(3)), r"X must have two dimensions, got shape \(3,\)"),
        (replaced(0, [["a", "b"]] * 3), "X must hold numbers: could not convert string to float"),
        (replaced(1, np.ones(2)), r"y must have shape \(3,\) or \(3, m\), got \(2,\)"),
        (replaced(1, np.ones((3, 2, 2))), r"y must have shape .*, got \(3, 2, 2\)"),
        (replaced(1, 1.0), r"y must have shape .*, got \(\)"),
        (replaced(2, np.ones(2)), r"sample_weight must have shape \(3,\), got \(2,\)"),
        (replaced(2, [1, -2, 1]), "sample_weight must be finite and not negative, got -2"),
        (replaced(2, [1, np.nan, 1]), "sample_weight must be finite and not negative, got nan"),
        (replaced(0, np.ones((3, 4))), "same columns; the first has 2 features and 1 targets, this one 4 and 1"),
        (replaced(1, np.ones((3, 2))), "same columns; the first has 2 features and 1 targets, this one 2 and 2"),
        (replaced(0, [[1, 2], [3, np.nan], [5, 6]]), "X holds nan in column 1"),
        (replaced(1, [1, np.inf, 2]), "y holds inf; every"),
    ],
    ids=str,
)
def test_a_wrong_block_is_named_with_what_is_wrong(block, message):
    with pytest.raises(ValueError, match=f"block 2: .*{message}"):
        QuadraticModel.from_blocks([GOOD, GOOD, block])


def test_frames_whose_columns_have_changed_places_are_no_sum():
    X, y = GOOD
    frame = pd.DataFrame(X, columns=["age", "limit"])
    np.testing.assert_array_equal(
        QuadraticModel.from_blocks([(frame, pd.Series(y)), (frame, y)]).centre,
        QuadraticModel.from_blocks([GOOD, GOOD]).centre,
    )
    with pytest.raises(ValueError, match="block 1: column 0 is 'limit', and 'age' in the first block"):
        QuadraticModel.from_blocks([(frame, y), (frame[["limit", "age"]], y)])


@pytest.mark.parametrize(
    ("blocks", "options", "message"),
    [
        ([], {}, "at least one block"),
        ([(np.ones((0, 2)), np.ones(0))], {}, "at least one block with rows"),
        ([(*GOOD, np.zeros(3))], {}, "must have a weight above 0"),
        ([GOOD], {"alpha": -1.0}, "alpha=-1.0 must be a number, 0 or above"),
        ([GOOD], {"alpha": True}, "alpha=True must be a number, 0 or above"),
        ([(GOOD[0], None)], {}, "without y need coef"),
        ([GOOD], {"coef": [1, 2, 3]}, r"coef must have shape \(2,\) or \(m, 2\), .* got \(1, 3\)"),
        ([GOOD], {"coef": [1, np.nan]}, "coef must be finite, got nan"),
        ([GOOD], {"coef": [1, 2], "intercept": [1, 2]}, r"intercept must be a number or have shape \(1,\), got \(2,\)"),
    ],
    ids=str,
)
def test_what_cannot_be_summed_is_refused(blocks, options, message):
    with pytest.raises(ValueError, match=message):
        QuadraticModel.from_blocks(blocks, **options)


def test_blocks_without_rows_or_weight_add_nothing(rows):
    X, y, weight = rows
    blocks = [(X[:0], y[:0]), (X[:9], y[:9], np.zeros(9)), (X, y, weight)]
    found, expected = QuadraticModel.from_blocks(blocks), QuadraticModel.from_blocks(blocks[2:])
    scale = np.abs(expected.centre)
    np.testing.assert_allclose(found.centre / scale, expected.centre / scale, rtol=1e-9)
    assert found.n_samples == pytest.approx(weight.sum(), rel=1e-14)


def test_a_model_without_level_says_that_it_knows_no_intercept():
    with pytest.raises(ValueError, match="level"):
        QuadraticModel(np.eye(2), np.ones(2)).best_intercept(np.ones(2))

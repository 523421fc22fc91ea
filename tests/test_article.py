"""The article's example: X = 1..5, y = 2x, threshold 0.5, 4 bits.

The textbook formulas are written out here, and the options that stand for them are compared bit for bit.
"""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression

from skcompress import PrunedRegressor, QuantizedRegressor

X = np.arange(1.0, 6.0).reshape(-1, 1)
Y = 2 * X.ravel()


def article_quantize(weights, bits):
    """The article's own code: rounds to multiples of 2^(bits-1), whatever the size of the weights."""
    step = 2 ** (bits - 1)
    return np.round(weights / step) * step


def test_the_articles_own_formula_deletes_the_weight():
    assert article_quantize(np.array([2.0]), 4)[0] == 0.0


def test_weight_two_survives_pruning_and_four_bits_exactly():
    model = QuantizedRegressor(PrunedRegressor(LinearRegression(), threshold=0.5), bits=4).fit(X, Y)
    assert model.estimator_.support_.tolist() == [True]
    assert model.coef_.tolist() == [2.0]
    np.testing.assert_allclose(model.predict(X), Y, atol=1e-12)
    assert model.loss_increase_ == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8, 16])
@pytest.mark.parametrize("grid", ["symmetric", "affine"])
def test_a_single_weight_is_two_at_any_number_of_bits(bits, grid):
    model = QuantizedRegressor(bits=bits, grid=grid).fit(X, Y)
    np.testing.assert_allclose(model.coef_, [2.0], rtol=1e-12)
    np.testing.assert_allclose(model.predict(X), Y, atol=1e-12)


def test_threshold_by_magnitude_is_the_articles_rule():
    """Weights above the threshold stay as they are, the others go: importance l1, one shot, no refit."""
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((50, 6))
    y = Z @ np.array([3.0, 0.1, -2.0, 0.4, 0.6, -0.5]) + 0.01 * rng.standard_normal(50)
    weights = LinearRegression().fit(Z, y).coef_
    model = PrunedRegressor(threshold=0.5, importance="l1", search="one_shot", refit=None).fit(Z, y)
    np.testing.assert_array_equal(model.coef_, np.where(np.abs(weights) > 0.5, weights, 0.0))
    assert model.intercept_ == LinearRegression().fit(Z, y).intercept_


def quantized(weights, **options):
    """A model that holds just these weights, quantized as it is."""
    Z = np.random.default_rng(0).standard_normal((40, len(weights)))
    holder = LinearRegression().fit(Z, Z[:, 0])
    holder.coef_ = np.array(weights)
    return QuantizedRegressor(FrozenEstimator(holder), **options).fit(Z)


def normalised_codes(weights, bits):
    """The article's floor(normalised x highest code), over a range that holds zero."""
    low, high = min(weights.min(), 0.0), max(weights.max(), 0.0)
    return np.floor((weights - low) / (high - low) * (2**bits - 1))


@pytest.mark.parametrize("bits", [2, 3, 4, 8, 12])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sign", [1, -1])
def test_floor_on_the_affine_grid_is_the_textbook_formula(bits, seed, sign):
    weights = sign * np.random.default_rng(seed).uniform(0.01, 3.0, size=7)
    model = quantized(weights, bits=bits, grid="affine", rounding="floor", scale="max")
    codes = normalised_codes(weights, bits)
    np.testing.assert_array_equal(model.codes_, codes)
    step = np.abs(weights).max() / (2**bits - 1)
    np.testing.assert_array_equal(model.coef_, (codes - (0 if sign > 0 else 2**bits - 1)) * step)


@pytest.mark.parametrize("bits", [3, 4, 8])
def test_floor_on_the_affine_grid_is_the_textbook_formula_with_both_signs(bits):
    """Where zero falls on the grid, which the package demands of every range."""
    top = 2**bits - 1
    weights = np.array([-3.0, top - 3.0, 0.25, 1.75, -0.5, -2.25, top / 2])
    model = quantized(weights, bits=bits, grid="affine", rounding="floor", scale="max")
    np.testing.assert_array_equal(model.codes_, normalised_codes(weights, bits))
    assert model.zero_point_ == 3
    np.testing.assert_array_equal(model.coef_, np.floor(weights))


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_nearest_on_the_symmetric_grid_is_max_abs_scaling(bits):
    weights = np.random.default_rng(1).normal(size=9)
    model = quantized(weights, bits=bits, grid="symmetric", rounding="nearest", scale="max")
    step = np.abs(weights).max() / (2 ** (bits - 1) - 1)
    np.testing.assert_array_equal(model.codes_, np.rint(weights / step))
    np.testing.assert_array_equal(model.coef_, np.rint(weights / step) * step)

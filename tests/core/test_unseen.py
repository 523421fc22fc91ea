"""Weights that the rows say nothing about stay where they are when the others are rounded."""

import itertools

import numpy as np
import pytest

from skcompress.core.gram import gram_of
from skcompress.core.grids import GRIDS
from skcompress.core.moments import HOLD
from skcompress.core.options import QuantizeOptions
from skcompress.core.quadratic import QuadraticModel
from skcompress.core.quantizing import quantize, quantize_widths, round_on
from skcompress.core.rounding import ROUNDINGS
from skcompress.core.unseen import held, unseen

LIVE = [0, 2, 3]
WEIGHTS = np.array([[1.237, 5.31, -2.618, 3.09, -0.9], [-0.4, 1.7, 0.55, 1.1, 0.8]])
"""Columns 1 and 4 will be constant."""


def model_of(weights=WEIGHTS, **options):
    """The quadratic of rows on which two of five columns are constant."""
    X = np.random.default_rng(0).standard_normal((50, 5))
    X[:, 1], X[:, 4] = 0.1, 0.0
    gram = gram_of(X, np.full(50, 1 / 50), X.mean(axis=0))
    return QuadraticModel(gram, weights, **options)


def grid_values(grid, column):
    """All values that the weights of a column may have, (codes, m)."""
    shape = np.shape(grid.encode(WEIGHTS))
    codes = [np.full(shape, code) for code in range(grid.low, grid.high + 1)]
    if grid.levels is not None:
        codes = codes[: grid.levels.shape[-1]]
    elif grid.low < 0 and grid.bits == 1:
        codes = [np.full(shape, -1), np.full(shape, 1)]
    return np.array([grid.decode(code)[:, column] for code in codes])


CASES = [
    (grid, rounding, granularity, bits)
    for grid, rounding, granularity, bits in itertools.product(
        GRIDS, ["nearest", "gptq", "lattice", "exact"], ["auto", "feature", "output", "tensor"], [1, 3, 8]
    )
]


@pytest.mark.slow
@pytest.mark.parametrize(("grid", "rounding", "granularity", "bits"), CASES)
def test_a_weight_without_curvature_goes_to_the_nearest_value_of_its_grid(grid, rounding, granularity, bits):
    result = quantize(model_of(), grid=grid, rounding=rounding, granularity=granularity, bits=bits)
    for column in (1, 4):
        errors = np.abs(grid_values(result.grid, column) - WEIGHTS[:, column])
        nearest = np.abs(result.weights[:, column] - WEIGHTS[:, column])
        np.testing.assert_allclose(nearest, errors.min(axis=0), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("granularity", ["auto", "feature", "output"])
@pytest.mark.parametrize("scale", ["loss", "mse", "max"])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("rounding", ["nearest", "lattice"])
def test_it_has_no_say_in_the_scale_of_the_others(granularity, scale, size, rounding):
    weights = WEIGHTS.copy()
    weights[:, [1, 4]] *= size
    options = {"bits": 4, "scale": scale, "rounding": rounding}
    whole = quantize(model_of(weights), granularity=granularity, **options)
    seen = model_of(weights, free=np.isin(np.arange(5), LIVE))
    alone = quantize(seen, granularity=granularity, **options)
    if scale != "mse":
        np.testing.assert_allclose(whole.weights[:, LIVE], alone.weights[:, LIVE], rtol=1e-9)
    assert whole.loss <= 0.1
    if granularity != "output" and size >= 1:
        np.testing.assert_allclose(whole.weights[:, 1], weights[:, 1], rtol=0.35)


def test_several_widths_in_one_search_hold_it_as_each_alone():
    for result, bits in zip(quantize_widths(model_of(), [3, 8], QuantizeOptions(rounding="gptq")), [3, 8], strict=True):
        np.testing.assert_array_equal(result.weights, quantize(model_of(), bits=bits, rounding="gptq").weights)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_model_without_any_curvature_is_rounded_to_nearest(grid):
    model = QuadraticModel(np.zeros((5, 5)), WEIGHTS)
    result = quantize(model, grid=grid, bits=8)
    np.testing.assert_allclose(result.weights, WEIGHTS, atol=0.02 * 5.31 if grid != "power_of_two" else 1.4)
    assert result.loss == 0


@pytest.mark.parametrize("rounding", ["nearest", "gptq", "lattice"])
def test_on_a_given_grid_as_well(rounding):
    grid = quantize(model_of(), bits=6, granularity="output").grid
    result = round_on(model_of(), grid, rounding=rounding)
    top = 31 * grid.scale[:, 0]
    np.testing.assert_allclose(result.weights[:, 4], WEIGHTS[:, 4], atol=grid.scale.max() / 2)
    np.testing.assert_allclose(result.weights[:, 1], np.minimum(WEIGHTS[:, 1], top), atol=grid.scale.max() / 2)


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_sign_is_stronger(sign):
    result = quantize(model_of(signs=[0, sign, 0, 0, 0]), bits=4)
    assert (sign * result.weights[:, 1] >= 0).all()
    assert (result.weights[:, 1] != 0).all() == (sign > 0)


def test_what_is_held_and_what_is_not():
    model = model_of()
    np.testing.assert_array_equal(unseen(model), np.tile([False, True, False, False, True], (2, 1)))
    stiff = held(model)
    np.testing.assert_array_equal(stiff.centre, WEIGHTS)
    assert (stiff.diag()[:, [1, 4]] > 0).all()
    np.testing.assert_array_equal(stiff.diag()[:, LIVE], model.diag()[:, LIVE])


DEPENDENT = {"twice": [1.0, 0, 0], "three times": [3.0, 0, 0], "a sum": [1.0, -0.3, 0.7]}


@pytest.mark.parametrize("rounding", [name for name in ROUNDINGS if name not in ("stochastic", "floor")])
@pytest.mark.parametrize("granularity", ["output", "feature"])
@pytest.mark.parametrize("dependent", DEPENDENT.values(), ids=DEPENDENT)
def test_dependent_columns_of_a_held_model_keep_their_weights(rounding, granularity, dependent):
    X = np.random.default_rng(1).standard_normal((60, 3))
    X = np.column_stack([X, X @ dependent])
    weights = np.array([5.03, 1.37, 2.21, 3.14])
    model = QuadraticModel(np.cov(X.T, ddof=0), weights, hold=HOLD)
    result = quantize(model, bits=8, rounding=rounding, granularity=granularity)
    np.testing.assert_allclose(result.weights[0], weights, atol=2 * result.grid.scale.max())
    assert model.loss(result.weights) == pytest.approx(model._with(hold=0.0).loss(result.weights))


@pytest.mark.parametrize("turn", [np.eye(3), np.linalg.qr(np.random.default_rng(2).standard_normal((3, 3)))[0]])
def test_the_hold_is_weaker_where_weights_cancel_each_other(turn):
    """It is `hold` H_jj times the variance of the sum over the sum of the variances, and of all outputs the least."""
    X = np.random.default_rng(1).standard_normal((60, 3)) @ turn
    X[:, 2] = X[:, 0] + 1e-3 * X[:, 2]
    H = np.cov(X.T, ddof=0)
    weights = np.array([[1.0, 1.0, 1.0], [300.0, 1.0, -299.0]])
    share = weights[1] @ H @ weights[1] / (np.diag(H) * weights[1] ** 2).sum()
    assert share < 1e-3
    model = held(QuadraticModel(H, weights, hold=0.01))
    np.testing.assert_allclose(model.diag() - np.diag(H), np.tile(0.01 * share * np.diag(H), (2, 1)), rtol=1e-6)


@pytest.mark.parametrize("constant", [0.1, 1 / 3, -7e5, 123456789.123])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [5, 1001, 70_001])
def test_a_constant_column_has_no_curvature_whatever_its_value(constant, dtype, n):
    X = np.column_stack([np.full(n, constant), np.arange(n)]).astype(dtype)
    weight = np.random.default_rng(0).random(n)
    weight /= weight.sum()
    gram = gram_of(X, weight, weight @ X.astype(np.float64))
    assert gram.diag()[0] == 0
    assert gram.diag()[1] > 0
    np.testing.assert_array_equal(gram.rows(np.array([0])), 0)


def test_a_far_column_that_varies_keeps_its_curvature():
    X = 1e8 + np.random.default_rng(0).standard_normal((400, 2))
    gram = gram_of(X, np.full(400, 1 / 400), X.mean(axis=0))
    np.testing.assert_allclose(gram.diag(), X.var(axis=0), rtol=1e-6)

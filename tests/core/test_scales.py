"""Who shares a scale, and which scales are tried."""

import numpy as np
import pytest

from skcompress.core.quadratic import QuadraticModel
from skcompress.core.quantizing import quantize
from skcompress.core.scales import GRANULARITIES, scale_rule_of, trial_shares


def with_diagonal(diagonal, n_outputs=1, **options):
    return QuadraticModel(np.diag(diagonal), np.ones((n_outputs, len(diagonal))), **options)


def test_exponents_bring_the_spread_of_the_columns_together():
    spread = np.array([1.0, 3.0, 1e3, 1e-4, 0.0])
    exponents = GRANULARITIES["feature"](with_diagonal(spread**2)).exponents
    evened = spread[:4] * np.exp2(exponents[:4])
    assert evened.max() / evened.min() <= 2 * (1 + 1e-12)
    assert exponents[2] == exponents[4] == 0


@pytest.mark.parametrize("factor", [1.0, 3.0, 0.7])
def test_exponents_do_not_depend_on_the_common_unit_or_on_powers_of_two(factor):
    spread = np.exp(np.random.default_rng(0).normal(size=9))
    units = np.exp2([0, 3, -2, 0, 0, 9, -9, 1, 0])
    plain = GRANULARITIES["feature"](with_diagonal(spread**2)).exponents
    other = GRANULARITIES["feature"](with_diagonal((factor * spread * units) ** 2)).exponents
    moved = plain - np.log2(units)
    assert np.array_equal(other, moved - moved.min())


@pytest.mark.parametrize(("ratio", "has_exponents"), [(7.9, False), (8.1, True)])
def test_auto_looks_at_the_spread_of_the_free_columns(ratio, has_exponents):
    model = with_diagonal(np.array([1.0, ratio**2, 1e8]), free=[True, True, False])
    assert (GRANULARITIES["auto"](model).exponents is not None) == has_exponents


def test_max_scale_takes_the_largest_weight_to_the_highest_code():
    model = QuadraticModel(np.eye(3), [[0.1, -0.9, 0.4], [3.0, 0.0, 1.0]])
    result = quantize(model, bits=4, rounding="nearest", scale="max")
    assert result.grid.scale.ravel() == pytest.approx([0.9 / 7, 3.0 / 7])


def test_mse_scale_has_the_least_squared_error_of_those_tried():
    rng = np.random.default_rng(0)
    weights = rng.standard_t(2, size=(1, 60))
    result = quantize(QuadraticModel(np.eye(60), weights), bits=3, rounding="nearest", scale="mse")
    tried = np.abs(weights).max() / 3 * trial_shares(4)
    errors = [((np.clip(np.rint(weights / s), -3, 3) * s - weights) ** 2).sum() for s in tried]
    assert result.grid.scale == pytest.approx(tried[np.argmin(errors)])


@pytest.mark.parametrize("rounding", ["nearest", "lattice"])
def test_the_searched_scale_loses_least(rounding):
    rng = np.random.default_rng(1)
    half = rng.normal(size=(50, 10)) + rng.normal(size=(50, 1))
    model = QuadraticModel(half.T @ half / 50, rng.standard_t(2, size=10))
    losses = {s: quantize(model, bits=3, rounding=rounding, scale=s).loss for s in ("max", "mse", "loss")}
    assert losses["loss"] <= min(losses.values()) * (1 + 1e-9)


@pytest.mark.parametrize("scale", [0.5, np.float32(0.5), 2])
def test_a_number_is_the_scale(scale):
    assert scale_rule_of(scale) == float(scale)
    model = QuadraticModel(np.eye(2), [1.2, -0.7])
    assert quantize(model, bits=8, scale=scale).grid.scale == float(scale)

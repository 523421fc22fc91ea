"""Codebooks: levels that are optimal for their codes, and no worse than evenly spaced ones."""

import itertools

import numpy as np
import pytest

from skcompress.core.quadratic import QuadraticModel
from skcompress.core.quantizing import quantize, round_on


def random_model(seed=0, n_outputs=1, n_features=12, **options):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, n_features)) + 2 * rng.normal(size=(60, 1))
    return QuadraticModel(X.T @ X / 60, rng.standard_t(3, size=(n_outputs, n_features)), **options)


@pytest.mark.parametrize("bits", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_never_loses_more_than_an_evenly_spaced_grid(bits, seed):
    model = random_model(seed)
    codebook = quantize(model, bits=bits, grid="codebook").loss
    assert codebook <= quantize(model, bits=bits, grid="affine").loss * (1 + 1e-9)


@pytest.mark.parametrize("granularity", ["output", "tensor"])
def test_levels_are_the_best_for_their_codes(granularity):
    model = random_model(1, n_outputs=2, null_loss=[1.0, 3.0])
    result = quantize(model, bits=2, grid="codebook", granularity=granularity)
    levels = np.atleast_2d(result.grid.levels)
    assert levels.shape[0] == (1 if granularity == "tensor" else 2)
    assert levels.shape[1] <= 4
    assert (levels == 0).any(axis=1).all()
    for row, place in itertools.product(range(len(levels)), range(levels.shape[1])):
        for change in (-1e-3, 1e-3):
            moved = levels.copy()
            moved[row, place] += change * (moved[row, place] != 0)
            table = np.broadcast_to(moved, (2, levels.shape[1]))
            weights = np.take_along_axis(table, result.codes.astype(int), axis=1)
            assert model.loss(weights) >= result.loss * (1 - 1e-9)


@pytest.mark.parametrize("scale", ["mse", "loss"])
def test_a_few_distinct_weights_are_kept_exactly(scale):
    centre = np.random.default_rng(0).choice([-0.7, 0.0, 0.31, 2.2], size=(3, 12))
    model = QuadraticModel(random_model().block(np.arange(12)), centre)
    result = quantize(model, bits=2, grid="codebook", scale=scale)
    assert result.weights == pytest.approx(centre, rel=1e-9)
    assert not result.weights[centre == 0].any()


def test_without_coupling_it_is_optimal_weighted_clustering():
    weights = np.array([-2.0, -1.8, -1.1, 0.9, 1.0, 1.3])
    importance = np.array([1.0, 2.0, 1.0, 1.0, 1.0, 2.0])
    found = quantize(QuadraticModel(np.diag(importance), weights), bits=2, grid="codebook").loss
    best = np.inf
    for codes in itertools.product(range(4), repeat=6):
        loss = 0.0
        for level in range(4):
            who = np.array(codes) == level
            if who.any():
                centre = 0.0 if level == 0 else np.average(weights[who], weights=importance[who])
                loss += importance[who] @ (weights[who] - centre) ** 2
        best = min(best, loss)
    assert found == pytest.approx(best)


def test_rounding_again_on_the_codebook_keeps_its_levels_and_the_zeros():
    model = random_model(2, n_outputs=2)
    first = quantize(model, bits=3, grid="codebook")
    support = np.ones((2, 12), dtype=bool)
    support[0, :4] = support[1, 5] = False
    second = round_on(model.restrict(support), first.grid)
    assert not second.weights[~support].any()
    for row, levels in zip(second.weights, first.grid.levels, strict=True):
        assert set(row) <= set(levels)

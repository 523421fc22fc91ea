"""Sharing a number of units among problems, beside the enumeration of all supports."""

import itertools

import numpy as np
import pytest
from least_squares import correlated, model_of, r2_lost

from skcompress.core.pruning import prune, prune_sizes
from skcompress.core.sharing import shares_of


def outputs(seed):
    """Three outputs of columns so correlated that the losses are far from convex in the size."""
    r = np.random.default_rng(seed)
    A = r.standard_normal((80, 6)) @ r.standard_normal((6, 6)) + 1
    return A, A @ r.standard_normal((6, 3)) * [1, 0.3, 5] + r.standard_normal((80, 3)) * [1, 2, 3]


def least_losses(A, B):
    """Return the least R2 lost of each size of each output, by enumeration, (m, p + 1)."""
    masks = [np.array(mask) for mask in itertools.product([False, True], repeat=A.shape[1])]
    losses = np.full((B.shape[1], A.shape[1] + 1), np.inf)
    for output, size in np.ndindex(losses.shape):
        for mask in (mask for mask in masks if mask.sum() == size):
            losses[output, size] = min(losses[output, size], r2_lost(A, B[:, output], mask[None]))
    return losses / B.shape[1]


def best_of_all(losses):
    """Return the least loss of each total, by enumeration of the sizes."""
    best = np.full(losses.shape[0] * (losses.shape[1] - 1) + 1, np.inf)
    for sizes in itertools.product(range(losses.shape[1]), repeat=losses.shape[0]):
        best[sum(sizes)] = min(best[sum(sizes)], losses[np.arange(len(sizes)), list(sizes)].sum())
    return best


@pytest.mark.parametrize("seed", range(5))
def test_the_min_plus_sum_is_that_of_the_enumeration(seed):
    curves = np.random.default_rng(seed).random((3, 5))
    curves[1, :2] = np.inf
    shares = shares_of(list(curves))
    best = best_of_all(curves)
    np.testing.assert_allclose(shares.losses, best)
    for total in np.flatnonzero(best < np.inf):
        sizes = shares.sizes(int(total))
        assert sizes.sum() == total
        assert curves[np.arange(3), sizes].sum() == pytest.approx(best[total])


@pytest.mark.parametrize("seed", [0, 1, 2, 4, 7])
def test_an_exact_share_is_the_best_of_all(seed):
    A, B = outputs(seed)
    best = best_of_all(least_losses(A, B))
    for total in (3, 6, 9, 12):
        pruned = prune(model_of(A, B), n_nonzero=total / 18, search="exact")
        assert pruned.support.sum() == total
        assert pruned.loss == pytest.approx(best[total], abs=1e-9)
        assert pruned.proven


@pytest.mark.parametrize("seed", [0, 1, 2, 4, 7])
@pytest.mark.parametrize("allowed", [0.005, 0.02, 0.1])
def test_an_exact_max_loss_keeps_the_fewest_of_all(seed, allowed):
    A, B = outputs(seed)
    best = best_of_all(least_losses(A, B))
    pruned = prune(model_of(A, B), max_loss=allowed, search="exact")
    assert pruned.loss <= allowed
    assert pruned.support.sum() == np.flatnonzero(best <= allowed)[0]
    assert pruned.loss == pytest.approx(best[pruned.support.sum()], abs=1e-9)


def test_a_share_of_swap_is_no_worse_than_any_other_on_its_curves():
    A, B = outputs(0)
    quadratic = model_of(A, B)
    pruned = prune(quadratic, n_nonzero=0.5)
    alike = prune(quadratic, n_nonzero=3)
    assert pruned.support.sum() == alike.support.sum() == 9
    assert pruned.loss <= alike.loss + 1e-12
    (again,) = prune_sizes(quadratic, [0.5])
    np.testing.assert_array_equal(again.support, pruned.support)


@pytest.mark.parametrize("options", [{"keep": [0, 3]}, {"monotonic_cst": [1, 0, -1, 0, 0, 1]}])
def test_an_exact_share_is_best_among_those_allowed(options):
    X, Y = correlated(90, 6, seed=1, n_outputs=2, noise=0.6)
    quadratic = model_of(X, Y)
    share = prune(quadratic, n_nonzero=0.5, search="exact", **options)
    single = [model_of(X, Y[:, output]) for output in range(2)]
    sums = []
    for first in range(2, 5):
        sizes = first, 6 - first
        parts = [prune(q, n_nonzero=k, search="exact", **options) for q, k in zip(single, sizes, strict=True)]
        sums.append(sum(part.loss for part in parts) / 2)
    assert share.loss == pytest.approx(min(sums), abs=1e-9)
    assert share.proven

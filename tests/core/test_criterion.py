"""The extended BIC: its value, and the walk to its minimum."""

import math

import numpy as np
import pytest
from least_squares import correlated

from skcompress import QuadraticModel, prune
from skcompress.core.criterion import Criterion, lowest_around


@pytest.mark.parametrize(
    ("n", "p", "known", "gamma"),
    [(100, 20, False, 0.5), (100, 100, False, 0.5), (20, 100, False, 1.0), (100, 20, True, 1.0), (20, 100, True, 1.0)],
)
def test_value_is_that_of_chen_and_chen(n, p, known, gamma):
    criterion = Criterion(n, p, known)
    for k, deviance in ((0, 1.0), (3, 0.4), (p, 0.1)):
        fit = n * deviance if known else n * math.log(deviance)
        expected = fit + k * math.log(n) + 2 * gamma * math.log(math.comb(p, min(k, p // 2)))
        assert criterion(deviance, k, k) == pytest.approx(expected)


def test_more_weights_than_are_borne_do_not_count():
    criterion = Criterion(10, 20, False, largest=5)
    assert np.isfinite(criterion(0.5, 5, 5))
    assert criterion(0.5, 6, 6) == np.inf


def test_a_walk_finds_the_minimum_across_one_bump_and_asks_once_for_each_size():
    values, asked = [9.0, 5.0, 6.0, 4.0, 7.0, 8.0, 1.0, 9.0], []

    def value_at(size):
        asked.append(size)
        return values[size]

    assert lowest_around([1], 0, 7, value_at) == 3
    assert lowest_around([1, 6], 0, 7, lambda size: values[size]) == 6
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("alpha", [0.3, 30.0])
def test_a_ridge_penalty_is_no_deviance(alpha):
    # Against the refits of ridge regression on the chosen columns of every size.
    X, _ = correlated(120, 12, seed=5)
    y = X[:, [1, 4, 9]] @ [1.0, -1.0, 0.7] + np.random.default_rng(0).standard_normal(120)
    X, y = X - X.mean(axis=0), y - y.mean()
    model = QuadraticModel.from_blocks([(X, y)], alpha=alpha)
    values = []
    for size in range(1, 13):
        S = np.flatnonzero(prune(model, n_nonzero=size).support[0])
        w = np.linalg.solve(X[:, S].T @ X[:, S] + alpha * np.eye(size), X[:, S].T @ y)
        error = np.mean((y - X[:, S] @ w) ** 2)
        values.append(120 * math.log(error) + size * math.log(120) + math.log(math.comb(12, min(size, 6))))
    assert prune(model).n_units == 1 + int(np.argmin(values))

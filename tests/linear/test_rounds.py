"""Rounds of linearisation: the true loss falls, and ends at the minimum on the support."""

import numpy as np
import pytest
from sklearn.linear_model import GammaRegressor, HuberRegressor, LinearRegression, LogisticRegression, PoissonRegressor

from skcompress.core.pruning import prune
from skcompress.core.quantizing import quantize
from skcompress.linear.problem import LinearProblem
from skcompress.linear.rounds import ROUNDS, compress_in_rounds, settle
from skcompress.linear.state import State
from skcompress.linear.view import find_leaf

BASES = [
    PoissonRegressor(alpha=0.1, tol=1e-10, max_iter=1000),
    GammaRegressor(alpha=0.1, tol=1e-10, max_iter=1000),
    HuberRegressor(alpha=0.1, tol=1e-8, max_iter=1000),
]


def problem_and_start(base, X, y):
    problem = LinearProblem(find_leaf(base.fit(X, y), X, y))
    return problem, State.uncompressed(problem.weights, problem.intercept)


def loss_of(problem, weights, intercept):
    return problem.assess(weights, intercept)[0]


@pytest.fixture
def positive(counts):
    X, y = counts
    return X, y + 0.5


@pytest.mark.parametrize("base", BASES, ids=lambda base: type(base).__name__)
class TestNotQuadratic:
    def test_further_rounds_never_raise_the_loss(self, base, positive):
        problem, start = problem_and_start(base, *positive)
        first = []

        def step(quadratic, earlier):
            result = quantize(quadratic, bits=2)
            first.append(result.weights)
            return result

        solution = compress_in_rounds(problem, start, step)
        one_round = loss_of(problem, first[0], problem.best_intercept(first[0]))
        assert loss_of(problem, solution.result.weights, solution.intercept) <= one_round
        assert 2 <= len(first) <= ROUNDS

    def test_settled_weights_are_those_of_the_base_on_the_support(self, base, positive):
        X, y = positive
        problem, start = problem_and_start(base, X, y)
        pruned = prune(problem.quadratic(start.centre, start.intercept, start.support), n_nonzero=2)
        weights, intercept = settle(problem, pruned.weights, problem.best_intercept(pruned.weights), pruned.support)
        kept = pruned.support[0]
        alone = type(base)(**base.get_params()).fit(X[:, kept], y)
        if isinstance(base, HuberRegressor):
            assert loss_of(problem, weights, intercept) < 1.05 * loss_of(
                problem, np.where(kept, embed(alone.coef_, kept), 0.0)[None], np.array([alone.intercept_])
            )
            return
        np.testing.assert_allclose(weights[0, kept], alone.coef_, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(intercept, alone.intercept_, rtol=1e-4)
        np.testing.assert_array_equal(weights[0, ~kept], 0.0)

    def test_settling_at_the_minimum_stays_there(self, base, positive):
        problem, start = problem_and_start(base, *positive)
        weights, intercept = settle(problem, problem.weights, problem.intercept, start.support)
        np.testing.assert_allclose(weights, problem.weights, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(intercept, problem.intercept, rtol=1e-3, atol=1e-5)


def embed(values, kept):
    whole = np.zeros(len(kept))
    whole[kept] = values
    return whole


def test_a_quadratic_loss_takes_one_round(small):
    problem, start = problem_and_start(LinearRegression(), *small)
    calls = []

    def step(quadratic, earlier):
        calls.append(earlier)
        return quantize(quadratic, bits=3)

    compress_in_rounds(problem, start, step)
    assert calls == [None]
    weights = np.ones((1, 5))
    assert settle(problem, weights, np.zeros(1), start.support)[0] is weights


def test_later_rounds_see_the_earlier_result(positive):
    problem, start = problem_and_start(BASES[0], *positive)
    seen = []

    def step(quadratic, earlier):
        seen.append((quadratic, earlier))
        return quantize(quadratic, bits=2)

    compress_in_rounds(problem, start, step)
    assert seen[1][1] is not None
    np.testing.assert_array_equal(seen[1][0].centre, seen[1][1].weights)
    assert seen[1][0].gradient.any()


def test_logistic_settles_at_its_minimum_on_the_support():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 6))
    y = X @ np.array([2.0, -1.0, 0.5, 0.1, 0.0, 0.0]) + rng.logistic(size=300) > 0
    base = LogisticRegression(C=0.5, tol=1e-12, max_iter=10_000)
    problem, start = problem_and_start(base, X, y)
    pruned = prune(problem.quadratic(start.centre, start.intercept, start.support), n_nonzero=2)
    weights, intercept = settle(problem, pruned.weights, problem.best_intercept(pruned.weights), pruned.support)
    kept = pruned.support[0]
    alone = LogisticRegression(C=0.5, tol=1e-12, max_iter=10_000).fit(X[:, kept], y)
    np.testing.assert_allclose(weights[:, kept], alone.coef_, rtol=1e-5)
    np.testing.assert_allclose(intercept, alone.intercept_, rtol=1e-4, atol=1e-6)

"""Rounds of linearisation: the true loss falls, and ends at the minimum on the support."""

import numpy as np
import pytest
from sklearn.linear_model import GammaRegressor, HuberRegressor, LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.metrics import log_loss

from skcompress import PrunedClassifier, QuantizedClassifier, QuantizedRegressor
from skcompress.core.pruned import swapped
from skcompress.core.pruning import prune, prune_with
from skcompress.core.quadratic import QuadraticModel
from skcompress.core.quantizing import quantize
from skcompress.linear import pruning_step, quantizing_step
from skcompress.linear.containers import find_leaf
from skcompress.linear.problem import LinearProblem
from skcompress.linear.rounds import ROUNDS, compress_in_rounds, refit_weights
from skcompress.linear.state import State

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
        at = pruned.weights, problem.best_intercept(pruned.weights)
        weights, intercept = refit_weights(problem, *at, pruned.support)
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
        weights, intercept = refit_weights(problem, problem.weights, problem.intercept, start.support)
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
    assert refit_weights(problem, weights, np.zeros(1), start.support)[0] is weights


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


def test_logistic_is_refitted_to_its_minimum_on_the_support():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 6))
    y = X @ np.array([2.0, -1.0, 0.5, 0.1, 0.0, 0.0]) + rng.logistic(size=300) > 0
    base = LogisticRegression(C=0.5, tol=1e-12, max_iter=10_000)
    problem, start = problem_and_start(base, X, y)
    pruned = prune(problem.quadratic(start.centre, start.intercept, start.support), n_nonzero=2)
    weights, intercept = refit_weights(problem, pruned.weights, problem.best_intercept(pruned.weights), pruned.support)
    kept = pruned.support[0]
    alone = LogisticRegression(C=0.5, tol=1e-12, max_iter=10_000).fit(X[:, kept], y)
    np.testing.assert_allclose(weights[:, kept], alone.coef_, rtol=1e-5)
    np.testing.assert_allclose(intercept, alone.intercept_, rtol=1e-4, atol=1e-6)


@pytest.fixture(scope="module")
def wide():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((800, 260)) @ (np.eye(260) + 0.05 * rng.standard_normal((260, 260)))
    weights = rng.standard_normal(260) * (rng.random(260) < 0.3)
    return X, (X @ weights + 3 * rng.logistic(size=800) > 0).astype(int)


class TestManyColumns:
    """Rounds that go on from one another, where a search from the start takes too long."""

    def test_the_deviance_is_within_half_a_percent_of_searching_each_round(self, wide):
        X, y = wide
        quick, patient = (PrunedClassifier(n_nonzero=0.5, search=search).fit(X, y) for search in ("auto", "swap"))
        assert quick.n_nonzero_ == patient.n_nonzero_ == 130
        deviances = [log_loss(y, model.predict_proba(X)) for model in (quick, patient)]
        assert deviances[0] <= 1.005 * deviances[1]

    def test_only_the_first_round_searches_from_the_start(self, wide, monkeypatch):
        searched = []

        def spy(quadratic, options):
            searched.append(options.search)
            return prune_with(quadratic, options)

        monkeypatch.setattr(pruning_step, "prune_with", spy)
        PrunedClassifier(n_nonzero=0.5).fit(*wide)
        assert searched == ["backward"]
        searched.clear()
        PrunedClassifier(n_nonzero=0.1).fit(*wide)
        assert set(searched) == {"auto"}
        assert len(searched) > 1

    def test_swapping_keeps_sizes_and_kept_columns_and_never_loses(self, wide):
        X, y = wide
        hot = np.stack([y, 1 - y, X[:, 0]], axis=1)
        first = QuadraticModel.from_blocks([(X, hot)])
        other = QuadraticModel.from_blocks([(X[:400], hot[:400])])
        begun = prune(first, n_nonzero=7, keep=[3, 200], search="backward")
        found = swapped(begun, other, None, [3, 200])
        assert (found.support.sum(axis=1) == 7).all()
        assert found.support[:, [3, 200]].all()
        assert found.loss < other.restrict(begun.support).loss(other.restrict(begun.support).centre)
        best = prune(other, n_nonzero=7, keep=[3, 200])
        assert found.loss == pytest.approx(best.loss, rel=0.02)
        assert found.loss == pytest.approx(other.loss(found.weights))


class TestNearlySeparated:
    """Without a penalty nearly separated classes leave no curvature at the weights of the base."""

    @staticmethod
    def rows(seed, n_classes):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((300, 20))
        weights = 3 * rng.standard_normal((n_classes, 3))
        return X, (X[:, [2, 7, 11]] @ weights.T + 0.3 * rng.gumbel(size=(300, n_classes))).argmax(axis=1)

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize("n_classes", [3, 5])
    def test_the_true_columns_are_found(self, seed, n_classes):
        X, y = self.rows(seed, n_classes)
        base = LogisticRegression(C=np.inf, max_iter=3000)
        model = PrunedClassifier(base, n_nonzero=3, feature_groups="feature").fit(X, y)
        assert np.flatnonzero(model.support_.any(axis=0)).tolist() == [2, 7, 11]

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("n_classes", [2, 5])
    def test_rounded_weights_stay_far_better_than_a_constant(self, seed, n_classes):
        X, y = self.rows(seed, n_classes)
        base = LogisticRegression(C=np.inf, max_iter=3000)
        assert QuantizedClassifier(base, bits=4).fit(X, y).loss_increase_ < 0.3
        assert PrunedClassifier(base, n_nonzero=3).fit(X, y).loss_increase_ < 0.3


@pytest.mark.parametrize("limit", [3, 6])
def test_a_curvature_too_large_to_be_made_is_linearised_once(limit, counts, monkeypatch):
    X, y = counts
    asked = []

    def compress(problem, start, step, rounds):
        asked.append(rounds)
        return compress_in_rounds(problem, start, step, rounds)

    monkeypatch.setattr(quantizing_step, "compress_in_rounds", compress)
    monkeypatch.setattr(quantizing_step, "DENSE_LIMIT", limit)
    model = QuantizedRegressor(PoissonRegressor(alpha=0.1), bits=3).fit(X, y)
    assert asked == [1 if limit < X.shape[1] else ROUNDS]
    assert model.loss_increase_ < 0.05

"""Classes with a budget for each: swaps on the multinomial loss, beside all supports there are."""

from itertools import combinations, product

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from test_newton import least

from skcompress import PrunedClassifier
from skcompress.linear import multinomial
from skcompress.linear.containers import find_leaf
from skcompress.linear.newton import Newton
from skcompress.linear.problem import LinearProblem


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def overlapping():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 6)) + 1
    X[:, 1] = X[:, 0] * 0.9 + 0.3 * X[:, 1]
    score = X @ rng.standard_normal(6) + 1.5 * rng.standard_normal(300) - 1
    return X, np.digitize(score, [-1, 1])


def logistic(C):
    return LogisticRegression(C=C, tol=1e-10, max_iter=10_000)


@pytest.mark.slow
@pytest.mark.parametrize("C", [0.1, 1.0])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_support_is_among_the_best_of_all(iris, C, k):
    X, y = iris
    model = PrunedClassifier(logistic(C), n_nonzero=k).fit(X, y)
    assert (model.support_.sum(axis=1) == k).all()
    ours = least(X, y, model.support_, C)
    losses = []
    for kept in product(list(combinations(range(4), k)), repeat=3):
        support = np.array([np.isin(np.arange(4), one) for one in kept])
        losses.append(least(X, y, support, C))
    assert np.sum(np.array(losses) < ours - 1e-6 * abs(ours)) <= 1


@pytest.mark.parametrize(("C", "most"), [(np.inf, 0.02), (1.0, 0.0205)])
@pytest.mark.parametrize("search", ["auto", "exact"])
def test_correlated_columns(overlapping, C, most, search):
    """A search without the blocks between classes loses 0.057 or more."""
    model = PrunedClassifier(logistic(C), n_nonzero=3, search=search).fit(*overlapping)
    assert (model.support_.sum(axis=1) == 3).all()
    assert model.loss_increase_ < most


@pytest.mark.slow
@pytest.mark.parametrize("search", ["auto", "exact", "backward"])
@pytest.mark.parametrize("budget", [{"n_nonzero": 2}, {"max_loss": 0.05}, {"threshold": 0.002}])
def test_nothing_is_said_to_be_proven(overlapping, search, budget):
    model = PrunedClassifier(logistic(1.0), search=search, **budget).fit(*overlapping)
    other = PrunedClassifier(logistic(1.0), n_nonzero=5).fit(*overlapping)
    assert model.loss_increase_ - model.optimality_gap_ <= max(0.0, other.loss_increase_) + 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("load", [load_iris, load_wine])
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("k", [1, 2, 4])
def test_swaps_never_lose(load, C, k, monkeypatch):
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    model = PrunedClassifier(LogisticRegression(C=C, max_iter=500), n_nonzero=k)
    with_them = model.fit(X, y).loss_increase_
    monkeypatch.setattr(multinomial, "MOST_WORK", 0)
    assert with_them <= model.fit(X, y).loss_increase_ + 1e-7


def test_kept_columns_stay(overlapping):
    model = PrunedClassifier(logistic(1.0), n_nonzero=2, keep=[1]).fit(*overlapping)
    assert model.support_[:, 1].all()
    assert (model.support_.sum(axis=1) == 2).all()


def test_the_gain_of_a_swap_is_that_of_the_quadratic(overlapping):
    X, y = overlapping
    problem = LinearProblem(find_leaf(logistic(1.0).fit(X, y), X, y))
    free = np.ones((3, 6), dtype=bool)
    support = np.zeros((3, 6), dtype=bool)
    support[:, [0, 2, 4]] = True
    weights = np.where(support, problem.weights, 0.0)
    model = Newton(problem, free).joint(weights, problem.best_intercept(weights), at_minimum=False)

    def kept(support):
        there = model.restrict(support.reshape(1, -1))
        return float((there.loss_at_centre / there.loss_unit).sum())

    found = multinomial._best_pairs(model, support, free, np.zeros((3, 6), dtype=bool))
    reached = {}
    for out, into in product(np.flatnonzero(support), np.flatnonzero(~support)):
        if out // 6 == into // 6:
            tried = support.copy()
            tried.flat[out], tried.flat[into] = False, True
            reached[out, into] = kept(tried)
    best = sorted((loss, pair) for pair, loss in reached.items() if loss < kept(support))[:5]
    assert [pair for _, pair in best] == found


def test_elimination_drops_the_cheapest_of_each_class(overlapping):
    X, y = overlapping
    problem = LinearProblem(find_leaf(logistic(1.0).fit(X, y), X, y))
    free = np.ones((3, 6), dtype=bool)
    model = Newton(problem, free).joint(problem.weights, problem.intercept, at_minimum=True)
    held = np.zeros((3, 6), dtype=bool)
    held[0, 1] = True
    support = multinomial._eliminated(model, np.array([2, 4, 6]), free, held)
    expected = free.copy()
    while (expected.sum(axis=1) > [2, 4, 6]).any():
        losses = {}
        for place in np.flatnonzero(expected & ~held & (expected.sum(axis=1) > [2, 4, 6])[:, None]):
            tried = expected.copy()
            tried.flat[place] = False
            losses[place] = float(model.restrict(tried.reshape(1, -1)).loss_at_centre.sum())
        expected.flat[min(losses, key=losses.get)] = False
    np.testing.assert_array_equal(support, expected)

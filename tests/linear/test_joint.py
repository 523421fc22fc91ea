"""The quadratic of all classes together, and what pruning on it is worth where classes share a budget."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from test_newton import least

from skcompress import PrunedClassifier, QuantizedClassifier
from skcompress.linear import newton
from skcompress.linear.containers import find_leaf
from skcompress.linear.problem import LinearProblem


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def logistic(C=1.0):
    return LogisticRegression(C=C, tol=1e-10, max_iter=10_000)


def without_blocks_between(monkeypatch, model, X, y):
    with monkeypatch.context() as patch:
        patch.setattr(newton, "MOST_WEIGHTS", 0)
        return model.fit(X, y).loss_increase_


def test_the_quadratic_is_the_loss_near_the_point_where_it_was_taken(iris):
    """Also away from the minimum, with a gradient; the intercepts follow."""
    X, y = iris
    problem = LinearProblem(find_leaf(logistic().fit(X, y), X, y))
    rng = np.random.default_rng(0)
    weights = problem.weights + 0.3 * rng.standard_normal((3, 4))
    intercept = problem.best_intercept(weights)
    model = newton.Newton(problem, np.ones((3, 4), dtype=bool)).joint(weights, intercept, at_minimum=False)

    def rise(step):
        moved = weights + step
        level = problem.best_intercept(moved)
        return float(problem.losses(moved, problem.predictor(moved, level)).sum())

    start = rise(np.zeros((3, 4)))
    for _ in range(5):
        direction = rng.standard_normal((3, 4))
        # Second differences: what is left is of the fourth order.
        size = 1e-3
        slope = (rise(size * direction) - rise(-size * direction)) / (2 * size)
        bend = (rise(size * direction) + rise(-size * direction) - 2 * start) / size**2
        flat = direction.ravel()
        assert model.gradient[0] @ flat == pytest.approx(slope, rel=1e-5, abs=1e-8)
        assert 2 * (flat @ model.grams[0].matrix @ flat + model.penalty[0] @ flat**2) == pytest.approx(bend, rel=1e-4)


@pytest.mark.parametrize("C", [0.1, 1.0])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_whole_features_are_the_best_of_all(iris, C, k):
    X, y = iris
    model = PrunedClassifier(logistic(C), n_nonzero=k, feature_groups="feature").fit(X, y)
    assert (model.support_ == model.support_[0]).all()

    def of(kept):
        return least(X, y, np.isin(np.arange(4), kept) & np.ones((3, 1), dtype=bool), C)

    chosen = of(np.flatnonzero(model.support_[0]))
    assert chosen == pytest.approx(min(of(kept) for kept in combinations(range(4), k)), abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("C", [0.1, 1.0])
def test_a_shared_budget_is_near_the_best_of_all(iris, C):
    """Three weights among the twelve of three classes: 220 supports."""
    X, y = iris
    model = PrunedClassifier(logistic(C), n_nonzero=0.25).fit(X, y)
    assert model.n_nonzero_ == 3
    losses = []
    for kept in combinations(range(12), 3):
        support = np.isin(np.arange(12), kept).reshape(3, 4)
        losses.append(least(X, y, support, C))
    rank = np.sum(np.array(losses) < least(X, y, model.support_, C) - 1e-7)
    assert rank <= 1


@pytest.mark.parametrize("options", [{"n_nonzero": 0.25}, {"n_nonzero": 2, "feature_groups": "feature"}])
@pytest.mark.parametrize("C", [0.1, 1.0, 100.0])
def test_never_worse_than_without_the_blocks_between_classes(iris, C, options, monkeypatch):
    X, y = iris
    model = PrunedClassifier(logistic(C), **options)
    alone = without_blocks_between(monkeypatch, model, X, y)
    assert model.fit(X, y).loss_increase_ <= alone + 1e-6


def test_the_blocks_matter(iris, monkeypatch):
    X, y = iris
    model = PrunedClassifier(logistic(100.0), n_nonzero=0.5)
    alone = without_blocks_between(monkeypatch, model, X, y)
    assert model.fit(X, y).loss_increase_ < alone - 0.002


def test_keep_signs_labels_and_paths_go_along(iris):
    X, y = iris
    model = PrunedClassifier(
        logistic(), n_nonzero=2, feature_groups=[0, 0, 1, 2], keep=[1], monotonic_cst=[0, 1, 0, 0]
    ).fit(X, y)
    assert model.support_[:, 1].any()
    assert (model.coef_[:, 1] >= 0).all()
    assert model.path_[0].support.shape == model.importances_.shape == (3, 4)
    np.testing.assert_array_equal(model.path_.at(2).support.any(axis=0), model.support_.any(axis=0))


def test_rounding_what_was_pruned_together(iris):
    X, y = iris
    pruned = PrunedClassifier(logistic(), n_nonzero=0.5)
    model = QuantizedClassifier(pruned, bits=4).fit(X, y)
    assert np.count_nonzero(model.coef_) <= 6
    np.testing.assert_allclose(model.predict_proba(X).mean(axis=0), 1 / 3, atol=1e-9)

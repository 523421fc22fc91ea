"""Newton's steps on the kept weights of one and of several classes, against scipy's minimum of the same loss."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from skcompress import PrunedClassifier, QuantizedClassifier
from skcompress.linear import newton


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def logistic(C=1.0, **options):
    return LogisticRegression(C=C, tol=1e-10, max_iter=10_000, **options)


def loss_and_gradient(X, y, weights, intercept, C):
    """Twice the log loss with the penalty of LogisticRegression, and its gradients."""
    eta, hot = X @ weights.T + intercept, np.eye(len(weights))[y]
    strength = 1 / (C * len(y))
    value = -2 * (hot * log_softmax(eta, axis=1)).sum() / len(y) + strength * (weights**2).sum()
    rest = softmax(eta, axis=1) - hot
    return value, 2 * rest.T @ X / len(y) + 2 * strength * weights, 2 * rest.mean(axis=0)


def least(X, y, support, C):
    """The least loss on a support, by L-BFGS."""
    size = support.sum()

    def objective(packed):
        weights = np.zeros(support.shape)
        weights[support] = packed[:size]
        value, by_weight, by_level = loss_and_gradient(X, y, weights, packed[size:], C)
        return value, np.r_[by_weight[support], by_level]

    start = np.zeros(size + len(support))
    options = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-16, "gtol": 1e-10}
    return minimize(objective, start, jac=True, method="L-BFGS-B", options=options).fun


@pytest.mark.slow
@pytest.mark.parametrize("C", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_kept_weights_are_at_the_minimum(iris, C, k):
    X, y = iris
    model = PrunedClassifier(logistic(C), n_nonzero=k).fit(X, y)
    value, by_weight, by_level = loss_and_gradient(X, y, model.coef_, model.intercept_, C)
    np.testing.assert_allclose(by_weight[model.support_], 0.0, atol=1e-6)
    np.testing.assert_allclose(by_level, 0.0, atol=1e-10)
    assert value == pytest.approx(least(X, y, model.support_, C), abs=1e-7)


@pytest.mark.slow
def test_sparse_rows_give_the_same(iris):
    X, y = iris
    dense = PrunedClassifier(logistic(), n_nonzero=2).fit(X, y)
    sparse = PrunedClassifier(logistic(), n_nonzero=2).fit(sp.csr_array(X), y)
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-6)


def test_weights_that_a_shift_of_all_classes_leaves_equal(iris):
    """Without a penalty the curvature is singular: the same weights added to all classes change nothing."""
    X, y = iris
    X = X[:, :2]
    base = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    full = base.fit(X, y).predict_proba(X)
    model = PrunedClassifier(base, n_nonzero=2).fit(X, y)
    assert model.n_nonzero_ == 6
    np.testing.assert_allclose(model.predict_proba(X), full, atol=1e-4)


def test_signs_hold_and_the_rest_is_at_its_minimum(iris):
    X, y = iris
    model = PrunedClassifier(logistic(), n_nonzero=4, monotonic_cst=[0, 1, 0, -1]).fit(X, y)
    assert (model.coef_[:, 1] >= 0).all()
    assert (model.coef_[:, 3] <= 0).all()
    _, gradient, _ = loss_and_gradient(X, y, model.coef_, model.intercept_, 1.0)
    np.testing.assert_allclose(gradient[model.coef_ != 0], 0.0, atol=1e-6)


@pytest.mark.parametrize("C", [0.1, 1.0, 100.0])
def test_beyond_the_limit_products_with_the_hessian_lead_to_the_minimum(iris, monkeypatch, C):
    X, y = iris
    monkeypatch.setattr(newton, "MOST_WEIGHTS", 5)
    model = PrunedClassifier(logistic(C), n_nonzero=2).fit(X, y)
    value, _, by_level = loss_and_gradient(X, y, model.coef_, model.intercept_, C)
    np.testing.assert_allclose(by_level, 0.0, atol=1e-10)
    assert value == pytest.approx(least(X, y, model.support_, C), abs=1e-6)


def test_beyond_the_limit_the_search_leaves_out_the_blocks(iris, monkeypatch):
    X, y = iris
    together = PrunedClassifier(logistic(), n_nonzero=2, search="backward").fit(X, y)
    monkeypatch.setattr(newton, "MOST_WEIGHTS", 5)
    alone = PrunedClassifier(logistic(), n_nonzero=2, search="backward").fit(X, y)
    np.testing.assert_array_equal(alone.support_, together.support_)
    gap = alone.loss_increase_ - together.loss_increase_
    assert 0 <= gap < 1e-4


def test_steps_on_the_whole_curvature_lead_to_the_same_place(iris, monkeypatch):
    X, y = iris
    model = PrunedClassifier(logistic(), n_nonzero=2).fit(X, y == 1)
    monkeypatch.setattr(newton, "_MOST_NUMBERS", 0)
    again = PrunedClassifier(logistic(), n_nonzero=2).fit(X, y == 1)
    np.testing.assert_allclose(again.coef_, model.coef_, rtol=1e-6)
    np.testing.assert_allclose(again.intercept_, model.intercept_, rtol=1e-6)


@pytest.mark.slow
def test_weights_far_from_their_minimum_find_their_way_back():
    """The quadratic of a model without a row in doubt is flat: five weights of 50 land far away."""
    X, y = load_digits(return_X_y=True)
    X = X[::4, X.std(axis=0) > 1] / 16
    model = PrunedClassifier(logistic(1e4), n_nonzero=2).fit(X, y[::4])
    assert model.loss_increase_ < 1.0
    np.testing.assert_allclose(model.predict_proba(X).mean(axis=0), np.bincount(y[::4]) / len(X), atol=1e-8)
    rounded = QuantizedClassifier(model, bits=2).fit(X, y[::4])
    np.testing.assert_allclose(rounded.predict_proba(X).mean(axis=0), np.bincount(y[::4]) / len(X), atol=1e-8)

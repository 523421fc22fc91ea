"""LinearProblem: the loss on the training rows, its quadratic model and its intercept."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    LinearRegression,
    PoissonRegressor,
    Ridge,
)

from skcompress.linear.containers import find_leaf
from skcompress.linear.problem import LinearProblem


def problem_of(estimator, X, y, sample_weight=None):
    fitted = estimator.fit(X, y) if sample_weight is None else estimator.fit(X, y, sample_weight=sample_weight)
    return LinearProblem(find_leaf(fitted, X, y, sample_weight))


@pytest.fixture
def nonnegative(counts):
    X, y = counts
    return X, y + 0.5


def test_the_loss_of_least_squares_is_the_mean_squared_error(small):
    X, y = small
    problem = problem_of(LinearRegression(), X, y)
    weights = np.array([[1.0, -2.0, 0.0, 0.3, 1.0]])
    loss = problem.losses(weights, problem.predictor(weights, np.array([0.5])))
    np.testing.assert_allclose(loss, np.mean((y - X @ weights[0] - 0.5) ** 2))
    np.testing.assert_allclose(problem.null_losses, y.var())


def test_the_loss_of_ridge_is_its_objective_divided_by_n(small):
    X, y = small
    problem = problem_of(Ridge(3.0), X, y)
    weights = np.array([[1.0, -2.0, 0.0, 0.3, 1.0]])
    loss = problem.losses(weights, problem.predictor(weights, np.array([0.5])))
    expected = (np.sum((y - X @ weights[0] - 0.5) ** 2) + 3.0 * np.sum(weights**2)) / len(y)
    np.testing.assert_allclose(loss, expected)


@pytest.mark.parametrize(
    "base", [LinearRegression(), Ridge(3.0), ElasticNet(0.1, l1_ratio=0.0, tol=1e-12, max_iter=10**6)]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:With alpha|Coordinate descent:UserWarning")
def test_the_quadratic_is_exact_for_squared_loss(base, small):
    problem = problem_of(base, *small)
    model = problem.quadratic(problem.weights, problem.intercept, problem.weights != 0)
    rng = np.random.default_rng(0)
    for _ in range(5):
        moved = problem.weights + rng.standard_normal(problem.weights.shape)
        rise, _ = problem.assess(moved, problem.best_intercept(moved))
        assert model.loss(moved) == pytest.approx(rise, rel=1e-6)


@pytest.mark.parametrize("base", [PoissonRegressor(alpha=0.1, tol=1e-10), GammaRegressor(alpha=0.1, tol=1e-10)])
def test_the_quadratic_is_right_to_second_order_for_other_losses(base, nonnegative):
    """With the expected curvature in place of the observed one, up to the residuals."""
    problem = problem_of(base, *nonnegative)
    model = problem.quadratic(problem.weights, problem.intercept, problem.weights != 0)
    rng = np.random.default_rng(0)
    for _ in range(5):
        moved = problem.weights + 0.02 * rng.standard_normal(problem.weights.shape)
        rise, _ = problem.assess(moved, problem.best_intercept(moved))
        assert model.loss(moved) == pytest.approx(rise, rel=0.3)


@pytest.mark.parametrize("base", [LinearRegression(), Ridge(3.0), PoissonRegressor(alpha=0.1), HuberRegressor()])
def test_the_gradient_is_that_of_the_loss_with_the_intercept_at_its_best(base, nonnegative):
    problem = problem_of(base, *nonnegative)
    weights = problem.weights + 0.05
    level = problem.best_intercept(weights)
    model = problem.quadratic(weights, level, np.ones_like(weights, dtype=bool), at_minimum=False)
    step = 1e-5
    for j in range(weights.shape[1]):
        moved = [weights + sign * step * np.eye(weights.shape[1])[j] for sign in (-1, 1)]
        low, high = (problem.losses(w, problem.predictor(w, problem.best_intercept(w)))[0] for w in moved)
        assert model.gradient[0, j] == pytest.approx((high - low) / (2 * step), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    "base", [LinearRegression(), Ridge(3.0), PoissonRegressor(alpha=0.1), GammaRegressor(alpha=0.1)]
)
def test_the_best_intercept_keeps_the_mean_prediction(base, nonnegative):
    X, y = nonnegative
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    problem = problem_of(base, X, y, weight)
    moved = problem.weights * 0.5
    predictor = problem.predictor(moved, problem.best_intercept(moved))
    mean = np.average(problem.fit.deviance.mean(predictor)[:, 0], weights=weight)
    if isinstance(base, GammaRegressor):
        # With the log link, Gamma keeps the mean of y / mu at 1.
        ratio = np.average(y / problem.fit.deviance.mean(predictor)[:, 0], weights=weight)
        assert ratio == pytest.approx(1.0)
    else:
        assert mean == pytest.approx(np.average(y, weights=weight))


def test_without_an_intercept_none_is_solved(small):
    X, y = small
    problem = problem_of(LinearRegression(fit_intercept=False), X, y)
    assert problem.best_intercept(problem.weights * 0.5).tolist() == [0.0]
    model = problem.quadratic(problem.weights, problem.intercept, problem.weights != 0)
    np.testing.assert_allclose(model.diag()[0], (X**2).mean(axis=0))
    np.testing.assert_array_equal(model.mean, 0.0)


def test_prediction_change_is_the_rms_change_of_the_linear_predictor(counts):
    X, y = counts
    problem = problem_of(PoissonRegressor(), X, y)
    moved = problem.weights * 0.7
    level = problem.best_intercept(moved)
    _, change = problem.assess(moved, level)
    before = X @ problem.weights[0] + problem.intercept
    assert change == pytest.approx(np.sqrt(np.mean((X @ moved[0] + level - before) ** 2)))


def test_a_frozen_model_is_its_own_target(small):
    X, y = small
    fitted = Ridge(50.0).fit(X, y)
    problem = LinearProblem(find_leaf(FrozenEstimator(fitted), X))
    assert problem.own_target
    assert problem.noise is None
    np.testing.assert_array_equal(problem.l2, 0.0)
    np.testing.assert_allclose(problem.y[:, 0], fitted.predict(X))
    known = LinearProblem(find_leaf(FrozenEstimator(fitted), X, y))
    # What the best line in its predictions leaves of y, in units of the predictions, which are shrunk.
    predicted = fitted.predict(X)
    slope, level = np.polyfit(predicted, y, 1)
    np.testing.assert_allclose(known.noise, np.mean(((y - level) / slope - predicted) ** 2))


@pytest.mark.parametrize("base", [LinearRegression(), PoissonRegressor(alpha=0.1)])
def test_sparse_and_dense_x_are_the_same_problem(base, counts):
    X, y = counts
    X = np.where(np.abs(X) > 0.7, X, 0.0)
    dense = problem_of(base, X, y)
    leaf = find_leaf(base, sp.csc_matrix(X), y)
    sparse = LinearProblem(leaf)
    free = dense.weights != 0
    np.testing.assert_allclose(sparse.column_mean, dense.column_mean)
    np.testing.assert_allclose(sparse.base_losses, dense.base_losses)
    ours, theirs = (p.quadratic(p.weights, p.intercept, free) for p in (sparse, dense))
    np.testing.assert_allclose(ours.rows(np.arange(6)), theirs.rows(np.arange(6)), atol=1e-12)


def test_constant_target_has_no_unit_to_divide_by(small):
    X, _ = small
    problem = problem_of(LinearRegression(), X, np.full(len(X), 2.0))
    rise, change = problem.assess(problem.weights, problem.intercept)
    assert rise == pytest.approx(0.0, abs=1e-20)
    assert change == pytest.approx(0.0, abs=1e-12)

"""CURVATURES: each base's own weights minimise the loss that its entry says they do."""

import numpy as np
import pytest
from sklearn import linear_model as lm
from sklearn.svm import LinearSVR

from skcompress.linear.containers import find_leaf
from skcompress.linear.curvature import CURVATURES, fit_of
from skcompress.linear.problem import LinearProblem
from skcompress.linear.state import State

TIGHT = {
    lm.LinearRegression: {},
    lm.Ridge: {"alpha": 3.0},
    lm.RidgeCV: {"alphas": [0.5, 5.0]},
    lm.ElasticNet: {"alpha": 0.2, "l1_ratio": 0.3, "tol": 1e-12, "max_iter": 100_000},
    lm.ElasticNetCV: {"alphas": [0.1, 0.3], "l1_ratio": 0.4, "cv": 3, "tol": 1e-12, "max_iter": 100_000},
    lm.Lasso: {"alpha": 0.2, "tol": 1e-12, "max_iter": 100_000},
    lm.LassoCV: {"alphas": [0.1, 0.3], "cv": 3, "tol": 1e-12, "max_iter": 100_000},
    lm.MultiTaskElasticNet: {"alpha": 0.2, "l1_ratio": 0.3, "tol": 1e-12, "max_iter": 100_000},
    lm.MultiTaskElasticNetCV: {"alphas": [0.1, 0.3], "cv": 3, "tol": 1e-12, "max_iter": 100_000},
    lm.MultiTaskLasso: {"alpha": 0.2, "tol": 1e-12, "max_iter": 100_000},
    lm.MultiTaskLassoCV: {"alphas": [0.1, 0.3], "cv": 3, "tol": 1e-12, "max_iter": 100_000},
    lm.LassoLars: {"alpha": 0.2},
    lm.LassoLarsCV: {"cv": 3},
    lm.LassoLarsIC: {},
    lm.BayesianRidge: {"tol": 1e-12, "max_iter": 10_000},
    lm.ARDRegression: {"tol": 1e-12, "max_iter": 10_000, "threshold_lambda": 1e12},
    lm.HuberRegressor: {"alpha": 2.0, "tol": 1e-10, "max_iter": 10_000},
    lm.PoissonRegressor: {"alpha": 0.3, "tol": 1e-10, "max_iter": 10_000},
    lm.GammaRegressor: {"alpha": 0.3, "tol": 1e-10, "max_iter": 10_000},
    lm.TweedieRegressor: {"alpha": 0.3, "power": 1.5, "tol": 1e-10, "max_iter": 10_000},
    lm.RidgeClassifier: {"alpha": 3.0},
    lm.RidgeClassifierCV: {"alphas": [0.5, 5.0]},
    lm.LogisticRegression: {"C": 0.3, "tol": 1e-12, "max_iter": 10_000},
    lm.LogisticRegressionCV: {"Cs": [0.1, 0.5], "cv": 3, "tol": 1e-12, "max_iter": 10_000},
}
"""Settings under which each base of the table really reaches its minimum."""

FIDELITY = [
    lm.QuantileRegressor(alpha=0.01),
    LinearSVR(random_state=0, max_iter=100_000),
    lm.SGDRegressor(random_state=0),
    lm.TheilSenRegressor(random_state=0, max_subpopulation=200),
    lm.OrthogonalMatchingPursuit(n_nonzero_coefs=3),
    lm.Lars(n_nonzero_coefs=3),
]


def data(kind):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((120, 5)) + 1.0
    signal = X @ np.array([0.8, -0.6, 0.4, 0.05, 0.0])
    if "MultiTask" in kind.__name__:
        return X, np.column_stack([signal, signal[::-1]]) + rng.standard_normal((120, 2))
    if hasattr(kind, "predict_proba") or "Classifier" in kind.__name__:
        return X, np.digitize(signal + rng.standard_normal(120), [0, 1.2])
    if kind.__name__ in ("PoissonRegressor", "GammaRegressor", "TweedieRegressor"):
        return X, rng.gamma(2.0, np.exp(signal / 2))
    return X, signal + rng.standard_normal(120) + (rng.uniform(size=120) < 0.1) * 10


def problem_of(estimator, X, y, sample_weight=None):
    params = {} if sample_weight is None else {"sample_weight": sample_weight}
    return LinearProblem(find_leaf(estimator.fit(X, y, **params), X, y, sample_weight))


@pytest.mark.parametrize("kind", [*CURVATURES, lm.Lasso, lm.MultiTaskLasso], ids=lambda kind: kind.__name__)
@pytest.mark.filterwarnings("ignore::FutureWarning")
class TestTable:
    def test_the_newton_step_at_the_bases_own_weights_is_zero(self, kind):
        problem = problem_of(kind(**TIGHT[kind]), *data(kind))
        assert np.isfinite(problem.base_losses).all()
        start = State.uncompressed(problem.weights, problem.intercept)
        quadratic = problem.quadratic(problem.weights, problem.intercept, start.support, at_minimum=False)
        step = quadratic.restrict(start.support).centre - problem.weights
        scale = np.abs(problem.weights).max()
        assert np.abs(step).max() < 1e-3 * scale

    def test_no_other_weights_have_less_loss(self, kind):
        problem = problem_of(kind(**TIGHT[kind]), *data(kind))
        rng = np.random.default_rng(0)
        free = problem.weights != 0
        for _ in range(20):
            moved = problem.weights * (1 + 0.05 * rng.standard_normal(problem.weights.shape) * free)
            level = problem.best_intercept(moved)
            losses = problem.losses(moved, problem.predictor(moved, level))
            assert losses.sum() >= problem.base_losses.sum() * (1 - 1e-6)

    def test_the_intercept_is_already_the_best(self, kind):
        problem = problem_of(kind(**TIGHT[kind]), *data(kind))
        level = problem._newton(problem.predictor(problem.weights, np.zeros(1)), problem.intercept)
        shift = level - problem.intercept
        if problem.fit.deviance.coupled:
            shift = shift - shift.mean()
        np.testing.assert_allclose(shift, 0.0, atol=1e-4)


@pytest.mark.parametrize("estimator", FIDELITY, ids=lambda estimator: type(estimator).__name__)
def test_a_base_outside_the_table_is_its_own_target(estimator):
    X, y = data(type(estimator))
    problem = problem_of(estimator, X, y)
    assert fit_of(estimator, 120.0) is None
    assert problem.own_target
    np.testing.assert_allclose(problem.y[:, 0], estimator.predict(X))
    assert problem.base_losses == pytest.approx(0.0, abs=1e-20)
    assert problem.null_losses[0] == pytest.approx(estimator.predict(X).var())


@pytest.mark.parametrize(
    "kind", [lm.Ridge, lm.ElasticNet, lm.PoissonRegressor, lm.HuberRegressor, lm.LogisticRegression]
)
def test_sample_weights_enter_the_penalty_as_the_base_has_them(kind):
    X, y = data(kind)
    weight = np.random.default_rng(0).uniform(0.2, 4, len(y))
    problem = problem_of(kind(**TIGHT[kind]), X, y, weight)
    free = problem.weights != 0
    quadratic = problem.quadratic(problem.weights, problem.intercept, free, at_minimum=False)
    step = quadratic.restrict(free).centre - problem.weights
    assert np.abs(step).max() < 1e-3 * np.abs(problem.weights).max()


def test_ridge_with_a_penalty_for_each_output():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((60, 4)), rng.standard_normal((60, 2))
    problem = problem_of(lm.Ridge(alpha=np.array([1.0, 50.0])), X, Y)
    np.testing.assert_allclose(problem.l2, np.array([[1.0], [50.0]]) / 60 * np.ones((1, 4)))


def test_a_derived_class_has_the_curvature_of_its_parent():
    class MyRidge(lm.Ridge):
        """A user's own class."""

    X, y = data(lm.Ridge)
    assert fit_of(MyRidge(2.0).fit(X, y), 10.0).l2 == pytest.approx(0.2)

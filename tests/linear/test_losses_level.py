"""The best constant: at the root of the mean slope, however far the start and however saturated the predictor."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from skcompress import PrunedClassifier, QuantizedClassifier
from skcompress.linear.losses import Huber, Logistic, Softmax, Tweedie, best_level

LOSSES = {
    "logistic": (Logistic(), lambda rng: rng.integers(0, 2, (200, 2)).astype(float)),
    "poisson": (Tweedie(1), lambda rng: rng.poisson(2.0, (200, 2)).astype(float)),
    "gamma": (Tweedie(2), lambda rng: rng.gamma(2.0, size=(200, 2))),
    "tweedie": (Tweedie(1.5), lambda rng: rng.gamma(2.0, size=(200, 2)) * rng.integers(0, 2, (200, 2))),
    "log link": (Tweedie(0), lambda rng: rng.gamma(2.0, size=(200, 2))),
    "huber": (Huber(0.3), lambda rng: rng.standard_normal((200, 2))),
}


def slope(deviance, weight, y, eta):
    return weight @ deviance.slope(y, eta)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("start", [0.0, -80.0, 60.0])
@pytest.mark.parametrize("spread", [0.5, 8.0])
def test_one_output_is_at_its_root_from_any_start(loss, start, spread):
    rng = np.random.default_rng(0)
    deviance, draw = LOSSES[loss]
    y, weight = draw(rng), rng.dirichlet(np.ones(200))
    eta = spread * rng.standard_normal((200, 2))
    level = best_level(deviance, weight, y, eta, np.full(2, start))
    for k in range(2):
        column = slice(k, k + 1)
        root = brentq(lambda a, c=column: slope(deviance, weight, y[:, c], eta[:, c] + a).item(), -200, 200, xtol=1e-13)
        at_level = slope(deviance, weight, y[:, column], eta[:, column] + level[k]).item()
        # Where all is saturated the root is an interval.
        assert level[k] == pytest.approx(root, abs=1e-8) or abs(at_level) < 1e-13


@pytest.mark.parametrize("scale", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("start", [(0.0, 0.0, 0.0), (300.0, -200.0, 0.0)])
def test_classes_keep_their_shares(scale, start):
    rng = np.random.default_rng(1)
    y = np.eye(3)[rng.integers(0, 3, 150)]
    weight = rng.dirichlet(np.ones(150))
    eta = scale * rng.standard_normal((150, 3))
    level = best_level(Softmax(), weight, y, eta, np.array(start))

    def loss(a):
        return weight @ Softmax().value(y, eta + a).sum(axis=1)

    assert loss(level) <= loss(np.array(start))
    least = minimize(loss, level, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13}).fun
    assert loss(level) <= least + 1e-9 * max(1, least)
    if scale <= 30:
        np.testing.assert_allclose(weight @ Softmax().mean(eta + level), weight @ y, atol=1e-9)


def test_the_best_constant_of_two_classes_is_that_of_the_binary_loss():
    rng = np.random.default_rng(2)
    y, eta = rng.integers(0, 2, (100, 1)).astype(float), 50 * rng.standard_normal((100, 1))
    weight = np.full(100, 0.01)
    one = best_level(Logistic(), weight, y, eta, np.array([-400.0]))
    two = best_level(Softmax(), weight, np.hstack([1 - y, y]), np.hstack([np.zeros((100, 1)), eta]), np.zeros(2))
    assert two[1] - two[0] == pytest.approx(one[0], abs=1e-6)


@pytest.fixture(scope="module")
def separable():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.mark.parametrize(
    "wrap",
    [
        lambda base: QuantizedClassifier(base, bits=4),
        lambda base: PrunedClassifier(base, n_nonzero=9),
        lambda base: PrunedClassifier(base, n_nonzero=9, search="one_shot"),
        lambda base: PrunedClassifier(base, n_nonzero=9, importance="l1"),
    ],
)
def test_a_model_without_doubt_stays_better_than_a_constant(wrap, separable):
    """Weights of hundreds on classes that a plane divides: the intercept has far to go."""
    X, y = separable
    model = wrap(LogisticRegression(C=1e6, max_iter=10_000)).fit(X, y)
    assert model.score(X, y) > 0.8
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=1e-6)


@pytest.mark.slow
def test_without_a_penalty_and_without_a_budget(separable):
    X, y = separable
    model = PrunedClassifier(LogisticRegression(C=np.inf, max_iter=10_000)).fit(X, y)
    assert 0 < model.n_nonzero_ < 30
    assert model.score(X, y) > 0.9
    assert model.loss_increase_ < 1

"""Every deviance: derivatives by finite differences, its minimum, its scale."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_tweedie_deviance

from skcompress.linear.losses import Huber, Logistic, Softmax, Squared, Tweedie

REGRESSION = {
    "squared": Squared(),
    "huber": Huber(1.3),
    "normal": Tweedie(0, log_link=False),
    "normal, log link": Tweedie(0),
    "poisson": Tweedie(1),
    "compound": Tweedie(1.5),
    "gamma": Tweedie(2),
    "inverse gaussian": Tweedie(3),
    "poisson, identity link": Tweedie(1, log_link=False),
}
SEPARATE = {**REGRESSION, "logistic": Logistic()}
every_deviance = pytest.mark.parametrize("deviance", SEPARATE.values(), ids=SEPARATE)


def rows(deviance, n=50, m=2):
    """A target and a linear predictor that the deviance allows."""
    rng = np.random.default_rng(0)
    y = rng.gamma(2.0, size=(n, m))
    eta = 0.5 * rng.standard_normal((n, m))
    if isinstance(deviance, Logistic):
        return (y > 1.5).astype(float), eta
    return y, np.exp(eta) if getattr(deviance, "log_link", True) is False else eta


@every_deviance
def test_slope_is_half_the_derivative(deviance):
    y, eta = rows(deviance)
    step = 1e-6
    numeric = (deviance.value(y, eta + step) - deviance.value(y, eta - step)) / (4 * step)
    np.testing.assert_allclose(deviance.slope(y, eta), numeric, rtol=1e-5, atol=1e-7)


@every_deviance
def test_curvature_is_half_the_second_derivative_at_the_mean(deviance):
    """Where y is its own mean the expected curvature is the observed one."""
    _, eta = rows(deviance)
    y = deviance.mean(eta)
    step = 1e-4
    values = [deviance.value(y, eta + shift) for shift in (-step, 0, step)]
    numeric = (values[0] - 2 * values[1] + values[2]) / (2 * step**2)
    np.testing.assert_allclose(deviance.curvature(y, eta), numeric, rtol=1e-4, atol=1e-6)


@every_deviance
def test_value_is_zero_at_the_target_and_positive_elsewhere(deviance):
    _, eta = rows(deviance)
    y = deviance.mean(eta)
    np.testing.assert_allclose(deviance.value(y, eta), 0.0, atol=1e-12)
    assert (deviance.value(y, eta + 0.3) > 0).all()


@every_deviance
def test_curvature_is_constant_only_where_it_says_so(deviance):
    y, eta = rows(deviance)
    flat = bool((deviance.curvature(y, eta) == 1).all())
    if deviance.constant_curvature:
        assert flat
    elif not isinstance(deviance, Huber) and getattr(deviance, "power", None) != 2:
        assert not flat


@every_deviance
def test_start_stands_for_the_mean(deviance):
    y, _ = rows(deviance)
    np.testing.assert_allclose(deviance.mean(deviance.start(y.mean(axis=0))), y.mean(axis=0))


@pytest.mark.parametrize("power", [0, 1, 1.5, 2, 3])
def test_tweedie_is_that_of_scikit_learn(power):
    y, eta = rows(Tweedie(power))
    value = Tweedie(power).value(y, eta).mean()
    assert value == pytest.approx(mean_tweedie_deviance(y.ravel(), np.exp(eta).ravel(), power=power))


def test_poisson_takes_counts_of_zero():
    value = Tweedie(1).value(np.zeros((1, 1)), np.zeros((1, 1)))
    np.testing.assert_allclose(value, 2.0)
    assert np.isfinite(Tweedie(1.5).value(np.zeros((1, 1)), np.zeros((1, 1)))).all()


def test_huber_is_squared_within_its_limit_and_linear_beyond():
    deviance = Huber(2.0)
    y = np.array([[0.0], [0.0], [0.0]])
    eta = np.array([[1.0], [2.0], [5.0]])
    np.testing.assert_allclose(deviance.value(y, eta), [[1.0], [4.0], [2 * 2 * 5 - 4]])
    np.testing.assert_allclose(deviance.slope(y, eta), [[1.0], [2.0], [2.0]])
    np.testing.assert_allclose(deviance.curvature(y, eta), [[1.0], [1.0], [0.0]])


def test_logistic_is_twice_the_log_loss():
    y, eta = rows(Logistic(), m=1)
    value = Logistic().value(y, eta).mean()
    assert value == pytest.approx(2 * log_loss(y.ravel(), 1 / (1 + np.exp(-eta.ravel()))))


class TestSoftmax:
    @pytest.fixture
    def classes(self):
        rng = np.random.default_rng(0)
        eta = rng.standard_normal((40, 3))
        return np.eye(3)[rng.integers(0, 3, 40)], eta

    def test_value_is_twice_the_log_loss(self, classes):
        y, eta = classes
        probability = Softmax().mean(eta)
        np.testing.assert_allclose(probability.sum(axis=1), 1.0)
        value = Softmax().value(y, eta).sum(axis=1).mean()
        assert value == pytest.approx(2 * log_loss(y.argmax(axis=1), probability))

    def test_slope_and_curvature_are_those_of_the_whole_row(self, classes):
        y, eta = classes
        step = 1e-4
        for k in range(3):
            shift = step * np.eye(3)[k]
            low, middle, high = (Softmax().value(y, eta + s * shift).sum(axis=1) for s in (-1, 0, 1))
            np.testing.assert_allclose(Softmax().slope(y, eta)[:, k], (high - low) / (4 * step), rtol=1e-5, atol=1e-7)
            second = (low - 2 * middle + high) / (2 * step**2)
            np.testing.assert_allclose(Softmax().curvature(y, eta)[:, k], second, rtol=1e-4, atol=1e-6)

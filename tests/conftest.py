"""Data that many tests share; nothing is downloaded."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import PolynomialFeatures, StandardScaler


def pytest_configure(config):
    """Let scikit-learn 1.6 call the optimiser of a newer scipy in its own way."""
    config.addinivalue_line("filterwarnings", "ignore:scipy.optimize. The `disp` and `iprint`:DeprecationWarning")


def pytest_collection_modifyitems(items):
    """Refuse names that are not the same in every process, which pytest-xdist cannot share out."""
    wrong = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if wrong:
        raise pytest.UsageError(f"name the parameters of {wrong[0]} with ids=")


@pytest.fixture(scope="session")
def diabetes():
    """X (442, 10) and y."""
    X, y = load_diabetes(return_X_y=True)
    X.flags.writeable = y.flags.writeable = False
    return X, y


@pytest.fixture(scope="session")
def polynomial(diabetes):
    """Degree-2 features of diabetes, standardised: X (442, 65), with a duplicate column, and y."""
    X, y = diabetes
    X = StandardScaler().fit_transform(PolynomialFeatures(2, include_bias=False).fit_transform(X))
    X.flags.writeable = False
    return X, y


@pytest.fixture
def small():
    """X (60, 5), correlated, and y with noise."""
    rng = np.random.default_rng(7)
    X = rng.standard_normal((60, 5)) @ (rng.standard_normal((5, 5)) + 2 * np.eye(5))
    return X, X @ np.array([3.0, -2.0, 0.5, 0.0, 1.0]) + 2 + rng.standard_normal(60)


@pytest.fixture
def counts():
    """X (300, 6) and Poisson counts y."""
    rng = np.random.default_rng(11)
    X = rng.standard_normal((300, 6))
    return X, rng.poisson(np.exp(0.3 + X @ np.array([0.6, -0.4, 0.3, 0.05, 0.0, -0.2])))


@pytest.fixture
def two_outputs(small):
    """X (60, 5) and y (60, 2)."""
    X, y = small
    rng = np.random.default_rng(8)
    return X, np.column_stack([y, X @ np.array([0.0, 1.0, -1.0, 2.0, 0.3]) + rng.standard_normal(60)])


@pytest.fixture
def few_labels():
    """40 labelled rows, 2000 without, and a test set: noise in y that the teacher has not."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3040, 20))
    signal = X @ np.concatenate([[2.0, -1.5, 1.0], np.zeros(17)])
    y = signal + 3 * rng.standard_normal(3040)
    teacher = FrozenEstimator(LinearRegression().fit(X[2040:], signal[2040:]))
    return X[:40], y[:40], X[40:2040], X[2040:], signal[2040:], teacher

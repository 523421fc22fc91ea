"""Metrics against scikit-learn, their standard errors against the jackknife."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, mean_absolute_error, mean_squared_error, r2_score, roc_auc_score

from skcompress.inspection.row_metrics import DECISION, PROBABILITY, REGRESSION, compare

ALL = {**REGRESSION, **PROBABILITY, **DECISION}
EXPECTED = {
    "R2": r2_score,
    "mean squared error": mean_squared_error,
    "mean absolute error": mean_absolute_error,
    "AUC": roc_auc_score,
    "log loss": log_loss,
    "Brier score": brier_score_loss,
    "mean prediction - observed": lambda y, p, sample_weight: np.average(p - y, weights=sample_weight),
}


@pytest.fixture
def rows():
    """Labels, two sets of probabilities with ties, and weights that sum to 1."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 120).astype(float)
    first = np.round(np.clip(0.3 + 0.3 * y + 0.25 * rng.standard_normal(120), 0.02, 0.98), 2)
    second = np.round(np.clip(first + 0.05 * rng.standard_normal(120), 0.02, 0.98), 2)
    weight = rng.random(120)
    return y, first, second, weight / weight.sum()


@pytest.mark.parametrize("name", list(ALL))
def test_metrics_are_those_of_scikit_learn(name, rows):
    y, first, _, weight = rows
    assert ALL[name](y, first, weight).value == pytest.approx(EXPECTED[name](y, first, sample_weight=weight), rel=1e-12)


@pytest.mark.parametrize("name", list(ALL))
def test_influences_are_derivatives_in_the_weights(name, rows):
    y, first, _, weight = rows
    influence = ALL[name](y, first, weight).influence
    assert influence @ weight == pytest.approx(0.0, abs=1e-12)
    step = 1e-6
    for row in (0, 17, 60):
        up, down = weight.copy(), weight.copy()
        up[row] += step
        down[row] -= step
        slope = (ALL[name](y, first, up / up.sum()).value - ALL[name](y, first, down / down.sum()).value) / (2 * step)
        assert influence[row] == pytest.approx(slope, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", list(ALL))
def test_standard_errors_are_close_to_the_jackknife(name, rows):
    y, first, second, _ = rows
    n = len(y)
    equal = np.full(n, 1 / n)
    table = compare({name: ALL[name]}, y, first, second, equal).loc[name]
    without = np.array(
        [
            [ALL[name](y[keep], p[keep], equal[keep] * n / (n - 1)).value for p in (first, second)]
            for keep in (np.arange(n) != left_out for left_out in range(n))
        ]
    )
    jackknife = np.sqrt((n - 1) * np.column_stack([without, without[:, 1] - without[:, 0]]).var(axis=0))
    np.testing.assert_allclose(table[["s.e. before", "s.e. after", "s.e. of change"]], jackknife, rtol=0.05)
    assert table["change"] == pytest.approx(table["after"] - table["before"], abs=1e-15)


def test_the_mean_has_the_textbook_standard_error(rows):
    y, first, second, _ = rows
    n = len(y)
    table = compare(REGRESSION, y, first, second, np.full(n, 1 / n)).loc["mean squared error"]
    assert table["s.e. before"] == pytest.approx(((y - first) ** 2).std() / np.sqrt(n), rel=1e-12)
    assert table["s.e. of change"] == pytest.approx(
        ((y - second) ** 2 - (y - first) ** 2).std() / np.sqrt(n), rel=1e-12
    )


def test_the_same_model_twice_changes_nothing_for_certain(rows):
    y, first, _, weight = rows
    table = compare(PROBABILITY, y, first, first, weight)
    assert (table[["change", "s.e. of change"]] == 0).all(axis=None)


@pytest.mark.parametrize(("name", "y"), [("AUC", np.ones(5)), ("R2", np.full(5, 2.0))])
def test_a_metric_without_meaning_is_nan(name, y):
    assert np.isnan(ALL[name](y, np.linspace(0.1, 0.9, 5), np.full(5, 0.2)).value)

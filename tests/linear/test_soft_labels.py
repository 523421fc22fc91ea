"""Soft targets: columns in the student's order, temperatures, and copies of rows."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skcompress.linear.containers import find_leaf
from skcompress.linear.curvature import class_factors
from skcompress.linear.soft_labels import align, fit_soft, soften


def test_columns_come_in_the_wanted_order_and_sum_to_one():
    given = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
    aligned = align(given, np.array(["a", "b", "c"]), np.array(["a", "c"]))
    np.testing.assert_allclose(aligned, [[0.4, 0.6], [1 / 9, 8 / 9]])


def test_an_unknown_class_gets_nothing_and_a_row_without_any_is_even():
    aligned = align(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1, 5]), np.array([1, 2, 3]))
    np.testing.assert_allclose(aligned, [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_temperature_divides_the_log_odds(temperature):
    p = np.array([[0.7, 0.2, 0.1]])
    soft = soften(p, temperature)
    np.testing.assert_allclose(soft.sum(), 1.0)
    np.testing.assert_allclose(np.log(soft[0, 0] / soft[0, 1]), np.log(0.7 / 0.2) / temperature)


def test_class_factors_are_those_of_the_labelled_rows():
    X, y = np.arange(10.0)[:, None], np.array([0] * 8 + [1] * 2)
    leaf = find_leaf(LogisticRegression(class_weight="balanced").fit(X, y), X, y)
    np.testing.assert_allclose(class_factors(leaf), [10 / 16, 10 / 4])
    leaf = find_leaf(LogisticRegression(class_weight={0: 3.0}).fit(X, y), X, y)
    np.testing.assert_allclose(class_factors(leaf), [3.0, 1.0])


def test_every_class_keeps_a_row_however_unlikely():
    X, y = np.arange(12.0)[:, None] % 5, np.arange(12) % 3
    leaf = find_leaf(LogisticRegression().fit(X, y), X, y)
    target = np.tile([0.6, 0.4, 0.0], (12, 1))
    fitted = fit_soft(leaf, X, target, np.ones(12))
    assert fitted.classes_.tolist() == [0, 1, 2]


def test_a_row_of_weight_two_is_two_rows():
    rng = np.random.default_rng(0)
    X, target = rng.standard_normal((20, 2)), rng.dirichlet([1, 1], size=20)
    y = np.arange(20) % 2
    leaf = find_leaf(LogisticRegression(tol=1e-10).fit(X, y), X, y)
    weight = np.r_[np.full(5, 2.0), np.ones(15)]
    twice = np.r_[np.arange(20), np.arange(5)]
    one = fit_soft(leaf, X, target, weight).coef_
    np.testing.assert_allclose(one, fit_soft(leaf, X[twice], target[twice], np.ones(25)).coef_, rtol=1e-4)

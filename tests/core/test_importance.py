"""Importances against what they say a unit is worth."""

import numpy as np
import pytest
from least_squares import correlated, model_of, r2_lost

from skcompress.core.pruning import prune
from skcompress.core.quadratic import QuadraticModel
from skcompress.core.units import IMPORTANCES, check_importance

GROUPS = [None, "feature", np.array([0, 0, 1, 2, 2, 2, 3])]


def labels_of(groups, shape):
    """The unit of each weight."""
    if groups is None:
        return np.arange(np.prod(shape)).reshape(shape)
    return np.broadcast_to(np.arange(shape[1]) if isinstance(groups, str) else groups, shape)


def importances(quadratic, name, groups):
    """Scores of a model from which next to nothing is pruned."""
    return prune(quadratic, n_nonzero=100, importance=name, search="one_shot", feature_groups=groups).importances


@pytest.fixture
def data():
    return correlated(90, 7, n_outputs=3)


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("shared", [True, False])
def test_each_importance_is_what_it_says(data, groups, shared):
    X, Y = data
    quadratic = model_of(X, Y)
    if not shared:
        block = quadratic.block(np.arange(7))
        quadratic = model_of(X, Y)
        quadratic.grams = tuple(type(quadratic.grams[0])(block) for _ in range(3))
    labels = labels_of(groups, quadratic.centre.shape)
    scores = {name: importances(quadratic, name, groups) for name in IMPORTANCES}
    for unit in np.unique(labels):
        inside = labels == unit
        weights = quadratic.centre[inside]
        expected = {
            "l1": np.abs(weights).sum(),
            "l2": np.sqrt((weights**2).sum()),
            "obd": quadratic.loss(np.where(inside, 0.0, quadratic.centre)),
            "obs": r2_lost(X, Y, ~inside),
        }
        for name, value in expected.items():
            np.testing.assert_allclose(scores[name][inside], value, rtol=1e-7)


def test_scores_in_units_of_loss_do_not_depend_on_the_units_of_columns_and_target(data):
    quadratic = model_of(*data)
    factors = 10.0 ** np.linspace(-100, 100, 7)
    scaled = QuadraticModel(
        quadratic.block(np.arange(7)) * np.outer(factors, factors),
        1e50 * quadratic.centre / factors,
        null_loss=1e100 * quadratic.null_loss,
    )
    for name in ("obd", "obs"):
        np.testing.assert_allclose(importances(scaled, name, None), importances(quadratic, name, None), rtol=1e-9)


def test_tiny_weights_do_not_underflow_in_l2(data):
    X, Y = data
    scores = importances(model_of(X, 1e-200 * Y), "l2", "feature")
    np.testing.assert_allclose(scores, 1e-200 * importances(model_of(X, Y), "l2", "feature"), rtol=1e-10)


@pytest.mark.parametrize("groups", GROUPS)
def test_a_callable_is_summed_over_the_unit(data, groups):
    X, Y = data
    quadratic = model_of(X, Y)
    labels = labels_of(groups, quadratic.centre.shape)
    scores = importances(quadratic, lambda model: model.centre**2, groups)
    for unit in np.unique(labels):
        inside = labels == unit
        np.testing.assert_allclose(scores[inside], (quadratic.centre[inside] ** 2).sum())


def test_a_callable_may_score_columns(data):
    X, Y = data
    scores = importances(model_of(X, Y), lambda model: np.arange(7.0), None)
    np.testing.assert_array_equal(scores, np.tile(np.arange(7.0), (3, 1)))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda model: np.ones(3), "scores of shape"),
        (lambda model: np.full(7, np.nan), "not finite"),
    ],
)
def test_what_a_callable_returns_is_checked(data, wrong, told):
    X, Y = data
    with pytest.raises(ValueError, match=told):
        prune(model_of(X, Y), n_nonzero=2, importance=wrong)


@pytest.mark.parametrize("name", ["l3", None, 3])
def test_unknown_names_are_refused_with_those_that_are_known(name):
    with pytest.raises(ValueError, match=r"\['l1', 'l2', 'obd', 'obs'\]"):
        check_importance(name)

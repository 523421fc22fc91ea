"""prune() against brute force and least squares."""

import itertools

import numpy as np
import pytest
from least_squares import model_of, r2_lost

from skcompress.core.pruning import prune
from skcompress.core.quadratic import QuadraticModel
from skcompress.core.subset import SEARCHES
from skcompress.core.units import IMPORTANCES

WORKING = [name for name in SEARCHES if name != "exact"]


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    mix = rng.standard_normal((9, 9)) + 2 * np.eye(9)
    X = rng.standard_normal((80, 9)) @ mix
    Y = X @ rng.standard_normal((9, 3)) + 3 * rng.standard_normal((80, 3))
    return X, Y


@pytest.mark.parametrize("search", WORKING)
@pytest.mark.parametrize("size", [1, 3, 6, 9, 20])
def test_loss_is_the_r2_that_least_squares_on_the_support_loses(data, search, size):
    X, Y = data
    pruned = prune(model_of(X, Y), n_nonzero=size, search=search)
    assert (pruned.support.sum(axis=1) == min(size, 9)).all()
    assert pruned.loss == pytest.approx(r2_lost(X, Y, pruned.support), abs=1e-10)
    centred = X - X.mean(axis=0)
    for row, weights, target in zip(pruned.support, pruned.weights, Y.T, strict=True):
        expected = np.linalg.lstsq(centred[:, row], target - target.mean(), rcond=None)[0]
        np.testing.assert_allclose(weights[row], expected, rtol=1e-7)
        assert not weights[~row].any()


@pytest.mark.parametrize("importance", [*IMPORTANCES, lambda q: np.abs(q.centre)])
@pytest.mark.parametrize("search", ["one_shot", "backward"])
@pytest.mark.parametrize("groups", [None, "feature", [0, 0, 1, 1, 1, 2, 3, 4, 4]])
def test_every_importance_works_with_every_search_that_scores(data, importance, search, groups):
    X, Y = data
    pruned = prune(model_of(X, Y), n_nonzero=3, importance=importance, search=search, feature_groups=groups)
    assert pruned.loss == pytest.approx(r2_lost(X, Y, pruned.support), abs=1e-7)
    assert pruned.n_units == pruned.same_size == 3
    assert (pruned.importances > 0).all()


def test_swap_finds_the_best_subset_of_nine(data):
    X, Y = data
    for output in range(3):
        y = Y[:, output]
        for size in (2, 4, 6):
            best = min(
                r2_lost(X, y, np.isin(np.arange(9), columns)[None])
                for columns in itertools.combinations(range(9), size)
            )
            assert prune(model_of(X, y), n_nonzero=size).loss == pytest.approx(best, abs=1e-10)


def test_no_swap_of_groups_lowers_the_loss(data):
    X, Y = data
    labels = np.array([0, 0, 1, 1, 2, 3, 3, 4, 5])
    for size in (2, 3, 4):
        pruned = prune(model_of(X, Y), n_nonzero=size, feature_groups=labels)
        kept = set(labels[pruned.support[0]])
        best = min(
            r2_lost(X, Y, np.tile(np.isin(labels, groups), (3, 1)))
            for groups in itertools.combinations(range(6), size)
            if len(kept & set(groups)) >= size - 1
        )
        assert pruned.loss == pytest.approx(best, abs=1e-8)


def test_an_output_with_its_own_curvature_is_grouped_with_the_others(data):
    X, Y = data
    quadratic = model_of(X, Y)
    separate = QuadraticModel([quadratic.block(np.arange(9))] * 3, quadratic.centre, null_loss=quadratic.null_loss)
    for search in WORKING:
        one = prune(quadratic, n_nonzero=4, feature_groups="feature", search=search)
        other = prune(separate, n_nonzero=4, feature_groups="feature", search=search)
        np.testing.assert_array_equal(one.support, other.support)
        np.testing.assert_allclose(one.weights, other.weights)


@pytest.mark.parametrize("search", WORKING)
@pytest.mark.parametrize("groups", [None, "feature", [0, 0, 1, 1, 1, 2, 3, 4, 4]])
def test_a_kept_column_is_kept(data, search, groups):
    X, Y = data
    for column in range(9):
        pruned = prune(model_of(X, Y), n_nonzero=2, keep=[column], search=search, feature_groups=groups)
        assert pruned.support[:, column].all()
        assert pruned.loss == pytest.approx(r2_lost(X, Y, pruned.support), abs=1e-7)


def test_max_loss_keeps_the_fewest_units_within_it(data):
    X, Y = data
    y = Y[:, 0]
    for allowed in (0.0, 0.01, 0.1, 0.5):
        pruned = prune(model_of(X, y), max_loss=allowed)
        assert pruned.loss <= allowed + 1e-12
        if pruned.n_units:
            assert prune(model_of(X, y), n_nonzero=max(1, pruned.n_units - 1)).loss > allowed or pruned.n_units == 1


@pytest.mark.parametrize("search", WORKING)
def test_a_fraction_is_shared_where_it_costs_least(data, search):
    X, Y = data
    quadratic = model_of(X, Y)
    pruned = prune(quadratic, n_nonzero=0.4, search=search)
    assert pruned.support.sum() == round(0.4 * 27)
    assert round(pruned.same_size * 27) == round(0.4 * 27)
    assert pruned.loss == pytest.approx(r2_lost(X, Y, pruned.support), abs=1e-10)


def test_threshold_keeps_scores_above_it(data):
    X, Y = data
    quadratic = model_of(X, Y[:, 0])
    scores = prune(quadratic, threshold=0.0).importances
    ranked = np.sort(scores[0])
    pruned = prune(quadratic, threshold=ranked[2], search="one_shot", importance="obs")
    np.testing.assert_array_equal(pruned.support, scores > ranked[2])
    with pytest.warns(UserWarning, match="loss of"):
        middle = prune(quadratic, threshold="median", search="one_shot", importance="l1")
    magnitudes = np.abs(quadratic.centre)
    np.testing.assert_array_equal(middle.support, magnitudes >= np.median(magnitudes))
    assert middle.threshold_ == np.median(magnitudes)


def test_weights_stay_untouched_without_refit(data):
    X, Y = data
    quadratic = model_of(X, Y)
    pruned = prune(quadratic, n_nonzero=4, importance="l1", refit=None)
    np.testing.assert_array_equal(pruned.weights, np.where(pruned.support, quadratic.centre, 0))
    assert pruned.loss == pytest.approx(quadratic.loss(pruned.weights))
    assert pruned.model.loss(pruned.weights) == 0


def test_a_duplicate_is_worth_nothing_and_its_twin_the_joint_weight(data):
    X, Y = data
    y = Y[:, 0]
    alone = prune(model_of(X, y), n_nonzero=5)
    doubled = prune(model_of(np.hstack([X, X[:, :1]]), y), n_nonzero=5)
    assert doubled.loss == pytest.approx(alone.loss, abs=1e-10)
    assert sorted(doubled.importances[0, [0, 9]] > 0) == [False, True]
    assert doubled.importances[0, [0, 9]].max() == pytest.approx(alone.importances[0, 0])
    full = prune(model_of(np.hstack([X, X[:, :1]]), y), max_loss=1e-12)
    assert full.support.sum() == 9


def test_a_pruned_zero_is_never_revived(data):
    X, Y = data
    quadratic = model_of(X, Y)
    free = np.random.default_rng(1).random((3, 9)) < 0.6
    smaller = quadratic.restrict(free)
    for groups in (None, "feature", [0, 0, 1, 1, 1, 2, 3, 4, 4]):
        for search in WORKING:
            pruned = prune(smaller, n_nonzero=4, search=search, feature_groups=groups)
            assert not (pruned.support & ~free).any()
            assert pruned.loss == pytest.approx(r2_lost(X, Y, pruned.support), abs=1e-7)


def test_everything_pruned_warns_and_names_the_budget(data):
    X, Y = data
    with pytest.warns(UserWarning, match=r"threshold=100.0 prunes every weight"):
        pruned = prune(model_of(X, Y), threshold=100.0)
    assert not pruned.support.any()
    assert pruned.loss == pytest.approx(r2_lost(X, Y, pruned.support))


def test_a_gradient_is_followed_before_pruning(data):
    X, Y = data
    quadratic = model_of(X, Y)
    off = quadratic.centre + 0.1
    moved = QuadraticModel(
        quadratic.grams[0], off, gradient=2 * quadratic.dot(off - quadratic.centre), null_loss=quadratic.null_loss
    )
    one, other = prune(quadratic, n_nonzero=3), prune(moved, n_nonzero=3)
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-10)


def test_units_of_columns_and_target_do_not_matter(data):
    X, Y = data
    factors = 10.0 ** np.linspace(-100, 100, 9)
    for target in (1e-100, 1.0, 1e100):
        quadratic = model_of(X, Y)
        scaled = QuadraticModel(
            quadratic.block(np.arange(9)) * np.outer(factors, factors),
            quadratic.centre * target / factors,
            null_loss=quadratic.null_loss * target**2,
        )
        one, other = prune(quadratic, n_nonzero=4), prune(scaled, n_nonzero=4)
        np.testing.assert_array_equal(one.support, other.support)
        np.testing.assert_allclose(one.weights * target / factors, other.weights, rtol=1e-9)
        np.testing.assert_allclose(one.importances, other.importances, rtol=1e-9)


def test_the_support_of_a_size_depends_on_that_size_alone(data):
    X, Y = data
    quadratic = model_of(X, Y[:, 0])
    path = prune(quadratic, max_loss=0.05).path
    for point in path:
        if point.n_units:
            np.testing.assert_array_equal(point.support, prune(quadratic, n_nonzero=point.n_units).support)
    assert (np.diff([point.loss for point in path]) <= 0).all()
    assert path.at(100).n_units == path[-1].n_units


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"threshold": 0.1, "n_nonzero": 3}, "threshold=0.1 and n_nonzero=3"),
        ({"threshold": -1}, "threshold=-1"),
        ({"threshold": "third"}, "threshold='third'"),
        ({"n_nonzero": 0}, "n_nonzero=0"),
        ({"n_nonzero": True}, "n_nonzero=True"),
        ({"n_nonzero": 1.5}, "n_nonzero=1.5"),
        ({"max_loss": -0.1}, "max_loss=-0.1"),
        ({"n_nonzero": 3, "search": "magic"}, "search='magic'"),
        ({"n_nonzero": 3, "importance": "l3"}, "importance='l3'"),
        ({"n_nonzero": 3, "importance": "l1", "search": "swap"}, "use importance='obs'"),
        ({"n_nonzero": 3, "refit": None, "search": "swap"}, "refit=None"),
        ({"n_nonzero": 3, "refit": "other"}, "refit='other'"),
        ({"n_nonzero": 3, "keep": [9]}, "keep=9"),
        ({"n_nonzero": 3, "keep": [True]}, "keep as a mask"),
        ({"n_nonzero": 3, "feature_groups": [1, 2]}, "feature_groups"),
        ({"n_nonzero": 3, "keep": [0, 1, 2, 3]}, "keep holds 4 units and n_nonzero=3 allows 3"),
    ],
)
def test_what_cannot_be_is_refused_by_name(data, options, told):
    X, Y = data
    with pytest.raises(ValueError, match=told):
        prune(model_of(X, Y), **options)


def test_a_criterion_needs_the_deviance(data):
    X, Y = data
    quadratic = QuadraticModel(np.eye(3), np.ones(3))
    with pytest.raises(ValueError, match="set n_nonzero, threshold or max_loss"):
        prune(quadratic)
    assert 0 < prune(model_of(X, Y)).support.sum() <= 27


def test_numpy_integers_are_fine(data):
    X, Y = data
    assert prune(model_of(X, Y), n_nonzero=np.int32(2)).support.sum() == 6

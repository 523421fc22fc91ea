"""Budgets of loss hold for the loss that the model has, not for the quadratic in its place."""

import warnings
from itertools import combinations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.preprocessing import StandardScaler

from skcompress import PrunedClassifier, PrunedRegressor, QuantizedClassifier
from skcompress.linear.containers import find_leaf
from skcompress.linear.problem import LinearProblem
from skcompress.linear.sizing import Sizes, fewest_within


def scaled(load):
    X, y = load(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def cancer():
    return scaled(load_breast_cancer)


@pytest.fixture(scope="module")
def counted():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 10)) @ (np.eye(10) + 0.4)
    return X, rng.poisson(np.exp(np.clip(X @ rng.standard_normal(10) * 0.3, -3, 3)))


@pytest.mark.parametrize("seed", range(20))
def test_the_size_is_the_edge_of_the_budget_wherever_the_search_begins(seed):
    rng = np.random.default_rng(seed)
    most = int(rng.integers(1, 60))
    losses = np.sort(rng.random(most + 1))[::-1]
    losses[most] = 0.0
    allowed = float(rng.random())
    wanted = max(1, int(np.flatnonzero(losses <= allowed)[0]))
    for begin in range(1, most + 1):
        asked = []

        def loss_at(size, asked=asked):
            asked.append(size)
            return losses[size]

        assert fewest_within(allowed, Sizes(1, most, begin), loss_at) == wanted
        assert len(asked) <= 2 + 2 * np.log2(1 + abs(wanted - begin) + 1) + 1


@pytest.mark.parametrize(
    ("curve", "most_asked"),
    [(lambda part: np.exp(-6 * part), 4), (lambda part: (1 - part) ** 3, 9), (lambda part: 1 - part, 13)],
    ids=["exponential", "cubic", "line"],
)
@pytest.mark.parametrize("most", [200, 2000])
def test_a_smooth_curve_takes_few_sizes(curve, most_asked, most):
    losses = curve(np.arange(most + 1) / most)
    for begin in np.linspace(1, most, 15).astype(int).tolist():
        asked = []

        def loss_at(size, asked=asked):
            asked.append(size)
            return losses[size]

        assert fewest_within(0.0501, Sizes(1, most, begin), loss_at) == np.flatnonzero(losses <= 0.0501)[0]
        assert len(asked) <= most_asked


@pytest.mark.parametrize("allowed", [0.01, 0.05, 0.1, 0.3])
@pytest.mark.parametrize(
    "options", [{}, {"importance": "l1"}, {"refit": "estimator"}, {"importance": "l1", "refit": None}]
)
def test_the_fewest_weights_of_a_classifier_within_the_loss(cancer, allowed, options):
    X, y = cancer
    model = PrunedClassifier(max_loss=allowed, **options).fit(X, y)
    assert model.loss_increase_ <= allowed
    k = model.n_nonzero_
    assert k >= 1
    if k > 1:
        assert PrunedClassifier(n_nonzero=k - 1, **options).fit(X, y).loss_increase_ > allowed
    np.testing.assert_allclose(PrunedClassifier(n_nonzero=k, **options).fit(X, y).coef_, model.coef_)


@pytest.mark.parametrize("allowed", [0.005, 0.02, 0.05])
def test_the_fewest_weights_of_a_poisson_regressor_within_the_loss(counted, allowed):
    base = PoissonRegressor(alpha=1e-3, max_iter=1000, tol=1e-8)
    model = PrunedRegressor(base, max_loss=allowed).fit(*counted)
    assert model.loss_increase_ <= allowed
    assert PrunedRegressor(base, n_nonzero=model.n_nonzero_ - 1).fit(*counted).loss_increase_ > allowed


@pytest.mark.slow
@pytest.mark.parametrize("load", [load_iris, load_wine])
@pytest.mark.parametrize("allowed", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("groups", [None, "feature"])
def test_several_classes_hold_the_loss(load, allowed, groups):
    X, y = scaled(load)
    base = LogisticRegression(max_iter=2000)
    model = PrunedClassifier(base, max_loss=allowed, feature_groups=groups).fit(X, y)
    assert 0 < model.loss_increase_ <= allowed
    units = int(model.support_.any(axis=0).sum()) if groups else model.n_nonzero_
    fewer = units - 1 if groups else (units - 1) / model.coef_.size
    if fewer:
        assert PrunedClassifier(base, n_nonzero=fewer, feature_groups=groups).fit(X, y).loss_increase_ > allowed


def test_the_loss_is_held_after_rounding_inside_too(cancer):
    model = PrunedClassifier(QuantizedClassifier(bits=4), max_loss=0.1).fit(*cancer)
    assert 0 < model.loss_increase_ <= 0.1


def test_no_loss_allowed_keeps_every_weight(cancer):
    assert PrunedClassifier(max_loss=0).fit(*cancer).n_nonzero_ == 30


def test_the_whole_loss_allowed_keeps_none(cancer):
    with pytest.warns(UserWarning, match=r"max_loss=1.0 prunes every weight"):
        model = PrunedClassifier(max_loss=1.0).fit(*cancer)
    assert model.n_nonzero_ == 0
    np.testing.assert_allclose(model.predict_proba(cancer[0])[:, 1], cancer[1].mean())


def test_kept_columns_stay_within_a_loss(cancer):
    model = PrunedClassifier(max_loss=0.3, keep=[3, 8]).fit(*cancer)
    assert model.support_[0, [3, 8]].all()
    assert model.loss_increase_ <= 0.3


def test_the_warning_about_a_threshold_tells_the_true_loss(cancer):
    with pytest.warns(UserWarning, match="together they cost a loss of") as told:
        model = PrunedClassifier(threshold=0.015).fit(*cancer)
    assert any(f"a loss of {model.loss_increase_:.3g}," in str(warning.message) for warning in told)


def test_a_budget_that_nobody_gave_is_not_blamed(cancer):
    X, y = cancer
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("error", RuntimeWarning)
        PrunedClassifier(LogisticRegression(C=np.inf, max_iter=10_000)).fit(X, y)


def correlated(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((150, 8)) @ rng.standard_normal((8, 8))
    return X, rng.poisson(np.exp(np.clip(X @ rng.standard_normal(8) * 0.4, -3, 3)))


@pytest.mark.parametrize("seed", range(5, 15))
@pytest.mark.parametrize("options", [{"importance": "l1"}, {"importance": "l1", "search": "one_shot"}])
def test_one_shot_is_the_textbook_whatever_the_loss(seed, options):
    model = PrunedRegressor(PoissonRegressor(alpha=1e-3, max_iter=1000), n_nonzero=3, **options).fit(*correlated(seed))
    largest = np.argsort(-np.abs(model.base_coef_))[:3]
    assert set(np.flatnonzero(model.support_)) == set(largest)


@pytest.mark.parametrize("n_nonzero", [2, 5, 10])
def test_scores_are_those_before_pruning(cancer, n_nonzero):
    model = PrunedClassifier(importance="l1", search="backward", n_nonzero=n_nonzero).fit(*cancer)
    np.testing.assert_allclose(model.importances_, np.abs(model.base_coef_))


def test_scores_and_path_are_the_same_whatever_the_size(cancer):
    """The quadratic at the base's weights has them all."""
    X, y = cancer
    few, many = (PrunedClassifier(n_nonzero=k, search="backward").fit(X[:, :6], y) for k in (2, 5))
    np.testing.assert_allclose(few.importances_, many.importances_)
    for size in (5, 6):
        np.testing.assert_allclose(few.path_.at(size).loss, many.path_.at(size).loss)


@pytest.mark.parametrize("options", [{"max_loss": 0.1}, {"threshold": 0.003}, {}])
def test_the_path_of_a_budget_is_kept(cancer, options):
    X, y = cancer
    model = PrunedClassifier(search="backward", **options).fit(X, y)
    assert len(model.path_) > 3
    assert model.path_[-1].loss == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("search", ["swap", "backward", "exact"])
def test_the_gap_bounds_every_support_on_the_quadratic_before_pruning(cancer, search):
    X, y = cancer[0][:, :7], cancer[1]
    base = LogisticRegression(C=100.0, tol=1e-10, max_iter=10_000)
    problem = LinearProblem(find_leaf(base.fit(X, y), X, y))
    model = PrunedClassifier(base, n_nonzero=3, search=search).fit(X, y)
    quadratic = problem.quadratic(problem.weights, problem.intercept, problem.weights != 0)

    def loss(kept):
        there = quadratic.restrict(np.isin(np.arange(7), kept)[None])
        return float((there.loss_at_centre / there.loss_unit).sum())

    least = min(loss(kept) for kept in combinations(range(7), 3))
    chosen = loss(np.flatnonzero(model.support_[0]))
    assert chosen - model.optimality_gap_ <= least + 1e-9
    if search == "exact":
        assert model.optimality_gap_ == pytest.approx(chosen - least, abs=1e-9)


@pytest.mark.parametrize(("bits", "tolerance"), [(16, 1e-3), (8, 0.05)])
def test_rounding_stays_at_weights_that_were_not_refitted(cancer, bits, tolerance):
    inside = PrunedClassifier(n_nonzero=4, importance="l1", refit=None)
    alone = PrunedClassifier(n_nonzero=4, importance="l1", refit=None).fit(*cancer)
    model = QuantizedClassifier(inside, bits=bits).fit(*cancer)
    np.testing.assert_allclose(model.coef_, alone.coef_, atol=tolerance)
    np.testing.assert_array_equal(model.coef_ != 0, alone.support_)

"""PrunedRegressor on every kind of base: what is kept, what it costs, what the numbers say."""

import warnings

import numpy as np
import pytest
from sklearn import linear_model as lm
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.linear_model import GammaRegressor, LinearRegression, PoissonRegressor, Ridge, TweedieRegressor
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import PrunedRegressor, QuantizedRegressor


def name_of(estimator):
    return type(estimator).__name__


class TestLoss:
    @pytest.mark.parametrize("k", [1, 2, 3, 4])
    def test_is_the_r2_lost_of_least_squares(self, k, small):
        X, y = small
        model = PrunedRegressor(n_nonzero=k).fit(X, y)
        assert model.loss_increase_ == pytest.approx(LinearRegression().fit(X, y).score(X, y) - model.score(X, y))
        again = LinearRegression().fit(X[:, model.support_], y)
        np.testing.assert_allclose(model.coef_[model.support_], again.coef_)
        assert model.intercept_ == pytest.approx(again.intercept_)
        assert model.path_[0] is not None

    def test_is_the_mean_r2_lost_of_several_outputs(self, two_outputs):
        X, Y = two_outputs
        model = PrunedRegressor(n_nonzero=2).fit(X, Y)
        lost = LinearRegression().fit(X, Y).score(X, Y) - r2_score(Y, model.predict(X))
        assert model.loss_increase_ == pytest.approx(lost)

    def test_of_ridge_is_that_of_ridge_on_the_columns(self, small):
        X, y = small
        model = PrunedRegressor(Ridge(5.0), n_nonzero=2).fit(X, y)
        again = Ridge(5.0).fit(X[:, model.support_], y)
        np.testing.assert_allclose(model.coef_[model.support_], again.coef_)

        def objective(coef, intercept):
            return np.mean((y - X @ coef - intercept) ** 2) + 5.0 * coef @ coef / len(y)

        full = Ridge(5.0).fit(X, y)
        rise = objective(model.coef_, model.intercept_) - objective(full.coef_, full.intercept_)
        assert model.loss_increase_ == pytest.approx(rise / y.var())

    def test_prediction_change(self, small):
        X, y = small
        model = PrunedRegressor(n_nonzero=2).fit(X, y)
        change = model.predict(X) - LinearRegression().fit(X, y).predict(X)
        assert model.prediction_change_ == pytest.approx(np.sqrt(np.mean(change**2)))


class TestBudgets:
    def test_max_loss_is_kept_with_the_fewest_weights(self, polynomial):
        X, y = polynomial
        model = PrunedRegressor(max_loss=0.05).fit(X, y)
        assert model.loss_increase_ <= 0.05
        fewer = PrunedRegressor(n_nonzero=model.n_nonzero_ - 1).fit(X, y)
        assert fewer.loss_increase_ > 0.05

    def test_a_share_is_spread_over_the_outputs(self, two_outputs):
        model = PrunedRegressor(n_nonzero=0.5).fit(*two_outputs)
        assert model.n_nonzero_ == 5

    def test_the_criterion_finds_the_true_weights(self):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((400, 30))
        y = X[:, [3, 7, 11]] @ np.array([2.0, -1.0, 0.5]) + rng.standard_normal(400)
        model = PrunedRegressor().fit(X, y)
        assert np.flatnonzero(model.support_).tolist() == [3, 7, 11]

    def test_a_threshold_on_the_sum_that_adds_up_is_warned_of(self, polynomial):
        with pytest.warns(UserWarning, match=r"threshold=0.01 bounds what each weight costs, not the sum"):
            PrunedRegressor(threshold=0.01, importance="obs", search="one_shot").fit(*polynomial)

    @pytest.mark.parametrize("threshold", ["mean", "median", "1.25*mean", "0.5*median"])
    def test_named_thresholds(self, threshold, small):
        X, y = small
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="threshold=.* bounds what each weight costs")
            model = PrunedRegressor(threshold=threshold, importance="l1", refit=None).fit(X, y)
        weights = np.abs(LinearRegression().fit(X, y).coef_)
        factor, _, name = threshold.rpartition("*")
        bar = float(factor or 1) * getattr(np, name)(weights)
        np.testing.assert_array_equal(model.support_, weights >= bar)

    def test_the_support_for_k_depends_on_k_alone(self, polynomial):
        by_size = PrunedRegressor(n_nonzero=8).fit(*polynomial)
        by_loss = PrunedRegressor(max_loss=by_size.loss_increase_ + 1e-9).fit(*polynomial)
        np.testing.assert_array_equal(by_loss.support_, by_size.support_)

    def test_the_path_holds_the_chosen_size(self, small):
        model = PrunedRegressor(n_nonzero=2).fit(*small)
        rows = [row for row in model.path_ if row[0] == 2]
        assert len(rows) == 1
        assert rows[0][1] == pytest.approx(model.loss_increase_)


class TestOptions:
    def test_a_callable_importance(self, small):
        model = PrunedRegressor(n_nonzero=2, importance=lambda quadratic: np.arange(5.0), search="one_shot").fit(*small)
        assert np.flatnonzero(model.support_).tolist() == [3, 4]

    @pytest.mark.parametrize("importance", ["l1", "l2", "obd", "obs"])
    @pytest.mark.parametrize("search", ["one_shot", "backward"])
    def test_every_importance_with_every_search_it_may_have(self, importance, search, small):
        model = PrunedRegressor(n_nonzero=2, importance=importance, search=search).fit(*small)
        best = PrunedRegressor(n_nonzero=2).fit(*small)
        assert model.n_nonzero_ == 2
        assert model.loss_increase_ >= best.loss_increase_ - 1e-12

    def test_obs_scores_are_the_loss_of_each_deletion(self, small):
        X, y = small
        scores = PrunedRegressor(n_nonzero=5).fit(X, y).importances_
        full = LinearRegression().fit(X, y).score(X, y)
        for j in range(5):
            rest = np.delete(X, j, axis=1)
            assert scores[j] == pytest.approx(full - LinearRegression().fit(rest, y).score(rest, y))

    def test_refit_none_leaves_weights_and_intercept(self, small):
        X, y = small
        model = PrunedRegressor(n_nonzero=2, refit=None).fit(X, y)
        full = LinearRegression().fit(X, y)
        np.testing.assert_array_equal(model.coef_, np.where(model.support_, full.coef_, 0))
        assert model.intercept_ == full.intercept_

    @pytest.mark.parametrize("base", [Ridge(5.0), lm.Lasso(0.3), lm.HuberRegressor(), lm.QuantileRegressor(alpha=0.01)])
    def test_refit_estimator_is_the_base_on_the_kept_columns(self, base, small):
        X, y = small
        model = PrunedRegressor(base, n_nonzero=2, refit="estimator").fit(X, y)
        again = clone(base).fit(X[:, model.support_], y)
        np.testing.assert_allclose(model.coef_[model.support_], again.coef_)
        np.testing.assert_allclose(model.predict(X), again.predict(X[:, model.support_]))

    def test_refit_estimator_in_a_pipeline_keeps_the_steps_as_fitted(self, small):
        X, y = small
        weight = np.linspace(1, 2, 60)
        model = PrunedRegressor(make_pipeline(StandardScaler(), Ridge(5.0)), n_nonzero=2, refit="estimator")
        model.fit(X, y, sample_weight=weight)
        scaled = StandardScaler().fit_transform(X)
        again = Ridge(5.0).fit(scaled[:, model.support_], y, sample_weight=weight)
        np.testing.assert_allclose(model.coef_[model.support_], again.coef_)

    def test_refit_estimator_of_whole_columns_of_two_outputs(self, two_outputs):
        X, Y = two_outputs
        model = PrunedRegressor(Ridge(5.0), n_nonzero=2, refit="estimator", feature_groups="feature").fit(X, Y)
        kept = model.support_[0]
        np.testing.assert_allclose(model.coef_[:, kept], Ridge(5.0).fit(X[:, kept], Y).coef_)

    def test_groups_are_kept_or_pruned_together(self, small):
        model = PrunedRegressor(n_nonzero=1, feature_groups=["a", "a", "b", "b", "b"]).fit(*small)
        assert model.support_.tolist() in ([True, True, False, False, False], [False, False, True, True, True])

    def test_kept_weights_stay_whatever_they_cost(self, small):
        weakest = int(np.argmin(PrunedRegressor(n_nonzero=5).fit(*small).importances_))
        assert not PrunedRegressor(n_nonzero=2).fit(*small).support_[weakest]
        assert PrunedRegressor(n_nonzero=2, keep=[weakest]).fit(*small).support_[weakest]

    def test_a_kept_dummy_protects_its_segment(self):
        """After a refit without penalty the segment's mean prediction is its observed mean."""
        rng = np.random.default_rng(0)
        town = rng.choice(["a", "b", "c"], 200)
        dummies = OneHotEncoder(sparse_output=False).fit_transform(town[:, None])
        X = np.column_stack([dummies[:, 1:], rng.standard_normal((200, 6))])
        y = X[:, 3] * 3 + 0.2 * X[:, 0] + rng.standard_normal(200)
        model = PrunedRegressor(n_nonzero=2, keep=[0]).fit(X, y)
        segment = X[:, 0] == 1
        assert model.predict(X)[segment].mean() == pytest.approx(y[segment].mean())
        other = PrunedRegressor(n_nonzero=2).fit(X, y)
        assert abs(other.predict(X)[segment].mean() - y[segment].mean()) > 1e-3


GLMS = [
    PoissonRegressor(alpha=0.01, tol=1e-9, max_iter=1000),
    GammaRegressor(alpha=0.01, tol=1e-9, max_iter=1000),
    TweedieRegressor(power=1.5, alpha=0.01, tol=1e-9, max_iter=1000),
]


@pytest.mark.parametrize("base", GLMS, ids=name_of)
@pytest.mark.parametrize("k", [1, 2, 4])
class TestGeneralisedLinearModels:
    def test_close_to_the_base_refitted_on_the_same_columns(self, base, k, counts):
        X, y = counts[0], counts[1] + 0.5
        model = PrunedRegressor(base, n_nonzero=k).fit(X, y)
        again = clone(base).fit(X[:, model.support_], y)
        assert model.score(X, y) == pytest.approx(again.score(X[:, model.support_], y), abs=1e-4)
        np.testing.assert_allclose(model.coef_[model.support_], again.coef_, atol=1e-3)

    def test_the_mean_prediction_stays_the_mean(self, base, k, counts):
        X, y = counts[0], counts[1] + 0.5
        pruned = PrunedRegressor(base, n_nonzero=k).fit(X, y)
        coarse = QuantizedRegressor(PrunedRegressor(base, n_nonzero=k), bits=3).fit(X, y)
        for model in (pruned, coarse):
            # The score equation of the intercept: sum of (y - mu) mu^(1 - power) is zero.
            mu = model.predict(X)
            power = {PoissonRegressor: 1, GammaRegressor: 2}.get(type(base), 1.5)
            assert np.mean((y - mu) * mu ** (1 - power)) == pytest.approx(0.0, abs=1e-6)
            if power == 1:
                assert mu.mean() == pytest.approx(y.mean())


class TestFigures:
    """Diabetes, degree-2 features, standardised, training R2 of least squares."""

    def test_ten_of_65(self, polynomial):
        X, y = polynomial
        assert PrunedRegressor(n_nonzero=10).fit(X, y).score(X, y) >= 0.541

    def test_four_bits(self, polynomial):
        X, y = polynomial
        assert QuantizedRegressor(bits=4).fit(X, y).score(X, y) >= 0.53

    def test_fifteen_at_four_bits(self, polynomial):
        X, y = polynomial
        model = QuantizedRegressor(PrunedRegressor(n_nonzero=15), bits=4).fit(X, y)
        assert model.score(X, y) >= 0.55
        assert np.count_nonzero(model.coef_) <= 15


@pytest.mark.parametrize("base", [Ridge(), PoissonRegressor()])
def test_without_a_budget_a_model_with_no_weights_is_left_as_it_is(base):
    X = np.random.default_rng(0).normal(size=(20, 3))
    model = PrunedRegressor(base).fit(X, np.full(20, 3.0))
    assert model.n_nonzero_ == 0
    assert model.predict(X) == pytest.approx(np.full(20, 3.0))


def test_the_codes_inside_are_those_of_the_pruned_weights():
    X, y = load_diabetes(return_X_y=True)
    model = PrunedRegressor(QuantizedRegressor(bits=4), n_nonzero=4).fit(X, y)
    inner = model.estimator_
    assert np.array_equal((inner.codes_ - inner.zero_point_) * inner.scale_, model.coef_)
    assert np.count_nonzero(inner.codes_) == model.n_nonzero_

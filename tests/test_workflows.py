"""What users do with the wrappers: pipelines, searches, weights, routing, frozen models, containers."""

import copy
import itertools
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    ElasticNet,
    LinearRegression,
    PoissonRegressor,
    RANSACRegressor,
    Ridge,
)
from sklearn.metrics import make_scorer, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeRegressor
from wrapped import KNOWS_POLARS, TREE, WRAPPERS, Exposed, every_wrapper

from skcompress import DistilledRegressor, PrunedRegressor, QuantizedRegressor
from skcompress.linear.integer_inputs import reader_of


@pytest.fixture
def people():
    """A frame with a number, two categories and a target that depends on all of them."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "AGE": rng.integers(18, 80, 200).astype(float),
            "REGION": rng.choice(["north", "south", "west"], 200),
            "JOB": rng.choice(["clerk", "cook", "smith", "judge"], 200),
        }
    )
    y = 0.01 * frame["AGE"] + frame["REGION"].map({"north": 0.0, "south": 2.0, "west": -1.0})
    y += (frame["JOB"] == "judge") * 3.0 + 0.1 * rng.standard_normal(200)
    return frame, y.to_numpy()


def columns_of():
    return ColumnTransformer(
        [
            ("number", StandardScaler(), ["AGE"]),
            ("category", OneHotEncoder(sparse_output=False), ["REGION", "JOB"]),
        ]
    )


def with_teacher_for_frames(model):
    """A teacher must take what the student takes."""
    return model.set_params(teacher=make_pipeline(columns_of(), TREE)) if hasattr(model, "teacher") else model


class TestPipelines:
    def test_raw_names_in_keep_and_inputs_as_groups(self, people):
        frame, y = people
        pipeline = make_pipeline(columns_of(), Ridge())
        model = PrunedRegressor(pipeline, n_nonzero=2, keep=["AGE"], feature_groups="input").fit(frame, y)
        kept = model.estimator_[0].get_feature_names_out()[model.support_]
        assert kept.tolist() == [
            "number__AGE",
            "category__REGION_north",
            "category__REGION_south",
            "category__REGION_west",
        ]
        assert model.n_features_in_ == 3
        assert model.feature_names_in_.tolist() == ["AGE", "REGION", "JOB"]
        free = PrunedRegressor(pipeline, n_nonzero=2, feature_groups="input").fit(frame, y)
        assert not free.support_[0], "without keep the weak AGE goes"

    def test_the_names_of_a_feature_or_of_its_input_can_be_kept(self, people):
        frame, y = people
        pipeline = make_pipeline(columns_of(), Ridge())
        feature = PrunedRegressor(pipeline, n_nonzero=2, keep=["category__JOB_cook"]).fit(frame, y)
        assert feature.support_[5]
        raw = PrunedRegressor(pipeline, n_nonzero=4, keep=["JOB"]).fit(frame, y)
        assert raw.support_[4:].all()
        with pytest.raises(ValueError, match=r"keep names 'INCOME', which is no column.*'AGE'"):
            PrunedRegressor(pipeline, n_nonzero=2, keep=["INCOME"]).fit(frame, y)

    def test_keep_tells_of_an_input_that_a_step_has_dropped(self, people):
        frame, y = people
        steps = ColumnTransformer([("number", StandardScaler(), ["AGE"])])
        model = PrunedRegressor(make_pipeline(steps, Ridge()), n_nonzero=1, keep=["AGE", "JOB"])
        with pytest.warns(UserWarning, match="keep holds 'JOB', of which a step before the model leaves no feature"):
            model.fit(frame, y)
        assert model.support_.tolist() == [True]

    def test_a_wrapper_at_the_end_of_a_pipeline(self, people):
        frame, y = people
        inside = make_pipeline(columns_of(), PrunedRegressor(Ridge(), n_nonzero=3)).fit(frame, y)
        around = PrunedRegressor(make_pipeline(columns_of(), Ridge()), n_nonzero=3).fit(frame, y)
        np.testing.assert_array_equal(inside[-1].coef_, around.coef_)
        np.testing.assert_array_equal(inside.predict(frame), around.predict(frame))

    @KNOWS_POLARS
    def test_polars_through_a_column_transformer(self, people):
        frame, y = people
        model = WRAPPERS["both"](make_pipeline(columns_of(), Ridge()))
        expected = copy.deepcopy(model).fit(frame, y)
        model.fit(pl.DataFrame(frame.to_dict("list")), y)
        np.testing.assert_array_equal(model.coef_, expected.coef_)
        assert model.feature_names_in_.tolist() == ["AGE", "REGION", "JOB"]

    @every_wrapper
    def test_set_output_pandas(self, wrap, small):
        X, y = small
        scaler = StandardScaler().set_output(transform="pandas")
        frame = pd.DataFrame(X, columns=list("abcde"))
        model = wrap(make_pipeline(scaler, Ridge())).fit(frame, y)
        np.testing.assert_allclose(model.coef_, wrap(make_pipeline(StandardScaler(), Ridge())).fit(X, y).coef_)

    def test_three_levels_of_pipelines(self, small):
        X, y = small
        nested = Pipeline(
            [("outer", Pipeline([("scale", StandardScaler()), ("end", make_pipeline(MaxAbsScaler(), Ridge()))]))]
        )
        model = PrunedRegressor(nested, n_nonzero=2, keep=["x1"]).fit(X, y)
        assert model.support_[1]
        assert model.support_.sum() == 2

    def test_deviance_of_a_transformed_target(self, small):
        X, y = small
        base = TransformedTargetRegressor(Ridge(0.1), func=np.arcsinh, inverse_func=np.sinh)
        model = PrunedRegressor(base, n_nonzero=3).fit(X, y)
        leaf = PrunedRegressor(Ridge(0.1), n_nonzero=3).fit(X, np.arcsinh(y))
        np.testing.assert_allclose(model.coef_, leaf.coef_)
        np.testing.assert_allclose(model.predict(X), np.sinh(leaf.predict(X)))
        assert model.loss_increase_ == pytest.approx(leaf.loss_increase_)


class TestSearches:
    def test_two_grids_over_nested_parameters(self, small):
        model = QuantizedRegressor(PrunedRegressor(Ridge()))
        shared = {"bits": [3, 8], "estimator__estimator__alpha": [0.01, 1.0]}
        grids = [{"estimator__threshold": [0.001, 0.01], **shared}, {"estimator__n_nonzero": [2, 4], **shared}]
        search = GridSearchCV(model, grids, cv=3).fit(*small)
        assert len(search.cv_results_["params"]) == 16
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        best = search.best_estimator_
        assert best.bits == search.best_params_["bits"]
        assert best.estimator_.estimator_.alpha == search.best_params_["estimator__estimator__alpha"]
        assert search.best_score_ > 0.7

    def test_a_search_inside_a_wrapper(self, small):
        search = GridSearchCV(Ridge(), {"alpha": [0.01, 1.0, 100.0]}, cv=3)
        model = PrunedRegressor(search, n_nonzero=2).fit(*small)
        alpha = search.fit(*small).best_params_["alpha"]
        np.testing.assert_allclose(model.coef_, PrunedRegressor(Ridge(alpha), n_nonzero=2).fit(*small).coef_)
        assert model.estimator_.best_params_ == {"alpha": alpha}

    def test_a_search_without_refit_is_refused(self, small):
        search = GridSearchCV(Ridge(), {"alpha": [0.01, 1.0]}, cv=3, refit=False)
        with pytest.raises(ValueError, match=r"GridSearchCV has no best_estimator_.*refit=True"):
            PrunedRegressor(search, n_nonzero=2).fit(*small)

    @every_wrapper
    def test_cross_validation(self, wrap, small):
        scores = cross_val_score(wrap(make_pipeline(StandardScaler(), Ridge(0.1))), *small, cv=3)
        assert (scores > 0.5).all()

    @every_wrapper
    def test_a_search_with_weights(self, wrap, small):
        X, y = small
        name = next(key for key in wrap(Ridge()).get_params() if key.endswith("alpha") and "estimator" in key)
        search = GridSearchCV(wrap(Ridge()), {name: [0.1, 10.0]}, cv=2)
        search.fit(X, y, sample_weight=np.linspace(0.5, 2, len(y)))
        assert search.best_score_ > 0.5


class TestSampleWeight:
    @pytest.mark.parametrize("base", [LinearRegression(), Ridge(0.5), ElasticNet(0.05), PoissonRegressor(alpha=0.1)])
    @pytest.mark.parametrize("name", ["pruned", "quantized", "both"])
    def test_a_weight_of_two_is_a_row_repeated(self, base, name, counts):
        X, y = counts
        times = np.random.default_rng(0).integers(1, 4, size=len(y))
        base = copy.deepcopy(base).set_params(tol=1e-10) if hasattr(base, "tol") else base
        weighted = WRAPPERS[name](base).fit(X, y, sample_weight=times)
        repeated = WRAPPERS[name](base).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
        np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, rtol=1e-4)
        assert weighted.loss_increase_ == pytest.approx(repeated.loss_increase_, rel=1e-4, abs=1e-8)

    def test_the_criterion_counts_the_weights_as_rows(self, small):
        X, y = small
        weighted = PrunedRegressor().fit(X, y, sample_weight=np.full(60, 3))
        repeated = PrunedRegressor().fit(np.repeat(X, 3, axis=0), np.repeat(y, 3))
        np.testing.assert_array_equal(weighted.support_, repeated.support_)

    @every_wrapper
    def test_weights_reach_the_last_step_of_a_pipeline(self, wrap, small):
        X, y = small
        weight = np.random.default_rng(0).uniform(0.1, 3, 60)
        piped = wrap(make_pipeline(MaxAbsScaler(), LinearRegression())).fit(X, y, sample_weight=weight)
        bare = wrap(LinearRegression()).fit(MaxAbsScaler().fit_transform(X), y, sample_weight=weight)
        np.testing.assert_allclose(piped.coef_, bare.coef_, rtol=1e-8, atol=1e-10)
        plain = wrap(make_pipeline(MaxAbsScaler(), LinearRegression())).fit(X, y)
        assert not np.array_equal(piped.coef_, plain.coef_)

    def test_the_loss_is_the_weighted_r2_lost(self, small):
        X, y = small
        weight = np.random.default_rng(0).uniform(0.1, 3, 60)
        model = PrunedRegressor(n_nonzero=2).fit(X, y, sample_weight=weight)
        full = LinearRegression().fit(X, y, sample_weight=weight)
        lost = full.score(X, y, sample_weight=weight) - model.score(X, y, sample_weight=weight)
        assert model.loss_increase_ == pytest.approx(lost, abs=1e-12)


class TestRouting:
    @every_wrapper
    def test_weights_are_routed_to_the_base_that_asks_for_them(self, wrap, small):
        X, y = small
        weight = np.random.default_rng(0).uniform(0.1, 3, 60)
        expected = wrap(Ridge(0.1)).fit(X, y, sample_weight=weight).coef_
        with sklearn.config_context(enable_metadata_routing=True):
            asking = Ridge(0.1).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
            model = wrap(asking)
            if not isinstance(model, DistilledRegressor):
                model.fit(X, y, sample_weight=weight)
                np.testing.assert_array_equal(model.coef_, expected)
                assert model.score(X, y, sample_weight=weight) != model.score(X, y)

    @pytest.mark.parametrize("name", ["pruned", "quantized", "both"])
    def test_weights_that_nobody_asks_for_are_an_error(self, name, small):
        X, y = small
        unset = pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="sample_weight")
        with sklearn.config_context(enable_metadata_routing=True), unset:
            WRAPPERS[name](Ridge(0.1)).fit(X, y, sample_weight=np.ones(60))

    def test_a_search_routes_weights_through_wrapper_and_pipeline(self, small):
        X, y = small
        weight = np.random.default_rng(0).uniform(0.1, 3, 60)
        with sklearn.config_context(enable_metadata_routing=True):
            ridge = Ridge(0.1).set_fit_request(sample_weight=True)
            model = PrunedRegressor(make_pipeline(MaxAbsScaler(), ridge), n_nonzero=3)
            scorer = make_scorer(r2_score).set_score_request(sample_weight=True)
            search = GridSearchCV(model, {"n_nonzero": [1, 3]}, cv=2, scoring=scorer)
            search.fit(X, y, sample_weight=weight)
        plain = PrunedRegressor(make_pipeline(MaxAbsScaler(), Ridge(0.1)), **search.best_params_)
        np.testing.assert_allclose(search.best_estimator_.coef_, plain.fit(X, y, sample_weight=weight).coef_)

    # Without routing the fit of RANSACRegressor takes nothing but sample_weight.
    @pytest.mark.parametrize(
        ("around", "routing"),
        [("inliers", True), *itertools.product(["bare", "pipeline", "target", "wrapper inside"], [False, True])],
    )
    def test_the_base_is_refitted_with_what_its_first_fit_was_given(self, around, routing, small):
        X, y = small
        exposure = np.random.default_rng(0).uniform(0.5, 2, 60)
        with sklearn.config_context(enable_metadata_routing=routing):
            base = Exposed(0.5)
            if routing:
                base.set_fit_request(exposure=True, scale=True, sample_weight=True)
            inner = {
                "bare": base,
                "pipeline": make_pipeline(StandardScaler(), base),
                "target": TransformedTargetRegressor(base, func=lambda y: y, inverse_func=lambda y: y),
                "inliers": RANSACRegressor(base, min_samples=30, random_state=0),
                "wrapper inside": QuantizedRegressor(base, bits=16),
            }[around]
            prefix = "exposed__" if around == "pipeline" and not routing else ""
            given = {f"{prefix}exposure": exposure, f"{prefix}scale": 3.0}
            model = PrunedRegressor(inner, n_nonzero=2, refit="estimator").fit(X, y, **given)
        kept = np.flatnonzero(model.support_)
        Z = StandardScaler().fit_transform(X) if around == "pipeline" else X
        rows = model.estimator_.inlier_mask_ if around == "inliers" else np.ones(60, dtype=bool)
        alone = Exposed(0.5).fit(Z[rows][:, kept], y[rows], exposure=exposure[rows], scale=3.0)
        rtol = 1e-3 if around == "wrapper inside" else 1e-9
        np.testing.assert_allclose(model.coef_[kept], alone.coef_, rtol=rtol)


class TestFrozen:
    @pytest.mark.parametrize("name", ["pruned", "quantized", "both"])
    @pytest.mark.parametrize("with_y", [True, False])
    def test_the_users_model_is_never_changed(self, name, with_y, small):
        X, y = small
        users = make_pipeline(StandardScaler(), Ridge(0.1)).fit(X, y)
        before = pickle.dumps(users)
        coef, intercept = users[-1].coef_, users[-1].intercept_
        model = WRAPPERS[name](FrozenEstimator(users)).fit(X, y if with_y else None)
        assert pickle.dumps(users) == before
        assert users[-1].coef_ is coef
        assert users[-1].intercept_ is intercept
        assert not np.array_equal(model.coef_, coef)
        np.testing.assert_array_equal(model.base_coef_, coef)

    @pytest.mark.parametrize("name", WRAPPERS)
    def test_an_unfitted_base_stays_unfitted(self, name, small):
        base = Ridge(0.1)
        WRAPPERS[name](base).fit(*small)
        assert not hasattr(base, "coef_")

    @pytest.mark.parametrize("name", ["distilled", "all"])
    def test_distilling_with_a_frozen_teacher_leaves_it_alone(self, name, small):
        X, y = small
        teacher = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, y)
        before = pickle.dumps(teacher)
        WRAPPERS[name](Ridge(0.1)).set_params(teacher=FrozenEstimator(teacher)).fit(X, y)
        assert pickle.dumps(teacher) == before

    def test_y_none_is_fidelity_to_the_frozen_model(self, small):
        X, y = small
        frozen = FrozenEstimator(LinearRegression().fit(X, y))
        model = PrunedRegressor(frozen, n_nonzero=2).fit(X)
        same = PrunedRegressor(LinearRegression(), n_nonzero=2).fit(X, y)
        np.testing.assert_allclose(model.coef_, same.coef_)
        mse = np.mean((model.predict(X) - frozen.predict(X)) ** 2)
        assert model.loss_increase_ == pytest.approx(mse / frozen.predict(X).var())
        assert model.prediction_change_ == pytest.approx(np.sqrt(mse))

    def test_a_frozen_wrapper_inside_a_wrapper(self, small):
        X, y = small
        pruned = PrunedRegressor(Ridge(0.1), n_nonzero=2).fit(X, y)
        before = pruned.coef_.copy()
        model = QuantizedRegressor(FrozenEstimator(pruned), bits=3).fit(X)
        np.testing.assert_array_equal(pruned.coef_, before)
        np.testing.assert_array_equal(model.coef_ != 0, before != 0)

    @pytest.mark.parametrize("with_y", [True, False])
    @pytest.mark.parametrize(
        "model",
        [
            PrunedRegressor(Ridge(0.1), n_nonzero=3),
            make_pipeline(StandardScaler(), PrunedRegressor(Ridge(0.1), n_nonzero=3)),
            QuantizedRegressor(PrunedRegressor(Ridge(0.1), n_nonzero=3), bits=3),
            QuantizedRegressor(PrunedRegressor(Ridge(0.1), n_nonzero=3), bits=3, input_bits=3),
        ],
        ids=["pruned", "pipeline", "quantized", "integers"],
    )
    @pytest.mark.parametrize("k", [2, 3])
    def test_a_frozen_compressed_model_is_what_the_losses_are_measured_from(self, with_y, model, k, small):
        X, y = small
        frozen = clone(model).fit(X, y)
        again = PrunedRegressor(FrozenEstimator(frozen), n_nonzero=k).fit(X, y if with_y else None)
        np.testing.assert_allclose(again.base_coef_, getattr(frozen, "steps", [("", frozen)])[-1][1].coef_)
        change = np.mean((again.predict(X) - frozen.predict(X)) ** 2)
        assert again.prediction_change_ == pytest.approx(np.sqrt(change), abs=1e-7)
        assert (again.prediction_change_ > 1e-7) == (k == 2)
        if reader_of(frozen) is None:
            assert again.loss_increase_ == pytest.approx(change / frozen.predict(X).var(), abs=1e-12)

    def test_more_bits_do_not_undo_frozen_rounding(self, small):
        X, y = small
        coarse = QuantizedRegressor(LinearRegression(), bits=3).fit(X, y)
        model = QuantizedRegressor(FrozenEstimator(coarse), bits=8).fit(X, y)
        assert model.prediction_change_ < 0.1 * coarse.prediction_change_
        np.testing.assert_array_equal(model.base_coef_, coarse.coef_)


class TestWeightsForFrozenModels:
    @pytest.mark.parametrize("wrap", ["pruned", "quantized", "both"])
    def test_a_weight_of_two_is_a_row_repeated(self, wrap, small):
        X, y = small
        frozen = FrozenEstimator(make_pipeline(StandardScaler(), Ridge(0.1)).fit(X, y))
        weight = np.arange(60) % 3.0
        rows = np.repeat(np.arange(60), weight.astype(int))
        weighted = WRAPPERS[wrap](frozen).fit(X, sample_weight=weight)
        repeated = WRAPPERS[wrap](frozen).fit(X[rows])
        np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-9)
        assert weighted.loss_increase_ == pytest.approx(repeated.loss_increase_)
        change = np.average((weighted.predict(X) - frozen.predict(X)) ** 2, weights=weight)
        assert weighted.prediction_change_ == pytest.approx(np.sqrt(change))
        assert not np.allclose(weighted.coef_, WRAPPERS[wrap](frozen).fit(X).coef_, rtol=1e-9)

    def test_they_go_through_containers_and_routing(self, small):
        X, y = small
        ridge = FrozenEstimator(Ridge(0.1).fit(X, y))
        weight = np.linspace(0, 2, 60)
        plain = PrunedRegressor(ridge, n_nonzero=2).fit(X, sample_weight=weight)
        piped = PrunedRegressor(
            make_pipeline(FrozenEstimator(StandardScaler(with_mean=False, with_std=False).fit(X)), ridge), n_nonzero=2
        ).fit(X, sample_weight=weight)
        np.testing.assert_array_equal(piped.coef_, plain.coef_)
        with sklearn.config_context(enable_metadata_routing=True):
            routed = PrunedRegressor(ridge, n_nonzero=2).fit(X, sample_weight=weight)
            nested = PrunedRegressor(QuantizedRegressor(ridge, bits=16), n_nonzero=2).fit(X, sample_weight=weight)
        np.testing.assert_array_equal(routed.coef_, plain.coef_)
        np.testing.assert_allclose(nested.coef_, plain.coef_, rtol=1e-2)

    @pytest.mark.parametrize("weight", [np.ones(3), -np.ones(60), np.zeros(60), np.full(60, np.nan), np.ones((60, 1))])
    def test_impossible_ones_are_refused(self, weight, small):
        X, y = small
        with pytest.raises(ValueError, match="sample_weight must"):
            PrunedRegressor(FrozenEstimator(Ridge().fit(X, y)), n_nonzero=2).fit(X, sample_weight=weight)


class TestNests:
    @pytest.mark.parametrize(
        "inner",
        [
            QuantizedRegressor(bits=4),
            PrunedRegressor(n_nonzero=20),
            QuantizedRegressor(PrunedRegressor(n_nonzero=30), bits=5),
        ],
        ids=["quantized", "pruned", "both"],
    )
    def test_max_loss_holds_for_all_that_is_lost(self, inner, polynomial):
        model = PrunedRegressor(inner, max_loss=0.03).fit(*polynomial)
        assert clone(inner).fit(*polynomial).loss_increase_ < model.loss_increase_ <= 0.03
        fewer = PrunedRegressor(inner, n_nonzero=int(model.support_.sum()) - 1).fit(*polynomial)
        assert fewer.loss_increase_ > 0.03

    def test_a_budget_that_is_spent_already_drops_nothing_more(self, polynomial):
        inner = PrunedRegressor(n_nonzero=10).fit(*polynomial)
        outer = PrunedRegressor(PrunedRegressor(n_nonzero=10), max_loss=0.02).fit(*polynomial)
        assert inner.loss_increase_ > 0.02
        np.testing.assert_array_equal(outer.support_, inner.support_)


class TestContainers:
    def test_ransac_reads_a_frame_as_it_does_alone(self, small):
        X, y = small
        frame = pd.DataFrame(X, columns=list("abcde"))
        base = RANSACRegressor(LinearRegression(), min_samples=20, random_state=0)
        named = PrunedRegressor(base, n_nonzero=2, keep=["d"]).fit(frame, y)
        plain = PrunedRegressor(base, n_nonzero=2, keep=[3]).fit(X, y)
        np.testing.assert_allclose(named.coef_, plain.coef_, rtol=1e-12)
        np.testing.assert_allclose(named.predict(frame), plain.predict(X), rtol=1e-12)

    def test_ransac_is_compressed_on_its_inliers(self, small):
        X, y = small
        spoilt = y.copy()
        spoilt[::10] += 100
        base = RANSACRegressor(LinearRegression(), min_samples=20, random_state=0)
        model = PrunedRegressor(base, n_nonzero=3).fit(X, spoilt)
        inliers = model.estimator_.inlier_mask_
        clean = PrunedRegressor(LinearRegression(), n_nonzero=3).fit(X[inliers], spoilt[inliers])
        np.testing.assert_allclose(model.coef_, clean.coef_)
        assert not inliers[::10].any()
        again = PrunedRegressor(base, n_nonzero=3).fit(X.tolist(), spoilt.tolist())
        np.testing.assert_allclose(again.coef_, model.coef_)

    @every_wrapper
    def test_everything_at_once(self, wrap, people):
        frame, y = people
        base = TransformedTargetRegressor(make_pipeline(columns_of(), Ridge()), transformer=StandardScaler())
        model = with_teacher_for_frames(wrap(base)).fit(frame, y)
        assert model.score(frame, y) > 0.6
        assert np.isfinite(model.loss_increase_)
        assert pickle.loads(pickle.dumps(model)).score(frame, y) == model.score(frame, y)

    @every_wrapper
    def test_compact_predicts_the_same(self, wrap, people):
        frame, y = people
        model = with_teacher_for_frames(wrap(make_pipeline(columns_of(), Ridge()))).fit(frame, y)
        np.testing.assert_allclose(np.ravel(model.compact_.predict(frame)), model.predict(frame), rtol=1e-6, atol=1e-6)

    def test_polynomial_features_are_made_of_two_inputs(self, small):
        X, y = small
        pipeline = make_pipeline(PolynomialFeatures(2, include_bias=False), Ridge(0.1))
        model = PrunedRegressor(pipeline, n_nonzero=8, keep=["x0"]).fit(X, y)
        names = model.estimator_[0].get_feature_names_out()
        assert model.support_[["x0" in name.split() or name == "x0^2" for name in names]].all()

"""What a search has to get right beside the scores: choice, sizes, weights, splits, names, refusals."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from grid_scores import SIZES, WIDTHS, grid_scores, own_scores
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
)
from sklearn.metrics import make_scorer, max_error, r2_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, RepeatedKFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import (
    CompressedRegressorCV,
    DistilledRegressor,
    PrunedRegressor,
    QuantizedRegressor,
    compact,
    size_bytes,
)


def test_none_leaves_a_step_out(small):
    X, y = small
    search = CompressedRegressorCV(Ridge(), n_nonzero=[None, 2], bits=None, cv=3, tolerance=0).fit(X, y)
    expected = GridSearchCV(Ridge(), {}, cv=3, refit=False).fit(X, y).cv_results_["mean_test_score"]
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(expected[0], abs=1e-12)
    assert search.best_params_ == {"n_nonzero": None, "bits": None}
    np.testing.assert_array_equal(search.coef_, Ridge().fit(X, y).coef_)
    assert isinstance(search.estimator_, Ridge)


def test_the_chosen_model_is_the_nest_fitted_on_all_rows(small):
    X, y = small
    nest = QuantizedRegressor(PrunedRegressor(make_pipeline(StandardScaler(), Ridge(2.0))), rounding="gptq")
    search = CompressedRegressorCV(nest, n_nonzero=[2, 3], bits=[5], cv=3).fit(X, y)
    expected = clone(nest).set_params(bits=5, estimator__n_nonzero=search.best_params_["n_nonzero"]).fit(X, y)
    np.testing.assert_array_equal(search.coef_, expected.coef_)
    np.testing.assert_array_equal(search.estimator_.codes_, expected.codes_)
    np.testing.assert_array_equal(search.predict(X), expected.predict(X))
    assert search.loss_increase_ == pytest.approx(expected.loss_increase_, abs=1e-12)
    assert search.compact_.model_id == expected.compact_.model_id
    assert search.estimator_.get_params()["estimator__n_nonzero"] == search.best_params_["n_nonzero"]


def test_sizes_are_those_of_the_models_fitted_on_all_rows(small):
    X, y = small
    search = CompressedRegressorCV(n_nonzero=[1, 3], bits=[None, 4], cv=3).fit(X, y)
    results = search.cv_results_
    for place, values in enumerate(results["params"]):
        model = PrunedRegressor(n_nonzero=values["n_nonzero"])
        if values["bits"]:
            model = QuantizedRegressor(model, bits=values["bits"])
        model.fit(X, y)
        assert results["bytes"][place] == results["size"][place] == size_bytes(model)
        assert results["weights"][place] == np.count_nonzero(model.coef_)
        assert results["inputs"][place] == len(model.compact_.inputs)


@pytest.mark.parametrize("size", ["weights", "inputs", "bytes"])
def test_the_smallest_within_the_tolerance_is_chosen(size, polynomial):
    search = CompressedRegressorCV(Ridge(5.0), n_nonzero=[2, 5, 10, 20], bits=[None, 4], size=size, cv=4)
    results = search.fit(*polynomial).cv_results_
    folds = np.column_stack([results[f"split{i}_test_score"] for i in range(4)])
    mean, error = folds.mean(axis=1), folds.std(axis=1, ddof=1) / 2
    bound = mean.max() - error[mean.argmax()]
    assert search.best_score_ >= bound
    assert search.cv_results_["size"][search.best_index_] == min(results["size"][mean >= bound])
    best = search.set_params(tolerance=0).fit(*polynomial)
    assert best.best_score_ == mean.max()


def test_max_bytes_leaves_larger_models_out_first(small):
    search = CompressedRegressorCV(n_nonzero=[1, 2, 5], bits=[None, 3], tolerance=0, cv=3).fit(*small)
    sizes = search.cv_results_["bytes"]
    limit = int(np.sort(sizes)[2])
    smaller = clone(search).set_params(max_bytes=limit).fit(*small)
    allowed = sizes <= limit
    assert size_bytes(smaller) <= limit
    assert smaller.best_score_ == search.cv_results_["mean_test_score"][allowed].max()
    with pytest.raises(ValueError, match="max_bytes=10: the smallest candidate takes"):
        clone(search).set_params(max_bytes=10).fit(*small)


def test_size_may_be_a_callable_of_the_fitted_model(small):
    search = CompressedRegressorCV(n_nonzero=[1, 3], bits=[4], cv=3, size=lambda model: np.abs(model.coef_).sum())
    search.fit(*small)
    expected = [
        np.abs(QuantizedRegressor(PrunedRegressor(n_nonzero=k), bits=4).fit(*small).coef_).sum() for k in (1, 3)
    ]
    np.testing.assert_allclose(search.cv_results_["size"], expected)


def test_a_callable_that_is_no_scorer_of_predictions_gets_the_fitted_wrapper(small):
    seen = []

    def scorer(model, X, y):
        seen.append((type(model).__name__, np.count_nonzero(model.coef_), model.loss_increase_ >= -1e-12))
        return r2_score(y, model.predict(X))

    search = CompressedRegressorCV(n_nonzero=[1, 3], bits=[4], cv=3, scoring=scorer, size="weights").fit(*small)
    assert seen == 3 * [("QuantizedRegressor", 1, True), ("QuantizedRegressor", 3, True)]
    expected = CompressedRegressorCV(n_nonzero=[1, 3], bits=[4], cv=3, size="weights").fit(*small)
    np.testing.assert_allclose(own_scores(search), own_scores(expected), rtol=0, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error"])
def test_a_weight_of_two_is_a_row_twice(scoring, small):
    X, y = small
    rows = np.r_[np.arange(60), np.arange(0, 60, 3)]
    weight = np.where(np.arange(60) % 3 == 0, 2.0, 1.0)
    folds = np.arange(60) % 4
    splits = [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in range(4)]
    repeated = [(np.flatnonzero(folds[rows] != f), np.flatnonzero(folds[rows] == f)) for f in range(4)]
    options = {"n_nonzero": [1, 3], "bits": [4], "scoring": scoring, "size": "weights"}
    weighted = CompressedRegressorCV(Ridge(), cv=splits, **options).fit(X, y, sample_weight=weight)
    twice = CompressedRegressorCV(Ridge(), cv=repeated, **options).fit(X[rows], y[rows])
    np.testing.assert_allclose(own_scores(weighted), own_scores(twice), rtol=1e-9)
    np.testing.assert_allclose(weighted.coef_, twice.coef_, rtol=1e-9)


def test_weights_reach_the_base_and_the_scorer_as_routing_would_send_them(small):
    X, y = small
    weight = np.linspace(0.2, 3, 60)
    own = CompressedRegressorCV(Ridge(), n_nonzero=SIZES, bits=WIDTHS, cv=3, scoring="r2").fit(
        X, y, sample_weight=weight
    )
    with sklearn.config_context(enable_metadata_routing=True):
        nest = QuantizedRegressor(PrunedRegressor(Ridge().set_fit_request(sample_weight=True)))
        scorer = make_scorer(r2_score).set_score_request(sample_weight=True)
        expected = grid_scores(nest, X, y, cv=3, scoring=scorer, fit_params={"sample_weight": weight})
        routed = CompressedRegressorCV(nest, n_nonzero=SIZES, bits=WIDTHS, cv=3).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(own_scores(own), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(own_scores(routed), expected, rtol=0, atol=1e-9)


def test_parameters_of_a_step_are_split_with_the_rows(small):
    X, y = small
    weight = np.linspace(0.2, 3, 60)
    pipeline = make_pipeline(StandardScaler(), Ridge())
    options = {"n_nonzero": [2], "bits": [4], "cv": 3}
    named = CompressedRegressorCV(pipeline, **options).fit(X, y, ridge__sample_weight=weight)
    plain = CompressedRegressorCV(pipeline, **options).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(named.coef_, plain.coef_)


@pytest.mark.parametrize(
    "cv",
    [
        4,
        KFold(3, shuffle=True, random_state=0),
        ShuffleSplit(3, random_state=1),
        RepeatedKFold(n_splits=2, n_repeats=2, random_state=0),
    ],
)
def test_any_splitter(cv, small):
    search = CompressedRegressorCV(n_nonzero=[2], bits=[4], cv=cv).fit(*small)
    expected = grid_scores(QuantizedRegressor(PrunedRegressor()), *small, sizes=[2], widths=[4], cv=cv)
    np.testing.assert_allclose(own_scores(search), expected, atol=1e-9)


def test_groups_stay_together(small):
    X, y = small
    groups = np.arange(60) // 10
    search = CompressedRegressorCV(n_nonzero=[2], bits=[4], cv=GroupKFold(3)).fit(X, y, groups=groups)
    expected = grid_scores(
        QuantizedRegressor(PrunedRegressor()),
        X,
        y,
        sizes=[2],
        widths=[4],
        cv=GroupKFold(3),
        fit_params={"groups": groups},
    )
    np.testing.assert_allclose(own_scores(search), expected, atol=1e-9)


def test_more_jobs_and_a_second_fit_give_the_same(small, tmp_path):
    first = CompressedRegressorCV(Ridge(), n_nonzero=[1, 3], bits=[4], cv=3).fit(*small)
    for other in (
        clone(first),
        clone(first).set_params(n_jobs=2),
        clone(first).set_params(memory=str(tmp_path)),
        clone(first).set_params(memory=str(tmp_path)),
    ):
        other.fit(*small)
        np.testing.assert_array_equal(own_scores(other), own_scores(first))
        np.testing.assert_array_equal(other.coef_, first.coef_)
    assert any(tmp_path.rglob("*.pkl"))


def test_the_base_is_fitted_once_for_each_fold_and_once_on_all_rows(small):
    fits = []

    class Counted(Ridge):
        def fit(self, X, y, sample_weight=None):
            fits.append(len(X))
            return super().fit(X, y, sample_weight)

    CompressedRegressorCV(Counted(), n_nonzero=[1, 2], bits=[None, 4], cv=3).fit(*small)
    assert sorted(fits) == [40, 40, 40, 60]


def test_default_sizes_are_all_of_a_few_and_spaced_ones_of_many(small, polynomial):
    few = CompressedRegressorCV(bits=[4], cv=2).fit(*small)
    assert few.cv_results_["param_n_nonzero"].tolist() == [1, 2, 3, 4, 5]
    many = CompressedRegressorCV(Ridge(), bits=None, cv=2).fit(*polynomial)
    sizes = many.cv_results_["param_n_nonzero"]
    assert sizes[0] == 1
    assert sizes[-1] == 65
    assert 10 < len(sizes) <= 20
    kept = CompressedRegressorCV(PrunedRegressor(keep=[0, 1, 2]), bits=None, cv=2).fit(*small)
    assert kept.cv_results_["param_n_nonzero"].tolist() == [3, 4, 5]


def test_support_frequency_is_the_share_of_folds_that_keep_a_weight(small):
    X, y = small
    search = CompressedRegressorCV(n_nonzero=[2], bits=[3], cv=4).fit(X, y)
    folds = KFold(4).split(X)
    kept = [QuantizedRegressor(PrunedRegressor(n_nonzero=2), bits=3).fit(X[i], y[i]).coef_ != 0 for i, _ in folds]
    np.testing.assert_allclose(search.support_frequency_, np.mean(kept, axis=0))


def test_support_frequency_follows_names_where_a_fold_lacks_a_category():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.standard_normal(60), "b": rng.choice(list("xy"), 60)})
    frame.loc[0, "b"] = "rare"
    y = frame["a"] + (frame["b"] == "x")
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["b"]), remainder="passthrough")
    base = make_pipeline(columns, Ridge())
    search = CompressedRegressorCV(base, n_nonzero=[2], bits=None, cv=KFold(3)).fit(frame, y)
    assert search.support_frequency_.shape == search.coef_.shape == (4,)
    assert search.support_frequency_[-1] == pytest.approx(1.0)


def test_the_frontier_holds_what_no_other_candidate_beats(polynomial):
    nest = QuantizedRegressor(PrunedRegressor(Ridge(5.0)), rounding="gptq")
    search = CompressedRegressorCV(nest, cv=3).fit(*polynomial)
    frontier, results = search.frontier_, search.cv_results_
    assert frontier["size"].is_monotonic_increasing
    assert frontier["score"].is_monotonic_increasing
    assert frontier["score"].iloc[-1] == results["mean_test_score"].max()
    for place in frontier.index:
        better = (results["mean_test_score"] > results["mean_test_score"][place]) & (
            results["size"] <= results["size"][place]
        )
        assert not better.any()
    assert search.best_index_ in frontier.index
    assert list(frontier.columns[:6]) == ["score", "standard_error", "weights", "inputs", "bits", "bytes"]
    assert frontier["bytes"].notna().all()


def test_it_goes_into_a_pipeline_and_around_one(small):
    X, y = small
    options = {"n_nonzero": [2, 3], "bits": [4], "cv": 3}
    around = CompressedRegressorCV(make_pipeline(StandardScaler(), Ridge()), **options).fit(X, y)
    inside = make_pipeline(StandardScaler(), CompressedRegressorCV(Ridge(), **options)).fit(X, y)
    for model in (around, inside):
        np.testing.assert_allclose(compact(model).predict(X), model.predict(X), rtol=1e-10)
    outer = PrunedRegressor(CompressedRegressorCV(Ridge(), n_nonzero=[3], bits=[4], cv=3), n_nonzero=2).fit(X, y)
    assert outer.n_nonzero_ == 2
    search = GridSearchCV(CompressedRegressorCV(**options), {"tolerance": [0, "1se"]}, cv=2).fit(X, y)
    assert search.best_estimator_.best_params_


def test_frames_keep_their_names(small):
    X, y = small
    frame = pd.DataFrame(X, columns=list("abcde"))
    search = CompressedRegressorCV(PrunedRegressor(keep=["d"]), n_nonzero=[2], bits=[4], cv=3).fit(frame, y)
    assert search.feature_names_in_.tolist() == list("abcde")
    assert "d" in search.compact_.inputs
    assert search.support_frequency_[3] == 1


def test_float32_is_scored_as_it_ships(small):
    X, y = small[0].astype(np.float32), small[1].astype(np.float32)
    search = CompressedRegressorCV(Ridge(), n_nonzero=[2], bits=[None, 4], cv=3).fit(X, y)
    assert search.coef_.dtype == np.float32
    assert search.frontier_["bits"].isin([32, 4]).all()
    expected = grid_scores(QuantizedRegressor(PrunedRegressor(Ridge())), X, y, sizes=[2], widths=[4], cv=3)
    np.testing.assert_allclose(own_scores(search)[:, 1:], expected, atol=1e-5)


def test_distilling_is_part_of_what_is_fitted_once(small):
    X, y = small
    teacher = FrozenEstimator(LinearRegression().fit(X[:, :4] @ np.eye(4, 5), y))
    options = {"n_nonzero": [2], "bits": [4], "cv": 3}
    inside = CompressedRegressorCV(DistilledRegressor(Ridge(), teacher=teacher, alpha=0.5), **options).fit(X, y)
    nest = DistilledRegressor(QuantizedRegressor(PrunedRegressor(Ridge())), teacher=teacher, alpha=0.5)
    around = CompressedRegressorCV(nest, **options).fit(X, y)
    np.testing.assert_array_equal(inside.coef_, around.coef_)
    expected = DistilledRegressor(
        QuantizedRegressor(PrunedRegressor(Ridge(), n_nonzero=2), bits=4), teacher=teacher, alpha=0.5
    )
    np.testing.assert_allclose(inside.coef_, expected.fit(X, y).coef_, rtol=1e-9)
    with pytest.raises(ValueError, match="cannot be distilled"):
        DistilledRegressor(CompressedRegressorCV(Ridge(), **options), teacher=teacher, alpha=0.5).fit(X, y)


def test_a_frozen_base_is_searched_with_its_target(small):
    X, y = small
    frozen = FrozenEstimator(Ridge().fit(X, y))
    before = frozen.coef_.copy()
    search = CompressedRegressorCV(frozen, n_nonzero=[2], bits=[4], cv=3).fit(X, y)
    assert np.count_nonzero(search.coef_) == 2
    np.testing.assert_array_equal(frozen.coef_, before)
    with pytest.raises(ValueError, match="requires y to be passed"):
        CompressedRegressorCV(frozen).fit(X)


def test_pickle_keeps_the_model(small):
    search = CompressedRegressorCV(n_nonzero=[2], bits=[4], cv=3).fit(*small)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(small[0]), search.predict(small[0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": -1}, "tolerance must be '1se' or a number of at least 0"),
        ({"tolerance": "2se"}, "tolerance must be '1se'"),
        ({"size": "kilos"}, r"size must be one of \['bytes', 'weights', 'inputs'\]"),
        ({"max_bytes": 0}, "max_bytes must be a number of bytes above 0"),
        ({"bits": []}, "bits must hold at least one value"),
        ({"bits": [0]}, "bits must be an integer from 1 to 16, got 0"),
        ({"n_nonzero": [0]}, "n_nonzero=0"),
        ({"scoring": ["r2", "neg_max_error"]}, "scoring must be one metric"),
    ],
)
def test_a_wrong_parameter_is_named(options, message, small):
    with pytest.raises(ValueError, match=message):
        CompressedRegressorCV(**options).fit(*small)


@pytest.mark.parametrize(
    "inner", [PrunedRegressor(Ridge(), n_nonzero=3), QuantizedRegressor(Ridge(), bits=2)], ids=["pruned", "quantized"]
)
@pytest.mark.parametrize("around", [lambda model: model, PrunedRegressor], ids=["alone", "in a wrapper"])
def test_a_wrapper_that_ends_a_pipeline_is_not_compressed_twice(inner, around, small):
    search = CompressedRegressorCV(around(make_pipeline(StandardScaler(), inner)), n_nonzero=[2, 4])
    with pytest.raises(ValueError, match=f"{type(inner).__name__} ends a Pipeline.*put it around the Pipeline"):
        search.fit(*small)


def test_a_classifier_is_sent_to_its_own_search(small):
    with pytest.raises(TypeError, match="use CompressedClassifierCV in place of CompressedRegressorCV"):
        CompressedRegressorCV(LogisticRegression()).fit(*small)


def test_max_error_is_no_mean_and_still_the_same(small):
    search = CompressedRegressorCV(n_nonzero=[3], bits=None, cv=KFold(2), scoring=make_scorer(max_error)).fit(*small)
    X, y = small
    expected = []
    for train, test in KFold(2).split(X):
        expected.append(max_error(y[test], PrunedRegressor(n_nonzero=3).fit(X[train], y[train]).predict(X[test])))
    np.testing.assert_allclose(own_scores(search).ravel(), expected, rtol=1e-9)


@pytest.mark.parametrize("scoring", [None, "r2", "neg_mean_absolute_error"])
def test_a_fold_without_weight_cannot_be_scored(scoring, diabetes):
    X, y = diabetes
    weight = np.ones(len(y))
    weight[:148] = 0
    search = CompressedRegressorCV(n_nonzero=[2, 4], bits=[None], cv=KFold(3), scoring=scoring)
    with pytest.raises(ValueError, match="sample_weight is 0 on all 148 rows of a test fold"):
        search.fit(X, y, sample_weight=weight)
    weight[:2] = 1
    assert np.isfinite(search.fit(X, y, sample_weight=weight).cv_results_["mean_test_score"]).all()

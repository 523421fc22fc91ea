"""Sizes as scorers and the choice of the smallest, in the searches of scikit-learn and in Optuna."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer, make_scorer, mean_absolute_error, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skcompress import (
    PrunedClassifier,
    PrunedRegressor,
    QuantizedRegressor,
    compact,
    neg_inputs_scorer,
    neg_nonzero_scorer,
    neg_size_scorer,
    score_and_size,
    size_bytes,
    smallest_within,
)

GRID = {"estimator__n_nonzero": [1, 2, 4], "bits": [3, 6]}


def nest(**options):
    return QuantizedRegressor(PrunedRegressor(Ridge(), n_nonzero=2), bits=4, **options)


class TestSizes:
    def test_they_are_those_of_what_ships(self, small):
        model = nest().fit(*small)
        assert neg_size_scorer(model, *small) == -len(compact(model).to_bytes(names=False)) == -size_bytes(model)
        assert neg_nonzero_scorer(model) == -2
        assert neg_inputs_scorer(model) == -len(model.compact_.inputs) == -2

    def test_weights_are_counted_over_all_outputs_and_inputs_once(self, two_outputs):
        model = PrunedRegressor(n_nonzero=2).fit(*two_outputs)
        assert neg_nonzero_scorer(model) == -4
        assert neg_inputs_scorer(model) == -np.count_nonzero((model.coef_ != 0).any(axis=0))

    def test_an_input_of_many_columns_is_one(self):
        rng = np.random.default_rng(0)
        X = rng.integers(0, 6, (90, 2))
        model = make_pipeline(OneHotEncoder(sparse_output=False), Ridge()).fit(X, X[:, 0] % 3 + X[:, 1])
        assert neg_inputs_scorer(model) == -2
        assert neg_nonzero_scorer(model) == -12

    @pytest.mark.parametrize("scorer", [neg_size_scorer, neg_nonzero_scorer, neg_inputs_scorer])
    def test_they_are_scorers_for_any_search(self, scorer, small):
        search = GridSearchCV(nest(), GRID, scoring=scorer, cv=3).fit(*small)
        assert search.best_params_["estimator__n_nonzero"] == 1


class TestScoreAndSize:
    @pytest.mark.parametrize("scoring", [None, "r2", "neg_mean_absolute_error", make_scorer(r2_score)])
    def test_all_four_numbers(self, scoring, small):
        model = nest().fit(*small)
        numbers = score_and_size(scoring)(model, *small)
        score = r2_score if scoring is None or not isinstance(scoring, str) else get_scorer(scoring)._score_func
        sign = -1 if scoring == "neg_mean_absolute_error" else 1
        assert numbers["score"] == pytest.approx(sign * score(small[1], model.predict(small[0])))
        assert [numbers["size"], numbers["weights"], numbers["inputs"]] == [size_bytes(model), 2, 2]

    def test_weights_of_rows_reach_a_metric_that_takes_them(self, small):
        X, y = small
        model, weight = nest().fit(X, y), np.linspace(0, 2, 60)
        told = score_and_size("neg_mean_absolute_error")(model, X, y, sample_weight=weight)["score"]
        assert told == pytest.approx(-mean_absolute_error(y, model.predict(X), sample_weight=weight))

    def test_a_search_may_be_fitted_with_weights_of_rows(self, small):
        weight = np.linspace(0.5, 2, 60)
        search = GridSearchCV(nest(), GRID, scoring=score_and_size(), refit=smallest_within(), cv=3)
        weighted, plain = (clone(search).fit(*small, **given) for given in ({"sample_weight": weight}, {}))
        assert not np.allclose(weighted.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
        with sklearn.config_context(enable_metadata_routing=True):
            model = QuantizedRegressor(
                PrunedRegressor(Ridge().set_fit_request(sample_weight=True), n_nonzero=2), bits=4
            )
            routed = GridSearchCV(model, GRID, scoring=score_and_size(), refit=smallest_within(), cv=3)
            assert routed.fit(*small, sample_weight=weight).best_params_.keys() == GRID.keys()

    def test_it_can_be_pickled_and_says_what_it_is(self, small):
        scorer = score_and_size("r2")
        model = nest().fit(*small)
        assert pickle.loads(pickle.dumps(scorer))(model, *small) == scorer(model, *small)
        assert repr(scorer) == "score_and_size('r2')"

    def test_several_metrics_are_refused(self, small):
        with pytest.raises(ValueError, match="scoring must be one metric"):
            score_and_size(["r2", "max_error"])(nest().fit(*small), *small)

    def test_classifiers_are_scored_by_probabilities_too(self, small):
        X, y = small[0], small[1] > 2
        search = GridSearchCV(PrunedClassifier(LogisticRegression()), {"n_nonzero": [1, 3]}, cv=3)
        search.set_params(scoring=score_and_size("neg_log_loss"), refit=smallest_within(0.05)).fit(X, y)
        assert search.cv_results_["mean_test_weights"].tolist() == [1, 3]


SCORES = np.array([[0.5, 0.7, 0.6], [0.55, 0.75, 0.65], [0.60, 0.60, 0.66], [0.1, 0.1, 0.1]])
RESULTS = {
    **{f"split{fold}_test_score": column for fold, column in enumerate(SCORES.T)},
    "mean_test_size": np.array([20.0, 90.0, 50.0, 5.0]),
    "mean_test_neg_size": -np.array([20.0, 90.0, 50.0, 5.0]),
}


class TestSmallestWithin:
    @pytest.mark.parametrize(("tolerance", "best"), [(0, 1), (0.029, 1), (0.031, 2), (0.051, 0), (1.0, 3), ("1se", 0)])
    def test_the_smallest_close_to_the_best_is_taken(self, tolerance, best):
        assert smallest_within(tolerance)(RESULTS) == best
        assert smallest_within(tolerance, size="neg_size")(RESULTS) == best

    def test_the_standard_error_has_one_degree_of_freedom_less(self):
        error = SCORES[1].std(ddof=1) / np.sqrt(3)
        assert SCORES[1].std(ddof=0) / np.sqrt(3) < 0.05 < error

    def test_of_equal_sizes_the_better_and_then_the_first_is_taken(self):
        sizes = {"mean_test_size": np.full(4, 7.0)}
        assert smallest_within(1.0)({**RESULTS, **sizes}) == 1
        same = {name: np.full(4, 0.5) for name in RESULTS if name.endswith("test_score")}
        assert smallest_within()({**same, **sizes}) == 0

    def test_a_failed_candidate_is_not_taken(self):
        failed = {**RESULTS, "split1_test_score": np.array([0.7, np.nan, 0.6, 0.1])}
        assert smallest_within(0.0)(failed) == 2
        with pytest.raises(ValueError, match="every candidate has failed"):
            smallest_within()({**RESULTS, "split1_test_score": np.full(4, np.nan)})

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"tolerance": -0.1}, "tolerance must be '1se' or a number of at least 0"),
            ({"tolerance": "2se"}, "tolerance must be '1se' or a number of at least 0"),
            ({"size": "kilos"}, "size='kilos': cv_results_ has no 'mean_test_kilos'; use scoring=score_and_size"),
            ({"score": "auc"}, "score='auc': cv_results_ has no scores of that name"),
        ],
    )
    def test_what_is_missing_or_wrong_is_named(self, options, message):
        with pytest.raises(ValueError, match=message):
            smallest_within(**options)(RESULTS)


class TestSearches:
    def test_a_randomized_search_takes_both(self, small):
        search = RandomizedSearchCV(nest(), GRID, n_iter=6, cv=3, random_state=0)
        search.set_params(scoring=score_and_size(), refit=smallest_within("1se")).fit(*small)
        grid = GridSearchCV(nest(), GRID, cv=3, scoring=score_and_size(), refit=smallest_within("1se")).fit(*small)
        assert search.best_params_ == grid.best_params_
        assert size_bytes(compact(search)) == size_bytes(search.best_estimator_)

    @pytest.mark.parametrize("kind", [HalvingGridSearchCV, HalvingRandomSearchCV])
    def test_a_halving_search_takes_one_number_of_both(self, kind, small):
        def worth(model, X, y):
            numbers = score_and_size()(model, X, y)
            return numbers["score"] - price * numbers["size"]

        options = {} if kind is HalvingGridSearchCV else {"n_candidates": 6}
        price = 100.0
        search = kind(nest(), GRID, scoring=worth, cv=2, min_resources=20, random_state=0, **options).fit(*small)
        assert search.best_params_["estimator__n_nonzero"] == 1
        assert search.n_iterations_ > 1

    @pytest.mark.parametrize("kind", [GridSearchCV, RandomizedSearchCV])
    def test_memory_fits_the_base_once_for_each_fold(self, kind, small, tmp_path):
        def searched(memory):
            options = {} if kind is GridSearchCV else {"n_iter": 6, "random_state": 0}
            search = kind(nest(memory=memory), GRID, cv=3, **options).fit(*small)
            return search.cv_results_["mean_test_score"]

        np.testing.assert_array_equal(searched(None), searched(str(tmp_path)))
        assert len(list(tmp_path.rglob("output.pkl"))) == 3 + 1

    def test_optuna_gets_score_and_size_as_two_objectives(self, small):
        optuna = pytest.importorskip("optuna")
        optuna.logging.set_verbosity(optuna.logging.WARNING)

        def objective(trial):
            chosen = {
                "estimator__n_nonzero": trial.suggest_int("n_nonzero", 1, 5),
                "bits": trial.suggest_int("bits", 2, 8),
            }
            results = cross_validate(nest().set_params(**chosen), *small, scoring=score_and_size(), cv=3)
            return results["test_score"].mean(), results["test_size"].mean()

        sampler = optuna.samplers.RandomSampler(seed=0)
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
        study.optimize(objective, n_trials=8)
        best = study.best_trials
        for trial in study.trials:
            assert any(b.values[0] >= trial.values[0] and b.values[1] <= trial.values[1] for b in best)


def test_where_every_candidate_has_failed_the_choice_says_so():
    results = {"split0_test_score": [np.nan, np.nan], "split1_test_score": [np.nan, np.nan]}
    with pytest.raises(ValueError, match="every candidate has failed"):
        smallest_within()(results)

"""CompressedClassifierCV: weights, groups, choice, nesting and shipping as for regression."""

import numpy as np
import pandas as pd
import pytest
from grid_scores import own_scores
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress import (
    CompressedClassifierCV,
    PrunedClassifier,
    QuantizedClassifier,
    compact,
    size_bytes,
)

OPTIONS = {"n_nonzero": [2, 4], "bits": [None, 4], "cv": 3}


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X = pd.DataFrame(StandardScaler().fit_transform(X), columns=X.columns).iloc[:200, :6]
    return X, y.map({0: "ill", 1: "well"})[:200]


def test_a_search_predicts_names_and_ships_like_the_model_it_has_chosen(cancer):
    X, y = cancer
    search = CompressedClassifierCV(LogisticRegression(), scoring="neg_log_loss", **OPTIONS).fit(X, y)
    assert search.classes_.tolist() == ["ill", "well"]
    shipped = search.compact_
    np.testing.assert_array_equal(shipped.predict(X), search.predict(X))
    np.testing.assert_allclose(shipped.predict_proba(X), search.predict_proba(X), rtol=1e-9)
    assert set(shipped.inputs) == set(X.columns[(search.coef_ != 0)[0]])
    assert size_bytes(search) == search.cv_results_["bytes"][search.best_index_]


def test_the_chosen_model_is_the_nest_fitted_on_all_rows(cancer):
    search = CompressedClassifierCV(LogisticRegression(), n_nonzero=[3], bits=[4], cv=3).fit(*cancer)
    expected = QuantizedClassifier(PrunedClassifier(LogisticRegression(), n_nonzero=3), bits=4).fit(*cancer)
    np.testing.assert_array_equal(search.coef_, expected.coef_)
    np.testing.assert_array_equal(search.predict_proba(cancer[0]), expected.predict_proba(cancer[0]))


@pytest.mark.slow
@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_a_weight_of_two_is_a_row_twice(scoring, cancer):
    X, y = cancer[0].to_numpy(), cancer[1].to_numpy()
    n = len(y)
    rows, folds = np.r_[np.arange(n), np.arange(0, n, 3)], np.arange(n) % 4
    weight = np.where(np.arange(n) % 3 == 0, 2.0, 1.0)
    splits = [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in range(4)]
    repeated = [(np.flatnonzero(folds[rows] != f), np.flatnonzero(folds[rows] == f)) for f in range(4)]
    search = CompressedClassifierCV(LogisticRegression(tol=1e-8), n_nonzero=[2, 4], bits=[4], scoring=scoring)
    weighted = clone(search).set_params(cv=splits).fit(X, y, sample_weight=weight)
    twice = clone(search).set_params(cv=repeated).fit(X[rows], y[rows])
    np.testing.assert_allclose(own_scores(weighted), own_scores(twice), rtol=1e-6)
    np.testing.assert_allclose(weighted.coef_, twice.coef_, rtol=1e-6)


def test_groups_stay_together(cancer):
    X, y = cancer
    groups = np.arange(200) // 5
    folds = StratifiedGroupKFold(3)
    search = CompressedClassifierCV(LogisticRegression(), n_nonzero=[2], bits=[4], cv=folds)
    nest = QuantizedClassifier(PrunedClassifier(LogisticRegression(), n_nonzero=2), bits=4)
    expected = GridSearchCV(nest, {}, cv=folds, refit=False).fit(X, y, groups=groups).cv_results_["mean_test_score"]
    assert search.fit(X, y, groups=groups).best_score_ == pytest.approx(expected[0], abs=1e-9)


def test_folds_are_stratified_unless_told_otherwise(cancer):
    X, y = cancer
    order = np.argsort(y.to_numpy(), kind="stable")
    search = CompressedClassifierCV(LogisticRegression(), **OPTIONS)
    plain = clone(search).fit(X.iloc[order], y.iloc[order])
    told = clone(search).set_params(cv=StratifiedKFold(3)).fit(X.iloc[order], y.iloc[order])
    np.testing.assert_array_equal(own_scores(plain), own_scores(told))


@pytest.mark.slow
def test_more_jobs_and_memory_give_the_same(cancer, tmp_path):
    search = CompressedClassifierCV(LogisticRegression(), **OPTIONS)
    first = clone(search).fit(*cancer)
    for options in ({"n_jobs": 2}, {"memory": str(tmp_path)}, {"memory": str(tmp_path)}):
        other = clone(search).set_params(**options).fit(*cancer)
        np.testing.assert_array_equal(own_scores(other), own_scores(first))
        np.testing.assert_array_equal(other.coef_, first.coef_)
    assert any(tmp_path.rglob("output.pkl"))


def test_it_goes_into_a_pipeline_and_around_one(cancer):
    X, y = cancer
    around = CompressedClassifierCV(make_pipeline(StandardScaler(), LogisticRegression()), **OPTIONS).fit(X, y)
    inside = make_pipeline(StandardScaler(), CompressedClassifierCV(LogisticRegression(), **OPTIONS)).fit(X, y)
    for model in (around, inside):
        np.testing.assert_array_equal(compact(model).predict(X), model.predict(X))
    outer = PrunedClassifier(CompressedClassifierCV(LogisticRegression(), **OPTIONS), n_nonzero=2).fit(X, y)
    assert outer.n_nonzero_ == 2


def test_three_classes_have_a_frequency_for_each_weight():
    X, y = load_iris(return_X_y=True)
    base = LogisticRegression(max_iter=1000)
    search = CompressedClassifierCV(base, n_nonzero=[2], bits=[4], cv=4).fit(X, y)
    folds = StratifiedKFold(4).split(X, y)
    nest = QuantizedClassifier(PrunedClassifier(base, n_nonzero=2), bits=4)
    kept = [clone(nest).fit(X[train], y[train]).coef_ != 0 for train, _ in folds]
    np.testing.assert_allclose(search.support_frequency_, np.mean(kept, axis=0))
    assert search.support_frequency_.shape == (3, 4)

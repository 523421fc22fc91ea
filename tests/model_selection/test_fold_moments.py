"""Fold moments by subtraction: what a pass over the fold's own rows gives, or not used."""

import numpy as np
import pytest
import scipy.sparse as sp
from grid_scores import SIZES, WIDTHS, grid_scores, own_scores
from sklearn.linear_model import ElasticNet, LinearRegression, PoissonRegressor, Ridge, RidgeClassifier
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress import CompressedRegressorCV, PrunedRegressor, QuantizedRegressor
from skcompress.core.gram import weighted_mean
from skcompress.linear.containers import find_leaf
from skcompress.linear.problem import LinearProblem
from skcompress.model_selection import folds
from skcompress.model_selection.fold_moments import subtracted, whole_of


def problem_of(base, X, y, weight=None):
    params = {} if weight is None else {"sample_weight": weight}
    model = base.fit(X, y, **params)
    return LinearProblem(find_leaf(model, X, y, **params))


def split_of(n_rows, folds=4):
    held = np.arange(n_rows) % folds == 1
    return np.flatnonzero(~held), np.flatnonzero(held)


@pytest.fixture
def far(small):
    """Columns a million times as far from zero as they spread, weights, and one row that has none."""
    X, y = small
    weight = np.linspace(0, 2, 60)
    return X + np.array([0, 1e6, -1e6, 10, 1]), y, weight


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("base", [LinearRegression(), Ridge(2.0), Ridge(2.0, fit_intercept=False)], ids=str)
def test_the_difference_is_the_curvature_of_the_training_rows(base, weighted, far, small):
    X, y, weight = far if base.fit_intercept else (*small, far[2])
    train, held = split_of(60)
    chosen = (lambda rows: weight[rows]) if weighted else (lambda rows: None)
    whole = whole_of(problem_of(base, X, y, chosen(slice(None))), bare=True)
    expected = problem_of(base, X[train], y[train], chosen(train))
    problem = problem_of(base, X[train], y[train], chosen(train))
    moments = subtracted(whole, problem, X[held], train, held)
    (gram, mean), (direct, centre) = problem.exact_gram, expected.exact_gram
    scale = np.sqrt(np.outer(direct.diag(), direct.diag()))
    np.testing.assert_allclose(gram.matrix / scale, direct.matrix / scale, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(mean, centre)
    rows_weight = weight[held] if weighted else np.ones(len(held))
    about = X[held] - weighted_mean(X[held], rows_weight)
    np.testing.assert_allclose(moments.products, about.T * rows_weight @ about, rtol=1e-9)
    assert moments.total == pytest.approx(rows_weight.sum())


def test_a_column_that_hardly_varies_in_training_is_read_from_its_own_rows(small):
    X, y = small
    train, held = split_of(60)
    X = X.copy()
    X[train, 2] = 1e-3 * X[train, 2]
    whole = whole_of(problem_of(Ridge(), X, y), bare=True)
    problem = problem_of(Ridge(), X[train], y[train])
    assert subtracted(whole, problem, X[held], train, held) is None
    expected = problem_of(Ridge(), X[train], y[train]).exact_gram[0]
    np.testing.assert_array_equal(problem.exact_gram[0].matrix, expected.matrix)


def test_nothing_is_subtracted_where_it_would_not_be_exact(small, counts):
    X, y = small
    train, held = split_of(60)
    whole = whole_of(problem_of(Ridge(), X, y), bare=True)
    assert whole is not None
    assert whole_of(problem_of(Ridge(), X, y), bare=False) is None
    assert whole_of(problem_of(Ridge(), sp.csr_array(X), y), bare=True) is None
    assert whole_of(problem_of(Ridge(), X[:4], y[:4]), bare=True) is None
    assert whole_of(problem_of(PoissonRegressor(), *counts), bare=True) is None
    assert whole_of(problem_of(ElasticNet(5.0), X, y), bare=True) is None
    problem = problem_of(Ridge(), X[train], y[train])
    assert subtracted(whole, problem, X[held[:-1]], train, held[:-1]) is None
    doubled = np.r_[train[:-1], train[0]]
    assert subtracted(whole, problem_of(Ridge(), X[doubled], y[doubled]), X[held], doubled, held) is None


def test_weights_that_depend_on_the_fold_are_seen(small):
    X, y = small[0], (small[1] > 5).astype(int)
    train, held = split_of(60)
    base = RidgeClassifier(class_weight="balanced")
    whole = whole_of(problem_of(base, X, y), bare=True)
    assert subtracted(whole, problem_of(base, X[train], y[train]), X[held], train, held) is None


@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error"])
@pytest.mark.parametrize(
    ("cv", "used"),
    [(KFold(3), 3), (RepeatedKFold(n_splits=2, n_repeats=2, random_state=0), 4), (ShuffleSplit(3, random_state=0), 3)],
    ids=str,
)
def test_searches_score_as_without_it(cv, used, scoring, far, monkeypatch):
    X, y, _ = far
    taken = []
    monkeypatch.setattr(folds, "subtracted", lambda *given: taken.append(subtracted(*given)) or taken[-1])
    nest = QuantizedRegressor(PrunedRegressor(Ridge()))
    search = CompressedRegressorCV(nest, n_nonzero=SIZES, bits=WIDTHS, cv=cv, scoring=scoring).fit(X, y)
    assert len(taken) == used
    assert all(moments is not None for moments in taken)
    np.testing.assert_allclose(own_scores(search), grid_scores(nest, X, y, cv=cv, scoring=scoring), rtol=0, atol=1e-8)


def test_a_pipeline_reads_the_rows_of_each_fold(small, monkeypatch):
    monkeypatch.setattr(folds, "subtracted", lambda *given: pytest.fail("columns differ from fold to fold"))
    search = CompressedRegressorCV(make_pipeline(StandardScaler(), Ridge()), n_nonzero=[2], bits=[4], cv=3).fit(*small)
    expected = grid_scores(
        QuantizedRegressor(PrunedRegressor(make_pipeline(StandardScaler(), Ridge()))),
        *small,
        sizes=[2],
        widths=[4],
        cv=3,
    )
    np.testing.assert_allclose(own_scores(search), expected, atol=1e-9)

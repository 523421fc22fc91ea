"""The searches have the scores of GridSearchCV over the nested wrappers, and fit the base once a fold."""

import numpy as np
import pytest
import scipy.sparse as sp
from grid_scores import SIZES, WIDTHS, grid_scores, own_scores
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.metrics import make_scorer, r2_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress import (
    CompressedClassifierCV,
    CompressedRegressorCV,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
)


def assert_same_scores(base, X, y, *, scoring=None, cv=3, kind="regressor", atol=1e-9, **wrapped):
    search_class = CompressedRegressorCV if kind == "regressor" else CompressedClassifierCV
    pruned = PrunedRegressor if kind == "regressor" else PrunedClassifier
    quantized = QuantizedRegressor if kind == "regressor" else QuantizedClassifier
    nest = quantized(pruned(base, **wrapped.get("prune", {})), **wrapped.get("quantize", {}))
    search = search_class(nest, n_nonzero=SIZES, bits=WIDTHS, cv=cv, scoring=scoring, size="weights").fit(X, y)
    expected = grid_scores(nest, X, y, cv=cv, scoring=scoring)
    np.testing.assert_allclose(own_scores(search), expected, rtol=0, atol=atol)


@pytest.mark.parametrize(
    "scoring", [None, "r2", "neg_mean_squared_error", "neg_root_mean_squared_error", "neg_median_absolute_error"]
)
@pytest.mark.parametrize("base", [LinearRegression(), Ridge(3.0, fit_intercept=False), ElasticNet(0.05)])
def test_scores_are_those_of_a_grid_search(base, scoring, small):
    assert_same_scores(base, *small, scoring=scoring, atol=1e-9 * (1 + np.var(small[1])))


@pytest.mark.slow
@pytest.mark.parametrize("rounding", ["lattice", "gptq", "nearest", "descent"])
def test_scores_are_those_of_a_grid_search_for_every_rounding(rounding, polynomial):
    assert_same_scores(Ridge(1.0), *polynomial, quantize={"rounding": rounding})


@pytest.mark.parametrize(
    "options",
    [
        {"importance": "obd"},
        {"importance": "l1", "refit": None},
        {"refit": "estimator", "feature_groups": "feature"},
        {"search": "backward"},
        {"keep": [3]},
        {"feature_groups": [0, 0, 1, 1, 2]},
    ],
    ids=str,
)
def test_options_of_the_nest_are_kept(options, small):
    assert_same_scores(Ridge(1.0), *small, prune=options)


@pytest.mark.slow
@pytest.mark.parametrize(
    "base",
    [
        make_pipeline(StandardScaler(), Ridge(1.0)),
        TransformedTargetRegressor(make_pipeline(StandardScaler(), Ridge(1.0)), transformer=StandardScaler()),
        HuberRegressor(),
    ],
    ids=lambda base: type(base).__name__,
)
@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error", make_scorer(r2_score)])
def test_scores_are_those_of_a_grid_search_inside_containers(base, scoring, small):
    assert_same_scores(base, *small, scoring=scoring)


@pytest.mark.slow
def test_scores_are_those_of_a_grid_search_for_counts(counts):
    assert_same_scores(PoissonRegressor(alpha=1e-3), *counts, atol=1e-7)


@pytest.mark.slow
def test_scores_are_those_of_a_grid_search_for_several_outputs(two_outputs):
    assert_same_scores(LinearRegression(), *two_outputs)


@pytest.mark.slow
def test_scores_are_those_of_a_grid_search_for_sparse_data(small):
    X = sp.csr_matrix(np.where(np.abs(small[0]) < 1, 0, small[0]))
    assert_same_scores(Ridge(), X, small[1])


@pytest.mark.slow
@pytest.mark.parametrize("scoring", [None, "roc_auc", "neg_log_loss"])
def test_scores_are_those_of_a_grid_search_for_two_classes(scoring):
    X, y = load_breast_cancer(return_X_y=True)
    X, y = StandardScaler().fit_transform(X)[:150, :5], np.array(["good", "bad"])[y][:150]
    assert_same_scores(LogisticRegression(), X, y, scoring=scoring, kind="classifier", atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("base", [LogisticRegression(max_iter=1000, tol=1e-3), RidgeClassifier()])
def test_scores_are_those_of_a_grid_search_for_three_classes(base):
    X, y = load_iris(return_X_y=True)
    assert_same_scores(base, X, y, kind="classifier", cv=StratifiedKFold(3), atol=1e-6)


def test_quantizing_inside_pruning_keeps_its_order(small):
    nest = PrunedRegressor(QuantizedRegressor(Ridge()))
    search = CompressedRegressorCV(nest, n_nonzero=SIZES, bits=WIDTHS, cv=3).fit(*small)
    expected = grid_scores(nest, *small, inner="n_nonzero", outer="estimator__bits", cv=3)
    np.testing.assert_allclose(own_scores(search), expected, rtol=0, atol=1e-9)
    assert isinstance(search.estimator_, PrunedRegressor)

"""The cache of base fits takes what a second fit would give again, and nothing else."""

from inspect import signature

import numpy as np
import pandas as pd
import pytest
from ids import without_address
from joblib import Memory
from sklearn.base import clone, is_classifier
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    Lasso,
    LassoLars,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeCV,
    SGDRegressor,
    TheilSenRegressor,
)
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils import all_estimators

from skcompress import CompressedRegressorCV, PrunedRegressor, QuantizedRegressor
from skcompress.linear.fitting import DETERMINISTIC_BY, CachedFit, base_fit_through, fit_clone

RANDOM = [
    (SGDRegressor(), "random_state"),
    (SGDRegressor(random_state=np.random), "random_state"),
    (SGDRegressor(shuffle=False, early_stopping=True), "random_state"),
    (TheilSenRegressor(), "random_state"),
    (Ridge(solver="saga"), "random_state"),
    (Lasso(selection="random"), "random_state"),
    (LassoLars(jitter=0.1), "random_state"),
    (LogisticRegression(solver="liblinear", dual=False), "random_state"),
    (LinearSVC(), "random_state"),
    (make_pipeline(TruncatedSVD(2), Ridge()), "truncatedsvd__random_state"),
    (make_pipeline(StandardScaler(), SGDRegressor()), "sgdregressor__random_state"),
    (make_pipeline(StandardScaler(), QuantizedRegressor(rounding="stochastic")), "quantizedregressor__random_state"),
    (make_pipeline(StandardScaler(), PrunedRegressor(n_restarts=2)), "prunedregressor__random_state"),
    (RidgeCV(cv=KFold(3, shuffle=True)), "cv__random_state"),
    (RidgeCV(cv=ShuffleSplit(3)), "cv__random_state"),
]

REPEATABLE = [
    LinearRegression(),
    Ridge(),
    Lasso(),
    LassoLars(),
    LogisticRegression(),
    LinearSVC(dual=False),
    SGDRegressor(shuffle=False),
    SGDRegressor(random_state=0),
    SGDRegressor(random_state=np.random.RandomState(0)),
    make_pipeline(PCA(2, svd_solver="full"), Ridge()),
    make_pipeline(StandardScaler(), QuantizedRegressor(PrunedRegressor())),
    CompressedRegressorCV(Ridge(), n_nonzero=[2], bits=[4], cv=3),
    RidgeCV(cv=KFold(3)),
    RidgeCV(cv=KFold(3, shuffle=True, random_state=0)),
]


@pytest.mark.parametrize(("base", "parameter"), RANDOM, ids=without_address)
def test_a_base_whose_fits_differ_is_refused(base, parameter, small):
    with pytest.raises(ValueError, match=rf"memory= .* random_state is None.* set {parameter} to an integer"):
        CachedFit(fit_clone)(base, *small, {})


@pytest.mark.parametrize("base", REPEATABLE, ids=without_address)
def test_a_base_whose_fits_agree_goes_through_the_cache(base, small):
    X, y = small
    y = y > np.median(y) if is_classifier(base) else y
    predictions = []
    for seed in (0, 1):
        np.random.seed(seed)  # noqa: NPY002
        predictions.append(CachedFit(fit_clone)(base, X, y, {}).predict(X))
    np.testing.assert_array_equal(*predictions)


def test_what_is_frozen_is_not_fitted_again(small):
    X, y = small
    frozen = FrozenEstimator(TheilSenRegressor(max_subpopulation=100).fit(X, y))
    reduced = FrozenEstimator(TruncatedSVD(2).fit(X))
    for base in (frozen, make_pipeline(StandardScaler(), frozen), make_pipeline(reduced, Ridge())):
        CachedFit(fit_clone)(base, X, y, {})


@pytest.mark.parametrize(
    "model",
    [
        PrunedRegressor(SGDRegressor(), n_nonzero=2),
        QuantizedRegressor(PrunedRegressor(SGDRegressor(), n_nonzero=2, random_state=0), bits=4, random_state=0),
        CompressedRegressorCV(SGDRegressor(), n_nonzero=[2], bits=[4], cv=3, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_every_wrapper_refuses_to_cache_random_fits(model, small, tmp_path):
    with pytest.raises(ValueError, match="memory= would hand back one random fit of SGDRegressor"):
        clone(model).set_params(memory=str(tmp_path)).fit(*small)
    assert not list(tmp_path.rglob("*.pkl"))
    clone(model).set_params(memory=Memory(None)).fit(*small)


def test_random_states_of_the_steps_around_the_base_do_not_matter(small, tmp_path):
    nest = QuantizedRegressor(PrunedRegressor(Ridge(), n_nonzero=2), rounding="stochastic", memory=str(tmp_path))
    nest.fit(*small)
    assert list(tmp_path.rglob("*.pkl"))


@pytest.mark.parametrize("around", [lambda base: base, lambda base: make_pipeline(StandardScaler(), base)])
def test_a_column_of_dates_that_nothing_turns_into_numbers_is_named(around):
    X = pd.DataFrame({"age": np.arange(20.0), "day": pd.date_range("2020-01-01", periods=20)})
    with pytest.raises(TypeError) as caught:
        PrunedRegressor(around(Ridge())).fit(X, X["age"])
    assert caught.value.__notes__[0].startswith("column 'day' of X holds dates")


def test_without_a_place_nothing_is_cached():
    assert base_fit_through(None) is fit_clone
    assert base_fit_through(Memory(None)) is fit_clone


def test_every_rule_is_that_of_a_parameter_beside_a_random_state():
    known = {name for _, estimator in all_estimators() for name in signature(estimator).parameters}
    for ours in (QuantizedRegressor, PrunedRegressor, CompressedRegressorCV):
        known |= set(ours().get_params())
    assert set(DETERMINISTIC_BY) <= known

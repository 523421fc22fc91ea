"""Every linear regressor of scikit-learn inside every wrapper."""

import numpy as np
import pytest
from sklearn import linear_model as lm
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVR
from sklearn.utils.discovery import all_estimators

from skcompress import DistilledRegressor, PrunedRegressor, QuantizedRegressor

BASES = [
    lm.LinearRegression(),
    lm.Ridge(),
    lm.RidgeCV(),
    lm.Lasso(0.01),
    lm.LassoCV(cv=3),
    lm.ElasticNet(0.01),
    lm.ElasticNetCV(cv=3),
    lm.HuberRegressor(max_iter=1000),
    lm.BayesianRidge(),
    lm.ARDRegression(),
    lm.QuantileRegressor(alpha=0.01),
    LinearSVR(random_state=0, max_iter=100_000),
    lm.TheilSenRegressor(random_state=0, max_subpopulation=100),
    lm.OrthogonalMatchingPursuit(n_nonzero_coefs=4),
    lm.OrthogonalMatchingPursuitCV(cv=3),
    lm.Lars(),
    lm.LarsCV(cv=3),
    lm.LassoLars(0.01),
    lm.LassoLarsCV(cv=3),
    lm.LassoLarsIC(),
    lm.SGDRegressor(random_state=0),
    lm.PoissonRegressor(),
    lm.GammaRegressor(),
    lm.TweedieRegressor(power=1.5),
    PLSRegression(2),
]
MULTI = [
    lm.MultiTaskLasso(0.01),
    lm.MultiTaskLassoCV(cv=3),
    lm.MultiTaskElasticNet(0.01),
    lm.MultiTaskElasticNetCV(cv=3),
    lm.Ridge(),
    PLSRegression(2),
]
LEAVES = [
    make_pipeline(StandardScaler(), lm.Ridge()),
    TransformedTargetRegressor(lm.Ridge(), func=np.arcsinh, inverse_func=np.sinh),
    lm.RANSACRegressor(lm.LinearRegression(), min_samples=30, max_trials=5, random_state=0),
    GridSearchCV(lm.Ridge(), {"alpha": [0.1, 1.0]}, cv=3),
    make_pipeline(
        StandardScaler(), GridSearchCV(make_pipeline(StandardScaler(), lm.Lasso()), {"lasso__alpha": [0.01]})
    ),
]
WRAPPERS = {
    "pruned": lambda base: PrunedRegressor(base, n_nonzero=1),
    "quantized": lambda base: QuantizedRegressor(base, bits=3),
    "distilled": lambda base: DistilledRegressor(base, teacher=lm.Ridge(100.0), alpha=0.5, cv=2),
    "both": lambda base: QuantizedRegressor(PrunedRegressor(base, n_nonzero=1), bits=2),
}
every_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)


def name_of(estimator):
    return type(estimator).__name__


@pytest.fixture
def positive(small):
    """A positive target, as Gamma wants it."""
    X, y = small
    return X, np.exp(y / 10)


@pytest.mark.slow
@every_wrapper
@pytest.mark.parametrize("base", BASES + LEAVES, ids=name_of)
def test_base_in_wrapper(base, wrap, positive):
    """One fit for all the promises, since there are so many pairs."""
    X, y = positive
    model, full = wrap(clone(base)).fit(X, y), clone(base).fit(X, y)
    before = full.predict(X)

    assert not np.allclose(model.predict(X), before, rtol=1e-6)
    assert model.predict(X).shape == before.shape
    assert -1e-4 <= model.loss_increase_ < 2.0

    assert model.base_coef_.shape == model.coef_.shape
    assert np.shape(model.base_intercept_) == np.shape(model.intercept_)
    assert model.coef_.dtype == model.base_coef_.dtype == np.float64
    if hasattr(full, "coef_"):
        assert model.coef_.shape == full.coef_.shape
        if not isinstance(model, DistilledRegressor):
            np.testing.assert_allclose(model.base_coef_, full.coef_)
    if isinstance(model, PrunedRegressor):
        assert model.n_nonzero_ == 1
        np.testing.assert_array_equal(model.support_, model.coef_ != 0)
    if isinstance(model, QuantizedRegressor):
        np.testing.assert_allclose(model.coef_, (model.codes_ - model.zero_point_) * model.scale_, rtol=1e-12)

    frozen = wrap(FrozenEstimator(full)).fit(X, y)
    np.testing.assert_array_equal(full.predict(X), before)
    assert not np.allclose(frozen.predict(X), before, rtol=1e-6)

    compressed = model.predict(X)
    model.coef_[...] *= 2.0
    assert not np.allclose(model.predict(X), compressed)


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES + LEAVES, ids=name_of)
def test_keeping_everything_at_sixteen_bits_changes_nothing(base, positive):
    X, y = positive
    expected = clone(base).fit(X, y).predict(X)
    model = QuantizedRegressor(PrunedRegressor(clone(base), n_nonzero=5), bits=16).fit(X, y)
    np.testing.assert_allclose(model.predict(X), expected, rtol=5e-3, atol=1e-3)
    assert model.loss_increase_ == pytest.approx(0.0, abs=1e-3)


@every_wrapper
@pytest.mark.parametrize("base", MULTI, ids=name_of)
def test_two_outputs_of_every_base(base, wrap, two_outputs):
    X, Y = two_outputs
    model = wrap(clone(base)).fit(X, Y)
    assert model.coef_.shape == (2, 5)
    assert model.predict(X).shape == (60, 2)
    assert model.loss_increase_ < 0.5
    if isinstance(model, PrunedRegressor):
        np.testing.assert_array_equal((model.coef_ != 0).sum(axis=1), [1, 1])


@pytest.mark.skipif(not hasattr(lm, "PassiveAggressiveRegressor"), reason="is gone from this scikit-learn")
@pytest.mark.filterwarnings("ignore:Class PassiveAggressiveRegressor is deprecated:FutureWarning")
@every_wrapper
def test_passive_aggressive_while_it_is_there(wrap, positive):
    X, y = positive
    model = wrap(lm.PassiveAggressiveRegressor(random_state=0)).fit(X, y)
    assert np.isfinite(model.loss_increase_)
    np.testing.assert_allclose(model.predict(X), X @ model.coef_ + model.intercept_)


def test_no_linear_regressor_of_scikit_learn_is_left_out():
    """Whatever has a coef_ that can be written is in the lists above, or of a kind that is refused on purpose."""
    listed = {name_of(base) for base in BASES + MULTI + LEAVES}
    linear = {
        name
        for name, kind in all_estimators(type_filter="regressor")
        if kind.__module__.startswith(("sklearn.linear_model", "sklearn.cross_decomposition"))
    }
    assert linear - listed - {"CCA", "PLSCanonical", "PassiveAggressiveRegressor"} == set()

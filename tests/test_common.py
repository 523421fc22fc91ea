"""scikit-learn's own checks on the three wrappers around many bases, and what every wrapper must do."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import (
    ARDRegression,
    ElasticNet,
    Lasso,
    LassoLars,
    LinearRegression,
    MultiTaskLasso,
    PoissonRegressor,
    Ridge,
    SGDRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from sklearn.utils.validation import has_fit_parameter

from skcompress import DistilledRegressor, PrunedRegressor, QuantizedRegressor

BASES = [
    None,
    Ridge(),
    Lasso(alpha=0.01),
    ElasticNet(alpha=0.01),
    ARDRegression(),
    LassoLars(alpha=0.01),
    SGDRegressor(random_state=0),
    PoissonRegressor(),
    MultiTaskLasso(alpha=0.01),
    PLSRegression(n_components=1),
    make_pipeline(Normalizer(), LinearRegression()),
    TransformedTargetRegressor(Ridge()),
]

WRAPPERS = {
    "pruned": lambda base: PrunedRegressor(base, n_nonzero=2),
    "quantized": lambda base: QuantizedRegressor(base, rounding="gptq", scale="max"),
    "distilled": lambda base: DistilledRegressor(
        base, teacher=DecisionTreeRegressor(max_depth=3, random_state=0), alpha=0.5, cv="in_sample"
    ),
}

NO_WEIGHTS = "the base takes no sample_weight; the check runs only because the wrapper's fit has the parameter"
_PATH_OF_SGD = "the bare base fails it: the order and number of its updates follow the rows, not their weights"

EXPECTED_FAILURES = {
    "a base without sample_weight": dict.fromkeys(
        [
            "check_sample_weights_pandas_series",
            "check_sample_weights_not_an_array",
            "check_sample_weights_list",
            "check_sample_weights_shape",
            "check_sample_weights_not_overwritten",
            "check_all_zero_sample_weights_error",
            "check_sample_weight_equivalence_on_dense_data",
        ],
        NO_WEIGHTS,
    ),
    "SGDRegressor": {
        "check_sample_weight_equivalence_on_dense_data": _PATH_OF_SGD,
        "check_sample_weight_equivalence_on_sparse_data": _PATH_OF_SGD,
    },
}
"""Checks that fail, with the reason, by the class of the base or by what it lacks."""


def base_of(estimator):
    return LinearRegression() if estimator.estimator is None else estimator.estimator


def expected_failures(estimator):
    base = base_of(estimator)
    weighted = has_fit_parameter(base, "sample_weight") or hasattr(base, "steps") or hasattr(base, "regressor")
    kind = type(base).__name__ if weighted else "a base without sample_weight"
    return EXPECTED_FAILURES.get(kind, {})


CHECKS = parametrize_with_checks([wrap(base) for wrap in WRAPPERS.values() for base in BASES]).mark


NOISE = pytest.mark.filterwarnings("ignore:the information criterion prunes every weight:UserWarning")
"""Some checks fit noise, of which the default size keeps nothing."""


def name_of(check):
    return getattr(check, "func", check).__name__


# scikit-learn 1.6 passes a generator, which pytest does not take any more.
@pytest.mark.slow
@NOISE
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_scikit_learn_check(estimator, check):
    reason = expected_failures(estimator).get(name_of(check))
    if reason is None:
        check(estimator)
        return
    # As a strict expected failure, without the cost of writing out a long traceback.
    with pytest.raises((AssertionError, ValueError)):
        check(estimator)
    pytest.xfail(reason)


@pytest.mark.parametrize("base", BASES[1:], ids=lambda base: type(base).__name__)
def test_no_expected_failure_is_a_check_that_the_bare_base_passes(base):
    listed = expected_failures(PrunedRegressor(base))
    for estimator, check in estimator_checks_generator(base):
        if name_of(check) in listed:
            with pytest.raises(AssertionError):
                check(estimator)


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
class TestEveryWrapper:
    def test_clone_has_the_same_parameters_and_is_not_fitted(self, wrap, small):
        model = wrap(Ridge(0.5)).fit(*small)
        copy = clone(model)
        assert not hasattr(copy, "estimator_")
        assert copy.get_params()["estimator__alpha"] == 0.5
        assert repr(copy) == repr(model)

    def test_fit_leaves_the_parameters_as_they_were(self, wrap, small):
        base = Ridge(0.5)
        model = wrap(base)
        before = model.get_params()
        model.fit(*small)
        assert model.get_params() == before
        assert model.estimator is base
        assert not hasattr(base, "coef_")

    def test_set_params_reaches_the_base(self, wrap, small):
        model = wrap(Ridge(0.5)).set_params(estimator__alpha=7.0).fit(*small)
        np.testing.assert_array_equal(model.coef_, wrap(Ridge(7.0)).fit(*small).coef_)

    def test_pickle_keeps_the_predictions_bit_for_bit(self, wrap, small):
        model = wrap(Ridge(0.5)).fit(*small)
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict(small[0]), model.predict(small[0]))
        np.testing.assert_array_equal(again.coef_, model.coef_)

    def test_a_second_fit_gives_the_same_model(self, wrap, small):
        model = wrap(Ridge(0.5)).fit(*small)
        first = model.coef_.copy()
        np.testing.assert_array_equal(model.fit(*small).coef_, first)

    def test_predict_is_the_linear_predictor_of_coef_and_intercept(self, wrap, small):
        X, y = small
        model = wrap(Ridge(0.5)).fit(X, y)
        np.testing.assert_allclose(model.predict(X), X @ model.coef_ + model.intercept_)

    def test_coef_cannot_be_set(self, wrap, small):
        model = wrap(Ridge(0.5)).fit(*small)
        with pytest.raises(AttributeError):
            model.coef_ = np.zeros(3)

    def test_base_coef_is_that_of_the_base_before_compression(self, wrap, small):
        model = wrap(Ridge(0.5)).fit(*small)
        if isinstance(model, DistilledRegressor):
            np.testing.assert_array_equal(model.base_coef_, model.coef_)
            return
        base = Ridge(0.5).fit(*small)
        np.testing.assert_array_equal(model.base_coef_, base.coef_)
        np.testing.assert_array_equal(model.base_intercept_, base.intercept_)
        assert type(model.base_intercept_) is type(model.intercept_)

    def test_score_is_that_of_the_base(self, wrap):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((60, 3))
        y = rng.poisson(np.exp(X @ [0.5, -0.4, 0.2]))
        model = wrap(PoissonRegressor()).fit(X, y)
        base = PoissonRegressor().fit(X, y)
        base.coef_, base.intercept_ = model.coef_, model.intercept_
        assert model.score(X, y) == base.score(X, y)

    def test_memory_gives_the_same_model(self, wrap, small, tmp_path):
        model = wrap(Ridge(0.5))
        if not hasattr(model, "memory"):
            pytest.skip("has no memory")
        cached = clone(model).set_params(memory=str(tmp_path))
        for _ in range(2):
            np.testing.assert_array_equal(cached.fit(*small).coef_, model.fit(*small).coef_)
        assert any(tmp_path.rglob("*.pkl"))

"""What is refused, with messages that name the parameter, the value and the way out; and odd data that is handled."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    OrthogonalMatchingPursuit,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from skcompress import (
    CompressedRegressorCV,
    DistilledClassifier,
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
)
from skcompress.core.grids import GRIDS
from skcompress.core.rounding import ROUNDINGS
from skcompress.core.scales import GRANULARITIES, SCALES
from skcompress.core.subset import SEARCHES
from skcompress.core.units import IMPORTANCES

WRAPPERS = {
    "pruned": lambda base=None: PrunedRegressor(base, n_nonzero=2),
    "quantized": lambda base=None: QuantizedRegressor(base, bits=4),
    "distilled": lambda base=None: DistilledRegressor(base, teacher=Ridge(), alpha=0.5, cv=2),
}
every_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)

ALL_ZERO = pytest.mark.filterwarnings("ignore:.*prunes every weight:UserWarning")

BAD_PRUNING = [
    ({"threshold": 0.1, "n_nonzero": 2}, ["threshold=0.1", "n_nonzero=2", "at most one"]),
    ({"n_nonzero": 2, "max_loss": 0.1}, ["n_nonzero=2", "max_loss=0.1"]),
    ({"threshold": -0.5}, ["threshold=-0.5", "0 or above"]),
    ({"threshold": np.nan}, ["threshold=nan"]),
    ({"threshold": "largest"}, ["threshold='largest'", "'mean'", "'median'"]),
    ({"threshold": "x*mean"}, ["threshold='x*mean'"]),
    ({"n_nonzero": 0}, ["n_nonzero=0", "1 or above"]),
    ({"n_nonzero": -3}, ["n_nonzero=-3"]),
    ({"n_nonzero": 1.5}, ["n_nonzero=1.5", "(0, 1]"]),
    ({"n_nonzero": 0.0}, ["n_nonzero=0.0"]),
    ({"n_nonzero": True}, ["n_nonzero=True"]),
    ({"n_nonzero": "all"}, ["n_nonzero='all'"]),
    ({"max_loss": -1e-3}, ["max_loss=-0.001"]),
    ({"max_loss": np.inf}, ["max_loss=inf"]),
    ({"importance": "magnitude"}, ["importance='magnitude'", *IMPORTANCES]),
    ({"search": "greedy"}, ["search='greedy'", "auto", *SEARCHES]),
    ({"refit": "ols"}, ["refit='ols'", "closed_form", "estimator", "None"]),
    ({"importance": "l1", "search": "swap"}, ["search='swap'", "importance='l1'", "'one_shot'", "'backward'"]),
    ({"importance": "obd", "search": "exact"}, ["search='exact'", "importance='obd'"]),
    ({"refit": None, "search": "backward"}, ["refit=None", "search='backward'", "one_shot"]),
    ({"n_restarts": -1}, ["n_restarts=-1"]),
    ({"max_nodes": 0}, ["max_nodes=0"]),
    ({"keep": ["age"]}, ["keep", "'age'", "no column", "'x0'"]),
    ({"keep": [9]}, ["keep", "9", "5 features"]),
    ({"keep": [True, False]}, ["keep", "5", "2"]),
    ({"feature_groups": "columns"}, ["feature_groups", "'columns'", "'feature'", "'input'"]),
    ({"feature_groups": [0, 0, 1]}, ["feature_groups", "5 labels", "3"]),
    ({"feature_groups": {"a": ["x0", "x9"]}}, ["feature_groups['a']", "'x9'"]),
    ({"feature_groups": {"a": ["x0"], "b": ["x0"]}}, ["feature_groups", "'x0'", "'a'", "'b'"]),
    ({"feature_groups": lambda names: names[:2]}, ["feature_groups", "5 labels", "2"]),
    ({"n_nonzero": 1, "keep": ["x0", "x1"]}, ["keep", "n_nonzero=1"]),
]

BAD_QUANTIZING = [
    ({"bits": 0}, ["bits", "1 to 16", "0"]),
    ({"bits": 17}, ["bits", "1 to 16", "17"]),
    ({"bits": 2.5}, ["bits", "1 to 16", "2.5"]),
    ({"bits": True}, ["bits", "True"]),
    ({"bits": "4"}, ["bits", "'4'"]),
    ({"grid": "log"}, ["grid", "'log'", *GRIDS]),
    ({"rounding": "up"}, ["rounding", "'up'", *ROUNDINGS]),
    ({"scale": "largest"}, ["scale", "'largest'", *SCALES]),
    ({"scale": 0.0}, ["scale", "0.0", "positive"]),
    ({"scale": -1}, ["scale", "-1"]),
    ({"scale": np.inf}, ["scale", "inf"]),
    ({"granularity": "row"}, ["granularity", "'row'", *GRANULARITIES]),
]

BAD_DISTILLING = [
    ({"alpha": 1.5}, ["alpha", "[0, 1]", "1.5"]),
    ({"alpha": -0.1}, ["alpha", "-0.1"]),
    ({"alpha": "best"}, ["alpha", "'auto'", "'best'"]),
    ({"cv": "loo"}, ["cv", "'in_sample'", "'loo'"]),
    ({"teacher": "trees"}, ["teacher", "predict", "'trees'"]),
    ({"teacher": StandardScaler()}, ["teacher", "predict", "StandardScaler"]),
    ({"teacher": FrozenEstimator(StandardScaler())}, ["teacher", "predict"]),
]


def refused(model, parts, X, y, error=ValueError):
    with pytest.raises(error) as caught:
        model.fit(X, y)
    missing = [part for part in parts if str(part) not in str(caught.value)]
    assert missing == [], str(caught.value)
    assert not hasattr(model, "estimator_")


def ids(cases):
    """Short names for the cases."""
    return [" ".join(f"{k}={v!r}"[:30] for k, v in options.items()) for options, _ in cases]


@pytest.mark.parametrize(("options", "parts"), BAD_PRUNING, ids=ids(BAD_PRUNING))
def test_pruning_parameter_is_refused(options, parts, small):
    refused(PrunedRegressor(**options), parts, *small)


@pytest.mark.parametrize(("options", "parts"), BAD_QUANTIZING, ids=ids(BAD_QUANTIZING))
def test_quantizing_parameter_is_refused(options, parts, small):
    refused(QuantizedRegressor(**options), parts, *small)


@pytest.mark.parametrize(("options", "parts"), BAD_DISTILLING, ids=ids(BAD_DISTILLING))
def test_distilling_parameter_is_refused(options, parts, small):
    refused(DistilledRegressor(**{"teacher": Ridge(), **options}), parts, *small)


def test_parameters_are_refused_before_the_base_is_fitted(small):
    class Costly(LinearRegression):
        def fit(self, X, y, sample_weight=None):
            raise AssertionError("was fitted")

    for model in (
        PrunedRegressor(Costly(), threshold=-1),
        QuantizedRegressor(Costly(), bits=99),
        DistilledRegressor(Costly(), alpha=9),
        QuantizedRegressor(PrunedRegressor(Costly(), threshold=-1)),
    ):
        with pytest.raises(ValueError, match=r"threshold|bits|alpha"):
            model.fit(*small)


class TestUnsuitableBases:
    @every_wrapper
    def test_read_only_coefficients(self, wrap, small):
        refused(wrap(SVR(kernel="linear")), ["SVR", "LinearSVR"], *small, error=TypeError)

    @every_wrapper
    def test_a_forest_has_no_coefficients(self, wrap, small):
        forest = RandomForestRegressor(n_estimators=2, random_state=0)
        refused(wrap(forest), ["RandomForestRegressor", "no coef_", "DistilledRegressor"], *small, error=TypeError)

    @every_wrapper
    def test_neighbours_at_the_end_of_a_pipeline(self, wrap, small):
        base = make_pipeline(StandardScaler(), KNeighborsRegressor())
        refused(wrap(base), ["KNeighborsRegressor", "Ridge"], *small, error=TypeError)

    @every_wrapper
    def test_a_classifier_is_sent_to_the_classifiers_wrapper(self, wrap, small):
        name = type(wrap()).__name__.replace("Regressor", "Classifier")
        X, y = small
        refused(wrap(LogisticRegression()), ["LogisticRegression", f"use {name}"], X, y > 0, error=TypeError)

    def test_several_models_in_one(self, two_outputs):
        refused(PrunedRegressor(MultiOutputRegressor(Ridge())), ["MultiOutputRegressor"], *two_outputs, error=TypeError)

    def test_coefficients_that_predict_does_not_follow(self, small):
        class Stubborn(LinearRegression):
            def fit(self, X, y, sample_weight=None):
                super().fit(X, y)
                self.kept_ = self.coef_.copy(), self.intercept_
                return self

            def predict(self, X):
                return X @ self.kept_[0] + self.kept_[1]

        refused(PrunedRegressor(Stubborn(), n_nonzero=1), ["Stubborn", "does not follow"], *small, error=TypeError)

    @every_wrapper
    def test_sample_weight_for_a_base_that_takes_none(self, wrap, small):
        X, y = small
        for base in (OrthogonalMatchingPursuit(), make_pipeline(StandardScaler(), OrthogonalMatchingPursuit())):
            with pytest.raises(ValueError, match=r"sample_weight.*OrthogonalMatchingPursuit"):
                wrap(base).fit(X, y, sample_weight=np.ones(len(y)))


class TestUnsuitableData:
    @every_wrapper
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_x_and_y_must_be_finite(self, wrap, bad, small):
        X, y = small
        spoilt = X.copy()
        spoilt[3, 1] = bad
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            wrap().fit(spoilt, y)
        spoilt = y.copy()
        spoilt[3] = bad
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            wrap().fit(X, spoilt)

    @every_wrapper
    def test_unfitted(self, wrap, small):
        model = wrap()
        for use in (lambda: model.predict(small[0]), lambda: model.coef_, lambda: model.score(*small)):
            with pytest.raises(NotFittedError, match=type(model).__name__):
                use()
        with pytest.raises(NotFittedError):
            _ = model.compact_
        assert not hasattr(model, "n_features_in_")

    @every_wrapper
    def test_y_none_with_a_base_that_is_not_frozen(self, wrap, small):
        with pytest.raises(ValueError, match="requires y to be passed"):
            wrap().fit(small[0])

    @pytest.mark.parametrize("wrap", [WRAPPERS["pruned"], WRAPPERS["quantized"]])
    def test_frozen_on_other_columns(self, wrap, diabetes):
        X, y = diabetes
        frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(10)])
        frozen = FrozenEstimator(Ridge().fit(frame, y))
        with pytest.raises(ValueError, match=r"feature names|c0"):
            wrap(frozen).fit(frame.rename(columns={"c0": "other"}))
        with pytest.raises(ValueError, match=r"9 features|feature names"):
            wrap(FrozenEstimator(Ridge().fit(X, y))).fit(X[:, :9])

    @every_wrapper
    def test_a_frozen_base_that_was_never_fitted(self, wrap, small):
        with pytest.raises((NotFittedError, TypeError), match="Ridge"):
            wrap(FrozenEstimator(Ridge())).fit(*small)

    @every_wrapper
    def test_wrong_columns_are_named_at_predict(self, wrap, small):
        X, y = small
        frame = pd.DataFrame(X, columns=list("abcde"))
        model = wrap().fit(frame, y)
        with pytest.raises(ValueError, match="wrong"):
            model.predict(frame.rename(columns={"c": "wrong"}))

    @every_wrapper
    def test_x_and_y_of_different_lengths(self, wrap, small):
        X, y = small
        with pytest.raises(ValueError, match="inconsistent"):
            wrap().fit(X, y[:-1])


class TestRefitThatCannotApply:
    def test_estimator_with_a_frozen_base(self, small):
        X, y = small
        frozen = FrozenEstimator(Ridge().fit(X, y))
        refused(PrunedRegressor(frozen, n_nonzero=2, refit="estimator"), ["refit='estimator'", "FrozenEstimator"], X, y)

    @pytest.mark.parametrize("around", [False, True])
    def test_estimator_with_a_distilled_base(self, around, small):
        inside, outside = "fits the base again on y, which would undo the distillation", ["refit='estimator'"]
        if around:
            inner = make_pipeline(StandardScaler(), PrunedRegressor(Ridge(), n_nonzero=2, refit="estimator"))
            refused(DistilledRegressor(inner, teacher=Ridge(), alpha=1.0, cv=2), [*outside, "PrunedRegressor"], *small)
            return
        distilled = DistilledRegressor(Ridge(), teacher=Ridge(), alpha=1.0, cv=2)
        refused(PrunedRegressor(distilled, n_nonzero=2, refit="estimator"), [*outside, inside], *small)
        bits = QuantizedRegressor(distilled, bits=4)
        refused(PrunedRegressor(bits, n_nonzero=2, refit="estimator"), [*outside, inside], *small)

    def test_estimator_with_outputs_that_keep_different_columns(self, two_outputs):
        model = PrunedRegressor(Ridge(), n_nonzero=1, refit="estimator")
        refused(model, ["refit='estimator'", "feature_groups='feature'"], *two_outputs)


class TestHandled:
    """Odd data that must work."""

    @every_wrapper
    def test_constant_and_all_zero_columns_get_no_weight(self, wrap, small):
        X, y = small
        wide = np.column_stack([X, np.full(len(y), 3.0), np.zeros(len(y))])
        model = wrap(LinearRegression()).fit(wide, y)
        np.testing.assert_allclose(model.coef_[-2:], 0.0, atol=1e-12)
        assert np.isfinite(model.predict(wide)).all()

    @every_wrapper
    @pytest.mark.parametrize("base", [LinearRegression(), Ridge(), Lasso(alpha=0.1)])
    def test_more_columns_than_rows(self, wrap, base):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((15, 40))
        y = X[:, 0] - 2 * X[:, 1] + 0.1 * rng.standard_normal(15)
        model = wrap(base).fit(X, y)
        assert np.isfinite(model.coef_).all()
        assert model.score(X, y) > 0.4

    def test_a_duplicate_column_can_go_at_no_loss(self, small):
        X, y = small
        twice = np.column_stack([X, X[:, 0]])
        model = PrunedRegressor(n_nonzero=5).fit(twice, y)
        assert model.loss_increase_ == pytest.approx(0.0, abs=1e-10)
        assert model.support_[[0, 5]].sum() == 1

    def test_a_collinear_column_can_go_at_no_loss(self, small):
        X, y = small
        wide = np.column_stack([X, X @ np.array([1.0, 2.0, 0.0, -1.0, 0.5])])
        model = PrunedRegressor(n_nonzero=5).fit(wide, y)
        assert model.loss_increase_ == pytest.approx(0.0, abs=1e-10)
        assert QuantizedRegressor(bits=8).fit(wide, y).loss_increase_ < 1e-3

    @ALL_ZERO
    @pytest.mark.parametrize("wrap", [WRAPPERS["pruned"], WRAPPERS["quantized"]])
    def test_one_row_does_as_the_base_does(self, wrap):
        X, y = np.array([[1.0, 2.0, 3.0]]), np.array([5.0])
        model = wrap(LinearRegression()).fit(X, y)
        np.testing.assert_allclose(model.predict(X), LinearRegression().fit(X, y).predict(X))

    @ALL_ZERO
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    @every_wrapper
    def test_constant_y(self, wrap, small):
        X, _ = small
        model = wrap(Lasso(alpha=0.1)).fit(X, np.full(len(X), 4.0))
        np.testing.assert_allclose(model.predict(X), 4.0)
        assert model.loss_increase_ == pytest.approx(0.0, abs=1e-12)

    def test_everything_pruned_warns_and_predicts_the_mean(self, small):
        X, y = small
        with pytest.warns(UserWarning, match="prunes every weight"):
            model = PrunedRegressor(threshold=1e9).fit(X, y)
        assert model.n_nonzero_ == 0
        np.testing.assert_allclose(model.predict(X), y.mean())
        assert model.loss_increase_ == pytest.approx(LinearRegression().fit(X, y).score(X, y))

    def test_everything_pruned_of_counts_predicts_the_mean(self, counts):
        X, y = counts
        with pytest.warns(UserWarning, match="prunes every weight"):
            model = PrunedRegressor(PoissonRegressor(), threshold=1e9).fit(X, y)
        np.testing.assert_allclose(model.predict(X), y.mean())

    def test_numpy_integers_as_parameters(self, small):
        plain = QuantizedRegressor(PrunedRegressor(n_nonzero=3, keep=[1]), bits=4).fit(*small)
        numpy = QuantizedRegressor(PrunedRegressor(n_nonzero=np.int64(3), keep=[np.int32(1)]), bits=np.uint8(4))
        np.testing.assert_array_equal(numpy.fit(*small).coef_, plain.coef_)

    def test_more_units_asked_for_than_there_are(self, small):
        model = PrunedRegressor(n_nonzero=99).fit(*small)
        np.testing.assert_allclose(model.coef_, LinearRegression().fit(*small).coef_)
        assert model.loss_increase_ == pytest.approx(0.0, abs=1e-12)

    @every_wrapper
    def test_integer_x_and_y(self, wrap):
        rng = np.random.default_rng(0)
        X = rng.integers(0, 9, size=(40, 3))
        y = X @ np.array([1, -2, 3])
        model = wrap(LinearRegression()).fit(X, y)
        assert model.coef_.dtype == np.float64
        assert model.score(X, y) > 0.5

    @pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_matrix])
    def test_sparse_all_zero_and_constant_columns(self, kind, small):
        X, y = small
        wide = kind(np.column_stack([X, np.ones(len(y)), np.zeros(len(y))]))
        dense = PrunedRegressor(Ridge(), n_nonzero=3).fit(wide.toarray(), y)
        model = PrunedRegressor(Ridge(), n_nonzero=3).fit(wide, y)
        np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-4)


@ALL_ZERO
@every_wrapper
def test_all_zero_weights_stay_zero(wrap, small):
    X, y = small
    model = wrap(Lasso(alpha=1e6)).fit(X, y)
    np.testing.assert_array_equal(model.coef_, np.zeros(5))
    np.testing.assert_array_equal(model.predict(X), model.intercept_)
    if not isinstance(model, DistilledRegressor):
        np.testing.assert_allclose(model.predict(X), y.mean())


def refusal_of(model, X):
    """The message with which a fit is refused, or None."""
    try:
        model.fit(X)
    except ValueError as refusal:
        return str(refusal)
    return None


class TestGridOfOptions:
    """Every (grid, rounding, scale, granularity) works, or is a ValueError that names both parameters."""

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore:scale=0.25 clips")
    @pytest.mark.parametrize("grid", GRIDS)
    @pytest.mark.parametrize("rounding", ROUNDINGS)
    def test_works_or_says_which_two_do_not_go_together(self, grid, rounding, two_outputs):
        X, y = two_outputs
        fitted = FrozenEstimator(Ridge(0.1).fit(X, y))
        done = 0
        for scale in [*SCALES, 0.25]:
            for granularity in GRANULARITIES:
                options = {"grid": grid, "rounding": rounding, "scale": scale, "granularity": granularity}
                model = QuantizedRegressor(fitted, bits=4, random_state=0, **options)
                refusal = refusal_of(model, X)
                if refusal is not None:
                    assert len([name for name in options if name in refusal]) >= 2, refusal
                    continue
                done += 1
                assert np.isfinite(model.loss_increase_)
                assert model.codes_.shape == model.coef_.shape == (2, 5)
                if model.levels_ is None:
                    decoded = (model.codes_.astype(int) - model.zero_point_) * model.scale_
                    np.testing.assert_allclose(model.coef_, decoded, rtol=1e-15)
        assert done


@pytest.mark.parametrize(
    "wrapper",
    [
        PrunedRegressor,
        PrunedClassifier,
        QuantizedRegressor,
        QuantizedClassifier,
        DistilledRegressor,
        DistilledClassifier,
    ],
)
@pytest.mark.parametrize(
    ("estimator", "told"),
    [("ridge", "estimator='ridge' of {} is no estimator"), (Ridge, "estimator=Ridge of {} is a class")],
)
def test_an_estimator_that_is_none_is_named(wrapper, estimator, told):
    with pytest.raises(TypeError, match=told.format(wrapper.__name__)):
        wrapper(estimator).fit([[1.0], [2.0], [3.0]], [0, 1, 1])


@pytest.mark.parametrize(
    "wrapper",
    [
        lambda: PrunedClassifier(RidgeClassifier()),
        lambda: QuantizedClassifier(),
        lambda: DistilledClassifier(teacher=LogisticRegression(), cv="in_sample"),
    ],
)
class TestClassesToLearnFrom:
    X = np.random.default_rng(0).standard_normal((12, 2))

    def test_one_class(self, wrapper):
        with pytest.raises(ValueError, match=r"one class"):
            wrapper().fit(self.X, np.full(12, "good"))

    def test_a_class_without_weight_is_named(self, wrapper):
        y = np.array(["bad", "fair", "good"] * 4)
        with pytest.raises(ValueError, match="zero on every row of the class 'fair'"):
            wrapper().fit(self.X, y, sample_weight=(y != "fair").astype(float))


class NeverFitted(Ridge):
    """A base whose fit must not be reached."""

    def fit(self, X, y, sample_weight=None):
        raise AssertionError("the base was fitted before the parameters were checked")


BEFORE_THE_FIT = [
    (PrunedRegressor, {"n_nonzero": 2, "keep": 1.5}, ["keep=1.5", "name or an index", "mask"]),
    (PrunedRegressor, {"n_nonzero": 2, "feature_groups": 5}, ["feature_groups", "got 5", "'input'"]),
    (PrunedRegressor, {"n_nonzero": 2, "feature_groups": "inputs"}, ["feature_groups", "'inputs'"]),
    (PrunedRegressor, {"n_nonzero": 2, "feature_groups": [[1]] * 5}, ["feature_groups", "[1]", "hashable"]),
    (PrunedRegressor, {"n_nonzero": 2, "random_state": "a"}, ["random_state='a'", "RandomState"]),
    (QuantizedRegressor, {"random_state": np.random.default_rng(0)}, ["random_state=Generator", "RandomState"]),
    (QuantizedRegressor, {"random_state": -1}, ["random_state=-1", "from 0"]),
    (DistilledRegressor, {"random_state": "a"}, ["random_state='a'", "RandomState"]),
    (CompressedRegressorCV, {"random_state": "a"}, ["random_state='a'", "RandomState"]),
    (CompressedRegressorCV, {"n_nonzero": 0}, ["n_nonzero=0", "1 or above"]),
    (CompressedRegressorCV, {"n_nonzero": [3, 1.5]}, ["n_nonzero=1.5", "(0, 1]"]),
    (CompressedRegressorCV, {"bits": 0}, ["bits", "1 to 16", "got 0"]),
    (CompressedRegressorCV, {"bits": [None, 4, 17]}, ["bits", "1 to 16", "got 17"]),
    (CompressedRegressorCV, {"n_nonzero": []}, ["n_nonzero", "at least one"]),
]


@pytest.mark.parametrize(("wrapper", "options", "parts"), BEFORE_THE_FIT, ids=ids([c[1:] for c in BEFORE_THE_FIT]))
def test_parameters_are_checked_before_anything_is_fitted(wrapper, options, parts, small):
    refused(wrapper(NeverFitted(), **options), parts, *small)


@pytest.mark.parametrize(
    ("nest", "parts"),
    [
        (QuantizedRegressor(PrunedRegressor(NeverFitted(), keep=1.5)), ["keep=1.5"]),
        (QuantizedRegressor(NeverFitted(), grid="power_of_two"), ["bits=9", "power_of_two"]),
        (PrunedRegressor(DistilledRegressor(NeverFitted()), refit="estimator"), ["refit='estimator'", "distillation"]),
        (DistilledRegressor(PrunedRegressor(NeverFitted(), refit="estimator")), ["refit='estimator'", "distillation"]),
    ],
)
def test_a_search_checks_its_steps_before_anything_is_fitted(nest, parts, small):
    refused(CompressedRegressorCV(nest, bits=[4, 9]), parts, *small)


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        (PrunedRegressor(importance=lambda q: "x", n_nonzero=2), ["importance must return scores", "(1, 5)", "'x'"]),
        (QuantizedRegressor(rounding=lambda p: 3), ["rounding must return values", "()"]),
        (QuantizedRegressor(rounding=lambda p: "up"), ["rounding must return values", "'up'"]),
        (QuantizedRegressor(rounding=lambda p: p.target * np.nan), ["rounding returned values", "not finite"]),
        (PrunedRegressor(feature_groups=lambda names: 3, n_nonzero=2), ["feature_groups", "callable", "got 3"]),
    ],
)
def test_what_a_callable_returns_is_checked(model, parts, small):
    refused(model, parts, *small)


@pytest.mark.parametrize("last", ["passthrough", None])
@pytest.mark.parametrize("wrapper", [PrunedRegressor, QuantizedRegressor, DistilledRegressor, CompressedRegressorCV])
def test_a_pipeline_that_ends_in_no_model_is_named(wrapper, last, small):
    model = wrapper(make_pipeline(StandardScaler(), last))
    refused(model, [f"estimator of {wrapper.__name__}", repr(last), "Ridge()"], *small, error=TypeError)

"""Wrappers inside one another, with containers between them: what is wrapped is done, or refused before any fit."""

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, RANSACRegressor, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, PolynomialFeatures, StandardScaler
from wrapped import TREE

from skcompress import (
    CompressedRegressorCV,
    DistilledClassifier,
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
    compact,
    selection_stability,
)
from skcompress.linear.containers import find_leaf, inside_of, is_wrapper

WRAPPERS = {
    "pruned": lambda inner: PrunedRegressor(inner, n_nonzero=3),
    "quantized": lambda inner: QuantizedRegressor(inner, bits=4),
    "distilled": lambda inner: DistilledRegressor(inner, teacher=LinearRegression(), alpha=1.0, cv=2),
}

BETWEEN = {
    "directly": lambda inner: inner,
    "pipeline": lambda inner: make_pipeline(StandardScaler(), inner),
    "target": lambda inner: TransformedTargetRegressor(inner, func=np.arcsinh, inverse_func=np.sinh),
    "ransac": lambda inner: RANSACRegressor(inner, min_samples=40, residual_threshold=1e6, random_state=0),
    "search": lambda inner: GridSearchCV(inner, {}, cv=2),
}

FITTED_BY_THEMSELVES = ("target", "ransac", "search")

PAIRS = [(one, c, two) for one, c, two in itertools.product(WRAPPERS, BETWEEN, WRAPPERS)]
TRIPLES = [
    (one, c, two, d, three)
    for one, two, three in itertools.product(WRAPPERS, repeat=3)
    for c, d in itertools.product(BETWEEN, repeat=2)
    if "directly" in (c, d) or c == d
]


def built(layers, base=Ridge):
    model = base()
    for name in reversed(layers):
        model = (WRAPPERS | BETWEEN)[name](model)
    return model


def is_lost(layers):
    """Whether a wrapper that distils is around what it cannot reach."""
    for place, name in enumerate(layers):
        inside = layers[place + 1 :]
        by_itself = min((inside.index(c) for c in FITTED_BY_THEMSELVES if c in inside), default=len(inside))
        if name == "distilled" and ("distilled" in inside or any(layer in WRAPPERS for layer in inside[by_itself:])):
            return True
    return False


def wrappers_in(model):
    """The fitted wrappers inside a model, from the outside in."""
    found = []
    while model is not None:
        found += [model] if is_wrapper(model) else []
        model = inside_of(model)
    return found


@pytest.mark.parametrize(
    "layers", [*PAIRS, *(pytest.param(layers, marks=pytest.mark.slow) for layers in TRIPLES)], ids="-".join
)
def test_what_is_wrapped_is_done_or_refused(layers, small):
    X, y = small
    model = built(layers)
    if is_lost(layers):
        with pytest.raises(ValueError, match=r"would be lost|would distil twice"):
            model.fit(X, y)
        return
    model.fit(X, y)
    base = built([name for name in layers if name not in ("pruned", "quantized")]).fit(X, y)
    leaf = find_leaf(model, X).X
    np.testing.assert_allclose(model.base_coef_, find_leaf(base).estimator.coef_, rtol=1e-9, atol=1e-12)
    if "pruned" in layers:
        assert model.n_nonzero_ <= 3
    eta = leaf @ model.coef_ + model.intercept_
    for _ in range(layers.count("target")):
        eta = np.sinh(eta)
    np.testing.assert_allclose(model.predict(X), eta, rtol=1e-7, atol=1e-9)
    if "target" not in layers:
        np.testing.assert_allclose(compact(model).predict(X), eta, rtol=1e-7, atol=1e-9)
    says_what_it_predicts(model)


def says_what_it_predicts(model):
    """What each wrapper says of its weights is true of those that it predicts with."""
    found = wrappers_in(model)
    quantized = [each for each in found if isinstance(each, (QuantizedRegressor, QuantizedClassifier))]
    for inside in found:
        assert inside.loss_increase_ == model.loss_increase_
        assert inside.prediction_change_ == model.prediction_change_
        assert inside.n_nonzero_ == model.n_nonzero_
        assert inside.steps_["loss_increase"].iloc[-1] == inside.loss_increase_
        np.testing.assert_array_equal(inside.base_coef_, model.base_coef_)
        if hasattr(inside, "support_") and inside is not model:
            np.testing.assert_array_equal(inside.support_, inside.coef_ != 0)
    on_grid = [each for each in quantized if hasattr(each, "codes_")]
    assert len(on_grid) == min(1, len(quantized))
    for inside in on_grid:
        np.testing.assert_array_equal((inside.codes_ - inside.zero_point_) * inside.scale_, model.coef_)
    for inside in quantized:
        assert hasattr(inside, "scale_") == hasattr(inside, "codes_")


@pytest.mark.parametrize("layers", list(itertools.product(WRAPPERS, repeat=3)), ids="-".join)
def test_classifiers_as_well(layers, small):
    X, y = small
    wrap = {
        "pruned": lambda inner: PrunedClassifier(inner, n_nonzero=3),
        "quantized": lambda inner: QuantizedClassifier(inner, bits=4),
        "distilled": lambda inner: DistilledClassifier(inner, teacher=LogisticRegression(), alpha=1.0, cv=2),
    }
    model = LogisticRegression()
    for name in reversed(layers):
        model = wrap[name](model)
    if layers.count("distilled") > 1:
        with pytest.raises(ValueError, match="would distil twice"):
            model.fit(X, y > 2)
        return
    says_what_it_predicts(model.fit(X, y > 2))


class Counted(TransformerMixin, BaseEstimator):
    """Passes X on and remembers how many rows each fit had."""

    fits: list = []  # noqa: RUF012 - shared by clones on purpose

    def fit(self, X, y=None):
        Counted.fits.append(len(X))
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


class TestRefusals:
    @pytest.mark.parametrize(
        ("student", "told"),
        [
            (
                TransformedTargetRegressor(PrunedRegressor()),
                "put PrunedRegressor around the TransformedTargetRegressor",
            ),
            (RANSACRegressor(QuantizedRegressor(), min_samples=9), "put QuantizedRegressor around the RANSACRegressor"),
            (GridSearchCV(PrunedRegressor(), {"n_nonzero": [2]}), "put PrunedRegressor around the GridSearchCV"),
            (make_pipeline(Counted(), GridSearchCV(PrunedRegressor(), {})), "around the GridSearchCV"),
            (
                QuantizedRegressor(TransformedTargetRegressor(PrunedRegressor())),
                "around the TransformedTargetRegressor",
            ),
            (DistilledRegressor(), "around DistilledRegressor would distil twice"),
            (PrunedRegressor(DistilledRegressor()), "would distil twice"),
            (make_pipeline(Counted(), PrunedRegressor(DistilledRegressor())), "would distil twice"),
            (GridSearchCV(DistilledRegressor(), {}), "would distil twice"),
            (CompressedRegressorCV(), "CompressedRegressorCV cannot be distilled: put DistilledRegressor inside it"),
            (make_pipeline(Counted(), CompressedRegressorCV()), "CompressedRegressorCV cannot be distilled"),
        ],
        ids=str,
    )
    def test_before_anything_is_fitted(self, student, told, small):
        Counted.fits.clear()
        with pytest.raises(ValueError, match=told):
            DistilledRegressor(student, teacher=make_pipeline(Counted(), Ridge())).fit(*small)
        assert Counted.fits == []

    def test_a_frozen_compressed_student(self, small):
        pruned = PrunedRegressor(Ridge(), n_nonzero=2).fit(*small)
        with pytest.raises(ValueError, match="put PrunedRegressor around the FrozenEstimator"):
            DistilledRegressor(FrozenEstimator(pruned), teacher=TREE).fit(*small)

    def test_inner_parameters_are_checked_before_anything_is_fitted(self, small):
        Counted.fits.clear()
        nest = QuantizedRegressor(make_pipeline(Counted(), PrunedRegressor(Ridge(), n_nonzero=-1)), bits=4)
        with pytest.raises(ValueError, match="n_nonzero=-1"):
            nest.fit(*small)
        assert Counted.fits == []


class TestDistillingBelowPipelines:
    @pytest.mark.parametrize("alpha", [1.0, "auto"])
    @pytest.mark.parametrize(
        "wrap",
        [
            lambda base: make_pipeline(StandardScaler(), PrunedRegressor(base, n_nonzero=3)),
            lambda base: QuantizedRegressor(make_pipeline(StandardScaler(), PrunedRegressor(base, n_nonzero=3))),
            lambda base: PrunedRegressor(make_pipeline(StandardScaler(), QuantizedRegressor(base)), n_nonzero=3),
        ],
    )
    def test_the_base_is_that_of_the_plain_pipeline(self, wrap, alpha, few_labels):
        X, y, more, _, _, teacher = few_labels
        options = {"teacher": teacher, "alpha": alpha, "cv": 4}
        model = DistilledRegressor(wrap(Ridge(1.0)), **options).fit(X, y, X_unlabeled=more)
        plain = DistilledRegressor(make_pipeline(StandardScaler(), Ridge(1.0)), **options)
        plain.fit(X, y, X_unlabeled=more)
        assert model.alpha_ == plain.alpha_ > 0
        np.testing.assert_array_equal(model.base_coef_, plain.coef_)
        assert np.count_nonzero(model.coef_) == 3

    def test_transformers_are_fitted_within_each_fold(self, small):
        Counted.fits.clear()
        student = make_pipeline(Counted(), PrunedRegressor(Ridge(), n_nonzero=3))
        DistilledRegressor(student, teacher=Ridge(3.0), alpha="auto", cv=4).fit(*small)
        assert sorted(Counted.fits) == [45, 45, 45, 45, 60]


class TestPipelinesBetween:
    def test_names_are_those_of_what_the_wrapper_reads(self, small):
        """The squares are made inside the wrapper, which knows the scaled columns as x0, x1, ... or by their names."""
        X, y = small
        squares = make_pipeline(PolynomialFeatures(2, include_bias=False), Ridge())
        inner = PrunedRegressor(squares, n_nonzero=7, keep=["x3"])
        nest = QuantizedRegressor(make_pipeline(StandardScaler(), inner), bits=8).fit(X, y)
        alone = clone(inner).fit(StandardScaler().fit_transform(X), y)
        np.testing.assert_array_equal(nest.estimator_[-1].support_, alone.support_ & (nest.coef_ != 0))
        frame = pd.DataFrame(X, columns=list("abcde"))
        scaler = StandardScaler().set_output(transform="pandas")
        named = QuantizedRegressor(make_pipeline(scaler, clone(inner).set_params(keep=["d"])), bits=8).fit(frame, y)
        np.testing.assert_allclose(named.coef_, nest.coef_, rtol=1e-12)
        with pytest.raises(ValueError, match=r"keep names 'x3', which is no column: the columns are 'a'"):
            clone(named).set_params(estimator__prunedregressor__keep=["x3"]).fit(frame, y)

    @pytest.mark.parametrize("routing", [False, True])
    def test_weights_reach_the_base_under_the_names_of_the_nest(self, routing, small):
        X, y = small
        weight = np.random.default_rng(0).uniform(0.1, 3, 60)
        Z = MaxAbsScaler().fit_transform(X)
        inner = PrunedRegressor(make_pipeline(MaxAbsScaler(), Ridge(0.1)), n_nonzero=3)
        alone = QuantizedRegressor(PrunedRegressor(Ridge(0.1), n_nonzero=3), bits=4)
        alone.fit(MaxAbsScaler().fit_transform(Z), y, sample_weight=weight)
        with sklearn.config_context(enable_metadata_routing=routing):
            if routing:
                inner.estimator[-1].set_fit_request(sample_weight=True)
            nest = QuantizedRegressor(make_pipeline(MaxAbsScaler(), inner), bits=4)
            np.testing.assert_allclose(nest.fit(X, y, sample_weight=weight).coef_, alone.coef_, rtol=1e-12)
            if not routing:
                named = clone(nest).fit(X, y, prunedregressor__sample_weight=weight)
                np.testing.assert_allclose(named.coef_, nest.coef_, rtol=1e-12)

    def test_the_memory_of_a_pipeline_covers_its_transformers(self, small, tmp_path):
        Counted.fits.clear()
        pipeline = make_pipeline(Counted(), PrunedRegressor(Ridge(), n_nonzero=3), memory=str(tmp_path))
        for bits in (4, 3):
            QuantizedRegressor(pipeline, bits=bits).fit(*small)
        assert Counted.fits == [60]

    def test_inner_wrappers_know_the_range_of_what_they_read(self, small):
        X, y = small
        nest = QuantizedRegressor(make_pipeline(StandardScaler(), PrunedRegressor(Ridge(), n_nonzero=3)), bits=4)
        nest.fit(X, y)
        Z = StandardScaler().fit_transform(X)
        np.testing.assert_array_equal(nest.input_range_, [X.min(axis=0), X.max(axis=0)])
        np.testing.assert_allclose(nest.estimator_[-1].input_range_, [Z.min(axis=0), Z.max(axis=0)], atol=1e-14)

    def test_the_users_estimators_stay_unfitted(self, small):
        pruned = PrunedRegressor(Ridge(), n_nonzero=3)
        pipeline = make_pipeline(StandardScaler(), pruned)
        nest = QuantizedRegressor(pipeline, bits=4).fit(*small)
        assert pipeline[-1] is pruned
        assert not hasattr(pruned, "estimator_")
        assert not hasattr(pipeline[0], "scale_")
        assert nest.estimator is pipeline


class TestWhatIsSaid:
    def test_each_step_has_a_row(self, small):
        model = QuantizedRegressor(PrunedRegressor(Ridge(0.01), n_nonzero=3), bits=2).fit(*small)
        pruned = PrunedRegressor(Ridge(0.01), n_nonzero=3).fit(*small)
        steps = model.steps_
        assert steps["step"].tolist() == ["Ridge", "PrunedRegressor", "QuantizedRegressor"]
        assert steps["weights"].tolist() == [5, 3, model.n_nonzero_]
        assert steps["bits"].tolist() == [64, 64, 2]
        assert steps["loss_increase"].tolist() == [0.0, pruned.loss_increase_, model.loss_increase_]
        assert steps["prediction_change"].tolist() == [0.0, pruned.prediction_change_, model.prediction_change_]
        assert pruned.loss_increase_ < model.estimator_.loss_increase_

    def test_steps_inside_a_container_are_in_the_list(self, small):
        target = TransformedTargetRegressor(
            PrunedRegressor(Ridge(), n_nonzero=3), func=np.arcsinh, inverse_func=np.sinh
        )
        model = QuantizedRegressor(target, bits=3).fit(*small)
        assert model.steps_["step"].tolist() == ["Ridge", "PrunedRegressor", "QuantizedRegressor"]

    def test_a_frozen_model_is_where_the_steps_begin(self, small):
        X, y = small
        frozen = FrozenEstimator(PrunedRegressor(Ridge(), n_nonzero=3).fit(X, y))
        model = QuantizedRegressor(frozen, bits=3).fit(X)
        assert model.steps_["step"].tolist() == ["Ridge", "QuantizedRegressor"]
        inside = model.estimator_.estimator
        assert inside.n_nonzero_ == model.n_nonzero_
        assert not hasattr(inside, "loss_increase_"), "what it has lost is known of its own training rows alone"
        assert frozen.estimator.loss_increase_ > 0, "the user's model is as it was"

    def test_distilling_is_the_fit_of_the_base(self, small):
        model = WRAPPERS["distilled"](WRAPPERS["pruned"](Ridge())).fit(*small)
        assert model.steps_["step"].tolist() == ["DistilledRegressor", "PrunedRegressor"]

    def test_codes_on_a_grid_that_another_wrapper_has_replaced_are_an_error(self, small):
        model = QuantizedRegressor(QuantizedRegressor(Ridge(), input_bits=6), bits=3).fit(*small)
        with pytest.raises(AttributeError, match="a wrapper around it has put its weights on another grid"):
            _ = model.estimator_.codes_
        assert not hasattr(model.estimator_, "input_scale_")
        again = pickle.loads(pickle.dumps(model))
        assert not hasattr(again.estimator_, "codes_")
        np.testing.assert_array_equal(again.codes_, model.codes_)

    def test_the_list_is_the_same_whoever_fits_it(self, small):
        X, y = small
        inner = PrunedRegressor(Ridge(), n_nonzero=3)
        search = CompressedRegressorCV(QuantizedRegressor(inner), n_nonzero=[3], bits=[4], cv=3).fit(X, y)
        alone = QuantizedRegressor(inner, bits=4).fit(X, y)
        assert search.steps_.equals(alone.steps_)
        np.testing.assert_array_equal(search.coef_, alone.coef_)
        says_what_it_predicts(search)
        stability = selection_stability(inner, X, y, n_boot=3)
        assert stability.features["kept"].tolist() == inner.fit(X, y).support_.tolist()

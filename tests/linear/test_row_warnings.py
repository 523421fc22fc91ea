"""Frozen models on rows that say nothing about some of their weights."""

import warnings
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress import DistilledRegressor, PrunedRegressor, QuantizedClassifier, QuantizedRegressor, compact

NAMES = ["a", "b", "c", "d", "e"]
WEIGHTS = np.array([1.237, 2.618, 3.09, 4.011, 5.31])
RNG = np.random.default_rng(0)
TRAIN = pd.DataFrame(RNG.standard_normal((200, 5)), columns=NAMES)
Y = TRAIN.to_numpy() @ WEIGHTS + 1
ROWS = TRAIN.assign(d=0.0, e=0.1)


def frozen(model=None):
    return FrozenEstimator((LinearRegression() if model is None else model).fit(TRAIN, Y))


@pytest.mark.parametrize("options", [{}, {"bits": 4}, {"grid": "affine"}, {"granularity": "feature"}, {"scale": "max"}])
def test_quantizing_keeps_the_weights_of_columns_that_are_constant(options):
    model = QuantizedRegressor(frozen(), **options).fit(ROWS)
    step = np.max(model.scale_)
    np.testing.assert_allclose(model.coef_, WEIGHTS, atol=step)
    assert model.score(TRAIN, Y) > 0.99


def test_so_do_frozen_pipelines_sparse_rows_and_classifiers():
    scaled = frozen(make_pipeline(StandardScaler(), Ridge(1e-6)))
    assert QuantizedRegressor(scaled, bits=6).fit(ROWS).score(TRAIN, Y) > 0.99
    sparse = FrozenEstimator(LinearRegression().fit(TRAIN.to_numpy(), Y))
    assert QuantizedRegressor(sparse).fit(sp.csr_array(ROWS.to_numpy())).score(TRAIN.to_numpy(), Y) > 0.99
    label = np.where(Y > 1, "high", "low")
    classifier = LogisticRegression(C=100).fit(TRAIN, label)
    model = QuantizedClassifier(FrozenEstimator(classifier), bits=4).fit(ROWS)
    assert np.mean(model.predict(TRAIN) == classifier.predict(TRAIN)) > 0.95


def test_with_integer_inputs_the_step_of_a_constant_column_suits_its_weight():
    model = QuantizedRegressor(frozen(), bits=8, input_bits=8).fit(ROWS)
    np.testing.assert_allclose(model.coef_, WEIGHTS, rtol=0.02)
    np.testing.assert_allclose(model.predict(ROWS), compact(model).predict(ROWS))


def test_a_grid_that_cannot_hold_such_a_weight_says_so_by_name():
    far = LinearRegression().fit(TRAIN, TRAIN @ np.array([1.2, 2.3, 3.4, 4.1, 50.0]))
    with pytest.warns(UserWarning, match=r"the weight of 'e' is rounded from 50 to .*granularity='feature'"):
        QuantizedRegressor(FrozenEstimator(far), bits=4, granularity="output").fit(ROWS)
    model = QuantizedRegressor(FrozenEstimator(far), bits=4).fit(ROWS)
    assert model.coef_[4] == pytest.approx(50, rel=0.1)


def test_pruning_such_a_weight_warns_with_its_name():
    with pytest.warns(UserWarning, match=r"pruning drops 'd', 'e', which these rows say nothing about"):
        PrunedRegressor(frozen(), n_nonzero=3).fit(ROWS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept = PrunedRegressor(frozen(), n_nonzero=4, keep=["d", "e"]).fit(ROWS)
        PrunedRegressor(frozen(), n_nonzero=3).fit(TRAIN)
        PrunedRegressor(LinearRegression(), n_nonzero=2).fit(ROWS, Y)
    np.testing.assert_allclose(kept.coef_[[3, 4]], WEIGHTS[[3, 4]])


def test_pruned_and_quantized_keeps_what_is_kept():
    model = QuantizedRegressor(PrunedRegressor(frozen(), n_nonzero=4, keep=["d", "e"]), bits=6).fit(ROWS)
    np.testing.assert_allclose(model.coef_[[3, 4]], WEIGHTS[[3, 4]], rtol=0.05)


@pytest.mark.parametrize(
    "options",
    [{"rounding": "exact"}, {"rounding": "joint"}, {"granularity": "feature"}, {"grid": "affine"}, {"bits": 6}],
)
@pytest.mark.parametrize("times", [1.0, 3.0])
def test_quantizing_does_not_move_weight_between_columns_that_are_multiples_of_one_another(options, times):
    rows = TRAIN.assign(b=TRAIN["a"], e=times * TRAIN["d"])
    model = QuantizedRegressor(frozen(), **options).fit(rows)
    np.testing.assert_allclose(model.coef_, WEIGHTS, atol=1.5 * np.max(model.scale_))
    assert model.score(TRAIN, Y) > 0.99


@pytest.mark.parametrize("rows", [ROWS, TRAIN.assign(b=TRAIN["a"], e=3 * TRAIN["d"])], ids=["constant", "dependent"])
def test_a_distilled_model_keeps_its_weights_on_such_rows_too(rows):
    model = DistilledRegressor(Ridge(1e-6), teacher=frozen(), alpha=1).fit(TRAIN, Y)
    rounded = QuantizedRegressor(FrozenEstimator(model)).fit(rows)
    np.testing.assert_allclose(rounded.coef_, WEIGHTS, atol=np.max(rounded.scale_))


@pytest.mark.parametrize("rows", [ROWS, TRAIN.assign(b=TRAIN["a"], e=3 * TRAIN["d"])], ids=["constant", "dependent"])
@pytest.mark.parametrize("bits", [6, 8])
def test_a_distilled_student_keeps_what_it_learned_from_unlabelled_rows(rows, bits):
    """The labelled rows say nothing about some weights; the unlabelled ones do, by the teacher's predictions."""
    student = QuantizedRegressor(Ridge(1e-6), bits=bits)
    options = {"teacher": frozen(), "alpha": 1, "debias": False, "cv": "in_sample"}
    model = DistilledRegressor(student, **options).fit(rows, rows @ WEIGHTS + 1, X_unlabeled=TRAIN[:150])
    np.testing.assert_allclose(model.coef_, WEIGHTS, rtol=0.1)
    assert model.score(TRAIN, Y) > 0.99
    with pytest.warns(UserWarning, match="which these rows say nothing about") if rows is ROWS else nullcontext():
        pruned = DistilledRegressor(PrunedRegressor(Ridge(1e-6), n_nonzero=3), **options)
        pruned.fit(rows, rows @ WEIGHTS + 1, X_unlabeled=TRAIN[:150])


def test_few_rows_do_not_lead_the_weights_of_a_frozen_model_astray(monkeypatch):
    """With fewer rows than columns there are directions that no row sees; the grid does not use them."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((400, 40))
    base = Ridge().fit(X, X @ rng.standard_normal(40))

    def change():
        model = QuantizedRegressor(FrozenEstimator(base), bits=6).fit(X[:30])
        return np.var(model.predict(X) - base.predict(X)) / np.var(base.predict(X))

    held = change()
    monkeypatch.setattr("skcompress.linear.problem.HOLD", 0.0)
    assert held < 0.3 * change()

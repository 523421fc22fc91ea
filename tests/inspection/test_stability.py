"""Selection stability: samples against refits on weighted rows, and what the tables say."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import PrunedClassifier, PrunedRegressor, selection_stability

FRAME, TARGET = load_diabetes(return_X_y=True, as_frame=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"n_nonzero": 3},
        {},
        {"max_loss": 0.05},
        {"n_nonzero": 4, "importance": "l1", "refit": None},
        {"n_nonzero": 3, "keep": ["age"]},
        {"n_nonzero": 2, "feature_groups": [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]},
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_single_rows_give_the_supports_of_refits_with_the_counts_as_weights(options, weighted):
    weight = np.random.default_rng(0).uniform(0.5, 2, len(TARGET)) if weighted else None
    model = PrunedRegressor(Ridge(0.01), **options)
    stability = selection_stability(model, FRAME, TARGET, n_boot=6, sample_weight=weight, random_state=5)
    assert stability.method == "moments"
    rng = np.random.RandomState(5)
    counts = rng.multinomial(len(TARGET), np.full(len(TARGET), 1 / len(TARGET)), size=6)
    for sample, count in zip(stability.samples, counts, strict=True):
        own = count * (1.0 if weight is None else weight)
        refit = clone(model).fit(FRAME[count > 0], TARGET[count > 0], sample_weight=own[count > 0])
        np.testing.assert_array_equal(sample[0], refit.support_)


def test_tables_are_about_the_samples_and_the_fit_on_all_rows():
    model = PrunedRegressor(n_nonzero=4).fit(FRAME, TARGET)
    stability = selection_stability(model, FRAME, TARGET, n_boot=50)
    features, supports = stability.features, stability.supports
    assert list(features.index) == list(FRAME.columns)
    np.testing.assert_array_equal(features["kept"], model.support_)
    np.testing.assert_allclose(features["frequency"], stability.samples[:, 0].mean(axis=0))
    assert features["frequency"].sum() == pytest.approx(4)
    assert features["substitute"].notna().tolist() == model.support_.tolist()
    assert not set(features["substitute"].dropna()) & set(features.index[features["kept"]])
    assert supports["frequency"].sum() == pytest.approx(1)
    assert supports["chosen"].sum() == 1
    full = LinearRegression().fit(FRAME, TARGET).score(FRAME, TARGET)
    for names, loss in zip(supports["features"], supports["loss"], strict=True):
        part = FRAME[names]
        assert loss == pytest.approx(full - LinearRegression().fit(part, TARGET).score(part, TARGET), abs=1e-10)
    moved = features[features["kept"]].iloc[0]
    swapped = [n for n in FRAME.columns[model.support_] if n != moved.name] + [moved["substitute"]]
    score = LinearRegression().fit(FRAME[swapped], TARGET).score(FRAME[swapped], TARGET)
    assert moved["cost"] == pytest.approx(model.score(FRAME, TARGET) - score, abs=1e-10)
    assert "50 samples by moments" in repr(stability)
    assert "bmi" in repr(stability)


def test_exact_duplicates_share_their_frequency():
    twice = FRAME.assign(again=FRAME["bmi"])
    features = selection_stability(PrunedRegressor(n_nonzero=3), twice, TARGET, n_boot=60).features
    both = features.loc[["bmi", "again"], "frequency"]
    assert both.sum() == pytest.approx(1)
    assert both.min() > 0.25
    assert features.loc["bmi", "substitute"] == "again"
    assert features.loc["bmi", "cost"] == pytest.approx(0, abs=1e-10)


def test_the_seed_decides_the_samples():
    model = PrunedRegressor(n_nonzero=4)
    one, same, other = (
        selection_stability(model, FRAME, TARGET, n_boot=30, random_state=seed).samples for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert not hasattr(model, "coef_")


@pytest.mark.slow
def test_frequencies_of_blocks_are_near_those_of_rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4000, 8))
    y = X @ np.linspace(0.04, 0.06, 8) + rng.standard_normal(4000)
    model = PrunedRegressor(n_nonzero=4)
    by_blocks = selection_stability(model, X, y, n_boot=400)
    rows = np.random.RandomState(0).randint(4000, size=(60, 4000))
    by_rows = np.mean([clone(model).fit(X[some], y[some]).support_ for some in rows], axis=0)
    np.testing.assert_allclose(by_blocks.features["frequency"], by_rows, atol=0.2)
    assert by_blocks.features.index[0] == "x0"


@pytest.mark.parametrize("base", [Lasso(0.05), LinearRegression(positive=True), PrunedRegressor(n_nonzero=6)])
def test_bases_that_choose_for_themselves_are_refitted(base):
    stability = selection_stability(PrunedRegressor(base, n_nonzero=2), FRAME, TARGET, n_boot=3)
    assert stability.method == "refits"
    assert (stability.samples.sum(axis=2) == 2).all()


def test_other_losses_are_refitted(counts):
    X, y = counts
    model = PrunedRegressor(PoissonRegressor(alpha=0), n_nonzero=2)
    stability = selection_stability(model, X, y, n_boot=5, random_state=0)
    rng = np.random.RandomState(0)
    for sample in stability.samples:
        rows = np.sort(rng.randint(300, size=300))
        np.testing.assert_array_equal(sample[0], clone(model).fit(X[rows], y[rows]).support_)


def test_samples_of_a_classifier_have_its_classes():
    X, y = load_breast_cancer(return_X_y=True)
    rare = np.concatenate([np.flatnonzero(y == 0)[:3], np.flatnonzero(y == 1)[:60]])
    model = make_pipeline(StandardScaler(), PrunedClassifier(LogisticRegression(), n_nonzero=2))
    stability = selection_stability(model, X[rare], y[rare], n_boot=4)
    assert (stability.samples.sum(axis=2) == 2).all()


def test_a_frozen_model_is_refitted_as_it_is():
    base = FrozenEstimator(LinearRegression().fit(FRAME, TARGET))
    stability = selection_stability(PrunedRegressor(base, n_nonzero=3), FRAME, TARGET, n_boot=3)
    assert stability.method == "refits"
    assert (stability.samples.sum(axis=2) == 3).all()


@pytest.mark.parametrize("outside", [False, True])
def test_names_and_inputs_of_pipelines(outside):
    frame = pd.DataFrame({"size": np.arange(60.0) % 7, "town": list("abc") * 20, "age": np.arange(60.0) ** 2 % 11})
    y = frame["size"] + 3 * (frame["town"] == "b") + np.sin(np.arange(60))
    columns = make_column_transformer((StandardScaler(), ["size", "age"]), (OneHotEncoder(), ["town"]))
    if outside:
        model = make_pipeline(columns, PrunedRegressor(Ridge(), n_nonzero=2))
    else:
        model = PrunedRegressor(make_pipeline(columns, Ridge()), n_nonzero=2, feature_groups="input", keep=["age"])
    stability = selection_stability(model, frame, y, n_boot=20)
    features = stability.features
    assert stability.method == "moments"
    assert list(features.index) == [*columns.fit(frame).get_feature_names_out()]
    assert features.loc["standardscaler__size", "frequency"] == (1.0 if outside else features["frequency"].iloc[0])
    if not outside:
        assert features.loc["standardscaler__age", "frequency"] == 1.0
        towns = stability.samples[:, 0, 2:]
        assert (towns == towns[:, :1]).all()
        assert features["substitute"].isna().all()


def test_a_level_that_a_sample_lacks_is_not_kept_in_it():
    frame = pd.DataFrame({"town": ["a"] * 30 + ["b"] * 29 + ["c"]})
    y = np.random.default_rng(0).poisson(np.where(frame["town"] == "b", 3.0, 1.0))
    encoder = make_column_transformer((OneHotEncoder(), ["town"]))
    model = PrunedRegressor(make_pipeline(encoder, PoissonRegressor()), n_nonzero=1)
    stability = selection_stability(model, frame, y, n_boot=12, random_state=0)
    assert stability.method == "refits"
    assert stability.samples.shape == (12, 1, 3)
    assert (stability.samples.sum(axis=2) == 1).all()


def test_outputs_are_told_apart(two_outputs):
    X, Y = two_outputs
    stability = selection_stability(PrunedRegressor(n_nonzero=2), X, Y, n_boot=20)
    assert stability.features.index.names == ["output", "feature"]
    assert stability.features.shape == (10, 4)
    np.testing.assert_allclose(stability.features.groupby("output")["frequency"].sum(), 2)
    assert all(len(names) == 4 for names in stability.supports["features"])


def test_keep_names_the_columns_that_the_wrapper_sees():
    columns = make_column_transformer((StandardScaler(), ["age", "sex", "bmi", "s5"]))
    model = make_pipeline(columns, PrunedRegressor(Ridge(), n_nonzero=2, keep=["x1"]))
    features = selection_stability(model, FRAME, TARGET, n_boot=10).features
    assert features.loc["standardscaler__sex", "frequency"] == 1.0
    assert features["kept"].tolist() == model.fit(FRAME, TARGET)[-1].support_.tolist()


@pytest.mark.parametrize("n_boot", [0, 2.5, True])
def test_the_number_of_samples_is_checked(n_boot):
    with pytest.raises(ValueError, match="n_boot"):
        selection_stability(PrunedRegressor(n_nonzero=2), FRAME, TARGET, n_boot=n_boot)


def test_what_does_not_prune_is_refused():
    with pytest.raises(TypeError, match="Ridge"):
        selection_stability(Ridge(), FRAME, TARGET)

"""compression_report: models side by side."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from skcompress import (
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedRegressor,
    compact,
    compression_report,
    neg_inputs_scorer,
    neg_nonzero_scorer,
    neg_size_scorer,
    size_bytes,
)

COLUMNS = ["score", "inputs", "weights", "bits", "bytes", "row_us", "batch_ms"]
SIZE_SCORERS = [neg_size_scorer, neg_inputs_scorer, neg_nonzero_scorer]


def test_all_kinds_of_models_stand_side_by_side(diabetes):
    X, y = diabetes
    base = make_pipeline(StandardScaler(), Ridge()).fit(X, y)
    pruned = PrunedRegressor(base, n_nonzero=4).fit(X, y)
    quantized = QuantizedRegressor(pruned, bits=4).fit(X, y)
    distilled = DistilledRegressor(quantized, teacher=FrozenEstimator(base), alpha=0.5).fit(X, y)
    models = {"base": base, "pruned": pruned, "quantized": quantized, "distilled": distilled}
    models["compact"] = quantized.compact_
    report = compression_report(models, X, y)
    assert report.index.tolist() == list(models)
    assert report.columns.tolist() == COLUMNS
    assert report["weights"].tolist() == [10, 4, 4, 4, 4]
    assert report["inputs"].tolist() == [10, 4, 4, 4, 4]
    assert report["bits"].tolist() == [64, 64, 4, 4, 4]
    assert report["bytes"].tolist() == [size_bytes(compact(model)) for model in models.values()]
    np.testing.assert_allclose(report["score"], [r2_score(y, m.predict(X)) for m in models.values()], rtol=1e-9)
    assert (report[["row_us", "batch_ms"]] > 0).all(axis=None)


def test_names_are_those_of_the_classes_unless_they_are_given(small):
    X, y = small
    models = [Ridge().fit(X, y), PrunedRegressor(n_nonzero=2).fit(X, y), Ridge(5).fit(X, y)]
    assert compression_report(models, X, y).index.tolist() == ["Ridge", "PrunedRegressor", "Ridge 3"]
    assert compression_report(models[0], X, y).index.tolist() == ["Ridge"]


def test_classifiers_are_scored_by_accuracy_or_as_asked(small):
    X, y = small[0], small[1] > np.median(small[1])
    base = LogisticRegression().fit(X, y)
    pruned = PrunedClassifier(base, n_nonzero=2).fit(X, y)
    models = {"base": base, "pruned": pruned, "compact": pruned.compact_}
    plain = compression_report(models, X, y)
    assert plain["score"].tolist() == [accuracy_score(y, model.predict(X)) for model in models.values()]
    asked = compression_report(models, X, y, scoring="roc_auc")["score"]
    assert asked["pruned"] == pytest.approx(roc_auc_score(y, pruned.decision_function(X)))
    assert asked["compact"] == pytest.approx(asked["pruned"])


def name_of(scoring):
    return scoring if isinstance(scoring, str) else scoring.__name__


@pytest.mark.parametrize("labels", [["no", "yes"], [0, 1], [0, 1, 2]], ids=str)
@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc_ovr", "f1_macro", *SIZE_SCORERS], ids=name_of)
def test_what_ships_is_scored_as_the_wrapper_is(small, labels, scoring):
    X = small[0]
    y = np.array(labels)[np.arange(len(X)) % len(labels)]
    pruned = PrunedClassifier(LogisticRegression(), n_nonzero=2).fit(X, y)
    scores = compression_report([pruned, pruned.compact_], X, y, scoring=scoring)["score"]
    assert np.isfinite(scores).all()
    assert scores.iloc[1] == pytest.approx(scores.iloc[0], rel=1e-9)


@pytest.mark.parametrize("scoring", ["neg_mean_poisson_deviance", *SIZE_SCORERS], ids=name_of)
def test_what_ships_of_a_regressor_is_scored_as_the_wrapper_is(small, scoring):
    X, y = small
    pruned = PrunedRegressor(PoissonRegressor(), n_nonzero=2).fit(X, y - y.min())
    scores = compression_report([pruned, pruned.compact_], X, y - y.min() + 0.1, scoring=scoring)["score"]
    assert scores.iloc[1] == pytest.approx(scores.iloc[0], rel=1e-9)


def test_weights_of_rows_count(small):
    X, y = small
    weight = np.linspace(0, 2, len(y))
    base = Ridge().fit(X, y)
    found = compression_report(base, X, y, sample_weight=weight)["score"].iloc[0]
    assert found == pytest.approx(r2_score(y, base.predict(X), sample_weight=weight))


def test_what_cannot_be_folded_is_told_as_far_as_it_is_known(small):
    X, y = small
    odd = make_pipeline(QuantileTransformer(n_quantiles=9), LinearRegression()).fit(X, y)
    boosted = HistGradientBoostingRegressor(max_iter=3).fit(X, y)
    report = compression_report({"odd": odd, "boosted": boosted}, X, y)
    assert report.loc["odd", ["inputs", "weights", "bits"]].tolist() == [5, 5, 64]
    assert report.loc["boosted", "inputs"] == 5
    assert report["bytes"].isna().all()
    assert np.isnan(report.loc["boosted", "weights"])

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import BayesianRidge, LassoCV, LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress import (
    CompressedClassifierCV,
    CompressedRegressorCV,
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedRegressor,
    ScorecardClassifier,
    __version__,
    strip_training_state,
)

X, Y = load_diabetes(return_X_y=True)
CELLS, TUMOUR = load_breast_cancer(return_X_y=True)
MIXED = pd.DataFrame(CELLS[:, :3], columns=list("abc")).assign(site=np.where(CELLS[:, 0] > 14, "left", None))
SCALED = make_pipeline(StandardScaler(), Ridge())


def fitted():
    yield "pruned", PrunedRegressor(n_nonzero=4).fit(X, Y)
    yield "both", QuantizedRegressor(PrunedRegressor(BayesianRidge(), n_nonzero=4), bits=4).fit(X, Y)
    yield "integer inputs", QuantizedRegressor(SCALED, bits=4, input_bits=8).fit(X, Y)
    yield "distilled", DistilledRegressor(teacher=LinearRegression()).fit(X, Y)
    yield "search", CompressedRegressorCV(Ridge(), bits=(8, 3)).fit(X, Y)
    yield "frozen", PrunedRegressor(FrozenEstimator(Ridge().fit(X, Y)), n_nonzero=3).fit(X)
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    yield "classifier", PrunedClassifier(scaled, n_nonzero=4).fit(CELLS, TUMOUR)
    yield "card", ScorecardClassifier(n_lines=3).fit(MIXED, TUMOUR)
    yield "classifier search", CompressedClassifierCV(scaled, n_nonzero=[2, 4], bits=(None, 4), cv=3).fit(CELLS, TUMOUR)
    yield "in a pipeline", make_pipeline(StandardScaler(), PrunedRegressor(LassoCV(), n_nonzero=3)).fit(X, Y)


MODELS = dict(fitted())


def rows_of(model):
    if getattr(model, "feature_names_in_", None) is not None:
        return MIXED
    return CELLS if model.n_features_in_ == CELLS.shape[1] else X


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("make", [lambda m: m, strip_training_state], ids=["whole", "stripped"])
def test_pickles_and_joblib_keep_the_model(name, make, tmp_path):
    model = MODELS[name]
    rows = rows_of(model)
    small = make(model)
    joblib.dump(small, tmp_path / "model.joblib")
    for again in (pickle.loads(pickle.dumps(small)), joblib.load(tmp_path / "model.joblib"), copy.deepcopy(small)):
        assert np.array_equal(again.predict(rows), model.predict(rows))
        assert again.get_params().keys() == model.get_params().keys()
        if hasattr(model, "compact_"):
            assert again.compact_.model_id == model.compact_.model_id


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("make", [lambda m: m, strip_training_state], ids=["whole", "stripped"])
def test_skops_needs_to_trust_our_own_types_alone(name, make):
    skops_io = pytest.importorskip("skops.io")
    model = make(MODELS[name])
    data = skops_io.dumps(model)
    trusted = skops_io.get_untrusted_types(data=data)
    # A search keeps the scorer of scikit-learn, of which skops wants to be told in a GridSearchCV too.
    scorers = "sklearn.metrics._scorer."
    assert all(
        kind.startswith("skcompress." if make is strip_training_state else ("skcompress.", scorers)) for kind in trusted
    )
    again, rows = skops_io.loads(data, trusted=trusted), rows_of(model)
    assert np.array_equal(again.predict(rows), model.predict(rows))
    for table in {"frontier_", "points_table_", "neutral_points_"}.intersection(dir(model)):
        if hasattr(model, table):
            assert getattr(again, table).equals(getattr(model, table))


def test_a_stripped_search_has_no_frontier():
    assert len(MODELS["search"].frontier_)
    assert not hasattr(strip_training_state(MODELS["search"]), "frontier_")
    assert not hasattr(CompressedRegressorCV(), "frontier_")


def test_stripping_takes_searches_and_scorecards():
    search = GridSearchCV(PrunedRegressor(Ridge()), {"n_nonzero": [2, 4]}).fit(X, Y)
    small = strip_training_state(search)
    assert not hasattr(small, "cv_results_")
    assert np.array_equal(small.predict(X), search.predict(X))
    card = ScorecardClassifier(n_lines=3).fit(CELLS[:, :3], TUMOUR)
    assert np.array_equal(strip_training_state(card).predict(CELLS[:, :3]), card.predict(CELLS[:, :3]))


def test_stripping_leaves_the_original_alone_and_can_be_fitted_again():
    model = QuantizedRegressor(PrunedRegressor(BayesianRidge(), n_nonzero=4), bits=4).fit(X, Y)
    before = pickle.dumps(model)
    small = strip_training_state(model)
    assert pickle.dumps(model) == before
    assert not hasattr(small.estimator_, "path_")
    assert np.array_equal(small.fit(X, Y).predict(X), model.predict(X))


def test_stripping_drops_the_residue_of_the_base():
    wide = np.random.default_rng(0).normal(size=(150, 100))
    model = PrunedRegressor(BayesianRidge(), n_nonzero=5).fit(wide, wide[:, 0])
    assert len(pickle.dumps(model)) > 80_000
    assert len(pickle.dumps(strip_training_state(model))) < 8_000
    assert not hasattr(strip_training_state(model).estimator_, "sigma_")
    assert np.array_equal(strip_training_state(model).estimator_.predict(wide), model.predict(wide))
    with pytest.raises(TypeError, match="no coef_"):
        strip_training_state(StandardScaler().fit(wide))


@pytest.mark.parametrize(
    "model", [MODELS["both"], ScorecardClassifier(n_lines=3).fit(CELLS[:, :3], TUMOUR), PrunedRegressor()]
)
def test_a_pickle_of_another_version_warns(model):
    state = model.__getstate__()
    assert state["_skcompress_version"] == __version__
    for written in ("0.0.1", None):
        other = {**state, "_skcompress_version": written}
        if written is None:
            del other["_skcompress_version"]
        again = type(model).__new__(type(model))
        said = "0.0.1" if written else "an unknown version"
        with pytest.warns(UserWarning, match=f"{type(model).__name__} was saved by skcompress {said} and is read by"):
            again.__setstate__(other)
        assert vars(again).keys() == vars(model).keys()


def test_an_unfitted_model_cannot_be_stripped():
    with pytest.raises(NotFittedError):
        strip_training_state(PrunedRegressor())

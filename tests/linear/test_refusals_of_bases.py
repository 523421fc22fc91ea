"""What is said of bases that have no weights to write, and of columns that cost much and predict nothing."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVR, NuSVC, NuSVR
from sklearn.tree import DecisionTreeClassifier

import skcompress
from skcompress import PrunedClassifier, PrunedRegressor, QuantizedRegressor, compact

RNG = np.random.default_rng(0)
X = np.abs(RNG.standard_normal((60, 4)))
Y = X @ [1.0, 2, 3, 4]
LABELS = np.digitize(Y, np.quantile(Y, [0.5, 0.8]))

REGRESSORS = [
    (SVR(), ["SVR has kernel='rbf'", "LinearSVR", "DistilledRegressor(Ridge(), teacher=SVR"]),
    (NuSVR(kernel="linear"), ["computes its coef_", "LinearSVR"]),
    (VotingRegressor([("a", Ridge())]), ["holds several models", "each of them", "DistilledRegressor"]),
    (BaggingRegressor(Ridge(), n_estimators=2), ["no coef_ of its own", "BaggingRegressor(PrunedRegressor(Ridge()))"]),
    (BaggingRegressor(n_estimators=2), ["none of them linear (DecisionTreeRegressor)", "DistilledRegressor"]),
    (RandomForestRegressor(n_estimators=2), ["has no coef_", "Ridge", "DistilledRegressor"]),
]
CLASSIFIERS = [
    (SVC(kernel="poly"), ["SVC has kernel='poly'", "LinearSVC", "DistilledClassifier(LogisticRegression()"]),
    (NuSVC(kernel="linear", nu=0.1), ["computes its coef_", "LinearSVC"]),
    (CalibratedClassifierCV(), ["CalibratedClassifierCV(PrunedClassifier(LogisticRegression()))"]),
    (OneVsRestClassifier(LogisticRegression()), ["OneVsRestClassifier(PrunedClassifier(LogisticRegression()))"]),
    (VotingClassifier([("a", LogisticRegression())]), ["holds several models", "DistilledClassifier"]),
    (BaggingClassifier(n_estimators=2), ["none of them linear (DecisionTreeClassifier)", "DistilledClassifier"]),
    (MultinomialNB(), ["is linear in its inputs", "LogisticRegression", "DistilledClassifier"]),
    (BernoulliNB(), ["is linear in its inputs", "log probabilities"]),
    (GaussianNB(), ["has no coef_", "DistilledClassifier(LogisticRegression()"]),
    (DecisionTreeClassifier(), ["has no coef_", "use a linear base such as LogisticRegression"]),
]


@pytest.mark.parametrize(("base", "parts"), REGRESSORS + CLASSIFIERS, ids=str)
def test_the_message_says_what_is_so_and_what_to_do(base, parts):
    wrapper, y = (PrunedRegressor, Y) if (base, parts) in REGRESSORS else (PrunedClassifier, LABELS)
    with pytest.raises(TypeError) as caught:
        wrapper(base, n_nonzero=2).fit(X, y)
    assert [part for part in parts if part not in str(caught.value)] == [], str(caught.value)


def test_what_the_messages_advise_works():
    BaggingRegressor(PrunedRegressor(Ridge(), n_nonzero=2), n_estimators=2).fit(X, Y)
    OneVsRestClassifier(PrunedClassifier(LogisticRegression(), n_nonzero=2)).fit(X, LABELS)
    PrunedRegressor(LinearSVR(), n_nonzero=2).fit(X, Y)


ESTIMATORS = [name for name in skcompress.__all__ if hasattr(getattr(skcompress, name), "_get_param_names")]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_unknown_parameter_names_the_public_class(name):
    cls = getattr(skcompress, name)
    with pytest.raises(TypeError, match=rf"^{name}\.__init__\(\) got an unexpected keyword argument 'n_nonzeros'"):
        cls(n_nonzeros=3)
    model = clone(cls())
    assert pickle.loads(pickle.dumps(model)).get_params().keys() == cls().get_params().keys()


FRAME = pd.DataFrame(
    {
        "id": [f"c{place}" for place in range(400)],
        "day": pd.date_range("2020-01-01", periods=400).astype(str),
        "town": RNG.integers(0, 20, 400).astype(str),
        "size": RNG.standard_normal(400),
    }
)


@pytest.mark.parametrize("column", ["id", "day"])
@pytest.mark.parametrize("inside", ["columns", "union", "pipeline"])
def test_a_column_with_a_category_for_each_row_is_named(column, inside):
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((encoder, [column, "town"]), remainder="passthrough")
    columns = {
        "columns": columns,
        "union": FeatureUnion([("one", columns)]),
        "pipeline": make_column_transformer((make_pipeline(encoder), [column]), (StandardScaler(), ["size"])),
    }[inside]
    model = PrunedRegressor(make_pipeline(columns, Ridge()), n_nonzero=1, search="one_shot")
    with pytest.warns(UserWarning, match=rf"column '{column}' has 400 categories on 400 rows") as caught:
        model.fit(FRAME[[column, "town", "size"]], FRAME["size"])
    assert len(caught) == 1


def test_columns_with_few_or_grouped_categories_are_not():
    grouped = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5)
    columns = make_column_transformer((grouped, ["id", "town"]), remainder="passthrough")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PrunedRegressor(make_pipeline(columns, Ridge()), n_nonzero=1).fit(FRAME[["id", "town", "size"]], FRAME["size"])


def test_grouping_by_input_inside_a_pipeline_says_where_the_transformers_belong():
    columns = make_column_transformer((OneHotEncoder(), ["town"]), (StandardScaler(), ["size"]))
    outside = make_pipeline(columns, PrunedRegressor(Ridge(), n_nonzero=1, feature_groups="input"))
    with pytest.warns(UserWarning, match=r"feature_groups='input' groups nothing here.*make_pipeline\(columns, Ridge"):
        outside.fit(FRAME, FRAME["size"])
    inside = PrunedRegressor(make_pipeline(columns, Ridge()), n_nonzero=1, feature_groups="input")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inside.fit(FRAME, FRAME["size"])


def test_a_date_that_has_no_compact_form_is_named():
    frame = FRAME.assign(when=pd.Timestamp("2020-01-01"))
    columns = make_column_transformer((OneHotEncoder(), ["when"]), (StandardScaler(), ["size"]))
    model = QuantizedRegressor(make_pipeline(columns, Ridge())).fit(frame, frame["size"])
    with pytest.raises(ValueError, match=r"datetime.*it reads 'when'"):
        compact(model)

"""Every estimator on frames as they come: categories, missing values, a shuffled index, string labels, polars."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from wrapped import KNOWS_POLARS

from skcompress import (
    CompressedClassifierCV,
    CompressedRegressorCV,
    DistilledClassifier,
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
    compact,
    to_sql,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def mixed(X):
    """Two columns as categories, holes in two others and in one category, and an index of its own."""
    rng = np.random.default_rng(0)
    frame = X.copy()
    names = list(frame.columns)
    for name in names[:2]:
        frame[name] = pd.qcut(frame[name], 3, labels=["low", "mid", "high"], duplicates="drop").astype(object)
    for name in names[1:4]:
        frame.loc[rng.random(len(frame)) < 0.05, name] = None
    frame.index = rng.permutation(len(frame)) + 5000
    return frame


DIABETES = load_diabetes(return_X_y=True, as_frame=True)
CANCER = load_breast_cancer(return_X_y=True, as_frame=True)
CANCER = (CANCER[0].iloc[:250, 2:12].rename(columns=lambda name: name.replace(" ", "_")), CANCER[1][:250])
# Two bins suffice where a column has two values.
DATA = {
    "regressor": (mixed(DIABETES[0].drop(columns="sex")), DIABETES[1].to_numpy()),
    "classifier": (mixed(CANCER[0]), np.where(CANCER[1] == 1, "benign", "malignant")),
}
BASES = {"regressor": Ridge(), "classifier": LogisticRegression(C=10)}
KINDS = {
    "regressor": (
        PrunedRegressor,
        QuantizedRegressor,
        DistilledRegressor,
        CompressedRegressorCV,
        RandomForestRegressor,
    ),
    "classifier": (
        PrunedClassifier,
        QuantizedClassifier,
        DistilledClassifier,
        CompressedClassifierCV,
        RandomForestClassifier,
    ),
}


def columns_of(names, sparse=False):
    text, numbers = list(names[:2]), list(names[2:])
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=sparse)
    imputed = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return make_column_transformer((encoder, text), (imputed, numbers), sparse_threshold=1.0 if sparse else 0.0)


def model_of(name, kind, names, sparse=False):
    pruned, quantized, distilled, search, forest = KINDS[kind]
    columns, base = columns_of(names, sparse), BASES[kind]
    pipeline = make_pipeline(columns, base)
    return {
        "pruned": lambda: pruned(pipeline, n_nonzero=4, feature_groups="input"),
        "by criterion": lambda: pruned(pipeline),
        "quantized": lambda: quantized(pipeline, bits=4),
        "both": lambda: quantized(pruned(pipeline, n_nonzero=6), bits=4),
        "integers": lambda: quantized(pipeline, bits=6, input_bits=8),
        "distilled": lambda: distilled(
            make_pipeline(columns, pruned(base, n_nonzero=6)),
            teacher=make_pipeline(columns_of(names), forest(5, max_depth=3, random_state=0)),
            cv=2,
        ),
        "search": lambda: search(pipeline, n_nonzero=[2, 5], bits=[None, 4], cv=3),
    }[name]()


def check(model, X, y, kind, rtol=1e-9):
    model.fit(X, y)
    answers, shipped = model.predict(X), compact(model).predict(X)
    if kind == "classifier":
        np.testing.assert_array_equal(shipped, answers)
        assert np.mean(answers == np.asarray(y)) > 0.8
    else:
        np.testing.assert_allclose(shipped, answers, rtol=rtol)
        assert model.score(X, y) > 0.25
    assert "SELECT" in to_sql(model, "rows")


NAMES = ["pruned", "by criterion", "quantized", "both", "integers", "distilled", "search"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sparse", [False, True])
def test_a_pandas_frame(name, kind, sparse):
    X, y = DATA[kind]
    check(model_of(name, kind, X.columns, sparse), X, pd.Series(y, index=X.index), kind)


@KNOWS_POLARS
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_polars_frame(name, kind):
    X, y = DATA[kind]
    check(model_of(name, kind, X.columns), pl.from_pandas(X), pl.Series(y), kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["pruned", "quantized", "both", "search"])
@pytest.mark.parametrize("form", ["float32", "sparse"])
def test_numbers_in_single_precision_or_sparse(name, kind, form):
    X, y = DATA[kind]
    numbers = X.iloc[:, 4:].to_numpy(dtype=np.float32 if form == "float32" else np.float64)
    model = model_of(name, kind, X.columns)
    if name == "pruned":
        model.set_params(feature_groups=None)
    inner = model.estimator if name != "both" else model.estimator.estimator
    inner.set_params(columntransformer=StandardScaler(with_mean=form == "float32"))
    rows = sp.csr_array(numbers) if form == "sparse" else numbers
    model.fit(rows, y)
    # LogisticRegression of scikit-learn 1.6 has coefficients in double precision.
    assert model.coef_.dtype == clone(inner).fit(rows, y)[-1].coef_.dtype
    assert np.shape(model.predict(rows)) == (len(numbers),)

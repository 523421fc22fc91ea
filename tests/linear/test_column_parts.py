"""Parts of a ColumnTransformer, among them those that read no column and are never fitted."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import (
    CompressedClassifierCV,
    CompressedRegressorCV,
    PrunedClassifier,
    PrunedRegressor,
    compact,
    drop_unused_inputs,
    to_c,
    to_onnx,
    to_sql,
)
from skcompress.linear.lineage import column_parts

NUMBERS, PROGRESS = load_diabetes(return_X_y=True, as_frame=True)
WORDS = NUMBERS[["age", "bmi", "bp"]].apply(lambda column: pd.cut(column, 3, labels=list("abc")).astype(str))


def both_kinds():
    """The pipeline of the README: one branch is empty on a frame of one kind."""
    text, numbers = make_column_selector(dtype_exclude="number"), make_column_selector(dtype_include="number")
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    return make_column_transformer((OneHotEncoder(handle_unknown="ignore"), text), (scaled, numbers))


def with_remainder():
    text = make_column_selector(dtype_exclude="number")
    parts = [("text", OneHotEncoder(handle_unknown="ignore"), text), ("none", "passthrough", [])]
    return ColumnTransformer(parts, remainder=SimpleImputer())


COLUMNS = {
    "text is empty": (both_kinds, NUMBERS),
    "numbers are empty": (both_kinds, WORDS),
    "in a union": (lambda: FeatureUnion([("one", both_kinds()), ("two", both_kinds())]), NUMBERS),
    "with a remainder": (with_remainder, NUMBERS),
}
every_columns = pytest.mark.parametrize(("columns", "frame"), COLUMNS.values(), ids=COLUMNS)
every_kind = pytest.mark.parametrize("kind", ["regressor", "classifier"])

OPTIONS = {
    "groups": {"n_nonzero": 2, "feature_groups": "input"},
    "keep": {"n_nonzero": 0.7, "keep": ["bmi"]},
    "signs": {"n_nonzero": 5, "monotonic_cst": {"bmi": 1}},
}


def parts_of(kind):
    """Base, wrapper, search and target of a kind of model."""
    if kind == "regressor":
        return Ridge(), PrunedRegressor, CompressedRegressorCV, PROGRESS
    return LogisticRegression(C=10), PrunedClassifier, CompressedClassifierCV, PROGRESS > 140


def test_parts_that_read_nothing_or_are_dropped_are_no_parts():
    columns = ColumnTransformer(
        [("drop", "drop", ["age"]), ("empty", OneHotEncoder(), []), ("mask", "passthrough", [False] * 10)],
        remainder=StandardScaler(),
    ).fit(NUMBERS)
    (part,) = column_parts(columns)
    assert (part.name, part.places, part.outputs) == ("remainder", list(range(1, 10)), slice(0, 9))


@pytest.mark.slow
@every_columns
@every_kind
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_pruning_around_an_empty_part_and_what_comes_after(columns, frame, kind, options):
    base, wrapper, _, y = parts_of(kind)
    model = wrapper(make_pipeline(columns(), base), **options).fit(frame, y)
    small = compact(model)
    same = np.testing.assert_array_equal if kind == "classifier" else np.testing.assert_allclose
    same(small.predict(frame), model.predict(frame))
    assert "SELECT" in to_sql(model, "rows")
    assert "double" in to_c(model)
    narrow, inputs = drop_unused_inputs(model, frame, y, return_inputs=True)
    assert set(small.inputs) <= set(inputs)
    assert narrow.predict(frame[inputs]).shape == (len(frame),)


@every_columns
@every_kind
def test_onnx_of_a_pipeline_with_an_empty_part(columns, frame, kind):
    pytest.importorskip("onnx")
    base, wrapper, _, y = parts_of(kind)
    model = wrapper(make_pipeline(columns(), base), n_nonzero=2, feature_groups="input").fit(frame, y)
    assert len(to_onnx(model).graph.node) > 0


@pytest.mark.slow
@every_columns
@every_kind
def test_a_search_over_inputs_with_an_empty_part(columns, frame, kind):
    base, _, search, y = parts_of(kind)
    model = search(make_pipeline(columns(), base), n_nonzero=[1, 2, 3], size="inputs", cv=3).fit(frame, y)
    assert 1 <= len(compact(model).inputs) <= 3

"""Names, indices, masks and labels become arrays over the leaf's features."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from skcompress.linear.column_names import Columns
from skcompress.linear.containers import find_leaf


@pytest.fixture
def encoded():
    frame = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0], "job": list("abca"), "town": list("xyyx")})
    pipeline = make_pipeline(
        ColumnTransformer([("o", OneHotEncoder(), ["job", "town"]), ("n", StandardScaler(), ["age"])]), Ridge()
    ).fit(frame, [1.0, 2.0, 3.0, 4.0])
    return Columns(find_leaf(pipeline, frame), 6, np.asarray(frame.columns, dtype=object))


@pytest.fixture
def plain():
    X = np.random.default_rng(0).standard_normal((9, 4))
    return Columns(find_leaf(Ridge().fit(X, X[:, 0]), X), 4, np.array(["x0", "x1", "x2", "x3"], dtype=object))


def test_names_are_those_that_the_steps_give(encoded, plain):
    assert encoded.names.tolist() == ["o__job_a", "o__job_b", "o__job_c", "o__town_x", "o__town_y", "n__age"]
    assert plain.names.tolist() == ["x0", "x1", "x2", "x3"]


@pytest.mark.parametrize(
    ("wanted", "positions"),
    [
        (["job"], [0, 1, 2]),
        ("job", [0, 1, 2]),
        (["o__job_b", "age"], [1, 5]),
        ([0, -1], [0, 5]),
        (2, [2]),
        (np.int64(2), [2]),
        ([np.int32(4)], [4]),
        ([True, False, False, False, False, True], [0, 5]),
        (np.array([False, True, False, False, False, False]), [1]),
        ([], []),
        (["job", "o__job_a"], [0, 1, 2]),
    ],
)
def test_select(encoded, wanted, positions):
    assert np.flatnonzero(encoded.select(wanted, "keep")).tolist() == positions


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["income"], r"keep names 'income', which is no column: the columns are 'age', 'job', 'town', 'o__job_a'"),
        ([6], "keep names feature 6, but the model has 6 features"),
        ([-7], "keep names feature -7"),
        ([True, False], "keep as a mask must have 6 entries"),
        ([1.5], r"keep=\[1.5\] must be a name or an index of a column, a list of them, or a mask"),
        (1.5, "keep=1.5 must be a name or an index"),
        (True, "keep=True must be a name"),
        ([["age"]], r"keep=\[\['age'\]\] must be a name"),
    ],
)
def test_select_refuses(encoded, wanted, message):
    with pytest.raises(ValueError, match=message):
        encoded.select(wanted, "keep")


def test_a_long_list_of_columns_is_cut_in_the_message():
    X = np.random.default_rng(0).standard_normal((9, 30))
    columns = Columns(find_leaf(Ridge().fit(X, X[:, 0]), X), 30, np.array([f"x{i}" for i in range(30)], dtype=object))
    with pytest.raises(ValueError, match=r"'x7', \.\.\. \(30 in all\)"):
        columns.select(["y"], "keep")


def partition(labels):
    """The groups as sets of positions."""
    return sorted(sorted(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels))


def test_labels_by_input(encoded):
    assert partition(encoded.labels("input")) == [[0, 1, 2], [3, 4], [5]]


def test_labels_by_input_with_products():
    X = pd.DataFrame(np.random.default_rng(0).standard_normal((9, 2)), columns=["a", "b"])
    model = make_pipeline(PolynomialFeatures(2, include_bias=False), Ridge()).fit(X, X["a"])
    columns = Columns(find_leaf(model, X), 5, np.array(["a", "b"], dtype=object))
    assert partition(columns.labels("input")) == [[0, 2], [1, 4], [3]]
    assert np.flatnonzero(columns.select(["a"], "keep")).tolist() == [0, 2, 3]


def test_labels_pass_none_and_feature_through(encoded):
    assert encoded.labels(None) is None
    assert encoded.labels("feature") == "feature"


def test_labels_from_a_list_a_dict_and_a_callable(encoded):
    assert partition(encoded.labels(["p", "q", "p", 1, 1, None])) == [[0, 2], [1], [3, 4], [5]]
    assert partition(encoded.labels(np.array([0, 0, 1, 1, 2, 2]))) == [[0, 1], [2, 3], [4, 5]]
    assert partition(encoded.labels({"who": ["job", "age"]})) == [[0, 1, 2, 5], [3], [4]]
    assert partition(encoded.labels(lambda names: [name[0] for name in names])) == [[0, 1, 2, 3, 4], [5]]


@pytest.mark.parametrize("missing", [np.nan, np.float32("nan"), None])
def test_a_missing_label_is_one_label(encoded, missing):
    for labels in ([1.0, missing, missing, 2.0, missing, 1.0], np.array([1.0, missing, missing, 2.0, missing, 1.0])):
        assert partition(encoded.labels(labels)) == [[0, 5], [1, 2, 4], [3]]


def test_a_column_kept_that_has_no_weight_is_warned_of(encoded, recwarn):
    free = np.ones((2, 6), dtype=bool)
    free[0, :4] = free[1, 2:] = False
    assert encoded.kept(["o__job_a", "age"], free).tolist() == [True, False, False, False, False, True]
    assert not recwarn
    with pytest.warns(UserWarning, match="keep holds 'o__job_c', 'o__town_x', which the estimator inside has at zero"):
        assert encoded.kept(["job", "o__town_x"], free).sum() == 4


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("inputs", "feature_groups must be None, 'feature', 'input'"),
        ([1, 2], "feature_groups must give 6 labels"),
        ({"g": ["sex"]}, r"feature_groups\['g'\] names 'sex'"),
        ({"g": ["job"], "h": ["o__job_a"]}, "'o__job_a' into both 'g' and 'h'"),
        (lambda names: ["a"], "feature_groups must give 6 labels"),
        (lambda names: 3, "feature_groups as a callable must return labels, one for each feature; got 3"),
        (5, "feature_groups must be None, 'feature', 'input', labels, a dict or a callable; got 5"),
        ([[1]] * 6, r"feature_groups has the label \[1\]: a label must be hashable"),
        (np.ones((6, 1)), r"feature_groups has the label array\(\[1.\]\)"),
        (lambda names: [[1]] * 6, r"feature_groups has the label \[1\]"),
        ({"g": 1.5}, r"feature_groups\['g'\]=1.5 must be a name"),
    ],
)
def test_labels_refuse(encoded, groups, message):
    with pytest.raises(ValueError, match=message):
        encoded.labels(groups)

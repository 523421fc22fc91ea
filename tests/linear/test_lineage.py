"""Which raw input each feature of the leaf is made of."""

import numpy as np
import pandas as pd
import pytest
from ids import without_address
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from skcompress import CompressedRegressorCV
from skcompress.linear.lineage import feature_names, raw_origins

FRAME = pd.DataFrame(
    {
        "age": [20.0, 30.0, 40.0, 25.0],
        "income": [1.0, 2.0, 4.0, 8.0],
        "job": ["clerk", "cook", "clerk", "judge"],
        "town": ["n", "s", "s", "n"],
    }
)
NUMBERS, Y = FRAME[["age", "income"]], np.array([1.0, 2.0, 3.0, 4.0])


def origins_of(*steps, frame=FRAME):
    """Fit the steps one after the other; return sorted origins of each output."""
    data = frame
    for step in steps:
        if step != "passthrough":
            data = step.fit_transform(data, Y)
    return [sorted(origin) for origin in raw_origins(steps, frame.shape[1], data.shape[1])]


def test_no_steps_is_each_column_itself():
    assert raw_origins((), 3, 3) == [{0}, {1}, {2}]


def test_a_scaler_keeps_the_columns_apart():
    assert origins_of(StandardScaler(), frame=NUMBERS) == [[0], [1]]


def test_one_hot_columns_come_from_their_input():
    columns = ColumnTransformer([("o", OneHotEncoder(), ["job", "town"]), ("n", StandardScaler(), ["income"])])
    assert origins_of(columns) == [[2], [2], [2], [3], [3], [1]]


def test_infrequent_and_dropped_categories():
    columns = ColumnTransformer([("o", OneHotEncoder(min_frequency=2, drop="first"), ["job", "town"])])
    assert origins_of(columns) == [[2], [3]]


@pytest.mark.parametrize("remainder", ["drop", "passthrough"])
def test_the_remainder(remainder):
    columns = ColumnTransformer([("n", StandardScaler(), ["income"])], remainder=remainder)
    frame = FRAME[["age", "income"]]
    assert origins_of(columns, frame=frame) == ([[1]] if remainder == "drop" else [[1], [0]])


@pytest.mark.parametrize(
    "chosen",
    [["income"], [1], slice(1, 2), slice("income", "income"), [False, True], lambda frame: ["income"], [-1]],
    ids=without_address,
)
def test_every_way_to_name_columns(chosen):
    assert origins_of(ColumnTransformer([("n", StandardScaler(), chosen)]), frame=NUMBERS) == [[1]]


def test_a_selector_of_dtypes():
    columns = ColumnTransformer(
        [
            ("n", StandardScaler(), make_column_selector(dtype_include="number")),
            ("o", OneHotEncoder(), make_column_selector(dtype_exclude="number")),
        ]
    )
    assert origins_of(columns) == [[0], [1], [2], [2], [2], [3], [3]]


def test_a_product_is_made_of_both():
    assert origins_of(PolynomialFeatures(2, include_bias=False), frame=NUMBERS) == [[0], [1], [0], [0, 1], [1]]


def test_splines_and_bins():
    splines = origins_of(SplineTransformer(n_knots=3, degree=2), frame=NUMBERS)
    assert splines == [[0]] * 4 + [[1]] * 4
    bins = KBinsDiscretizer(2, encode="onehot-dense", strategy="uniform")
    assert origins_of(bins, frame=NUMBERS) == [[0], [0], [1], [1]]


@pytest.mark.parametrize("nameless", [FunctionTransformer(np.cbrt), make_pipeline(FunctionTransformer(np.cbrt))])
@pytest.mark.parametrize("container", ["columns", "union", "pipeline"])
def test_names_are_not_known_where_a_part_of_a_container_has_none(nameless, container):
    """The container has the method, and fails in it."""
    step = {
        "columns": ColumnTransformer([("a", StandardScaler(), ["age"]), ("b", nameless, ["income"])]),
        "union": FeatureUnion([("a", StandardScaler()), ("b", nameless)]),
        "pipeline": make_pipeline(StandardScaler(), nameless),
    }[container].fit(NUMBERS)
    assert len(feature_names([step], np.array(["age", "income"], dtype=object))) == 0
    searched = CompressedRegressorCV(make_pipeline(step, Ridge()), bits=(None,), n_nonzero=[1], cv=2).fit(NUMBERS, Y)
    assert searched.support_frequency_.shape == searched.coef_.shape


def test_a_component_is_made_of_everything():
    assert origins_of(PCA(2), frame=NUMBERS) == [[0, 1], [0, 1]]


def test_steps_are_chained():
    columns = ColumnTransformer([("o", OneHotEncoder(sparse_output=False), ["job"])], remainder="passthrough")
    frame = FRAME[["age", "job"]]
    assert origins_of(columns, StandardScaler(), SelectKBest(f_regression, k=4), frame=frame) == [[1], [1], [1], [0]]
    assert sorted(origins_of(columns, SelectKBest(f_regression, k=2), frame=frame)) in ([[0], [1]], [[1], [1]])
    inner = make_pipeline(SimpleImputer(add_indicator=False), PolynomialFeatures(2, interaction_only=True))
    chained = ColumnTransformer([("p", inner, ["age", "income"])])
    assert origins_of(chained)[1:] == [[0], [1], [0, 1]]


def test_words_come_from_the_text():
    columns = ColumnTransformer([("n", StandardScaler(), ["age"]), ("t", TfidfVectorizer(), "job")])
    assert origins_of(columns) == [[0], [2], [2], [2]]


def test_passthrough_and_none_change_nothing():
    assert raw_origins(("passthrough", None), 2, 2) == [{0}, {1}]


def test_a_union_keeps_the_names_of_its_parts():
    union = FeatureUnion([("a", StandardScaler()), ("b", PolynomialFeatures(2, include_bias=False))])
    assert origins_of(union, frame=NUMBERS) == [[0], [1], [0], [1], [0], [0, 1], [1]]
    union.set_params(a="drop")
    assert origins_of(union, frame=NUMBERS) == [[0], [1], [0], [0, 1], [1]]
    union.set_params(a="passthrough")
    assert origins_of(union, StandardScaler(), frame=NUMBERS) == [[0], [1], [0], [1], [0], [0, 1], [1]]


def test_a_step_without_names_is_made_of_everything():
    assert origins_of(FunctionTransformer(np.log1p), frame=NUMBERS) == [[0, 1], [0, 1]]


def test_names_like_marks_of_others_are_not_confused():
    """Inputs x1 and x11 must not be taken for each other."""
    frame = pd.DataFrame(np.random.default_rng(0).standard_normal((4, 12)), columns=[f"x{i}" for i in range(12)])
    assert origins_of(StandardScaler(), frame=frame) == [[i] for i in range(12)]


def test_feature_names_follow_the_steps():
    columns = ColumnTransformer([("o", OneHotEncoder(), ["town"]), ("n", StandardScaler(), ["age"])]).fit(FRAME)
    names = feature_names([columns], np.array(FRAME.columns, dtype=object))
    assert names.tolist() == ["o__town_n", "o__town_s", "n__age"]
    assert len(feature_names([FunctionTransformer(np.log1p).fit(NUMBERS)], np.array(["a", "b"]))) == 0

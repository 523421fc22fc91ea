import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import DistilledRegressor, PrunedRegressor, QuantizedRegressor, compact
from skcompress.artifact import CompactLinear
from skcompress.linear.rows import input_range

NAN = np.nan
X = np.array([[1.0, -2.0, 0.0], [3.0, 5.0, 0.0], [0.5, 0.0, 7.0]])
LIMITS = [[0.5, -2.0, 0.0], [3.0, 5.0, 7.0]]


@pytest.mark.parametrize(
    "container",
    [
        X,
        X.tolist(),
        X.astype(int) if False else X,
        sp.csr_array(X),
        sp.csc_matrix(X),
        X.astype(np.float32),
        X.astype(object),
    ],
)
def test_range_is_that_of_the_columns(container):
    found = input_range(container)
    assert found.dtype == np.float64
    assert found.tolist() == LIMITS


def test_missing_values_are_passed_over():
    holed = X.copy()
    holed[0, 0], holed[:, 1] = NAN, NAN
    assert np.array_equal(input_range(holed), [[0.5, NAN, 0.0], [3.0, NAN, 7.0]], equal_nan=True)
    assert input_range(sp.csr_array(np.array([[NAN, 0.0], [2.0, 0.0]]))).tolist() == [[2.0, 0.0], [2.0, 0.0]]


def test_frames_have_ranges_where_they_have_numbers():
    frame = pd.DataFrame(
        {
            "a": [1, 2, 3],
            "b": ["x", "y", "x"],
            "c": pd.array([1.5, None, 0.5], dtype="Float64"),
            "d": [True, False, True],
            "e": pd.Categorical(["u", "v", "u"]),
            "f": [NAN, NAN, NAN],
        }
    )
    expected = [[1, NAN, 0.5, 0, NAN, NAN], [3, NAN, 1.5, 1, NAN, NAN]]
    assert np.array_equal(input_range(frame), expected, equal_nan=True)
    other = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]})
    assert np.array_equal(input_range(other), [[1, NAN], [3, NAN]], equal_nan=True)


@pytest.mark.parametrize("rows", [["a text", "another"], [{"a": 1}, {"b": 2}], np.zeros((0, 3))])
def test_what_is_no_table_has_no_range(rows):
    assert input_range(rows) is None


def test_wrappers_cap_at_the_range_they_were_fitted_on():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200), "city": rng.choice(["x", "y"], 200)})
    y = frame["a"] + (frame["city"] == "x") + 0.1 * rng.normal(size=200)
    columns = make_column_transformer(
        (StandardScaler(), ["a", "b"]), (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["city"])
    )
    far = frame.head(3).assign(a=[1e6, -1e6, 0.0])
    edge = frame.head(3).assign(a=[frame["a"].max(), frame["a"].min(), 0.0])
    base = make_pipeline(columns, Ridge())
    for wrapper in (PrunedRegressor(base, n_nonzero=2), QuantizedRegressor(PrunedRegressor(base), bits=4)):
        model = wrapper.fit(frame, y)
        small = compact(model, cap=True)
        assert np.allclose(small.predict(far), model.predict(edge), rtol=1e-12)
        assert np.allclose(small.predict(frame), model.predict(frame), rtol=1e-12)
        assert small.n_clipped_rows(far) == 2
        assert small.n_clipped_rows(frame) == 0
    student = DistilledRegressor(make_pipeline(columns, Ridge()), teacher=make_pipeline(columns, Ridge()), alpha=0.5)
    assert np.array_equal(student.fit(frame, y).input_range_, input_range(frame), equal_nan=True)


def test_a_model_without_its_range_says_what_to_pass():
    with pytest.raises(ValueError, match="Ridge does not keep the range of its inputs: pass cap=X"):
        compact(Ridge().fit(X, [1.0, 2, 3]), cap=True)


def test_capping_keeps_imputed_values():
    # The capped column of an imputed input stands beside one that has a weight of its own.
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [NAN, 1.0, 5.0, 2.0]})
    columns = make_column_transformer((StandardScaler(), ["a"]), (SimpleImputer(add_indicator=True), ["b"]))
    model = make_pipeline(columns, Ridge()).fit(frame, [1.0, 2.0, 4.0, 3.0])
    assert np.allclose(compact(model, cap=frame).predict(frame), model.predict(frame), rtol=1e-12)


def test_numbers_of_mappings_are_capped_behind_the_entry():
    rows = [{"v": 3.0, "c": "a"}, {"c": "b"}, {"v": 5.0}, {"v": 4.0, "c": "a"}]
    model = make_pipeline(DictVectorizer(), Ridge()).fit(rows, [1.0, 5.0, 2.0, 0.0])
    small = compact(model, cap=rows)
    far = [{"v": 1e9, "c": "a"}, {"v": -7.0}]
    assert np.allclose(small.predict(far), model.predict([{"v": 5.0, "c": "a"}, {"v": 0.0}]), rtol=1e-12)
    assert np.allclose(small.predict(rows), model.predict(rows), rtol=1e-12)
    assert small.n_clipped_rows(far) == 2
    assert small.n_clipped_rows(rows) == 0
    again = CompactLinear.from_bytes(small.to_bytes())
    assert again.predict(far).tolist() == small.predict(far).tolist()
    with pytest.raises(ValueError, match="cap must have at least one row"):
        compact(model, cap=[])


@pytest.mark.parametrize(
    "container",
    [np.array, np.ndarray.tolist, sp.csr_array, pd.DataFrame, lambda rows: pl.DataFrame(rows, orient="row")],
)
def test_a_row_of_weight_zero_is_no_row(container):
    far = np.vstack([X, [[100.0, -100.0, 100.0]]])
    weight = np.array([1.0, 2.0, 0.5, 0.0])
    np.testing.assert_array_equal(input_range(container(far), weight), LIMITS)
    for wrap in (PrunedRegressor(Ridge(), n_nonzero=1), DistilledRegressor(Ridge(), teacher=Ridge(), alpha=0.0, cv=2)):
        model = wrap.fit(container(far), np.array([1.0, 2.0, 4.0, 0.0]), sample_weight=weight)
        np.testing.assert_array_equal(model.input_range_, LIMITS)
    named = PrunedRegressor(make_pipeline(StandardScaler(with_mean=False), Ridge()), n_nonzero=1)
    named.fit(container(far), np.array([1.0, 2.0, 4.0, 0.0]), ridge__sample_weight=weight)
    np.testing.assert_array_equal(named.input_range_, LIMITS)

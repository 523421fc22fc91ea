import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

from skcompress import compact, to_python
from skcompress.artifact import Block, CompactLinear, Inputs, Weights

from .models import MODELS, NAN, floats

rng = np.random.default_rng(0)


def some_inputs(n_all=6, positions=(1, 3, 4), m=1, dtype=np.float64):
    positions = np.array(positions)
    values = rng.normal(size=(m, len(positions))).astype(dtype)
    inputs = Inputs(tuple("abcdef"[j] for j in positions), positions, n_all)
    return CompactLinear(Weights.from_values(values), rng.normal(size=m), inputs, flat=m == 1)


@pytest.mark.parametrize("m", [1, 3])
def test_prediction_is_the_dot_product_whatever_the_container(m):
    model = some_inputs(m=m)
    X = rng.normal(size=(7, 6))
    expected = X[:, [1, 3, 4]] @ model.coef.T + model.intercept
    expected = expected[:, 0] if m == 1 else expected
    frame = pd.DataFrame(X, columns=list("abcdef"))
    containers = [
        X,
        np.asfortranarray(X),
        X[:, [1, 3, 4]],
        frame,
        frame[["e", "b", "d"]],
        pl.DataFrame(X, schema=list("abcdef")),
        {name: X[:, j] for j, name in enumerate("abcdef")},
        sp.csr_array(X),
        sp.csc_matrix(X),
        X.tolist(),
    ]
    for container in containers:
        np.testing.assert_allclose(model.predict(container), expected, rtol=1e-13, atol=1e-13)
    row = model.predict_one(X[0])
    np.testing.assert_allclose(row, expected[0], rtol=1e-13)
    np.testing.assert_allclose(model.predict_one(dict(zip("abcdef", X[0], strict=True))), expected[0], rtol=1e-13)
    np.testing.assert_allclose(model.predict_one(X[0, [1, 3, 4]].tolist()), expected[0], rtol=1e-13)


@pytest.mark.parametrize("link", ["log", "log1p", "logit"])
def test_links(link):
    inverse = {"log": np.exp, "log1p": np.expm1, "logit": lambda e: 1 / (1 + np.exp(-e))}[link]
    model = floats(link=link)
    X = rng.normal(size=(5, 12))
    np.testing.assert_allclose(model.predict(X), inverse(model.linear_predictor(X)[:, 0]), rtol=1e-14)


def test_labels_are_those_of_the_largest_output():
    model = MODELS["classes"]
    X = rng.normal(size=(20, 4))
    expected = np.array(["a", "b", "c"])[model.linear_predictor(X).argmax(axis=1)]
    assert np.array_equal(model.predict(X), expected)


def test_only_float32_all_through_gives_float32():
    X = rng.normal(size=(4, 12))
    single, double = floats(dtype=np.float32), floats()
    assert single.predict(X.astype(np.float32)).dtype == np.float32
    assert single.predict(X).dtype == np.float64
    assert double.predict(X.astype(np.float32)).dtype == np.float64


def test_unused_columns_are_not_read():
    model = some_inputs()
    X = rng.normal(size=(3, 6))
    expected = model.predict(X)
    X[:, [0, 2, 5]] = [np.nan, np.inf, np.nan]
    assert np.array_equal(model.predict(X), expected)
    np.testing.assert_allclose(model.predict(sp.csr_array(X)), expected, rtol=1e-13)
    assert np.array_equal(model.predict(pd.DataFrame(X, columns=list("abcdef")).assign(a="text")), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_used_input_must_be_finite(value):
    X = rng.normal(size=(3, 6))
    X[1, 3] = value
    with pytest.raises(ValueError, match=r"input 'd' is (nan|inf) in row 1"):
        some_inputs().predict(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame({"a": [1.0], "b": [1.0]}), "lacks 2 of the columns that this model reads: 'd', 'e'"),
        (np.ones((2, 4)), "X has 4 columns, but this model reads 3 inputs .*6"),
        (np.ones(3), "predict_one"),
        (pd.DataFrame({"b": ["u"], "d": [1.0], "e": [1.0]}), "input 'b' must hold numbers"),
    ],
)
def test_wrong_inputs_are_named(X, message):
    with pytest.raises(ValueError, match=message):
        some_inputs().predict(X)


TIME = np.timedelta64(1, "D")
"""1 to numpy, 86,400 seconds to pandas."""


NO_NUMBERS = ["1.5", " 1", "1_0", b"1", np.str_("2"), 1j, TIME, TIME.astype("m8[ns]"), pd.Timedelta(TIME)]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_reads_as_a_number_and_is_none_is_refused_in_every_container(value):
    """A text is no number to `predict_one`, nor to C; of a duration each container would make another number."""
    column = np.empty(1, dtype=object)
    column[0] = value
    for model in (compact(Ridge().fit([[0.0], [1.0], [5.0]], [1.0, 2.0, 3.0])), binned()):
        frames = [pd.DataFrame({"x0": values}) for values in (column, [value])]
        for X in (column[:, None], [[value]], *frames, {"x0": [value]}):
            with pytest.raises(ValueError, match="must hold numbers"):
                model.predict(X)
        with pytest.raises(ValueError, match="must hold"):
            model.predict_one([value])
        module = {}
        exec(to_python(model), module)
        with pytest.raises(ValueError, match="must hold numbers"):
            module["predict"]({"x0": value})


def binned():
    bins = KBinsDiscretizer(2, encode="onehot-dense", strategy="uniform")
    return compact(make_pipeline(bins, Ridge()).fit([[0.0], [1.0], [5.0]], [1.0, 2.0, 3.0]))


@pytest.mark.parametrize("missing", [None, pd.NA, NAN, np.float32("nan")])
def test_what_is_missing_is_so_in_every_container(missing):
    imputed = make_pipeline(SimpleImputer(), Ridge()).fit([[0.0], [1.0], [NAN], [5.0]], [1.0, 2.0, 3.0, 4.0])
    model = compact(imputed)
    column = np.array([missing, None], dtype=object)[:1]
    for X in (column[:, None], [[missing]], pd.DataFrame({"x0": column}), {"x0": [missing]}):
        assert model.predict(X) == imputed.predict([[NAN]])
    assert model.predict_one([missing]) == imputed.predict([[NAN]])


def test_a_duration_is_no_integer_among_categories():
    rows = np.array([[1], [2], [1], [5]], dtype=object)
    model = compact(make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge()).fit(rows, [1.0, 2.0, 3.0, 9.0]))
    unknown, time = model.predict_one([7]), np.timedelta64(1, "ns")
    assert model.predict_one([1]) != unknown
    assert model.predict_one([time]) == model.predict([[time]]) == model.predict({"x0": [time]}) == unknown


@pytest.mark.parametrize("ways", [list, tuple])
def test_lists_of_texts_and_numbers_keep_the_numbers(ways):
    """Numpy makes texts of the numbers beside a text, which are no levels, and an unknown level may be ignored."""
    rows = [["a", 36], ["b", 60], ["a", 60], ["b", 36]]
    encoder = OneHotEncoder(handle_unknown="ignore")
    pipeline = make_pipeline(encoder, Ridge()).fit(np.array(rows, dtype=object), [1.0, 2.0, 5.0, 9.0])
    model = compact(pipeline)
    given = ways(map(ways, rows))
    np.testing.assert_allclose(model.predict(given), pipeline.predict(rows), rtol=1e-12)
    np.testing.assert_allclose(model.predict(given), [model.predict_one(row) for row in given], rtol=1e-12)


def test_a_missing_key_is_an_error_unless_missing_stands_in():
    model = some_inputs()
    with pytest.raises(ValueError, match="lacks the input 'd'"):
        model.predict_one({"b": 1.0, "e": 2.0})
    expected = model.predict_one([1.0, 5.0, 2.0])
    assert model.predict_one({"b": 1.0, "e": 2.0}, missing=5.0) == expected
    assert model.predict_one({"b": 1.0, "e": 2.0}, missing={"d": 5.0}) == expected
    with pytest.raises(ValueError, match="'d'"):
        model.predict_one({"b": 1.0, "e": 2.0}, missing={"b": 5.0})


def test_a_row_of_a_frame_is_read_by_name_and_one_without_names_by_place():
    frame = pd.DataFrame(np.random.default_rng(0).standard_normal((50, 4)), columns=list("abcd"))
    y = frame @ [1.0, 0.0, 2.0, 3.0]
    mixed = frame.assign(e=["x", "y"] * 25)
    columns = make_column_transformer((OneHotEncoder(), ["e"]), remainder="passthrough")
    for X, base in ((frame, Ridge()), (mixed, make_pipeline(columns, Ridge()))):
        model = compact(base.fit(X, y))
        assert model.predict_one(X.iloc[1][::-1]) == pytest.approx(model.predict(X)[1], rel=1e-12)
    unnamed = compact(Ridge().fit(frame.to_numpy(), y))
    assert unnamed.predict_one(frame.iloc[1]) == pytest.approx(unnamed.predict(frame.to_numpy())[1], rel=1e-12)


def test_nullable_columns_of_pandas():
    model = some_inputs()
    frame = pd.DataFrame({"b": [1, 2], "d": [True, False], "e": [0.5, 1.5]}).astype({"b": "Int64", "d": "boolean"})
    np.testing.assert_allclose(model.predict(frame), model.predict(frame.astype(float).to_numpy()))
    frame.loc[0, "b"] = pd.NA
    with pytest.raises(ValueError, match="input 'b' is nan in row 0"):
        model.predict(frame)


def test_categories_of_every_scalar_type():
    model = MODELS["categories"]
    weight = dict(zip(["a", 1, 2.5, None, "nan", "other"], model.coef[0, 1:], strict=True))
    for value, expected in [
        ("a", weight["a"]),
        (1, weight[1]),
        (1.0, weight[1]),
        (True, weight[1]),
        (2.5, weight[2.5]),
        ("yes", 0.0),
        (None, weight[None]),
        (NAN, weight["nan"]),
        (np.float64("nan"), weight["nan"]),
        (pd.NA, weight["nan"]),
        ("never seen", weight["other"]),
    ]:
        got = model.predict_one({"input 0": 2.0, "input 1": value})
        assert got == pytest.approx(2.0 * model.coef[0, 0] + expected + 0.25, rel=1e-14), value


def test_a_category_that_is_not_known_is_an_error_where_the_table_says_so():
    block = Block.make("category", [0], {"levels": ("a", "b"), "slots": [0, -1], "other": -2})
    model = CompactLinear(
        Weights.from_values([[2.0]]), [0.0], Inputs(("c",), np.arange(1), 1), blocks=[block], columns=[1]
    )
    assert model.predict(pd.DataFrame({"c": ["a", "b"]})).tolist() == [2.0, 0.0]
    with pytest.raises(ValueError, match="input 'c' has the value 'z'"):
        model.predict(pd.DataFrame({"c": ["a", "z"]}))


@pytest.mark.parametrize("columns", [[0, 2], [2, 0], [1, 1]])
def test_terms_may_come_in_any_order_and_leave_inputs_out(columns):
    inputs = Inputs(("a", "b", "c"), np.arange(3), 3)
    model = CompactLinear(Weights.from_values([[2.0, 3.0]]), [0.5], inputs, columns=columns, offset=[1.0, -1.0])
    X = rng.normal(size=(4, 3))
    expected = 2 * (X[:, columns[0]] - 1) + 3 * (X[:, columns[1]] + 1) + 0.5
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-13)
    np.testing.assert_allclose(model.predict(sp.csr_array(X)), expected, rtol=1e-13)
    np.testing.assert_allclose(model.predict_one(X[0]), expected[0], rtol=1e-13)


def test_offsets_keep_the_digits_of_far_away_columns():
    inputs = Inputs(("t",), np.arange(1), 1)
    model = CompactLinear(Weights.from_values([[1.0]]), [0.0], inputs, offset=[2.0**31], divisor=None)
    assert model.predict([[2.0**31 + 0.125]])[0] == 0.125


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_models_do_not_change_and_survive_pickling(model):
    with pytest.raises(AttributeError, match="does not change"):
        model.link = "log"
    assert pickle.loads(pickle.dumps(model)).to_bytes() == model.to_bytes()
    assert model.model_id in repr(model)


def test_threads_may_share_a_model():
    model = floats(p=50)
    X = rng.normal(size=(100, 50))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(model.predict, [X] * 64))
    assert all(np.array_equal(answer, answers[0]) for answer in answers)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"link": "probit"}, "link must be one of"),
        ({"columns": [0, 7]}, "columns must lie in 0..1"),
        ({"offset": [1.0]}, "offset must have 2 numbers"),
        ({"classes": ("a",)}, "classes"),
        ({"blocks": [Block("category", (9,), {}, 1)]}, "must read columns that come before it"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        CompactLinear(Weights.from_values([[1.0, 2.0]]), [0.0], Inputs(("a", "b"), np.arange(2), 2), **options)


def test_loading_and_predicting_needs_numpy_alone(tmp_path):
    MODELS["categories"].to_bytes()
    path = tmp_path / "model"
    path.write_bytes(MODELS["categories"].to_bytes())
    script = (
        "import sys; from skcompress.artifact import load; "
        f"model = load({str(path)!r}); model.predict_one({{'input 0': 1.0, 'input 1': 'a'}}); "
        "print([name for name in ('sklearn', 'scipy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_report_says_what_the_model_holds():
    codes = np.array([[3, 0, -7]])
    weights = Weights.from_codes(codes, 0.5, bits=4)
    model = CompactLinear(weights, [1.0], Inputs(("a", "b", "c"), np.array([0, 2, 3]), 5), n_terms_all=9)
    report = model.report()
    assert report["names"] == ["a", "b", "c"]
    assert np.array_equal(report["codes"], codes)
    assert (report["inputs"], report["inputs_dropped"], report["terms"], report["terms_dropped"]) == (3, 2, 3, 6)
    assert (report["weights"], report["bits"], report["outputs"]) == (2, 4, 1)
    assert report["bytes"]["total"] == len(model.to_bytes())
    assert some_inputs().report()["codes"] is None

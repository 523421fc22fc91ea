"""Names and texts: what a system cannot tell apart or hold is refused, everything else arrives."""

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from databases import Sqlite
from printed_models import FRAME, GRADES, NAN, of_block
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer

from skcompress import QuantizedRegressor, compact, to_c, to_onnx, to_python, to_sql
from skcompress.artifact import CompactLinear, Inputs, Weights
from skcompress.export.sql.dialects import DIALECTS

INSENSITIVE = ["bigquery", "duckdb", "spark", "sqlite", "tsql"]


def ridge(*names, n=30):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(n, len(names))), columns=list(names))
    return Ridge().fit(X, X.to_numpy() @ np.arange(1.0, len(names) + 1)), X


def spline(*names):
    _, X = ridge(*names)
    return make_pipeline(SplineTransformer(), Ridge()).fit(X, X.iloc[:, 0]), X


def bent_and_plain(*names):
    """The last column goes through a spline, so that a query makes a column of it; the others are read as they are."""
    model, X = ridge(*names)
    steps = make_column_transformer((SplineTransformer(), [names[-1]]), remainder="passthrough")
    return make_pipeline(steps, model).fit(X, X.sum(axis=1)), X


def scores(database, model, table, name="t", **options):
    found = database(to_sql(model, options.pop("source", name), dialect=database.dialect, **options), table, name)
    return found[:, -1].astype(float)


@pytest.mark.parametrize(
    "names", [["skc_1", "skc_0"], ["skc__0", "SKC_0", "a"], ["skc_eta_0", "skc_refused"], ["skc_1", "a"]]
)
def test_inputs_may_be_called_like_what_a_query_makes(names, database):
    for model, X in (ridge(*names), spline(*names), bent_and_plain(*names)):
        assert np.allclose(scores(database, model, X), model.predict(X), rtol=1e-12)


@pytest.mark.parametrize("table", ["skc_layer_1", "skc_eta", "skc"])
def test_the_table_may_be_called_like_what_a_query_makes(table, database):
    model, X = spline("a", "b")
    assert np.allclose(scores(database, model, X, table), model.predict(X), rtol=1e-12)
    classifier = LogisticRegression().fit(X, X["a"] > 0)
    found = scores(database, classifier, X.assign(skc_eta_0=1.0), table, method="predict_proba", columns=["skc_eta_0"])
    assert np.allclose(found, classifier.predict_proba(X)[:, 1], rtol=1e-12)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_names_that_differ_in_case(dialect):
    model, _ = ridge("a", "A")
    if dialect in INSENSITIVE:
        with pytest.raises(ValueError, match=f"the inputs 'a' and 'A' are one name in {dialect}"):
            to_sql(model, "t", dialect=dialect)
    else:
        assert '"a"' in to_sql(model, "t", dialect=dialect)


def test_names_that_differ_in_case_are_two_columns_in_postgres(postgres):
    model, X = ridge("a", "A", "é", "É")
    assert np.allclose(scores(postgres, model, X), model.predict(X), rtol=1e-12)


def test_letters_beyond_ascii_differ_in_case_where_the_database_says_so(database):
    model, X = ridge("é", "É")
    assert np.allclose(scores(database, model, X), model.predict(X), rtol=1e-12)


def test_names_that_postgres_cuts_to_the_same_63_bytes():
    model, _ = ridge("x" * 63 + "a", "x" * 63 + "b")
    with pytest.raises(ValueError, match="are one name in postgres"):
        to_sql(model, "t", dialect="postgres")
    assert to_sql(model, "t", dialect="duckdb")


def test_outputs_and_columns_that_are_one_name():
    X = np.random.default_rng(0).normal(size=(90, 2))
    model = LogisticRegression().fit(X, np.repeat(["yes", "YES", "no"], 30))
    with pytest.raises(ValueError, match="the outputs 'p_YES' and 'p_yes' are one name in sqlite"):
        to_sql(model, "t", method="predict_proba", output="p")
    assert to_sql(model, "t", method="predict_proba", output="p", dialect="postgres")
    with pytest.raises(ValueError, match="the columns 'key' and 'KEY' are one name in duckdb"):
        to_sql(model, "t", columns=["key", "KEY"], dialect="duckdb")
    with pytest.raises(ValueError, match="columns holds 'Prediction', which is the name of the output"):
        to_sql(model, "t", columns=["Prediction"])


def test_a_column_along_may_be_an_input(database):
    model, X = spline("a", "b")
    along = ["A"] if database.dialect in INSENSITIVE else ["a"]
    found = database(to_sql(model, "t", dialect=database.dialect, columns=along), X)
    assert np.allclose(found.astype(float), np.column_stack([X["a"], model.predict(X)]), rtol=1e-12)


BAD = {"": "must not be empty", "a\0b": "zero byte", "a\ud800": "half of a surrogate pair"}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_name(name):
    small = CompactLinear(Weights.from_values([[1.0, 2.0]]), [0.5], Inputs(("a", name), np.arange(2), 2))
    with pytest.raises(ValueError, match=f"the input {re.escape(repr(name))} .*{BAD[name]}"):
        to_sql(small, "t")
    for options in ({"columns": [name]}, {"output": name}):
        with pytest.raises(ValueError, match=f"{next(iter(options))}.*{re.escape(repr(name))}"):
            to_sql(ridge("a")[0], "t", **options)
    module = {}
    exec(to_python(small), module)
    assert module["predict"]({"a": 1.0, name: 2.0}) == pytest.approx(small.predict_one({"a": 1.0, name: 2.0}))
    assert all(letter.isprintable() or letter == "\n" for letter in to_c(small))


@pytest.mark.parametrize("level", ["a\0b", "a\ud800"])
def test_categories_that_cannot_be_written(level):
    model = of_block("category", {"levels": (level, "b"), "slots": [0, 1], "other": -1})
    pytest.importorskip("onnx")
    for export in (lambda: to_sql(model, "t"), lambda: to_c(model), lambda: to_onnx(model)):
        with pytest.raises(ValueError, match=f"{re.escape(repr(level))}.*(zero byte|surrogate)"):
            export()
    module = {}
    exec(to_python(model), module)
    assert module["predict"]({"input 0": level}) == model.predict_one({"input 0": level})


def test_classes_that_cannot_be_written():
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = LogisticRegression().fit(X, np.repeat(["a\ud800", "b"], 30))
    pytest.importorskip("onnx")
    for export in (lambda: to_sql(model, "t"), lambda: to_c(model), lambda: to_onnx(model)):
        with pytest.raises(ValueError, match=r"'a\\ud800'.*surrogate"):
            export()
    empty = LogisticRegression().fit(X, np.repeat(["", "b"], 30))
    with pytest.raises(ValueError, match="a class cannot be called ''"):
        to_onnx(empty)


def test_texts_of_sql_server_are_unicode():
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(FRAME[["purpose"]], GRADES)
    query = to_sql(model, "t", dialect="tsql")
    assert "[purpose] COLLATE Latin1_General_100_BIN2 = N'o''hare' THEN" in query
    assert "THEN N'fair'" in query
    assert not re.search(r"(?<![N'])'\w", query.replace("N'", "N"))


@pytest.mark.parametrize("column", ["TEXT COLLATE NOCASE", "TEXT COLLATE RTRIM"])
def test_case_and_blanks_count_in_sqlite_whatever_the_column_says(column):
    database = Sqlite()
    database.types = {"input 0": column}
    model = of_block("category", {"levels": ("a", "b"), "slots": [0, 1], "other": -1})
    table = pd.DataFrame({"input 0": ["a", "A", "a ", "b"]})
    assert np.allclose(scores(database, model, table), model.predict(table), rtol=1e-12)


@pytest.mark.parametrize("affinity", ["", "TEXT", "REAL", "NUMERIC"])
def test_texts_that_are_no_numbers_are_refused_in_sqlite(affinity):
    database = Sqlite()
    database.types = {"a": affinity, "b": affinity}
    model, _ = ridge("a", "b")
    texts = ["12abc", "12", " 12 ", "", None, "nan", "1e3", "0x10", b"12", 2**53 + 1, float("inf"), "-inf"]
    table = pd.DataFrame({"a": texts, "b": [0.0] * len(texts)}, dtype=object)
    wanted = [NAN, 12, 12, NAN, NAN, NAN, 1e3, NAN, NAN, 2.0**53, NAN, NAN]
    expected = model.predict(pd.DataFrame({"a": np.nan_to_num(wanted), "b": 0.0}))
    expected[np.isnan(wanted)] = NAN
    assert np.allclose(scores(database, model, table), expected, rtol=1e-12, equal_nan=True)


def test_a_text_that_is_no_number_is_not_imputed_in_sqlite():
    model = of_block("fill", {"marker": (NAN,), "value": [7.0]})
    found = Sqlite()(to_sql(model, "t"), pd.DataFrame({"input 0": ["12abc", None, "", "3", float("inf")]}))[:, 0]
    expected = model.predict(pd.DataFrame({"input 0": [7.0, 3.0]}))
    assert [value is None for value in found] == [True, False, False, False, True]
    assert np.allclose(found[1:4].astype(float), expected[[0, 0, 1]], rtol=1e-12)


def test_what_missing_stands_for_does_not_hide_infinity(database):
    model, _ = ridge("a", "b")
    table = pd.DataFrame({"a": [float("inf"), NAN, 1.0], "b": [0.0, 0.0, -float("inf")]})
    found = scores(database, model, table, missing={"a": 2.0})
    expected = model.predict(pd.DataFrame({"a": [2.0], "b": [0.0]}))
    assert np.allclose(found, [NAN, expected[0], NAN], rtol=1e-12, equal_nan=True)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
@pytest.mark.parametrize("name", ["\u202eevil", "\u2066a", "שלום", "a\u200fb", "tab\tnewline\n", "日本"])
def test_names_that_run_from_right_to_left_compile(name, tmp_path):
    path = tmp_path / "m.c"
    path.write_text(to_c(ridge("a", name)[0]), encoding="utf-8")
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wbidi-chars=any", "-Werror", "-c", path]
    done = subprocess.run([*command, "-o", tmp_path / "m.o"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(c.isprintable() or c == "\n" for c in path.read_text(encoding="utf-8"))


def test_too_long_integers_are_no_numbers():
    small = compact(ridge("a", "b")[0])
    module = {}
    exec(to_python(small), module)
    row = {"a": 10**400, "b": 1.0}
    for predict in (small.predict_one, module["predict"], lambda row: small.predict({k: [v] for k, v in row.items()})):
        with pytest.raises(ValueError, match=r"must hold (one number|numbers)"):
            predict(row)


def test_an_enormous_row_does_not_end_the_query(postgres):
    model, _ = spline("a", "b")
    table = pd.DataFrame({"a": [1e308, -1e308, 5e-324, float("inf"), 0.5], "b": [1e308, 5e-324, 1.0, 1.0, 0.5]})
    for made in (model, ridge("a", "b")[0]):
        found = scores(postgres, made, table)
        assert np.isnan(found[:4]).tolist() == [True, True, True, True]
        assert found[4] == pytest.approx(made.predict(table.iloc[4:])[0], rel=1e-12)


def test_single_precision_inputs_at_the_edges_of_bins_and_codes():
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(0)
    # Inputs half way between two codes.
    X = (rng.integers(-254, 255, size=(750, 6)) * 0.1).astype(np.float32)
    model = QuantizedRegressor(Ridge(), bits=6, input_bits=8).fit(X.astype(float), X @ rng.normal(size=6))
    made = onnxruntime.InferenceSession(to_onnx(model, dtype=np.float32).SerializeToString())
    found = made.run(None, {"X": X})[0]
    expected = compact(model).predict(X.astype(float))
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()

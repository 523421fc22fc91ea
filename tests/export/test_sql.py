import re
import sqlite3

import numpy as np
import pandas as pd
import pytest
from databases import Sqlite
from printed_models import FRAME, MODELS, TERMS_AND_ROWS, Y, columns, of_block, table_of
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skcompress import PrunedRegressor, compact, to_sql
from skcompress.artifact import Block, CompactLinear, Inputs, Weights
from skcompress.export.normal_form import NormalForm
from skcompress.export.sql.dialects import DIALECTS
from skcompress.export.sql.printer import balanced_sum

NAN = float("nan")


run_sqlite = Sqlite()


def close(got, expected, rtol=1e-12):
    got = np.asarray(got, dtype=float).reshape(np.shape(expected))
    assert np.abs(got - expected).max() <= rtol * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("name", TERMS_AND_ROWS)
def test_every_kind_of_term(name, database):
    model, rows = TERMS_AND_ROWS[name]
    table = table_of(rows)
    close(database(to_sql(model, "t", dialect=database.dialect), table), model.predict(table))


@pytest.mark.parametrize("name", MODELS)
def test_pipelines(name, database):
    small = compact(MODELS[name])
    table = FRAME.head(60)
    got = database(to_sql(MODELS[name], "t", dialect=database.dialect, method="decision_function"), table)
    close(got, small.linear_predictor(table))
    answers = database(to_sql(small, "t", dialect=database.dialect), table)
    if small.classes:
        assert answers[:, 0].tolist() == small.predict(table).tolist()
        shares = database(to_sql(small, "t", dialect=database.dialect, method="predict_proba"), table)
        close(shares, MODELS[name].predict_proba(table))
    else:
        read = table[list(getattr(MODELS[name], "feature_names_in_", table.columns))]
        close(answers, MODELS[name].predict(read), rtol=1e-11)


def test_only_inputs_in_use_and_columns_asked_for_appear():
    model = PrunedRegressor(make_pipeline(columns(), Ridge()), n_nonzero=2).fit(FRAME, Y)
    query = to_sql(model, ("main", "t"), columns=["key"], output="rate")
    unused = set(FRAME.columns) - set(model.compact_.inputs)
    assert unused
    assert not any(f'"{name}"' in query for name in unused)
    got = run_sqlite(query, FRAME.assign(key=np.arange(len(FRAME))))
    assert got[:, 0].tolist() == list(range(len(FRAME)))
    close(got[:, 1], model.predict(FRAME))
    assert query.splitlines()[0] == f"-- skcompress model_id: {model.compact_.model_id}"


def test_nulls_and_unknown_categories(database):
    small = compact(MODELS["mixed"])
    table = FRAME.head(4).copy()
    table.loc[0, "debt"] = NAN
    table.loc[1, "the rate"] = NAN
    table.loc[2, "purpose"] = None
    table.loc[3, "purpose"] = "never seen"
    got = database(to_sql(small, "t", dialect=database.dialect), table)[:, 0]
    assert [value is None for value in got] == [False, True, False, False]
    close(got[[0, 2, 3]], small.predict(table.iloc[[0, 2, 3]]))
    stands_for = {"the rate": 0.25, "purpose": "car"}
    got = database(to_sql(small, "t", dialect=database.dialect, missing=stands_for), table)[:, 0]
    close(got, small.predict(table.fillna(stands_for)))


def test_scores_of_classes_that_read_different_inputs(database):
    """A row without one of the scores has none, and scores are no probabilities."""
    X = FRAME[["the rate", "age's"]]
    inputs = Inputs(tuple(X.columns), np.arange(2), 2)
    weights = Weights.from_values([[1.0, 0.0], [0.0, 0.5], [0.0, 0.0]])
    model = CompactLinear(weights, [0.0, 1.0, 2.0], inputs, link="softmax", classes=("a", "b", "c"))
    query = to_sql(model, "t", dialect=database.dialect, method="decision_function")
    close(database(query, X), model.decision_function(X))
    gap = database(query, X.assign(**{"the rate": NAN}))
    assert set(gap.ravel().tolist()) == {None}


def test_an_unknown_category_that_is_refused_gives_null():
    model = make_pipeline(OneHotEncoder(), Ridge()).fit(FRAME[["purpose"]], Y)
    got = run_sqlite(to_sql(model, "t"), pd.DataFrame({"purpose": ["car", "never seen", None]}))[:, 0]
    assert [value is None for value in got] == [False, True, True]


@pytest.mark.parametrize("kind", ["weights", "levels"])
def test_five_thousand_terms_run_in_sqlite(kind):
    rng = np.random.default_rng(0)
    if kind == "levels":
        model = of_block("category", {"levels": [f"l{j}" for j in range(5000)], "slots": range(5000), "other": -1})
        table = table_of([f"l{j}" for j in rng.integers(6000, size=30)])
    else:
        k = 100
        pairs = [(a, b) for a in range(k) for b in range(a, k)][:5000]
        block = Block.make("product", range(k), {"sizes": [2] * len(pairs), "factors": np.ravel(pairs)})
        inputs = Inputs(tuple(f"x {j}" for j in range(k)), np.arange(k), k)
        weights = Weights.from_values(rng.normal(size=(1, len(pairs))))
        model = CompactLinear(weights, [1.0], inputs, blocks=[block], columns=np.arange(len(pairs)) + k)
        table = pd.DataFrame(rng.normal(size=(3, k)), columns=inputs.labels)
    close(run_sqlite(to_sql(model, "t"), table), model.predict(table))


def test_two_thousand_inputs_run_in_sqlite():
    rng = np.random.default_rng(0)
    inputs = Inputs(tuple(f"x{j}" for j in range(2000)), np.arange(2000), 2000)
    model = CompactLinear(Weights.from_values(rng.normal(size=(1, 2000))), [1.0], inputs)
    table = pd.DataFrame(rng.normal(size=(2, 2000)), columns=inputs.labels)
    with sqlite3.connect(":memory:") as connection:
        names = ", ".join(f'"{name}"' for name in inputs.labels)
        connection.execute(f"CREATE TABLE t ({names})")
        for row in table.to_numpy().tolist():
            connection.execute(f"INSERT INTO t VALUES ({', '.join(map(repr, row))})")
        close(np.array(connection.execute(to_sql(model, "t")).fetchall()), model.predict(table))


def test_integer_models_are_added_up_as_integers():
    model = MODELS["integers"]
    total = NormalForm(model, "SQL").totals[0]
    assert not total.floats
    query = to_sql(model, "t")
    sums = query[query.rindex("THEN NULL ELSE ") : query.rindex(" AS REAL)")]
    # Without the bounds of the codes and the final scale there is nothing but whole numbers.
    written = re.findall(r"(?<![\w\"])\d[\d.]*(?:e-?\d+)?", re.sub(r'"skc_\d+"', "", sums))
    assert [number for number in written if not float(number).is_integer()] == [written[0]]
    close(run_sqlite(query, FRAME), model.predict(FRAME))
    small = of_block("bins", {"edges": [-1.0, 0.0], "slots": [0, -1, 1]}, codes=[5, -7])
    assert "THEN 5 WHEN" in to_sql(small, "t")


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("name", MODELS)
def test_queries_parse(name, dialect):
    sqlglot = pytest.importorskip("sqlglot")
    for method in ["predict", "decision_function", *(["predict_proba"] if compact(MODELS[name]).classes else [])]:
        query = to_sql(MODELS[name], ("schema", "some table"), dialect=dialect, method=method, columns=["key"])
        (tree,) = sqlglot.parse(query, read=dialect)
        read = {column.name for column in tree.find_all(sqlglot.exp.Column)}
        assert set(compact(MODELS[name]).inputs) <= read
        assert read & set(FRAME.columns) == set(compact(MODELS[name]).inputs)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_texts_and_names_survive_quoting(dialect):
    sqlglot = pytest.importorskip("sqlglot")
    strange = ["a'b", "back\\slash", "é\n"]
    model = of_block("category", {"levels": strange, "slots": range(3), "other": -1})
    (tree,) = sqlglot.parse(to_sql(model, "t", dialect=dialect), read=dialect)
    found = {literal.name for literal in tree.find_all(sqlglot.exp.Literal, sqlglot.exp.National)}
    assert set(strange) <= found


def test_truth_values_are_written_as_the_dialect_has_them(database):
    model = of_block("category", {"levels": (True, False), "slots": [0, 1], "other": -1})
    assert '"input 0" = TRUE' in to_sql(model, "t", dialect="postgres")
    assert "`input 0` = 1" in to_sql(model, "t", dialect="sqlite")
    table = pd.DataFrame({"input 0": [True, False, True]})
    close(database(to_sql(model, "t", dialect=database.dialect), table), model.predict(table))


@pytest.mark.parametrize(
    ("params", "options", "message"),
    [
        ({"levels": (None, NAN)}, {}, "tells None from NaN"),
        ({"levels": ("a", 1)}, {}, "mixes numbers and texts"),
        ({"levels": ("a", "")}, {"dialect": "oracle"}, "reads the empty text as NULL"),
        ({"levels": ("a", "b")}, {"dialect": "access"}, "dialect must be one of"),
        ({"levels": ("a", "b")}, {"method": "score"}, "method must be one of"),
        ({"levels": ("a", "b")}, {"method": "predict_proba"}, "no probabilities"),
        ({"levels": ("a", "b")}, {"missing": {"other": 1}}, "'other', which is no input"),
        ({"levels": ("a", "b")}, {"missing": [1]}, r"missing has \[1\] for 'input 0'"),
        ({"levels": ("a", "b")}, {"columns": "id"}, r"got the text 'id': write \['id'\]"),
        ({"levels": ("a", "b")}, {"columns": ["prediction"]}, "'prediction', which is the name of the output"),
        ({"levels": ("a", "b")}, {"output": None}, "output must be a name, .* got None"),
    ],
)
def test_what_cannot_be_written_is_an_error(params, options, message):
    model = of_block("category", {**params, "slots": [0, 1], "other": -1})
    with pytest.raises(ValueError, match=message):
        to_sql(model, "t", **options)


@pytest.mark.parametrize("table", [3, None, "", [], ["a", ""]])
def test_a_table_is_a_name_or_names(table):
    with pytest.raises(ValueError, match="table must be a name, or a sequence of names, got"):
        to_sql(MODELS["numbers"], table)


def test_a_column_that_the_table_lacks_is_an_error_of_the_database():
    table = FRAME[["amount", "the rate"]]
    with pytest.raises(sqlite3.OperationalError, match="no such column: age's"):
        run_sqlite(to_sql(MODELS["numbers"], "t"), table)
    with pytest.raises(sqlite3.OperationalError, match="no such column: id"):
        run_sqlite(to_sql(MODELS["numbers"], "t", columns=["id"]), FRAME)


def test_an_empty_text_is_no_number_in_sqlite():
    query = to_sql(MODELS["numbers"], "t")
    rows = FRAME.head(2)[["amount", "the rate", "age's"]].astype(object)
    rows.iloc[1, 0] = ""
    found = run_sqlite(query, rows).ravel()
    assert found[1] is None
    close(found[:1], compact(MODELS["numbers"]).predict(FRAME.head(1)))


@pytest.mark.parametrize("encoder", [OneHotEncoder(handle_unknown="ignore"), OneHotEncoder(drop="first")])
def test_nan_is_null_among_levels_that_are_numbers(encoder, database):
    table = pd.DataFrame({"size": [1.5, 2.5, NAN] * 10})
    model = make_pipeline(encoder, Ridge()).fit(table, np.arange(30.0) % 3)
    close(database(to_sql(model, "t", dialect=database.dialect), table), model.predict(table))
    filled = model.predict(table.fillna(2.5))
    close(database(to_sql(model, "t", dialect=database.dialect, missing=2.5), table), filled)


@pytest.mark.parametrize("kind", ["words", "hash"])
def test_texts_are_refused_by_name(kind):
    text = {"settings": [0, 1, 0, 1, 1, 0, 0], "stop_words": (), "norm": 0}
    rest = {
        "words": {"sublinear": 0, "words": ("fox",), "slots": [0], "idf": []},
        "hash": {"n_features": 64, "alternate": 1, "numbers": [3]},
    }
    with pytest.raises(ValueError, match=f"'{kind}' terms of input 'input 0' cannot be written in SQL"):
        to_sql(of_block(kind, {**text, **rest[kind]}), "t")


def test_names_with_quotes(database):
    table = pd.DataFrame({'a "b"': [1.0, 2.0], "c'd": [3.0, 5.0]})
    model = Ridge().fit(table, [1.0, 4.0])
    close(database(to_sql(model, 't "u"', dialect=database.dialect), table, 't "u"'), model.predict(table))
    with pytest.raises(ValueError, match="cannot quote the name"):
        to_sql(MODELS["classes"], 't"', dialect="oracle")


@pytest.mark.parametrize("n", [0, 1, 8, 9, 1000, 5000])
def test_balanced_sums_are_shallow(n):
    printed = balanced_sum(["1"] * n)
    depth = max(np.cumsum([(c == "(") - (c == ")") for c in printed] or [0]))
    assert printed.count("1") == n
    assert depth <= max(0, np.ceil(np.log2(max(n, 1) / 8)))

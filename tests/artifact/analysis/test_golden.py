import sqlite3

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

from skcompress import compact, to_python, to_sql

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "age": RNG.integers(18, 80, 100).astype(float),
        "rate": RNG.normal(size=100),
        "debt": np.where(RNG.random(100) < 0.2, np.nan, RNG.gamma(2, size=100)),
        "city": RNG.choice(["Rome", "Oslo"], 100),
        "term": RNG.choice([36, 60], 100),
    }
)
Y = FRAME["rate"] + (FRAME["city"] == "Rome")


def model(last=None, unknown="ignore", y=Y):
    columns = make_column_transformer(
        (KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform"), ["age"]),
        (StandardScaler(), ["rate"]),
        (SimpleImputer(add_indicator=True), ["debt"]),
        (OneHotEncoder(handle_unknown=unknown, sparse_output=False), ["city", "term"]),
    )
    return compact(make_pipeline(columns, last or Ridge()).fit(FRAME, y), cap=FRAME)


def test_rows_reach_ends_edges_levels_unseen_and_missing():
    small = model()
    rows = pd.DataFrame(small.golden_rows(FRAME))
    bins = next(block for block in small.blocks if block.kind == "bins")
    edges = bins.params["edges"]
    assert set(edges) | set(np.nextafter(edges, -np.inf)) <= set(rows["age"])
    assert {FRAME["rate"].min(), FRAME["rate"].max()} <= set(rows["rate"])
    assert rows["debt"].isna().any()
    assert rows["rate"].isna().any()
    assert {"Rome", "Oslo", "(unseen)", None} == set(small.golden_rows(FRAME)["city"])
    assert {36, 60, 61} <= set(rows["term"])
    # But for a few rows of X, they differ in one input from one of those.
    usual = rows.iloc[2]
    varied = rows.iloc[5:].apply(lambda row: sum(a != b for a, b in zip(row, usual, strict=True)), axis=1)
    assert varied.max() <= 1 + int(pd.isna(usual).sum())


def test_another_system_is_verified_row_by_row():
    small = model()
    rows = small.golden_rows(FRAME)
    module = {}
    exec(to_python(small), module)

    def score(row):
        try:
            return module["predict"](row)
        except ValueError:
            return None

    scores = [score(dict(zip(rows, values, strict=True))) for values in zip(*rows.values(), strict=True)]
    assert None in scores
    assert small.verify(scores, rows) < 1e-12
    frame = pd.DataFrame(rows)
    with sqlite3.connect(":memory:") as connection:
        frame.astype(object).where(frame.notna(), None).to_sql("t", connection, index=False)
        found = [answer for (answer,) in connection.execute(to_sql(small, "t"))]
    assert small.verify(found, rows) < 1e-12


def test_a_wrong_score_is_shown_with_its_row():
    small = model()
    good = FRAME.dropna()
    scores = small.predict(good)
    assert small.verify(scores, good) == 0
    off = scores.copy()
    off[7] += 0.5
    with pytest.raises(ValueError, match=rf"1 of {len(good)} scores differ .* the worst is row 7: expected .* at age="):
        small.verify(off, good)
    assert small.verify(off, good, tolerance=1.0) > 0.1
    off[7] = np.nan
    with pytest.raises(ValueError, match="got no prediction"):
        small.verify(off, good)
    with pytest.raises(ValueError, match=r"one entry for each of the .* rows of X, got 3"):
        small.verify(off[:3], good)
    with pytest.raises(ValueError, match="must have the shape"):
        small.verify(np.column_stack([scores, scores]), good)


def test_a_prediction_where_the_model_has_none_is_wrong():
    small = model(unknown="error")
    rows = FRAME.head(3).assign(city=["Rome", "Paris", "Oslo"])
    right = [small.predict(rows.iloc[[0]])[0], None, small.predict(rows.iloc[[2]])[0]]
    assert small.verify(right, rows) == 0
    with pytest.raises(ValueError, match="the worst is row 1: expected no prediction, got"):
        small.verify([right[0], 1.0, right[2]], rows)


def test_labels_and_probabilities():
    small = model(LogisticRegression(), y=np.where(Y > 0.5, "good", "bad"))
    labels = small.predict(FRAME)
    assert small.verify(labels, FRAME) == 0
    assert (
        small.verify(small.predict_proba(FRAME).astype(np.float32), FRAME, method="predict_proba", tolerance=1e-6) > 0
    )
    labels[3] = "good" if labels[3] == "bad" else "bad"
    with pytest.raises(ValueError, match="the worst is row 3"):
        small.verify(labels, FRAME)


def test_dictionaries_and_arrays():
    rows = [{"city": "Rome", "age": 3.0}, {"age": 2.0}, {"city": "Oslo"}, {"city": "Rome", "age": 1.0}]
    small = compact(make_pipeline(DictVectorizer(), Ridge()).fit(rows, [1.0, 2, 3, 5]))
    golden = small.golden_rows(rows)
    assert {} not in golden[:4]
    assert {"age"} in [set(row) for row in golden]
    assert {"city"} in [set(row) for row in golden]
    assert {"city": "(unseen)", "age": 2.0} in [{**row, "age": 2.0} for row in golden]
    assert small.verify([small.predict([row])[0] for row in golden], golden) == 0
    table = pd.DataFrame(golden)
    with sqlite3.connect(":memory:") as connection:
        table.astype(object).where(table.notna(), None).to_sql("t", connection, index=False)
        found = [answer for (answer,) in connection.execute(to_sql(small, "t"))]
    assert small.verify(found, golden) < 1e-12
    plain = compact(Ridge().fit(FRAME[["age", "rate"]].to_numpy(), Y))
    golden = plain.golden_rows(FRAME[["age", "rate"]].to_numpy())
    table = np.column_stack(list(golden.values()))
    kept = np.isfinite(table).all(axis=1)
    scores = np.full(len(table), np.nan)
    scores[kept] = plain.predict(table[kept])
    assert plain.verify(scores, table) == 0


def test_texts_and_no_rows_are_errors():
    texts = compact(make_pipeline(CountVectorizer(), Ridge()).fit(["a text", "some text"], [1.0, 2.0]))
    with pytest.raises(ValueError, match="golden_rows needs a model of tables or mappings"):
        texts.golden_rows(["a text"])
    assert texts.verify(texts.predict(["text"]), ["text"]) == 0
    with pytest.raises(ValueError, match="X must have at least one row"):
        model().golden_rows(FRAME.head(0))


def test_edges_are_found_behind_a_scaler():
    X = FRAME[["age"]]
    bins = KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform")
    model = make_pipeline(StandardScaler(), bins, Ridge()).fit(X, Y)
    small = compact(model)
    rows = small.golden_rows(X)
    codes = model[:-1].transform(pd.DataFrame(rows).dropna()).argmax(axis=1)
    ages = np.sort(rows["age"][~np.isnan(rows["age"])])
    codes = codes[np.argsort(rows["age"][~np.isnan(rows["age"])])]
    jumps = np.flatnonzero(np.diff(codes))
    assert len(jumps) == 3
    assert np.array_equal(np.nextafter(ages[jumps], np.inf), ages[jumps + 1])


@pytest.mark.parametrize(
    ("scores", "options", "message"),
    [
        ([1.0], {"method": "score"}, "method must be one of"),
        ([1.0], {"method": "predict_proba"}, "no probabilities"),
        ([1.0], {"tolerance": -1}, "tolerance must be a number that is not negative, got -1"),
        ([1.0], {"tolerance": float("nan")}, "tolerance must be"),
        (1.0, {}, "one entry for each of the 1 rows of X, got a single value"),
        (["high"], {}, "scores must be numbers, got 'high'"),
    ],
)
def test_wrong_checks_say_what_is_wrong(scores, options, message):
    rows = FRAME[FRAME["debt"].notna()].head(1)
    with pytest.raises(ValueError, match=message):
        model().verify(scores, rows, **options)
    assert model().verify([], rows.head(0)) == 0
    assert model().verify(iter(model().predict(rows)), rows) == 0

"""Every export of a card gives rows with missing, unseen and special values the points that the card gives them."""

import itertools
import shutil

import numpy as np
import pandas as pd
import pytest
from test_c import call, compiled, read
from test_python import function_of

from skcompress import CompactLinear, ScorecardClassifier, to_c, to_sql

NEW = "never had them in training"


@pytest.fixture(scope="module")
def applicants():
    rng = np.random.default_rng(0)
    n = 3000
    X = pd.DataFrame(
        {
            "income": rng.gamma(4, 10, n).round(1),
            "months": rng.integers(0, 60, n).astype(float),
            "debt": rng.integers(0, 9, n).astype(float),
            "home": rng.choice(["own", "rent", "mortgage"], n, p=[0.6, 0.3, 0.1]),
            "job": rng.choice(["clerk", "nurse", None], n),
        }
    )
    X.loc[rng.random(n) < 0.2, "months"] = np.nan
    X.loc[rng.random(n) < 0.2, "debt"] = -9.0
    eta = 1 - 0.06 * X["income"] + 0.02 * X["months"].fillna(90) + 0.2 * X["debt"].clip(0) - 1.5 * (X["debt"] == -9)
    eta = eta + 1.5 * (X["home"] == "own") - 1.0 * (X["home"] == "rent") + (X["job"] == "nurse") + 0.5 * X["job"].isna()
    return X, np.where(rng.random(n) < 1 / (1 + np.exp(-eta)), "bad", "good")


@pytest.fixture(scope="module")
def card(applicants):
    card = ScorecardClassifier(n_lines=16, special_codes={"months": [-1], "debt": [-9, -8]}).fit(*applicants)
    assert set(card.points_table_["input"]) == set(applicants[0].columns)
    assert set(card.neutral_points_.index) == {"income", "debt", "home", "job"}
    assert (card.neutral_points_ != 0).sum() >= 3
    return card


@pytest.fixture(scope="module")
def rows():
    """Every combination of usual values and of those that training never had."""
    values = {
        "income": [12.0, 80.0, np.nan],
        "months": [3.0, 50.0, np.nan, -1.0],
        "debt": [0.0, 7.0, -9.0, -8.0, np.nan],
        "home": ["own", "rent", "castle", None],
        "job": ["clerk", "nurse", "smith", None],
    }
    frame = pd.DataFrame(list(itertools.product(*values.values())), columns=list(values))
    return (
        frame.astype({"home": object, "job": object}).where(frame.notna(), None).astype(frame.dtypes.iloc[:3].to_dict())
    )


@pytest.fixture(scope="module")
def totals(card, rows):
    """The points of each row, added up by hand from the printed card."""
    table = card.to_scorecard().iloc[1:]
    total = np.zeros(len(rows))
    for name, points in table.groupby("input"):
        column = rows[name].replace(-1.0, np.nan) if name == "months" else rows[name]
        column = column.replace(-8.0, np.nan) if name == "debt" else column
        neutral = points["condition"].str.endswith("(neutral)")
        for value in column.unique():
            holds = [_holds(value, condition, name) for condition in points["condition"]]
            is_new = value == "castle" or value == "smith" or (pd.isna(value) and name in ("income", "debt", "home"))
            held = neutral if is_new else np.array(holds) & ~neutral
            total[(column == value) | (column.isna() & pd.isna(value))] += points.loc[held, "points"].sum()
    return total


def _holds(value, condition, name):
    if pd.isna(value) or condition.startswith("is"):
        return pd.isna(value) and condition == "is missing"
    if condition.startswith(">"):
        return float(value) > float(condition[2:]) and not (name == "debt" and value == -9)
    return str(value) in (condition[2:], f"{condition[2:]}.0")


def test_the_card_gives_what_its_table_says(card, rows, totals):
    with pytest.warns(UserWarning, match=NEW):
        assert card.points_of(rows).tolist() == totals.tolist()


def test_compact_form_and_its_bytes(card, rows, totals):
    assert card.points_compact_.predict(rows).tolist() == totals.tolist()
    again = CompactLinear.from_bytes(card.compact_.to_bytes())
    np.testing.assert_allclose(again.decision_function(rows), card.intercept_ + card.multiplier_ * totals, rtol=1e-14)


def test_sql(card, rows, totals, database):
    got = database(to_sql(card.points_compact_, "t", dialect=database.dialect), rows)
    assert got.ravel().astype(float).tolist() == totals.tolist()


def test_python(card, rows, totals):
    predict = function_of(card.points_compact_)
    assert [predict(row) for row in rows.to_dict("records")] == totals.tolist()


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_c(card, rows, totals, tmp_path):
    small = card.points_compact_
    library = compiled({"card": to_c(small, name="card")}, tmp_path)
    assert call(library, "card", "predict", read(small, rows), 1)[:, 0].tolist() == totals.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_onnx(card, rows, totals, dtype):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from test_onnx import run

    assert np.ravel(run(card.points_compact_, rows, dtype=dtype)["prediction"]).tolist() == totals.tolist()


@pytest.fixture(scope="module")
def strict(applicants):
    options = {"n_lines": 16, "special_codes": {"months": [-1], "debt": [-9, -8]}, "handle_missing": "error"}
    return ScorecardClassifier(**options).fit(*applicants)


def refused(rows):
    new = rows["income"].isna() | rows["debt"].isin([-8.0]) | rows["debt"].isna()
    return (new | rows["home"].isna() | rows["home"].eq("castle") | rows["job"].eq("smith")).to_numpy()


def test_a_strict_card_answers_the_other_rows_alike_and_has_no_neutral_points(card, strict, rows, totals):
    known = ~refused(rows)
    assert strict.points_of(rows[known]).tolist() == totals[known].tolist()
    assert strict.points_compact_.predict(rows[known]).tolist() == totals[known].tolist()
    assert not len(strict.neutral_points_)
    assert not strict.to_scorecard()["condition"].str.contains("neutral").any()


def test_a_strict_card_and_its_exports_refuse_the_same_rows(strict, rows):
    predict = function_of(strict.points_compact_)
    for place in np.flatnonzero(refused(rows))[::17]:
        row = rows.iloc[[place]]
        with pytest.raises(ValueError, match=f"^column '(income|debt|home|job)' is .* in row {place}, and never was"):
            strict.points_of(row)
        with pytest.raises(ValueError, match=r"input|no finite prediction"):
            strict.points_compact_.predict(row)
        with pytest.raises(ValueError, match=r"input|no finite prediction"):
            predict(row.to_dict("records")[0])


def test_sql_of_a_strict_card_has_no_score_for_them(strict, rows, database):
    got = database(to_sql(strict.points_compact_, "t", dialect=database.dialect), rows).ravel().astype(float)
    assert np.isnan(got).tolist() == refused(rows).tolist()

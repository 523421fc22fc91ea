"""Values that training never had: neutral points, a warning, a count, or a refusal that names the row."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_score
from wrapped import KNOWS_POLARS

from skcompress import ScorecardClassifier, StepEncoder, compact

GERMAN = Path(__file__).parents[1] / "data" / "german_credit.csv.gz"


@pytest.fixture
def loans():
    """A complete frame with a shuffled index of strings, and y."""
    rng = np.random.default_rng(3)
    n = 800
    X = pd.DataFrame(
        {
            "income": rng.gamma(4, 10, n).round(1),
            "owns": rng.random(n) < 0.4,
            "rooms": rng.integers(1, 6, n),
            "home": rng.choice(["own", "rent", "other"], n, p=[0.7, 0.2, 0.1]),
        },
        index=[f"c-{place}" for place in rng.permutation(n)],
    )
    eta = 1 - 0.06 * X["income"] + 0.8 * X["owns"] + 0.4 * X["rooms"] + 1.5 * (X["home"] == "rent")
    return X, pd.Series(rng.random(n) < 1 / (1 + np.exp(-eta)), index=X.index)


@pytest.fixture
def card(loans):
    card = ScorecardClassifier(n_lines=8).fit(*loans)
    assert set(card.points_table_["input"]) == set(loans[0].columns)
    return card


def quietly(answer, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return answer(*args)


def changed(X, row, **values):
    """The frame with other values in one row."""
    X = X.astype(dict.fromkeys(values, object))
    for name, value in values.items():
        X.loc[row, name] = value
    return X


def test_neutral_points_are_the_mean_of_the_training_rows_rounded(loans, card):
    X, _ = loans
    table = card.points_table_
    names = card.encoder_.get_feature_names_out().tolist()
    place = [names.index(name) for name in table["input"] + " " + table["condition"]]
    mean = (card.encoder_.transform(X)[:, place] * table["points"].to_numpy()).mean(axis=0)
    expected = pd.Series(mean).groupby(table["input"].to_numpy()).sum()
    assert card.neutral_points_.to_dict() == expected.round().astype(int).to_dict()


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("name", ["income", "owns", "rooms", "home"])
def test_a_new_value_changes_the_points_of_its_input_alone(loans, card, name, missing):
    X, _ = loans
    row = X.index[5]
    new = changed(X, row, **{name: missing})
    before = card.reason_codes(X.loc[[row]], n=4).iloc[0]
    with pytest.warns(UserWarning, match=f"column '{name}' has missing values and never had them"):
        points = card.points_of(new)
    others = np.arange(len(X)) != 5
    assert points[others].tolist() == card.points_of(X)[others].tolist()
    after = card.reason_codes(new.loc[[row]], n=4).iloc[0]
    told = {after[f"reason_{j}"]: after[f"points_{j}"] for j in range(1, 5)}
    known = {before[f"reason_{j}"]: before[f"points_{j}"] for j in range(1, 5)}
    assert {key: value for key, value in told.items() if key != name} == pytest.approx(
        {key: value for key, value in known.items() if key not in (name, None)} | ({None: 0} if None in told else {})
    )
    assert points[5] - card.points_of(X)[5] == pytest.approx(told.get(name, 0) - known.get(name, 0))
    average = card.reason_codes(new.loc[[row]], "average", n=4).iloc[0]
    rounding = dict(zip(average.filter(like="reason"), average.filter(like="points"), strict=True)).get(name, 0.0)
    assert rounding <= 0.5


def test_new_values_are_counted_and_warned_of_once(loans, card):
    X, _ = loans
    new = changed(changed(X, X.index[1], income=np.nan), X.index[2], home="castle", income=np.nan)
    assert card.neutral_counts(new).to_dict() == {"income": 2, "owns": 0, "rooms": 0, "home": 1}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for rows in (new, new, new.iloc[:2]):
            card.predict_proba(rows)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 2
    assert "'income' has missing values" in messages[0]
    assert "'home' has unseen values" in messages[1]


def test_an_error_names_the_row_by_the_users_index(loans):
    X, y = loans
    card = ScorecardClassifier(n_lines=8, handle_missing="error").fit(X, y)
    with pytest.raises(ValueError, match=f"column 'income' is missing in row '{X.index[7]}'"):
        card.predict(changed(X, X.index[7], income=np.nan))
    with pytest.raises(ValueError, match=f"column 'home' is 'castle' in row '{X.index[9]}'"):
        card.predict(changed(X, X.index[9], home="castle"))
    with pytest.raises(ValueError, match="handle_missing='drop' must be one of"):
        card.set_params(handle_missing="drop").fit(X, y)


@KNOWS_POLARS
def test_an_error_names_the_row_of_a_polars_frame_by_its_place(loans):
    X, y = loans
    card = ScorecardClassifier(n_lines=8, handle_missing="error").fit(X, y)
    frame = pl.from_pandas(changed(X, X.index[4], income=None).astype({"income": float}).reset_index(drop=True))
    with pytest.raises(ValueError, match="column 'income' is missing in row 4"):
        card.predict(frame)


def test_what_the_card_does_not_use_may_be_anything(loans):
    X, y = loans
    card = ScorecardClassifier(n_lines=1, handle_missing="error").fit(X, y)
    (used,) = set(card.points_table_["input"])
    other = next(name for name in X.columns if name != used)
    assert card.points_of(changed(X, X.index[3], **{other: None})).tolist() == card.points_of(X).tolist()


def test_rows_without_weight_are_no_training_rows(loans):
    X, y = loans
    weight = np.ones(len(X))
    weight[:3] = 0
    new = changed(X, X.index[1], income=np.nan)
    card = ScorecardClassifier(n_lines=8).fit(new, y, sample_weight=weight)
    alone = ScorecardClassifier(n_lines=8).fit(X.iloc[3:], y.iloc[3:])
    pd.testing.assert_frame_equal(card.to_scorecard(), alone.to_scorecard())


def test_weights_count_in_the_neutral_points(loans):
    X, y = loans
    weight = np.random.default_rng(0).integers(1, 4, len(X))
    card = ScorecardClassifier(n_lines=8).fit(X, y, sample_weight=weight)
    repeated = ScorecardClassifier(n_lines=8).fit(X.loc[X.index.repeat(weight)], y.loc[y.index.repeat(weight)])
    pd.testing.assert_series_equal(card.neutral_points_, repeated.neutral_points_)


def test_a_code_that_training_never_had_is_like_a_missing_value(loans):
    X, y = loans
    card = ScorecardClassifier(n_lines=8, special_codes=[-1, -2]).fit(X, y)
    with pytest.warns(UserWarning, match="'income' has unseen values"):
        coded = card.points_of(X.assign(income=-2.0))
    with pytest.warns(UserWarning, match="'income' has missing values"):
        assert coded.tolist() == card.points_of(X.assign(income=np.nan)).tolist()


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_a_column_without_any_value_is_missing_whatever_its_type(loans, card, kind):
    X, _ = loans
    row = {name: [value] for name, value in X.iloc[0].items()}
    for name in X.columns:
        points = quietly(card.points_of, kind({**row, name: [None]}))
        assert points.tolist() == card.points_compact_.predict({**row, name: [None]}).tolist()


def test_german_credit_with_one_missing_value_is_cross_validated():
    X = pd.read_csv(GERMAN)
    y = X.pop("creditability") == "bad"

    def scores(X):
        folds = StratifiedKFold(3, shuffle=True, random_state=0)
        return cross_val_score(ScorecardClassifier(n_lines=6), X, y, cv=folds, scoring="roc_auc", error_score="raise")

    whole = quietly(scores, X)
    for name in ("status_of_existing_checking_account", "duration_in_month"):
        column = X[name].astype(object)
        column.iloc[100] = np.nan
        np.testing.assert_allclose(quietly(scores, X.assign(**{name: column})), whole, atol=0.03)


def test_a_step_encoder_names_the_row_and_the_way_out(loans):
    X, _ = loans
    encoder = StepEncoder().fit(X)
    with pytest.raises(ValueError, match=f"'income' has a missing value in row '{X.index[2]}'.*SimpleImputer"):
        encoder.transform(changed(X, X.index[2], income=np.nan))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, np.inf], "'income' contains infinity, inf in row 'b'"),
        ([pd.Timestamp("2020-01-01"), None], "'income' holds Timestamp.*in row 'a'.*make numbers of dates"),
        ([1 + 2j, 2.0], r"'income' holds \(1\+2j\) in row 'a'"),
        ([[1], [2]], r"'income' holds \[1\] in row 'a', of type list"),
    ],
)
def test_what_is_no_number_and_no_category_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        StepEncoder().fit(pd.DataFrame({"income": pd.Series(values, index=["a", "b"])}))


def test_two_columns_of_one_name_are_refused(loans):
    X, y = loans
    with pytest.raises(ValueError, match="two columns named 'income'"):
        ScorecardClassifier().fit(pd.concat([X, X[["income"]]], axis=1), y)


def test_an_identifier_gets_no_lines_and_a_warning(loans):
    X, y = loans
    named = X.assign(customer=X.index)
    with pytest.warns(UserWarning, match="'customer' has 800 distinct categories in 800 rows, like an identifier"):
        card = ScorecardClassifier(n_lines=8).fit(named, y)
    assert card.points_table_.equals(ScorecardClassifier(n_lines=8).fit(X, y).points_table_)
    assert compact(card).predict(named.assign(customer="z")).tolist() == card.predict(named).tolist()


def test_repr_shows_the_card(card):
    assert repr(ScorecardClassifier(n_lines=8)) == "ScorecardClassifier(n_lines=8)"
    text = repr(card)
    for condition in card.to_scorecard()["condition"]:
        assert condition in text
        assert condition.replace(">", "&gt;") in card.to_html()
    assert f"log-odds of True = {card.intercept_:.4g}" in text

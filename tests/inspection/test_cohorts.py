"""Segments, swap sets and calibration against the same numbers counted by pandas."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skcompress.inspection import cohorts
from skcompress.inspection.cohorts import Rows


@pytest.fixture
def table():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 200).astype(float)
    before = np.clip(0.3 + 0.2 * y + 0.15 * rng.standard_normal(200), 0, 1)
    frame = pd.DataFrame({"y": y, "before": before, "weight": rng.random(200)})
    frame["after"] = np.clip(before + 0.1 * rng.standard_normal(200), 0, 1)
    frame["town"] = rng.choice(["Ely", "Bath", "Wells"], 200)
    return frame


def rows_of(table, cutoff=None, approve="below"):
    before, after = table["before"].to_numpy(), table["after"].to_numpy()
    weight = table["weight"].to_numpy()
    approved = cohorts.approvals(before, after, cutoff, approve)
    return Rows(table["y"].to_numpy(), before, after, weight / weight.sum(), approved)


def mean(part, column):
    return np.average(part[column], weights=part["weight"])


@pytest.mark.parametrize("approve", ["below", "above"])
def test_segments_are_weighted_means_and_approval_rates(table, approve):
    labels = cohorts.segment_labels({"town": table["town"]}, None, len(table))
    found = cohorts.segment_table(rows_of(table, 0.4, approve), labels).set_index("level")
    assert found.index.tolist() == ["Bath", "Ely", "Wells"]
    rates = {}
    for when in ("before", "after"):
        table["approved"] = table[when] < 0.4 if approve == "below" else table[when] >= 0.4
        rates[when] = {town: mean(part, "approved") for town, part in table.groupby("town")}
    for town, part in table.groupby("town"):
        line = found.loc[town]
        assert line["rows"] == len(part)
        assert line["share"] == pytest.approx(part["weight"].sum() / table["weight"].sum())
        assert line["observed"] == pytest.approx(mean(part, "y"))
        for when in ("before", "after"):
            assert line[f"mean {when}"] == pytest.approx(mean(part, when))
            assert line[f"approved {when}"] == pytest.approx(rates[when][town])
            assert line[f"impact ratio {when}"] == pytest.approx(rates[when][town] / max(rates[when].values()))
        assert line["after / before"] == pytest.approx(mean(part, "after") / mean(part, "before"))


def test_without_a_cutoff_nothing_is_decided(table):
    rows = rows_of(table)
    found = cohorts.segment_table(rows, cohorts.segment_labels({"town": table["town"]}, None, 200))
    assert not [name for name in found if "approved" in name or "impact" in name]
    assert cohorts.swap_set(rows) is None


def test_the_swap_set_holds_each_row_once_with_what_was_observed(table):
    found = cohorts.swap_set(rows_of(table, 0.4))
    groups = {
        "approved by both": (True, True),
        "swapped in: approved now": (False, True),
        "swapped out: declined now": (True, False),
        "declined by both": (False, False),
    }
    assert found["rows"].sum() == len(table)
    assert found["share"].sum() == pytest.approx(1.0)
    for name, (before, after) in groups.items():
        part = table[((table["before"] < 0.4) == before) & ((table["after"] < 0.4) == after)]
        assert found.loc[name, "rows"] == len(part) > 0
        for column, ours in (("y", "observed"), ("before", "mean before"), ("after", "mean after")):
            assert found.loc[name, ours] == pytest.approx(mean(part, column))


def test_an_empty_cohort_has_no_mean(table):
    found = cohorts.swap_set(rows_of(table.assign(after=table["before"]), 0.4))
    assert found.loc["swapped in: approved now", "rows"] == 0
    assert np.isnan(found.loc["swapped in: approved now", "observed"])


def test_calibration_bins_are_tenths_of_each_models_own_order(table):
    table["weight"] = 1.0
    found = cohorts.calibration_table(rows_of(table))
    for when in ("before", "after"):
        order = table.sort_values(when, kind="stable")
        for tenth in range(10):
            part = order.iloc[20 * tenth : 20 * (tenth + 1)]
            assert found.loc[tenth + 1, f"predicted {when}"] == pytest.approx(part[when].mean())
            assert found.loc[tenth + 1, f"observed {when}"] == pytest.approx(part["y"].mean())


def test_the_distribution_of_changes_is_numpys(table):
    table["weight"] = 1.0
    change = (table["after"] - table["before"]).to_numpy()
    found = cohorts.change_distribution(rows_of(table))["after - before"]
    expected = [change.mean(), change.std(), np.sqrt((change**2).mean()), change.min(), change.max()]
    names = ["mean", "standard deviation", "root mean square", "minimum", "maximum"]
    np.testing.assert_allclose(found[names], expected, rtol=1e-12)
    percents = (1, 5, 25, 50, 75, 95, 99)
    expected = np.quantile(change, np.array(percents) / 100, method="inverted_cdf")
    np.testing.assert_array_equal(found[[f"{percent}% quantile" for percent in percents]], expected)


def test_the_most_changed_rows_come_first_under_their_own_labels(table):
    table.index = [f"loan {place}" for place in range(200)]
    found = cohorts.most_changed(rows_of(table), table.index, 20)
    expected = (table["after"] - table["before"]).abs().nlargest(20)
    assert found.index.tolist() == expected.index.tolist()
    np.testing.assert_array_equal(found["change"].abs(), expected)
    np.testing.assert_array_equal(found["observed"], table.loc[expected.index, "y"])


class TestLabels:
    FRAME = pd.DataFrame({"sex": [1, 2, 2, 1], "town": ["a", "b", None, "a"]})

    @pytest.mark.parametrize(
        ("segments", "names"),
        [
            (None, []),
            ("sex", ["sex"]),
            (["town", "sex"], ["town", "sex"]),
            ({"age": [1, 1, 2, 2]}, ["age"]),
            (pd.Series([1, 1, 2, 2], name="age"), ["age"]),
            (pd.Series([1, 1, 2, 2]), ["segment"]),
            (pd.DataFrame({"u": list("xyxy"), "v": list("aabb")}), ["u", "v"]),
            (np.array(["x", "y", "x", "y"]), ["segment"]),
            (pl.Series("age", [1, 1, 2, 2]), ["age"]),
            (pl.DataFrame({"u": list("xyxy"), "v": list("aabb")}), ["u", "v"]),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_segments_come_in_many_forms(self, segments, names):
        assert list(cohorts.segment_labels(segments, self.FRAME, 4)) == names

    def test_names_of_columns_are_that_for_as_many_rows_too(self):
        assert list(cohorts.segment_labels("sex", self.FRAME[:1], 1)) == ["sex"]
        assert list(cohorts.segment_labels(["town", "sex"], self.FRAME[:2], 2)) == ["town", "sex"]
        assert cohorts.segment_labels(["Ely", "Bath"], self.FRAME[:2], 2)["segment"].tolist() == ["Ely", "Bath"]

    def test_a_missing_value_is_a_level_of_its_own(self):
        assert cohorts.segment_labels("town", self.FRAME, 4)["town"].tolist() == ["a", "b", "missing", "a"]
        numbers = cohorts.segment_labels({"x": [1.0, np.nan, 1.0, 2.5]}, None, 4)["x"]
        assert numbers.tolist() == ["1", "missing", "1", "2.5"]

    def test_many_numbers_are_cut_into_fifths(self):
        labels = cohorts.segment_labels({"x": np.append(np.arange(99.0), np.nan)}, None, 100)["x"]
        levels, counts = np.unique(labels, return_counts=True)
        assert len(levels) == 6
        assert sorted(counts) == [1, 19, 20, 20, 20, 20]

    def test_levels_are_in_the_order_of_their_numbers(self):
        rows = Rows(np.zeros(4), np.ones(4), np.ones(4), np.full(4, 0.25))
        labels = cohorts.segment_labels({"x": [10, 9, 100, 9]}, None, 4)
        assert cohorts.segment_table(rows, labels)["level"].tolist() == ["9", "10", "100"]

    def test_what_is_no_segment_is_named(self):
        with pytest.raises(ValueError, match="'age', which is no column of X"):
            cohorts.segment_labels(["sex", "age"], self.FRAME, 4)
        with pytest.raises(ValueError, match=r"segments\['u'\] must have one label for each of the 4 rows, got \(3,\)"):
            cohorts.segment_labels({"u": [1, 2, 3]}, self.FRAME, 4)


def test_numbers_that_differ_are_levels_of_their_own():
    branches = np.where(np.arange(8) % 2, 1000001, 1000002)
    labels = cohorts.segment_labels({"branch": branches, "rate": np.arange(8) / 3 % 1}, None, 8)
    assert set(labels["branch"]) == {"1000001", "1000002"}
    assert len(set(labels["rate"])) == len(set(np.arange(8) / 3 % 1))


def test_rows_with_equal_predictions_share_a_bin(table):
    table["before"], table["after"] = table["before"].round(1), table["after"].round(1)
    found = cohorts.calibration_table(rows_of(table))
    again = cohorts.calibration_table(rows_of(table.sort_values("y")))
    pd.testing.assert_frame_equal(found, again)
    means = table.groupby("before")[["y", "weight"]].apply(lambda part: np.average(part["y"], weights=part["weight"]))
    filled = found.dropna(subset=["observed before"])
    single = filled[filled["predicted before"].round(9).isin(means.index)]
    assert len(single) > 3
    expected = means.loc[single["predicted before"].round(9)].to_numpy()
    np.testing.assert_allclose(single["observed before"], expected)


def test_a_level_without_weight_leaves_the_ratios_of_the_others(table):
    table.loc[table["town"] == "Bath", "weight"] = 0.0
    labels = cohorts.segment_labels({"town": table["town"]}, None, len(table))
    found = cohorts.segment_table(rows_of(table, 0.4), labels).set_index("level")
    ratios = found["impact ratio after"]
    assert np.isnan(ratios["Bath"])
    assert ratios[["Ely", "Wells"]].max() == 1
    assert ratios[["Ely", "Wells"]].notna().all()


def test_infinite_numbers_are_a_level_of_their_own():
    values = np.append(np.arange(40.0), [np.inf, -np.inf])
    labels = cohorts.segment_labels({"x": values}, None, 42)["x"]
    assert list(labels[-2:]) == ["missing", "missing"]
    assert "missing" not in labels[:-2]


def test_names_need_a_frame():
    with pytest.raises(ValueError, match=r"segments=\['town'\] names columns, but X has no names"):
        cohorts.segment_labels("town", np.zeros((5, 2)), 5)

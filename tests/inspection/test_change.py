"""change_report: what stands in it, for which models, and how it reads."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skcompress
from skcompress import PrunedClassifier, PrunedRegressor, QuantizedRegressor, change_report, max_change
from skcompress.inspection.change import fingerprint

VOID = {"meta", "br"}


class Outline(HTMLParser):
    """Checks that tags close in order, and keeps headings and the cells of each table."""

    def __init__(self, page):
        super().__init__()
        self.open, self.headings, self.tables, self._text = [], [], [], ""
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self._text = ""
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "h2":
            self.headings.append(self._text)
        if tag in ("td", "th"):
            self.tables[-1][-1].append(self._text)

    def handle_data(self, data):
        self._text += data


@pytest.fixture
def loans():
    """A frame, a target, and a town that no model sees."""
    rng = np.random.default_rng(9)
    X = pd.DataFrame(rng.standard_normal((300, 4)), columns=["age", "income", "term", "debt"])
    X.index = [f"loan {place}" for place in range(300)]
    y = (X @ [1.0, -1.0, 0.5, 0.2] + rng.standard_normal(300) > 0).astype(int)
    return X, y, rng.choice(["Ely", "Bath | <b>Wells</b>"], 300)


@pytest.fixture
def models(loans):
    X, y, _ = loans
    base = make_pipeline(StandardScaler(), LogisticRegression())
    return base.fit(X, y), PrunedClassifier(base, n_nonzero=2).fit(X, y)


HEADINGS = [
    "Models",
    "Accuracy",
    "Change of the prediction",
    "Histogram of the change",
    "Most changed rows",
    "Segments",
    "Decisions at the cutoff",
    "Calibration",
    "Largest possible change",
    "Facts",
    "Sign-off",
]


def test_a_report_holds_everything_that_was_asked(loans, models):
    X, y, town = loans
    base, small = models
    report = change_report(base, small, X, y, segments={"town": town}, cutoff=0.4)
    before, after = base.predict_proba(X)[:, 1], small.predict_proba(X)[:, 1]
    assert report.metrics.loc["AUC", "before"] == pytest.approx(roc_auc_score(y, before))
    assert report.metrics.loc["AUC", "after"] == pytest.approx(roc_auc_score(y, after))
    assert len(report.most_changed) == 20
    assert report.most_changed.index[0] == X.index[np.abs(after - before).argmax()]
    assert report.histogram["rows"].sum() == 300
    assert report.segments["level"].tolist() == ["Bath | <b>Wells</b>", "Ely"]
    assert report.swap_set.loc["approved by both", "rows"] == ((before < 0.4) & (after < 0.4)).sum()
    assert report.models["model id"].tolist() == [skcompress.compact(m).model_id for m in models]
    assert report.models["weights"].tolist() == [4, 2]
    assert report.largest_change.loc["largest change", "share"] == max_change(base, small, bounds=X).value
    assert report.facts["decision"] == "approved below 0.4"
    assert report.facts["data fingerprint"] == fingerprint(X, y)
    assert report.facts["skcompress"] == skcompress.__version__
    assert report.facts["scikit-learn"] == sklearn.__version__
    assert report.facts["compressed"].endswith("n_nonzero=2)")
    assert report.facts["steps"].startswith(
        "LogisticRegression 4 weights of 64 bits, loss 0, PrunedClassifier 2 weights"
    )


def test_the_page_is_whole_and_escapes_what_it_is_given(loans, models):
    X, y, town = loans
    report = change_report(*models, X, y, segments={"town <i>": town}, cutoff=0.4)
    page = report.to_html()
    outline = Outline(page)
    assert outline.headings == HEADINGS
    assert page.startswith("<!DOCTYPE html>")
    assert not re.search(r"<(script|link|img)|http|<b>|<i>", page)
    segments = outline.tables[HEADINGS.index("Segments")]
    assert segments[1][:3] == ["town <i>", "Bath | <b>Wells</b>", str((town != "Ely").sum())]
    assert [line[0] for line in outline.tables[-1]] == ["Prepared by", "Reviewed by", "Approved by"]
    widths = [{len(line) for line in table} for table in outline.tables]
    assert all(len(width) == 1 for width in widths)


def test_a_notebook_gets_a_fragment_whose_styles_stay_inside(loans, models):
    X, y, _ = loans
    fragment = change_report(*models, X, y)._repr_html_()
    Outline(fragment)
    assert not re.search(r"<(html|body|head)\b", fragment)
    style = fragment.partition("<style>")[2].partition("</style>")[0]
    selectors = re.findall(r"(?:^|[{}])\s*([^{}@]+?)\s*\{", style)
    assert len(selectors) > 10
    assert all(part.strip().startswith(".report") for selector in selectors for part in selector.split(","))


def test_markdown_has_the_same_sections_and_whole_tables(loans, models):
    X, y, town = loans
    text = change_report(*models, X, y, segments={"town": town}, cutoff=0.4).to_markdown()
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == HEADINGS
    blocks = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert len(blocks) == len(HEADINGS) - 1
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert r"Bath \| <b>Wells</b>" in text
    assert text.count("Date: ____________") == 3


def test_without_segments_and_cutoff_their_sections_are_left_out(loans, models):
    X, y, _ = loans
    report = change_report(*models, X, y)
    assert report.segments is None
    assert report.swap_set is None
    assert "decision" not in report.facts
    left = [name for name in HEADINGS if name not in ("Segments", "Decisions at the cutoff")]
    assert Outline(report.to_html()).headings == left


def test_segments_need_no_cutoff_and_no_column_of_the_model(loans, models):
    X, y, town = loans
    report = change_report(*models, X, y, segments=pd.Series(town, name="town"))
    assert "impact" not in report.to_html()
    inside = change_report(*models, X.assign(town=town)[[*X.columns]], y, segments={"town": town})
    pd.testing.assert_frame_equal(report.segments, inside.segments)


def test_long_parameters_are_not_cut(loans, models):
    X, y, _ = loans
    keep = [f"column {place} with a long name" for place in range(60)]
    small = PrunedClassifier(models[0], n_nonzero=2).fit(X, y).set_params(keep=keep)
    assert keep[30] in change_report(models[0], small, X, y).facts["compressed"]


def test_regressors_are_compared_by_r2_in_their_own_units(diabetes):
    X, y = diabetes
    base, small = Ridge(0.1).fit(X, y), QuantizedRegressor(PrunedRegressor(Ridge(0.1), n_nonzero=4), bits=4).fit(X, y)
    report = change_report(base, small, X, y, segments={"sex": X[:, 1]}, cutoff=150.0, approve="above")
    assert report.metrics.loc["R2", "after"] == pytest.approx(r2_score(y, small.predict(X)))
    assert report.facts["decision"] == "approved above 150"
    kept = base.predict(X) >= 150
    assert report.swap_set.loc[["approved by both", "swapped out: declined now"], "rows"].sum() == kept.sum()
    assert report.models["bits"].tolist() == [64, 4]


def test_compact_models_are_compared_like_the_wrappers(loans, models):
    X, y, _ = loans
    ours, shipped = change_report(*models, X, y), change_report(models[0], models[1].compact_, X, y)
    np.testing.assert_allclose(shipped.metrics, ours.metrics, rtol=1e-9, atol=1e-12)
    assert shipped.models.loc["after", "model id"] == ours.models.loc["after", "model id"]


def test_classes_may_be_words_and_decisions_scores():
    X, y = load_breast_cancer(return_X_y=True)
    X, y = StandardScaler().fit_transform(X), np.array(["ill", "well"])[y]
    base = RidgeClassifier().fit(X, y)
    report = change_report(base, PrunedClassifier(base, n_nonzero=5).fit(X, y), X, y)
    assert report.metrics.index.tolist() == ["AUC"]
    assert report.metrics.loc["AUC", "before"] == pytest.approx(roc_auc_score(y == "well", base.decision_function(X)))


def test_the_base_may_be_no_linear_model(diabetes):
    X, y = diabetes
    boosted = HistGradientBoostingRegressor(max_iter=5).fit(X, y)
    report = change_report(boosted, PrunedRegressor(n_nonzero=3).fit(X, y), X, y)
    assert pd.isna(report.models.loc["before", "model id"])
    assert report.models.loc["before", "inputs"] == 10
    assert report.largest_change.index.tolist() == ["not known"]
    Outline(report.to_html())


@pytest.mark.parametrize("form", [pl.from_pandas, np.asarray, sp.csr_array], ids=["polars", "numpy", "sparse"])
def test_rows_come_in_any_form(form, loans):
    X, y, town = loans
    plain = X.reset_index(drop=True)
    rows = form(plain)
    if form is pl.from_pandas and sklearn.__version__ < "1.7":
        pytest.skip("scikit-learn 1.6 reads no polars frames")
    base = LogisticRegression().fit(rows, y.to_numpy())
    small = PrunedClassifier(base, n_nonzero=2).fit(rows, y.to_numpy())
    expected = change_report(LogisticRegression().fit(plain, y), PrunedClassifier(n_nonzero=2).fit(plain, y), plain, y)
    report = change_report(base, small, rows, y.to_numpy(), segments={"town": town})
    np.testing.assert_allclose(report.changes, expected.changes, atol=1e-6)
    Outline(report.to_html())


@pytest.mark.slow
def test_a_weight_of_two_is_a_row_twice(loans, models):
    X, y, town = loans
    weight = np.where(np.arange(300) < 100, 2.0, 1.0)
    weighted = change_report(*models, X, y, segments={"town": town}, cutoff=0.4, sample_weight=weight)
    rows = np.r_[np.arange(300), np.arange(100)]
    twice = change_report(*models, X.iloc[rows], y.iloc[rows], segments={"town": town[rows]}, cutoff=0.4)
    for name in ("segments", "swap_set"):
        ours, theirs = getattr(weighted, name), getattr(twice, name)
        numbers = [column for column in ours.select_dtypes("number") if column != "rows"]
        np.testing.assert_allclose(ours[numbers], theirs[numbers], rtol=1e-9)
    np.testing.assert_allclose(weighted.metrics["after"], twice.metrics["after"], rtol=1e-9)


def test_the_fingerprint_is_of_values_order_and_names(loans):
    X, y, _ = loans
    mark = fingerprint(X, y)
    assert re.fullmatch("[0-9a-f]{16}", mark)
    assert fingerprint(X.copy(), y.copy()) == mark
    others = [
        (X + 1e-12, y),
        (X.iloc[::-1], y),
        (X.rename(columns={"age": "years"}), y),
        (X, 1 - y),
        (X[["income", "age", "term", "debt"]], y),
    ]
    assert len({mark, *(fingerprint(*other) for other in others)}) == 6
    dense = np.where(X.to_numpy() > 0, X.to_numpy(), 0)
    assert fingerprint(sp.csr_array(dense), y) == fingerprint(sp.csc_array(dense), y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"approve": "between"}, r"approve must be one of \['below', 'above'\], got 'between'"),
        ({"cutoff": "0.4"}, "cutoff must be a finite number or None, got '0.4'"),
        ({"cutoff": np.nan}, "cutoff must be a finite number or None, got nan"),
        ({"sample_weight": np.ones(3)}, "sample_weight must hold a number of at least 0 for each of the 300 rows"),
        ({"sample_weight": np.zeros(300)}, "not only zeros"),
        ({"segments": "town"}, "segments names 'town', which is no column of X"),
    ],
    ids=str,
)
def test_a_wrong_parameter_is_named(options, message, loans, models):
    X, y, _ = loans
    with pytest.raises(ValueError, match=message):
        change_report(*models, X, y, **options)


def test_models_that_do_not_compare_are_refused(loans, models, two_outputs):
    X, y, _ = loans
    with pytest.raises(ValueError, match="base gives a probability and compressed a score"):
        change_report(models[0], PrunedClassifier(RidgeClassifier(), n_nonzero=2).fit(X, y), X, y)
    with pytest.raises(ValueError, match="same classes"):
        change_report(models[0], LinearRegression().fit(X, y), X, y)
    iris = load_iris(return_X_y=True)
    three = LogisticRegression(max_iter=1000).fit(*iris)
    with pytest.raises(ValueError, match="the model has 3 classes"):
        change_report(three, three, *iris)
    two = LinearRegression().fit(*two_outputs)
    with pytest.raises(ValueError, match="the model has 2 outputs"):
        change_report(two, two, *two_outputs)


def test_labels_that_are_no_class_are_an_error():
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, np.where(y, "yes", "no"))
    with pytest.raises(ValueError, match=r"y has the labels \['0', '1'\], which are none of the model's classes"):
        change_report(model, model, X, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_rows_shown": -1}, "n_rows_shown must be an integer of at least 0, got -1"),
        ({"n_rows_shown": 2.5}, "n_rows_shown must be an integer of at least 0, got 2.5"),
    ],
)
def test_numbers_of_rows_are_checked(options, message):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    model = Ridge().fit(X, X[:, 0])
    with pytest.raises(ValueError, match=message):
        change_report(model, model, X, X[:, 0], **options)
    with pytest.raises(ValueError, match="y has 29 entries, but X has 30 rows"):
        change_report(model, model, X, X[1:, 0])
    with pytest.raises(ValueError, match="y must hold finite numbers, got nan"):
        change_report(model, model, X, np.append(X[1:, 0], np.nan))

"""Whatever belongs to a user's rows keeps to them: any index, pandas or polars, and any transform_output.

`ANSWERS` lists every public function that returns something for rows, or is given rows. A new one goes into the table.
"""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from wrapped import KNOWS_POLARS

import skcompress
from skcompress import (
    CompressedClassifierCV,
    CompressedRegressorCV,
    DistilledClassifier,
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
    ScorecardClassifier,
    StepEncoder,
    change_report,
    compact,
    compression_report,
    drop_unused_inputs,
    max_change,
    membership_audit,
    selection_stability,
)

N = 240


def _table():
    rng = np.random.default_rng(5)
    X = pd.DataFrame(
        {
            "income": rng.gamma(4, 10, N).round(1),
            "months": rng.integers(0, 60, N).astype(float),
            "noise": rng.standard_normal(N),
            "home": rng.choice(["own", "rent", "other"], N),
        }
    )
    eta = 1 - 0.06 * X["income"] + 0.03 * X["months"] + 1.0 * (X["home"] == "rent")
    return X, (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(int), eta + rng.standard_normal(N)


X, BAD, AMOUNT = _table()

INDEXES = {
    "shuffled": np.random.default_rng(0).permutation(N),
    "strings": [f"c-{place}" for place in np.random.default_rng(1).permutation(N)],
    "duplicated": np.arange(N) // 7,
    "levels": pd.MultiIndex.from_arrays([np.arange(N) // 9, np.arange(N)[::-1]], names=["branch", "number"]),
}

OUTPUTS = ["default", "pandas", pytest.param("polars", marks=KNOWS_POLARS)]


def columns():
    numbers = make_column_selector(dtype_include="number")
    # A dense one-hot encoding, since pandas and polars output take no other.
    texts = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (StandardScaler(), numbers),
        (texts, make_column_selector(dtype_exclude="number")),
        verbose_feature_names_out=False,
    )


def regressor():
    return PrunedRegressor(make_pipeline(columns(), Ridge()), n_nonzero=4)


def classifier():
    return PrunedClassifier(make_pipeline(columns(), LogisticRegression()), n_nonzero=3)


CARD = ScorecardClassifier(n_lines=6).fit(X, BAD)
BASE = make_pipeline(columns(), LogisticRegression()).fit(X, BAD)
SMALL = classifier().fit(X, BAD)
LINEAR = regressor().fit(X, AMOUNT)


def labels_of(y, X):
    """Labels as a user has them: with the index of the rows."""
    return pd.Series(np.asarray(y), index=X.index) if isinstance(X, pd.DataFrame) else pl.Series(np.asarray(y))


def report_of(X):
    segments = X["home"] if isinstance(X, pd.DataFrame) else "home"
    report = change_report(BASE, SMALL, X, labels_of(BAD, X), segments=segments, cutoff=0.5, n_rows_shown=N)
    tables = [report.segments, report.swap_set, report.calibration, report.changes, report.metrics]
    return [*(table.reset_index(drop=True) for table in tables), report.facts["data fingerprint"]]


def refitted(X):
    model, inputs = drop_unused_inputs(SMALL, X, labels_of(BAD, X), return_inputs=True)
    return [model.predict_proba(X[list(inputs)]), inputs]


def audited(X):
    half, y = N // 2, labels_of(AMOUNT, X)
    numbers = X[["income", "months", "noise"]]
    if isinstance(X, pd.DataFrame):
        parts = numbers.iloc[:half], y.iloc[:half], numbers.iloc[half:], y.iloc[half:]
    else:
        parts = numbers[:half], y[:half], numbers[half:], y[half:]
    model = PrunedRegressor(Ridge(), n_nonzero=2).fit(*parts[:2])
    return membership_audit(model, *parts, n_shadows=4, n_boot=5, random_state=0)


def stability(X):
    found = selection_stability(
        PrunedRegressor(Ridge(), n_nonzero=2), X[["income", "months", "noise"]], labels_of(AMOUNT, X)
    )
    return [found.features, found.samples]


def timeless(table):
    return table.drop(columns=[name for name in table.columns if name.endswith(("_us", "_ms"))])


def swept(X):
    return timeless(compression_report({"base": BASE, "card": CARD}, X, labels_of(BAD, X)))


def changed(X):
    found = max_change(BASE, SMALL, bounds=X)
    return [found.value, found.row, found.shares]


ANSWERS = {
    "points_of": CARD.points_of,
    "neutral_counts": CARD.neutral_counts,
    "card.predict": CARD.predict,
    "card.predict_proba": CARD.predict_proba,
    "card.decision_function": CARD.decision_function,
    "scores": CARD.scores,
    "calibration_table": lambda X: CARD.calibration_table(X, labels_of(BAD, X)),
    "reason_codes": CARD.reason_codes,
    "reason_codes against the mean": lambda X: CARD.reason_codes(X, "average", n=2),
    "StepEncoder.transform": lambda X: np.asarray(CARD.encoder_.transform(X)),
    "predict": LINEAR.predict,
    "score": lambda X: LINEAR.score(X, labels_of(AMOUNT, X)),
    "predict_proba": SMALL.predict_proba,
    "compact.predict": LINEAR.compact_.predict,
    "compact.predict_proba": SMALL.compact_.predict_proba,
    "compact.n_clipped_rows": lambda X: compact(LINEAR, cap=X).n_clipped_rows(X),
    "compact.golden_rows": lambda X: [list(column) for column in SMALL.compact_.golden_rows(X).values()],
    "compact.verify": lambda X: LINEAR.compact_.verify(labels_of(LINEAR.predict(X), X), X),
    "change_report": report_of,
    "compression_report": swept,
    "max_change": changed,
    "drop_unused_inputs": refitted,
    "membership_audit": audited,
    "selection_stability": stability,
}


def as_values(answer):
    """An answer without its index and its kind of frame."""
    if isinstance(answer, list):
        return [as_values(part) for part in answer]
    if isinstance(answer, dict):
        return [[key, as_values(part)] for key, part in answer.items()]
    if isinstance(answer, pd.DataFrame):
        return [list(answer.columns), *(as_values(answer[name]) for name in answer.columns)]
    if hasattr(answer, "to_numpy"):
        return as_values(answer.to_numpy())
    array = np.asarray(answer)
    # NaN among objects equals nothing.
    return np.where(pd.isna(array), None, array) if array.dtype == object else array


def require_equal(got, expected):
    if isinstance(expected, list):
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            require_equal(one, other)
    elif isinstance(expected, np.ndarray) and expected.dtype.kind == "f":
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(got, expected)
    else:
        assert got == expected


EXPECTED = {name: as_values(answer(X)) for name, answer in ANSWERS.items()}


@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize("name", ANSWERS)
def test_any_index_gives_the_same_values_beside_the_same_rows(name, index):
    rows = X.set_axis(INDEXES[index], axis=0)
    answer = ANSWERS[name](rows)
    require_equal(as_values(answer), EXPECTED[name])
    if isinstance(answer, (pd.DataFrame, pd.Series)) and len(answer) == N:
        assert answer.index.equals(rows.index)


@KNOWS_POLARS
@pytest.mark.parametrize("name", ANSWERS)
def test_polars_gives_the_same_values(name):
    if name in ("change_report",):
        # Its fingerprint is of the types as well.
        require_equal(as_values(ANSWERS[name](pl.from_pandas(X)))[:-1], EXPECTED[name][:-1])
        return
    require_equal(as_values(ANSWERS[name](pl.from_pandas(X))), EXPECTED[name])


@pytest.mark.parametrize("output", OUTPUTS[1:])
@pytest.mark.parametrize("name", ANSWERS)
def test_transform_output_changes_no_values(name, output):
    rows = X.set_axis(INDEXES["shuffled"], axis=0)
    with config_context(transform_output=output), warnings.catch_warnings():
        # The pipelines were fitted before; scikit-learn's own say the same of the step that reads a frame now.
        warnings.filterwarnings("ignore", "X has feature names, but", UserWarning)
        require_equal(as_values(ANSWERS[name](rows)), EXPECTED[name])


@pytest.mark.parametrize("index", INDEXES)
def test_the_rows_of_a_change_report_have_the_users_index(index):
    rows = X.set_axis(INDEXES[index], axis=0)
    table = change_report(BASE, SMALL, rows, labels_of(BAD, rows), n_rows_shown=N).most_changed
    plain = change_report(BASE, SMALL, X, BAD, n_rows_shown=N).most_changed
    assert table.index.tolist() == [rows.index[place] for place in plain.index]
    np.testing.assert_array_equal(table.to_numpy(), plain.to_numpy())


@pytest.mark.parametrize("what", ["y", "segments", "sample_weight"])
def test_rows_in_another_order_are_refused(what):
    rows = X.set_axis(INDEXES["strings"], axis=0)
    given = {
        "y": labels_of(BAD, rows),
        "segments": rows["home"],
        "sample_weight": labels_of(1.0 + BAD, rows),
    }
    change_report(BASE, SMALL, rows, **given)
    given[what] = given[what].iloc[::-1]
    with pytest.raises(ValueError, match=f"{what} has the index of X in another order"):
        change_report(BASE, SMALL, rows, **given)


ESTIMATORS = {
    "PrunedRegressor": regressor(),
    "QuantizedRegressor": QuantizedRegressor(regressor(), bits=4),
    "DistilledRegressor": DistilledRegressor(
        make_pipeline(columns(), Ridge()), teacher=make_pipeline(columns(), Ridge(9.0))
    ),
    "CompressedRegressorCV": CompressedRegressorCV(make_pipeline(columns(), Ridge()), bits=[None, 4], cv=3),
    "PrunedClassifier": classifier(),
    "QuantizedClassifier": QuantizedClassifier(classifier(), bits=4),
    "DistilledClassifier": DistilledClassifier(
        make_pipeline(columns(), LogisticRegression()), teacher=make_pipeline(columns(), LogisticRegression(C=0.1))
    ),
    "CompressedClassifierCV": CompressedClassifierCV(
        make_pipeline(columns(), LogisticRegression()), n_nonzero=[2, 4], bits=[None, 4], cv=3
    ),
    "ScorecardClassifier": ScorecardClassifier(n_lines=5),
    "StepEncoder": make_pipeline(StepEncoder(max_steps=4), PrunedClassifier(n_nonzero=4)),
}


def test_every_estimator_is_in_the_table():
    public = {name for name in dir(skcompress) if hasattr(getattr(skcompress, name), "fit")}
    assert public == set(ESTIMATORS)


@pytest.mark.slow
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("index", ["strings", "levels"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_fits_and_predicts_alike(name, index, output):
    y = AMOUNT.to_numpy() if name.endswith(("Regressor", "RegressorCV")) else BAD
    expected = clone(ESTIMATORS[name]).fit(X, y).predict(X)
    rows = X.set_axis(INDEXES[index], axis=0)
    with config_context(transform_output=output):
        model = clone(ESTIMATORS[name]).fit(rows, labels_of(y, rows))
        np.testing.assert_allclose(model.predict(rows), expected)


def test_a_step_encoder_follows_set_output():
    rows = X.set_axis(INDEXES["strings"], axis=0)
    encoder = StepEncoder(max_steps=3).fit(rows)
    steps = encoder.transform(rows)
    frame = encoder.set_output(transform="pandas").transform(rows)
    assert frame.index.equals(rows.index)
    assert frame.columns.tolist() == encoder.get_feature_names_out().tolist()
    np.testing.assert_array_equal(frame.to_numpy(), steps)
    np.testing.assert_array_equal(encoder.set_output(transform="polars").transform(rows).to_numpy(), steps)

"""CoefficientDisplay: which weights are drawn, under which names."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import (
    CoefficientDisplay,
    CompressedRegressorCV,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
)

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def headless():
    import matplotlib.pyplot as plt

    matplotlib.use("agg")
    yield
    plt.close("all")


def ticks(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def codes(display):
    return [text.get_text() for text in display.ax_.texts if text.get_text() != "code"]


@pytest.fixture
def frame(small):
    return pd.DataFrame(small[0], columns=list("abcde")), small[1]


def test_weights_stand_beside_their_names_before_and_after(frame):
    X, y = frame
    model = QuantizedRegressor(PrunedRegressor(Ridge(), n_nonzero=3), bits=5, granularity="output").fit(X, y)
    display = CoefficientDisplay.from_estimator(model)
    places = [list("abcde").index(name) for name in display.names]
    np.testing.assert_array_equal(display.before, model.base_coef_[places])
    np.testing.assert_array_equal(display.after, model.coef_[places])
    assert ticks(display) == display.names
    assert (display.after[:3] != 0).all()
    assert (display.after[3:] == 0).all()
    np.testing.assert_array_equal(display.before_.get_xdata(), display.before)
    np.testing.assert_array_equal(display.after_.get_xdata(), display.after[:3])
    assert codes(display) == [str(code) for code in model.codes_[places][:3]]


def test_without_codes_there_is_no_column_of_them(frame):
    display = CoefficientDisplay.from_estimator(PrunedRegressor(n_nonzero=2).fit(*frame))
    assert display.codes is None
    assert not display.ax_.texts


def test_a_scale_makes_weights_comparable(frame):
    X, y = frame
    X = X * [1, 10, 100, 0.1, 1]
    model = PrunedRegressor(n_nonzero=5).fit(X, y)
    display = CoefficientDisplay.from_estimator(model, scale=X.std())
    sizes = (X.std() * np.abs(model.base_coef_)).sort_values(ascending=False)
    assert display.names == sizes.index.tolist()


def test_the_largest_of_many_are_shown_and_the_rest_counted(polynomial):
    model = PrunedRegressor(Ridge(), n_nonzero=7).fit(*polynomial)
    display = CoefficientDisplay.from_estimator(model, max_features=20)
    assert len(ticks(display)) == 20
    assert np.count_nonzero(display.after) == 7
    assert display.ax_.get_xlabel() == "weight (45 more not shown)"


def test_outputs_are_drawn_one_at_a_time():
    X, y = load_iris(return_X_y=True)
    base = LogisticRegression(max_iter=1000)
    model = QuantizedClassifier(PrunedClassifier(base, n_nonzero=2), bits=4).fit(X, y)
    for output in range(3):
        display = CoefficientDisplay.from_estimator(model, output=output)
        assert sorted(display.after) == pytest.approx(sorted(model.coef_[output]))


def test_a_search_is_drawn_like_the_model_it_has_chosen(frame):
    search = CompressedRegressorCV(Ridge(), n_nonzero=[2], bits=[4], cv=3).fit(*frame)
    ours, theirs = (CoefficientDisplay.from_estimator(model) for model in (search, search.estimator_))
    assert ours.names == theirs.names
    np.testing.assert_array_equal(ours.after, theirs.after)


def test_names_lose_the_steps_that_made_them_and_their_middle(frame):
    X, y = frame
    long = "a rather long name for a column of a table"
    X = X.rename(columns={"a": long}).assign(town=np.where(np.arange(60) % 2, "Ely", "Bath"))
    columns = make_column_transformer((StandardScaler(), [long, "b", "c"]), (OneHotEncoder(), ["town"]))
    display = CoefficientDisplay.from_estimator(PrunedRegressor(make_pipeline(columns, Ridge()), n_nonzero=3).fit(X, y))
    assert sorted(ticks(display)) == ["a rather long…umn of a table", "b", "c", "town_Bath", "town_Ely"]
    assert f"standardscaler__{long}" in display.names
    same = make_column_transformer((StandardScaler(), ["b"]), ("passthrough", ["b"]))
    display = CoefficientDisplay.from_estimator(PrunedRegressor(make_pipeline(same, Ridge()), n_nonzero=1).fit(X, y))
    assert sorted(ticks(display)) == ["passthrough__b", "standardscaler__b"]


def test_only_wrappers_know_both_weights(frame):
    with pytest.raises(TypeError, match="Ridge has no base_coef_: pass a fitted wrapper"):
        CoefficientDisplay.from_estimator(Ridge().fit(*frame))

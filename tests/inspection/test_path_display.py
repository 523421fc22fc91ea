"""CompressionPathDisplay: what is drawn, from which numbers."""

import sys

import numpy as np
import pytest
from sklearn.linear_model import LassoCV, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score

from skcompress import (
    CompressedRegressorCV,
    CompressionPathDisplay,
    PrunedRegressor,
    QuantizedRegressor,
    score_and_size,
    smallest_within,
)

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def headless():
    import matplotlib.pyplot as plt

    matplotlib.use("agg")
    yield
    plt.close("all")


@pytest.fixture
def search(small):
    return CompressedRegressorCV(Ridge(), n_nonzero=[1, 2, 3, 5], bits=[None, 4], cv=4).fit(*small)


def labels(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


@pytest.mark.parametrize("size", ["bytes", "weights", "inputs"])
def test_a_search_is_drawn_with_its_frontier_errors_and_choice(size, search):
    display = CompressionPathDisplay.from_estimator(search, size=size)
    results = search.cv_results_
    np.testing.assert_array_equal(display.points_.get_offsets(), np.c_[results[size], results["mean_test_score"]])
    x, y = display.line_.get_data()
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) > 0).all()
    for place in range(len(results["params"])):
        assert any(x[k] <= results[size][place] and y[k] >= results["mean_test_score"][place] for k in range(len(x)))
    np.testing.assert_allclose(display.errors, results["standard_error"])
    marked = [line for line in display.ax_.lines if line.get_label() == "chosen"]
    assert marked[0].get_xydata().tolist() == [[results[size][search.best_index_], search.best_score_]]
    assert size in display.ax_.get_xlabel()


def test_a_grid_search_with_sizes_is_drawn_too(small):
    model = QuantizedRegressor(PrunedRegressor(Ridge(), n_nonzero=2), bits=4)
    grid = {"estimator__n_nonzero": [1, 2, 4], "bits": [3, 6]}
    search = GridSearchCV(model, grid, scoring=score_and_size("r2"), refit=smallest_within(), cv=3).fit(*small)
    display = CompressionPathDisplay.from_cv_results(search.cv_results_, chosen=search.best_index_)
    np.testing.assert_array_equal(display.sizes, search.cv_results_["mean_test_size"])
    folds = np.column_stack([search.cv_results_[f"split{fold}_test_score"] for fold in range(3)])
    np.testing.assert_allclose(display.errors, folds.std(axis=1, ddof=1) / np.sqrt(3))
    assert CompressionPathDisplay.from_estimator(search, size="weights").sizes.max() == 4


def test_levels_may_be_scores_scores_with_sizes_or_estimators(search, small):
    levels = {"base": Ridge(), "Lasso": LassoCV(cv=3), "told": 0.5, "sized": (0.6, 700)}
    display = CompressionPathDisplay.from_estimator(search, *small, levels=levels)
    scores = [cross_val_score(levels[name], *small, cv=4).mean() for name in ("base", "Lasso")] + [0.5, 0.6]
    assert [score for score, _ in display.levels.values()] == pytest.approx(scores)
    assert labels(display)[2:] == [f"{name} {score:.3g}" for name, score in zip(levels, scores, strict=True)]
    crosses = [line.get_xydata().tolist() for line in display.ax_.lines if line.get_marker() == "x"]
    assert crosses == [[[700, 0.6]]]
    low, high = display.ax_.get_ylim()
    assert low < min(scores) < max(scores) < high


def test_levels_are_scored_by_the_metric_of_the_search(small):
    metric = "neg_mean_absolute_error"
    search = GridSearchCV(
        PrunedRegressor(), {"n_nonzero": [1, 3]}, scoring=score_and_size(metric), refit=smallest_within(), cv=3
    )
    display = CompressionPathDisplay.from_estimator(search.fit(*small), *small, levels={"base": Ridge()})
    assert display.levels["base"][0] == pytest.approx(cross_val_score(Ridge(), *small, cv=3, scoring=metric).mean())
    several = GridSearchCV(Ridge(), {"alpha": [1]}, scoring=["r2", metric], refit="r2", cv=3).fit(*small)
    with pytest.raises(ValueError, match="several metrics"):
        CompressionPathDisplay.from_estimator(several, *small, levels={"base": Ridge()})


def test_more_levels_than_line_styles_are_all_drawn():
    levels = {f"model {place}": place / 10 for place in range(9)}
    display = CompressionPathDisplay(sizes=[1, 2], scores=[0.1, 0.2], levels=levels).plot()
    assert len(labels(display)) == 1 + 9


def test_a_wide_range_of_sizes_is_logarithmic_unless_told_otherwise():
    wide = CompressionPathDisplay(sizes=[10, 500], scores=[0.1, 0.2])
    assert wide.plot().ax_.get_xscale() == "log"
    assert wide.plot(log=False).ax_.get_xscale() == "linear"
    assert CompressionPathDisplay(sizes=[10, 20], scores=[0.1, 0.2]).plot().ax_.get_xscale() == "linear"


def test_it_draws_where_and_how_it_is_told(search):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    display = CompressionPathDisplay.from_estimator(search, ax=ax, color="red", label="ours")
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.line_.get_color() == "red"
    assert labels(display)[0] == "ours"


def test_labels_fit_into_a_column(search):
    display = CompressionPathDisplay.from_estimator(search, levels={"RidgeCV, 64-bit": 0.5})
    assert display.figure_.get_figwidth() <= 5
    display.figure_.canvas.draw()
    drawn = display.figure_.get_tightbbox()
    width, height = display.figure_.get_size_inches()
    assert 0 <= drawn.x0 < drawn.x1 <= width
    assert 0 <= drawn.y0 < drawn.y1 <= height


def test_wrong_arguments_are_named(search, small):
    with pytest.raises(ValueError, match=r"size must be one of \['bytes', 'weights', 'inputs'\], got 'kilos'"):
        CompressionPathDisplay.from_estimator(search, size="kilos")
    with pytest.raises(ValueError, match=r"levels\['base'\] is an estimator: pass X and y"):
        CompressionPathDisplay.from_estimator(search, levels={"base": Ridge()})
    with pytest.raises(ValueError, match=r"levels\['base'\] must be a score or \(score, size\)"):
        CompressionPathDisplay(sizes=[1], scores=[1], levels={"base": (1, 2, 3)})
    plain = GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}).fit(*small)
    with pytest.raises(ValueError, match="holds no 'bytes': search with CompressedRegressorCV, or with scoring="):
        CompressionPathDisplay.from_estimator(plain)


def test_without_matplotlib_it_says_what_to_install(search, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'skcompress\[plot\]'"):
        CompressionPathDisplay.from_estimator(search)


def test_sizes_that_are_not_known_do_not_decide_the_scale():
    display = CompressionPathDisplay(sizes=[np.nan, 10, 1000], scores=[0.3, 0.5, 0.6]).plot()
    assert display.ax_.get_xscale() == "log"

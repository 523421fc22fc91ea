"""Pruning a wide sparse model: nothing p x p, no run that walks through large sizes one by one."""

import sys
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.svm import LinearSVC

from skcompress import PrunedClassifier, PrunedRegressor
from skcompress.core import checks

N_ROWS, N_COLUMNS = 1000, 6000


@pytest.fixture(scope="module")
def wide():
    rng = np.random.default_rng(0)
    X = sp.random_array((N_ROWS, N_COLUMNS), density=0.003, format="csr", rng=rng)
    y = X[:, :20] @ (3 * rng.normal(size=20)) + 0.1 * rng.normal(size=N_ROWS)
    return X, y


@pytest.mark.filterwarnings("ignore:threshold=.*bounds what each weight costs")
@pytest.mark.parametrize(
    "options",
    [
        {"n_nonzero": 20},
        {"threshold": 2e-3},
        {"threshold": 1e-4},
        {"max_loss": 0.2},
        {},
        {"n_nonzero": 10, "monotonic_cst": np.ones(N_COLUMNS)},
        {"threshold": 2e-3, "monotonic_cst": np.ones(N_COLUMNS)},
        {"n_nonzero": 20, "feature_groups": "feature"},
    ],
    ids=lambda options: ", ".join(options),
)
def test_no_square_of_the_number_of_columns_is_allocated(wide, options):
    X, y = wide
    base = Ridge(alpha=0.1).fit(X, y)
    tracemalloc.start()
    model = PrunedRegressor(Ridge(alpha=0.1), **options).fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * N_COLUMNS**2 / 2
    assert 0 < model.n_nonzero_ < np.count_nonzero(base.coef_)
    if "monotonic_cst" in options:
        assert (model.coef_ >= 0).all()


def test_beyond_the_largest_size_that_is_swapped_forward_selection_stays(wide, monkeypatch):
    X, y = wide
    searched = PrunedRegressor(Ridge(alpha=0.1), n_nonzero=40).fit(X, y)
    monkeypatch.setattr(sys.modules["skcompress.core.subset.swap"], "SWAPPED", 0)
    forward = PrunedRegressor(Ridge(alpha=0.1), n_nonzero=40).fit(X, y)
    assert forward.n_nonzero_ == searched.n_nonzero_ == 40
    assert searched.loss_increase_ <= forward.loss_increase_ + 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("base", [LogisticRegression(C=10), LinearSVC(random_state=0), RidgeClassifier()], ids=str)
def test_classes_share_their_columns_without_a_square_of_their_number(wide, base, monkeypatch):
    X, y = wide
    label = np.digitize(y, np.quantile(y, [0.25, 0.5, 0.75]))
    base.fit(X, label)
    tracemalloc.start()
    model = PrunedClassifier(base, n_nonzero=30, feature_groups="feature").fit(X, label)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * N_COLUMNS**2 / 4
    assert model.support_.any(axis=0).sum() == 30
    kept_rows = sys.modules["skcompress.core.subset.forward"].KeptRows
    monkeypatch.setattr(sys.modules["skcompress.core.subset.forward"], "factor_for", kept_rows)
    other = PrunedClassifier(base, n_nonzero=30, feature_groups="feature").fit(X, label)
    np.testing.assert_array_equal(model.support_, other.support_)
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    "options", [{"n_nonzero": 20, "search": "one_shot"}, {"threshold": "mean", "search": "backward"}], ids=str
)
def test_what_needs_the_whole_curvature_says_so_before_it_is_allocated(wide, options, monkeypatch):
    X, y = wide
    monkeypatch.setattr(checks, "free_bytes", lambda: 2**28)
    with pytest.raises(MemoryError, match=r"5686 free columns .*GiB.*more than half of the 0\.2 GiB .*swap.*n_nonzero"):
        PrunedRegressor(Ridge(alpha=0.1), **options).fit(X, y)


def test_scores_of_all_units_are_not_to_be_had(wide):
    with pytest.raises(ValueError, match="threshold='mean' needs the scores of all units"):
        PrunedRegressor(Ridge(alpha=0.1), threshold="mean").fit(*wide)


@pytest.mark.filterwarnings("ignore:threshold=.*bounds what each weight costs")
@pytest.mark.parametrize("budget", [{"threshold": 1e-6}, {"max_loss": 1e-6}], ids=str)
def test_a_budget_that_would_be_walked_to_for_minutes_is_refused(wide, budget, monkeypatch):
    for module in ("skcompress.core.subset.profile", "skcompress.core.budget"):
        monkeypatch.setattr(sys.modules[module], "WALKED", 100 * N_COLUMNS)
    with pytest.raises(ValueError, match=r"more than 105 of the 5686 free columns.*GiB.*n_nonzero.*search='one_shot'"):
        PrunedRegressor(Ridge(alpha=0.1), **budget).fit(*wide)
    way_out = PrunedRegressor(Ridge(alpha=0.1), threshold=2e-3, search="one_shot", importance="obd").fit(*wide)
    assert way_out.support_.any()


def test_several_labels_a_row_are_several_outputs():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 5))
    Y = (X[:, :3] + 0.3 * rng.normal(size=(80, 3)) > 0).astype(int)
    model = PrunedClassifier(RidgeClassifier(), n_nonzero=1).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert (model.support_ == np.eye(3, 5, dtype=bool)).all()
    sparse = PrunedClassifier(RidgeClassifier(), n_nonzero=1).fit(X, sp.csr_array(Y))
    np.testing.assert_allclose(model.coef_, sparse.coef_)
    same = PrunedRegressor(Ridge(), n_nonzero=1).fit(X, 2.0 * Y - 1)
    np.testing.assert_allclose(model.coef_, same.coef_)
    np.testing.assert_allclose(model.intercept_, same.intercept_)
    assert model.loss_increase_ == pytest.approx(same.loss_increase_)

"""Every linear estimator of scikit-learn goes through the searches."""

import warnings

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA, PLSCanonical, PLSRegression
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import check_scoring
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import scale
from sklearn.utils import all_estimators

from skcompress import CompressedClassifierCV, CompressedRegressorCV, PrunedRegressor

X, Y = load_diabetes(return_X_y=True)
X, Y = scale(X)[:150], Y[:150]
BOTH = np.column_stack([Y, np.sqrt(Y) + X[:, 2]])
CANCER, MALIGNANT = load_breast_cancer(return_X_y=True)
IRIS, SPECIES = load_iris(return_X_y=True)
GRID = {"n_nonzero": [2, None], "bits": (None, 4), "cv": 3}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning")


def linear(kind, X, y, names_with_two_outputs=()):
    """Classes of scikit-learn that have coef_ and intercept_ after a fit on these rows with defaults, and a score.

    Of MultiTaskLasso and MultiTaskElasticNet scikit-learn 1.6 makes no scorer.
    """
    found = []
    for name, cls in all_estimators(type_filter=kind):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                fitted = cls().fit(X[:60], BOTH[:60] if name in names_with_two_outputs else y[:60])
                check_scoring(fitted)
            except (TypeError, ValueError):
                continue
        if hasattr(fitted, "coef_") and hasattr(fitted, "intercept_"):
            found.append(cls)
    return found


TWO = {"CCA", "PLSCanonical", *(name for name, _ in all_estimators("regressor") if name.startswith("MultiTask"))}
REGRESSORS = linear("regressor", X, Y, TWO)
CLASSIFIERS = linear("classifier", IRIS[::2], SPECIES[::2])


def test_the_lists_are_not_empty():
    assert {"Ridge", "PLSRegression", "LinearSVR", "MultiTaskLassoCV"} <= {cls.__name__ for cls in REGRESSORS}
    assert {"LogisticRegression", "LinearSVC", "Perceptron"} <= {cls.__name__ for cls in CLASSIFIERS}


@pytest.mark.slow
@pytest.mark.parametrize("cls", REGRESSORS)
def test_regressor(cls):
    y = BOTH if cls.__name__ in TWO else Y
    search = CompressedRegressorCV(cls(), **GRID).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert np.shape(search.predict(X)) == y.shape


@pytest.mark.slow
@pytest.mark.parametrize("cls", CLASSIFIERS)
@pytest.mark.parametrize("rows", [(IRIS, SPECIES), (scale(CANCER)[:200], MALIGNANT[:200])], ids=["three", "two"])
def test_classifier(cls, rows):
    search = CompressedClassifierCV(cls(), **GRID).fit(*rows)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert set(search.predict(rows[0])) <= set(rows[1])


@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error"])
@pytest.mark.parametrize(
    ("base", "y"), [(PLSRegression(), Y), (PLSRegression(), BOTH), (PLSCanonical(), BOTH), (CCA(), BOTH)]
)
def test_scores_of_the_uncompressed_candidate_are_those_of_the_base(base, y, scoring):
    search = CompressedRegressorCV(base, n_nonzero=[None], bits=[None], cv=3, scoring=scoring).fit(X, y)
    expected = cross_val_score(base, X, y, cv=3, scoring=scoring)
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(expected.mean())


class Imputing(LinearRegression):
    """Fits rows that hold NaN and hands them on."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(np.nan_to_num(X), y)


def test_rows_with_nan_are_refused_with_the_column():
    rows = X.copy()
    rows[30, 2] = np.nan
    with pytest.raises(ValueError, match="column 2 of what Imputing reads holds NaN"):
        PrunedRegressor(Imputing(), n_nonzero=3).fit(rows, Y)
    with pytest.raises(ValueError, match="column 2 of what Imputing reads holds NaN"):
        CompressedRegressorCV(Imputing()).fit(rows, Y)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        CompressedRegressorCV(Ridge()).fit(rows, Y)


def test_a_target_with_nan_is_refused():
    target = np.where(np.arange(150) == 3, np.nan, Y)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        CompressedRegressorCV(Ridge()).fit(X, target)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        CompressedRegressorCV(FrozenEstimator(Ridge().fit(X, Y))).fit(X, target)

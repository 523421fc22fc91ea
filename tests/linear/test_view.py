"""Finding a leaf, reading and writing its weights, and refusing what cannot be written."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import linear_model as lm
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import CCA, PLSCanonical, PLSRegression
from sklearn.ensemble import RandomForestRegressor, StackingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVR, LinearSVR

from skcompress import PrunedRegressor, QuantizedRegressor
from skcompress.linear.containers import find_leaf
from skcompress.linear.view import read, require_kind, require_linear, require_obedience, write

BASES = [
    lm.LinearRegression(),
    lm.Ridge(),
    lm.RidgeCV(),
    lm.Lasso(0.01),
    lm.LassoCV(cv=3),
    lm.ElasticNet(0.01),
    lm.ElasticNetCV(cv=3),
    lm.HuberRegressor(max_iter=1000),
    lm.BayesianRidge(),
    lm.ARDRegression(),
    lm.QuantileRegressor(alpha=0.01),
    LinearSVR(random_state=0, max_iter=100_000),
    lm.TheilSenRegressor(random_state=0, max_subpopulation=100),
    lm.OrthogonalMatchingPursuit(),
    lm.OrthogonalMatchingPursuitCV(cv=3),
    lm.Lars(),
    lm.LarsCV(cv=3),
    lm.LassoLars(0.01),
    lm.LassoLarsCV(cv=3),
    lm.LassoLarsIC(),
    lm.SGDRegressor(random_state=0),
    lm.PoissonRegressor(),
    lm.GammaRegressor(),
    lm.TweedieRegressor(power=1.5),
    PLSRegression(2),
]
MULTI = [
    lm.LinearRegression(),
    lm.Ridge(),
    lm.MultiTaskLasso(0.01),
    lm.MultiTaskLassoCV(cv=3),
    lm.MultiTaskElasticNet(0.01),
    lm.MultiTaskElasticNetCV(cv=3),
    PLSRegression(2),
    PLSCanonical(2),
    CCA(2),
]


def name_of(estimator):
    return type(estimator).__name__


@pytest.fixture
def positive(small):
    """A positive target, as Gamma wants it."""
    X, y = small
    return X, np.exp(y / 10)


def linear_predictor(estimator, X):
    answer = estimator.predict(X).reshape(len(X), -1)
    return np.log(answer) if hasattr(estimator, "_get_loss") else answer


@pytest.mark.parametrize("base", BASES, ids=name_of)
class TestOneOutput:
    def test_read_gives_the_linear_predictor(self, base, positive):
        X, y = positive
        fitted = clone(base).fit(X, y)
        weights, intercept = read(fitted)
        assert weights.shape == (1, 5)
        assert weights.dtype == intercept.dtype == np.float64
        np.testing.assert_allclose(X @ weights.T + intercept, linear_predictor(fitted, X))

    def test_what_is_written_is_read_again_and_predicted(self, base, positive):
        X, y = positive
        fitted = clone(base).fit(X, y)
        shapes = np.shape(fitted.coef_), np.shape(fitted.intercept_)
        weights, intercept = np.array([[0.1, 0.0, -0.2, 0.3, 0.0]]), np.array([0.25])
        write(fitted, weights, intercept)
        assert (np.shape(fitted.coef_), np.shape(fitted.intercept_)) == shapes
        for ours, given in zip(read(fitted), (weights, intercept), strict=True):
            np.testing.assert_allclose(ours, given, atol=1e-12)
        np.testing.assert_allclose(linear_predictor(fitted, X), X @ weights.T + intercept, atol=1e-12)

    def test_predict_follows_the_weights_and_they_are_restored(self, base, positive):
        X, y = positive
        fitted = clone(base).fit(X, y)
        before, coef = fitted.predict(X), fitted.coef_
        require_linear(fitted)
        require_obedience(fitted, X)
        assert fitted.coef_ is coef
        np.testing.assert_array_equal(fitted.predict(X), before)


@pytest.mark.parametrize("base", MULTI, ids=name_of)
def test_two_outputs_are_read_and_written(base, two_outputs):
    X, Y = two_outputs
    fitted = clone(base).fit(X, Y)
    weights, intercept = read(fitted)
    assert weights.shape == (2, 5)
    np.testing.assert_allclose(X @ weights.T + intercept, fitted.predict(X))
    write(fitted, weights * [[1, 0, 1, 0, 1]], intercept + 1)
    np.testing.assert_allclose(fitted.predict(X), X @ (weights * [[1, 0, 1, 0, 1]]).T + intercept + 1)


def test_a_sparse_coef_becomes_dense(small):
    fitted = lm.SGDRegressor(random_state=0).fit(*small)
    weights = fitted.coef_.copy()
    fitted.coef_ = sp.csr_matrix(weights)
    np.testing.assert_array_equal(read(fitted)[0], weights[None])


def test_float32_stays_float32_when_written(small):
    fitted = lm.Ridge().fit(*(array.astype(np.float32) for array in small))
    write(fitted, np.ones((1, 5)), np.array([0.1]))
    assert fitted.coef_.dtype == np.float32
    assert fitted.intercept_.dtype == np.float32


def test_without_an_intercept_it_stays_zero(two_outputs):
    X, Y = two_outputs
    fitted = lm.Ridge(fit_intercept=False).fit(X, Y)
    write(fitted, np.ones((2, 5)), np.zeros(2))
    assert fitted.intercept_ == 0.0
    np.testing.assert_allclose(fitted.predict(X), X @ np.ones((5, 2)))


class TestFindLeaf:
    def test_in_containers_of_containers(self, small):
        X, y = small
        search = GridSearchCV(make_pipeline(StandardScaler(), lm.Ridge()), {"ridge__alpha": [1.0, 2.0]}, cv=2)
        model = TransformedTargetRegressor(search, transformer=MinMaxScaler()).fit(X, y)
        leaf = find_leaf(model, X, y)
        assert isinstance(leaf.estimator, lm.Ridge)
        np.testing.assert_allclose(leaf.X, StandardScaler().fit_transform(X))
        np.testing.assert_allclose(leaf.y, MinMaxScaler().fit_transform(y[:, None])[:, 0])
        assert [type(step).__name__ for step in leaf.steps] == ["StandardScaler"]
        np.testing.assert_allclose(leaf.estimator.predict(leaf.X), search.fit(X, leaf.y).predict(X))

    def test_the_steps_of_nested_pipelines_are_joined_in_order(self, small):
        X, y = small
        model = Pipeline([("a", StandardScaler()), ("b", make_pipeline(MinMaxScaler(), lm.Ridge()))]).fit(X, y)
        leaf = find_leaf(model, X, y)
        assert [type(step).__name__ for step in leaf.steps] == ["StandardScaler", "MinMaxScaler"]
        assert leaf.X.min() == pytest.approx(0.0)

    def test_ransac_gives_its_inliers(self, small):
        X, y = small
        y = np.where(np.arange(60) % 10 == 0, y + 1000, y)
        weight = np.arange(60.0)
        model = lm.RANSACRegressor(min_samples=8, residual_threshold=100, random_state=0).fit(X, y)
        leaf = find_leaf(model, X, y, weight)
        inliers = model.inlier_mask_
        np.testing.assert_array_equal(leaf.X, X[inliers])
        np.testing.assert_array_equal(leaf.y, y[inliers])
        np.testing.assert_array_equal(leaf.sample_weight, weight[inliers])

    def test_ransac_leaves_other_rows_as_they_are(self, small):
        X, y = small
        model = lm.RANSACRegressor(min_samples=8, residual_threshold=100, random_state=0).fit(X, y)
        assert len(find_leaf(model, X[:7], y[:7]).X) == 7

    def test_frozen_is_told(self, small):
        X, y = small
        fitted = make_pipeline(StandardScaler(), lm.Ridge()).fit(X, y)
        assert find_leaf(FrozenEstimator(fitted), X, y).frozen
        assert not find_leaf(fitted, X, y).frozen

    def test_a_frozen_search_is_frozen_first(self, small):
        search = GridSearchCV(lm.Ridge(), {"alpha": [1.0, 2.0]}, cv=2).fit(*small)
        leaf = find_leaf(FrozenEstimator(search), *small)
        assert leaf.frozen
        assert leaf.estimator is search.best_estimator_

    def test_the_outermost_constraint_holds(self, small):
        model = QuantizedRegressor(PrunedRegressor(n_nonzero=2), bits=3).fit(*small)
        leaf = find_leaf(model, *small)
        assert leaf.state is model.state_
        assert leaf.state.grid is not None
        assert leaf.state.support.sum() == 2

    def test_any_search_is_opened(self, small):
        search = RandomizedSearchCV(lm.Ridge(), {"alpha": [1.0, 2.0]}, n_iter=1, cv=2, random_state=0).fit(*small)
        assert find_leaf(search).estimator is search.best_estimator_


class TestRefusals:
    def test_read_only(self, small):
        with pytest.raises(TypeError, match=r"SVR computes its coef_.*LinearSVR"):
            require_linear(SVR(kernel="linear").fit(*small))

    def test_no_coefficients(self, small):
        with pytest.raises(TypeError, match=r"RandomForestRegressor has no coef_.*DistilledRegressor"):
            require_linear(RandomForestRegressor(n_estimators=2).fit(*small))

    def test_several_models(self, small):
        stack = StackingRegressor([("a", lm.Ridge()), ("b", lm.Lasso())]).fit(*small)
        with pytest.raises(TypeError, match=r"StackingRegressor holds several models.*around each of them"):
            require_linear(stack)

    def test_the_wrong_kind(self):
        with pytest.raises(TypeError, match="LogisticRegression is a classifier: use PrunedClassifier"):
            require_kind(lm.LogisticRegression(), "PrunedRegressor")
        with pytest.raises(TypeError, match="Ridge is a regressor: use PrunedRegressor"):
            require_kind(lm.Ridge(), "PrunedClassifier")
        require_kind(lm.Ridge(), "PrunedRegressor")
        require_kind("no estimator at all", "PrunedRegressor")

    def test_weights_are_restored_after_disobedience(self, small):
        class Deaf(lm.Ridge):
            def predict(self, X):
                return X[:, 0]

        fitted = Deaf().fit(*small)
        coef = fitted.coef_
        with pytest.raises(TypeError, match=r"Deaf\.predict does not follow its coef_"):
            require_obedience(fitted, small[0])
        assert fitted.coef_ is coef

"""The size where no budget is given: on the true deviance, whatever the weights of the rows and their order."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    GammaRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.metrics import log_loss
from sklearn.svm import LinearSVC, LinearSVR

from skcompress import DistilledClassifier, PrunedClassifier, PrunedRegressor
from skcompress.linear.containers import Leaf
from skcompress.linear.problem import LinearProblem


def three_of_twenty(n_rows, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, 20))
    y = rng.random(n_rows) < 1 / (1 + np.exp(-X[:, :3] @ [3.0, -3.0, 3.0]))
    return X, y


@pytest.mark.parametrize("n_rows", [100, 300])
@pytest.mark.parametrize("C", [100.0, np.inf])
def test_a_confident_classifier_keeps_what_counts(n_rows, C):
    sizes = []
    for seed in range(4):
        X, y = three_of_twenty(n_rows, seed)
        model = PrunedClassifier(LogisticRegression(C=C, max_iter=2000)).fit(X, y)
        assert model.support_[0, :3].all()
        sizes.append(model.n_nonzero_)
    assert max(sizes) <= 4
    assert sizes.count(3) >= 3


@pytest.mark.parametrize("make", [PoissonRegressor, GammaRegressor], ids=["poisson", "gamma"])
def test_a_generalised_linear_model_keeps_what_counts(make):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 20))
    mean = np.exp(X[:, :3] @ [0.4, -0.4, 0.4])
    y = rng.poisson(mean) if make is PoissonRegressor else rng.gamma(2.0, mean / 2) + 1e-9
    model = PrunedRegressor(make(alpha=1e-3)).fit(X, y)
    np.testing.assert_array_equal(np.flatnonzero(model.support_), [0, 1, 2])


def test_no_size_near_the_chosen_one_has_a_lower_criterion():
    X, y = three_of_twenty(200, 1)
    base = LogisticRegression(C=10.0, max_iter=2000)
    chosen = PrunedClassifier(base).fit(X, y)

    def value(model):
        k = model.n_nonzero_
        subsets = sum(np.log((20 - i) / (i + 1)) for i in range(k))
        return 2 * 200 * log_loss(y, model.predict_proba(X)) + k * np.log(200) + 2 * subsets

    others = [PrunedClassifier(base, n_nonzero=k).fit(X, y) for k in range(1, 9)]
    assert value(chosen) == pytest.approx(min(map(value, others)), abs=1e-6)
    np.testing.assert_array_equal(others[chosen.n_nonzero_ - 1].support_, chosen.support_)


@pytest.mark.parametrize(
    ("base", "most"),
    [(LinearSVC(), 4), (LinearDiscriminantAnalysis(), 4), (SGDClassifier(random_state=0), 6), (RidgeClassifier(), 4)],
    ids=["svc", "lda", "sgd", "ridge"],
)
def test_a_classifier_without_a_loss_of_its_own_needs_no_budget_either(base, most):
    for seed in range(3):
        X, y = three_of_twenty(300, seed)
        model = PrunedClassifier(base).fit(X, y)
        assert np.atleast_2d(model.support_)[0, :3].all()
        assert model.n_nonzero_ <= most
        assert model.score(X, y) > base.fit(X, y).score(X, y) - 0.05


def test_nor_does_a_distilled_one():
    X, y = three_of_twenty(300, 0)
    student = PrunedClassifier(LogisticRegression())
    model = DistilledClassifier(student, teacher=LogisticRegression(C=100), alpha=0.5).fit(X, y)
    assert model.estimator_.n_nonzero_ == 3


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_its_size_does_not_depend_on_the_scale_of_its_decision_function(scale):
    """The criterion is that of the correlation of labels and decision function, less what pruning loses."""
    X, y = three_of_twenty(300, 0)
    base = LinearSVC().fit(X, y)
    problem = LinearProblem(Leaf(base, X, y))
    r2 = np.corrcoef(base.decision_function(X), y)[0, 1] ** 2
    np.testing.assert_allclose(problem.noise, (1 / r2 - 1) * problem.null_losses)
    base.coef_, base.intercept_ = base.coef_ * scale, base.intercept_ * scale
    np.testing.assert_allclose(LinearProblem(Leaf(base, X, y)).noise, problem.noise * scale**2)


@pytest.mark.parametrize("scale", [0.01, 100.0])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_nor_on_that_of_another_models_predictions(scale, n_outputs):
    """A base that is shrunk, such as LinearSVR on small columns, keeps what it would keep if it were not."""
    X = np.random.default_rng(0).standard_normal((300, 10))
    y = X[:, :3] @ [3.0, -2.0, 1.0] + np.random.default_rng(1).standard_normal(300)
    y = y if n_outputs == 1 else np.column_stack([y, X[:, 5] - y])
    base = LinearRegression().fit(X, y)
    support = PrunedRegressor(FrozenEstimator(base)).fit(X, y).support_
    assert 3 <= support.sum() < support.size / 2
    base.coef_ = base.coef_ * scale
    base.intercept_ = base.intercept_ + 7.0
    np.testing.assert_array_equal(PrunedRegressor(FrozenEstimator(base)).fit(X, y).support_, support)


def test_a_support_vector_machine_on_small_columns_keeps_what_counts():
    X, y = load_diabetes(return_X_y=True)
    model = PrunedRegressor(LinearSVR(random_state=0)).fit(X, y)
    assert 3 <= model.n_nonzero_ <= 6
    assert model.loss_increase_ < 0.05


def test_labels_that_are_noise_keep_nothing():
    rng = np.random.default_rng(3)
    with pytest.warns(UserWarning, match="the information criterion prunes every weight"):
        model = PrunedClassifier(LogisticRegression(C=100)).fit(rng.standard_normal((100, 5)), rng.random(100) < 0.4)
    assert model.n_nonzero_ == 0


MODELS = {
    "least squares": (PrunedRegressor(LinearRegression()), lambda X: X[:, :3] @ [1.0, -1.0, 1.0]),
    "ridge, two outputs": (PrunedRegressor(Ridge(1e-3)), lambda X: X[:, :3] @ [[1.0, 0.0], [-1.0, 1.0], [1.0, 0.2]]),
    "logistic": (PrunedClassifier(LogisticRegression(C=np.inf, tol=1e-8, max_iter=5000)), None),
}


@pytest.mark.parametrize("name", MODELS)
class TestWeightsOfRows:
    def data(self, name):
        model, truth = MODELS[name]
        X, y = three_of_twenty(150, 2)
        if truth is not None:
            signal = truth(X)
            y = signal + np.random.default_rng(0).standard_normal(signal.shape)
        return model, X, y

    def test_that_sum_to_one_choose_the_same_size(self, name):
        model, X, y = self.data(name)
        plain = model.fit(X, y).support_
        if name != "ridge, two outputs":  # Ridge itself weighs its penalty against their sum.
            share = model.fit(X, y, sample_weight=np.full(150, 1 / 150)).support_
            np.testing.assert_array_equal(share, plain)
        assert plain.any()

    def test_that_are_whole_are_rows_that_come_again(self, name):
        model, X, y = self.data(name)
        times = np.random.default_rng(1).integers(0, 4, 150)
        weighted = model.fit(X, y, sample_weight=times).support_
        repeated = model.fit(np.repeat(X, times, axis=0), np.repeat(y, times, axis=0)).support_
        np.testing.assert_array_equal(weighted, repeated)

    def test_that_are_zero_are_rows_left_out(self, name):
        model, X, y = self.data(name)
        weight = np.random.default_rng(1).uniform(0, 1, 150) * (np.arange(150) % 3 > 0)
        weighted = model.fit(X, y, sample_weight=weight).support_
        fewer = model.fit(X[weight > 0], y[weight > 0], sample_weight=weight[weight > 0]).support_
        np.testing.assert_array_equal(weighted, fewer)


THREE = {"n_nonzero": 3}


@pytest.mark.parametrize("n_rows", [9, 15])
@pytest.mark.parametrize(
    "options", [{}, THREE, {"search": "one_shot", **THREE}, {"search": "backward", **THREE}], ids=repr
)
def test_the_order_of_the_rows_does_not_matter_to_a_perfect_fit(n_rows, options):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        X, order = rng.standard_normal((n_rows, 30)), rng.permutation(n_rows)
        y = rng.standard_normal(n_rows) + (0 if options else 4 * X[:, 7])
        model = PrunedRegressor(**options)
        first = model.fit(X, y).support_
        np.testing.assert_array_equal(model.fit(X[order], y[order]).support_, first)


def test_three_classes_all_but_separated_keep_what_separates_them():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X, weights = rng.standard_normal((100, 20)), np.zeros((3, 20))
        weights[:, :3] = rng.standard_normal((3, 3)) * 3
        y = (X @ weights.T + rng.gumbel(size=(100, 3))).argmax(axis=1)
        model = PrunedClassifier(LogisticRegression(C=np.inf, max_iter=3000), n_nonzero=3, feature_groups="feature")
        np.testing.assert_array_equal(np.flatnonzero(model.fit(X, y).support_.any(axis=0)), [0, 1, 2])

"""Every linear classifier of scikit-learn inside every wrapper; weights, sparse rows, and other meta-estimators."""

from inspect import signature

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit, softmax
from sklearn import linear_model as lm
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils import compute_class_weight
from sklearn.utils.discovery import all_estimators

from skcompress import DistilledClassifier, PrunedClassifier, QuantizedClassifier

BASES = [
    lm.LogisticRegression(),
    lm.LogisticRegressionCV(Cs=[0.1, 1.0], cv=3),
    LinearSVC(random_state=0),
    lm.RidgeClassifier(),
    lm.RidgeClassifierCV(),
    lm.SGDClassifier(loss="log_loss", random_state=0),
    lm.SGDClassifier(random_state=0),
    lm.Perceptron(random_state=0),
]
# Their fit takes no sample_weight, so that they cannot be students.
UNWEIGHTED = [
    LinearDiscriminantAnalysis(),
    LinearDiscriminantAnalysis(solver="lsqr"),
]
LEAVES = [
    make_pipeline(StandardScaler(), lm.LogisticRegression()),
    GridSearchCV(lm.LogisticRegression(), {"C": [0.1, 1.0]}, cv=3),
]
LOGISTIC = [lm.LogisticRegression(), lm.LogisticRegressionCV(Cs=[0.1, 1.0], cv=3), *LEAVES]
WRAPPERS = {
    "pruned": lambda base: PrunedClassifier(base, n_nonzero=2),
    "quantized": lambda base: QuantizedClassifier(base, bits=3),
    "distilled": lambda base: DistilledClassifier(base, teacher=lm.LogisticRegression(C=0.01), alpha=0.5, cv=2),
    "both": lambda base: QuantizedClassifier(PrunedClassifier(base, n_nonzero=2), bits=3),
}
COMPRESSED = {name: wrap for name, wrap in WRAPPERS.items() if name != "distilled"}
every_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
every_compression = pytest.mark.parametrize("wrap", COMPRESSED.values(), ids=COMPRESSED)
both_targets = pytest.mark.parametrize("n_classes", [2, 3])
pytestmark = [
    pytest.mark.filterwarnings("ignore:The .*default.* value:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The fitted attributes of LogisticRegressionCV:FutureWarning"),
]


def name_of(estimator):
    return type(estimator).__name__


def rows(n_classes, seed=0):
    """X (240, 5) and labels that are text, in no alphabetical order of size."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((240, 5))
    eta = X @ np.array([1.5, -1.0, 0.5, 0.2, 0.1]) + rng.logistic(size=240)
    cuts = [0.7] if n_classes == 2 else [-1.0, 1.0]
    return X, np.array(["poor", "fair", "good"])[np.digitize(eta, cuts)]


def observed(y, weight=None):
    weight = np.ones(len(y)) if weight is None else weight
    return np.array([weight[y == label].sum() for label in np.unique(y)]) / weight.sum()


@pytest.mark.slow
@both_targets
@every_wrapper
@pytest.mark.parametrize("base", BASES + UNWEIGHTED + LEAVES, ids=name_of)
def test_base_in_wrapper(base, wrap, n_classes):
    """One fit for all the promises, since there are so many pairs."""
    X, y = rows(n_classes)
    if wrap is WRAPPERS["distilled"] and any(base is one for one in UNWEIGHTED):
        with pytest.raises(ValueError, match="takes no sample_weight, which is how a student learns"):
            wrap(clone(base)).fit(X, y)
        return
    model, full = wrap(clone(base)).fit(X, y), clone(base).fit(X, y)
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    n_outputs = 1 if n_classes == 2 else 3
    weights = np.atleast_2d(model.coef_)
    assert weights.shape == (n_outputs, 5)
    if hasattr(full, "coef_"):
        assert model.coef_.shape == full.coef_.shape
        assert model.intercept_.shape == full.intercept_.shape

    # Everything that is predicted comes from the compressed weights.
    leaf_X = X if not hasattr(full, "steps") else model.estimator_[0].transform(X) if n_nest(model) == 1 else None
    if leaf_X is not None:
        eta = leaf_X @ weights.T + model.intercept_
        np.testing.assert_allclose(model.decision_function(X).reshape(len(X), -1), eta, atol=1e-9)
        place = (eta[:, 0] > 0).astype(int) if n_classes == 2 else eta.argmax(axis=1)
        np.testing.assert_array_equal(model.predict(X), model.classes_[place])
    assert hasattr(model, "predict_proba") == hasattr(full, "predict_proba")
    if hasattr(full, "predict_proba"):
        chance = model.predict_proba(X)
        np.testing.assert_allclose(chance.sum(axis=1), 1.0)
        np.testing.assert_array_equal(model.classes_[chance.argmax(axis=1)], model.predict(X))
        assert not np.allclose(chance, full.predict_proba(X), atol=1e-6)
    if isinstance(model, PrunedClassifier):
        np.testing.assert_array_equal(np.count_nonzero(weights, axis=1), np.full(n_outputs, 2))
    if isinstance(model, QuantizedClassifier):
        np.testing.assert_allclose(model.coef_, (model.codes_ - model.zero_point_) * model.scale_, rtol=1e-12)
    assert -1e-3 <= model.loss_increase_ < 1.0

    before = full.decision_function(X)
    frozen = wrap(FrozenEstimator(full)).fit(X, y)
    np.testing.assert_array_equal(full.decision_function(X), before)
    assert not np.allclose(frozen.decision_function(X), before, rtol=1e-6)


def n_nest(model):
    return 1 + n_nest(model.estimator_) if hasattr(model.estimator_, "estimator_") else 1


@pytest.mark.slow
@both_targets
@every_compression
@pytest.mark.parametrize("base", LOGISTIC, ids=name_of)
def test_the_mean_probability_is_the_observed_rate(base, wrap, n_classes):
    X, y = rows(n_classes)
    model = wrap(clone(base)).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X).mean(axis=0), observed(y), atol=1e-9)


@both_targets
@every_compression
def test_with_sample_weight_the_weighted_means_agree(wrap, n_classes):
    X, y = rows(n_classes)
    weight = np.random.default_rng(1).uniform(0.2, 4.0, len(y))
    model = wrap(lm.LogisticRegression()).fit(X, y, sample_weight=weight)
    mean = np.average(model.predict_proba(X), axis=0, weights=weight)
    np.testing.assert_allclose(mean, observed(y, weight), atol=1e-9)


@both_targets
@every_compression
def test_balanced_classes_make_the_weighted_means_equal(wrap, n_classes):
    """With class_weight the rate that is kept is that of the weighted rows, not the observed one."""
    X, y = rows(n_classes)
    model = wrap(lm.LogisticRegression(class_weight="balanced")).fit(X, y)
    weight = 1 / observed(y)[np.searchsorted(model.classes_, y)]
    mean = np.average(model.predict_proba(X), axis=0, weights=weight)
    np.testing.assert_allclose(mean, np.full(n_classes, 1 / n_classes), atol=1e-9)
    assert np.abs(model.predict_proba(X).mean(axis=0) - observed(y)).max() > 0.01


@both_targets
@every_compression
@pytest.mark.parametrize(
    "base", [lm.LogisticRegression(tol=1e-10), lm.RidgeClassifier(), LinearSVC(tol=1e-8, dual=False)], ids=name_of
)
def test_class_weight_is_sample_weight_by_class(base, wrap, n_classes):
    if isinstance(base, LinearSVC) and n_classes == 3:
        pytest.skip("liblinear weighs a class only in its own model against the rest")
    X, y = rows(n_classes)
    factor = {"poor": 3.0, "fair": 1.0, "good": 0.5}
    given = {label: factor[label] for label in np.unique(y)}
    by_class = wrap(clone(base).set_params(class_weight=given)).fit(X, y)
    by_row = wrap(clone(base)).fit(X, y, sample_weight=np.array([given[label] for label in y]))
    np.testing.assert_allclose(by_class.coef_, by_row.coef_, atol=1e-5)
    np.testing.assert_allclose(by_class.intercept_, by_row.intercept_, atol=1e-5)
    assert by_class.loss_increase_ == pytest.approx(by_row.loss_increase_, abs=1e-6)


@both_targets
@pytest.mark.parametrize(
    "base", [lm.LogisticRegression(tol=1e-10, max_iter=1000), lm.RidgeClassifier(), lm.LogisticRegressionCV(cv=3)]
)
def test_balanced_classes_with_weights_are_those_of_the_base(base, n_classes):
    """The base is at the minimum of the loss on its own rows: with nothing pruned nothing moves."""
    X, y = rows(n_classes)
    weight = np.where(y == "poor", 3.0, 0.5) * np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    base = clone(base).set_params(class_weight="balanced")
    alone = clone(base).fit(X, y, sample_weight=weight)
    model = PrunedClassifier(base, n_nonzero=X.shape[1]).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.intercept_, alone.intercept_, atol=1e-2)
    assert model.loss_increase_ == pytest.approx(0.0, abs=1e-4)


def test_a_weight_of_two_is_a_repeated_row_where_classes_are_balanced():
    X, y = rows(2)
    base = lm.LogisticRegression(class_weight="balanced", tol=1e-10)
    if not _balances_weights():
        pytest.skip("this scikit-learn balances rows, not their weights")
    twice = np.where(np.arange(len(y)) % 3 == 0, 2, 1)
    weighted = PrunedClassifier(base, n_nonzero=2).fit(X, y, sample_weight=twice)
    repeated = PrunedClassifier(base, n_nonzero=2).fit(np.repeat(X, twice, axis=0), np.repeat(y, twice))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-6)
    np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, atol=1e-6)
    assert weighted.loss_increase_ == pytest.approx(repeated.loss_increase_, abs=1e-8)


def _balances_weights():
    return "sample_weight" in signature(compute_class_weight).parameters


@pytest.mark.slow
@both_targets
@every_compression
@pytest.mark.parametrize("base", [*BASES[:1], *BASES[2:]], ids=name_of)
def test_sparse_rows_give_the_same_model(base, wrap, n_classes):
    X, y = rows(n_classes)
    X = np.where(np.abs(X) > 0.5, X, 0.0)
    if isinstance(base, lm.LogisticRegression):
        base = lm.LogisticRegression(tol=1e-10)
    frozen = FrozenEstimator(clone(base).fit(sp.csr_array(X), y))
    model, dense = wrap(frozen).fit(sp.csr_array(X), y), wrap(frozen).fit(X, y)
    np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-9)
    fitted = wrap(clone(base)).fit(sp.csr_array(X), y)
    np.testing.assert_array_equal(fitted.predict(sp.csr_array(X)), fitted.predict(X))


@both_targets
def test_log_odds_and_softmax(n_classes):
    X, y = rows(n_classes)
    model = PrunedClassifier(n_nonzero=2).fit(X, y)
    eta = X @ model.coef_.T + model.intercept_
    expected = np.column_stack([expit(-eta), expit(eta)]) if n_classes == 2 else softmax(eta, axis=1)
    np.testing.assert_allclose(model.predict_proba(X), expected)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(expected))


@pytest.mark.parametrize("wrap", [WRAPPERS["pruned"], WRAPPERS["quantized"]], ids=["pruned", "quantized"])
def test_one_against_rest_is_a_model_for_each_class(wrap):
    """Outside, OneVsRestClassifier gives each class its own binary model, and its own weights."""
    X, y = rows(3)
    model = OneVsRestClassifier(wrap(lm.LogisticRegression())).fit(X, y)
    for place, label in enumerate(model.classes_):
        alone = wrap(lm.LogisticRegression()).fit(X, (y == label).astype(int))
        np.testing.assert_array_equal(model.estimators_[place].coef_, alone.coef_)
    chance = np.column_stack([one.predict_proba(X)[:, 1] for one in model.estimators_])
    np.testing.assert_allclose(model.predict_proba(X), chance / chance.sum(axis=1, keepdims=True))


@pytest.mark.slow
@every_wrapper
@both_targets
@pytest.mark.parametrize("ensemble", [True, False])
@pytest.mark.parametrize("base", [lm.LogisticRegression(), LinearSVC(random_state=0)], ids=name_of)
def test_calibrated_around_the_wrapper(base, ensemble, wrap, n_classes):
    """Each fold's calibrator sees the scores of a compressed model."""
    X, y = rows(n_classes)
    model = CalibratedClassifierCV(wrap(base), cv=3, ensemble=ensemble).fit(X, y)
    assert len(model.calibrated_classifiers_) == (3 if ensemble else 1)
    for part in model.calibrated_classifiers_:
        assert np.unique(part.estimator.coef_).size <= 15
        assert type(part.estimator) is type(wrap(base))
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert np.abs(model.predict_proba(X).mean(axis=0) - observed(y)).max() < 0.05


def test_a_fitted_wrapper_is_calibrated_on_other_rows():
    X, y = rows(2)
    model = PrunedClassifier(LinearSVC(random_state=0), n_nonzero=2).fit(X[:120], y[:120])
    weights = model.coef_.copy()
    calibrated = CalibratedClassifierCV(FrozenEstimator(model)).fit(X[120:], y[120:])
    np.testing.assert_array_equal(model.coef_, weights)
    assert np.abs(calibrated.predict_proba(X[120:]).mean(axis=0) - observed(y[120:])).max() < 0.02


@every_wrapper
@pytest.mark.parametrize(
    "several",
    [
        CalibratedClassifierCV(lm.LogisticRegression()),
        OneVsRestClassifier(lm.LogisticRegression()),
        OneVsOneClassifier(lm.LogisticRegression()),
    ],
    ids=name_of,
)
def test_several_models_inside_are_refused(several, wrap):
    with pytest.raises(
        TypeError, match=f"{name_of(several)} holds one or several models and has no coef_.*put the wrapper inside it"
    ):
        wrap(several).fit(*rows(3))


@pytest.mark.parametrize("C", [0.01, 1.0])
@pytest.mark.parametrize("shift", [0.0, 3.0])
@pytest.mark.parametrize("penalty", [{}, {"penalty": "l1"}])
@pytest.mark.filterwarnings("ignore:.*penalty.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:Inconsistent values.*:UserWarning")
def test_liblinear_has_an_intercept_that_is_penalised(C, shift, penalty):
    """It is off the observed rate, and compression stays with the base: its own predictions are what counts."""
    X, y = rows(2)
    base = lm.LogisticRegression(solver="liblinear", C=C, tol=1e-8, random_state=0, **penalty).fit(X + shift, y)
    if not base.coef_.any():
        return
    kept = int(np.count_nonzero(base.coef_))
    whole = PrunedClassifier(base, n_nonzero=kept).fit(X + shift, y)
    np.testing.assert_allclose(whole.coef_, base.coef_, atol=1e-7)
    np.testing.assert_allclose(whole.intercept_, base.intercept_, atol=1e-7)
    assert whole.loss_increase_ == pytest.approx(0.0, abs=1e-10)
    losses = [PrunedClassifier(base, n_nonzero=k).fit(X + shift, y).loss_increase_ for k in range(1, kept + 1)]
    assert (np.array(losses) >= -1e-10).all()
    fewer = PrunedClassifier(base, n_nonzero=1).fit(X + shift, y)
    means = [model.predict_proba(X + shift).mean(axis=0) for model in (base, fewer)]
    np.testing.assert_allclose(means[0], means[1], atol=1e-9)
    if C == 1.0:
        assert PrunedClassifier(base).fit(X + shift, y).n_nonzero_ >= 1


@pytest.mark.skipif(not hasattr(lm, "PassiveAggressiveClassifier"), reason="is gone from this scikit-learn")
@pytest.mark.filterwarnings("ignore:Class PassiveAggressiveClassifier is deprecated:FutureWarning")
@both_targets
@every_compression
def test_passive_aggressive_while_it_is_there(wrap, n_classes):
    X, y = rows(n_classes)
    model = wrap(lm.PassiveAggressiveClassifier(random_state=0)).fit(X, y)
    eta = X @ model.coef_.T + model.intercept_
    np.testing.assert_allclose(model.decision_function(X).reshape(eta.shape), eta)
    assert 0.0 < model.loss_increase_ < 1.0


def test_no_linear_classifier_of_scikit_learn_is_left_out():
    listed = {name_of(base) for base in BASES + UNWEIGHTED + LEAVES}
    linear = {
        name
        for name, kind in all_estimators(type_filter="classifier")
        if kind.__module__.startswith("sklearn.linear_model")
    }
    assert linear - listed - {"PassiveAggressiveClassifier"} == set()

"""DistilledClassifier: soft targets, mixing on the log-odds scale, and what goes with unlabelled rows."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, Ridge, RidgeClassifier, SGDClassifier
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skcompress import DistilledClassifier, PrunedClassifier, QuantizedClassifier, compact

TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
LOGISTIC = LogisticRegression(tol=1e-8, max_iter=1000)


@pytest.fixture
def binary():
    """X (120, 4) and string labels."""
    X, y = make_classification(120, 4, n_informative=3, n_redundant=0, flip_y=0.2, random_state=0)
    return X, np.array(["good", "bad"])[y]


@pytest.fixture
def three_classes():
    """X (150, 4) and labels 0, 1, 2."""
    return make_classification(150, 4, n_informative=3, n_redundant=0, n_classes=3, flip_y=0.2, random_state=1)


def soft_fit(X, target, penalty):
    """Minimise the cross entropy with soft targets plus half the penalty times the squared weights."""
    n_classes = target.shape[1]

    def loss(v):
        W = v.reshape(n_classes, -1)
        return -(target * log_softmax(X @ W[:, :-1].T + W[:, -1], axis=1)).sum() + penalty / 2 * (W[:, :-1] ** 2).sum()

    found = minimize(loss, np.zeros(n_classes * (X.shape[1] + 1)), options={"gtol": 1e-7}).x.reshape(n_classes, -1)
    return found[:, :-1], found[:, -1]


class TestSoftTargets:
    @pytest.mark.parametrize("data", ["binary", "three_classes"])
    def test_the_student_minimises_the_cross_entropy(self, data, request):
        X, y = request.getfixturevalue(data)
        teacher = FrozenEstimator(TREE.fit(X, y))
        model = DistilledClassifier(LOGISTIC, teacher=teacher, alpha=1.0).fit(X, y)
        # Two classes have one weight vector, the difference of two whose squares are half as large each.
        weights, intercept = soft_fit(X, teacher.predict_proba(X), 2.0 if len(model.classes_) == 2 else 1.0)
        expected = softmax(X @ weights.T + intercept, axis=1)
        np.testing.assert_allclose(model.predict_proba(X), expected, atol=2e-4)

    def test_a_ridge_classifier_is_fitted_to_the_mean_label(self, binary):
        X, y = binary
        teacher = FrozenEstimator(TREE.fit(X, y))
        model = DistilledClassifier(RidgeClassifier(2.0), teacher=teacher, alpha=1.0).fit(X, y)
        ridge = Ridge(2.0).fit(X, 2 * teacher.predict_proba(X)[:, 1] - 1)
        np.testing.assert_allclose(model.decision_function(X), ridge.predict(X))

    @pytest.mark.parametrize("student", [LOGISTIC, LogisticRegression(class_weight="balanced", tol=1e-8), LinearSVC()])
    def test_a_teacher_that_repeats_the_labels_changes_nothing(self, student, binary):
        X, y = binary
        sure = FrozenEstimator(DecisionTreeClassifier(random_state=0).fit(X, y))
        model = DistilledClassifier(student, teacher=sure, alpha=1.0).fit(X, y)
        np.testing.assert_allclose(model.coef_, student.fit(X, y).coef_, rtol=1e-3)

    def test_a_penalty_chosen_by_cross_validation_is_the_one_for_the_labels(self, binary):
        X, y = binary
        options = {"Cs": [0.01, 1.0], "scoring": "neg_log_loss", "tol": 1e-8}
        if "use_legacy_attributes" in LogisticRegressionCV().get_params():
            options |= {"l1_ratios": (0,), "use_legacy_attributes": False}
        chosen = LogisticRegressionCV(**options).fit(X, y)
        model = DistilledClassifier(LogisticRegressionCV(**options), teacher=TREE, alpha=1.0).fit(X, y)
        plain = LogisticRegression(C=float(np.ravel(chosen.C_)[0]), tol=1e-8)
        plain = DistilledClassifier(plain, teacher=TREE, alpha=1.0).fit(X, y)
        np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-3)

    def test_out_of_fold_answers_have_all_classes_even_where_a_fold_lacks_one(self, three_classes):
        X, y = three_classes
        rows = np.r_[np.flatnonzero(y < 2), np.flatnonzero(y == 2)[:2]]
        halves = [
            (rows_of, np.setdiff1d(np.arange(len(rows)), rows_of)) for rows_of in (np.arange(90), np.arange(90, 102))
        ]
        model = DistilledClassifier(LOGISTIC, teacher=TREE, alpha=0.5, cv=halves).fit(X[rows], y[rows])
        assert model.coef_.shape == (3, 4)
        assert np.isfinite(model.coef_).all()


class TestMixing:
    @pytest.mark.parametrize("data", ["binary", "three_classes"])
    def test_log_odds_are_mixed(self, data, request):
        X, y = request.getfixturevalue(data)
        own, taught, mixed = (
            DistilledClassifier(LOGISTIC, teacher=TREE, alpha=alpha).fit(X, y).decision_function(X)
            for alpha in (0.0, 1.0, 0.25)
        )
        np.testing.assert_allclose(mixed, 0.75 * own + 0.25 * taught)
        np.testing.assert_allclose(own, LOGISTIC.fit(X, y).decision_function(X))

    def test_auto_keeps_away_from_a_useless_teacher(self, binary):
        X, y = binary
        useless = FrozenEstimator(TREE.fit(X, np.random.default_rng(0).permutation(y)))
        model = DistilledClassifier(LOGISTIC, teacher=useless).fit(X, y)
        assert model.alpha_ == 0.0
        np.testing.assert_allclose(model.coef_, LOGISTIC.fit(X, y).coef_)

    @pytest.mark.parametrize("student", [LOGISTIC, LinearSVC(), SGDClassifier(random_state=0), RidgeClassifier()])
    def test_auto_judges_any_classifier(self, student, three_classes):
        X, y = three_classes
        assert DistilledClassifier(student, teacher=TREE).fit(X, y).alpha_ in (0.0, 0.25, 0.5, 0.75, 1.0)

    @pytest.mark.parametrize("data", ["binary", "three_classes"])
    @pytest.mark.parametrize("temperature", [0.5, 3.0])
    def test_a_linear_teacher_is_recovered_at_any_temperature(self, temperature, data, request):
        X, y = request.getfixturevalue(data)
        teacher = LogisticRegression().fit(X, y)
        student = LogisticRegression(C=1e6, tol=1e-10, max_iter=5000)
        model = DistilledClassifier(student, teacher=FrozenEstimator(teacher), alpha=1.0, temperature=temperature)
        np.testing.assert_allclose(model.fit(X, y).predict_proba(X), teacher.predict_proba(X), atol=2e-3)

    @pytest.mark.parametrize("debias", [False, True])
    def test_unlabelled_rows_are_softened_too(self, debias, three_classes):
        """Three linear classes are recovered from rows without labels; there is nothing to correct."""
        X, y = three_classes
        teacher = LogisticRegression().fit(X, y)
        more = np.random.default_rng(0).standard_normal((400, 4))
        student = LogisticRegression(C=1e6, tol=1e-10, max_iter=5000)
        options = {"alpha": 1.0, "temperature": 2.0, "debias": debias}
        model = DistilledClassifier(student, teacher=FrozenEstimator(teacher), **options)
        model.fit(X, y, X_unlabeled=more)
        np.testing.assert_allclose(model.predict_proba(X), teacher.predict_proba(X), atol=0.06 if debias else 2e-3)

    def test_a_weight_of_two_is_the_row_twice(self, three_classes):
        X, y = three_classes
        teacher = FrozenEstimator(TREE.fit(X, y))
        twice = np.repeat(np.arange(150), np.where(np.arange(150) < 70, 2, 1))
        model = DistilledClassifier(LOGISTIC, teacher=teacher, alpha=0.5, temperature=2.0)
        repeated = model.fit(X[twice], y[twice]).decision_function(X)
        weighted = model.fit(X, y, sample_weight=np.bincount(twice).astype(float)).decision_function(X)
        np.testing.assert_allclose(weighted, repeated, atol=1e-4)

    def test_temperature_needs_log_odds(self, binary):
        with pytest.raises(
            ValueError, match=r"temperature=2\.0 needs a student that predicts log-odds.*RidgeClassifier"
        ):
            DistilledClassifier(RidgeClassifier(), teacher=TREE, temperature=2.0).fit(*binary)

    @pytest.mark.parametrize("temperature", [0, -1.0, "hot", True])
    def test_temperature_is_above_zero(self, temperature, binary):
        with pytest.raises(ValueError, match="temperature must be a number above 0"):
            DistilledClassifier(teacher=TREE, temperature=temperature).fit(*binary)


@pytest.fixture
def few_labels():
    """60 labelled rows, 2000 without labels and 3000 for testing, in which a teacher is strong but biased."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5060, 12))
    log_odds = X @ np.concatenate([[1.5, -1.0, 0.8], np.zeros(9)])
    y = (rng.random(5060) < expit(log_odds)).astype(int)
    answer = LogisticRegression(C=1e6).fit(X[2060:], y[2060:])
    answer.intercept_ = answer.intercept_ + 1.5
    return X[:60], y[:60], X[60:2060], X[2060:], y[2060:], FrozenEstimator(answer)


class TestUnlabeled:
    def test_a_strong_teacher_helps(self, few_labels):
        X, y, more, X_test, y_test, teacher = few_labels
        student = LogisticRegression()
        model = DistilledClassifier(student, teacher=teacher).fit(X, y, X_unlabeled=more)
        assert model.alpha_ > 0
        loss = log_loss(y_test, model.predict_proba(X_test))
        assert loss < log_loss(y_test, student.fit(X, y).predict_proba(X_test)) - 0.03

    @pytest.mark.parametrize("student", [LogisticRegression(), LogisticRegression(class_weight="balanced")])
    def test_debiasing_takes_out_the_teachers_bias(self, student, few_labels):
        X, y, more, X_test, _, teacher = few_labels
        biased, corrected = (
            DistilledClassifier(student, teacher=teacher, alpha=1.0, debias=debias).fit(X, y, X_unlabeled=more)
            for debias in (False, True)
        )
        truth = y.mean() if student.class_weight is None else 0.5
        rates = [abs(model.predict_proba(X_test)[:, 1].mean() - truth) for model in (biased, corrected)]
        assert rates[1] < rates[0] / 2

    def test_a_teacher_in_no_need_of_correction_is_hardly_corrected(self, three_classes):
        X, y = three_classes
        teacher = FrozenEstimator(LogisticRegression().fit(X, y))
        more = np.random.default_rng(0).standard_normal((500, 4))
        plain, corrected = (
            DistilledClassifier(LOGISTIC, teacher=teacher, alpha=1.0, debias=debias).fit(X, y, X_unlabeled=more)
            for debias in (False, True)
        )
        np.testing.assert_allclose(corrected.predict_proba(X), plain.predict_proba(X), atol=0.05)

    def test_sparse_rows_give_the_same_model(self, few_labels):
        X, y, more, *_ = few_labels
        teacher = ExtraTreesClassifier(10, random_state=0)
        model = DistilledClassifier(LOGISTIC, teacher=teacher, alpha=0.5, cv=3)
        dense = model.fit(X, y, X_unlabeled=more).coef_
        sparse = model.fit(sp.csr_array(X), y, X_unlabeled=sp.csr_array(more)).coef_
        np.testing.assert_allclose(sparse, dense, rtol=1e-4, atol=1e-6)

    def test_a_pipeline_transforms_them_on_the_way(self, few_labels):
        X, y, more, *_ = few_labels
        with sklearn.config_context(enable_metadata_routing=True):
            model = DistilledClassifier(LOGISTIC, teacher=TREE, alpha=0.5).set_fit_request(X_unlabeled=True)
            pipeline = make_pipeline(StandardScaler(), model, transform_input=["X_unlabeled"])
            pipeline.fit(X, y, X_unlabeled=more)
        scaler = StandardScaler().fit(X)
        by_hand = DistilledClassifier(LOGISTIC, teacher=TREE, alpha=0.5)
        by_hand.fit(scaler.transform(X), y, X_unlabeled=scaler.transform(more))
        np.testing.assert_allclose(pipeline[-1].coef_, by_hand.coef_)

    def test_teacher_and_student_may_see_other_columns(self, few_labels):
        X, y, more, X_test, *_ = few_labels
        frame, frame_more = (pd.DataFrame(rows, columns=[f"c{j}" for j in range(12)]) for rows in (X, more))
        student = make_pipeline(make_column_transformer(("passthrough", ["c0", "c1"])), LogisticRegression())
        teacher = make_pipeline(make_column_transformer(("passthrough", ["c1", "c2", "c5"])), TREE)
        model = DistilledClassifier(student, teacher=teacher, alpha=0.5).fit(frame, y, X_unlabeled=frame_more)
        assert model.coef_.shape == (1, 2)
        assert list(compact(model).inputs) == ["c0", "c1"]
        cheap = pd.DataFrame(X_test[:, :2], columns=["c0", "c1"])
        np.testing.assert_allclose(
            compact(model).predict(cheap), model.predict(pd.DataFrame(X_test, columns=frame.columns))
        )


class TestChains:
    def test_prune_and_quantize_what_was_distilled(self, few_labels):
        X, y, more, *_ = few_labels
        distilled = DistilledClassifier(LogisticRegression(), teacher=TREE, alpha=0.5).fit(X, y, X_unlabeled=more)
        inside = DistilledClassifier(
            QuantizedClassifier(PrunedClassifier(LogisticRegression(), n_nonzero=4), bits=4), teacher=TREE, alpha=0.5
        ).fit(X, y, X_unlabeled=more)
        around = PrunedClassifier(DistilledClassifier(LogisticRegression(), teacher=TREE, alpha=0.5), n_nonzero=4)
        around.fit(X, y, X_unlabeled=more)
        np.testing.assert_allclose(inside.base_coef_, distilled.coef_)
        np.testing.assert_array_equal(around.support_, inside.coef_ != 0)

    def test_a_pipeline_that_ends_in_a_wrapper(self, binary):
        X, y = binary
        student = make_pipeline(StandardScaler(), PrunedClassifier(LogisticRegression(), n_nonzero=2))
        model = DistilledClassifier(student, teacher=TREE, alpha=0.5).fit(X, y)
        assert np.count_nonzero(model.coef_) == 2
        assert set(model.predict(X)) == {"good", "bad"}


class TestRefusals:
    def test_a_teacher_without_probabilities(self, binary):
        with pytest.raises(ValueError, match="teacher must be a classifier with fit and predict_proba"):
            DistilledClassifier(teacher=LinearSVC()).fit(*binary)

    def test_several_labels_a_row(self, binary):
        X, _ = binary
        with pytest.raises(ValueError, match=r"takes one label for each row, got y of shape \(120, 2\)"):
            DistilledClassifier(RidgeClassifier(), teacher=TREE).fit(X, np.zeros((120, 2), dtype=int))

    def test_a_student_without_weights_of_rows(self, binary):
        with pytest.raises(ValueError, match="LinearDiscriminantAnalysis takes no sample_weight"):
            DistilledClassifier(LinearDiscriminantAnalysis(), teacher=TREE, alpha=0.5).fit(*binary)

    def test_a_frozen_teacher_that_lacks_a_class(self, three_classes):
        X, y = three_classes
        teacher = FrozenEstimator(TREE.fit(X[y < 2], y[y < 2]))
        with pytest.raises(ValueError, match=r"does not know the classes \[2\] of y"):
            DistilledClassifier(teacher=teacher).fit(X, y)

    def test_a_class_that_only_a_frozen_teacher_knows_is_left_out(self, three_classes):
        X, y = three_classes
        teacher = FrozenEstimator(TREE.fit(X, y))
        model = DistilledClassifier(LOGISTIC, teacher=teacher, alpha=1.0).fit(X[y < 2], y[y < 2])
        assert model.classes_.tolist() == [0, 1]


CHECKS = parametrize_with_checks(
    [
        DistilledClassifier(LogisticRegression(), teacher=TREE, alpha=0.5, cv=2),
        DistilledClassifier(RidgeClassifier(), teacher=TREE, alpha=0.5, cv="in_sample"),
    ]
).mark


# scikit-learn 1.6 passes a generator, which pytest does not take any more.
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_scikit_learn_check(estimator, check):
    check(estimator)

"""Representations are what their names say, their code has unit variance, and the student folds into one line."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress import DistilledClassifier, DistilledRegressor, PrunedRegressor
from skcompress.linear.soft_labels import shrunk_fit
from skcompress.linear.teaching import REPRESENTATIONS, encode, hidden, leaves, stages

TEACHERS = {
    "leaves": ExtraTreesRegressor(10, max_depth=3, random_state=0),
    "stages": GradientBoostingRegressor(n_estimators=12, random_state=0),
    "hidden": MLPRegressor(hidden_layer_sizes=(6, 4), solver="lbfgs", alpha=1.0, max_iter=5000, random_state=0),
}


@pytest.fixture
def more():
    return np.random.default_rng(1).standard_normal((200, 5))


class TestWhatTheyAre:
    def test_every_entry_has_a_teacher_here(self):
        assert set(TEACHERS) == set(REPRESENTATIONS)

    def test_leaves(self, small):
        X, y = small
        teacher = TEACHERS["leaves"].fit(X, y)
        np.testing.assert_array_equal(leaves(teacher, X), teacher.apply(X))
        boosted = GradientBoostingClassifier(n_estimators=4).fit(X, np.arange(60) % 3)
        assert leaves(boosted, X).shape == (60, 12)

    def test_stages_end_in_the_prediction(self, small):
        X, y = small
        for teacher in (TEACHERS["stages"], HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=5)):
            shown = stages(teacher.fit(X, y), X)
            np.testing.assert_allclose(shown[:, -1], teacher.predict(X))
        labels = np.arange(60) % 3
        classifier = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5).fit(X, labels)
        np.testing.assert_allclose(stages(classifier, X)[:, -3:], classifier.decision_function(X))

    @pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
    def test_the_output_layer_on_the_hidden_one_is_the_prediction(self, activation, small):
        X, y = small
        teacher = MLPRegressor(
            hidden_layer_sizes=(6, 4), activation=activation, solver="lbfgs", alpha=10, max_iter=5000
        )
        teacher.fit(X, y)
        shown = hidden(teacher, X)
        assert shown.shape == (60, 4)
        np.testing.assert_allclose((shown @ teacher.coefs_[-1] + teacher.intercepts_[-1])[:, 0], teacher.predict(X))
        np.testing.assert_allclose(hidden(teacher, sp.csr_array(X)), shown)


class TestCode:
    @pytest.mark.parametrize("name", TEACHERS)
    @pytest.mark.parametrize("n_components", [1, 3])
    def test_has_the_size_asked_for_and_unit_variance(self, name, n_components, small, more):
        X, y = small
        code, code_more = encode(name, n_components, TEACHERS[name].fit(X, y), X, y, more, 0)
        assert code.shape == (60, n_components)
        assert code_more.shape == (200, n_components)
        np.testing.assert_allclose(np.vstack([code, code_more]).std(axis=0), 1.0)

    def test_eight_numbers_by_default_or_all_there_are(self, small):
        X, y = small
        assert encode("stages", None, TEACHERS["stages"].fit(X, y), X, y, None, 0)[0].shape == (60, 8)
        assert encode("hidden", None, TEACHERS["hidden"].fit(X, y), X, y, None, 0)[0].shape == (60, 4)

    def test_a_callable_gets_the_teacher_and_the_rows(self, small, more):
        X, y = small
        teacher = Ridge().fit(X, y)
        code, code_more = encode(lambda fitted, rows: fitted.predict(rows), None, teacher, X, y, more, 0)
        everything = np.r_[teacher.predict(X), teacher.predict(more)]
        expected = (everything - everything.mean()) / everything.std()
        np.testing.assert_allclose(np.vstack([code, code_more])[:, 0], expected)

    def test_a_transformer_is_fitted_on_all_rows(self, small, more):
        X, y = small
        code, code_more = encode(PCA(2), None, None, X, y, more, 0)
        shown = PCA(2).fit(np.vstack([X, more])).transform(X)
        np.testing.assert_allclose(np.abs(np.corrcoef(code.T, shown.T)[:2, 2:]), np.eye(2), atol=0.2)
        assert code_more.shape == (200, 2)

    @pytest.mark.parametrize("wrap", [FrozenEstimator, lambda teacher: FrozenEstimator(FrozenEstimator(teacher))])
    def test_a_frozen_pipeline_is_looked_into(self, wrap, small):
        X, y = small
        pipeline = make_pipeline(StandardScaler(), TEACHERS["leaves"]).fit(X, y)
        inside = pipeline[-1].apply(pipeline[0].transform(X))
        assert inside.shape == (60, 10)
        code, _ = encode("leaves", 2, wrap(pipeline), X, y, None, 0)
        np.testing.assert_allclose(code, encode("leaves", 2, pipeline, X, y, None, 0)[0])


class TestStudent:
    def test_is_the_decoder_on_the_encoder(self, small, more):
        X, y = small
        teacher = TEACHERS["stages"]
        model = DistilledRegressor(Ridge(0.5), teacher=teacher, alpha=1.0, representation="stages", n_components=2)
        model.fit(X, y, X_unlabeled=more)
        code, code_more = encode("stages", 2, teacher.fit(X, y), X, y, more, None)
        weights, intercept = shrunk_fit(np.vstack([X, more]), np.vstack([code, code_more]), np.ones(260), True)
        decoder = Ridge(0.5).fit(X @ weights.T + intercept, y)
        np.testing.assert_allclose(model.predict(X), decoder.predict(X @ weights.T + intercept))
        np.testing.assert_allclose(model.predict(X), X @ model.coef_ + model.intercept_)

    def test_a_code_of_as_many_numbers_as_columns_loses_nothing(self, small):
        """The student's features themselves as the code: the decoder is then the student of y."""
        X, y = small
        model = DistilledRegressor(
            LinearRegression(), teacher=Ridge(), alpha=1.0, representation=lambda fitted, rows: rows, n_components=5
        ).fit(X, y)
        np.testing.assert_allclose(model.coef_, LinearRegression().fit(X, y).coef_)

    @pytest.mark.parametrize("representation", [*TEACHERS, Nystroem(n_components=10, random_state=0)])
    def test_alpha_is_chosen_with_any_of_them(self, representation, small, more):
        X, y = small
        teacher = TEACHERS.get(representation, Ridge()) if isinstance(representation, str) else Ridge()
        model = DistilledRegressor(Ridge(), teacher=teacher, representation=representation, cv=3)
        assert model.fit(X, y, X_unlabeled=more).alpha_ in (0.0, 0.25, 0.5, 0.75, 1.0)

    def test_counts(self, counts):
        X, y = counts
        teacher = TEACHERS["stages"]
        model = DistilledRegressor(PoissonRegressor(), teacher=teacher, alpha=1.0, representation="stages").fit(X, y)
        np.testing.assert_allclose(model.predict(X), np.exp(X @ model.coef_ + model.intercept_))
        assert model.score(X, y) > 0.8 * PoissonRegressor().fit(X, y).score(X, y)

    @pytest.mark.parametrize("n_classes", [2, 3])
    @pytest.mark.parametrize(
        ("name", "teacher"),
        [
            ("leaves", RandomForestClassifier(10, max_depth=3, random_state=0)),
            ("stages", GradientBoostingClassifier(n_estimators=10, random_state=0)),
            (
                "hidden",
                MLPClassifier(hidden_layer_sizes=(5,), solver="lbfgs", alpha=10.0, max_iter=5000, random_state=0),
            ),
        ],
    )
    def test_classifiers(self, name, teacher, n_classes, small, more):
        X, y = small
        labels = np.array(["a", "b", "c"])[np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))]
        model = DistilledClassifier(LogisticRegression(), teacher=teacher, alpha=1.0, representation=name)
        assert model.fit(X, labels, X_unlabeled=more).score(X, labels) > 0.7

    def test_frames_and_a_pruned_student(self, small, more):
        X, y = small
        names = list("abcde")
        student = make_pipeline(StandardScaler(), PrunedRegressor(Ridge(), n_nonzero=2))
        model = DistilledRegressor(student, teacher=TEACHERS["leaves"], alpha=1.0, representation="leaves")
        model.fit(pd.DataFrame(X, columns=names), y, X_unlabeled=pd.DataFrame(more, columns=names))
        assert np.count_nonzero(model.coef_) == 2


class TestRefusals:
    @pytest.mark.parametrize("representation", ["leafs", 3])
    def test_an_unknown_one(self, representation, small):
        with pytest.raises(ValueError, match=r"representation must be None, one of \['hidden', 'leaves', 'stages'\]"):
            DistilledRegressor(representation=representation).fit(*small)

    @pytest.mark.parametrize("n_components", [0, 1.5, True])
    def test_a_wrong_number(self, n_components, small):
        with pytest.raises(ValueError, match="n_components must be None or an int of at least 1"):
            DistilledRegressor(representation="leaves", n_components=n_components).fit(*small)

    @pytest.mark.parametrize(
        ("representation", "lacks"), [("leaves", "apply"), ("stages", "staged"), ("hidden", "coefs_")]
    )
    def test_a_teacher_that_has_none(self, representation, lacks, small):
        with pytest.raises(ValueError, match=f"representation='{representation}' needs a teacher with {lacks}.*Ridge"):
            DistilledRegressor(teacher=Ridge(), representation=representation).fit(*small)

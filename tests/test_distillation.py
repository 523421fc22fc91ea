"""DistilledRegressor: what it blends, when it keeps away from the teacher, and where it gains."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from joblib import parallel_config
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, SplineTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from wrapped import Exposed

from skcompress import DistilledClassifier, DistilledRegressor, PrunedRegressor, QuantizedRegressor, compact

TREE = DecisionTreeRegressor(max_depth=3, random_state=0)


class TestAlpha:
    @pytest.mark.parametrize("alpha", [0, 0.0, 0.3, 1, 1.0])
    def test_blends_the_two_fits(self, alpha, small):
        X, y = small
        model = DistilledRegressor(Ridge(0.5), teacher=TREE, alpha=alpha, cv=4).fit(X, y)
        taught = Ridge(0.5).fit(X, cross_val_predict(TREE, X, y, cv=4))
        own = Ridge(0.5).fit(X, y)
        np.testing.assert_allclose(model.coef_, (1 - alpha) * own.coef_ + alpha * taught.coef_)
        np.testing.assert_allclose(model.intercept_, (1 - alpha) * own.intercept_ + alpha * taught.intercept_)
        assert model.alpha_ == alpha

    def test_auto_keeps_away_from_a_useless_teacher(self, small):
        X, y = small
        rng = np.random.default_rng(0)
        useless = FrozenEstimator(LinearRegression().fit(X, 10 * rng.standard_normal(60)))
        model = DistilledRegressor(Ridge(0.5), teacher=useless).fit(X, y)
        assert model.alpha_ == 0.0
        np.testing.assert_array_equal(model.coef_, Ridge(0.5).fit(X, y).coef_)

    def test_auto_takes_a_teacher_that_knows(self, few_labels):
        X, y, more, X_test, signal, teacher = few_labels
        model = DistilledRegressor(LinearRegression(), teacher=teacher, debias=False).fit(X, y, X_unlabeled=more)
        plain = LinearRegression().fit(X, y)
        assert model.alpha_ > 0.4
        assert model.score(X_test, signal) > plain.score(X_test, signal) + 0.3

    @pytest.mark.parametrize(("error", "share"), [(2, 0.75), (4, 0.0)])
    def test_auto_asks_for_a_standard_error_unless_a_better_teacher_answers_unlabelled_rows(
        self, error, share, few_labels
    ):
        """Gains within their standard error, of a teacher that beats the student and of one that does not."""
        X, y, more, X_test, signal, _ = few_labels
        teacher = FrozenEstimator(LinearRegression().fit(X_test, signal + error * X_test[:, 5]))
        model = DistilledRegressor(Ridge(30.0), teacher=teacher, debias=False)
        assert model.fit(X, y).alpha_ == 0.0
        assert model.fit(X, y, X_unlabeled=more[:39]).alpha_ == share

    def test_weights_decide_with_auto(self, small):
        X, y = small
        truth = X @ np.array([3.0, -2.0, 0.5, 0.0, 1.0]) + 2
        y = y + 10 * np.random.default_rng(1).standard_normal(60)
        knows_the_first_half = np.where(np.arange(60) < 30, truth, -5 * truth)
        teacher = FrozenEstimator(DecisionTreeRegressor().fit(X, knows_the_first_half))
        model = DistilledRegressor(Ridge(0.5), teacher=teacher, cv=KFold(5, shuffle=True, random_state=0))
        first = np.r_[np.ones(30), np.full(30, 1e-9)]
        assert model.fit(X, y, sample_weight=first).alpha_ > 0
        assert model.fit(X, y, sample_weight=first[::-1]).alpha_ == 0


class TestTeacher:
    def test_is_fitted_on_all_labelled_rows(self, small):
        X, y = small
        model = DistilledRegressor(Ridge(), teacher=TREE, alpha=0.5).fit(X, y)
        np.testing.assert_array_equal(model.teacher_.predict(X), TREE.fit(X, y).predict(X))

    def test_in_sample(self, small):
        X, y = small
        model = DistilledRegressor(Ridge(0.5), teacher=TREE, alpha=1, cv="in_sample").fit(X, y)
        np.testing.assert_allclose(model.coef_, Ridge(0.5).fit(X, TREE.fit(X, y).predict(X)).coef_)

    def test_a_frozen_one_gives_its_own_answers(self, small):
        X, y = small
        frozen = FrozenEstimator(DecisionTreeRegressor(max_depth=2).fit(X, y))
        model = DistilledRegressor(Ridge(0.5), teacher=frozen, alpha=1).fit(X, y)
        assert model.teacher_ is frozen
        np.testing.assert_allclose(model.coef_, Ridge(0.5).fit(X, frozen.predict(X)).coef_)

    def test_boosted_trees_by_default(self, small):
        X, y = small
        model = DistilledRegressor(Ridge(0.5), alpha=0.5, cv=2, random_state=0).fit(X, y)
        assert type(model.teacher_).__name__ == "HistGradientBoostingRegressor"
        assert model.score(X, y) > 0.5

    def test_of_several_outputs(self, two_outputs):
        model = DistilledRegressor(Ridge(0.5), teacher=TREE, alpha=0.5, cv=2).fit(*two_outputs)
        assert model.coef_.shape == (2, 5)
        default = DistilledRegressor(Ridge(0.5), alpha=0.5, cv=2, random_state=0).fit(*two_outputs)
        assert default.coef_.shape == (2, 5)

    @pytest.mark.parametrize("alpha", [0.5, "auto"])
    def test_is_fitted_in_parallel_to_the_same_end(self, alpha, small):
        X, y = small
        more = np.random.default_rng(0).standard_normal((77, 5))
        options = {"teacher": TREE, "alpha": alpha, "cv": 3}
        one = DistilledRegressor(Ridge(), **options).fit(X, y, X_unlabeled=more)
        with parallel_config(backend="threading"):
            two = DistilledRegressor(Ridge(), n_jobs=2, **options).fit(X, y, X_unlabeled=more)
        np.testing.assert_array_equal(one.coef_, two.coef_)

    def test_a_number_for_alpha_takes_a_teacher_a_fold_and_auto_one_a_pair_of_folds_more(self, small):
        fits = []

        class Counted(DecisionTreeRegressor):
            def fit(self, X, y, sample_weight=None):
                fits.append(len(X))
                return super().fit(X, y, sample_weight=sample_weight)

        DistilledRegressor(Ridge(), teacher=Counted(), alpha=0.5, cv=5).fit(*small)
        assert sorted(fits) == [48] * 5 + [60]
        fits.clear()
        DistilledRegressor(Ridge(), teacher=Counted(), cv=5).fit(*small)
        assert sorted(fits) == [36] * 10 + [48] * 5 + [60]

    def test_sees_other_columns_than_the_student(self, small):
        """A teacher of a column that the student will never have."""
        X, y = small
        rng = np.random.default_rng(0)
        frame, more = (pd.DataFrame(rows, columns=list("abcde")) for rows in (X, rng.standard_normal((77, 5))))
        student = make_pipeline(make_column_transformer(("passthrough", ["a", "b"])), Ridge(0.5))
        teacher = make_pipeline(make_column_transformer(("passthrough", ["c", "e"])), TREE)
        model = DistilledRegressor(student, teacher=teacher, alpha=1.0, debias=False, cv=4)
        model.fit(frame, y, X_unlabeled=more)
        folds = list(KFold(4).split(X))
        seen = [clone(TREE).fit(X[train][:, [2, 4]], y[train]) for train, _ in folds]
        answers = np.concatenate(
            [
                *(tree.predict(X[test][:, [2, 4]]) for tree, (_, test) in zip(seen, folds, strict=True)),
                np.mean([tree.predict(more[["c", "e"]].to_numpy()) for tree in seen], axis=0),
            ]
        )
        expected = Ridge(0.5).fit(np.vstack([X, more])[:, :2], answers)
        np.testing.assert_allclose(model.coef_, expected.coef_)


class TestSampleWeight:
    @pytest.mark.parametrize("wrap", [lambda base: base, lambda base: PrunedRegressor(base, n_nonzero=3)])
    def test_of_two_is_the_row_twice(self, wrap, small):
        X, y = small
        more = np.random.default_rng(0).standard_normal((77, 5))
        teacher = FrozenEstimator(TREE.fit(X, y))
        twice = np.repeat(np.arange(60), 2)
        model = DistilledRegressor(wrap(LinearRegression()), teacher=teacher, alpha=0.4, debias=False)
        repeated = model.fit(X[twice], y[twice], X_unlabeled=np.repeat(more, 2, axis=0))
        coef, intercept = repeated.coef_.copy(), repeated.intercept_
        weighted = model.fit(X, y, sample_weight=np.full(60, 2.0), X_unlabeled=more)
        np.testing.assert_allclose(weighted.coef_, coef)
        np.testing.assert_allclose(weighted.intercept_, intercept)

    def test_of_zero_is_no_row(self, small):
        X, y = small
        weight = (np.arange(60) < 40).astype(float)
        model = DistilledRegressor(Ridge(0.5), teacher=TREE, alpha=0.5, cv="in_sample")
        weighted = model.fit(X, y, sample_weight=weight).coef_.copy()
        np.testing.assert_allclose(weighted, model.fit(X[:40], y[:40]).coef_)

    def test_reaches_both_below_a_pipeline(self, small):
        """The scaler takes all rows alike; weights go to the last steps of both."""
        X, y = small
        weight = np.random.default_rng(0).uniform(0.2, 2, 60)
        Z = StandardScaler().fit_transform(X)
        around = DistilledRegressor(make_pipeline(StandardScaler(), Ridge(0.5)), teacher=TREE, alpha=0.5, cv=3)
        flat = DistilledRegressor(Ridge(0.5), teacher=make_pipeline(StandardScaler(), TREE), alpha=0.5, cv=3)
        around.fit(X, y, sample_weight=weight)
        flat.fit(Z, y, sample_weight=weight)
        np.testing.assert_allclose(around.coef_, flat.coef_)


class TestWorseTeachers:
    """Rows without labels do not make up for a teacher that knows less than the student."""

    def linear(self, seed, n_labels):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((n_labels + 1000, 8))
        y = X @ rng.uniform(0.5, 1.5, 8) + 2 * rng.standard_normal(len(X))
        return X[:n_labels], y[:n_labels], X[n_labels:]

    @pytest.mark.parametrize("seed", range(8))
    def test_get_no_share(self, seed):
        X, y, more = self.linear(seed, 120)
        model = DistilledRegressor(Ridge(1.0), teacher=TREE).fit(X, y, X_unlabeled=more)
        assert model.alpha_ == 0.0
        np.testing.assert_array_equal(model.coef_, Ridge(1.0).fit(X, y).coef_)

    @pytest.mark.parametrize("seed", range(4))
    def test_of_classes_neither(self, seed):
        X, y, more = self.linear(seed, 200)
        teacher = DecisionTreeClassifier(max_depth=3, random_state=0)
        assert DistilledClassifier(teacher=teacher).fit(X, y > 0, X_unlabeled=more).alpha_ == 0.0

    @pytest.mark.parametrize("seed", range(4))
    def test_better_ones_need_no_margin(self, seed):
        X, y, more = self.linear(seed, 30)
        truth = FrozenEstimator(LinearRegression().fit(more, more @ np.ones(8)))
        assert DistilledRegressor(Ridge(1.0), teacher=truth).fit(X, y, X_unlabeled=more).alpha_ > 0


class TestUnlabelled:
    def test_debiasing_helps_where_the_teacher_is_wrong(self, few_labels):
        X, y, more, X_test, signal, _ = few_labels
        wrong = FrozenEstimator(LinearRegression().fit(X_test, 3 * signal + 5))
        options = {"teacher": wrong, "alpha": 1.0}
        biased = DistilledRegressor(Ridge(1.0), debias=False, **options).fit(X, y, X_unlabeled=more)
        corrected = DistilledRegressor(Ridge(1.0), debias=True, **options).fit(X, y, X_unlabeled=more)
        assert corrected.score(X_test, signal) > biased.score(X_test, signal)

    @pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, pd.DataFrame])
    def test_in_any_container(self, kind, small):
        X, y = small
        X = np.where(np.abs(X) > 1, X, 0.0)
        more = np.where(np.random.default_rng(0).uniform(size=(50, 5)) > 0.5, 1.0, 0.0)
        reference = DistilledRegressor(LinearRegression(), teacher=Ridge(3.0), alpha=0.5, cv=2)
        expected = reference.fit(X, y, X_unlabeled=more).coef_.copy()
        model = DistilledRegressor(LinearRegression(), teacher=Ridge(3.0), alpha=0.5, cv=2)
        if kind is pd.DataFrame:
            X, more = (pd.DataFrame(array, columns=list("abcde")) for array in (X, more))
            np.testing.assert_allclose(model.fit(X, y, X_unlabeled=more).coef_, expected)
        else:
            np.testing.assert_allclose(model.fit(kind(X), y, X_unlabeled=kind(more)).coef_, expected, rtol=1e-4)

    def test_as_many_rows_as_x_is_warned_of(self, small):
        """A search would have cut them along with X."""
        X, y = small
        model = DistilledRegressor(Ridge(), teacher=TREE, alpha=0.5, cv=2)
        with pytest.warns(UserWarning, match="X_unlabeled has as many rows as X"):
            model.fit(X, y, X_unlabeled=X)

    def test_a_search_that_would_cut_them_warns(self, small):
        X, y = small
        model = DistilledRegressor(Ridge(), teacher=TREE, alpha=0.5, cv=2)
        with pytest.warns(UserWarning, match=r"X_unlabeled has as many rows as X \(30\)"):
            cross_val_score(model, X, y, cv=2, params={"X_unlabeled": X})

    def test_a_search_leaves_them_whole(self, small):
        X, y = small
        more = np.random.default_rng(0).standard_normal((77, 5))
        search = GridSearchCV(DistilledRegressor(Ridge(), teacher=TREE, cv=2), {"alpha": [0, 0.5]}, cv=2)
        search.fit(X, y, X_unlabeled=more)
        alone = DistilledRegressor(Ridge(), teacher=TREE, cv=2, **search.best_params_).fit(X, y, X_unlabeled=more)
        np.testing.assert_array_equal(search.best_estimator_.coef_, alone.coef_)

    def test_below_a_pipeline_they_are_transformed(self, small):
        """The answers of least squares are the same for raw and for scaled rows."""
        X, y = small
        more = np.random.default_rng(0).standard_normal((77, 5)) + 5
        scaler = StandardScaler().fit(X)
        around = DistilledRegressor(
            make_pipeline(StandardScaler(), Ridge(0.5)), teacher=LinearRegression(), alpha=1, cv=2
        )
        flat = DistilledRegressor(Ridge(0.5), teacher=LinearRegression(), alpha=1, cv=2)
        around.fit(X, y, X_unlabeled=more)
        flat.fit(scaler.transform(X), y, X_unlabeled=scaler.transform(more))
        np.testing.assert_allclose(around.coef_, flat.coef_)

    def test_a_pipeline_transforms_them_on_the_way(self, small):
        X, y = small
        more = np.random.default_rng(0).standard_normal((77, 5)) + 5
        with sklearn.config_context(enable_metadata_routing=True):
            student = DistilledRegressor(Ridge(0.5), teacher=TREE, alpha=0.5, cv=2).set_fit_request(X_unlabeled=True)
            pipeline = make_pipeline(StandardScaler(), student, transform_input=["X_unlabeled"])
            pipeline.fit(X, y, X_unlabeled=more)
        scaler = StandardScaler().fit(X)
        alone = DistilledRegressor(Ridge(0.5), teacher=TREE, alpha=0.5, cv=2)
        alone.fit(scaler.transform(X), y, X_unlabeled=scaler.transform(more))
        np.testing.assert_allclose(pipeline[-1].coef_, alone.coef_)


class TestStudents:
    @pytest.mark.parametrize(
        "features",
        [KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform"), SplineTransformer(4)],
        ids=["bins", "splines"],
    )
    def test_an_additive_student_is_distilled_then_pruned(self, features, few_labels):
        """The wrapper at the end of a Pipeline gets the unlabelled rows in the features of the step before."""
        X, y, more, *_ = few_labels
        options = {"teacher": TREE, "alpha": 0.5, "cv": 3}
        student = make_pipeline(features, PrunedRegressor(Ridge(1.0), n_nonzero=6))
        model = DistilledRegressor(student, **options).fit(X, y, X_unlabeled=more)
        bare = DistilledRegressor(make_pipeline(features, Ridge(1.0)), **options).fit(X, y, X_unlabeled=more)
        np.testing.assert_allclose(model.base_coef_, bare.coef_, rtol=1e-8, atol=1e-10)
        assert np.count_nonzero(model.coef_) == 6
        np.testing.assert_allclose(compact(model).predict(X), model.predict(X))

    def test_a_pipeline_inside_a_wrapper_inside_a_pipeline(self, small):
        X, y = small
        more = np.random.default_rng(0).standard_normal((77, 5))
        inner = PrunedRegressor(make_pipeline(StandardScaler(), Ridge(0.5)), n_nonzero=3)
        options = {"teacher": TREE, "alpha": 0.5, "cv": 3}
        nested = DistilledRegressor(make_pipeline(StandardScaler(), inner), **options).fit(X, y, X_unlabeled=more)
        scaler = StandardScaler().fit(X)
        flat = DistilledRegressor(PrunedRegressor(Ridge(0.5), n_nonzero=3), **options)
        flat.set_params(teacher=make_pipeline(StandardScaler(), TREE))
        flat.fit(scaler.transform(X), y, X_unlabeled=scaler.transform(more))
        np.testing.assert_allclose(nested.coef_, flat.coef_, rtol=1e-6)

    @pytest.mark.parametrize(
        "student",
        [
            PrunedRegressor(Ridge(0.5), n_nonzero=2),
            QuantizedRegressor(Ridge(0.5), bits=4),
            QuantizedRegressor(PrunedRegressor(Ridge(0.5), n_nonzero=2), bits=4),
        ],
        ids=["pruned", "quantized", "both"],
    )
    @pytest.mark.parametrize("around", [False, True], ids=["bare", "below a scaler"])
    def test_the_students_own_steps_run_once_on_the_distilled_weights(self, student, around, small):
        X, y = small
        Z = StandardScaler().fit_transform(X) if around else X
        student_or_pipeline = make_pipeline(StandardScaler(), student) if around else student
        model = DistilledRegressor(student_or_pipeline, teacher=TREE, alpha=0.5, cv=4).fit(X, y)
        distilled = DistilledRegressor(Ridge(0.5), teacher=TREE, alpha=0.5, cv=4).fit(Z, y)
        np.testing.assert_allclose(model.base_coef_, distilled.coef_, rtol=1e-10)
        if isinstance(student, PrunedRegressor) or isinstance(student.estimator, PrunedRegressor):
            assert np.count_nonzero(model.coef_) == 2
        last = model.estimator_[-1] if around else model.estimator_
        if isinstance(student, QuantizedRegressor):
            np.testing.assert_allclose(model.coef_, last.codes_ * last.scale_)
        assert model.loss_increase_ > 0
        assert model.loss_increase_ == pytest.approx(last.loss_increase_)
        np.testing.assert_allclose(model.predict(X), Z @ model.coef_ + model.intercept_)

    def test_the_loss_of_compressing_a_distilled_model_is_in_its_own_terms(self, small):
        X, y = small
        model = DistilledRegressor(PrunedRegressor(LinearRegression(), n_nonzero=2), teacher=TREE, alpha=0.5, cv=4)
        model.fit(X, y)
        before = X @ model.base_coef_ + model.base_intercept_
        change = np.mean((model.predict(X) - before) ** 2)
        assert model.loss_increase_ == pytest.approx(change / before.var())
        assert model.prediction_change_ == pytest.approx(np.sqrt(change))

    def test_a_transformed_target(self, small):
        X, y = small
        student = TransformedTargetRegressor(Ridge(0.5), func=np.arcsinh, inverse_func=np.sinh)
        model = DistilledRegressor(student, teacher=TREE, alpha=1, cv=4).fit(X, y)
        answers = np.arcsinh(cross_val_predict(TREE, X, y, cv=4))
        np.testing.assert_allclose(model.coef_, Ridge(0.5).fit(X, answers).coef_)

    def test_counts_are_blended_on_the_log_scale(self, counts):
        X, y = counts
        teacher = ExtraTreesRegressor(20, min_samples_leaf=5, random_state=0)
        model = DistilledRegressor(PoissonRegressor(), teacher=teacher, alpha=0.5, cv=3).fit(X, y)
        taught = PoissonRegressor().fit(X, cross_val_predict(teacher, X, y, cv=3))
        own = PoissonRegressor().fit(X, y)
        np.testing.assert_allclose(model.coef_, (own.coef_ + taught.coef_) / 2)

    def test_a_sparse_student_keeps_the_zeros_that_both_have(self, small):
        X, y = small
        model = DistilledRegressor(Lasso(0.5), teacher=TREE, alpha=0.5, cv=4).fit(X, y)
        taught = Lasso(0.5).fit(X, cross_val_predict(TREE, X, y, cv=4))
        own = Lasso(0.5).fit(X, y)
        np.testing.assert_array_equal(model.coef_ != 0, (own.coef_ != 0) | (taught.coef_ != 0))

    def test_a_search_over_the_student(self, small):
        model = DistilledRegressor(PrunedRegressor(Ridge()), teacher=TREE, alpha=0.5, cv=2)
        search = GridSearchCV(model, {"estimator__n_nonzero": [1, 3], "estimator__estimator__alpha": [0.1, 1]}, cv=2)
        search.fit(*small)
        assert search.best_estimator_.estimator_.n_nonzero_ == search.best_params_["estimator__n_nonzero"]


class ExposedClassifier(LogisticRegression):
    """A LogisticRegression whose rows weigh as much as their exposure."""

    def fit(self, X, y, sample_weight=None, exposure=None):
        weight = np.ones(X.shape[0]) if sample_weight is None else np.asarray(sample_weight)
        return super().fit(X, y, weight * exposure)


class TestMetadata:
    """What the fit of the student takes beside sample_weight reaches every fit of the student."""

    OPTIONS = {"teacher": TREE, "cv": 3}  # noqa: RUF012

    @pytest.mark.parametrize("routing", [False, True])
    @pytest.mark.parametrize("around", ["bare", "pipeline", "wrapper in a pipeline", "target"])
    @pytest.mark.parametrize("alpha", [0.5, "auto"])
    def test_reaches_every_fit(self, routing, around, alpha, small):
        X, y = small
        exposure = np.random.default_rng(0).uniform(0.5, 2, 60)
        with sklearn.config_context(enable_metadata_routing=routing):
            base = Exposed(0.5)
            if routing:
                base.set_fit_request(exposure=True, scale=True)
            student = {
                "bare": base,
                "pipeline": make_pipeline(StandardScaler(), base),
                "wrapper in a pipeline": make_pipeline(StandardScaler(), PrunedRegressor(base, n_nonzero=5)),
                "target": TransformedTargetRegressor(base, func=lambda y: y, inverse_func=lambda y: y),
            }[around]
            prefix = "" if routing or not hasattr(student, "steps") else f"{student.steps[-1][0]}__"
            given = {f"{prefix}exposure": exposure, f"{prefix}scale": 3.0}
            model = DistilledRegressor(student, alpha=alpha, **self.OPTIONS).fit(X, y, **given)
        Z = StandardScaler().fit_transform(X) if hasattr(student, "steps") else X
        own = Exposed(0.5).fit(Z, y, exposure=exposure, scale=3.0)
        taught = Exposed(0.5).fit(Z, cross_val_predict(TREE, X, y, cv=3), exposure=exposure, scale=3.0)
        expected = (1 - model.alpha_) * own.coef_ + model.alpha_ * taught.coef_
        np.testing.assert_allclose(model.base_coef_, expected, rtol=1e-9)

    def test_groups_of_a_search_inside_go_no_further(self, small):
        X, y = small
        search = GridSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=GroupKFold(3))
        model = DistilledRegressor(search, alpha=0.5, **self.OPTIONS).fit(X, y, groups=np.arange(60) % 3)
        alone = clone(search).fit(X, y, groups=np.arange(60) % 3)
        plain = DistilledRegressor(alone.best_estimator_, alpha=0.5, **self.OPTIONS).fit(X, y)
        np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-12)

    def test_of_classifiers_too(self, small):
        X, y = small
        exposure = np.random.default_rng(0).uniform(0.5, 2, 60)
        teacher = FrozenEstimator(DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y > 2))
        options = {"teacher": teacher, "alpha": 1.0, "cv": 3}
        model = DistilledClassifier(ExposedClassifier(), **options).fit(X, y > 2, exposure=exposure)
        weighted = DistilledClassifier(LogisticRegression(), **options).fit(X, y > 2, sample_weight=exposure)
        np.testing.assert_allclose(model.coef_, weighted.coef_, rtol=1e-6)

    def test_of_labelled_rows_alone_is_refused_where_there_are_others(self, small):
        X, y = small
        model = DistilledRegressor(Exposed(), alpha=0.5, **self.OPTIONS)
        with pytest.raises(ValueError, match="exposure has an entry for each row of X and none"):
            model.fit(X, y, exposure=np.ones(60), X_unlabeled=np.zeros((7, 5)))
        assert model.fit(X, y, scale=2.0, X_unlabeled=np.zeros((7, 5))).alpha_ == 0.5

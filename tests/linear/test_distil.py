"""The arithmetic of distilling: sums of fits are fits of sums."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import Lasso, LinearRegression, PoissonRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress.linear.distil import Answers, Line, choose, held_out_errors, lines_of, write_line
from skcompress.linear.soft_labels import shrunk_fit


@pytest.fixture
def answers(small):
    """A teacher that has a bias and less noise than y."""
    X, _ = small
    return Answers(X @ np.array([2.0, -2.0, 0.0, 0.0, 0.5]) + 3)


class TestLine:
    def test_a_blend_predicts_the_blend_of_the_predictions(self):
        rng = np.random.default_rng(0)
        one, other = (Line(rng.standard_normal((2, 3)), rng.standard_normal(2)) for _ in range(2))
        X = rng.standard_normal((7, 3))
        expected = 0.7 * one.predict(X) + 0.3 * other.predict(X)
        np.testing.assert_allclose(one.blend(other, 0.3).predict(X), expected)

    @pytest.mark.parametrize("alpha", [0.0, 1.0])
    def test_the_ends_are_exact(self, alpha):
        one, other = Line(np.array([[1.1]]), np.array([0.3])), Line(np.array([[2.3]]), np.array([0.7]))
        blend = one.blend(other, alpha)
        assert blend.weights.tolist() == (other if alpha else one).weights.tolist()


class TestLines:
    def test_the_student_of_the_teacher_is_the_base_fitted_on_its_answers(self, small, answers):
        X, y = small
        own, taught = lines_of(Ridge(2.0).fit(X, y), X, y, {}, answers, True)
        for line, target in ((own, y), (taught, answers.labelled)):
            fitted = Ridge(2.0).fit(X, target)
            np.testing.assert_allclose(line.weights[0], fitted.coef_)
            np.testing.assert_allclose(line.intercept, fitted.intercept_)

    def test_a_blend_of_least_squares_is_the_fit_on_the_blended_target(self, small, answers):
        X, y = small
        own, taught = lines_of(LinearRegression().fit(X, y), X, y, {}, answers, True)
        mixed = LinearRegression().fit(X, 0.4 * y + 0.6 * answers.labelled)
        blend = own.blend(taught, 0.6)
        np.testing.assert_allclose(blend.weights[0], mixed.coef_)
        np.testing.assert_allclose(blend.intercept, mixed.intercept_)

    def test_weights_are_used_for_both(self, small, answers):
        X, y = small
        weight = np.random.default_rng(0).uniform(0.1, 3, 60)
        _, taught = lines_of(Ridge(2.0).fit(X, y, sample_weight=weight), X, y, {"sample_weight": weight}, answers, True)
        fitted = Ridge(2.0).fit(X, answers.labelled, sample_weight=weight)
        np.testing.assert_allclose(taught.weights[0], fitted.coef_)

    def test_below_a_pipeline_the_features_are_those_fitted_on_x(self, small, answers):
        X, y = small
        model = make_pipeline(StandardScaler(), Ridge(2.0)).fit(X, y)
        _, taught = lines_of(model, X, y, {}, answers, True)
        np.testing.assert_allclose(taught.weights[0], Ridge(2.0).fit(model[0].transform(X), answers.labelled).coef_)

    @pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
    def test_unlabelled_rows_are_added_to_the_teachers(self, kind, small, answers):
        X, y = small
        more = np.random.default_rng(0).standard_normal((200, 5))
        told = Answers(answers.labelled, kind(more), more[:, 0] * 2)
        _, taught = lines_of(Ridge(2.0).fit(kind(X), y), kind(X), y, {}, told, False)
        fitted = Ridge(2.0).fit(np.vstack([X, more]), np.concatenate([answers.labelled, more[:, 0] * 2]))
        np.testing.assert_allclose(taught.weights[0], fitted.coef_, atol=1e-3)

    def test_debiasing_adds_a_fit_of_the_residuals_and_takes_out_the_bias(self, small, answers):
        X, y = small
        more = np.random.default_rng(0).standard_normal((500, 5))
        wrong = more @ np.array([2.0, -2.0, 0.0, 0.0, 0.5]) + 3
        told = Answers(answers.labelled, more, wrong)
        fitted = LinearRegression().fit(X, y)
        _, biased = lines_of(fitted, X, y, {}, told, False)
        _, corrected = lines_of(fitted, X, y, {}, told, True)
        residuals = (y - answers.labelled)[:, None]
        weights, intercept = shrunk_fit(X, residuals, np.ones(60), True)
        np.testing.assert_allclose(corrected.weights - biased.weights, weights)
        np.testing.assert_allclose(corrected.intercept - biased.intercept, intercept)
        truth = np.array([3.0, -2.0, 0.5, 0.0, 1.0])
        assert np.abs(corrected.weights - truth).max() < np.abs(biased.weights - truth).max()

    def test_zeros_of_a_sparse_student_stay_zero_under_debiasing(self, small, answers):
        X, y = small
        X = np.column_stack([X, np.random.default_rng(1).standard_normal((60, 4))])
        more = np.random.default_rng(0).standard_normal((100, 9))
        told = Answers(answers.labelled, more, more[:, 0] * 2)
        fitted = Lasso(0.5).fit(X, y)
        plain = lines_of(fitted, X, y, {}, told, False)
        corrected = lines_of(fitted, X, y, {}, told, True)
        unused = (plain[0].weights == 0) & (plain[1].weights == 0)
        assert unused.any()
        np.testing.assert_array_equal(corrected[1].weights[unused], 0.0)

    def test_answers_below_zero_do_not_reach_a_log_link(self, counts):
        X, y = counts
        told = Answers(np.linspace(-3.0, 5.0, len(y)))
        _, taught = lines_of(PoissonRegressor().fit(X, y), X, y, {}, told, True)
        assert np.isfinite(taught.weights).all()

    def test_two_outputs(self, two_outputs):
        X, Y = two_outputs
        _, taught = lines_of(Ridge(2.0).fit(X, Y), X, Y, {}, Answers(Y * 2), True)
        np.testing.assert_allclose(taught.weights, Ridge(2.0).fit(X, Y * 2).coef_)


class TestAlpha:
    def test_a_gain_within_one_standard_error_is_none(self):
        rng = np.random.default_rng(0)
        errors = 1 + np.column_stack([np.zeros(100), rng.standard_normal((100, 2))])
        errors[:, 1] -= errors[:, 1].mean() - 0.95
        errors[:, 2] -= errors[:, 2].mean() - 1.5
        equal = np.full(100, 0.01)
        assert choose(errors, equal) == 0
        assert choose(errors, equal, margin=0.0) == 1
        errors[:, 1] -= 0.5
        assert choose(errors, equal) == 1

    def test_the_best_of_several_is_taken(self):
        errors = np.array([[1.0, 0.9, 0.5, 0.7]] * 10)
        assert choose(errors, np.full(10, 0.1)) == 2

    def test_rows_count_by_their_weight(self):
        errors = np.array([[1.0, 0.0]] * 9 + [[1.0, 10.0]])
        assert choose(errors, np.array([1 / 9] * 9 + [0.0])) == 1
        assert choose(errors, np.array([0.0] * 9 + [1.0])) == 0


def test_held_out_errors_are_squared_errors(small):
    X, y = small
    fitted = Ridge().fit(X[:40], y[:40])
    lines = [Line(fitted.coef_[None], np.array([fitted.intercept_])), Line(np.zeros((1, 5)), np.zeros(1))]
    errors = held_out_errors(fitted, lines, X[40:], y[40:])
    np.testing.assert_allclose(errors[:, 0], (y[40:] - fitted.predict(X[40:])) ** 2)
    np.testing.assert_allclose(errors[:, 1], y[40:] ** 2)


def test_a_written_line_is_what_predicts(small):
    X, y = small
    model = make_pipeline(StandardScaler(), Ridge()).fit(X, y)
    write_line(model, Line(np.ones((1, 5)), np.array([2.0])))
    np.testing.assert_allclose(model.predict(X), model[0].transform(X).sum(axis=1) + 2)


class TestShrunkFit:
    def test_units_of_the_columns_do_not_matter(self, small):
        X, y = small
        units = np.array([1e-3, 1.0, 50.0, 1e4, 0.1])
        plain, _ = shrunk_fit(X, y[:, None], np.ones(60), True)
        scaled, _ = shrunk_fit(X * units, y[:, None], np.ones(60), True)
        np.testing.assert_allclose(scaled * units, plain)

    def test_noise_is_shrunk_to_almost_nothing(self):
        rng = np.random.default_rng(0)
        X, noise = rng.standard_normal((80, 20)), rng.standard_normal((80, 1))
        weights, _ = shrunk_fit(X, noise, np.ones(80), True)
        free = np.linalg.lstsq(X - X.mean(axis=0), noise - noise.mean(), rcond=None)[0]
        assert np.linalg.norm(weights) < 0.5 * np.linalg.norm(free)

    @pytest.mark.parametrize("fit_intercept", [True, False])
    def test_no_columns(self, fit_intercept):
        target, weight = np.array([[1.0], [5.0]]), np.array([3.0, 1.0])
        weights, intercept = shrunk_fit(np.zeros((2, 0)), target, weight, fit_intercept)
        assert weights.shape == (1, 0)
        assert intercept.tolist() == ([2.0] if fit_intercept else [0.0])

    def test_sparse_is_dense(self, small):
        X, y = small
        X = np.where(np.abs(X) > 1, X, 0.0)
        dense, _ = shrunk_fit(X, y[:, None], np.ones(60), True)
        sparse, _ = shrunk_fit(sp.csr_array(X), y[:, None], np.ones(60), True)
        np.testing.assert_allclose(sparse, dense, rtol=1e-6)

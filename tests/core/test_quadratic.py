"""QuadraticModel against the quadratic form written out."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LinearRegression

from skcompress import prune
from skcompress.core.gram import LazyGram, weighted_mean
from skcompress.core.quadratic import QuadraticModel

P = 5


def positive(seed=0, rank=9):
    root = np.random.default_rng(seed).standard_normal((rank, P))
    return root.T @ root / rank


@pytest.fixture
def model():
    rng = np.random.default_rng(3)
    return QuadraticModel(
        [positive(1), positive(2)],
        rng.standard_normal((2, P)),
        gradient=0.1 * rng.standard_normal((2, P)),
        penalty=rng.uniform(size=(2, P)),
        null_loss=[2.0, 3.0],
        base_loss=[0.5, 0.6],
        n_samples=70,
    )


def full(model, output):
    """H of one output, written out."""
    gram = model.grams[0 if len(model.grams) == 1 else output]
    return gram.rows(np.arange(model.n_features)) + np.diag(model.penalty[output])


def formula(model, weights):
    losses = []
    for i in range(model.n_outputs):
        change = weights[i] - model.centre[i]
        losses.append(model.gradient[i] @ change + change @ full(model, i) @ change)
    return np.array(losses)


def random_weights(model, seed=5):
    return np.random.default_rng(seed).standard_normal(model.centre.shape)


def test_losses_are_the_formula(model):
    weights = random_weights(model)
    np.testing.assert_allclose(model.output_losses(weights), formula(model, weights))
    assert model.loss(weights) == pytest.approx(np.mean(formula(model, weights) / [2.0, 3.0]))
    assert model.loss(model.centre) == 0.0


def test_the_moment_gives_the_same_quadratic_from_zero(model):
    """F(w) = w'Hw - 2 c'w + constant."""
    weights = random_weights(model)
    for i in range(2):
        value = weights[i] @ full(model, i) @ weights[i] - 2 * model.moment()[i] @ weights[i]
        zero = formula(model, np.zeros((2, P)))[i]
        assert value == pytest.approx(formula(model, weights)[i] - zero)


def test_rows_blocks_diagonal_and_products_are_those_of_h(model):
    columns = np.array([3, 1])
    vectors = random_weights(model)
    for i in range(2):
        H = full(model, i)
        np.testing.assert_allclose(model.rows(columns, i), H[columns])
        np.testing.assert_allclose(model.block(columns, i), H[np.ix_(columns, columns)])
        np.testing.assert_allclose(model.diag()[i], np.diag(H))
        np.testing.assert_allclose(model.dot(vectors)[i], vectors[i] @ H)


def test_the_gram_is_not_changed_by_the_penalty():
    matrix = positive()
    before = matrix.copy()
    model = QuadraticModel(matrix, np.ones(P), penalty=1.0)
    model.rows(np.arange(P))
    model.block(np.arange(P))
    np.testing.assert_array_equal(matrix, before)


class TestRestrict:
    def support(self):
        return np.array([[True, False, True, True, False], [False, True, True, False, False]])

    def test_the_centre_is_the_optimum_on_the_support(self, model):
        small = model.restrict(self.support())
        for i, kept in enumerate(self.support()):
            H, columns = full(model, i), np.flatnonzero(kept)
            # d/dw: 2 H (w - w0) + g = 0 on the support.
            residual = 2 * H @ (small.centre[i] - model.centre[i]) + model.gradient[i]
            np.testing.assert_allclose(residual[columns], 0.0, atol=1e-12)
            np.testing.assert_array_equal(small.centre[i, ~kept], 0.0)

    def test_both_models_agree_on_the_support(self, model):
        small = model.restrict(self.support())
        weights = np.where(self.support(), random_weights(model), 0.0)
        np.testing.assert_allclose(small.output_losses(weights), model.output_losses(weights))
        np.testing.assert_allclose(small.loss_at_centre, model.output_losses(small.centre))
        assert not small.gradient.any()

    def test_in_two_steps_is_in_one(self, model):
        first = np.ones((2, P), dtype=bool)
        first[:, 0] = False
        final = self.support() & first
        direct, stepwise = model.restrict(final), model.restrict(first).restrict(final)
        np.testing.assert_allclose(stepwise.centre, direct.centre)
        np.testing.assert_allclose(stepwise.loss_at_centre, direct.loss_at_centre)

    def test_of_a_singular_h_moves_the_weight_at_no_loss(self):
        X = np.random.default_rng(0).standard_normal((30, 3))
        X = np.column_stack([X, X[:, 0], X[:, 1] - X[:, 2]])
        model = QuadraticModel(X.T @ X / 30, np.arange(1.0, 6.0))
        small = model.restrict(np.array([True, True, True, False, False]))
        assert small.loss_at_centre[0] == pytest.approx(0.0, abs=1e-12)
        np.testing.assert_allclose(small.centre[0, :3], [1 + 4, 2 + 5, 3 - 5])
        again = model.restrict(np.ones(P, dtype=bool))
        np.testing.assert_allclose(again.centre, model.centre)

    def test_prefers_the_columns_it_is_told_to(self):
        matrix = np.ones((2, 2))
        model = QuadraticModel(matrix, np.array([1.0, 1.0]), gradient=np.array([-2.0, -2.0]))
        for j in range(2):
            small = model.restrict(np.ones(2, dtype=bool), np.arange(2) == j)
            assert model.loss(small.centre) == pytest.approx(-1.0)
            assert small.centre[0, 1 - j] == 1.0

    def test_to_nothing(self, model):
        empty = model.restrict(np.zeros((2, P), dtype=bool))
        np.testing.assert_array_equal(empty.centre, 0.0)
        np.testing.assert_allclose(empty.loss_at_centre, model.output_losses(np.zeros((2, P))))

    def test_never_frees_what_was_not_free(self, model):
        bound = model.with_free(self.support()).restrict(np.ones((2, P), dtype=bool))
        np.testing.assert_array_equal(bound.free, self.support())

    def test_leaves_the_original_as_it_was(self, model):
        centre, free = model.centre.copy(), model.free.copy()
        model.restrict(self.support())
        np.testing.assert_array_equal(model.centre, centre)
        np.testing.assert_array_equal(model.free, free)


def test_recentred_has_its_minimum_where_it_is_told(model):
    centre = random_weights(model)
    moved = model.recentred(centre)
    assert moved.loss(centre) == 0.0
    weights = random_weights(model, 9)
    change = weights - centre
    expected = [change[i] @ full(model, i) @ change[i] for i in range(2)]
    np.testing.assert_allclose(moved.output_losses(weights), expected)


def test_one_output_alone_is_the_row_of_all(model):
    weights = random_weights(model)
    for i in range(2):
        one = model.output(i)
        assert one.n_outputs == 1
        np.testing.assert_allclose(one.output_losses(weights[i]), model.output_losses(weights)[i])
        assert one.loss(weights[i]) / 2 == pytest.approx(model.output_losses(weights)[i] / model.loss_unit[i])


class TestSystems:
    def test_outputs_with_one_h_and_the_same_zeros_go_together(self):
        free = np.array([[1, 1, 0, 1, 1], [1, 0, 0, 1, 1], [1, 1, 0, 1, 1]], dtype=bool)
        systems = list(QuadraticModel(positive(), np.ones((3, P)), free=free).systems())
        assert [system.outputs.tolist() for system in systems] == [[0, 2], [1]]
        assert [system.columns.tolist() for system in systems] == [[0, 1, 3, 4], [0, 3, 4]]

    def test_outputs_with_their_own_h_do_not(self, model):
        assert [system.outputs.tolist() for system in model.systems()] == [[0], [1]]

    def test_different_penalties_are_different_h(self):
        model = QuadraticModel(positive(), np.ones((2, P)), penalty=[[1.0] * P, [2.0] * P])
        assert not model.shared
        assert len(list(model.systems())) == 2


def test_zeros_of_the_centre_are_not_free():
    assert QuadraticModel(np.eye(3), [1.0, 0.0, -2.0]).free.tolist() == [[True, False, True]]


def test_a_null_loss_of_zero_does_not_divide():
    model = QuadraticModel(np.eye(3), np.zeros((2, 3)), free=np.ones(3, dtype=bool), null_loss=[0.0, 4.0])
    np.testing.assert_array_equal(model.loss_unit, [2.0, 8.0])
    assert model.loss(np.ones((2, 3))) == pytest.approx(3 / 2 + 3 / 8)


def test_a_lazy_gram_is_the_same_model():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, P)) * (rng.uniform(size=(20, P)) < 0.5)
    weight = np.full(20, 0.05)
    mean = weighted_mean(X, weight)
    centre, support = rng.standard_normal((1, P)), np.array([True, True, False, True, False])
    lazy = QuadraticModel(LazyGram(sp.csr_array(X), weight, mean), centre, penalty=0.1)
    dense = QuadraticModel((X - mean).T @ (X - mean) / 20, centre, penalty=0.1)
    np.testing.assert_allclose(lazy.restrict(support).centre, dense.restrict(support).centre)
    assert lazy.loss(np.ones((1, P))) == pytest.approx(dense.loss(np.ones((1, P))))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((np.eye(3), np.ones(4)), {}, "curvature must have 4 features"),
        (([np.eye(3)] * 3, np.ones((2, 3))), {}, "once for each of the 2 outputs"),
        ((np.eye(3), np.ones(3)), {"mean": np.ones(2)}, r"mean must broadcast to the shape \(1, 3\)"),
        ((np.eye(3), np.ones(3)), {"gradient": np.ones((2, 3))}, "gradient must broadcast"),
        ((np.eye(3), np.ones(3)), {"penalty": np.ones(4)}, "penalty must broadcast"),
        ((np.eye(3), np.ones(3)), {"free": [True, False]}, "free must broadcast"),
    ],
)
def test_shapes_that_do_not_fit_are_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        QuadraticModel(*arguments, **options)


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_a_covariance_of_coefficients_gives_the_model_of_its_rows(scale):
    """The precision of the slopes, the intercept profiled out, is n / scale H: by block inversion."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((80, 4)) @ rng.standard_normal((4, 4)) + [5, 0, -2, 1]
    params, curved = rng.standard_normal(5), rng.random(80)
    design = np.column_stack([np.ones(80), X])
    covariance = scale * np.linalg.inv(design.T * curved @ design)
    precision = np.linalg.inv(covariance[1:, 1:])
    mean = -precision @ covariance[1:, 0]
    printed = QuadraticModel(scale / 80 * precision, params[1:], mean=mean, level=params[0] + params[1:] @ mean)
    streamed = QuadraticModel.from_blocks(
        [(X[:30], None, curved[:30]), (X[30:], None, curved[30:])], coef=params[1:], intercept=params[0]
    )
    for weights in rng.standard_normal((3, 1, 4)):
        expected = streamed.output_losses(weights) * curved.sum() / 80
        np.testing.assert_allclose(printed.output_losses(weights), expected, rtol=1e-9)
        np.testing.assert_allclose(printed.best_intercept(weights), streamed.best_intercept(weights), rtol=1e-9)


def test_moments_and_weights_from_elsewhere_are_the_model_of_the_rows(small):
    X, y = small
    fitted = LinearRegression().fit(X, y)
    moments = np.cov(np.column_stack([X, y]).T, ddof=0)
    given = QuadraticModel(
        moments[:-1, :-1], fitted.coef_, mean=X.mean(axis=0), level=y.mean(), null_loss=moments[-1, -1]
    )
    pruned = prune(given, n_nonzero=2)
    kept = pruned.support[0]
    refit = LinearRegression().fit(X[:, kept], y)
    np.testing.assert_allclose(pruned.weights[0, kept], refit.coef_, rtol=1e-10)
    np.testing.assert_allclose(given.best_intercept(pruned.weights), refit.intercept_, rtol=1e-10)
    assert pruned.loss == pytest.approx(fitted.score(X, y) - refit.score(X[:, kept], y), rel=1e-9)

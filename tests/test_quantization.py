"""QuantizedRegressor, and compositions with pruning: codes, grids, supports."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Lasso, LinearRegression, PoissonRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress import DistilledRegressor, PrunedRegressor, QuantizedRegressor


def decoded(model):
    return (model.codes_.astype(int) - model.zero_point_) * model.scale_


def name_of(estimator):
    return type(estimator).__name__


class TestLoss:
    @pytest.mark.parametrize("bits", [1, 2, 4, 8])
    def test_is_the_r2_lost_of_least_squares(self, bits, small):
        X, y = small
        model = QuantizedRegressor(bits=bits).fit(X, y)
        assert model.loss_increase_ == pytest.approx(LinearRegression().fit(X, y).score(X, y) - model.score(X, y))

    def test_falls_with_the_bits(self, polynomial):
        losses = [QuantizedRegressor(bits=bits).fit(*polynomial).loss_increase_ for bits in (2, 4, 6, 8)]
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] < 0.003

    @pytest.mark.parametrize("rounding", ["gptq", "beam", "descent", "lattice"])
    def test_nearest_is_never_better(self, rounding, polynomial):
        smart = QuantizedRegressor(bits=4, rounding=rounding).fit(*polynomial).loss_increase_
        plain = QuantizedRegressor(bits=4, rounding="nearest", scale="max").fit(*polynomial).loss_increase_
        assert smart < plain

    def test_the_intercept_is_the_best_for_the_codes(self, small):
        X, y = small
        model = QuantizedRegressor(bits=2).fit(X, y)
        assert model.predict(X).mean() == pytest.approx(y.mean())


class TestCodes:
    @pytest.mark.parametrize(("bits", "dtype"), [(1, np.int8), (8, np.int8), (9, np.int16), (16, np.int16)])
    def test_smallest_type_symmetric(self, bits, dtype, small):
        model = QuantizedRegressor(bits=bits).fit(*small)
        assert model.codes_.dtype == dtype
        assert np.abs(model.codes_).max() <= max(1, 2 ** (bits - 1) - 1)

    @pytest.mark.parametrize(("bits", "dtype"), [(1, np.uint8), (8, np.uint8), (9, np.uint16), (16, np.uint16)])
    def test_smallest_type_affine(self, bits, dtype, small):
        model = QuantizedRegressor(bits=bits, grid="affine").fit(*small)
        assert model.codes_.dtype == dtype
        assert 0 <= model.codes_.min() <= model.codes_.max() <= 2**bits - 1
        assert 0 <= model.zero_point_ <= 2**bits - 1
        np.testing.assert_allclose(model.coef_, decoded(model), rtol=1e-12)

    def test_a_given_scale_is_the_scale(self, small):
        model = QuantizedRegressor(bits=8, scale=2**-5, granularity="tensor").fit(*small)
        assert model.scale_ == 2**-5
        np.testing.assert_array_equal(model.coef_, model.codes_ * 2**-5)

    @pytest.mark.parametrize("granularity", ["tensor", "output", "feature"])
    def test_scale_broadcasts_to_coef(self, granularity, two_outputs):
        model = QuantizedRegressor(bits=4, granularity=granularity).fit(*two_outputs)
        shape = {"tensor": (), "output": (2, 1), "feature": (2, 5)}[granularity]
        assert np.shape(model.scale_) == shape
        np.testing.assert_allclose(model.coef_, model.codes_ * model.scale_, rtol=1e-12)

    def test_features_in_far_units_get_scales_of_their_own(self, small):
        X, y = small
        model = QuantizedRegressor(LinearRegression(), bits=4).fit(X * [1, 1, 0.02, 50, 1], y)
        plain = QuantizedRegressor(LinearRegression(), bits=4, granularity="tensor").fit(X * [1, 1, 0.02, 50, 1], y)
        assert np.size(model.scale_) == 5
        assert model.loss_increase_ <= plain.loss_increase_
        octaves = np.log2(model.scale_ / model.scale_.min())
        np.testing.assert_allclose(octaves, np.rint(octaves), atol=1e-9)


class TestLevels:
    @pytest.mark.parametrize("granularity", ["tensor", "output", "feature"])
    @pytest.mark.parametrize("bits", [1, 3])
    @pytest.mark.parametrize("grid", ["power_of_two", "codebook"])
    def test_a_code_is_a_place_among_the_levels(self, grid, bits, granularity, two_outputs):
        X, Y = two_outputs
        for target in (Y, Y[:, 0]):
            model = QuantizedRegressor(bits=bits, grid=grid, granularity=granularity).fit(X, target)
            codes = model.codes_.astype(int)
            if model.levels_ is None:
                assert (grid, bits) == ("power_of_two", 1)
                values = codes - model.zero_point_
            elif model.levels_.ndim == 1:
                assert grid == "power_of_two" or granularity == "tensor"
                values = model.levels_[codes]
            else:
                assert grid == "codebook"
                assert len(model.levels_) == len(np.atleast_2d(codes))
                values = np.take_along_axis(model.levels_, np.atleast_2d(codes), axis=1).reshape(codes.shape)
            np.testing.assert_array_equal(model.coef_, values * model.scale_)

    def test_in_float32_the_weights_are_the_products_in_float32(self, small):
        X, y = small
        model = QuantizedRegressor(Ridge(0.1), bits=4).fit(X.astype(np.float32), y.astype(np.float32))
        product = (model.codes_ - model.zero_point_) * model.scale_
        assert model.coef_.dtype == np.float32
        np.testing.assert_array_equal(model.coef_, product.astype(np.float32))


class TestComposition:
    @pytest.mark.parametrize("bits", [1, 2, 3, 4])
    @pytest.mark.parametrize("grid", ["symmetric", "affine"])
    @pytest.mark.parametrize("rounding", ["nearest", "floor", "gptq", "beam", "descent", "lattice"])
    def test_pruned_zeros_are_never_revived(self, bits, grid, rounding, polynomial):
        X, y = polynomial
        pruned = FrozenEstimator(PrunedRegressor(Ridge(1.0), n_nonzero=12).fit(X, y))
        model = QuantizedRegressor(pruned, bits=bits, grid=grid, rounding=rounding).fit(X)
        np.testing.assert_array_equal(model.coef_[~pruned.estimator.support_], 0.0)

    def test_the_grid_may_round_kept_weights_to_zero(self, diabetes):
        model = PrunedRegressor(QuantizedRegressor(bits=2), n_nonzero=8).fit(*diabetes)
        assert model.support_.sum() == 8
        assert model.n_nonzero_ == np.count_nonzero(model.coef_) <= 8
        assert not model.coef_[~model.support_].any()

    def test_zeros_of_a_sparse_base_are_never_revived(self, polynomial):
        X, y = polynomial
        base = Lasso(1.0).fit(X, y)
        model = QuantizedRegressor(Lasso(1.0), bits=3).fit(X, y)
        np.testing.assert_array_equal(model.coef_[base.coef_ == 0], 0.0)

    @pytest.mark.parametrize("grid", ["symmetric", "affine"])
    @pytest.mark.parametrize("base", [Ridge(0.1), PoissonRegressor(alpha=0.01)], ids=name_of)
    def test_pruning_a_quantized_model_stays_on_its_grid(self, grid, base, counts):
        inner = QuantizedRegressor(base, bits=4, grid=grid)
        model = PrunedRegressor(inner, n_nonzero=3).fit(*counts)
        alone = clone(inner).fit(*counts)
        assert model.n_nonzero_ <= 3
        steps = model.coef_ / alone.scale_
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
        low, high = (-7, 7) if grid == "symmetric" else (0 - alone.zero_point_, 15 - alone.zero_point_)
        assert np.all((np.rint(steps) >= low) & (np.rint(steps) <= high))

    def test_both_orders_start_from_the_innermost_base(self, small):
        X, y = small
        full = Ridge(0.1).fit(X, y).coef_
        for model in (
            QuantizedRegressor(PrunedRegressor(Ridge(0.1), n_nonzero=2), bits=4),
            PrunedRegressor(QuantizedRegressor(Ridge(0.1), bits=4), n_nonzero=2),
        ):
            np.testing.assert_array_equal(model.fit(X, y).base_coef_, full)

    def test_both_orders_keep_the_same_support(self, polynomial):
        one = QuantizedRegressor(PrunedRegressor(n_nonzero=8), bits=6).fit(*polynomial)
        other = PrunedRegressor(QuantizedRegressor(bits=6), n_nonzero=8).fit(*polynomial)
        assert other.loss_increase_ < one.loss_increase_ + 0.05

    def test_the_loss_of_the_outer_wrapper_includes_the_inner(self, small):
        X, y = small
        model = QuantizedRegressor(PrunedRegressor(n_nonzero=2), bits=3).fit(X, y)
        inner = PrunedRegressor(n_nonzero=2).fit(X, y)
        assert model.loss_increase_ >= inner.loss_increase_
        assert model.loss_increase_ == pytest.approx(LinearRegression().fit(X, y).score(X, y) - model.score(X, y))

    def test_after_no_refit_the_centre_is_the_pruned_weights(self, small):
        X, y = small
        pruned = PrunedRegressor(n_nonzero=2, importance="l1", refit=None)
        model = QuantizedRegressor(pruned, bits=16).fit(X, y)
        np.testing.assert_allclose(model.coef_, clone(pruned).fit(X, y).coef_, rtol=1e-3)

    def test_pruning_twice_is_pruning_to_the_smaller(self, small):
        model = PrunedRegressor(PrunedRegressor(n_nonzero=4), n_nonzero=2).fit(*small)
        assert model.n_nonzero_ == 2
        inner = PrunedRegressor(n_nonzero=4).fit(*small)
        assert not (model.support_ & ~inner.support_).any()

    def test_quantizing_twice_is_on_the_outer_grid(self, small):
        model = QuantizedRegressor(QuantizedRegressor(bits=8), bits=2).fit(*small)
        assert np.abs(model.codes_).max() <= 1
        np.testing.assert_allclose(model.coef_, decoded(model))

    def test_a_pipeline_between_two_wrappers(self, small):
        X, y = small
        model = QuantizedRegressor(make_pipeline(StandardScaler(), PrunedRegressor(Ridge(0.1), n_nonzero=2)), bits=3)
        model.fit(X, y)
        flat = QuantizedRegressor(PrunedRegressor(Ridge(0.1), n_nonzero=2), bits=3)
        np.testing.assert_allclose(model.coef_, flat.fit(StandardScaler().fit_transform(X), y).coef_)

    def test_every_wrapper_around_a_distilled_student(self, small):
        X, y = small
        student = DistilledRegressor(Ridge(0.1), teacher=Ridge(100.0), alpha=0.5, cv=3)
        around = QuantizedRegressor(PrunedRegressor(student, n_nonzero=2), bits=4).fit(X, y)
        inside = DistilledRegressor(
            QuantizedRegressor(PrunedRegressor(Ridge(0.1), n_nonzero=2), bits=4),
            teacher=Ridge(100.0),
            alpha=0.5,
            cv=3,
        ).fit(X, y)
        np.testing.assert_array_equal(around.coef_ != 0, inside.coef_ != 0)
        np.testing.assert_allclose(around.coef_, inside.coef_, rtol=1e-6)

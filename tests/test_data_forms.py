"""What the wrappers take: frames, sparse matrices, float32, several outputs."""

import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.linear_model import ElasticNet, LinearRegression, Ridge
from wrapped import KNOWS_POLARS, WRAPPERS, every_wrapper

from skcompress import DistilledRegressor, PrunedRegressor

NAMED_POLARS = pytest.param(pl.DataFrame, marks=KNOWS_POLARS)


class TestFrames:
    @every_wrapper
    @pytest.mark.parametrize("kind", [pd.DataFrame, NAMED_POLARS])
    def test_a_frame_gives_the_model_of_its_array(self, wrap, kind, small):
        X, y = small
        frame = kind(dict(zip("abcde", X.T, strict=True)))
        model = wrap(Ridge(0.1)).fit(frame, y)
        assert model.feature_names_in_.tolist() == list("abcde")
        assert model.n_features_in_ == 5
        np.testing.assert_allclose(model.coef_, wrap(Ridge(0.1)).fit(X, y).coef_, rtol=1e-9)
        np.testing.assert_allclose(model.predict(frame[:7]), model.predict(frame)[:7])

    @every_wrapper
    @pytest.mark.parametrize("kind", [pd.DataFrame, NAMED_POLARS])
    def test_missing_columns_are_named_in_the_error(self, wrap, kind, small):
        X, y = small
        model = wrap(Ridge(0.1)).fit(kind(dict(zip("abcde", X.T, strict=True))), y)
        with pytest.raises(ValueError, match=r"(?s)feature names.*d"):
            model.predict(kind(dict(zip("abcxe", X.T, strict=True))))

    @every_wrapper
    def test_a_polars_or_pandas_series_as_target(self, wrap, small):
        X, y = small
        expected = wrap(Ridge(0.1)).fit(X, y).coef_
        np.testing.assert_array_equal(wrap(Ridge(0.1)).fit(X, pd.Series(y)).coef_, expected)
        np.testing.assert_array_equal(wrap(Ridge(0.1)).fit(X, pl.Series(y)).coef_, expected)
        np.testing.assert_array_equal(wrap(Ridge(0.1)).fit(X.tolist(), y.tolist()).coef_, expected)

    @every_wrapper
    def test_a_frame_with_its_own_index(self, wrap, small):
        X, y = small
        frame = pd.DataFrame(X, columns=list("abcde"), index=np.arange(60)[::-1])
        target = pd.Series(y, index=frame.index)
        weight = pd.Series(np.linspace(1, 2, 60), index=frame.index)
        model = wrap(Ridge(0.1)).fit(frame, target, sample_weight=weight)
        expected = wrap(Ridge(0.1)).fit(X, y, sample_weight=weight.to_numpy())
        np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-9)


class TestSparse:
    @every_wrapper
    @pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_array, sp.csr_matrix, sp.coo_array])
    def test_sparse_x_gives_the_dense_model(self, wrap, kind, small):
        X, y = small
        X = np.where(np.abs(X) > 1.5, X, 0.0)
        dense, model = wrap(LinearRegression()), wrap(LinearRegression())
        if isinstance(model, DistilledRegressor):
            # A tree breaks ties in another way on sparse data.
            dense.set_params(teacher=Ridge(5.0))
            model.set_params(teacher=Ridge(5.0))
        dense.fit(X, y)
        model.fit(kind(X), y)
        np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model.predict(kind(X)), dense.predict(X), rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize("name", ["pruned", "quantized", "both"])
    def test_x_is_never_made_dense(self, name, monkeypatch):
        """No dense array as large as X appears, whatever the solver of the base does."""
        X = sp.random_array((3000, 1500), density=0.002, rng=np.random.default_rng(0), format="csr")
        y = np.asarray(X @ np.random.default_rng(1).standard_normal(1500))
        dense = X.shape[0]
        for kind in (sp.csr_array, sp.csc_array, sp.csr_matrix, sp.csc_matrix, sp.coo_array):
            original = kind.toarray

            def toarray(self, *args, original=original, **kwargs):
                assert self.shape[0] < dense, "X was made dense"
                return original(self, *args, **kwargs)

            monkeypatch.setattr(kind, "toarray", toarray)
        options = {"pruned": {}, "quantized": {"rounding": "gptq", "scale": "max"}, "both": {}}[name]
        model = WRAPPERS[name](Ridge(1.0, solver="sparse_cg")).set_params(**options)
        if name == "both":
            model.set_params(rounding="gptq", estimator__search="one_shot", estimator__importance="obd")
        elif name == "pruned":
            model.set_params(search="one_shot", importance="obd")
        model.fit(X, y)
        assert model.predict(X).shape == (3000,)

    def test_a_wide_sparse_x_needs_no_p_by_p_matrix(self):
        X = sp.random_array((400, 20_000), density=0.002, rng=np.random.default_rng(0), format="csr")
        y = np.asarray(X[:, :5].sum(axis=1)).ravel() + 0.01 * np.random.default_rng(1).standard_normal(400)
        tracemalloc.start()
        model = PrunedRegressor(Ridge(1.0, solver="sparse_cg"), n_nonzero=5).fit(X, y)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * X.shape[0] * X.shape[1]
        assert model.n_nonzero_ == 5
        assert np.isfinite(model.loss_increase_)


class TestFloat32:
    @every_wrapper
    @pytest.mark.parametrize("base", [LinearRegression(), Ridge(0.1), ElasticNet(0.01)])
    def test_float32_in_float32_out(self, wrap, base, small):
        X, y = small
        model = wrap(base).fit(X.astype(np.float32), y.astype(np.float32))
        assert model.coef_.dtype == np.float32
        assert np.asarray(model.intercept_).dtype == np.float32
        assert model.base_coef_.dtype == np.float32
        assert model.predict(X.astype(np.float32)).dtype == np.float32
        wide = wrap(base).fit(X, y)
        np.testing.assert_allclose(model.coef_, wide.coef_, rtol=1e-3, atol=1e-3)

    def test_pruned_zeros_are_exact_in_float32(self, small):
        X, y = (array.astype(np.float32) for array in small)
        model = WRAPPERS["both"](Ridge(0.1)).fit(X, y)
        assert (model.coef_ != 0).sum() <= 3


class TestMultiOutput:
    @every_wrapper
    def test_each_output_has_its_own_weights(self, wrap, two_outputs):
        X, Y = two_outputs
        model = wrap(Ridge(0.1)).fit(X, Y)
        assert model.coef_.shape == (2, 5)
        assert model.predict(X).shape == (60, 2)
        assert model.intercept_.shape == (2,)
        assert model.score(X, Y) > 0.6

    def test_a_column_goes_for_all_outputs(self, two_outputs):
        model = PrunedRegressor(Ridge(0.1), n_nonzero=2, feature_groups="feature").fit(*two_outputs)
        assert (model.support_ == model.support_[0]).all()
        assert model.support_[0].sum() == 2

    def test_pruning_two_outputs_is_pruning_each(self, two_outputs):
        X, Y = two_outputs
        model = PrunedRegressor(LinearRegression(), n_nonzero=2).fit(X, Y)
        for output in range(2):
            single = PrunedRegressor(LinearRegression(), n_nonzero=2).fit(X, Y[:, output])
            np.testing.assert_allclose(model.coef_[output], single.coef_, atol=1e-10)

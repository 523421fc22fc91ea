"""Bootstrap samples of blocks against ridges on weighted rows."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import Ridge

from skcompress.core.resampling import ResampledSquares, blocks_of


@pytest.fixture
def shifted():
    """X (80, 6) far from zero, Y (80, 2), weights."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((80, 6)) @ rng.standard_normal((6, 6)) + 20
    Y = X @ rng.standard_normal((6, 2)) + 5 * rng.standard_normal((80, 2))
    return X, Y, rng.uniform(0.5, 2, 80)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("most", [80, 7])
def test_a_sample_of_blocks_is_a_ridge_on_weighted_rows(shifted, fit_intercept, form, most):
    X, Y, weight = shifted
    rng = np.random.RandomState(0)
    blocks = blocks_of(80, rng, most)
    counts = rng.multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), size=3).astype(float)
    squares = ResampledSquares(form(X), Y, weight, blocks, counts)
    order = rng.permutation(6)
    for sample in range(3):
        own = np.zeros(80)
        for block, count in zip(blocks, counts[sample], strict=True):
            own[block] = count * weight[block]
        total = own.sum()
        model = squares.quadratic(
            sample,
            free=np.ones((2, 6), dtype=bool),
            penalty=np.full((2, 6), 3.0 / total),
            fit_intercept=fit_intercept,
            order=order,
        )
        base = Ridge(3.0, fit_intercept=fit_intercept, solver="cholesky").fit(X, Y, sample_weight=own)
        np.testing.assert_allclose(model.centre, base.coef_[:, order], rtol=1e-7)
        errors = (own / total) @ (Y - base.predict(X)) ** 2
        np.testing.assert_allclose(model.base_loss, errors, rtol=1e-8)
        mean = (own / total) @ Y
        np.testing.assert_allclose(model.null_loss, (own / total) @ (Y - mean) ** 2, rtol=1e-10)
        assert model.n_samples == pytest.approx(total)


def test_every_row_is_in_one_block():
    blocks = blocks_of(103, np.random.RandomState(0), most=10)
    assert len(blocks) == 10
    assert sorted(np.concatenate(blocks)) == list(range(103))
    assert [block.tolist() for block in blocks_of(3, np.random.RandomState(0))] == [[0], [1], [2]]

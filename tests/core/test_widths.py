"""Several widths at once give what each gives alone."""

import numpy as np
import pytest

from skcompress.core.grids import GRIDS
from skcompress.core.options import QuantizeOptions
from skcompress.core.quadratic import QuadraticModel
from skcompress.core.quantizing import quantize, quantize_widths
from skcompress.core.rounding import ROUNDINGS
from skcompress.core.scales import GRANULARITIES, SCALES

WIDTHS = (8, 5, 3, 1, 2)
BY_ROWS = ("nearest", "floor", "gptq")


def model(n_outputs, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((80, 9)) @ (rng.standard_normal((9, 9)) + 2 * np.eye(9))
    free = rng.random((n_outputs, 9)) < 0.8
    weights = np.where(free, rng.standard_normal((n_outputs, 9)), 0.0)
    return QuadraticModel(X.T @ X / 80, weights, free=free, null_loss=1 + rng.random(n_outputs))


def assert_alike(quadratic, **options):
    together = quantize_widths(quadratic, WIDTHS, QuantizeOptions(random_state=0, **options))
    for bits, found in zip(WIDTHS, together, strict=True):
        alone = quantize(quadratic, bits=bits, random_state=0, **options)
        np.testing.assert_array_equal(found.codes, alone.codes)
        np.testing.assert_allclose(found.weights, alone.weights, rtol=1e-12)
        assert np.shape(found.grid.scale) == np.shape(alone.grid.scale)


@pytest.mark.slow
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("rounding", sorted(ROUNDINGS))
def test_every_rounding(rounding, n_outputs):
    assert_alike(model(n_outputs), rounding=rounding)


@pytest.mark.slow
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.filterwarnings("ignore:scale=0.1 clips")
@pytest.mark.parametrize("scale", [*SCALES, 0.1])
@pytest.mark.parametrize("granularity", sorted(GRANULARITIES))
@pytest.mark.parametrize("grid", sorted(GRIDS))
@pytest.mark.parametrize("rounding", BY_ROWS)
def test_every_combination(rounding, grid, granularity, scale, n_outputs):
    options = {"rounding": rounding, "grid": grid, "granularity": granularity, "scale": scale}
    try:
        QuantizeOptions(bits=4, **options)
    except ValueError:
        pytest.skip("these do not go together")
    assert_alike(model(n_outputs, 1), **options)


def test_a_wrong_width_is_refused():
    with pytest.raises(ValueError, match="bits must be an integer from 1 to 16, got 0"):
        quantize_widths(model(1), [4, 0], QuantizeOptions(rounding="gptq"))

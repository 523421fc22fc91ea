"""quantize and round_on: losses, codes, sharing of scales, degenerate inputs."""

import itertools
import pickle
from importlib import import_module

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skcompress.core.gram import LazyGram
from skcompress.core.grids import GRIDS, POWER_BITS
from skcompress.core.options import INCOMPATIBLE
from skcompress.core.quadratic import QuadraticModel
from skcompress.core.quantizing import quantize, round_on
from skcompress.core.rounding import ROUNDINGS
from skcompress.core.scales import GRANULARITIES, SCALES

PRODUCT = list(itertools.product(GRIDS, [*SCALES, 0.25], GRANULARITIES))


def goes_together(grid, scale):
    return (grid, scale if isinstance(scale, str) else "number") not in INCOMPATIBLE


def random_model(seed=0, n_outputs=1, n_features=6, n_rows=40, **options):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 3)) @ rng.normal(size=(3, n_features)) + rng.normal(size=(n_rows, n_features))
    centre = rng.normal(size=(n_outputs, n_features))
    return QuadraticModel(X.T @ X / n_rows, centre, **options)


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    X = PolynomialFeatures(2, include_bias=False).fit_transform(X)
    X = StandardScaler().fit_transform(X)
    model = LinearRegression().fit(X, y)
    quadratic = QuadraticModel(X.T @ X / len(X), model.coef_, null_loss=[y.var()])
    return quadratic, model.score(X, y)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:scale=0.25 clips")
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(("grid", "scale", "granularity"), PRODUCT)
def test_every_combination_gives_consistent_codes_weights_and_loss(grid, rounding, scale, granularity):
    if not goes_together(grid, scale):
        with pytest.raises(ValueError, match=f"scale={scale!r} does not go with grid={grid!r}"):
            quantize(random_model(), grid=grid, rounding=rounding, scale=scale, granularity=granularity)
        return
    free = np.array([[True, True, False, True, True, True], [True, False, True, True, True, True]])
    model = random_model(n_outputs=2, free=free, null_loss=[2.0, 3.0])
    result = quantize(model, bits=3, grid=grid, rounding=rounding, scale=scale, granularity=granularity)
    assert result.weights.shape == result.codes.shape == (2, 6)
    assert np.array_equal(result.weights, result.grid.decode(result.codes))
    assert np.array_equal(result.codes, result.grid.encode(result.weights))
    assert result.codes.min() >= result.grid.low
    assert result.codes.max() <= result.grid.high
    assert not result.weights[~free].any()
    change = result.weights - model.centre
    expected = np.einsum("ij,ij->i", model.dot(change), change) / (2 * np.array([2.0, 3.0]))
    assert result.loss == pytest.approx(expected.sum())
    shapes = {"tensor": (), "output": (2, 1), "auto": (2, 1), "feature": (2, 6)}
    assert np.shape(result.grid.scale) == shapes[granularity]


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("scale", SCALES)
def test_a_single_weight_of_two_stays_two_at_four_bits(grid, rounding, scale):
    if not goes_together(grid, scale):
        return
    model = QuadraticModel(np.array([[2.0]]), [2.0])
    assert quantize(model, bits=4, grid=grid, rounding=rounding, scale=scale).weights[0, 0] == 2.0


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("weight", [-3.7, 0.1, 1e-150, 1e150, 49 / 3])
def test_a_single_weight_is_kept(grid, rounding, weight):
    if grid == "fixed_point":
        weight = np.exp2(np.round(np.log2(abs(weight))))
    for bits in (1, 2, 5, 8, 16):
        if grid == "power_of_two" and bits > POWER_BITS:
            continue
        model = QuadraticModel(np.array([[1.0]]), [weight])
        result = quantize(model, bits=bits, grid=grid, rounding=rounding)
        assert result.weights[0, 0] == pytest.approx(weight, rel=1e-14, abs=0)


def test_floor_on_an_affine_grid_is_the_textbook_formula():
    weights = np.array([0.0, 0.3, 0.77, 1.4, 2.0])
    result = quantize(
        QuadraticModel(np.eye(5), weights, free=np.ones(5)),
        bits=4,
        grid="affine",
        rounding="floor",
        scale="max",
    )
    normalised = (weights - weights.min()) / (weights.max() - weights.min())
    assert np.array_equal(result.codes[0], np.floor(normalised * (2**4 - 1)))


def test_floor_on_an_affine_grid_is_off_by_one_code_at_most_where_zero_lies_between():
    model = QuadraticModel(np.eye(7), np.array([[-0.73, -0.4, -0.11, 0.2, 0.5, 0.9, 1.21]]))
    result = quantize(model, bits=4, grid="affine", rounding="floor", scale="max", granularity="tensor")
    low, high = model.centre.min(), model.centre.max()
    textbook = np.floor((model.centre - low) / (high - low) * (2**4 - 1))
    off = result.codes - textbook
    assert np.abs(off).max() == 1
    assert result.grid.decode(np.full((1, 7), result.grid.zero_point, dtype=np.uint8)).any() == 0


def test_lattice_keeps_the_accuracy_that_nearest_throws_away(diabetes):
    model, full = diabetes
    assert full - quantize(model, bits=4, rounding="lattice").loss >= 0.53
    assert full - quantize(model, bits=4, rounding="nearest", scale="max").loss < 0


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_the_closed_form_scale_is_the_best_one_for_the_codes(bits):
    model = random_model(3, n_features=8)
    result = quantize(model, bits=bits)
    for factor in (0.99, 1.01):
        assert model.loss(result.weights * factor) >= result.loss


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("grid", GRIDS)
def test_scaling_weights_and_columns_scales_the_result(grid, granularity):
    model = random_model(4, n_outputs=2)
    factor = 8.0 if grid == "fixed_point" else 7.0
    scaled = QuadraticModel(model.block(np.arange(6)) / factor**2, model.centre * factor)
    first = quantize(model, bits=3, grid=grid, granularity=granularity)
    second = quantize(scaled, bits=3, grid=grid, granularity=granularity)
    assert np.array_equal(first.codes, second.codes)
    assert second.weights == pytest.approx(first.weights * factor)
    assert second.loss == pytest.approx(first.loss)


def test_exponents_make_the_units_of_the_columns_irrelevant():
    model = random_model(5)
    units = np.exp2([0, 13, -7, 2, 0, 20])
    other = QuadraticModel(model.block(np.arange(6)) * np.outer(units, units), model.centre / units)
    first = quantize(model, bits=4, granularity="feature")
    second = quantize(other, bits=4, granularity="auto")
    assert np.array_equal(first.codes, second.codes)
    assert second.weights * units == pytest.approx(first.weights)


def test_one_scale_in_all_is_the_best_for_the_pooled_loss():
    model = random_model(6, n_outputs=3, null_loss=[1.0, 4.0, 0.5])
    result = quantize(model, bits=3, granularity="tensor")
    assert all(result.loss <= model.loss(result.weights * factor) for factor in (0.98, 1.02))
    assert result.loss >= quantize(model, bits=3, granularity="output").loss


@pytest.mark.slow
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(
    "weights",
    [
        np.zeros(4),
        np.full(4, 0.3),
        np.array([1e12, 1.0, -1.0, 0.5]),
        np.array([0.0, 0.0, -2.0, 0.0]),
    ],
    ids=["zero", "equal", "wide", "one"],
)
def test_degenerate_weights_are_handled(grid, rounding, weights):
    for bits in (1, 4, POWER_BITS if grid == "power_of_two" else 16):
        result = quantize(QuadraticModel(np.eye(4), weights), bits=bits, grid=grid, rounding=rounding)
        assert np.isfinite(result.weights).all()
        assert np.isfinite(result.loss)
        assert not result.weights[0, weights == 0].any()


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_singular_curvature_and_dead_columns_are_handled(rounding):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 5))
    X = np.column_stack([X, X[:, 0], np.zeros(30)])
    centre = np.array([1.0, -2.0, 0.5, 0.3, 0.1, 1.0, 1e6])
    result = quantize(QuadraticModel(X.T @ X / 30, centre), bits=8, rounding=rounding, granularity="output")
    assert result.weights[0, -1] == 127 * result.grid.scale[0, 0] > 0
    assert result.loss < 1e-2


@pytest.mark.filterwarnings("ignore:scale=0.25 clips")
@pytest.mark.parametrize("scale", [*SCALES, 0.25])
@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("grid", GRIDS)
def test_weights_on_a_grid_stay_where_they_are(grid, granularity, scale):
    if not goes_together(grid, scale):
        return
    model = random_model(7, n_outputs=2)
    # The scale that spans the weights is the same again only if the largest weight keeps the highest code.
    rounding = "nearest" if scale == "max" else "lattice"
    options = {"bits": 4, "grid": grid, "scale": scale, "granularity": granularity, "rounding": rounding}
    once = quantize(model, **options)
    twice = quantize(model.recentred(once.weights, model.free), **options)
    assert twice.weights == pytest.approx(once.weights, rel=1e-9)
    assert twice.loss == pytest.approx(0, abs=1e-18)


def test_weights_on_a_grid_stay_where_they_are_with_duplicate_columns():
    X = np.random.default_rng(0).normal(size=(30, 4))
    X = np.column_stack([X, X])
    model = QuadraticModel(X.T @ X / 30, np.array([3.0, -2.0, 7.0, 1.0, -5.0, 4.0, 0.0, 6.0]) * 0.37, free=np.ones(8))
    assert quantize(model, bits=4).weights == pytest.approx(model.centre)


@pytest.mark.slow
@pytest.mark.parametrize("rounding", [name for name in ROUNDINGS if name != "stochastic"])
@pytest.mark.parametrize("grid", [name for name in GRIDS if name != "codebook"])
def test_signs_are_held_through_every_rounding(grid, rounding):
    rng = np.random.default_rng(3)
    half = rng.normal(size=(40, 6)) + 2 * rng.normal(size=(40, 1))
    signs = np.array([1, -1, 0, 1, -1, 0])
    model = QuadraticModel(half.T @ half / 40, rng.normal(size=(2, 6)), signs=signs)
    for bits in (1, 2, 3):
        weights = quantize(model, bits=bits, grid=grid, rounding=rounding).weights
        assert (weights * signs >= 0).all()


def test_affine_never_loses_more_than_symmetric():
    for seed in range(2):
        model = random_model(seed)
        for bits in (2, 4):
            symmetric = quantize(model, bits=bits, rounding="exact").loss
            assert quantize(model, bits=bits, rounding="exact", grid="affine").loss <= symmetric * 1.02


def test_stochastic_rounding_is_unbiased_and_follows_the_seed():
    model = random_model(2)
    options = {"bits": 4, "rounding": "stochastic", "scale": "max"}
    drawn = np.mean([quantize(model, random_state=seed, **options).weights for seed in range(400)], axis=0)
    step = np.abs(model.centre).max() / 7
    assert drawn == pytest.approx(model.centre, abs=5 * step / 2 / np.sqrt(400))
    first, second = (quantize(model, random_state=np.random.RandomState(0), **options) for _ in range(2))
    assert np.array_equal(first.codes, second.codes)


@pytest.mark.slow
def test_joint_reaches_what_it_should_on_correlated_columns(diabetes):
    model, full = diabetes
    floors = {2: 0.515, 3: 0.57, 4: 0.582, 6: 0.588, 8: 0.591}
    reached = {bits: full - quantize(model, bits=bits, rounding="joint").loss for bits in floors}
    assert all(reached[bits] >= floor for bits, floor in floors.items())


def test_power_of_two_takes_few_bits_and_fixed_point_a_power_of_two():
    with pytest.raises(ValueError, match="bits=9 does not go with grid='power_of_two'"):
        quantize(random_model(), bits=9, grid="power_of_two")
    with pytest.raises(ValueError, match=r"scale=0\.3 does not go with grid='fixed_point'"):
        quantize(random_model(), grid="fixed_point", scale=0.3)
    result = quantize(random_model(), bits=16, grid="fixed_point", scale=2**-13)
    assert result.grid.scale == 2**-13
    assert result.codes.dtype == np.int16


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_round_on_keeps_the_grid_and_the_zeros(grid, granularity):
    model = random_model(8, n_outputs=2)
    first = quantize(model, bits=4, grid=grid, granularity=granularity)
    support = np.ones((2, 6), dtype=bool)
    support[0, 1] = support[1, 4] = False
    pruned = model.restrict(support)
    second = round_on(pruned, first.grid)
    assert second.grid is first.grid
    assert not second.weights[~support].any()
    assert np.array_equal(second.weights, first.grid.decode(second.codes))
    assert second.loss <= pruned.loss(np.where(support, first.weights, 0.0)) * (1 + 1e-9)


def test_gradient_at_the_centre_is_followed():
    model = random_model(9)
    moved = model.centre + 0.5
    tilted = QuadraticModel(
        model.block(np.arange(6)), moved, gradient=2 * model.dot(moved - model.centre), free=np.ones(6)
    )
    assert quantize(tilted, bits=4).weights == pytest.approx(quantize(model, bits=4).weights)


def test_outputs_with_their_own_curvature_and_support():
    rng = np.random.default_rng(1)
    grams = [np.cov(rng.normal(size=(20, 5)).T) for _ in range(3)]
    centre = rng.normal(size=(3, 5))
    free = rng.random((3, 5)) < 0.7
    model = QuadraticModel(grams, centre, free=free)
    together = quantize(model, bits=3, granularity="output")
    for output in range(3):
        alone = quantize(model.output(output), bits=3, granularity="output")
        assert together.weights[output] == pytest.approx(alone.weights[0])


def test_a_curvature_too_large_for_a_matrix_is_never_made(monkeypatch):
    monkeypatch.setattr(import_module("skcompress.core.systems"), "DENSE_LIMIT", 30)
    monkeypatch.setattr(import_module("skcompress.core.rounding.nearest_plane"), "LAZY_BLOCK", 25)
    rng = np.random.default_rng(2)
    X = sp.random_array((300, 120), density=0.2, rng=rng, format="csr")
    mean = np.asarray(X.mean(axis=0)).ravel()
    weight = np.full(300, 1 / 300)
    lazy = QuadraticModel(LazyGram(X, weight, mean), rng.normal(size=(2, 120)))
    centred = X.toarray() - mean
    dense = QuadraticModel(centred.T @ centred / 300, lazy.centre)
    losses = {name: quantize(lazy, bits=4, rounding=name) for name in ("nearest", "floor", "lattice")}
    for result in losses.values():
        assert result.loss == pytest.approx(dense.loss(result.weights))
    assert losses["lattice"].loss < losses["nearest"].loss
    assert losses["lattice"].loss < 1.5 * quantize(dense, bits=4, rounding="gptq").loss


def test_a_callable_rounding_sees_the_problem_and_is_used():
    shapes = []

    def toward_zero(problem):
        shapes.append(problem.target.shape)
        return problem.box.nearest(np.trunc(problem.target))

    result = quantize(random_model(), bits=4, rounding=toward_zero, scale="max")
    assert shapes == [(1, 6)]
    step = np.abs(random_model().centre).max() / 7
    assert result.weights == pytest.approx(np.trunc(random_model().centre / step) * step)


@pytest.mark.parametrize("bits", [0, 17, 2.5, True, "8", None])
def test_bits_out_of_range_are_refused(bits):
    with pytest.raises(ValueError, match="bits must be an integer from 1 to 16"):
        quantize(random_model(), bits=bits)


@pytest.mark.parametrize(
    ("name", "table"),
    [("grid", GRIDS), ("rounding", ROUNDINGS), ("scale", SCALES), ("granularity", GRANULARITIES)],
)
def test_unknown_names_are_refused_with_the_list_of_those_allowed(name, table):
    with pytest.raises(ValueError, match=f"{name} must be one of .*{min(table)}.*got 'none'"):
        quantize(random_model(), **{name: "none"})


@pytest.mark.parametrize("scale", [0, -1.0, np.nan, np.inf, True])
def test_scales_that_are_no_positive_numbers_are_refused(scale):
    with pytest.raises(ValueError, match="scale must be one of"):
        quantize(random_model(), scale=scale)


def test_numpy_integers_are_fine_and_results_can_be_pickled():
    result = quantize(random_model(), bits=np.int64(4))
    again = pickle.loads(pickle.dumps(result))
    assert np.array_equal(again.grid.decode(again.codes), result.weights)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("bits", [1, 2, 3])
def test_a_codebook_has_no_more_levels_than_its_bits_allow(bits, seed):
    result = quantize(random_model(seed, n_outputs=2), bits=bits, grid="codebook")
    assert result.grid.levels.shape[-1] <= 2**bits
    assert result.codes.max() < 2**bits


def test_a_scale_that_clips_most_weights_is_warned_of():
    model = QuadraticModel(np.eye(4), [1.0, -2.0, 3.0, 0.001])
    with pytest.warns(UserWarning, match=r"scale=0.1 clips 75% of the weights .* a scale of 0.429 would hold them all"):
        assert np.abs(quantize(model, bits=4, scale=0.1).codes).max() == 7
    quantize(model, bits=4, scale=0.43)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rounding", ["lattice", "descent"])
@pytest.mark.parametrize("granularity", ["output", "tensor"])
def test_more_powers_of_two_never_lose_more(seed, rounding, granularity):
    model = random_model(seed, n_outputs=2, n_features=25, n_rows=20)
    options = {"grid": "power_of_two", "rounding": rounding, "granularity": granularity}
    losses = [quantize(model, bits=bits, **options).loss for bits in range(2, POWER_BITS + 1)]
    assert (np.diff(losses) <= 1e-12).all(), losses


def test_a_given_scale_that_leaves_nothing_is_warned_of():
    model = random_model(n_outputs=2)
    with pytest.warns(UserWarning, match=r"scale=10000.0 rounds every weight to zero: the model predicts a constant"):
        result = quantize(model, scale=10000.0)
    assert not result.weights.any()
    assert quantize(model, scale=0.1).weights.any()
    quantize(QuadraticModel(np.eye(3), np.zeros((1, 3))), scale=10000.0)

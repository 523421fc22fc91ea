"""Grids and boxes against enumeration."""

import numpy as np
import pytest

from skcompress.core.grids import GRIDS, POWER_BITS, Grid, IntegerBox, LevelBox, box_of

BITS = [1, 2, 3, 8, 9, 16]
PAIRS = [(kind, bits) for kind in GRIDS for bits in BITS if kind != "power_of_two" or bits <= POWER_BITS]


def a_grid(kind, bits):
    entry = GRIDS[kind]
    low, step = np.array([[-1.3], [0.0]]), np.array([[0.25], [0.5]])
    zero = entry.zero_point(low, step, bits)
    levels = entry.values(bits) if entry.has_levels(bits) else None
    if kind == "codebook":
        rng = np.random.default_rng(0)
        levels = np.sort(rng.normal(size=(2, 2**bits)), axis=1)
        levels[np.arange(2), np.argmin(np.abs(levels), axis=1)] = 0.0
    return Grid(kind, bits, step, None if zero is None else zero.astype(int), None, levels)


@pytest.mark.parametrize(("kind", "bits"), PAIRS)
def test_codes_round_trip_in_the_smallest_integer_type(kind, bits):
    grid = a_grid(kind, bits)
    codes = np.arange(grid.low, grid.high + 1)
    both = np.vstack([codes, codes[::-1]]).astype(grid.dtype)
    weights = grid.decode(both)
    assert np.array_equal(grid.encode(weights), both)
    assert (np.diff(weights[0]) > 0).all()
    assert not grid.decode(grid.encode(np.zeros((2, 3)))).any()
    assert grid.encode(np.zeros((2, 3))).dtype == grid.dtype
    assert grid.dtype.itemsize == (1 if bits <= 8 else 2)
    assert len(codes) <= max(3, 2**bits)
    assert np.array_equal(grid.rows(np.array([1])).decode(both[1:]), weights[1:])


@pytest.mark.parametrize("kind", ["symmetric", "fixed_point"])
@pytest.mark.parametrize(("bits", "top"), [(1, 1), (2, 1), (3, 3), (4, 7), (8, 127), (16, 32767)])
def test_symmetric_codes_run_from_minus_q_to_q(kind, bits, top):
    assert GRIDS[kind].bounds(bits) == (-top, top)


@pytest.mark.parametrize("bits", range(2, POWER_BITS + 1))
def test_powers_of_two_are_zero_and_halvings_of_the_scale(bits):
    levels = GRIDS["power_of_two"].values(bits)
    q = 2 ** (bits - 1) - 1
    assert set(levels) == {0.0} | {s * 2.0**-i for i in range(q) for s in (-1, 1)}
    assert GRIDS["power_of_two"].bounds(bits) == (0, len(levels) - 1)


@pytest.mark.parametrize("kind", ["symmetric", "fixed_point", "power_of_two"])
def test_one_bit_has_no_zero_for_a_free_weight(kind):
    box = box_of(GRIDS[kind], 1, 1)
    assert set(box.nearest(np.linspace(-2, 2, 9)[None])[0]) == {-1.0, 1.0}


@pytest.mark.parametrize("bits", BITS)
def test_affine_range_contains_zero_exactly(bits):
    rng = np.random.default_rng(bits)
    low, high = -rng.random((50, 1)), rng.random((50, 1))
    step = GRIDS["affine"].spanning(low, high, bits)
    zero = GRIDS["affine"].zero_point(low, step, bits)
    assert ((zero >= 0) & (zero <= 2**bits - 1) & (zero == np.rint(zero))).all()
    assert (np.abs((0 - zero) * step - low) <= 0.5 * step * (1 + 1e-12)).all()


def test_fixed_point_steps_are_powers_of_two_that_span_the_weights():
    high = np.random.default_rng(0).random((50, 1)) * 10
    step = GRIDS["fixed_point"].spanning(-high / 2, high, 4)
    assert (np.frexp(step)[0] == 0.5).all()
    assert ((step * 7 >= high) & (step * 7 < 2 * high)).all()


def test_exponents_are_part_of_the_scale():
    exponents = np.array([0, 3, -2])
    grid = Grid("symmetric", 4, np.array([[0.5], [2.0]]) * np.exp2(exponents), exponents=exponents)
    assert np.array_equal(grid.row_scale, [[0.5], [2.0]])
    assert np.array_equal(grid.decode(np.ones((2, 3), dtype=np.int8)), grid.scale)


LEVELS = np.array([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0])
BOXES = {
    "integers": (IntegerBox(np.array([[-3.0]]), np.array([[4.0]])), np.arange(-3.0, 5)),
    "levels": (LevelBox(LEVELS, np.zeros((1, 1)), np.full((1, 1), 5.0)), LEVELS),
    "levels of each row": (LevelBox(LEVELS[None], np.zeros((1, 1)), np.full((1, 1), 5.0)), LEVELS),
    "part of the levels": (LevelBox(LEVELS, np.full((1, 1), 2.0), np.full((1, 1), 4.0)), LEVELS[2:5]),
}


@pytest.mark.parametrize("name", BOXES)
def test_box_agrees_with_enumeration(name):
    box, allowed = BOXES[name]
    points = np.random.default_rng(0).uniform(-6, 7, size=(1, 400))
    distance = np.abs(points[0][:, None] - allowed)
    assert np.array_equal(box.nearest(points)[0], allowed[np.argmin(distance, axis=1)])
    below = np.array([max(allowed[allowed <= x], default=allowed[0]) for x in points[0]])
    assert np.array_equal(box.below(points)[0], below)
    up, down = box.neighbours(allowed[None])
    assert np.array_equal(up[0], [*allowed[1:], allowed[-1]])
    assert np.array_equal(down[0], [allowed[0], *allowed[:-1]])
    low, high = box.ends()
    assert (low.item(), high.item()) == (allowed[0], allowed[-1])


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("count", [1, 2, 3, 20])
def test_window_holds_the_nearest_values_that_exist(name, count):
    box, allowed = BOXES[name]
    points = np.random.default_rng(1).uniform(-6, 7, size=(1, 200))
    values, exists = box.window(points, count)
    assert values.shape == exists.shape == (1, 200, count)
    for x, row, there in zip(points[0], values[0], exists[0], strict=True):
        held = row[there]
        assert len(held) == min(count, len(allowed))
        assert set(held) <= set(allowed)
        assert np.abs(allowed - x).min() == np.abs(held - x).min()


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("radius", [0.1, 0.9, 2.5, 50.0])
def test_window_of_most_within_holds_all_values_within_the_radius(name, radius):
    box, allowed = BOXES[name]
    points = np.random.default_rng(2).uniform(-5, 6, size=(1, 100))
    values, exists = box.window(points, box.most_within(points, np.full((1, 100), radius)))
    for x, row, there in zip(points[0], values[0], exists[0], strict=True):
        assert set(allowed[np.abs(allowed - x) <= radius]) <= set(row[there])


def test_rows_may_have_their_own_levels():
    levels = np.array([[-1.0, 0.0, 2.0], [0.0, 5.0, 5.0]])
    box = LevelBox(levels, np.zeros((2, 1)), np.full((2, 1), 2.0))
    points = np.array([[-3.0, 0.4, 1.5], [-3.0, 2.4, 2.6]])
    assert np.array_equal(box.nearest(points), [[-1.0, 0.0, 2.0], [0.0, 0.0, 5.0]])
    again = box.take(np.array([1, 1])).columns(slice(1, 2))
    assert np.array_equal(again.nearest(points[:, 1:2]), [[0.0], [0.0]])


@pytest.mark.parametrize("kind", [kind for kind in GRIDS if kind != "codebook"])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_signs_keep_a_weight_on_its_side(kind, bits):
    zero = np.full((1, 1), 2.0) if kind == "affine" and bits > 1 else None
    box = box_of(GRIDS[kind], bits, 1, zero_point=zero, signs=np.array([[1.0, -1.0, 0.0]]))
    points = np.random.default_rng(0).normal(size=(50, 3)) * 4
    for row in points:
        values = box.nearest(row[None])[0]
        assert values[0] >= 0 >= values[1]
        assert box.columns(slice(1, 2)).nearest(row[None, 1:2])[0, 0] == values[1]
        everything, exists = box.columns(slice(0, 1)).window(row[None, :1], 4)
        assert (everything[exists] >= 0).all()


def test_below_forgives_rounding_errors():
    box = IntegerBox(np.array([[-7.0]]), np.array([[7.0]]))
    assert box.below(np.array([[3 - 1e-12, 3 - 1e-6]])).tolist() == [[3.0, 2.0]]

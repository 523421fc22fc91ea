"""Grids and boxes against enumeration."""

import numpy as np
import pytest

from skcompress.core.grids import GRIDS, Grid, IntegerBox, LevelBox, box_of

BITS = [1, 2, 3, 8, 9, 16]


def a_grid(kind, bits):
    entry = GRIDS[kind]
    low, step = np.array([[-1.3], [0.0]]), np.array([[0.25], [0.5]])
    zero = entry.zero_point(low, step, bits)
    levels = None if bits == 1 and kind == "symmetric" else entry.values(bits)
    return Grid(kind, bits, step, None if zero is None else zero.astype(int), None, levels)


@pytest.mark.parametrize("kind", GRIDS)
@pytest.mark.parametrize("bits", BITS)
def test_codes_round_trip_in_the_smallest_integer_type(kind, bits):
    grid = a_grid(kind, bits)
    codes = np.arange(grid.low, grid.high + 1)
    both = np.vstack([codes, codes[::-1]]).astype(grid.dtype)
    assert np.array_equal(grid.encode(grid.decode(both)), both)
    assert grid.encode(np.zeros((2, 3))).dtype == grid.dtype
    assert not grid.decode(grid.encode(np.zeros((2, 3)))).any()
    assert grid.dtype.itemsize == (1 if bits <= 8 else 2)
    assert np.array_equal(grid.rows(np.array([1])).decode(both[1:]), grid.decode(both)[1:])


@pytest.mark.parametrize(("bits", "top"), [(1, 1), (2, 1), (3, 3), (4, 7), (8, 127), (16, 32767)])
def test_symmetric_codes_run_from_minus_q_to_q(bits, top):
    assert GRIDS["symmetric"].bounds(bits) == (-top, top)


def test_one_bit_has_no_zero_for_a_free_weight():
    box = box_of(GRIDS["symmetric"], 1, 1, None)
    assert set(box.nearest(np.linspace(-2, 2, 9)[None])[0]) == {-1.0, 1.0}


@pytest.mark.parametrize("bits", BITS)
def test_affine_range_contains_zero_exactly(bits):
    rng = np.random.default_rng(bits)
    low, high = -rng.random((50, 1)), rng.random((50, 1))
    step = GRIDS["affine"].spanning(low, high, bits)
    zero = GRIDS["affine"].zero_point(low, step, bits)
    assert ((zero >= 0) & (zero <= 2**bits - 1) & (zero == np.rint(zero))).all()
    assert (np.abs((0 - zero) * step - low) <= 0.5 * step * (1 + 1e-12)).all()


def test_exponents_are_part_of_the_scale():
    exponents = np.array([0, 3, -2])
    grid = Grid("symmetric", 4, np.array([[0.5], [2.0]]) * np.exp2(exponents), exponents=exponents)
    assert np.array_equal(grid.row_scale, [[0.5], [2.0]])
    assert np.array_equal(grid.decode(np.ones((2, 3), dtype=np.int8)), grid.scale)


BOXES = {
    "integers": (IntegerBox(np.array([[-3.0]]), np.array([[4.0]])), np.arange(-3.0, 5)),
    "levels": (
        LevelBox(np.array([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0]), np.zeros((1, 1)), np.full((1, 1), 5)),
        np.array([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0]),
    ),
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


def test_below_forgives_rounding_errors():
    box = IntegerBox(np.array([[-7.0]]), np.array([[7.0]]))
    assert box.below(np.array([[3 - 1e-12, 3 - 1e-6]])).tolist() == [[3.0, 2.0]]

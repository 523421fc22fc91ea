"""The path of sizes."""

import numpy as np
import pytest

from skcompress.core.selection import Path

SUPPORTS = [np.arange(6).reshape(2, 3) < size for size in (1, 3, 4, 6)]


@pytest.fixture
def path():
    return Path(np.array([1, 3, 4, 6]), np.array([0.5, 0.2, 0.3, 0.1]), SUPPORTS.__getitem__, (2, 3))


def test_a_size_that_loses_more_than_a_smaller_one_is_left_out(path):
    assert [point.n_units for point in path] == [1, 3, 6]
    assert (np.diff([point.loss for point in path]) <= 0).all()


def test_supports_come_back_as_they_went_in(path):
    for point, place in zip(path, (0, 1, 3), strict=True):
        np.testing.assert_array_equal(point.support, SUPPORTS[place])
        assert point.support.dtype == bool


def test_at_gives_the_largest_size_that_does_not_exceed(path):
    assert [path.at(size).n_units for size in (1, 2, 3, 5, 6, 100)] == [1, 1, 3, 3, 6, 6]
    with pytest.raises(ValueError, match="below the smallest size visited, 1"):
        path.at(0)


def test_it_is_a_sequence(path):
    assert len(path) == 3
    assert path[-1].n_units == 6
    assert [point.n_units for point in path[1:]] == [3, 6]
    assert repr(path) == "Path(3 sizes)"


def test_it_takes_few_bytes_per_size():
    size = 2000
    many = Path(np.arange(size), -np.arange(size, dtype=float), lambda place: np.arange(size)[None] < place, (1, size))
    assert sum(bits.nbytes for bits in many._bits) == size * size // 8

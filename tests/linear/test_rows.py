"""Rows of whatever holds rows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from skcompress.linear.rows import count_rows, has_rows, take_rows

ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
HOLDERS = [np.array, list, sp.csr_array, sp.coo_array, sp.csc_matrix, pd.DataFrame]


def dense(data):
    return data.toarray() if sp.issparse(data) else np.asarray(data)


@pytest.mark.parametrize("kind", HOLDERS, ids=lambda kind: kind.__name__)
def test_rows_are_taken_in_the_order_asked_for(kind):
    taken = take_rows(kind(ROWS), np.array([2, 0]))
    np.testing.assert_array_equal(dense(taken), [[5.0, 6.0], [1.0, 2.0]])
    assert count_rows(kind(ROWS)) == 3
    assert count_rows(taken) == 2
    if kind is not list:
        assert sp.issparse(taken) == sp.issparse(kind(ROWS))


def test_polars_frames_stay_frames():
    taken = take_rows(pl.DataFrame(ROWS, schema=["a", "b"], orient="row"), np.array([2, 0]))
    assert taken.columns == ["a", "b"]
    assert taken.rows() == [(5.0, 6.0), (1.0, 2.0)]


@pytest.mark.parametrize("kind", [np.array, list, pl.Series, lambda v: pd.Series(v, index=[9, 8, 7])])
def test_vectors(kind):
    assert list(take_rows(kind([1.0, 2.0, 3.0]), np.array([1, 2]))) == [2.0, 3.0]


def test_none_stays_none():
    assert take_rows(None, np.array([0])) is None


def test_what_only_becomes_an_array_has_rows_too():
    class Becomes:
        def __array__(self, dtype=None, copy=None):
            return np.ones(3)

    assert has_rows(Becomes(), 3)
    assert not has_rows(Becomes(), 2)
    assert not has_rows(np.float64(3.0), 3)
    assert not has_rows("abc", 3)

"""The curvature of the data: every form gives the same numbers as the formula."""

import numpy as np
import pytest
import scipy.sparse as sp

from skcompress.core import checks
from skcompress.core import gram as gram_module
from skcompress.core.gram import DenseGram, LazyGram, gram_of, weighted_mean

COLUMNS = np.array([4, 0, 2])


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 6)) * (rng.uniform(size=(40, 6)) < 0.6)
    weight = rng.uniform(0.5, 2, 40)
    return X, weight / weight.sum()


def formula(X, weight, mean):
    centred = X - mean
    return centred.T @ (weight[:, None] * centred)


def forms(X, weight, mean):
    yield "dense", gram_of(X, weight, mean)
    yield "from sparse", gram_of(sp.csr_array(X), weight, mean)
    yield "all active", gram_of(X, weight, mean, np.arange(6))
    yield "lazy, dense X", LazyGram(X, weight, mean)
    for kind in (sp.csr_array, sp.csc_matrix, sp.coo_array):
        yield f"lazy, {kind.__name__}", LazyGram(kind(X), weight, mean)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("form", range(7))
def test_every_form_is_the_formula(data, centred, form):
    X, weight = data
    mean = weighted_mean(X, weight) if centred else np.zeros(6)
    _, gram = list(forms(X, weight, mean))[form]
    expected = formula(X, weight, mean)
    vectors = np.random.default_rng(1).standard_normal((2, 6))
    np.testing.assert_allclose(gram.diag(), np.diag(expected), atol=1e-14)
    np.testing.assert_allclose(gram.rows(COLUMNS), expected[COLUMNS], atol=1e-14)
    np.testing.assert_allclose(gram.block(COLUMNS), expected[np.ix_(COLUMNS, COLUMNS)], atol=1e-14)
    np.testing.assert_allclose(gram.block(np.arange(6)), expected, atol=1e-14)
    np.testing.assert_allclose(gram.dot(vectors), vectors @ expected, atol=1e-13)
    assert gram.n_features == 6


@pytest.mark.parametrize("centred", [True, False])
def test_columns_of_the_factor_of_a_sparse_product(data, centred):
    X, weight = data
    mean = weighted_mean(X, weight) if centred else np.zeros(6)
    gram = LazyGram(sp.csr_array(X), weight, mean)
    Z = np.sqrt(weight)[:, None] * (X - mean)
    np.testing.assert_allclose(np.column_stack([gram.column(j) for j in range(6)]), Z, atol=1e-15)
    vector = np.random.default_rng(1).standard_normal(40)
    np.testing.assert_allclose(gram.project(vector), vector @ Z, atol=1e-14)
    assert not gram.is_wide
    assert LazyGram(sp.csr_array(X[:5]), weight[:5], mean).is_wide


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_columns_that_are_not_active_are_zero(data, kind):
    X, weight = data
    active = np.array([0, 2, 5])
    gram = gram_of(kind(X), weight, np.zeros(6), active)
    expected = np.zeros((6, 6))
    expected[np.ix_(active, active)] = formula(X, weight, 0)[np.ix_(active, active)]
    assert gram.matrix.shape == (3, 3)
    np.testing.assert_allclose(gram.diag(), np.diag(expected))
    np.testing.assert_allclose(gram.rows(COLUMNS), expected[COLUMNS], atol=1e-15)
    np.testing.assert_allclose(gram.block(COLUMNS), expected[np.ix_(COLUMNS, COLUMNS)], atol=1e-15)
    np.testing.assert_allclose(gram.block(active), expected[np.ix_(active, active)], atol=1e-15)
    vectors = np.ones((2, 6))
    np.testing.assert_allclose(gram.dot(vectors), vectors @ expected)


def test_many_chunks_of_rows_are_one_sum(data, monkeypatch):
    rng = np.random.default_rng(0)
    X, weight = rng.standard_normal((2000, 3)), rng.uniform(size=2000)
    monkeypatch.setattr(gram_module, "_CHUNK_FLOATS", 900)
    mean = weighted_mean(X, weight)
    np.testing.assert_allclose(gram_of(X, weight, mean).matrix, formula(X, weight, mean))
    alike = np.full(2000, 1 / 2000)
    np.testing.assert_allclose(gram_of(X, alike, X.mean(axis=0)).matrix, np.cov(X.T, bias=True))


def test_float32_is_accumulated_in_float64():
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((500, 4)) + 1000).astype(np.float32)
    weight = np.full(500, 1 / 500)
    mean = weighted_mean(X, weight)
    assert mean.dtype == np.float64
    expected = np.cov(X.astype(np.float64).T, bias=True)
    np.testing.assert_allclose(gram_of(X, weight, mean).matrix, expected, rtol=1e-10)


def test_a_large_offset_costs_no_digits():
    """Centring after the product would lose all of them."""
    spread = np.random.default_rng(0).standard_normal((100, 3))
    weight = np.full(100, 0.01)
    X = spread + 1e8
    gram = gram_of(X, weight, weighted_mean(X, weight))
    np.testing.assert_allclose(gram.matrix, np.cov(spread.T, bias=True), rtol=1e-6)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_weighted_mean(data, kind):
    X, weight = data
    np.testing.assert_allclose(weighted_mean(kind(X), 7 * weight), np.average(X, axis=0, weights=weight))


def test_a_constant_sparse_column_has_no_curvature():
    X = sp.csr_array(np.column_stack([np.full(30, 0.1), np.arange(30.0)]))
    weight = np.full(30, 1 / 30)
    assert LazyGram(X, weight, weighted_mean(X, weight)).diag()[0] == 0.0


def test_the_form_suits_the_shape(monkeypatch):
    monkeypatch.setattr(gram_module, "DENSE_LIMIT", 5)
    rng = np.random.default_rng(0)
    wide, tall = rng.standard_normal((4, 8)), rng.standard_normal((20, 8))
    ones = {4: np.full(4, 0.25), 20: np.full(20, 0.05)}
    assert isinstance(gram_of(wide, ones[4], np.zeros(8)), LazyGram)
    assert isinstance(gram_of(tall, ones[20], np.zeros(8)), DenseGram)
    assert isinstance(gram_of(sp.csr_array(tall), ones[20], np.zeros(8)), LazyGram)
    assert isinstance(gram_of(sp.csr_array(tall), ones[20], np.zeros(8), np.arange(3)), DenseGram)


def test_what_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(checks, "free_bytes", lambda: 1000)
    X, weight = np.ones((10, 20)), np.full(10, 0.1)
    with pytest.raises(MemoryError, match="the 20 x 20 curvature"):
        gram_of(X, weight, np.zeros(20))
    with pytest.raises(MemoryError, match="the curvature of 20 columns"):
        LazyGram(sp.csr_array(X), weight, np.zeros(20)).block(np.arange(20))
    monkeypatch.setattr(gram_module, "DENSE_LIMIT", 5)
    with pytest.raises(MemoryError, match="a centred copy of X"):
        gram_of(X, weight, np.zeros(20))

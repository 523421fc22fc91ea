"""Searches give the same on the workers of a Dask cluster as here."""

import joblib
import numpy as np
import pytest
from grid_scores import SIZES, WIDTHS, grid_scores, own_scores
from sklearn.base import clone
from sklearn.linear_model import Ridge

from skcompress import CompressedRegressorCV, PrunedRegressor, QuantizedRegressor

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    """Two workers, each a process of its own, so that what goes to them is pickled."""
    options = {"n_workers": 2, "processes": True, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


def n_transitions(client):
    return client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)


def test_a_search_gives_the_same_on_a_cluster(client, small):
    X, y = small
    nest = QuantizedRegressor(PrunedRegressor(Ridge()))
    search = CompressedRegressorCV(nest, n_nonzero=SIZES, bits=WIDTHS, cv=3)
    here = clone(search).fit(X, y)
    before = n_transitions(client)
    with joblib.parallel_backend("dask", client=client, wait_for_workers_timeout=60):
        there = clone(search).fit(X, y)
        after = n_transitions(client)
        grid = grid_scores(nest, X, y, cv=3)
    assert after > before, "nothing went to the cluster"
    np.testing.assert_array_equal(own_scores(there), own_scores(here))
    np.testing.assert_array_equal(there.coef_, here.coef_)
    np.testing.assert_allclose(grid, own_scores(here), rtol=0, atol=1e-9)

"""Substitutes against least squares on every swapped support."""

import numpy as np
import pytest
from least_squares import correlated, model_of, r2

from skcompress.core.pruning import prune
from skcompress.core.substitutes import substitutes


def test_the_best_substitute_is_the_one_that_least_squares_prefers():
    X, Y = correlated(80, 9, seed=2, rho=0.9, n_outputs=2)
    quadratic = model_of(X, Y)
    support = prune(quadratic, n_nonzero=4).support
    found = substitutes(quadratic, support)
    for output in range(2):
        y, kept = Y[:, output], np.flatnonzero(support[output])
        for column in kept:
            rest = np.setdiff1d(kept, column)
            scores = {other: r2(X, y, [*rest, other]) for other in range(9) if other not in kept}
            best = max(scores, key=scores.get)
            assert found.columns[output, column] == best
            assert found.costs[output, column] == pytest.approx((r2(X, y, kept) - scores[best]) / 2, abs=1e-10)
    assert (found.columns[~support] == -1).all()
    assert np.isnan(found.costs[~support]).all()
    assert (found.costs[support] >= -1e-12).all()


def test_a_duplicate_substitutes_at_no_cost():
    X, y = correlated(80, 5, seed=2)
    column = int(prune(model_of(X, y), n_nonzero=1).support[0].argmax())
    X = np.hstack([X, X[:, [column]]])
    found = substitutes(model_of(X, y), np.arange(6)[None] == column)
    assert found.columns[0, column] == 5
    assert found.costs[0, column] == pytest.approx(0.0, abs=1e-10)


def test_there_is_none_where_all_is_kept_or_nothing():
    X, y = correlated(80, 3, seed=2)
    for support in (np.ones((1, 3), dtype=bool), np.zeros((1, 3), dtype=bool)):
        found = substitutes(model_of(X, y), support)
        assert (found.columns == -1).all()
        assert np.isnan(found.costs).all()

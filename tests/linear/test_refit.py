"""The weights of a pruned squared loss are those of the base on the same columns, to the digits of the rows."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from skcompress import PrunedRegressor


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "base", [LinearRegression(), Ridge(1e-6, solver="svd"), LinearRegression(fit_intercept=False)], ids=str
)
def test_columns_that_all_but_depend_on_others_keep_their_digits(base, weighted):
    rng = np.random.default_rng(0)
    hidden = rng.standard_normal((200, 3))
    X = np.hstack([hidden, hidden @ rng.standard_normal((3, 3)) + 1e-3 * rng.standard_normal((200, 3))])
    Y = np.column_stack([X @ np.arange(1.0, 7.0), X @ np.arange(6.0)[::-1]]) + rng.standard_normal((200, 2))
    weight = rng.random(200) if weighted else None
    model = PrunedRegressor(base, n_nonzero=5, feature_groups="feature").fit(X, Y, sample_weight=weight)
    kept = np.flatnonzero(model.support_.any(axis=0))
    alone = base.fit(X[:, kept], Y, sample_weight=weight)
    np.testing.assert_allclose(model.coef_[:, kept], alone.coef_, rtol=1e-9)
    np.testing.assert_allclose(model.predict(X), alone.predict(X[:, kept]), rtol=1e-10, atol=1e-10)

"""Ways to choose k of p columns from X and y, ours and others', each a function (X, y, k) -> columns.

What is timed is the search from X and y, moments included. Peers come with `pip install 'skcompress[bench]'`; one that
is not installed is left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import RFE, SequentialFeatureSelector
from sklearn.linear_model import LinearRegression, OrthogonalMatchingPursuit, lars_path
from sklearn.preprocessing import StandardScaler

from skcompress import PrunedRegressor, QuadraticModel, prune
from skcompress.core.gram import gram_of, weighted_mean

Select = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def moments(X, y):
    """Return the least-squares loss of y on X around zero weights: one pass for the means, one for the products."""
    share = np.full(len(X), 1 / len(X))
    target = y - y.mean()
    variance = target @ target / len(X)
    return QuadraticModel(
        gram_of(X, share, weighted_mean(X, share)),
        np.zeros(X.shape[1]),
        gradient=-2 * (target @ X) / len(X),
        free=True,
        null_loss=variance,
        base_loss=variance,
        n_samples=len(X),
    )


def ours(X, y, k, **options):
    """Moments, then `prune`."""
    return np.flatnonzero(prune(moments(X, y), n_nonzero=k, **options).support[0])


def whole_fit(X, y, k):
    """`PrunedRegressor`: the base's fit, the search, the write-back and the reports."""
    return np.flatnonzero(PrunedRegressor(n_nonzero=k).fit(X, y).support_)


def abess(X, y, k, **options):
    """abess with its defaults: splicing, C++."""
    from abess.linear import LinearRegression as Splicing

    model = Splicing(support_size=k, thread=1, **options).fit(X, y)
    return np.flatnonzero(model.coef_)


def abess_strongest(X, y, k):
    """abess with up to k exchanges at once and a y of variance 1e6, since its stopping constant is absolute."""
    return abess(X, y / y.std() * 1e3, k, exchange_num=k, splicing_type=1, max_iter=100)


def matching_pursuit(X, y, k):
    """OrthogonalMatchingPursuit on standardised columns."""
    scaled = StandardScaler().fit_transform(X)
    return np.flatnonzero(OrthogonalMatchingPursuit(n_nonzero_coefs=k).fit(scaled, y).coef_)


def lasso_path(X, y, k):
    """The first k columns on the Lasso path by LARS; refitted by whoever scores them."""
    scaled = StandardScaler().fit_transform(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, _, path = lars_path(scaled, y - y.mean(), method="lasso", max_iter=4 * k + 20)
    sizes = (path != 0).sum(axis=0)
    right = np.flatnonzero(sizes == k)
    place = right[-1] if len(right) else np.flatnonzero(sizes <= k)[-1]
    return np.flatnonzero(path[:, place])


def mcp(X, y, k):
    """skglm's MCPRegression on standardised columns, the penalty bisected until k weights are left."""
    from skglm import MCPRegression

    scaled, target = StandardScaler().fit_transform(X), (y - y.mean()) / y.std()
    high = np.abs(scaled.T @ target).max() / len(y)
    low, best = high * 1e-4, np.empty(0, dtype=int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(20):
            alpha = np.sqrt(low * high)
            kept = np.flatnonzero(MCPRegression(alpha=alpha).fit(scaled, target).coef_)
            if len(kept) <= k:
                high, best = alpha, kept if len(kept) >= len(best) else best
            else:
                low = alpha
            if len(kept) == k:
                break
    return best


def elimination(X, y, k):
    """RFE of a LinearRegression on standardised columns."""
    scaled = StandardScaler().fit_transform(X)
    return np.flatnonzero(RFE(LinearRegression(), n_features_to_select=k).fit(scaled, y).support_)


def sequential(X, y, k):
    """SequentialFeatureSelector, forward, five folds."""
    return SequentialFeatureSelector(LinearRegression(), n_features_to_select=k, cv=5).fit(X, y).get_support(True)


def magnitude(X, y, k):
    """The k largest standardised weights of least squares."""
    scaled = StandardScaler().fit_transform(X)
    return np.sort(np.argsort(-np.abs(LinearRegression().fit(scaled, y).coef_), kind="stable")[:k])


OURS = "skcompress"
WHOLE = "PrunedRegressor, whole fit"
PEER = "abess"


def methods(*names: str) -> dict[str, Select]:
    """Return the methods of these names that can be imported, in their order."""
    table: dict[str, Select] = {
        OURS: ours,
        "skcompress, 5 restarts": partial(ours, n_restarts=5),
        "skcompress, 20 restarts": partial(ours, n_restarts=20),
        WHOLE: whole_fit,
        PEER: abess,
        "abess, strongest settings": abess_strongest,
        "orthogonal matching pursuit": matching_pursuit,
        "Lasso path": lasso_path,
        "MCP (skglm)": mcp,
        "RFE": elimination,
        "sequential selection, cv=5": sequential,
        "largest standardised weights": magnitude,
    }
    needs = {PEER: "abess", "abess, strongest settings": "abess", "MCP (skglm)": "skglm"}
    return {name: table[name] for name in names if name not in needs or find_spec(needs[name])}

"""How much accuracy pruning and rounding cost, on the diabetes data with degree-2 features (p = 65).

    python tests/benchmarks/bench_diabetes.py

Two tables: training R2 by how the weights are chosen and rounded, and test R2 beside scikit-learn's own ways to a
small model, over 20 folds (5 folds, 4 times).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from _tables import print_table
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.feature_selection import RFE
from sklearn.linear_model import LassoCV, LinearRegression, OrthogonalMatchingPursuit, RidgeCV, lars_path
from sklearn.model_selection import RepeatedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skcompress import PrunedRegressor, QuantizedRegressor, size_bytes

SIZES = (20, 15, 10)
BITS = 4
FOLDS = RepeatedKFold(n_splits=5, n_repeats=4, random_state=0)
ALPHAS = np.logspace(-3, 3, 13)


def features(X: np.ndarray, X_new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return degree-2 features, standardised by X, of X and of X_new."""
    maker = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler()).fit(X)
    return maker.transform(X), maker.transform(X_new)


def training_table(X: np.ndarray, y: np.ndarray) -> None:
    """Print what each way to prune and to round leaves of the training R2."""

    def r2(model: Any) -> str:
        return f"{model.fit(X, y).score(X, y):.3f}"

    def sizes(model: Any) -> str:
        return f"{model.compact_.nbytes} / {size_bytes(model)}"

    def rounded(model: Any) -> list[str]:
        nearest = QuantizedRegressor(model, bits=BITS, rounding="nearest", scale="max")
        lattice = QuantizedRegressor(model, bits=BITS)
        return [r2(nearest), r2(lattice), sizes(lattice)]

    rows = []
    for size in SIZES:
        swapped = PrunedRegressor(n_nonzero=size)
        rows.append(
            [
                f"{size} of {X.shape[1]}",
                r2(PrunedRegressor(n_nonzero=size, importance="l1", refit=None)),
                r2(PrunedRegressor(n_nonzero=size, importance="l1")),
                r2(PrunedRegressor(n_nonzero=size, search="one_shot")),
                r2(PrunedRegressor(n_nonzero=size, search="backward")),
                r2(swapped),
                sizes(swapped),
                *rounded(PrunedRegressor(n_nonzero=size)),
            ]
        )
    everything = PrunedRegressor(n_nonzero=X.shape[1]).fit(X, y)
    rows.append(
        [
            f"all {X.shape[1]}",
            None,
            None,
            None,
            None,
            r2(LinearRegression()),
            sizes(everything),
            *rounded(None),
        ]
    )
    print_table(
        "Training R2 (on the rows that the models were fitted on), and size",
        [
            "weights kept",
            "by magnitude, no refit",
            "by magnitude, refit",
            "OBS, one shot",
            "OBS, backward",
            "skcompress (swap)",
            "weights / file, bytes",
            f"then nearest, {BITS} bits",
            f"then skcompress, {BITS} bits",
            "weights / file, bytes",
        ],
        rows,
    )


def lasso_then_least_squares(size: int) -> Callable[[np.ndarray, np.ndarray], Any]:
    """Return a fit of least squares on the largest Lasso support of at most `size` features."""

    def fit(X: np.ndarray, y: np.ndarray) -> Any:
        _, _, path = lars_path(X, y - y.mean(), method="lasso", max_iter=3 * size)
        supports = [np.flatnonzero(weights) for weights in path.T]
        kept = [support for support in supports if len(support) <= size][-1]
        columns = ColumnTransformer([("kept", "passthrough", kept)])
        return make_pipeline(columns, LinearRegression()).fit(X, y)

    return fit


def n_weights(model: Any) -> int:
    """Return how many weights of a fitted model are not zero."""
    return int(np.count_nonzero(model[-1].coef_ if hasattr(model, "steps") else model.coef_))


def held_out_table(X: np.ndarray, y: np.ndarray) -> None:
    """Print the test R2 of ways to a small model; all of them see the same folds."""

    def plain(model: Any) -> Callable[[np.ndarray, np.ndarray], Any]:
        return lambda X, y: model.fit(X, y)

    ten = PrunedRegressor(n_nonzero=10)
    ways = {
        "LinearRegression": plain(LinearRegression()),
        "RidgeCV": plain(RidgeCV(ALPHAS)),
        "LassoCV": plain(LassoCV(max_iter=100_000)),
        "Lasso, then LinearRegression on 10": lasso_then_least_squares(10),
        "OrthogonalMatchingPursuit, 10": plain(OrthogonalMatchingPursuit(n_nonzero_coefs=10)),
        "RFE(LinearRegression), 10": plain(
            make_pipeline(RFE(LinearRegression(), n_features_to_select=10), LinearRegression())
        ),
        "by magnitude, 10, no refit": plain(PrunedRegressor(n_nonzero=10, importance="l1", refit=None)),
        "skcompress, 10": plain(ten),
        "skcompress, 10, nearest to 4 bits": plain(QuantizedRegressor(ten, bits=4, rounding="nearest", scale="max")),
        "skcompress, 10, at 4 bits": plain(QuantizedRegressor(ten, bits=4)),
        "skcompress, 10, at 8 bits": plain(QuantizedRegressor(ten, bits=8)),
        "skcompress, size by its criterion": plain(PrunedRegressor()),
        "skcompress, RidgeCV, 10": plain(PrunedRegressor(RidgeCV(ALPHAS), n_nonzero=10)),
        "skcompress, RidgeCV, 10, at 4 bits": plain(
            QuantizedRegressor(PrunedRegressor(RidgeCV(ALPHAS), n_nonzero=10), bits=4)
        ),
    }
    scores: dict[str, list[float]] = {name: [] for name in ways}
    sizes: dict[str, list[int]] = {name: [] for name in ways}
    for train, test in FOLDS.split(X):
        X_train, X_test = features(X[train], X[test])
        for name, fit in ways.items():
            model = fit(X_train, y[train])
            scores[name].append(model.score(X_test, y[test]))
            sizes[name].append(n_weights(model))
    lasso = np.array(scores["LassoCV"])
    rows = []
    for name in sorted(ways, key=lambda name: -np.mean(scores[name])):
        own = np.array(scores[name])
        gap = own - lasso
        rows.append(
            [
                name,
                f"{own.mean():.3f}",
                f"{own.std(ddof=1) / np.sqrt(len(own)):.3f}",
                f"{gap.mean():+.3f}",
                f"{int((gap > 0).sum())} of {len(own)}",
                f"{np.mean(sizes[name]):.1f}",
            ]
        )
    print_table(
        "Test R2, held out: 20 folds, best first",
        ["model", "test R2", "standard error", "less LassoCV", "folds above LassoCV", "weights"],
        rows,
    )


def main() -> None:
    """Print both tables."""
    X, y = load_diabetes(return_X_y=True)
    training_table(features(X, X)[0], y)
    held_out_table(X, y)


if __name__ == "__main__":
    main()

"""What searching sizes and bits costs: CompressedRegressorCV beside GridSearchCV over the nested wrappers.

    python tests/benchmarks/bench_search.py
    python tests/benchmarks/bench_search.py --quick

Same candidates, same folds, rounding="gptq", one thread, CPU time. The scores of both are compared; aims: at least 10
times faster than GridSearchCV, faster than GridSearchCV with `memory`, and all sizes of 100,000 x 100 at five widths
in less than twelve times a LinearRegression.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from _tables import print_table
from bench_overhead import correlated
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from skcompress import CompressedRegressorCV, PrunedRegressor, QuantizedRegressor

SIZES = [5, 10, 20, 40, 80, 160]
BITS = [8, 6, 4, 3, 2]
FOLDS = 3


def cpu(call: Callable[[], Any]) -> float:
    """Return the CPU seconds of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def nested(memory: str | None = None) -> QuantizedRegressor:
    """Return the model that is searched."""
    pruned = PrunedRegressor(Ridge(), n_nonzero=5, memory=memory)
    return QuantizedRegressor(pruned, bits=8, rounding="gptq", memory=memory)


def beside_grid_search(n_rows: int, n_columns: int, repeats: int) -> None:
    """Print times and the largest difference of scores: 30 candidates, 3 folds."""
    X, y = correlated(n_rows, n_columns)
    grid = {"estimator__n_nonzero": SIZES, "bits": BITS}
    seconds: dict[str, list[float]] = {"CompressedRegressorCV": [], "GridSearchCV": [], "GridSearchCV, memory": []}
    difference = 0.0
    for _ in range(repeats):
        search = CompressedRegressorCV(nested(), n_nonzero=SIZES, bits=BITS, cv=FOLDS)
        seconds["CompressedRegressorCV"].append(cpu(lambda search=search: search.fit(X, y)))
        plain = GridSearchCV(nested(), grid, cv=FOLDS)
        seconds["GridSearchCV"].append(cpu(lambda plain=plain: plain.fit(X, y)))
        with tempfile.TemporaryDirectory() as folder:
            cached = GridSearchCV(nested(folder), grid, cv=FOLDS)
            seconds["GridSearchCV, memory"].append(cpu(lambda cached=cached: cached.fit(X, y)))
        difference = max(difference, largest_difference(search, plain))
    base = np.array(seconds["CompressedRegressorCV"])
    rows = [[name, f"{np.median(t):.2f}", f"{np.median(t / base):.1f}"] for name, t in seconds.items()]
    print_table(
        f"Ridge, {n_rows:,} x {n_columns}, {len(SIZES) * len(BITS)} candidates x {FOLDS} folds; "
        f"scores differ by at most {difference:.1e}",
        ["search", "CPU seconds", "relative to ours"],
        rows,
    )


def largest_difference(ours: CompressedRegressorCV, plain: GridSearchCV) -> float:
    """Return how far the mean scores of the same candidates are apart at most."""
    scores = {
        (params["n_nonzero"], params["bits"]): score
        for params, score in zip(ours.cv_results_["params"], ours.cv_results_["mean_test_score"], strict=True)
    }
    pairs = zip(plain.cv_results_["params"], plain.cv_results_["mean_test_score"], strict=True)
    return max(abs(scores[params["estimator__n_nonzero"], params["bits"]] - score) for params, score in pairs)


def in_fits(n_rows: int, n_columns: int, repeats: int) -> None:
    """Print the search over all sizes and five widths in fits of a LinearRegression."""
    X, y = correlated(n_rows, n_columns)
    model = QuantizedRegressor(PrunedRegressor(), rounding="gptq")
    search = CompressedRegressorCV(model, n_nonzero=range(1, n_columns + 1), bits=BITS, cv=FOLDS)
    ratios = []
    for _ in range(repeats):
        fit = cpu(lambda: LinearRegression().fit(X, y))
        ratios.append(cpu(lambda: clone(search).fit(X, y)) / fit)
    print_table(
        f"LinearRegression, {n_rows:,} x {n_columns}, all sizes x {len(BITS)} widths x {FOLDS} folds",
        ["search", "in fits of LinearRegression"],
        [["CompressedRegressorCV", f"{np.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"]],
    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, one repeat")
    quick = parser.parse_args().quick
    shrink, repeats = (10, 1) if quick else (1, 3)
    with threadpool_limits(1):
        in_fits(100_000 // shrink, 100, repeats)
        beside_grid_search(20_000 // shrink, 500, repeats)


if __name__ == "__main__":
    main()

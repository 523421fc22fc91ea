"""What compressing adds to the time of fit and predict: ratios to the bare base.

    python tests/benchmarks/bench_overhead.py
    python tests/benchmarks/bench_overhead.py --repeats 3 --threads 1

The wrappers fit the base as well, so that a fit ratio of 1.0 would be compression for nothing. The aim is a fit ratio
of at most 2.0 and a predict ratio of at most 1.05 on 10,000 rows; figures above the aim are marked with *.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from _tables import print_table
from _timing import interleave
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge

from skcompress import PrunedRegressor, QuantizedRegressor

SHAPES = {(10_000, 100): 21, (100_000, 300): 5}
"""Rows and columns, and how often they are timed."""

BASES = {"LinearRegression": LinearRegression(), "Ridge": Ridge()}
FIT_AIM, PREDICT_AIM = 2.0, 1.05
PREDICT_ROWS = (10_000, 1)


def correlated(n_rows: int, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return columns that share ten factors, and a target in which three columns in ten matter."""
    random = np.random.default_rng(0)
    factors = random.standard_normal((n_rows, 10))
    X = random.standard_normal((n_rows, n_columns)) + 0.7 * factors @ random.standard_normal((10, n_columns))
    X += 3 * random.standard_normal(n_columns)
    matter = random.random(n_columns) < 0.3
    weights = np.where(matter, 1.0, 0.02) * random.standard_normal(n_columns)
    return X, X @ weights + 3 * random.standard_normal(n_rows)


def wrapped(base: Any) -> dict[str, Any]:
    """Return the base and the wrappers around it."""
    return {
        "base": base,
        "pruned": PrunedRegressor(base),
        "quantized": QuantizedRegressor(base),
        "4 bits": QuantizedRegressor(base, bits=4),
        "pruned, quantized": QuantizedRegressor(PrunedRegressor(base)),
    }


def fitting(model: Any, X: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    """Return a call that fits a clone."""
    return lambda: clone(model).fit(X, y)


def mark(ratio: float, aim: float) -> str:
    """Return the ratio, with a star where it is above the aim."""
    return f"{ratio:.2f}{' *' if ratio > aim else ''}"


def fit_table(threads: list[int], repeats: int | None) -> None:
    """Print fit ratios, wall and CPU."""
    rows = []
    names = [name for name in wrapped(None) if name != "base"]
    for (n_rows, n_columns), usual in SHAPES.items():
        X, y = correlated(n_rows, n_columns)
        for n_threads in threads:
            for name, base in BASES.items():
                models = wrapped(base)
                calls = {key: fitting(model, X, y) for key, model in models.items()}
                timings = interleave(calls, repeats=repeats or usual, threads=n_threads)
                plain = timings["base"]
                walls = [mark(timings[key].ratio(plain), FIT_AIM) for key in names]
                cpus = [mark(timings[key].cpu_ratio(plain), FIT_AIM) for key in names]
                cells = [f"{wall} / {cpu}" for wall, cpu in zip(walls, cpus, strict=True)]
                rows.append([f"{n_rows:,} x {n_columns}", n_threads, name, f"{1e3 * plain.seconds:.0f} ms", *cells])
    print_table(
        f"Fit: time relative to the base, wall / CPU (aim: at most {FIT_AIM})",
        ["rows x columns", "BLAS threads", "base", "base alone", *names],
        rows,
    )


def predict_table(threads: list[int], repeats: int | None) -> None:
    """Print predict ratios, wall and CPU."""
    rows = []
    n_columns = 100
    X, y = correlated(20_000, n_columns)
    for n_rows in PREDICT_ROWS:
        part = np.ascontiguousarray(X[:n_rows])
        aim = PREDICT_AIM if n_rows > 1 else np.inf
        for n_threads in threads:
            models = {key: clone(model).fit(X, y) for key, model in wrapped(Ridge()).items()}
            names = [name for name in models if name != "base"]
            calls = {key: partial(model.predict, part) for key, model in models.items()}
            timings = interleave(calls, repeats=20 * (repeats or 10), threads=n_threads, loops=10)
            plain = timings["base"]
            cells = [
                f"{mark(timings[key].ratio(plain), aim)} / {mark(timings[key].cpu_ratio(plain), aim)}" for key in names
            ]
            rows.append([f"{n_rows:,} x {n_columns}", n_threads, "Ridge", f"{1e6 * plain.seconds:.0f} us", *cells])
    print_table(
        f"Predict: time relative to the base, wall / CPU (aim on {PREDICT_ROWS[0]:,} rows: at most {PREDICT_AIM})",
        ["rows x columns", "BLAS threads", "base", "base alone", *names],
        rows,
    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=None, help="repeats of each fit (default: by size)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="BLAS threads (default: 1 2)")
    given = parser.parse_args()
    predict_table(given.threads, given.repeats)
    fit_table(given.threads, given.repeats)


if __name__ == "__main__":
    main()

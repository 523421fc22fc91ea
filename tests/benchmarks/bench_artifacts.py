"""What ships, and how it runs: bytes, loading, one row and batches, beside what others ship.

    python tests/benchmarks/bench_artifacts.py
    python tests/benchmarks/bench_artifacts.py --repeats 5

Needs ``pip install 'skcompress[bench,onnx]'`` and gcc. Weights are normal, 90% of them zero where it says so; pickle,
joblib, skops and skl2onnx hold a Ridge with them, skcompress and to_onnx the same rounded to 4 bits. Times are medians
of ratios over repeats in which every rival is called once, on one thread. Aims stand in the headings, figures that miss
them have a star.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from _shipped import (
    CALLS,
    entropy_bytes,
    loaders,
    our_c,
    python_function,
    session_of,
    their_c,
    used_row,
    written,
)
from _tables import print_table
from _timing import interleave
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress import QuantizedRegressor, compact
from skcompress.artifact import CompactLinear, Inputs, Weights

SHAPES = {
    "30 x 1": (30, 1, 1.0),
    "1,000 x 1": (1000, 1, 1.0),
    "1,000 x 1, 90% zero": (1000, 1, 0.1),
    "20,000 x 100": (20_000, 100, 1.0),
    "20,000 x 100, 90% zero": (20_000, 100, 0.1),
}


def rounded(p: int, m: int, density: float, seed: int = 0) -> tuple[Ridge, CompactLinear]:
    """Return a Ridge with normal weights, and the same rounded to 4 bits as a compact model of codes."""
    random = np.random.default_rng(seed)
    kept = random.random((m, p)) < density
    coef = np.where(kept, random.standard_normal((m, p)), 0.0)
    scale = np.abs(coef).max(axis=1, keepdims=True) / 7 * 0.7
    codes = np.clip(np.rint(coef / scale), -7, 7).astype(np.int8)
    intercept = random.standard_normal(m)
    model = Ridge().fit(np.zeros((2, p)), np.zeros(2) if m == 1 else np.zeros((2, m)))
    model.coef_ = coef[0] if m == 1 else coef
    model.intercept_ = intercept[0] if m == 1 else intercept
    used = np.flatnonzero(codes.any(axis=0))
    weights = Weights.from_codes(codes[:, used], scale, bits=4)
    return model, CompactLinear(weights, intercept, Inputs(None, used, p), flat=m == 1, n_terms_all=p)


def star(value: float, aim: float, *, at_least: bool = False) -> str:
    """Return a figure, with a star where it misses its aim."""
    missed = value < aim if at_least else value > aim
    return f"{value:.3g}{' *' if missed else ''}"


def bytes_table(repeats: int) -> None:
    """Print bytes, and the time to load relative to joblib."""
    rows, ratios, loads = [], [], []
    for title, (p, m, density) in SHAPES.items():
        model, small = rounded(p, m, density)
        files = written(model, small)
        entropy = entropy_bytes(small)
        pruned = m > 1 and density < 1
        rows.append([title, *(f"{len(data):,}" for data in files.values()), f"{entropy:,.0f}"])
        ours = len(files["skcompress"])
        ratios.append(
            [
                title,
                star(ours / entropy, 1.05 if m > 1 else np.inf),
                star(small.nbytes / entropy, 1.2 if (p, density) == (1000, 1.0) else np.inf),
                star(ours - small.nbytes, 200),
                star(len(files["joblib + lzma"]) / ours, 8 if pruned else 0, at_least=True),
                star(len(files["pickle"]) / ours, 80 if pruned else 0, at_least=True),
            ]
        )
        with tempfile.TemporaryDirectory() as folder:
            calls = loaders(files, model, Path(folder))
            timings = interleave(calls, repeats=repeats if m > 1 else 5 * repeats, threads=1)
        base = timings.pop("joblib")
        cells = [
            star(timing.ratio(base), 10 if pruned and name == "skcompress" else np.inf)
            for name, timing in timings.items()
        ]
        loads.append([title, f"{1e3 * base.seconds:.2f} ms", *cells])
    print_table("Bytes of a file, without names of inputs", ["weights", *files, "entropy + scales"], rows)
    print_table(
        "The file of skcompress beside the entropy of its codes with scales (aim for 2 million weights: at most 1.05), "
        "its streams of weights alone (aim for 1,000: at most 1.2) and its other bytes (aim: at most 200), and "
        "joblib + lzma and pickle beside the file (aims for 2 million where 90% are zero: at least 8 and 80)",
        ["weights", "/ entropy", "weights alone / entropy", "other bytes", "joblib + lzma /", "pickle /"],
        ratios,
    )
    print_table(
        "Loading, relative to joblib without compression (aim where 90% are zero: at most 10)",
        ["weights", "joblib", *timings],
        loads,
    )


def row_calls(p: int) -> tuple[dict[str, Callable[[], Any]], dict[str, int]]:
    """Return calls that score one row, and how many rows each scores."""
    import m2cgen
    from skl2onnx import to_onnx as skl2onnx

    from skcompress import to_onnx

    random = np.random.default_rng(1)
    X = random.standard_normal((500, p))
    y = X @ random.standard_normal(p) + random.standard_normal(500)
    base = Ridge().fit(X, y)
    pipeline = make_pipeline(StandardScaler(), Ridge()).fit(X, y)
    integer = QuantizedRegressor(Ridge(), bits=8, input_bits=8).fit(X, y)
    small, whole = compact(base), compact(integer)
    row, one = X[0].copy(), X[:1].astype(np.float32)
    as_dict, listed = dict(zip(small.inputs, row.tolist(), strict=True)), row.tolist()
    ours, integers = our_c(small, integer=False), our_c(whole, integer=True)
    assert abs(ours.score(row) - base.predict(X[:1])[0]) < 1e-9
    assert integers.score(used_row(whole, row)) == integer.predict(X[:1])[0]
    function = python_function(small)
    run, run_ours = (
        session_of(skl2onnx(base, one).SerializeToString()),
        session_of(to_onnx(small, dtype=np.float32).SerializeToString()),
    )
    coef, intercept = base.coef_, float(base.intercept_)
    calls: dict[str, Callable[[], Any]] = {
        "numpy dot": lambda: row.dot(coef) + intercept,
        "predict_one(array)": partial(small.predict_one, row),
        "predict_one(dict)": partial(small.predict_one, as_dict),
        "Ridge.predict": partial(base.predict, X[:1]),
        "StandardScaler, Ridge": partial(pipeline.predict, X[:1]),
        "to_python": partial(function, as_dict),
        "onnxruntime, skl2onnx": partial(run, one),
        "onnxruntime, to_onnx": partial(run_ours, one),
        "C, to_c": ours.row(row),
        "C, to_c in integers": integers.row(used_row(whole, row)),
    }
    sizes = {"to_c": ours.object_bytes, "to_c in integers": integers.object_bytes}
    try:
        theirs, source = their_c(base), m2cgen.export_to_python(base)
    except RecursionError:
        return calls, sizes
    assert abs(theirs.score(row) - base.predict(X[:1])[0]) < 1e-9
    module: dict[str, Any] = {}
    exec(source, module)
    calls |= {"C, m2cgen": theirs.row(row), "Python, m2cgen": partial(module["score"], listed)}
    return calls, {**sizes, "m2cgen": theirs.object_bytes}


def row_table(repeats: int) -> None:
    """Print the time of one row, relative to a bare dot product."""
    columns, objects = {}, {}
    for p in (30, 1000):
        calls, objects[p] = row_calls(p)
        timings = interleave(calls, repeats=20 * repeats, threads=1, loops=20)
        base = timings["numpy dot"]
        per_row = {name: (CALLS if name.startswith("C,") else 1) for name in calls}
        columns[p] = {name: timings[name].ratio(base) / per_row[name] for name in calls}
        columns[p]["Ridge.predict / predict_one"] = timings["Ridge.predict"].ratio(timings["predict_one(array)"])
        columns[p]["dot"] = base.seconds
    aims = {
        ("predict_one(array)", 30): 5.0,
        ("predict_one(array)", 1000): 2.0,
    }
    rows = []
    for name in [n for n in columns[30] if n != "dot"]:
        cells = []
        for p in (30, 1000):
            if name not in columns[p]:
                cells.append("fails")
            elif name.startswith("Ridge.predict /"):
                cells.append(star(columns[p][name], 25 if p == 30 else 0, at_least=True))
            else:
                cells.append(star(columns[p][name], aims.get((name, p), np.inf)))
        rows.append([name, *cells])
    print_table(
        f"One row, relative to a numpy dot product ({1e6 * columns[30]['dot']:.2f} and {1e6 * columns[1000]['dot']:.2f}"
        " microseconds). Aims: predict_one 5 and 2, and 25 times faster than Ridge.predict at 30 inputs. "
        "C: per row of a loop in C",
        ["", "30 inputs", "1,000 inputs"],
        rows,
    )
    print_table(
        "Compiled size of the C files (gcc -O2, text and data)",
        ["inputs", *objects[30]],
        [[p, *(f"{objects[p][name]:,}" if name in objects[p] else "fails" for name in objects[30])] for p in objects],
    )


def batch_table(repeats: int) -> None:
    """Print the time of many rows relative to the base's predict."""
    from skl2onnx import to_onnx as skl2onnx

    random = np.random.default_rng(2)
    X = random.standard_normal((10_000, 100))
    y = X @ random.standard_normal(100)
    base = Ridge().fit(X, y)
    single = X.astype(np.float32)
    run = session_of(skl2onnx(base, single[:1]).SerializeToString())
    calls = {
        "Ridge.predict": partial(base.predict, X),
        "CompactLinear.predict": partial(compact(base).predict, X),
        "onnxruntime, skl2onnx (float32)": partial(run, single),
    }
    dense = interleave(calls, repeats=20 * repeats, threads=1, loops=5)
    wide, small = rounded(20_000, 100, 0.1)
    rows = sp.random(1, 20_000, density=0.005, format="csr", random_state=0)
    sparse = interleave(
        {"Ridge.predict": partial(wide.predict, rows), "CompactLinear.predict": partial(small.predict, rows)},
        repeats=10 * repeats,
        threads=1,
        loops=3,
    )
    base_time, base_sparse = dense["Ridge.predict"], sparse["Ridge.predict"]
    table = [
        [
            "10,000 x 100, dense (aim: at most 1.1)",
            star(dense["CompactLinear.predict"].ratio(base_time), 1.1),
            f"{dense['onnxruntime, skl2onnx (float32)'].ratio(base_time):.3g}",
        ],
        [
            "one sparse row of 100 nonzeros, 20,000 x 100 outputs (aim: at most 1/8)",
            star(sparse["CompactLinear.predict"].ratio(base_sparse), 1 / 8),
            None,
        ],
    ]
    print_table(
        "Batches, relative to Ridge.predict",
        ["rows", "CompactLinear.predict", "onnxruntime, skl2onnx (float32)"],
        table,
    )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="repeats of each timing")
    given = parser.parse_args()
    bytes_table(given.repeats)
    row_table(given.repeats)
    batch_table(given.repeats)


if __name__ == "__main__":
    main()

"""What memory rows that come in blocks take: QuadraticModel.from_blocks, then prune and quantize.

    python tests/benchmarks/bench_memory.py
    python tests/benchmarks/bench_memory.py --quick

Blocks of 100,000 rows are made on the fly, so that no row is held longer than its block. Each line is a process of its
own; its peak is the resident set that the operating system counts, with Python, numpy, scipy and scikit-learn. Beside
it LinearRegression on rows in memory, where they take less than 2 GiB, and the largest difference of its weights. The
aim: 10 million x 100, which take 7.5 GiB, in under 2 GiB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from _tables import print_table
from sklearn.linear_model import LinearRegression

from skcompress import QuadraticModel, prune, quantize

N_COLUMNS, BLOCK = 100, 100_000
KEPT, BITS = 30, 4
HELD_ROWS = 2_000_000


def blocks(n_rows: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rows of columns that share five factors and lie far from zero; thirty of them matter."""
    fixed = np.random.default_rng(0)
    shared = fixed.standard_normal((5, N_COLUMNS))
    level = 3 * fixed.standard_normal(N_COLUMNS)
    weights = np.where(np.arange(N_COLUMNS) < KEPT, fixed.choice([-1.0, 1.0], N_COLUMNS), 0.0)
    weights *= 0.5 + fixed.random(N_COLUMNS)
    for start in range(0, n_rows, BLOCK):
        random = np.random.default_rng(1 + start)
        n = min(BLOCK, n_rows - start)
        X = random.standard_normal((n, N_COLUMNS))
        X += random.standard_normal((n, 5)) @ shared
        X += level
        yield X, X @ weights + 3 * random.standard_normal(n)


def peak_gib() -> float:
    """Return the largest resident set of this process so far, in GiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)


def streamed(n_rows: int) -> dict[str, Any]:
    """Measure the way through moments."""
    making = 0.0

    def timed() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        nonlocal making
        source = blocks(n_rows)
        while True:
            started = time.perf_counter()
            block = next(source, None)
            making += time.perf_counter() - started
            if block is None:
                return
            yield block

    started = time.perf_counter()
    model = QuadraticModel.from_blocks(timed())
    adding = time.perf_counter() - started - making
    started = time.perf_counter()
    pruned = prune(model, n_nonzero=KEPT)
    rounded = quantize(pruned.model, bits=BITS)
    return {
        "making": making,
        "fitting": adding,
        "compressing": time.perf_counter() - started,
        "peak": peak_gib(),
        "found": int(np.count_nonzero(pruned.support[0][:KEPT])),
        "loss": rounded.loss,
        "weights": model.centre[0].tolist(),
    }


def held(n_rows: int) -> dict[str, Any]:
    """Measure LinearRegression on all rows."""
    started = time.perf_counter()
    X, y = np.empty((n_rows, N_COLUMNS)), np.empty(n_rows)
    for place, (rows, target) in enumerate(blocks(n_rows)):
        X[place * BLOCK :][: len(rows)], y[place * BLOCK :][: len(rows)] = rows, target
    making = time.perf_counter() - started
    started = time.perf_counter()
    model = LinearRegression().fit(X, y)
    fitting = time.perf_counter() - started
    return {"making": making, "fitting": fitting, "peak": peak_gib(), "weights": model.coef_.tolist()}


WAYS = {"blocks": streamed, "memory": held}


def in_a_process(way: str, n_rows: int) -> dict[str, Any]:
    """Run one way in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--way", way, str(n_rows)], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def line(name: str, n_rows: int, found: dict[str, Any], *rest: str) -> list[str]:
    """Return a line of the table."""
    data = f"{n_rows * (N_COLUMNS + 1) * 8 / 2**30:.2f}"
    seconds = [f"{found[what]:.1f}" if what in found else "" for what in ("making", "fitting", "compressing")]
    return [name, f"{n_rows:,}", str(N_COLUMNS), data, f"{found['peak']:.2f}", *seconds, *rest]


def main() -> None:
    """Print the table, or with --way run one case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--way", nargs=2, metavar=("WAY", "ROWS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(WAYS[given.way[0]](int(given.way[1]))))
        return
    lines = []
    for n_rows in (100_000, 1_000_000) if given.quick else (1_000_000, 10_000_000):
        ours = in_a_process("blocks", n_rows)
        told = [f"{ours['found']} of {KEPT}", f"{ours['loss']:.5f}"]
        lines.append(line("from_blocks, prune, quantize", n_rows, ours, *told, ""))
        if n_rows <= HELD_ROWS:
            peer = in_a_process("memory", n_rows)
            apart = np.abs(np.subtract(peer["weights"], ours["weights"])).max() / np.abs(peer["weights"]).max()
            lines.append(line("LinearRegression in memory", n_rows, peer, "", "", f"{apart:.0e}"))
    print_table(
        f"Rows in blocks of {BLOCK:,}, {KEPT} weights kept of {N_COLUMNS}, {BITS} bits",
        [
            "way",
            "rows",
            "columns",
            "data, GiB",
            "peak, GiB",
            "s making rows",
            "s fitting",
            "s prune, quantize",
            "true weights kept",
            "loss",
            "weights apart",
        ],
        lines,
    )


if __name__ == "__main__":
    main()

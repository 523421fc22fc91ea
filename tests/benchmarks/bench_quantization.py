"""What rounding costs, by how the weights are rounded: excess loss, optimality, time, integer training and inference.

    python tests/benchmarks/bench_quantization.py [--data FOLDER] [--quick]

Excess: the loss of the rounded weights above that of the floats, in units of the null loss (for least squares the R2
lost). "gptq, max scale" is the method as published, "gptq" the same with the scale searched, as for the others.
FOLDER may hold more sets (`lending_club_rate`, `taiwan_credit`, `california_housing`, `indtrack_sp100`, each
.csv.gz); the default is those that come with the package, and a table without its set is left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _tables import print_table
from _timing import interleave
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDRegressor
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, SplineTransformer, StandardScaler

from skcompress import QuadraticModel, QuantizedClassifier, QuantizedRegressor, quantize

SHIPPED = Path(__file__).resolve().parents[2] / "skcompress" / "data"
BITS = (1, 2, 3, 4, 6, 8)
COMPARED = (2, 3, 4)
METHODS: dict[str, dict[str, Any]] = {
    "nearest, max scale": {"rounding": "nearest", "scale": "max"},
    "nearest": {"rounding": "nearest"},
    "gptq, max scale": {"rounding": "gptq", "scale": "max"},
    "gptq": {"rounding": "gptq"},
    "lattice": {"rounding": "lattice"},
    "joint": {"rounding": "joint"},
}
RATE_LEAKS = ["grade", "sub_grade", "installment", "balance", "paid_total", "paid_principal", "paid_interest"]
RATE_LEAKS += ["paid_late_fees", "loan_status", "issue_month", "initial_listing_status", "disbursement_method"]
LESS_IN_ALL = 1e-9
BATCH = 10


def columns(numbers: Any) -> Any:
    """Return the transformer of mixed columns: `numbers` for the numbers, one-hot for the rest."""
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), numbers, StandardScaler()), make_column_selector(dtype_include="number")),
        (
            OneHotEncoder(min_frequency=20, handle_unknown="ignore", sparse_output=False),
            make_column_selector(dtype_exclude="number"),
        ),
    )


def frame_of(folder: Path, name: str) -> pd.DataFrame | None:
    """Return a set, or None if it is not in the folder."""
    path = folder / f"{name}.csv.gz"
    return pd.read_csv(path) if path.exists() else None


def regressions(folder: Path) -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield (name, transformer or None, X, y) of the tabular regressions that are there."""
    X, y = load_diabetes(return_X_y=True)
    yield "diabetes, degree 2", make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler()), X, y
    onehot, splines = columns("passthrough"), columns(SplineTransformer(n_knots=5, extrapolation="constant"))
    loans = frame_of(folder, "lending_club_rate")
    if loans is not None:
        rate = loans.pop("interest_rate")
        yield "loan rates, one-hot", onehot, loans.drop(columns=RATE_LEAKS), rate
    loans = frame_of(folder, "lending_club_default")
    if loans is not None:
        rate = loans.pop("int_rate")
        yield "loan rates 2, splines", splines, loans.drop(columns=["sub_grade", "Class"]), rate
    cards = frame_of(folder, "taiwan_credit")
    if cards is not None:
        limit = np.log(cards.pop("LIMIT_BAL"))
        yield "card limits, splines", splines, cards.drop(columns="default"), limit
    homes = frame_of(folder, "california_housing")
    if homes is not None:
        value = np.log(homes.pop("median_house_value"))
        yield "housing, splines", splines, homes, value
    shares = frame_of(folder, "indtrack_sp100")
    if shares is not None:
        returns = shares.pct_change().dropna() if shares.abs().to_numpy().min() > 1 else shares
        index = returns.pop("INDEX")
        yield "index of 98 shares", StandardScaler(), returns, index


def wide(rng: np.random.Generator, n: int = 2000, p: int = 200, m: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return correlated X and m targets."""
    X = rng.standard_normal((n, p)) @ rng.standard_normal((p, p)) / np.sqrt(p) + rng.standard_normal((n, 1))
    return X, X @ rng.standard_normal((p, m)) + 3 * rng.standard_normal((n, m))


def quadratic_of(X: np.ndarray, y: np.ndarray, alpha: float = 1e-3) -> tuple[QuadraticModel, float]:
    """Return the quadratic of a light ridge on centred X, in units of the null loss, and the R2 of the floats."""
    model = Ridge(alpha).fit(X, y)
    centred = X - X.mean(axis=0)
    H = (centred.T @ centred + alpha * np.eye(X.shape[1])) / len(X)
    y = np.reshape(y, (len(X), -1))
    quadratic = QuadraticModel(H, np.atleast_2d(model.coef_), null_loss=y.var(axis=0))
    return quadratic, float(model.score(X, y if y.shape[1] > 1 else y[:, 0]))


def excess_tables(folder: Path, bits: tuple[int, ...], quick: bool) -> None:
    """Print the excess of every method on every set, and the geometric means of the ratios to gptq."""
    systems = []
    for name, transformer, X, y in regressions(folder):
        systems.append((name, *quadratic_of(np.asarray(transformer.fit_transform(X), dtype=float), np.asarray(y))))
    systems.append(("wide, 20 outputs", *quadratic_of(*wide(np.random.default_rng(0), p=60 if quick else 200))))
    lost: dict[tuple[str, str, int], float] = {}
    for name, quadratic, r2 in systems:
        rows = []
        for method, options in METHODS.items():
            start = time.perf_counter()
            for b in bits:
                result = quantize(quadratic, bits=b, granularity="output", random_state=0, **options)
                lost[name, method, b] = float(np.mean(result.loss))
            took = time.perf_counter() - start
            rows.append([method, *(f"{lost[name, method, b]:.4f}" for b in bits), f"{took / len(bits):.2f}"])
        title = f"{name}: p = {quadratic.n_features}, R2 of the floats {r2:.4f}. Excess by bits"
        print_table(title, ["rounding", *map(str, bits), "seconds a fit"], rows)
    rows = []
    for method in METHODS:
        row = [method]
        for name, _, _ in systems:
            row.append(f"{ratio_to_gptq(lost, [name], method):.3f}")
        rows.append([*row, f"{ratio_to_gptq(lost, [name for name, _, _ in systems], method):.3f}"])
    title = "Excess as a share of that of gptq with a searched scale: geometric means over 2, 3 and 4 bits"
    print_table(title, ["rounding", *(name for name, _, _ in systems), "all"], rows)


def ratio_to_gptq(lost: dict[tuple[str, str, int], float], names: list[str], method: str) -> float:
    """Return the geometric mean ratio of a method's excess to that of gptq."""
    logs = [
        np.log(max(lost[name, method, b], LESS_IN_ALL) / max(lost[name, "gptq", b], LESS_IN_ALL))
        for name in names
        for b in COMPARED
        if (name, method, b) in lost
    ]
    return float(np.exp(np.mean(logs)))


def optimality_table(n_instances: int) -> None:
    """Print how often each method finds the best codes of its own scale: random columns of diabetes."""
    X, y = load_diabetes(return_X_y=True)
    X = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler()).fit_transform(X)
    rng, rows = np.random.default_rng(0), []
    for p, b in ((8, 3), (12, 2), (12, 3), (16, 2), (16, 3)):
        equal = dict.fromkeys(("nearest", "gptq", "lattice", "joint"), 0)
        for _ in range(n_instances):
            chosen = rng.choice(X.shape[1], p, replace=False)
            quadratic, _ = quadratic_of(X[:, chosen], y)
            step = float(quantize(quadratic, bits=b, granularity="output", rounding="exact").grid.scale.ravel()[0])
            best = quantize(quadratic, bits=b, granularity="output", rounding="exact", scale=step).loss
            for name in equal:
                result = quantize(quadratic, bits=b, granularity="output", rounding=name, scale=step)
                equal[name] += bool(result.loss <= best * (1 + 1e-9) + 1e-12)
        rows.append([f"{p}, {b}", *(f"{count / n_instances:.1%}" for count in equal.values())])
    title = f"Share of {n_instances} instances where the loss equals that of the exact search, at the same scale"
    print_table(title, ["weights, bits", *equal], rows)


def time_table(quick: bool) -> None:
    """Print the time of gptq beside that of the Gram and its factor."""
    n, p, m = (5000, 300, 30) if quick else (20_000, 1000, 100)
    rng = np.random.default_rng(0)
    X, W = rng.standard_normal((n, p)), rng.standard_normal((m, p))

    def gram() -> np.ndarray:
        return X.T @ X / n

    H = gram()
    calls = {
        "Gram and its Cholesky factor": lambda: np.linalg.cholesky(gram()),
        "gptq, max scale": lambda: quantize(
            QuadraticModel(H, W), bits=4, rounding="gptq", scale="max", granularity="output"
        ),
        "gptq, searched scale": lambda: quantize(QuadraticModel(H, W), bits=4, rounding="gptq", granularity="output"),
    }
    timings = interleave(calls, repeats=2 if quick else 3, threads=1)
    base = timings["Gram and its Cholesky factor"]
    rows = [[name, f"{timing.seconds:.2f}", f"{timing.ratio(base):.2f}"] for name, timing in timings.items()]
    print_table(f"{p} weights x {m} outputs, n = {n}, 1 thread", ["call", "seconds", "ratio"], rows)


def streaming_table(folder: Path, epochs: int) -> None:
    """Print the test R2 of SGD trained in integers, batch by batch."""
    homes = frame_of(folder, "california_housing")
    if homes is None:
        return
    value = np.log(homes.pop("median_house_value"))
    train, test, y_train, y_test = train_test_split(homes, value, random_state=0)
    transformer = columns("passthrough").fit(train)
    X, X_test, y, y_test = (
        transformer.transform(train),
        transformer.transform(test),
        np.array(y_train),
        np.array(y_test),
    )
    centre = y.mean()

    def streamed(model: Any) -> float:
        for _ in range(epochs):
            for start in range(0, len(X), BATCH):
                model.partial_fit(X[start : start + BATCH], y[start : start + BATCH] - centre)
        return float(model.score(X_test, y_test - centre))

    def sgd() -> Any:
        return SGDRegressor(eta0=5e-4, learning_rate="constant", random_state=0)

    floats = streamed(sgd())
    rows: list[list[str]] = [["floats", f"{floats:.4f}", ""]]
    for bits, power in ((16, -13), (8, -6)):
        for rounding in ("stochastic", "nearest"):
            options = {"bits": bits, "grid": "fixed_point", "scale": 2.0**power, "rounding": rounding}
            r2 = streamed(QuantizedRegressor(sgd(), random_state=0, **options))
            rows.append([f"{bits} bits, step 2^{power}, {rounding}", f"{r2:.4f}", f"{r2 - floats:+.4f}"])
    title = f"SGD on California housing (log value), {len(X)} rows in batches of {BATCH}, {epochs} passes"
    print_table(title, ["weights", "test R2", "less the floats"], rows)


def input_table(folder: Path) -> None:
    """Print the held-out score with weights and inputs in integers."""
    rows = []

    def line(name: str, model: Any, wrapper: Any, X: Any, y: Any, scored: Any) -> None:
        train, test, y_train, y_test = train_test_split(X, y, random_state=0)
        base = scored(model.fit(train, y_train), test, y_test)
        row = [name, f"{base:.4f}"]
        for input_bits in (None, 8, 6, 4):
            fitted = wrapper(model, bits=8, input_bits=input_bits).fit(train, y_train)
            row.append(f"{scored(fitted, test, y_test):.4f}")
        rows.append(row)

    for name, transformer, X, y in regressions(folder):
        base = make_pipeline(transformer, Ridge() if name != "index of 98 shares" else LinearRegression())
        line(f"{name} (R2)", base, QuantizedRegressor, X, y, lambda model, X, y: model.score(X, y))
    for name, target in (("lending_club_default", "Class"), ("taiwan_credit", "default")):
        frame = frame_of(folder, name)
        if frame is None:
            continue
        label = frame.pop(target)
        label = (label == "bad").astype(int) if label.dtype.kind not in "iub" else label
        base = make_pipeline(columns("passthrough"), LogisticRegression(max_iter=2000))
        auc = lambda model, X, y: roc_auc_score(y, model.decision_function(X))  # noqa: E731
        line(f"{name} (AUC)", base, QuantizedClassifier, frame.drop(columns="sub_grade", errors="ignore"), label, auc)
    header = ["set", "floats", "8-bit weights", "and 8-bit inputs", "6-bit inputs", "4-bit inputs"]
    print_table("Held-out scores with integer inputs", header, rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=SHIPPED, help="folder of the .csv.gz files")
    parser.add_argument("--quick", action="store_true", help="fewer bits and instances, smaller systems")
    arguments = parser.parse_args()
    excess_tables(arguments.data, COMPARED if arguments.quick else BITS, arguments.quick)
    input_table(arguments.data)
    streaming_table(arguments.data, 2 if arguments.quick else 10)
    time_table(arguments.quick)
    optimality_table(10 if arguments.quick else 200)


if __name__ == "__main__":
    main()

"""One credit model, shipped to a file, ONNX, C, Python and SQL: the same numbers and one model id everywhere.

A logistic regression for the default of loans on thresholds and levels is pruned to twelve weights on its inputs and
rounded to 6 bits. What comes out is written in every language, run there on golden rows (ends, edges, unseen levels,
missing values), and verified. Weights on indicators are added up as integers.

    python examples/plot_ship_it.py

needs nothing but skcompress for the file, Python and SQL (sqlite is part of Python); ONNX is tried where onnxruntime is
installed, DuckDB where it is, and C where there is a gcc. It prints bytes and differences, how far rounding can move
any applicant at most, and writes ship_it.png into the current directory.
"""

import ctypes
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skcompress import (
    PrunedClassifier,
    QuantizedClassifier,
    StepEncoder,
    dump,
    load,
    max_change,
    to_c,
    to_onnx,
    to_python,
    to_sql,
)
from skcompress.datasets import load_lending_club

PICTURE = Path("ship_it.png")


def load_loans():
    """Return the inputs and whether the loan went bad."""
    return load_lending_club(return_X_y=True)


def in_file(small, rows, folder):
    path = folder / "model.skcl"
    dump(small, path)
    code = "import sys, pickle; from skcompress.artifact import load; m = load(sys.argv[1]); print(m.model_id)"
    said = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True).stdout
    return path.stat().st_size, load(path).decision_function(rows), said.strip()


def in_python(small, rows, folder):
    source = to_python(small, method="decision_function")
    module = {}
    exec(source, module)
    records = [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]
    return len(source), [module["predict"](record) for record in records], module["MODEL_ID"]


def in_sqlite(small, rows, folder):
    query = to_sql(small, "loans", method="decision_function")
    frame = pd.DataFrame(rows)
    with sqlite3.connect(":memory:") as connection:
        frame.astype(object).where(frame.notna(), None).to_sql("loans", connection, index=False)
        scores = [score for (score,) in connection.execute(query)]
    return len(query), scores, query.partition("model_id: ")[2].split()[0]


def in_duckdb(small, rows, folder):
    import duckdb

    query = to_sql(small, "loans", dialect="duckdb", method="decision_function")
    with duckdb.connect() as connection:
        connection.register("loans", pd.DataFrame(rows))
        scores = [score for (score,) in connection.execute(query).fetchall()]
    return len(query), scores, query.partition("model_id: ")[2].split()[0]


def in_onnx(small, rows, folder):
    import onnxruntime

    graph = to_onnx(small, weights="int8")
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    # All inputs of this model are numbers; texts would be inputs of their own.
    chance = session.run(["probabilities"], {"X": np.column_stack(list(rows.values()))})[0][:, 1]
    return len(graph.SerializeToString()), np.log(chance / (1 - chance)), graph.metadata_props[0].value


def in_c(small, rows, folder):
    source = to_c(small, integer=True, self_test=rows, name="loan")
    path, program = folder / "loan.c", folder / "loan"
    path.write_text(source)
    strict = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-DLOAN_SELF_TEST"]
    subprocess.run([*strict, "-o", program, path, "-lm"], check=True)
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    print(f"  the C program tests itself: {said.strip()}")
    library = folder / "loan.so"
    subprocess.run([*strict[:-1], "-shared", "-fPIC", "-o", library, path, "-lm"], check=True)
    linear = ctypes.CDLL(str(library)).loan_linear
    scores = []
    for row in zip(*rows.values(), strict=True):
        eta = ctypes.c_double()
        linear((ctypes.c_double * len(row))(*row), ctypes.byref(eta))
        scores.append(eta.value)
    subprocess.run([*strict[:-1], "-c", "-o", folder / "loan.o", path], check=True)
    return (folder / "loan.o").stat().st_size, scores, said.split()[1].rstrip(":")


PLACES = {
    "file": (in_file, True),
    "Python": (in_python, True),
    "SQL, sqlite": (in_sqlite, True),
    "SQL, DuckDB": (in_duckdb, find_spec("duckdb")),
    "ONNX, int8": (in_onnx, find_spec("onnx") and find_spec("onnxruntime")),
    "C99, integers": (in_c, shutil.which("gcc")),
}
"""Where the model is shipped, and whether that can be tried here."""


def draw(table, scores):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    bars = left.barh(table["place"][::-1], table["bytes"][::-1], color="tab:blue")
    left.bar_label(bars, labels=[f"{size:,}" for size in table["bytes"][::-1]], padding=3)
    left.set(xscale="log", xlabel="bytes (file, source, graph, or compiled object)", title="One model, shipped")
    left.set_xlim(10, 3 * table["bytes"].max())
    order = np.argsort(scores["file"])
    for width, (name, values) in zip((13, 10, 7.5, 5, 3, 1), scores.items(), strict=False):
        right.plot(np.asarray(values, dtype=float)[order], label=name, linewidth=width)
    right.set(xlabel="golden rows, sorted", ylabel="log-odds of default", title="The same scores everywhere")
    right.legend()
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)


def main():
    X, y = load_loans()
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=0)
    columns = make_column_transformer(
        (StepEncoder(max_steps=10), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_exclude="number")),
    )
    full = make_pipeline(columns, LogisticRegression(C=0.1, max_iter=2000)).fit(X_train, y_train)
    pruned = PrunedClassifier(full, n_nonzero=12).fit(X_train, y_train)
    model = QuantizedClassifier(pruned, bits=6).fit(X_train, y_train)
    for name, fitted in (("all weights", full), ("12 weights", pruned), ("12 weights, 6 bits", model)):
        print(f"{name:20} held-out AUC {roc_auc_score(y_test, fitted.predict_proba(X_test)[:, 1]):.4f}")

    small = model.compact_
    print(f"\n{small.model_id} reads {', '.join(small.inputs)}")
    change = max_change(pruned, model, bounds="all")
    print(f"Rounding moves no applicant's log-odds by more than {change.value:.3f} (exact: {change.exact}).")

    rows = small.golden_rows(X_train)
    usable = np.ones(len(rows[small.inputs[0]]), dtype=bool)
    for name in small.inputs:
        usable &= ~pd.isna(pd.Series(rows[name])).to_numpy()
    rows = {name: values[usable] for name, values in rows.items()}
    print(f"\n{usable.sum()} golden rows:")
    table, scores = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for place, (ship, possible) in PLACES.items():
            if not possible:
                print(f"  {place}: not installed here, left out")
                continue
            size, scores[place], model_id = ship(small, rows, Path(folder))
            off = small.verify(scores[place], rows, method="decision_function")
            table.append({"place": place, "bytes": size, "largest difference": f"{off:.0e}", "model id": model_id})
    table = pd.DataFrame(table)
    print(table.to_string(index=False))
    assert set(table["model id"]) == {small.model_id}
    draw(table, scores)


if __name__ == "__main__":
    main()

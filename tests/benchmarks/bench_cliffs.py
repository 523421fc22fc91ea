"""Where classifiers take long: CPU time of wrappers in multiples of the base's fit, and how it grows.

Simulated linear classifiers with a third of the weights other than zero. Each row is one fit on one thread: the base's
CPU time (median of three), the wrapper's in multiples of it, its loss on the training rows in units of the null
deviance, the weights it keeps and its deviance held out. With --patient, search="swap" is run beside the default, which
takes shortcuts where there are many units: the last column is its held-out deviance less the default's. Below, the
exponent with which the wrapper's time grows along each axis, by least squares on the logarithms.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import scipy.sparse as sp
from _tables import print_table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from skcompress import PrunedClassifier, QuantizedClassifier

BUDGETS = {
    "5 a class": {"n_nonzero": 5},
    "40% of all": {"n_nonzero": 0.4},
    "loss .05": {"max_loss": 0.05},
    "threshold 1e-3": {"threshold": 1e-3},
    "criterion": {},
    "5 columns": {"n_nonzero": 5, "feature_groups": "feature"},
    "5 a class, signs": {"n_nonzero": 5, "monotonic_cst": "of the base"},
}
AXES = {
    "classes": [(n_classes, 3000, 20) for n_classes in (5, 10, 20, 50, 100)],
    "columns": [(2, 2000, p) for p in (250, 500, 1000, 2000)],
    "columns of 8 classes": [(8, 3000, p) for p in (50, 100, 200)],
    "rows": [(8, n, 50) for n in (2000, 8000, 32000)],
}


def simulated(n_classes, n_rows, n_columns, seed=0):
    """Return train and test rows of a linear classifier."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((2 * n_rows, n_columns))
    weights = rng.standard_normal((n_classes, n_columns)) * (rng.random((n_classes, n_columns)) < 0.3)
    y = (X @ weights.T + 2 * rng.gumbel(size=(2 * n_rows, n_classes))).argmax(axis=1)
    return (X[:n_rows], y[:n_rows]), (X[n_rows:], y[n_rows:])


def documents(n_classes, n_rows=2500, n_words=20_000, seed=0):
    """Return train and test rows of word indicators, sparse, with words of each class."""
    rng = np.random.default_rng(seed)
    usual = 1 / np.arange(1, n_words + 1)
    y = rng.integers(0, n_classes, 2 * n_rows)
    rows = []
    for label in y:
        words = rng.choice(n_words, 60, p=usual / usual.sum())
        own = rng.integers(0, 400, 8) * n_classes + label
        rows.append(np.unique(np.concatenate([words, own[own < n_words]])))
    indptr = np.cumsum([0, *(len(row) for row in rows)])
    X = sp.csr_array((np.ones(indptr[-1]), np.concatenate(rows), indptr), shape=(len(rows), n_words))
    return (X[:n_rows], y[:n_rows]), (X[n_rows:], y[n_rows:])


def spent(call):
    """Return what a call gives, and its CPU seconds."""
    start = time.process_time()
    result = call()
    return result, time.process_time() - start


def cell(train, test, budget, patient):
    """Return the base's seconds, the wrapper's, and the cells of the row."""
    base = LogisticRegression(max_iter=1000)
    seconds = float(np.median([spent(lambda: base.fit(*train))[1] for _ in range(3)]))
    if budget is None:
        model = QuantizedClassifier(LogisticRegression(max_iter=1000), bits=4)
    else:
        options = dict(BUDGETS[budget])
        if "monotonic_cst" in options:
            options["monotonic_cst"] = np.sign(base.coef_.sum(axis=0)).astype(int)
        model = PrunedClassifier(LogisticRegression(max_iter=1000), **options)
    fitted, took = spent(lambda: model.fit(*train))
    held_out = 2 * log_loss(test[1], fitted.predict_proba(test[0]), labels=fitted.classes_)
    cells = [f"{seconds:.3f}", f"{took:.2f}", f"{took / seconds:.0f}", f"{fitted.loss_increase_:.4f}"]
    cells += [np.count_nonzero(fitted.coef_), f"{held_out:.4f}"]
    if patient and budget is None:
        cells += ["", "", ""]
    elif patient:
        slow, longer = spent(lambda: model.set_params(search="swap").fit(*train))
        gap = 2 * log_loss(test[1], slow.predict_proba(test[0]), labels=slow.classes_) - held_out
        cells += [f"{longer / seconds:.0f}", f"{slow.loss_increase_:.4f}", f"{gap:+.4f}"]
    return took, cells


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--axes", nargs="*", default=list(AXES), choices=list(AXES))
    parser.add_argument("--budgets", nargs="*", default=list(BUDGETS), choices=list(BUDGETS))
    parser.add_argument("--patient", action="store_true")
    parser.add_argument("--text", action="store_true", help="and sparse documents, 2,500 x 20,000")
    options = parser.parse_args()
    rows, growth = [], []
    with threadpool_limits(1):
        for axis in options.axes:
            changing = {"classes": 0, "rows": 1}.get(axis, 2)
            for budget in [*options.budgets, None]:
                took = []
                for size in AXES[axis]:
                    seconds, cells = cell(*simulated(*size), budget, options.patient)
                    took.append(seconds)
                    rows.append(["{} x {:,} x {:,}".format(*size), budget or "4 bits", *cells])
                along = np.log([size[changing] for size in AXES[axis]])
                growth.append([axis, budget or "4 bits", f"{np.polyfit(along, np.log(took), 1)[0]:.2f}"])
        if options.text:
            for budget in ("5 a class", "loss .05", "criterion", "5 columns"):
                _, cells = cell(*documents(8), budget, options.patient)
                rows.append(["documents, 8 classes", budget, *cells])
    header = ["classes x rows x columns", "budget", "base s", "ours s", "times base", "loss", "kept", "held out"]
    header += ["swap, times base", "its loss", "its held out less ours"] if options.patient else []
    print_table("CPU time of classifiers", header, rows)
    print_table("Exponents of the wrapper's time", ["along", "budget", "exponent"], growth)


if __name__ == "__main__":
    main()

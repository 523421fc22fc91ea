"""Pruned and quantized classifiers beside their peers: held-out deviance, AUC and calibration, CPU time of the fits.

    SKCOMPRESS_DATA=... python tests/benchmarks/bench_classifiers.py [--splits 20]

Credit and marketing data, numbers standardised and levels one-hot, split at random again and again (70% to train,
stratified). The folder SKCOMPRESS_DATA holds the csv.gz files; without it those that come with
the package are used and the other sets are left out. Peers of
`pip install 'skcompress[bench]'` take part where they are installed.

All rivals of one split see the same rows, one after the other in changing order, on one thread; differences and ratios
are taken within a split. Deviance is twice the log loss. A difference beyond two standard errors over splits is marked;
splits of the same rows are not independent, so that these errors are somewhat too small.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from _tables import print_table
from _timing import median_ratio
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from skcompress import PrunedClassifier, QuantizedClassifier

DATA = Path(os.environ.get("SKCOMPRESS_DATA", Path(__file__).parents[2] / "skcompress" / "data"))
SETS = {
    "taiwan_credit": ("default", 1, []),
    "german_credit": ("creditability", "bad", []),
    "bank_marketing": ("y", "yes", ["duration"]),
    "lending_club_default": ("Class", "bad", ["sub_grade"]),
}
CODES = ["SEX", "EDUCATION", "MARRIAGE"]
SIZES = (5, 10, 20)
BITS = (4, 3, 2)
PEER = "abess"


def base():
    return LogisticRegression(max_iter=1000)


def splits(name, n_splits):
    """Yield train and test (X, y) of a data set, encoded on the training rows."""
    target, positive, leaks = SETS[name]
    table = pd.read_csv(DATA / f"{name}.csv.gz").drop(columns=leaks)
    y = (table.pop(target) == positive).to_numpy().astype(int)
    table = table.astype({column: str for column in CODES if column in table})
    for train, test in StratifiedShuffleSplit(n_splits, test_size=0.3, random_state=0).split(table, y):
        columns = make_column_transformer(
            (StandardScaler(), make_column_selector(dtype_include="number")),
            (
                OneHotEncoder(drop="first", min_frequency=20, handle_unknown="ignore", sparse_output=False),
                make_column_selector(dtype_exclude="number"),
            ),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            X = [np.ascontiguousarray(columns.fit_transform(table.iloc[train])), columns.transform(table.iloc[test])]
        varied = X[0].std(axis=0) > 0
        mean, deviation = X[0][:, varied].mean(axis=0), X[0][:, varied].std(axis=0)
        X = [(part[:, varied] - mean) / deviation for part in X]
        yield (X[0], y[train]), (X[1], y[test])


def pruned(X, y, k):
    return PrunedClassifier(base(), n_nonzero=k).fit(X, y)


def pruned_shrunk(X, y, k):
    """With the penalty that predicts best unpruned, which stays on the kept weights."""
    model = LogisticRegressionCV(
        Cs=np.logspace(-3, 0, 4),
        cv=3,
        scoring="neg_log_loss",
        max_iter=1000,
        l1_ratios=(0,),
        use_legacy_attributes=False,
    )
    return PrunedClassifier(model, n_nonzero=k).fit(X, y)


def spliced(X, y, k):
    from abess.linear import LogisticRegression as Splicing

    return Splicing(support_size=k, thread=1).fit(X, y)


class OnColumns:
    """A model of some of the columns."""

    def __init__(self, kept, X, y):
        self.kept, self.model = kept, base().fit(X[:, kept], y)

    def predict_proba(self, X):
        return self.model.predict_proba(X[:, self.kept])


def lasso(X, y, k):
    """The weakest L1 penalty found by bisection that keeps at most k weights."""
    low, high, best = 1e-5, 10.0, None
    for _ in range(12):
        C = np.sqrt(low * high)
        model = LogisticRegression(C=C, l1_ratio=1.0, solver="liblinear", max_iter=200, tol=1e-3, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            size = np.count_nonzero(model.fit(X, y).coef_)
        if size <= k:
            low, best = C, model
        else:
            high = C
        if size == k:
            break
    return best


def lasso_refitted(X, y, k):
    return OnColumns(np.flatnonzero(lasso(X, y, k).coef_[0]), X, y)


def largest(X, y, k):
    """The k largest standardised weights, fitted again."""
    return OnColumns(np.argsort(-np.abs(base().fit(X, y).coef_[0]))[:k], X, y)


PRUNERS = {
    "PrunedClassifier": pruned,
    "the same, C by cross-validation": pruned_shrunk,
    PEER: spliced,
    "L1": lasso,
    "L1, refitted": lasso_refitted,
    "largest weights, refitted": largest,
}


def textbook(X, y, bits):
    """The largest weight on the largest code, every weight to the nearest; the intercept as it was."""
    model, most = base().fit(X, y), 2 ** (bits - 1) - 1
    scale = np.abs(model.coef_).max() / most
    model.coef_ = np.rint(model.coef_ / scale) * scale
    return model


def quantized(**options):
    return lambda X, y, bits: QuantizedClassifier(base(), bits=bits, **options).fit(X, y)


QUANTIZERS = {
    "QuantizedClassifier": quantized(),
    "nearest, max scale, intercept left": textbook,
    "nearest, max scale": quantized(rounding="nearest", scale="max", granularity="output"),
    "nearest, best-MSE scale": quantized(rounding="nearest", scale="mse", granularity="output"),
}


def calibration_error(y, chance, n_bins=10):
    """Expected calibration error over bins of equally many rows."""
    groups = np.array_split(np.argsort(chance, kind="stable"), n_bins)
    return sum(len(rows) / len(y) * abs(y[rows].mean() - chance[rows].mean()) for rows in groups)


def scores_of(model, X, y):
    """Return deviance, AUC and calibration error."""
    chance = model.predict_proba(X)[:, 1].astype(float)
    return 2 * log_loss(y, chance), roc_auc_score(y, chance), calibration_error(y, chance)


def columns_of(model):
    """Return the columns that a pruned model keeps."""
    return np.flatnonzero(model.coef_) if hasattr(model, "coef_") else model.kept


def training_deviance(kept, X, y):
    """Return that of an unpenalised fit on these columns: how good a support is, whatever its model has shrunk."""
    model = LogisticRegression(C=np.inf, max_iter=1000).fit(X[:, kept], y)
    return 2 * log_loss(y, model.predict_proba(X[:, kept]))


def compete(rivals, levels, parts, supports=False):
    """Return scores (level, rival, split, 3), CPU seconds and training deviances, (level, rival, split)."""
    names = list(rivals)
    scores = np.zeros((len(levels), len(names), len(parts), 3))
    seconds, training = np.zeros(scores.shape[:3]), np.zeros(scores.shape[:3])
    for split, ((X, y), test) in enumerate(parts):
        for row, level in enumerate(levels):
            for place in np.roll(np.arange(len(names)), split):
                start = time.process_time()
                model = rivals[names[place]](X, y, level)
                seconds[row, place, split] = time.process_time() - start
                scores[row, place, split] = scores_of(model, *test)
                if supports:
                    training[row, place, split] = training_deviance(columns_of(model), X, y)
    return scores, seconds, training


def told(values, digits=4):
    """Return mean and standard error as text."""
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1) / np.sqrt(len(values)):.{digits}f}"


def compared(values, ours):
    """Return mean and standard error of the difference to ours, with a mark if it is beyond two of them."""
    gap = values - ours
    error = gap.std(ddof=1) / np.sqrt(len(gap))
    mark = "" if abs(gap.mean()) <= 2 * error else " worse" if gap.mean() > 0 else " **better**"
    return f"{gap.mean():+.4f} ± {error:.4f}{mark}"


def deviances(name, level, full, scores):
    """Return the row of one level: deviance of all weights and of ours, and the differences of the rivals to ours."""
    ours = scores[0, :, 0]
    return [name, level, f"{full[:, 0].mean():.4f}", told(ours), *(compared(rival[:, 0], ours) for rival in scores[1:])]


def means(name, level, full, scores, measure, digits=3):
    """Return the row of one level: the mean of another measure for all weights and for each rival."""
    cells = [full[:, measure], *scores[:, :, measure]]
    return [name, level, *(f"{cell.mean():.{digits}f}" for cell in cells)]


def costs(name, n_rows, n_columns, level, names, seconds):
    """Return the row of one level: CPU seconds of ours, and the ratios to abess where it takes part."""
    row = [f"{name}, {n_rows:,} x {n_columns}", level, f"{np.median(seconds[0]):.3f}"]
    peer = seconds[names.index(PEER)] if PEER in names else None
    return row + ["" if peer is None else f"{median_ratio(spent, peer):.2f}" for spent in seconds]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    options = parser.parse_args()
    pruners = {name: run for name, run in PRUNERS.items() if name != PEER or find_spec("abess")}
    tables: dict[str, list] = {
        key: [] for key in ("pruned", "training", "auc", "time", "quantized", "auc of bits", "error")
    }
    with threadpool_limits(1):
        for name in options.sets:
            if not (DATA / f"{name}.csv.gz").exists():
                print(f"left out: {name}.csv.gz is not in {DATA.name}")
                continue
            parts = list(splits(name, options.splits))
            full = np.array([scores_of(base().fit(*train), *test) for train, test in parts])
            scores, seconds, training = compete(pruners, SIZES, parts, supports=True)
            for row, k in enumerate(SIZES):
                tables["pruned"].append(deviances(name, k, full, scores[row]))
                excess = (training[row] - training[row].min(axis=0)).mean(axis=1)
                tables["training"].append([name, k, *(f"{value:.5f}" for value in excess)])
                tables["auc"].append(means(name, k, full, scores[row], 1))
                tables["time"].append(costs(name, *parts[0][0][0].shape, k, list(pruners), seconds[row]))
            scores, _, _ = compete(QUANTIZERS, BITS, parts)
            for row, bits in enumerate(BITS):
                tables["quantized"].append(deviances(name, bits, full, scores[row]))
                tables["auc of bits"].append(means(name, bits, full, scores[row], 1))
                tables["error"].append(means(name, bits, full, scores[row], 2, digits=4))
    sizes = ["data", "weights", "all weights", *pruners]
    bits = ["data", "bits", "not rounded", *QUANTIZERS]
    print_table("Pruning: test deviance, and the rivals' less ours", sizes, tables["pruned"])
    header = ["data", "weights", *pruners]
    title = "Pruning: training deviance of an unpenalised fit on the kept columns, less the best of all in each split"
    print_table(title, header, tables["training"])
    print_table("Pruning: test AUC", sizes, tables["auc"])
    header = ["training rows x columns", "weights", "CPU s of ours", *(f"{name} / {PEER}" for name in pruners)]
    print_table("Pruning: CPU time of the fits", header, tables["time"])
    print_table("Quantization: test deviance, and the rivals' less ours", bits, tables["quantized"])
    print_table("Quantization: test AUC", bits, tables["auc of bits"])
    print_table(
        "Quantization: expected calibration error on test rows, ten bins of equally many", bits, tables["error"]
    )


if __name__ == "__main__":
    main()

"""Scorecards: steps against one-hot bins with the same cuts, and against FasterRisk. Five folds, test AUC, CPU seconds.

    SKCOMPRESS_DATA=... python tests/benchmarks/bench_scorecards.py

prints two tables. The folder SKCOMPRESS_DATA holds the csv.gz files; without it those that come with the
package are used and the other sets are left out. FasterRisk takes part where it is installed: version 0.1.10 needs an
older scikit-learn, so run
the same script again in an environment of its own, where ours is left out.
"""

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _tables import print_table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

try:
    from skcompress import PrunedClassifier, ScorecardClassifier, StepEncoder
except ImportError:  # The scikit-learn that FasterRisk needs is too old for it.
    ScorecardClassifier = None
try:
    from fasterrisk.fasterrisk import RiskScoreOptimizer
except ImportError:
    RiskScoreOptimizer = None

DATA = Path(os.environ.get("SKCOMPRESS_DATA", Path(__file__).parents[2] / "skcompress" / "data"))
RAW = {"taiwan_credit": ("default", 1), "lending_club_default": ("Class", "bad")}
BINARY = ("riskslim_adult", "riskslim_breastcancer")


def folds(X, y):
    return StratifiedKFold(5, shuffle=True, random_state=0).split(X, y)


def one_hot_bins(encoder, Z):
    """The same cuts as one-hot bins: where a step holds and the next one of its input does not."""
    columns = []
    for number, line in enumerate(encoder.lines_):
        following = encoder.lines_[number + 1] if number + 1 < len(encoder.lines_) else None
        inside = following is not None and (line.kind, line.place) == ("step", following.place)
        inside = inside and following.kind == "step"
        columns.append(Z[:, number] - Z[:, number + 1] if inside else Z[:, number])
    return np.column_stack(columns)


def compare_columns(n_lines, X, y):
    """Return mean test AUC of the card, of float weights on steps, and of float weights on bins."""
    auc = {"card": [], "steps": [], "bins": []}
    for train, test in folds(X, y):
        card = ScorecardClassifier(n_lines=n_lines).fit(X.iloc[train], y[train])
        auc["card"].append(roc_auc_score(y[test], card.decision_function(X.iloc[test])))
        encoder = StepEncoder().fit(X.iloc[train])
        Z = [encoder.transform(X.iloc[rows]) for rows in (train, test)]
        for name, form in (("steps", lambda e, rows: rows), ("bins", one_hot_bins)):
            model = PrunedClassifier(LogisticRegression(max_iter=1000), n_nonzero=n_lines)
            model.fit(form(encoder, Z[0]), y[train])
            auc[name].append(roc_auc_score(y[test], model.decision_function(form(encoder, Z[1]))))
    return {name: np.mean(values) for name, values in auc.items()}


def ours(k, X, y, X_test):
    model = ScorecardClassifier(n_lines=k).fit(X, y)
    return model.decision_function(X_test)


def fasterrisk(k, X, y, X_test):
    search = RiskScoreOptimizer(X=X, y=2.0 * y - 1, k=k)
    search.optimize()
    multiplier, intercept, points = search.get_models(model_index=0)
    return (intercept + X_test @ points) / multiplier


def main():
    rows = []
    for name, (target, bad) in RAW.items():
        path = DATA / f"{name}.csv.gz"
        if path.exists() and ScorecardClassifier:
            X = pd.read_csv(path)
            y = (X.pop(target) == bad).to_numpy().astype(int)
            for n_lines in (10, 6):
                auc = compare_columns(n_lines, X, y)
                rows.append([name, n_lines, *(f"{auc[key]:.4f}" for key in ("card", "steps", "bins"))])
    header = ["data", "lines", "ScorecardClassifier", "steps, float weights", "one-hot bins, float weights"]
    print_table("Test AUC with the same cuts", header, rows)

    rows, rivals = [], {"ScorecardClassifier": ours} if ScorecardClassifier else {}
    rivals |= {"FasterRisk": fasterrisk} if RiskScoreOptimizer else {}
    for name in BINARY:
        path = DATA / f"{name}.csv.gz"
        if not path.exists():
            continue
        table = pd.read_csv(path).to_numpy(dtype=float)
        X, y = np.ascontiguousarray(table[:, 1:]), (table[:, 0] > 0).astype(int)
        for k in (5, 10):
            for rival, run in rivals.items():
                aucs, seconds = [], []
                for train, test in folds(X, y):
                    start = time.process_time()
                    score = run(k, X[train], y[train], X[test])
                    seconds.append(time.process_time() - start)
                    aucs.append(roc_auc_score(y[test], score))
                rows.append([name, k, rival, f"{np.mean(aucs):.4f}", f"{np.median(seconds):.2f}"])
    print_table("Points in [-5, 5]", ["data", "lines", "model", "test AUC", "CPU s"], rows)


if __name__ == "__main__":
    main()

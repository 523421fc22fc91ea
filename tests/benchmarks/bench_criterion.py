"""Which rule should choose the size where no budget is given: information criteria compared with peers.

    python tests/benchmarks/bench_criterion.py --data FOLDER [--kind regression | deviance | recovery]

Each data set is split at random several times. The supports of all sizes are found on the training rows and each rule
chooses one. "lost" is the held-out R2, or share of the deviance that is explained, of the best size minus that of the
chosen one, the median over the splits. With n rows, p columns and the training error F(k), fit is n log F for
regressions and n F, F the mean deviance, for classifiers and counts:

    AIC    fit + 2 k             GIC         fit + k log(p) log(log(n))    (Fan and Tang, 2013)
    BIC    fit + k log(n)        EBIC        BIC + 2 gamma log C(p, k)     (Chen and Chen, 2008, 2012)
                                 2 log p     BIC + 2 k log(p)              (the criterion of abess)

Cross-validation, abess with its own default (where it is installed) and L1 penalties are not bound to these supports
and can come out below zero. The third table counts how often the true columns, and no others, are found.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from _moments import cross_validate, fold_moments
from _peers import moments
from _problems import SHIPPED, Problem, autoregressive, fading_truth, real_problems, sparse_truth
from _tables import print_table
from scipy.special import expit, gammaln, xlogy
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, PoissonRegressor

from skcompress import PrunedClassifier, PrunedRegressor, prune
from skcompress.core.pruning import prune_path

MOST = {"regression": 100, "deviance": 25, "recovery": 8}
ROWS = (500, 5000)
DEFAULT = "the default"


class Outcome(NamedTuple):
    """What the rules chose on one split: name to size and held-out score, and both of the best size."""

    chosen: dict[str, tuple[int, float]]
    best: tuple[int, float]


Data = tuple[np.ndarray, np.ndarray]
Case = tuple[str, list[tuple[Data, Data]], Callable[[Data, Data], Outcome]]


def sizes_by_rule(fit, n, p) -> dict[str, int]:
    """Return what each criterion chooses, given the fit of the sizes 0, 1, ..."""
    k = np.arange(len(fit))
    subsets = gammaln(p + 1) - gammaln(k + 1) - gammaln(p - k + 1)
    penalties = {
        "AIC": 2 * k,
        "BIC": k * np.log(n),
        "EBIC, gamma 1/2": k * np.log(n) + subsets,
        "EBIC, gamma 1": k * np.log(n) + 2 * subsets,
        "2 log p": k * (np.log(n) + 2 * np.log(p)),
        "GIC": k * np.log(p) * np.log(np.log(n)),
    }
    return {name: int(np.argmin(fit + penalty)) for name, penalty in penalties.items()}


def of_squares(train, test) -> Outcome:
    """Return the outcome of a regression."""
    X, y = train
    n, p = X.shape
    quadratic = moments(X, y)
    largest = min(p, n // 2, MOST["regression"])
    path = prune_path(quadratic, range(1, largest + 1))
    errors, scores = np.empty(largest + 1), np.empty(largest + 1)
    errors[0], centre = y.var(), np.zeros(p)
    rest = test[1] - test[1].mean()
    for size in range(largest + 1):
        if size:
            model = quadratic.restrict(path.at(size).support)
            centre = model.centre[0]
            errors[size] = float(quadratic.base_loss[0] + model.loss_at_centre[0])
        shift = y.mean() - centre @ X.mean(axis=0)
        scores[size] = 1 - np.sum((test[1] - test[0] @ centre - shift) ** 2) / (rest @ rest)
    sizes = sizes_by_rule(n * np.log(errors), n, p)
    sizes["5 folds"] = int(cross_validate(fold_moments(X, y, 5), largest)[0].argmin()) + 1
    sizes[DEFAULT] = min(largest, prune(quadratic).n_units)
    best = int(scores.argmax())
    return Outcome({name: (size, scores[size]) for name, size in sizes.items()}, (best, scores[best]))


def deviance(kind, y, mean):
    """Return the mean deviance."""
    if kind == "poisson":
        return 2 * np.mean(xlogy(y, y / mean) - y + mean)
    mean = np.clip(mean, 1e-12, 1 - 1e-12)
    return -2 * np.mean(np.where(y == 1, np.log(mean), np.log(1 - mean)))


def mean_of(model, X):
    """Return the predicted mean."""
    return model.predict_proba(X)[:, 1] if hasattr(model, "predict_proba") else model.predict(X)


def ours(kind, strength=100.0, **options):
    """Return the pruned model, with hardly any penalty."""
    if kind == "poisson":
        return PrunedRegressor(PoissonRegressor(alpha=0.01 / strength, max_iter=2000), **options)
    return PrunedClassifier(LogisticRegression(C=strength, max_iter=5000), **options)


def abess(kind, X, y):
    """Return abess with its own default, fitted."""
    from abess.linear import LogisticRegression as Binary
    from abess.linear import PoissonRegression as Counts

    return (Counts if kind == "poisson" else Binary)(thread=1).fit(X, y.astype(float))


def lasso(X, y):
    """Return the L1 penalty that five folds choose, fitted."""
    model = LogisticRegressionCV(
        Cs=10, cv=5, l1_ratios=(1,), solver="liblinear", scoring="neg_log_loss", use_legacy_attributes=False
    )
    return model.fit(X, y)


def of_deviance(kind, train, test) -> Outcome:
    """Return the outcome of a classifier or a model of counts."""
    (X, y), (n, p) = train, train[0].shape
    models = [ours(kind, n_nonzero=k).fit(X, y) for k in range(1, min(MOST["deviance"], p) + 1)]
    means = [np.full(n, y.mean()), *(mean_of(model, X) for model in models)]
    others = [np.full(len(test[1]), y.mean()), *(mean_of(model, test[0]) for model in models)]
    held_out = np.array([deviance(kind, test[1], mean) for mean in others])
    scores = 1 - held_out / held_out[0]
    sizes = sizes_by_rule(n * np.array([deviance(kind, y, mean) for mean in means]), n, p)
    chosen = {name: (size, scores[size]) for name, size in sizes.items()}
    rivals = {DEFAULT: ours(kind).fit(X, y)}
    if find_spec("abess"):
        rivals["abess"] = abess(kind, X, y)
    if kind == "logistic":
        rivals["L1, 5 folds"] = lasso(X, y)
    for name, model in rivals.items():
        score = 1 - deviance(kind, test[1], mean_of(model, test[0])) / held_out[0]
        chosen[name] = np.count_nonzero(model.coef_), score
    best = int(scores.argmax())
    return Outcome(chosen, (best, scores[best]))


def regressions(folder, repeats) -> Iterator[Case]:
    """Yield the regressions."""
    for problem in real_problems(folder):
        X, y = problem.train
        for n_rows in [rows for rows in ROWS if rows <= 2 * len(y) / 3] or [2 * len(y) // 3]:
            splits = [(problem.train, problem.test)] if problem.test is not None else []
            for seed in range(0 if splits else repeats):
                order = np.random.default_rng(seed).permutation(len(X))
                some, others = order[:n_rows], order[n_rows:]
                splits.append(((X[some], y[some]), (X[others], y[others])))
            yield problem.name, splits, of_squares
    kinds = {
        "10 of 30 columns count": lambda s: sparse_truth(s, n_test=5000),
        "10 of 300 columns count": lambda s: sparse_truth(s, n_rows=500, n_columns=300, n_test=5000),
        "all of 100 columns, fading": lambda s: fading_truth(s, n_rows=500, n_columns=100, size=15, n_test=5000),
        "all of 300 columns, fading": lambda s: fading_truth(s, n_rows=200, n_columns=300, size=5, n_test=5000),
        "10 of 300 columns count, few rows": lambda s: sparse_truth(s, n_rows=150, n_columns=300, n_test=5000),
        "5 of 1,000 columns count": lambda s: sparse_truth(s, n_rows=200, n_columns=1000, size=5, n_test=5000),
        "1 of 300 columns counts": lambda s: sparse_truth(s, n_rows=100, n_columns=300, size=1, n_test=5000),
    }
    for name, make in kinds.items():
        problems: list[Problem] = [make(seed) for seed in range(repeats)]
        yield name, [(one.train, one.test) for one in problems], of_squares


def late(frame):
    """Return in how many of six months a card holder was late, without what says so."""
    months = frame.columns[frame.columns.str.startswith("PAY_") & ~frame.columns.str.startswith("PAY_AMT")]
    return frame.drop(columns=[*months, "default"]), (frame[months] > 0).sum(axis=1)


FILES = {
    "default of card holders": ("taiwan_credit", "default", 1, []),
    "bad credit": ("german_credit", "creditability", "bad", []),
    "bank marketing": ("bank_marketing", "y", "yes", ["duration"]),
    "income over 50,000": ("riskslim_adult", "Over50K", 1, []),
    "breast masses": ("riskslim_breastcancer", "Benign", 1, []),
    "loans that go bad": ("lending_club_default", "Class", "bad", ["sub_grade"]),
    "credit inquiries": ("lending_club_default", "inq_last_12m", None, ["inq_last_6mths", "inq_fi", "Class"]),
    "months in arrears": ("taiwan_credit", None, None, []),
}
"""Name to file, target, the label that counts as 1 (None: a count) and columns left out."""


def real_classes_and_counts(folder) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """Yield name, kind, X and y of the real data sets."""
    cancer = load_breast_cancer()
    yield "breast cancer", "logistic", cancer.data, cancer.target
    for name, (file, target, positive, leaks) in FILES.items():
        places = [place / f"{file}.csv.gz" for place in (folder, SHIPPED) if place is not None]
        places = [place for place in places if place.exists()]
        if not places:
            print(f"left out: {file}.csv.gz is in neither folder of data")
            continue
        frame = pd.read_csv(places[0])
        if target is None:
            frame, y = late(frame)
        else:
            y = frame.pop(target)
            y = y if positive is None else y == positive
        X = pd.get_dummies(frame.drop(columns=leaks), drop_first=True, dtype=float)
        kind = "poisson" if positive is None else "logistic"
        yield name, kind, X.to_numpy(dtype=float), y.to_numpy().astype(float)


def classes_and_counts(folder, repeats) -> Iterator[Case]:
    """Yield classifiers and models of counts; numbers beyond three deviations are set to that."""
    for name, kind, X, y in real_classes_and_counts(folder):
        n_rows = min(1000, 2 * len(y) // 3)
        splits = []
        for seed in range(repeats):
            order = np.random.default_rng(seed).permutation(len(y))[:6000]
            some, rest = order[:n_rows], order[n_rows:]
            varied = X[some].std(axis=0) > 0
            mean, deviation = X[some][:, varied].mean(axis=0), X[some][:, varied].std(axis=0)
            Z = np.clip((X[:, varied] - mean) / deviation, -3, 3)
            splits.append(((Z[some], y[some]), (Z[rest], y[rest])))
        yield name, splits, partial(of_deviance, kind)
    for kind in ("logistic", "poisson"):
        for n_rows, p, size in ((300, 30, 5), (1000, 100, 8), (300, 30, None), (1000, 30, None)):
            splits = []
            for seed in range(repeats):
                rng = np.random.default_rng(seed)
                X = autoregressive(rng, n_rows + 4000, p, 0.5)
                weights = rng.choice([-1.0, 1.0], p) * np.exp(-rng.permutation(p) / 10)
                if size is not None:
                    weights = np.zeros(p)
                    weights[rng.choice(p, size, replace=False)] = rng.choice([-0.5, 0.5, 1.0], size)
                y = drawn(rng, kind, X @ weights * (0.4 if kind == "poisson" else 1.5))
                splits.append(((X[:n_rows], y[:n_rows]), (X[n_rows:], y[n_rows:])))
            told = f"all of {p} columns, fading" if size is None else f"{size} of {p} columns count"
            yield f"{kind}, {told}", splits, partial(of_deviance, kind)


def drawn(rng, kind, eta):
    """Return y of a linear predictor."""
    return (rng.poisson(np.exp(eta)) if kind == "poisson" else rng.random(len(eta)) < expit(eta)).astype(float)


def print_losses(cases: Iterator[Case], told: str) -> None:
    """Print what each rule loses on each case, and the means over the cases."""
    rows, lost, names = [], {}, []
    for name, splits, outcome in cases:
        found = [outcome(*split) for split in splits]
        n, p = splits[0][0][0].shape
        cells = {}
        for rule in found[0].chosen:
            names += [] if rule in names else [rule]
            loss = np.median([each.best[1] - each.chosen[rule][1] for each in found])
            lost.setdefault((rule, p > n), []).append(loss)
            cells[rule] = f"{loss:.4f} ({np.median([each.chosen[rule][0] for each in found]):.0f})"
        best = f"{np.median([each.best[0] for each in found]):.0f}"
        rows.append([name, f"{n:,} x {p:,}", best, cells])
    rows = [[*row[:3], *(row[3].get(rule) for rule in names)] for row in rows]
    for wide, which in ((False, "more rows than columns"), (True, "more columns than rows")):
        means = [lost.get((rule, wide)) for rule in names]
        if any(means):
            rows.append([f"mean, {which}", "", "", *(f"{np.mean(mean):.4f}" if mean else None for mean in means)])
    title = f"Held-out {told} lost to the best size (size chosen), medians over splits"
    print_table(title, ["data", "rows x columns", "best size", *names], rows)


def print_recovery(repeats) -> None:
    """Print in how many draws of three true columns of 20 each rule finds them and no others."""
    rows = []
    settings = [("logistic", 100.0, n) for n in (100, 1000)] + [("logistic", np.inf, n) for n in (100, 300, 1000)]
    settings += [("poisson", np.inf, n) for n in (100, 1000)]
    for kind, strength, n in settings:
        exact, sizes = {}, []
        for seed in range(repeats):
            rng = np.random.default_rng(seed)
            X = rng.standard_normal((n, 20))
            y = drawn(rng, kind, X[:, :3] @ ([3.0, -3.0, 3.0] if kind == "logistic" else [0.4, -0.4, 0.4]))
            models = [ours(kind, strength, n_nonzero=k).fit(X, y) for k in range(1, MOST["recovery"] + 1)]
            supports = [np.zeros(20, dtype=bool), *(np.ravel(model.support_) for model in models)]
            means = [np.full(n, y.mean()), *(mean_of(model, X) for model in models)]
            fit = n * np.array([deviance(kind, y, mean) for mean in means])
            found = {name: supports[size] for name, size in sizes_by_rule(fit, n, 20).items()}
            found[DEFAULT] = np.ravel(ours(kind, strength).fit(X, y).support_)
            if find_spec("abess"):
                found["abess"] = np.ravel(abess(kind, X, y).coef_) != 0
            for name, support in found.items():
                exact[name] = exact.get(name, 0) + bool(support[:3].all() and not support[3:].any())
            sizes.append(np.count_nonzero(found[DEFAULT]))
        rows.append([f"{kind}, C = {strength:g}" if kind == "logistic" else kind, n, *exact.values()])
        rows[-1].append(f"{min(sizes)} to {max(sizes)}")
    heads = ["model", "rows", *exact, "sizes of the default"]
    print_table(f"Draws of {repeats} in which the three true columns of 20 are found, and no others", heads, rows)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder with more data sets, beside those of the examples")
    parser.add_argument("--kind", choices=list(MOST), help="one table only")
    parser.add_argument("--repeats", type=int, default=7, help="splits; three times as many draws for recovery")
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    if args.kind in (None, "regression"):
        print_losses(regressions(args.data, args.repeats), "R2")
    if args.kind in (None, "deviance"):
        print_losses(classes_and_counts(args.data, args.repeats), "share of the explained deviance")
    if args.kind in (None, "recovery"):
        print_recovery(3 * args.repeats)


if __name__ == "__main__":
    main()

"""Pruning beside its peers: how good the supports are, held out as well, and how long the search takes.

    pip install 'skcompress[bench]'
    python tests/benchmarks/bench_pruning.py                       # everything, about half an hour
    python tests/benchmarks/bench_pruning.py --quick               # a first impression, minutes
    python tests/benchmarks/bench_pruning.py --parts optimum real --data FOLDER

Parts: optimum (against branch and bound), real (data sets), large (times), sizes (all k), folds (cross-validation over
all k), restarts. Times are CPU seconds of the search from X and y, moments included and without the base's fit, one
thread, rivals called in turn; ratios are medians of the repeats' ratios to abess. R2 are those of least squares on the
columns that a method kept.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from _moments import cross_validate, fold_moments
from _peers import OURS, PEER, WHOLE, methods, moments
from _problems import SHIPPED, fading_truth, index_tracking, real_problems, sparse_truth
from _tables import print_table
from _timing import median_ratio, race
from sklearn.model_selection import KFold

from skcompress import prune
from skcompress.core.pruning import prune_path

SIZES = (5, 8, 10, 12, 15)
CORRELATIONS = (0.0, 0.5, 0.9)
REAL_SIZES = (5, 10, 15, 20)
LARGE = ((100_000, 100, 15), (10_000, 1_000, 100), (2_000, 5_000, 50), (500, 10_000, 20))
SMALL_DATA = 200_000
"""Entries of X up to which the slow peers take part."""


def refitted(train, columns):
    """Return the columns and the weights and intercept of least squares on them."""
    X, y = train
    centre = X[:, columns].mean(axis=0)
    weights = np.linalg.lstsq(X[:, columns] - centre, y - y.mean(), rcond=None)[0]
    return columns, weights, y.mean() - centre @ weights


def r2(model, data):
    """Return R2 of a refitted model."""
    columns, weights, intercept = model
    X, y = data
    rest = y - X[:, columns] @ weights - intercept
    return 1 - rest @ rest / ((y - y.mean()) @ (y - y.mean()))


def both_scores(problem, columns):
    """Return the training and the held-out R2 of least squares on some columns."""
    model = refitted(problem.train, columns)
    return r2(model, problem.train), r2(model, problem.test)


def bind(selects, X, y, k):
    """Return the calls of some methods on one problem."""
    return {name: partial(select, X, y, k) for name, select in selects.items()}


def optimum(args):
    """Against the certified optimum, autoregressive columns."""
    names = [OURS, "skcompress, 5 restarts", WHOLE, PEER, "abess, strongest settings", "orthogonal matching pursuit"]
    names += ["Lasso path", "MCP (skglm)", "RFE", "largest standardised weights"]
    slow = methods("sequential selection, cv=5")
    rounds = 1 if args.quick else args.rounds
    excess, lost, ratios, proven = {}, {}, {}, 0
    for number in range(rounds):
        for k in SIZES:
            for rho in CORRELATIONS:
                problem = sparse_truth([number, k, int(10 * rho)], rho=rho)
                X, y = problem.train
                best = prune(moments(X, y), n_nonzero=k, search="exact")
                proven += best.proven
                top, top_held_out = both_scores(problem, np.flatnonzero(best.support[0]))
                chosen = methods(*names) | (slow if number == 0 and not args.quick else {})
                answers, seconds = race(bind(chosen, X, y, k), repeats=3, budget=0.5)
                for name, columns in answers.items():
                    score, held_out = both_scores(problem, columns)
                    excess.setdefault(name, []).append((top - score) / (1 - top))
                    lost.setdefault(name, []).append(top_held_out - held_out)
                    ratios.setdefault(name, []).append(median_ratio(seconds[name], seconds.get(PEER, seconds[OURS])))
    rows = []
    for name, values in excess.items():
        share = 100 * np.mean(np.array(values) < 1e-9)
        errors = f"{100 * np.mean(values):.4f} / {100 * np.max(values):.2f}"
        times = f"{np.median(ratios[name]):.2f}"
        rows.append([name, len(values), f"{share:.1f}", errors, f"{np.mean(lost[name]):.5f}", times])
    print_table(
        f"1,000 x 30, autoregressive, k in {SIZES}, rho in {CORRELATIONS}: optimum proven {proven} times",
        ["method", "instances", "optimal, %", "excess RSS, %, mean / max", "held-out R2 lost", "time / abess"],
        rows,
    )


def real(args):
    """Data sets: R2 lost to the best support that anyone has found."""
    names = [OURS, "skcompress, 20 restarts", WHOLE, PEER, "abess, strongest settings", "orthogonal matching pursuit"]
    names += ["Lasso path", "MCP (skglm)", "largest standardised weights"]
    slow = methods("RFE")
    sizes = REAL_SIZES[1:2] if args.quick else REAL_SIZES
    lost, held_out, ratios, wins = {}, {}, {}, []
    for problem in real_problems(args.data):
        X, y = problem.train
        chosen = methods(*names) | (slow if X.size < SMALL_DATA else {})
        own = {name: [] for name in chosen}
        for k in sizes:
            answers, seconds = race(bind(chosen, X, y, k), repeats=3, budget=2.0)
            scores = {name: r2(refitted(problem.train, columns), problem.train) for name, columns in answers.items()}
            best = max([*scores.values(), _searched(problem.train, k)])
            folds = [(X[a], y[a], X[b], y[b]) for a, b in KFold(5, shuffle=True, random_state=0).split(X)]
            for name, score in scores.items():
                fold_scores = [r2(refitted((a, b), chosen[name](a, b, k)), (c, d)) for a, b, c, d in folds]
                own[name].append((best - score, np.mean(fold_scores)))
                lost.setdefault(name, []).append(best - score)
                ratios.setdefault(name, []).append(median_ratio(seconds[name], seconds.get(PEER, seconds[OURS])))
        for name, pairs in own.items():
            held_out.setdefault(name, {})[problem.name] = np.mean([score for _, score in pairs])
        losses = {name: np.mean([loss for loss, _ in pairs]) for name, pairs in own.items()}
        wins.append([f"{problem.name}, {len(X):,} x {X.shape[1]}", *(f"{losses[n]:.5f}" for n in names if n in losses)])
    rows = []
    for name, values in lost.items():
        errors = f"{np.mean(values):.5f} / {np.max(values):.4f}"
        scores = "; ".join(f"{score:.4f}" for score in held_out[name].values())
        rows.append([name, errors, scores, f"{np.median(ratios[name]):.2f}"])
    title = f"Data sets, k in {sizes}; held out on 5 folds, mean over k: " + "; ".join(held_out[OURS])
    print_table(title, ["method", "R2 lost, mean / max", "held-out R2", "time / abess"], rows)
    print_table("R2 lost on each", ["data", *(name for name in names if name in lost)], wins)


def _searched(train, k):
    """Return the training R2 of a long search."""
    support = prune(moments(*train), n_nonzero=k, n_restarts=100).support[0]
    return r2(refitted(train, np.flatnonzero(support)), train)


def large(args):
    """Times on large problems."""
    rows = []
    for n_rows, n_columns, k in LARGE[3:] if args.quick else LARGE:
        problem = fading_truth(0, n_rows=n_rows, n_columns=n_columns, size=k)
        X, y = problem.train
        selects = methods(OURS, WHOLE, PEER, "orthogonal matching pursuit", "Lasso path")
        answers, seconds = race(bind(selects, X, y, k), repeats=5, budget=args.budget)
        for name, columns in answers.items():
            scores = [f"{score:.4f}" for score in both_scores(problem, columns)]
            ratio = median_ratio(seconds[name], seconds.get(PEER, seconds[OURS]))
            rows.append([f"{problem.name}, k={k}", name, f"{np.median(seconds[name]):.3f}", f"{ratio:.2f}", *scores])
    header = ["rows x columns", "method", "CPU seconds", "time / abess", "training R2", "held-out R2"]
    print_table("Large problems, all weights count, fading", header, rows)


def all_sizes(X, y):
    """Return our supports of every size."""
    return prune_path(moments(X, y))


def all_sizes_by_abess(X, y):
    """Return abess's model of every size."""
    from abess.linear import LinearRegression as Splicing

    return Splicing(support_size=range(1, X.shape[1] + 1), thread=1).fit(X, y)


def sizes(args):
    """All k from 1 to p in one call."""
    rows = []
    for n_rows in (2_000,) if args.quick else (2_000, 10_000, 100_000):
        X, y = fading_truth(0, n_rows=n_rows, n_columns=100, size=15, n_test=10).train
        calls = {OURS: partial(all_sizes, X, y)}
        if methods(PEER):
            calls[PEER] = partial(all_sizes_by_abess, X, y)
        _, seconds = race(calls, repeats=5, budget=args.budget)
        own, peer = seconds[OURS], seconds.get(PEER)
        faster = "" if peer is None else f"{median_ratio(peer, own):.0f}"
        cells = [f"{np.median(own):.3f}", "" if peer is None else f"{np.median(peer):.2f}", faster]
        rows.append([f"{n_rows:,} x 100", *cells])
    print_table("All sizes from 1 to p, CPU seconds", ["rows x columns", OURS, PEER, "times faster"], rows)


def five_folds_by_abess(X, y):
    """Return abess's model of the size that five folds choose."""
    from abess.linear import LinearRegression as Splicing

    return Splicing(support_size=range(1, X.shape[1] + 1), cv=5, thread=1).fit(X, y)


def folds(args):
    """Five-fold cross-validation over all k."""
    rows = []
    for n_rows in (2_000,) if args.quick else (2_000, 10_000, 100_000):
        problem = fading_truth(0, n_rows=n_rows, n_columns=100, size=15)
        X, y = problem.train

        def own(X=X, y=y):
            errors, whole = cross_validate(fold_moments(X, y, 5))
            return np.flatnonzero(prune(whole, n_nonzero=int(errors.argmin()) + 1).support[0])

        calls = {OURS: own}
        if methods(PEER):
            calls[PEER] = lambda X=X, y=y: np.flatnonzero(five_folds_by_abess(X, y).coef_)
        answers, seconds = race(calls, repeats=3, budget=args.budget)
        peer = seconds.get(PEER)
        for name, columns in answers.items():
            faster = "" if peer is None else f"{median_ratio(peer, seconds[name]):.0f}"
            scores = [f"{score:.4f}" for score in both_scores(problem, columns)]
            rows.append([f"{n_rows:,} x 100", name, f"{np.median(seconds[name]):.3f}", faster, len(columns), *scores])
    header = [
        "rows x columns",
        "method",
        "CPU seconds",
        "times faster than abess",
        "size",
        "training R2",
        "held-out R2",
    ]
    print_table("Five folds over all sizes", header, rows)


def restarts(args):
    """What restarts of the swaps bring, training R2 above that of none."""
    numbers = (0, 1, 2, 5, 10, 20, "auto", 100)
    problems = {"index on 98 stocks": [index_tracking(SHIPPED / "indtrack_sp100.csv.gz")]}
    seeds = range(2 if args.quick else 8)
    problems["1,000 x 30, rho .9"] = [sparse_truth(seed, rho=0.9) for seed in seeds]
    problems["100 x 300"] = [fading_truth(s, n_rows=100, n_columns=300, size=10) for s in seeds]
    problems["200 x 2,000"] = [fading_truth(s, n_rows=200, n_columns=2_000, size=10) for s in seeds]
    rows = []
    for name, group in problems.items():
        for k in (5, 10, 20):
            gains, spent = np.zeros(len(numbers)), np.zeros(len(numbers))
            for problem in group:
                quadratic = moments(*problem.train)
                calls = {n: partial(prune, quadratic, n_nonzero=k, n_restarts=n) for n in numbers}
                answers, seconds = race(calls, repeats=1)
                losses = np.array([answers[n].loss for n in numbers])
                gains += (losses[0] - losses) / len(group)
                spent += np.array([seconds[n][0] for n in numbers]) / len(group)
            rows.append(
                [f"{name}, k={k}", *(f"{g:.5f} ({t / spent[0]:.1f})" for g, t in zip(gains, spent, strict=True))]
            )
    title = "Restarts: training R2 gained (time as a multiple of none), mean over problems"
    print_table(title, ["problem", *(f"{n} restarts" if n != "auto" else '"auto"' for n in numbers)], rows)


PARTS = {
    "optimum": optimum,
    "real": real,
    "large": large,
    "sizes": sizes,
    "folds": folds,
    "restarts": restarts,
}


def main():
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=4, help="instances of each k and rho in the part optimum")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds for each rival on a large problem")
    parser.add_argument("--data", type=Path, help="a folder with more data sets, beside those of the examples")
    args = parser.parse_args()
    for part in args.parts:
        PARTS[part](args)


if __name__ == "__main__":
    main()

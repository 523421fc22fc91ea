"""Which rule should choose the size where no budget is given: information criteria beside cross-validation.

    python tests/benchmarks/bench_criterion.py --data FOLDER

Each data set is split at random several times; the supports of all sizes up to half the training rows (at most 100) are
found on the training rows, and each rule chooses one. "lost" is the held-out R2 of the best size minus that of the
chosen one, the median over the splits. With F(k) the training error, n rows, p columns:

    AIC    n log F + 2 k                        GIC    n log F + k log(p) log(log(n))    (Fan and Tang, 2013)
    BIC    n log F + k log(n)                   EBIC   BIC + 2 gamma log C(p, k)         (Chen and Chen, 2008)
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from _moments import cross_validate, fold_moments
from _peers import moments
from _problems import Problem, fading_truth, real_problems, sparse_truth
from _tables import print_table
from scipy.special import gammaln

from skcompress import prune
from skcompress.core.pruning import prune_path

MOST = 100
ROWS = (500, 5000)
DEFAULT = "the default"


def values_of(errors, n, p):
    """Return what each criterion gives to the sizes 1, 2, ..., name to array."""
    k = np.arange(1, len(errors) + 1)
    fit = n * np.log(errors)
    subsets = gammaln(p + 1) - gammaln(k + 1) - gammaln(p - k + 1)
    return {
        "AIC": fit + 2 * k,
        "BIC": fit + k * np.log(n),
        "EBIC, gamma 1/2": fit + k * np.log(n) + subsets,
        "EBIC, gamma 1": fit + k * np.log(n) + 2 * subsets,
        "GIC": fit + k * np.log(p) * np.log(np.log(n)),
    }


def choices(train, test):
    """Return the size that each rule chooses, and the held-out R2 of the sizes 1, 2, ..."""
    X, y = train
    n, p = X.shape
    quadratic = moments(X, y)
    largest = min(p, n // 2, MOST)
    path = prune_path(quadratic, range(1, largest + 1))
    errors, scores = np.empty(largest), np.empty(largest)
    rest = test[1] - test[1].mean()
    for size in range(1, largest + 1):
        model = quadratic.restrict(path.at(size).support)
        errors[size - 1] = float(quadratic.base_loss[0] + model.loss_at_centre[0])
        shift = y.mean() - model.centre[0] @ X.mean(axis=0)
        scores[size - 1] = 1 - np.sum((test[1] - test[0] @ model.centre[0] - shift) ** 2) / (rest @ rest)
    sizes = {name: int(value.argmin()) + 1 for name, value in values_of(errors, n, p).items()}
    sizes["5 folds"] = int(cross_validate(fold_moments(X, y, 5), largest)[0].argmin()) + 1
    sizes[DEFAULT] = min(largest, prune(quadratic).n_units)
    return sizes, scores


def splits(problem, n_rows, repeats):
    """Yield training and test rows at random; problems with test rows of their own come once."""
    if problem.test is not None:
        yield problem.train, problem.test
        return
    X, y = problem.train
    for seed in range(repeats):
        order = np.random.default_rng(seed).permutation(len(X))
        some, others = order[:n_rows], order[n_rows:]
        yield (X[some], y[some]), (X[others], y[others])


def cases(folder, repeats):
    """Yield name and list of splits."""
    for problem in real_problems(folder):
        sizes = [rows for rows in ROWS if rows <= 2 * len(problem.train[1]) / 3] or [2 * len(problem.train[1]) // 3]
        for n_rows in sizes:
            yield problem.name, list(splits(problem, n_rows, repeats))
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
        yield name, [(one.train, one.test) for one in problems]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder with more data sets, beside those of the examples")
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    rows, all_lost = [], {True: {}, False: {}}
    for name, pairs in cases(args.data, args.repeats):
        lost, kept, best = {}, {}, []
        for train, test in pairs:
            sizes, scores = choices(train, test)
            best.append(int(scores.argmax()) + 1)
            for rule, size in sizes.items():
                lost.setdefault(rule, []).append(scores.max() - scores[size - 1])
                kept.setdefault(rule, []).append(size)
        n_rows, n_columns = pairs[0][0][0].shape
        for rule, values in lost.items():
            all_lost[n_columns > n_rows].setdefault(rule, []).append(np.median(values))
        cells = [f"{np.median(lost[rule]):.4f} ({np.median(kept[rule]):.0f})" for rule in lost]
        rows.append([name, f"{n_rows:,} x {n_columns:,}", f"{np.median(best):.0f}", *cells])
    for wide, told in ((False, "more rows than columns"), (True, "more columns than rows")):
        means = [f"{np.mean(values):.4f}" for values in all_lost[wide].values()]
        rows.append([f"mean, {told}", "", "", *means])
    title = "Held-out R2 lost to the best size (size chosen), medians over splits"
    print_table(title, ["data", "rows x columns", "best size", *all_lost[False]], rows)


if __name__ == "__main__":
    main()

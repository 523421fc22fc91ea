"""Which rule should choose the size of a classifier or a model of counts where no budget is given.

    python tests/benchmarks/bench_default_size.py --data FOLDER

As bench_criterion.py, on the deviance. Supports of the sizes up to 25 are found on the training rows, and each rule
chooses one; "lost" is the held-out mean deviance of the chosen size minus that of the best, in units of the held-out
deviance of the constant, the median over the splits. With F(k) the mean deviance in training, n rows, p columns:

    AIC    n F + 2 k        BIC    n F + k log(n)        EBIC    BIC + 2 gamma log C(p, k)

Beside them the default, abess with its own default (where it is installed) and LogisticRegressionCV with an L1 penalty,
which are not bound to these supports and can come out below zero.
"""

from __future__ import annotations

import argparse
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from _problems import SHIPPED, autoregressive
from _tables import print_table
from scipy.special import gammaln, xlogy
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, PoissonRegressor
from sklearn.preprocessing import StandardScaler

from skcompress import PrunedClassifier, PrunedRegressor

MOST = 25
FILES = {
    "taiwan_credit.csv.gz": "default",
    "german_credit.csv.gz": "creditability",
    "bank_marketing.csv.gz": "y",
    "riskslim_adult.csv.gz": "Over50K",
}


def deviance(kind, y, mean):
    """Return the mean deviance."""
    if kind == "poisson":
        return 2 * np.mean(xlogy(y, y / mean) - y + mean)
    mean = np.clip(mean, 1e-12, 1 - 1e-12)
    return -2 * np.mean(np.where(y == 1, np.log(mean), np.log(1 - mean)))


def mean_of(kind, model, X):
    """Return the predicted mean."""
    return model.predict(X) if kind == "poisson" else model.predict_proba(X)[:, 1]


def ours(kind, **options):
    """Return the pruned model without a penalty to speak of."""
    if kind == "poisson":
        return PrunedRegressor(PoissonRegressor(alpha=1e-4, max_iter=2000), **options)
    return PrunedClassifier(LogisticRegression(C=100, max_iter=5000), **options)


def abess(kind, train, test):
    """Return size and held-out deviance of abess' default."""
    from abess.linear import LogisticRegression as Binary
    from abess.linear import PoissonRegression as Counts

    model = (Counts if kind == "poisson" else Binary)(thread=1).fit(train[0], train[1].astype(float))
    mean = model.predict(test[0]) if kind == "poisson" else model.predict_proba(test[0])[:, 1]
    return np.count_nonzero(model.coef_), deviance(kind, test[1], mean)


def lasso(train, test):
    """Return size and held-out deviance of an L1 penalty chosen by five folds."""
    model = LogisticRegressionCV(
        Cs=10, cv=5, l1_ratios=(1,), solver="liblinear", scoring="neg_log_loss", use_legacy_attributes=False
    )
    model.fit(*train)
    return np.count_nonzero(model.coef_), deviance("logistic", test[1], model.predict_proba(test[0])[:, 1])


def choices(kind, train, test):
    """Return for each rule its size and its held-out deviance, and both for the best size."""
    (X, y), (n, p) = train, train[0].shape
    models = [ours(kind, n_nonzero=k).fit(X, y) for k in range(1, min(MOST, p) + 1)]
    k = np.arange(len(models) + 1)
    means = [np.full(len(y), y.mean()), *(mean_of(kind, model, X) for model in models)]
    others = [np.full(len(test[1]), y.mean()), *(mean_of(kind, model, test[0]) for model in models)]
    fit = n * np.array([deviance(kind, y, mean) for mean in means])
    held_out = np.array([deviance(kind, test[1], mean) for mean in others])
    subsets = gammaln(p + 1) - gammaln(k + 1) - gammaln(p - k + 1)
    penalties = {
        "AIC": 2.0 * k,
        "BIC": k * np.log(n),
        "EBIC, gamma 1/2": k * np.log(n) + subsets,
        "EBIC, gamma 1": k * np.log(n) + 2 * subsets,
    }
    sizes = {name: int(np.argmin(fit + penalty)) for name, penalty in penalties.items()}
    found = {name: (size, held_out[size]) for name, size in sizes.items()}
    default = ours(kind).fit(X, y)
    found["the default"] = default.n_nonzero_, deviance(kind, test[1], mean_of(kind, default, test[0]))
    if find_spec("abess"):
        found["abess"] = abess(kind, train, test)
    if kind == "logistic":
        found["L1, 5 folds"] = lasso(train, test)
    return found, (int(held_out.argmin()), held_out.min(), held_out[0])


def frames(folder):
    """Yield name, kind, X and y of the data sets."""
    cancer = load_breast_cancer()
    yield "breast cancer", "logistic", cancer.data, cancer.target
    for name, target in FILES.items():
        places = [place / name for place in (folder, SHIPPED) if place is not None and (place / name).exists()]
        if not places:
            print(f"left out: {name} is in neither folder of data")
            continue
        frame = pd.read_csv(places[0])
        labels = frame.pop(target)
        y = (labels == labels.unique().max()).to_numpy().astype(int)
        X = pd.get_dummies(frame, drop_first=True, dtype=float).to_numpy(dtype=float)
        yield name.split(".")[0].replace("_", " "), "logistic", X, y


def cases(folder, repeats):
    """Yield name, kind and list of splits."""
    for name, kind, X, y in frames(folder):
        n_rows = min(1000, 2 * len(y) // 3)
        splits = []
        for seed in range(repeats):
            order = np.random.default_rng(seed).permutation(len(y))[:6000]
            some, rest = order[:n_rows], order[n_rows:]
            Z = X[:, X[some].std(axis=0) > 0]
            scaler = StandardScaler().fit(Z[some])
            splits.append(((scaler.transform(Z[some]), y[some]), (scaler.transform(Z[rest]), y[rest])))
        yield name, kind, splits
    for kind in ("logistic", "poisson"):
        for n_rows, p, size in ((300, 30, 5), (1000, 100, 8)):
            splits = []
            for seed in range(repeats):
                rng = np.random.default_rng(seed)
                X = autoregressive(rng, n_rows + 4000, p, 0.5)
                eta = X[:, rng.choice(p, size, replace=False)] @ rng.choice([-0.5, 0.5, 1.0], size)
                eta = eta * (0.5 if kind == "poisson" else 2.0)
                y = rng.poisson(np.exp(eta)) if kind == "poisson" else rng.random(len(eta)) < 1 / (1 + np.exp(-eta))
                y = y.astype(float)
                splits.append(((X[:n_rows], y[:n_rows]), (X[n_rows:], y[n_rows:])))
            yield f"{kind}, {size} of {p} columns count", kind, splits


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder with more data sets, beside those of the examples")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows, all_lost, names = [], {}, []
    for name, kind, splits in cases(args.data, args.repeats):
        found = [choices(kind, *split) for split in splits]
        names = names or list(found[0][0])
        cells = []
        for rule in names:
            if rule not in found[0][0]:
                cells.append(None)
                continue
            lost = np.median([(each[rule][1] - best[1]) / best[2] for each, best in found])
            all_lost.setdefault(rule, []).append(lost)
            cells.append(f"{lost:.4f} ({np.median([each[rule][0] for each, _ in found]):.0f})")
        n, p = splits[0][0][0].shape
        rows.append([name, f"{n:,} x {p}", f"{np.median([best[0] for _, best in found]):.0f}", *cells])
    rows.append(["mean", "", "", *(f"{np.mean(all_lost[rule]):.4f}" for rule in names)])
    title = "Held-out deviance lost to the best size (size chosen), medians over splits"
    print_table(title, ["data", "rows x columns", "best size", *names], rows)


if __name__ == "__main__":
    main()

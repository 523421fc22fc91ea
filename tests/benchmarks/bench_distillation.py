"""Does distilling pay? Gains over the same student fitted on y alone, paired over random splits.

    SKCOMPRESS_DATA=... python tests/benchmarks/bench_distillation.py few_labels labelled_only classification

prints one table a section: mean gain and its standard error over the splits, the gain of the student that is given all
true labels (the oracle), and the oracle share, the sum of the gains over the sum of the oracle's gains. The folder
SKCOMPRESS_DATA holds the csv.gz files; without it those that come with the package are used and the other
sets are left out.
imodels.DistilledRegressor takes part where it can be imported: ``pip install imodels six``.
"""

import argparse
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, RidgeCV
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

from skcompress import DistilledClassifier, DistilledRegressor

try:
    from imodels import DistilledRegressor as Imodels
except ImportError:
    Imodels = None

DATA = Path(os.environ.get("SKCOMPRESS_DATA", Path(__file__).parents[2] / "skcompress" / "data"))
UNLABELED = 6000
LEAKS = ["grade", "sub_grade", "installment", "balance", "loan_status", "issue_month"]
LEAKS += ["initial_listing_status", "disbursement_method", "paid_total", "paid_principal", "paid_interest"]
LEAKS += ["paid_late_fees"]
NUMBER, TEXT = make_column_selector(dtype_include="number"), make_column_selector(dtype_exclude="number")


def california():
    X = pd.read_csv(DATA / "california_housing.csv.gz")
    return X, np.log(X.pop("median_house_value").to_numpy())


def lending_club_rate():
    X = pd.read_csv(DATA / "lending_club_rate.csv.gz").drop(columns=LEAKS)
    return X, X.pop("interest_rate").to_numpy()


def taiwan_limit():
    X = pd.read_csv(DATA / "taiwan_credit.csv.gz").drop(columns="default")
    return X, np.log(X.pop("LIMIT_BAL").to_numpy())


def taiwan_default():
    X = pd.read_csv(DATA / "taiwan_credit.csv.gz")
    return X, X.pop("default").to_numpy().astype(int)


def bank():
    X = pd.read_csv(DATA / "bank_marketing.csv.gz").drop(columns="duration")
    return X, (X.pop("y") == "yes").to_numpy().astype(int)


REGRESSION = {"california": california, "lending_club_rate": lending_club_rate, "taiwan_limit": taiwan_limit}
CLASSIFICATION = {"taiwan_default": (taiwan_default, (300, 1000), "safe"), "bank": (bank, (300, 500), "likely")}
"""How to load it, how many labels, and who is accepted: who seems safe, or who seems likely to say yes."""


def binned(model):
    """An additive student: eight quantile bins for a number, one column for a level of a text."""
    bins = KBinsDiscretizer(8, encode="onehot-dense", quantile_method="averaged_inverted_cdf")
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), bins), NUMBER),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), TEXT),
        ),
        model,
    )


def plain(*steps):
    """Numbers as they are, standardised, and one column for a level of a text."""
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBER),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), TEXT),
        ),
        *steps,
    )


def ridge():
    return RidgeCV(alphas=10.0 ** np.arange(-1, 4.5, 0.5))


def logistic():
    options = {"l1_ratios": (0,), "use_legacy_attributes": False}
    known = LogisticRegressionCV().get_params()
    options = {name: value for name, value in options.items() if "use_legacy_attributes" in known}
    Cs = 10.0 ** np.arange(-2.5, 0.5, 0.5)
    return LogisticRegressionCV(Cs=Cs, cv=5, scoring="neg_log_loss", max_iter=1000, **options)


def trees(seed, *, classifier=False):
    """A strong teacher for few rows: the mean of two kinds of trees; a classifier has a linear one beside them."""
    boost = HistGradientBoostingClassifier if classifier else HistGradientBoostingRegressor
    forest = ExtraTreesClassifier if classifier else ExtraTreesRegressor
    members = [
        ("boosted", boost(learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=10, random_state=seed)),
        ("random", forest(100, min_samples_leaf=3, max_features=0.5, random_state=seed)),
    ]
    if not classifier:
        return plain(VotingRegressor(members))
    return plain(VotingClassifier([*members, ("linear", LogisticRegression(C=0.03, max_iter=1000))], voting="soft"))


@dataclass(frozen=True)
class Split:
    """Labelled, unlabelled and test rows."""

    X: pd.DataFrame
    y: np.ndarray
    X_unlabeled: pd.DataFrame
    y_unlabeled: np.ndarray
    X_test: pd.DataFrame
    y_test: np.ndarray

    @property
    def everything(self):
        """All rows that are not for testing, with their true labels."""
        return pd.concat([self.X, self.X_unlabeled]), np.concatenate([self.y, self.y_unlabeled])


def split(X, y, n_labels, seed, *, accepted=None):
    """Return a random split; accepted: only the half that an earlier model finds safe or likely can be labelled."""
    order = np.random.default_rng(seed).permutation(len(y))
    n_test = min(3000, 2 * len(y) // 5)
    test, rest = order[:n_test], order[n_test:]
    if accepted is not None:
        history, rest = rest[:300], rest[300:]
        earlier = plain(LogisticRegression(C=0.1, max_iter=1000)).fit(X.iloc[history], y[history])
        chance = earlier.predict_proba(X.iloc[rest])[:, 1] * (1 if accepted == "likely" else -1)
        taken = np.flatnonzero(chance >= np.median(chance))[:n_labels]
        rest = np.concatenate([rest[taken], np.delete(rest, taken)])
    labelled, unlabelled = rest[:n_labels], rest[n_labels : n_labels + UNLABELED]
    return Split(X.iloc[labelled], y[labelled], X.iloc[unlabelled], y[unlabelled], X.iloc[test], y[test])


def mean_and_error(values):
    values = np.asarray(values)
    return f"{values.mean():+.4f} ± {values.std(ddof=1) / np.sqrt(len(values)):.4f}"


def share(gains, oracle_gains):
    """Oracle share: the sum of the gains over the sum of the oracle's gains."""
    return f"{np.sum(gains) / np.sum(oracle_gains):.2f}"


def print_table(title, header, rows):
    print(f"\n{title}\n\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |", flush=True)


def few_labels(n_splits, n_jobs):
    rows, totals = [], {"gain": [], "oracle": [], "imodels": []}
    for name, load in available(REGRESSION).items():
        X, y = load()
        for n in (300, 1000):
            scores = []
            for seed in range(n_splits):
                data, student, teacher = split(X, y, n, seed), binned(ridge()), trees(seed)
                model = DistilledRegressor(student, teacher=teacher, n_jobs=n_jobs)
                model.fit(data.X, data.y, X_unlabeled=data.X_unlabeled)
                fitted = {
                    "y": student.fit(data.X, data.y),
                    "distilled": model,
                    "all": binned(ridge()).fit(*data.everything),
                    "teacher": model.teacher_,
                }
                if Imodels is not None:
                    fitted["imodels"] = Imodels(trees(seed), binned(ridge())).fit(data.X, data.y)
                scores.append({key: r2_score(data.y_test, m.predict(data.X_test)) for key, m in fitted.items()})
                scores[-1]["alpha"] = model.alpha_
            table = pd.DataFrame(scores)
            gain, oracle = table["distilled"] - table["y"], table["all"] - table["y"]
            over = mean_and_error(table["distilled"] - table["imodels"]) if "imodels" in table else "not installed"
            means = [f"{table[key].mean():.4f}" for key in ("y", "distilled", "all", "teacher")]
            row = [name, n, *means, mean_and_error(gain), share(gain, oracle), f"{table['alpha'].mean():.2f}", over]
            rows.append(row)
            totals["gain"].extend(gain)
            totals["oracle"].extend(oracle)
            print(row, flush=True)
    header = ["data", "labels", "y", "distilled", "all labels", "teacher", "gain", "oracle share", "alpha"]
    title = f"R2, binned student, up to {UNLABELED} unlabelled rows, {n_splits} splits"
    print_table(title, [*header, "over imodels"], rows)
    print(f"\nall: gain {mean_and_error(totals['gain'])}, oracle share {share(totals['gain'], totals['oracle'])}")


def labelled_only(n_splits, n_jobs):
    rows = []
    for name, load in available(REGRESSION).items():
        X, y = load()
        for n in (300, 1000):
            for kind, make in (("binned", binned), ("plain", plain)):
                gains, alphas, over = [], [], []
                for seed in range(n_splits):
                    data = split(X, y, n, seed)
                    model = DistilledRegressor(make(ridge()), teacher=trees(seed), n_jobs=n_jobs)
                    model.fit(data.X, data.y)
                    base = make(ridge()).fit(data.X, data.y)
                    score = model.score(data.X_test, data.y_test)
                    gains.append(score - base.score(data.X_test, data.y_test))
                    alphas.append(model.alpha_)
                    if Imodels is not None:
                        peer = Imodels(trees(seed), make(ridge())).fit(data.X, data.y)
                        over.append(score - r2_score(data.y_test, peer.predict(data.X_test)))
                row = [name, n, kind, mean_and_error(gains), f"{np.mean(alphas):.2f}"]
                rows.append([*row, mean_and_error(over) if over else "not installed"])
                print(rows[-1], flush=True)
    header = ["data", "labels", "student", "change", "alpha", "over imodels"]
    print_table(f"R2 without unlabelled rows, {n_splits} splits", header, rows)


def classification(n_splits, n_jobs):
    rows, every = [], []
    for name, (load, sizes, accepted) in CLASSIFICATION.items():
        if not available({name: load}):
            continue
        X, y = load()
        for biased in (False, True):
            for n in sizes:
                scores = []
                for seed in range(n_splits):
                    data, student = split(X, y, n, seed, accepted=accepted if biased else None), binned(logistic())
                    model = DistilledClassifier(student, teacher=trees(seed, classifier=True), n_jobs=n_jobs)
                    model.fit(data.X, data.y, X_unlabeled=data.X_unlabeled)
                    fitted = {
                        "y": student.fit(data.X, data.y),
                        "distilled": model,
                        "all": binned(LogisticRegression(C=0.1, max_iter=1000)).fit(*data.everything),
                        "teacher": model.teacher_,
                    }
                    scores.append(
                        {
                            key: roc_auc_score(data.y_test, m.predict_proba(data.X_test)[:, 1])
                            for key, m in fitted.items()
                        }
                    )
                    scores[-1]["alpha"] = model.alpha_
                table = pd.DataFrame(scores)
                gain = table["distilled"] - table["y"]
                means = [f"{table[key].mean():.4f}" for key in ("y", "distilled", "all", "teacher")]
                labels = "accepted" if biased else "random"
                rows.append([name, labels, n, *means, mean_and_error(gain), f"{table['alpha'].mean():.2f}"])
                every.extend(gain)
                print(rows[-1], flush=True)
    header = ["data", "labelled rows", "labels", "y", "distilled", "all labels", "teacher", "gain", "alpha"]
    print_table(f"AUC, binned logistic student, {n_splits} splits", header, rows)
    print(f"\nall: gain {mean_and_error(every)}")


def representations(n_splits, n_jobs):
    mlp = plain(
        StandardScaler(),
        MLPRegressor(hidden_layer_sizes=(64, 32), alpha=1.0, early_stopping=True, max_iter=500, random_state=0),
    )
    boosted = plain(HistGradientBoostingRegressor(learning_rate=0.05, max_leaf_nodes=8, random_state=0))
    forest = plain(ExtraTreesRegressor(100, min_samples_leaf=5, max_features=0.5, random_state=0))
    cases = {"leaves": forest, "stages": boosted, "hidden": mlp}
    rows = []
    for name, load in available(REGRESSION).items():
        X, y = load()
        for kind, make in (("plain", plain), ("binned", binned)):
            for representation, teacher in cases.items():
                gains = {"answer": [], 2: [], 8: []}
                for seed in range(n_splits):
                    data, student = split(X, y, 1000, seed), make(ridge())
                    base = make(ridge()).fit(data.X, data.y).score(data.X_test, data.y_test)
                    for size in gains:
                        options = {} if size == "answer" else {"representation": representation, "n_components": size}
                        model = DistilledRegressor(student, teacher=teacher, alpha=1.0, n_jobs=n_jobs, **options)
                        model.fit(data.X, data.y, X_unlabeled=data.X_unlabeled)
                        gains[size].append(model.score(data.X_test, data.y_test) - base)
                rows.append([name, kind, representation, *(mean_and_error(values) for values in gains.values())])
                print(rows[-1], flush=True)
    header = ["data", "student", "representation", "its teacher's answer", "code of 2", "code of 8"]
    print_table(f"R2 gained over y alone, alpha=1, 1000 labels, {n_splits} splits", header, rows)


def available(tables):
    """Leave out the sets whose file is not there."""
    found = {}
    for name, load in tables.items():
        try:
            load()
        except FileNotFoundError as error:
            print(f"{name} left out: {error.filename} is not there")
        else:
            found[name] = load
    return found


SECTIONS = {
    "few_labels": few_labels,
    "labelled_only": labelled_only,
    "classification": classification,
    "representations": representations,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", help=f"any of {', '.join(SECTIONS)}; none: all")
    parser.add_argument("--splits", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    # Bins that are empty in a small sample, and levels that a split has not seen.
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn.preprocessing")
    for section in arguments.sections or SECTIONS:
        SECTIONS[section](arguments.splits, arguments.jobs)


if __name__ == "__main__":
    main()

"""What a smaller model changes, and for whom: a report to sign before it goes live.

Probability of default on credit cards (UCI 350). Pruning a model of one-hot and standardised columns to eight weights
costs little AUC, and yet it more than doubles the mean prediction for the card holders whose education is not on file.
The report shows it, before somebody else does. Keeping the one column that stands for them mends the change: a kept 0/1
column holds its segment's mean on the training rows. (Shown are held-out rows, 49 of that segment.) A row from far
away, such as a bill with zeros too many, moves a model without bounds; capped at the range of training, no row at all
can move by more than the largest change in the report.

    python examples/plot_change_report.py

prints the segments before and after, and writes change_report.html and change_report.png into the current directory.
"""

from pathlib import Path

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import PrunedClassifier, change_report, compact, max_change
from skcompress.datasets import load_taiwan_credit

REPORT, PICTURE = Path("change_report.html"), Path("change_report.png")
WEIGHTS, CUTOFF = 8, 0.25
LEVELS = ["SEX", "EDUCATION", "MARRIAGE", "PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
EDUCATION = {1: "graduate school", 2: "university", 3: "high school"}
UNKNOWN = "not on file"


def load_cards():
    """Return the inputs, and whether the card holder defaulted."""
    cards, default = load_taiwan_credit(return_X_y=True)
    return cards, default.to_numpy()


def pipeline(frame):
    """Return the unfitted model: levels one-hot, rare ones together, the rest standardised."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", min_frequency=50, sparse_output=False), LEVELS),
        (StandardScaler(), [name for name in frame if name not in LEVELS]),
        verbose_feature_names_out=False,
    )
    return make_pipeline(columns, LogisticRegression(max_iter=2000))


def draw(tables):
    """Return the figure: mean prediction of each segment, before and after, beside what was observed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    first = next(iter(tables.values()))
    places = np.arange(len(first))
    axes.bar(places, first["observed"], color="#DDDDDD", width=0.7, label="observed")
    axes.plot(places - 0.2, first["mean before"], "D", color="#555555", label="all weights")
    looks = [("#D55E00", "s"), ("#0072B2", "o")]
    for (name, table), (color, marker), shift in zip(tables.items(), looks, (0.0, 0.2), strict=True):
        axes.plot(places + shift, table["mean after"], marker, color=color, label=name)
    axes.set_xticks(places, [f"{level}\n({rows:,})" for level, rows in zip(first["level"], first["rows"], strict=True)])
    axes.set(ylabel="share of defaults", title="Mean prediction by education (held-out card holders)")
    axes.legend(frameon=False, loc="upper right", ncols=2, bbox_to_anchor=(1.0, 1.0))
    axes.set_ylim(0, 1.45 * first[["observed", "mean before", "mean after"]].to_numpy().max())
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def say_what_capping_does(base, model, X_train, row):
    """Print how a bill of ten million moves, and the most that any row can move, with both models capped."""
    far = row.assign(BILL_AMT1=10_000_000)
    capped = [compact(which, cap=X_train) for which in (base, model)]
    plain, bounded = ([which.predict_proba(far)[0, 1] for which in pair] for pair in ((base, model), capped))
    print(f"\na bill of ten million: {plain[0]:.3f} to {plain[1]:.3f}; capped: {bounded[0]:.3f} to {bounded[1]:.3f}")
    most = max_change(*capped, bounds="all")
    print(f"largest change of any row, in log odds: {most.value:.1f} capped; without caps it has no bound")


def main():
    """Print the segments, and write the report and the picture."""
    X, y = load_cards()
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0, stratify=y)
    base = pipeline(X).fit(X_train, y_train)
    models = {
        f"{WEIGHTS} weights": PrunedClassifier(pipeline(X), n_nonzero=WEIGHTS),
        f"{WEIGHTS}, one kept": PrunedClassifier(pipeline(X), n_nonzero=WEIGHTS, keep=["EDUCATION_infrequent_sklearn"]),
    }
    education = X_test["EDUCATION"].map(EDUCATION).fillna(UNKNOWN).rename("education")
    print(f"{base[-1].coef_.size} weights: AUC {roc_auc_score(y_test, base.predict_proba(X_test)[:, 1]):.3f}")
    tables = {}
    for name, model in models.items():
        model.fit(X_train, y_train)
        report = change_report(base, model, X_test, y_test, segments=education, cutoff=CUTOFF)
        tables[name] = report.segments
        print(f"\n{name}: AUC {roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]):.3f}")
        shown = ["level", "rows", "observed", "mean before", "mean after", "approved before", "approved after"]
        print(report.segments[shown].round(3).to_string(index=False))
    say_what_capping_does(base, model, X_train, X_test.iloc[[0]])
    REPORT.write_text(report.to_html(), encoding="utf-8")
    print(f"\nreport: {REPORT}")
    try:
        figure = draw(tables)
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main()

"""Reject inference: learn from the applicants that were turned down, though nobody knows how they would have paid.

A lender sees who defaults only among the applicants it accepts. A model fitted on them knows little of the others,
and yet it has to judge everyone who applies. Here an earlier score accepts the safer half of the card holders of a
bank in Taiwan; the outcome of a thousand of them is known. A logistic regression on bins is fitted on these alone, and
distilled with the rejected applicants as rows without labels. It is tested on all who apply, and set beside the model
that could be fitted if every outcome were known. The share of the teacher, alpha, can only be judged by the accepted.

    python examples/plot_reject_inference.py

prints a table and writes reject_inference.png into the current directory. No method recovers what the data do not
hold: whoever extrapolates to the rejected ought to accept some of them at random, and look.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from skcompress import DistilledClassifier
from skcompress.datasets import load_taiwan_credit

PICTURE = Path("reject_inference.png")
LABELS = 1000
SPLITS = 8
# Quantiles that coincide are one edge, and that is what we want.
warnings.filterwarnings("ignore", category=UserWarning, module="sklearn.preprocessing")
LEVELS = ["SEX", "EDUCATION", "MARRIAGE", "PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]


def load_applicants():
    """Return the inputs, and whether the card holder defaulted."""
    X, default = load_taiwan_credit(return_X_y=True)
    return X, default.to_numpy()


def scorecard():
    """One column for a level, and six bins for a number."""
    numbers = KBinsDiscretizer(6, encode="onehot-dense", quantile_method="averaged_inverted_cdf")
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), LEVELS), remainder=numbers
    )
    return make_pipeline(columns, LogisticRegression(C=0.03, max_iter=1000))


def compare(X, y, seed):
    """Return the area under the ROC curve of each model, on applicants accepted or not."""
    order = np.random.default_rng(seed).permutation(len(y))
    test, history, applicants = np.split(order, [3000, 3300])
    earlier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1)).fit(X.iloc[history], y[history])
    risk = earlier.predict_proba(X.iloc[applicants])[:, 1]
    accepted = np.flatnonzero(risk <= np.median(risk))[:LABELS]
    known, unknown = applicants[accepted], np.delete(applicants, accepted)
    teacher = ExtraTreesClassifier(50, min_samples_leaf=5, max_features=0.5, random_state=seed)
    few = X.iloc[known], y[known]
    distilled = DistilledClassifier(scorecard(), teacher=teacher, cv=4).fit(*few, X_unlabeled=X.iloc[unknown])
    models = {
        "accepted only": scorecard().fit(*few),
        "distilled": distilled,
        "all outcomes known": scorecard().fit(X.iloc[applicants], y[applicants]),
    }
    area = {name: roc_auc_score(y[test], model.predict_proba(X.iloc[test])[:, 1]) for name, model in models.items()}
    return area | {"alpha": distilled.alpha_}


def draw(table):
    """Return the figure: one line for each split, from the model of the accepted to the distilled one."""
    from matplotlib.figure import Figure

    columns = ["accepted only", "distilled", "all outcomes known"]
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(table[columns].T.to_numpy(), color="#0072B2", alpha=0.35, lw=1.5, marker="o", ms=5)
    axes.plot(
        table[columns].mean().to_numpy(), color="#D55E00", lw=3, marker="s", ms=8, label=f"mean of {SPLITS} splits"
    )
    axes.set(xticks=range(3), xlim=(-0.3, 2.3), ylabel="area under the ROC curve, all applicants")
    axes.set_xticklabels(["accepted\nonly", "distilled, with the\nrejected unlabelled", "all outcomes\nknown"])
    axes.set_title("Reject inference on 1,000 accepted applicants")
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main():
    """Print the table and write the picture."""
    X, y = load_applicants()
    table = pd.DataFrame([compare(X, y, seed) for seed in range(SPLITS)])
    print(table.round(3).to_string())
    gain = table["distilled"] - table["accepted only"]
    print(f"gain {gain.mean():+.4f} ± {gain.std(ddof=1) / np.sqrt(SPLITS):.4f}")
    try:
        figure = draw(table)
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    # Hundreds of fits of a few milliseconds each: waiting for other threads costs more than they save.
    with threadpool_limits(1):
        main()

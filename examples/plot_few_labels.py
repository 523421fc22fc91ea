"""Few labels, many rows without: let a strong model teach the small one.

Rates of a few hundred loans are known; thousands of other loans are on file without one. A model of additive bins, a
table of points for each input that anyone can read, is fitted three ways: on the known rates alone, distilled
(boosted trees are fitted on the known rates, and their answers for all loans teach the small model), and,
as the most that can be hoped for, on the true rates of all loans. The distilled model is then pruned to 30 lines, on
all loans: keeping its predictions takes no rate.

    python examples/plot_few_labels.py

prints a table and writes few_labels.png into the current directory. Each number is the mean over four random splits.
The gain shrinks as labels come in: at a thousand, the bins have learnt most of what they can say from the rates alone.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, OrdinalEncoder
from threadpoolctl import threadpool_limits

from skcompress import DistilledRegressor, PrunedRegressor
from skcompress.datasets import load_lending_club

PICTURE = Path("few_labels.png")
LABELS = [100, 300, 1000]
LINES = 30
SPLITS = 4
# Quantiles that coincide are one edge, and a column that is constant has no bins: that is what we want.
warnings.filterwarnings("ignore", category=UserWarning, module="sklearn.preprocessing")
NUMBERS = make_column_selector(dtype_include="number")
TEXTS = make_column_selector(dtype_exclude="number")


def load_loans():
    """Return the inputs and the interest rate in percent. The grade is set together with the rate, so it goes."""
    loans, rate = load_lending_club(target="int_rate", return_X_y=True)
    return loans.drop(columns="addr_state"), rate.to_numpy()


def additive(model):
    """Up to eight bins for a number, one column for a level of a text."""
    return make_pipeline(
        make_column_transformer(
            (KBinsDiscretizer(8, encode="onehot-dense", quantile_method="averaged_inverted_cdf"), NUMBERS),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), TEXTS),
        ),
        model,
    )


def teacher():
    """Trees on the inputs themselves: they find what bins of single inputs cannot say."""
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    trees = HistGradientBoostingRegressor(learning_rate=0.15, max_iter=40, max_leaf_nodes=8, min_samples_leaf=10)
    return make_pipeline(make_column_transformer((ordinal, TEXTS), remainder="passthrough"), trees)


def ridge():
    return RidgeCV(alphas=10.0 ** np.arange(-1, 4.5, 0.5))


def compare(X, y, n_labels, seed):
    """Return the held-out R2 of each model for one random choice of labelled, unlabelled and test loans."""
    order = np.random.default_rng(seed).permutation(len(y))
    test, labelled, unlabelled = np.split(order, [3000, 3000 + n_labels])
    few = X.iloc[labelled], y[labelled]
    everything = np.concatenate([labelled, unlabelled])
    distilled = DistilledRegressor(additive(ridge()), teacher=teacher(), cv=4)
    distilled.fit(*few, X_unlabeled=X.iloc[unlabelled])
    small = PrunedRegressor(FrozenEstimator(distilled), n_nonzero=LINES).fit(X.iloc[everything])
    models = {
        "known rates only": additive(ridge()).fit(*few),
        "distilled": distilled,
        f"distilled, {LINES} lines": small,
        "all rates known": additive(ridge()).fit(X.iloc[everything], y[everything]),
        "teacher": distilled.teacher_,
    }
    return {name: model.score(X.iloc[test], y[test]) for name, model in models.items()}


def draw(scores):
    """Return the figure: held-out score against the number of labels."""
    from matplotlib.figure import Figure

    looks = {
        "all rates known": ("#555555", ":", "the same model, all rates known"),
        "distilled": ("#0072B2", "-", "distilled"),
        f"distilled, {LINES} lines": ("#56B4E9", "-.", f"distilled and pruned to {LINES} lines"),
        "known rates only": ("#D55E00", "--", "known rates only"),
    }
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for place, (name, (color, style, label)) in enumerate(looks.items()):
        table = scores[name].unstack("split")
        labels = table.index * 1.02 ** (place - 1.5)
        error = table.std(axis=1, ddof=1) / np.sqrt(SPLITS)
        axes.errorbar(labels, table.mean(axis=1), error, color=color, ls=style, lw=2, marker="o", label=label)
    axes.set_xscale("log")
    axes.set(xticks=LABELS, xlabel="loans with a known rate", ylabel="held-out R² ± standard error")
    axes.set_xticklabels(LABELS)
    axes.minorticks_off()
    axes.set_title("Loan pricing: what unlabelled loans are worth")
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main():
    """Print the table and write the picture."""
    X, y = load_loans()
    keys = pd.MultiIndex.from_product([LABELS, range(SPLITS)], names=["labels", "split"])
    scores = pd.DataFrame([compare(X, y, n_labels, seed) for n_labels, seed in keys], index=keys)
    print(scores.groupby("labels").mean().round(3).to_string())
    gains = scores["distilled"] - scores["known rates only"]
    for n_labels, gain in gains.groupby("labels"):
        print(f"{n_labels} labels: distilling gains {gain.mean():+.3f} ± {gain.std(ddof=1) / np.sqrt(SPLITS):.3f}")
    try:
        figure = draw(scores)
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    # Hundreds of fits of a few milliseconds each: waiting for other threads costs more than they save.
    with threadpool_limits(1):
        main()

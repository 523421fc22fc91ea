"""One bad loan in twenty: class weights, thresholds and calibration of a compressed classifier.

The loans of Lending Club, of which 5% went bad. class_weight="balanced" makes a classifier flag more of them, since it
raises every chance; it does not rank them better. A compressed model keeps what it is given: chances that are right on
average without class weights, chances that are far too high with them. Who knows what an error costs needs no
weights: a missed bad loan costs ten times as much as a good one refused here, so that a chance above 1 in 11 is enough
to refuse.

    python examples/plot_imbalance.py

prints held-out scores of full and compressed models, five folds, and writes imbalance.png into the current directory.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss, make_scorer, precision_recall_curve, roc_auc_score
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import PrunedClassifier, QuantizedClassifier
from skcompress.datasets import load_lending_club

PICTURE = Path("imbalance.png")
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)
MISSED = 10.0
"""What a missed bad loan costs, in good loans refused."""


def load_loans():
    """Return the inputs and whether the loan went bad."""
    loans, bad = load_lending_club(return_X_y=True)
    return loans.drop(columns="sub_grade"), bad.to_numpy()


def full(class_weight=None):
    """A logistic regression on every input."""
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, LogisticRegression(C=0.1, max_iter=2000, class_weight=class_weight))


def small(class_weight=None):
    """At most six inputs, weights of three bits."""
    return QuantizedClassifier(
        PrunedClassifier(full(class_weight), n_nonzero=6, feature_groups="input"), bits=3, granularity="output"
    )


MODELS = {
    "full": full(),
    "full, balanced": full("balanced"),
    "compressed": small(),
    "compressed, balanced": small("balanced"),
    "the same, calibrated": CalibratedClassifierCV(small("balanced"), cv=3, ensemble=False),
}


def cost(y, refused):
    """Return the cost of the errors per loan."""
    return float(np.mean(np.where(y == 1, MISSED * (1 - refused), refused)))


def calibration(y, chance, n_bins=10):
    """Return mean chance, observed share and rows in bins of equally many rows."""
    groups = np.array_split(np.argsort(chance, kind="stable"), n_bins)
    return np.array([[chance[rows].mean(), y[rows].mean(), len(rows)] for rows in groups])


def scores(model, X, y):
    """Return the held-out chances and a row of scores."""
    chance = cross_val_predict(model, X, y, cv=FOLDS, method="predict_proba")[:, 1]
    bins = calibration(y, chance)
    return chance, {
        "mean chance": chance.mean(),
        "calibration error": np.average(np.abs(bins[:, 0] - bins[:, 1]), weights=bins[:, 2]),
        "log loss": log_loss(y, chance),
        "AUC": roc_auc_score(y, chance),
        "average precision": average_precision_score(y, chance),
        "flagged at 1/2": np.mean(chance > 0.5),
        "cost at 1/11": cost(y, chance > 1 / (1 + MISSED)),
    }


def tuned_cost(model, X, y):
    """Return the held-out cost at a threshold that was chosen on the training rows."""
    tuned = TunedThresholdClassifierCV(model, scoring=make_scorer(cost, greater_is_better=False), cv=3)
    return cost(y, cross_val_predict(tuned, X, y, cv=FOLDS))


def draw(y, chances):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    for name in ("full", "compressed", "compressed, balanced"):
        precision, recall, _ = precision_recall_curve(y, chances[name])
        ranked = average_precision_score(y, chances[name])
        left.plot(recall[:-1], precision[:-1], label=f"{name}: {ranked:.3f}", linewidth=1.3)
    left.axhline(y.mean(), color="grey", linestyle=":", label=f"at random: {y.mean():.3f}")
    left.set(
        xlabel="share of the bad loans found",
        ylabel="share of bad loans among those flagged",
        ylim=(0, 0.32),
        xlim=(0.02, 1),
    )
    left.set_title("Ranking: average precision, held out")
    left.legend()
    for name, marker in (("compressed", "o"), ("compressed, balanced", "s"), ("the same, calibrated", "^")):
        bins = calibration(y, chances[name])
        right.plot(bins[:, 0], bins[:, 1], marker=marker, label=name)
    least, most = 0.006, 1.0
    right.plot([least, most], [least, most], color="grey", linestyle=":", label="right on average")
    right.set(xlabel="chance that the model gives", ylabel="share that went bad", xscale="log", yscale="log")
    right.set(xlim=(least, most), ylim=(least, most))
    right.set_title("Calibration, held out")
    right.legend()
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)


def main():
    X, y = load_loans()
    print(f"{len(y)} loans, {y.mean():.1%} bad; refusing none costs {cost(y, np.zeros(len(y))):.3f} a loan\n")
    answers = {name: scores(model, X, y) for name, model in MODELS.items()}
    table = pd.DataFrame({name: row for name, (_, row) in answers.items()}).T
    # What is calibrated has its threshold from the costs, and needs no tuning.
    table["cost, tuned"] = pd.Series({name: tuned_cost(MODELS[name], X, y) for name in list(MODELS)[:-1]})
    print(table.round(3).to_string(na_rep=""))
    models = {name: MODELS[name].fit(X, y) for name in ("compressed", "compressed, balanced")}
    print()
    for name, model in models.items():
        shipped = model.compact_
        print(f"{name}: {len(shipped.to_bytes())} bytes, reads {', '.join(shipped.inputs)}")
    draw(y, {name: chance for name, (chance, _) in answers.items()})


if __name__ == "__main__":
    main()

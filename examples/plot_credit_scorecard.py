"""A credit scorecard of ten lines from a raw table of loans, with integer points that are what predicts.

The loans of Lending Club: amount, rate, income, state, credit history, and whether the loan went bad. Nothing is
prepared by hand: the card chooses thresholds and levels, then points and their multiplier together. More interest or
a larger loan may only count against an applicant, more income only for one.

    python examples/plot_credit_scorecard.py

prints the card, its held-out scores beside a logistic regression on all inputs, its calibration, the reasons for one
applicant, what rounding the points has changed and the query that adds the points up in a database, and writes
credit_scorecard.png into the current directory.
"""

import sqlite3
from pathlib import Path

import numpy as np
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import ScorecardClassifier, max_change, to_sql
from skcompress.datasets import load_lending_club

PICTURE = Path("credit_scorecard.png")
DIRECTIONS = {"int_rate": 1, "annual_inc": -1, "funded_amnt": 1}
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


def load_loans():
    """Return the inputs and whether the loan went bad."""
    return load_lending_club(return_X_y=True)


def full_model():
    """A logistic regression on every input: the numbers standardised, the texts one-hot encoded."""
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, LogisticRegression(C=0.1, max_iter=2000))


def with_float_weights(card, X, y):
    """Return a logistic regression on the lines of the card, which its points have taken the place of."""
    chosen = np.isin(np.arange(len(card.encoder_.lines_)), card.chosen_lines_)
    model = LogisticRegression(max_iter=1000).fit(card.encoder_.transform(X) * chosen, y)
    return make_pipeline(card.encoder_, model)


def totals_in_sqlite(query, X):
    """Return the points that a database adds up."""
    with sqlite3.connect(":memory:") as database:
        X.to_sql("loans", database, index=False)
        return np.ravel(database.execute(query).fetchall())


def draw(card, calibration):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    table = card.points_table_[::-1]
    left.barh(table["input"] + " " + table["condition"], table["points"], color="tab:blue")
    left.axvline(0, color="black", linewidth=0.8)
    left.set(xlabel="points towards a bad loan", title=f"The card: {len(table)} lines")
    error = np.sqrt(calibration["observed"] * (1 - calibration["observed"]) / calibration["rows"])
    right.errorbar(calibration["points"], calibration["observed"], error, fmt="o", label="observed, held out")
    right.plot(calibration["points"], calibration["predicted"], color="tab:orange", label="of the card")
    right.set(xlabel="total points", ylabel="share of bad loans", title="Calibration")
    right.legend()
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)


def main():
    X, y = load_loans()
    model = ScorecardClassifier(n_lines=10, monotonic_cst=DIRECTIONS)
    for name, estimator in (("card of 10 lines", model), ("logistic regression, all inputs", full_model())):
        chance = cross_val_predict(estimator, X, y, cv=FOLDS, method="predict_proba")[:, 1]
        print(f"{name:32} held-out AUC {roc_auc_score(y, chance):.3f}, log loss {log_loss(y, chance):.4f}")

    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=0)
    card = model.fit(X_train, y_train)
    print(f"\n{card.to_scorecard(points=600, odds=20, pdo=20).round({'score': 1}).to_string(index=False)}\n")

    totals = card.calibration_table(X_test, y_test)
    groups = np.minimum(np.cumsum(totals["rows"]) * 8 // totals["rows"].sum(), 7)
    weighted = totals[["points", "observed", "predicted"]].multiply(totals["rows"], axis=0)
    calibration = weighted.groupby(groups).sum().div(totals["rows"].groupby(groups).sum(), axis=0)
    calibration["rows"] = totals["rows"].groupby(groups).sum()
    print(calibration.round(3).to_string(index=False))

    worst = X_test.iloc[[int(card.points_of(X_test).argmax())]]
    print("\nThe reasons for the applicant with the most points:")
    print(card.reason_codes(worst).to_string(index=False))

    exact = with_float_weights(card, X_train, y_train)
    for name, model in (("float weights", exact), ("integer points", card)):
        chance = model.predict_proba(X_test)[:, 1]
        print(f"{name:15} AUC {roc_auc_score(y_test, chance):.4f}, log loss {log_loss(y_test, chance):.4f}")
    change = max_change(exact, card, bounds=X_train)
    most = np.abs(exact.decision_function(X_test) - card.decision_function(X_test)).max()
    print(f"Rounding moves no log-odds by more than {change.value:.2f}, those of the test rows by {most:.2f} at most.")

    query = to_sql(card.points_compact_, "loans", output="points")
    print(f"\n{query}\n")
    unequal = int((totals_in_sqlite(query, X_test) != card.points_of(X_test)).sum())
    print(f"SQLite and the card differ on {unequal} of {len(X_test)} applicants.")
    shipped = card.compact_
    same = np.abs(shipped.predict_proba(X_test) - card.predict_proba(X_test)).max()
    print(f"\nShipped: {len(shipped.to_bytes())} bytes, {len(shipped.inputs)} of {X.shape[1]} inputs, off {same:.0e}")
    draw(card, calibration)


if __name__ == "__main__":
    main()

"""Pruning and rounding a model that something else has trained: from a file in pieces, and from a printed result.

Neither needs a scikit-learn estimator, and only the first needs the rows. A file that is read a thousand rows at a
time gives the credit limit as eight weights. Of a logistic regression of defaults all that is known is what
statsmodels, glum or R print: coefficients, their covariance matrix, the number of rows and the null deviance. The
inverse of the covariance of the slopes is the curvature of the loss, so that each size is chosen and its weights are
re-optimised without the data.

    python examples/plot_trained_elsewhere.py

prints both models, compares the second with the textbook (keep the largest z values as they are printed) on rows held
out, and writes trained_elsewhere.png into the current directory.
"""

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

from skcompress import QuadraticModel, prune, quantize

DATA = files("skcompress") / "data" / "taiwan_credit.csv.gz"
PICTURE = Path("trained_elsewhere.png")
KEPT, BITS, CHUNK, TRAINING_CHUNKS = 8, 4, 1000, 5


def encode(cards):
    """Return the columns of some rows: numbers, and 0/1 columns of levels that are known beforehand."""
    columns = cards.drop(columns=["SEX", "EDUCATION", "MARRIAGE", "default", "LIMIT_BAL"]).astype(float)
    amounts = columns.columns[columns.columns.str.contains("AMT")]
    columns[amounts] /= 1000
    for name, levels in (("SEX", [2]), ("EDUCATION", [1, 2, 3]), ("MARRIAGE", [1, 2])):
        for level in levels:
            columns[f"{name}={level}"] = (cards[name] == level).astype(float)
    return columns


def limits_in_blocks():
    """Yield the columns and the credit limit, in thousands, of a thousand rows at a time."""
    for chunk in pd.read_csv(DATA, chunksize=CHUNK):
        yield encode(chunk), chunk["LIMIT_BAL"] / 1000


class Printed(NamedTuple):
    """What a package prints of a generalised linear model; the intercept comes first."""

    params: np.ndarray
    covariance: np.ndarray
    scale: float
    n_rows: float
    null_deviance: float


def logistic_elsewhere(X, y):
    """Fit a logistic regression by Newton's method, in the place of ``statsmodels.api.GLM(y, X, family=...).fit()``."""
    design = np.column_stack([np.ones(len(X)), X])
    params = np.zeros(design.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-design @ params))
        information = design.T * (chance * (1 - chance)) @ design
        params = params + np.linalg.solve(information, design.T @ (y - chance))
    share = y.mean()
    null_deviance = -2 * len(y) * (share * np.log(share) + (1 - share) * np.log(1 - share))
    return Printed(params, np.linalg.inv(information), 1.0, len(y), null_deviance)


def quadratic_of(result):
    """Return the loss around a printed model: H = scale / n times the inverse of the covariance of the slopes."""
    curvature = result.scale / result.n_rows * np.linalg.inv(result.covariance[1:, 1:])
    slopes = result.params[1:]
    mean = -np.linalg.solve(result.covariance[1:, 1:], result.covariance[1:, 0])
    return QuadraticModel(
        (curvature + curvature.T) / 2,
        slopes,
        mean=mean,
        level=result.params[0] + slopes @ mean,
        null_loss=result.null_deviance / result.n_rows,
        n_samples=result.n_rows,
    )


def from_the_file():
    """Prune and round the credit limit from blocks."""
    names = next(limits_in_blocks())[0].columns
    full = QuadraticModel.from_blocks(limits_in_blocks())
    pruned = prune(full, n_nonzero=KEPT)
    rounded = quantize(pruned.model, bits=BITS)
    print(
        f"Credit limit (thousands), read {CHUNK:,} rows at a time: R2 {1 - full.base_loss[0] / full.null_loss[0]:.3f}"
    )
    print(f"R2 lost by {KEPT} of {full.n_features} weights {pruned.loss:.4f}, at {BITS} bits {rounded.loss:.4f}")
    kept = np.flatnonzero(rounded.weights[0])
    table = pd.DataFrame({"column": names[kept], "code": rounded.codes[0, kept], "weight": rounded.weights[0, kept]})
    print(table.round(4).to_string(index=False))
    print(f"intercept {full.best_intercept(rounded.weights)[0]:.2f}\n")


def from_the_result():
    """Prune a printed logistic regression at every size; return the held-out log loss of both ways and of the whole."""
    cards = pd.read_csv(DATA)
    X, y = encode(cards), cards["default"].to_numpy()
    names, last = X.columns, CHUNK * TRAINING_CHUNKS
    X = X.to_numpy()
    result = logistic_elsewhere(X[:last], y[:last])
    X_test, y_test = X[last:], y[last:]
    quadratic = quadratic_of(result)
    z = np.abs(result.params[1:]) / np.sqrt(np.diag(result.covariance)[1:])

    def held_out(weights, intercept):
        chance = 1 / (1 + np.exp(-X_test @ weights - intercept))
        return log_loss(y_test, chance), roc_auc_score(y_test, chance)

    sizes = range(1, len(names) + 1)
    ours, textbook = [], []
    for size in sizes:
        weights = prune(quadratic, n_nonzero=size).weights
        ours.append(held_out(weights[0], quadratic.best_intercept(weights)[0]))
        weights = np.where(z >= np.sort(z)[-size], quadratic.centre, 0.0)
        textbook.append(held_out(weights[0], quadratic.best_intercept(weights)[0]))
    pruned = prune(quadratic, n_nonzero=KEPT)
    rounded = quantize(pruned.model, bits=BITS)
    small = held_out(rounded.weights[0], quadratic.best_intercept(rounded.weights)[0])
    lines = {
        f"all {len(names)} weights": held_out(quadratic.centre[0], result.params[0]),
        f"{KEPT} weights from the printed result": ours[KEPT - 1],
        f"{KEPT} weights of {BITS} bits": small,
        f"{KEPT} largest z values": textbook[KEPT - 1],
    }
    print("Defaults, from a printed result, scored on rows held out:")
    print(pd.DataFrame(lines, index=["log loss", "AUC"]).T.round(4).to_string())
    print("kept:", ", ".join(names[pruned.support[0]]))
    return list(sizes), np.array(ours)[:, 0], np.array(textbook)[:, 0], lines[f"all {len(names)} weights"][0]


def draw(sizes, ours, textbook, whole):
    """Return the figure: held-out log loss of every size."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.8, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.axhline(whole, color="#555555", ls="--", lw=1.2, label="all weights")
    axes.plot(sizes, textbook, "s-", color="#D55E00", ms=3.5, lw=1.2, label="largest z values, as printed")
    axes.plot(sizes, ours, "o-", color="#0072B2", ms=3.5, lw=1.6, label="pruned on the printed covariance")
    axes.set(xlabel="weights that are not zero", ylabel="held-out log loss")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.3 * (high - low))
    axes.legend(frameon=False, fontsize="small", loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main():
    """Print both models and draw the second."""
    from_the_file()
    curves = from_the_result()
    try:
        figure = draw(*curves)
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main()

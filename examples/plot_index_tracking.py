"""Track an index with few of its stocks, and see which stocks could stand in for each other.

98 stocks make up most of an index; a fund that holds ten of them is cheaper to run. Each half year the stocks are
chosen and weighted on the 150 weeks before, and held for the 26 weeks after: what counts is how far the fund strays
from the index in weeks that it has not seen. PrunedRegressor stands beside the Lasso, the largest weights (both with
the chosen stocks weighted anew by least squares) and abess, where it is installed.

    python examples/plot_index_tracking.py

prints three tables and writes index_tracking.png into the current directory.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, RidgeCV, lars_path

from skcompress import PrunedRegressor, selection_stability
from skcompress.datasets import load_index_tracking

PICTURE = Path("index_tracking.png")
SIZES = [3, 5, 7, 10, 15, 20, 25, 30]
FITTED, HELD = 150, 26
SIZE = 10
BASE = RidgeCV(np.logspace(0, 4, 9), fit_intercept=False)


def load_returns():
    """Return weekly returns in percent: of the stocks, and of the index."""
    return load_index_tracking(return_X_y=True)


def by_pruning(X, y, size):
    """The weights that cost least go, the others make up for them."""
    return PrunedRegressor(BASE, n_nonzero=size).fit(X, y).support_


def by_lasso(X, y, size):
    """The last point of the Lasso path with at most so many stocks."""
    scale = X.std(axis=0)
    _, _, path = lars_path((X / scale).to_numpy(), y.to_numpy(), method="lasso")
    count = (path != 0).sum(axis=0)
    return path[:, np.flatnonzero(count <= size)[-1]] != 0


def by_magnitude(X, y, size):
    """The largest weights of the same ridge, in units of the stocks' deviations."""
    weights = clone(BASE).fit(X, y).coef_ * X.std(axis=0).to_numpy()
    return np.isin(np.arange(len(weights)), np.argsort(-np.abs(weights))[:size])


def by_abess(X, y, size):
    """Splicing, in C++."""
    from abess.linear import LinearRegression as Splicing

    return Splicing(support_size=size, fit_intercept=False).fit(X.to_numpy(), y.to_numpy()).coef_ != 0


WAYS = {"skcompress": by_pruning, "Lasso, refitted": by_lasso, "largest weights, refitted": by_magnitude}
if find_spec("abess"):
    WAYS["abess"] = by_abess


def windows(X, y):
    """Yield the weeks to fit and the weeks to hold, one pair for each half year."""
    for start in range(0, len(X) - FITTED - HELD + 1, HELD):
        past, future = slice(start, start + FITTED), slice(start + FITTED, start + FITTED + HELD)
        yield (X[past], y[past]), (X[future], y[future])


def root_mean_square(errors):
    """Return the tracking error of all windows together."""
    return np.sqrt(np.mean(np.concatenate(errors) ** 2))


def tracking_error(way, X, y, size):
    """Return the root mean square weekly difference to the index, in percent: on weeks fitted, and on weeks held."""
    fitted, held = [], []
    for (X_past, y_past), (X_future, y_future) in windows(X, y):
        stocks = X.columns[way(X_past, y_past, size)]
        fund = LinearRegression(fit_intercept=False).fit(X_past[stocks], y_past)
        fitted.append(y_past - fund.predict(X_past[stocks]))
        held.append(y_future - fund.predict(X_future[stocks]))
    return root_mean_square(fitted), root_mean_square(held)


def error_of_all_stocks(X, y):
    """Return the tracking error in unseen weeks of the ridge on all stocks."""
    return root_mean_square([b - clone(BASE).fit(*past).predict(a) for past, (a, b) in windows(X, y)])


def compare(X, y):
    """Return the tracking errors of all ways and sizes, fitted and held."""
    errors = {name: [tracking_error(way, X, y, size) for size in SIZES] for name, way in WAYS.items()}
    columns = pd.Index(SIZES, name="stocks")
    return tuple(
        pd.DataFrame({name: [pair[place] for pair in pairs] for name, pairs in errors.items()}, index=columns).T
        for place in (0, 1)
    )


def draw(held, whole, stability):
    """Return the figure: tracking error against the number of stocks, and how safe each stock's place is."""
    from matplotlib.figure import Figure

    styles = {
        "skcompress": ("#0072B2", "o", "-"),
        "Lasso, refitted": ("#D55E00", "s", "--"),
        "largest weights, refitted": ("#555555", "^", ":"),
        "abess": ("#009E73", "D", "-."),
    }
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.2, 1])
    for name, errors in held.iterrows():
        color, marker, style = styles[name]
        left.plot(SIZES, errors, color=color, marker=marker, ls=style, lw=2, ms=6, label=name)
    left.axhline(whole, color="#999999", lw=1)
    left.text(SIZES[0], whole - 0.01, f"all {len(stability.features)} stocks, ridge", va="top", color="#555555")
    left.set(xlabel="stocks held", ylabel="tracking error in unseen weeks, % a week", ylim=(0, None), xticks=SIZES)
    left.set_title("Straying from the index")
    left.legend(frameon=False)

    kept = stability.features[stability.features["kept"]].sort_values("frequency")
    right.barh(kept.index, kept["frequency"], color="#0072B2")
    labels = [f"or {row.substitute}: {row.cost:.4f}" for row in kept.itertuples()]
    for place, (frequency, label) in enumerate(zip(kept["frequency"], labels, strict=True)):
        right.text(frequency + 0.02, place, label, va="center", fontsize=9)
    right.set(xlabel="share of 200 bootstrap samples that keep it", xlim=(0, 1.45), xticks=np.arange(0, 1.1, 0.25))
    right.set_title(f"{SIZE} stocks, and R² lost with a substitute")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def main():
    """Print the tables and write the picture."""
    X, y = load_returns()
    print(f"{len(X)} weeks, {X.shape[1]} stocks; the index moves by {y.std():.2f}% a week")
    fitted, held = compare(X, y)
    whole = error_of_all_stocks(X, y)
    print(f"all stocks, ridge: a tracking error of {whole:.3f}% a week in the {HELD} weeks after the fit")
    print(f"\ntracking error in the {HELD} weeks after, % a week\n{held.round(3).to_string()}")
    print(f"\nin the {FITTED} weeks that were fitted\n{fitted.round(3).to_string()}")
    model = PrunedRegressor(BASE, n_nonzero=SIZE)
    stability = selection_stability(model, X, y, n_boot=200)
    print(f"\n{stability}")
    try:
        figure = draw(held, whole, stability)
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main()

"""Shrink a loan-pricing model: fewer inputs to fetch, fewer bytes to ship, the accuracy kept.

A lender's interest rates follow from what it knows of a loan: 20 raw inputs, 83 columns once the text ones are
one-hot encoded. Here a ridge regression on them is pruned (whole inputs go, so that nobody has to fetch them),
quantized (integers instead of floats), and both, next to RidgeCV, LassoCV and textbook pruning by the size of the
weights. All scores are on held-out loans. Whatever is tuned is tuned inside the training folds.

    python examples/plot_loan_pricing.py

prints one table and writes loan_pricing.png into the current directory.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import Lasso, LassoCV, Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import PrunedRegressor, QuantizedRegressor, compact, size_bytes

DATA = Path(__file__).resolve().parent / "data" / "lending_club_default.csv.gz"
PICTURE = Path("loan_pricing.png")
FOLDS = KFold(5, shuffle=True, random_state=0)
INNER_FOLDS = KFold(3, shuffle=True, random_state=1)
SIZES = [4, 6, 8, 10, 12, 15, 20]
BITS = [8, 6, 4, 3]
ALPHAS = np.geomspace(0.003, 1.0, 12)


def load_loans():
    """Return the inputs and the interest rate in percent. The grade is set together with the rate, so it goes."""
    loans = pd.read_csv(DATA)
    rate = loans.pop("int_rate")
    return loans.drop(columns=["sub_grade", "Class"]), rate


def pipeline(regressor):
    """Standardise the numbers, one-hot encode the texts, then the regressor."""
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, regressor)


def smallest_within_one_standard_error(*parameters):
    """Return a rule for GridSearchCV: the smallest model whose score is within one standard error of the best."""

    def rule(results):
        scores = np.column_stack([results[key] for key in results if key.startswith("split")])
        mean, error = scores.mean(axis=1), scores.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
        best = np.argmax(mean)
        within = np.flatnonzero(mean >= mean[best] - error[best])
        return min(within, key=lambda i: [results["params"][i][name] for name in parameters])

    return rule


def search(model, grid):
    """Tune the model; of sizes and bits the first one named in the grid weighs most."""
    rule = smallest_within_one_standard_error(*grid)
    return GridSearchCV(model, grid, cv=INNER_FOLDS, refit=rule, n_jobs=-1)


def pruned(**options):
    """Return the form to begin with: the wrapper around the whole pipeline, so that it speaks of raw inputs."""
    return PrunedRegressor(pipeline(Ridge()), feature_groups="input", **options)


def textbook(n_nonzero):
    """Prune by the size of the weights and leave the others as they are."""
    return pruned(n_nonzero=n_nonzero, importance="l1", refit=None)


def held_out(model, X, y):
    """Return mean and standard error of R2 over the folds."""
    scores = cross_val_score(model, X, y, cv=FOLDS)
    return scores.mean(), scores.std(ddof=1) / np.sqrt(len(scores))


def measure(model, X, y, reference):
    """Return one line of the table; the model is fitted on all loans for what it takes to ship it."""
    mean, error = held_out(model, X, y)
    shipped = compact(model.fit(X, y))
    report = shipped.report()
    return {
        "held-out R2": f"{mean:.3f} ± {error:.3f}",
        "inputs": report["inputs"],
        "weights": report["weights"],
        "bits": report["bits"] or 64,
        "bytes": size_bytes(shipped),
        "largest change": f"{np.abs(model.predict(X) - reference).max():.1f}",
    }


def compare(X, y):
    """Return the table."""
    both = QuantizedRegressor(pruned(keep=["term"]))
    ridge = pipeline(RidgeCV(np.logspace(-1, 3, 9)))
    smaller = search(pruned(keep=["term"]), {"n_nonzero": SIZES}).fit(X, y)
    models = {
        "RidgeCV": ridge,
        "LassoCV": pipeline(LassoCV(alphas=ALPHAS, cv=INNER_FOLDS)),
        "textbook: |w|, no refit": textbook(smaller.best_params_["n_nonzero"]),
        "PrunedRegressor": smaller,
        "QuantizedRegressor": search(QuantizedRegressor(pipeline(Ridge())), {"bits": BITS}),
        "both": search(both, {"estimator__n_nonzero": SIZES, "bits": BITS}),
    }
    reference = ridge.fit(X, y).predict(X)
    return pd.DataFrame({name: measure(model, X, y, reference) for name, model in models.items()}).T


def curve(models, X, y):
    """Return the inputs kept and the mean held-out R2 of each model, by rising number of inputs."""
    points = [(len(compact(model.fit(X, y)).inputs), held_out(model, X, y)[0]) for model in models]
    return np.array(sorted(points)).T


def draw(X, y):
    """Return the figure: held-out score against inputs kept."""
    from matplotlib.figure import Figure

    sizes = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20]
    lines = {
        "skcompress": ([pruned(n_nonzero=k) for k in sizes], "#0072B2", "o", "-"),
        "Lasso": ([pipeline(Lasso(alpha)) for alpha in ALPHAS], "#D55E00", "s", "--"),
        "textbook: |w|, no refit": ([textbook(k) for k in sizes], "#555555", "^", ":"),
    }
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    full, error = held_out(pipeline(Ridge()), X, y)
    axes.axhspan(full - error, full + error, color="#dddddd", lw=0)
    axes.text(1, full, "all 20 inputs ± 1 standard error", va="center", fontsize=10)
    for name, (models, color, marker, style) in lines.items():
        axes.plot(*curve(models, X, y), color=color, marker=marker, ls=style, lw=2, ms=7, label=name)
    axes.set(xlabel="raw inputs that the model reads", ylabel="held-out R²", xticks=range(0, 21, 2))
    axes.set_ylim(bottom=-0.06)
    axes.set_title("Loan pricing: what an input less costs")
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main():
    """Print the table and write the picture."""
    X, y = load_loans()
    print(f"{len(X)} loans, {X.shape[1]} raw inputs; rates from {y.min()} to {y.max()} percent")
    print(compare(X, y).to_string())
    print("held-out R2: mean over 5 folds ± standard error; largest change: against RidgeCV, in percentage points")
    try:
        figure = draw(X, y)
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main()

"""Shrink a loan-pricing model: fewer inputs to fetch, fewer bytes to ship, the accuracy kept.

A lender's interest rates follow from what it knows of a loan: 20 raw inputs, 83 columns once the text ones are
one-hot encoded. Here a ridge regression on them is pruned (whole inputs go, so that nobody has to fetch them),
quantized (integers instead of floats), and both, next to RidgeCV, LassoCV and textbook pruning by the size of the
weights. All scores are on held-out loans.

    python examples/plot_loan_pricing.py

prints one table and writes loan_pricing.png into the current directory.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import Lasso, LassoCV, Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import PrunedRegressor, QuantizedRegressor, compact, size_bytes
from skcompress.datasets import load_lending_club

PICTURE = Path("loan_pricing.png")
TUNING_FOLDS = KFold(5, shuffle=True, random_state=0)
FOLDS = KFold(5, shuffle=True, random_state=1)
SIZES = [1, 2, 3, 4, 6, 8, 10, 12, 15, 20]
BITS = [6, 4, 3]
ALPHAS = np.geomspace(0.003, 0.8, 10)


def load_loans():
    """Return the inputs and the interest rate in percent. The grade is set together with the rate, so it goes."""
    return load_lending_club(target="int_rate", return_X_y=True)


def pipeline(regressor):
    """Standardise the numbers, one-hot encode the texts, then the regressor."""
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, regressor)


def pruned(**options):
    """Return the form to begin with: the wrapper around the whole pipeline, so that it speaks of raw inputs."""
    return PrunedRegressor(pipeline(Ridge()), feature_groups="input", **options)


def score_and_size(model, X, y):
    """Return the R2 of a fitted model, and what it takes to ship it."""
    shipped = compact(model)
    return {"r2": model.score(X, y), "inputs": len(shipped.inputs), "bytes": size_bytes(shipped)}


def standard_error(results):
    """Return the standard error of the mean scores of a search, whose std_test_* divides by n and not by n - 1."""
    return results["std_test_r2"] / np.sqrt(TUNING_FOLDS.get_n_splits() - 1)


def smallest_within_one_standard_error(results):
    """Choose the fewest inputs, then the fewest bytes, with a score within one standard error of the best."""
    mean = results["mean_test_r2"]
    best = np.argmax(mean)
    lowest = mean[best] - standard_error(results)[best]
    inputs = np.where(mean >= lowest, results["mean_test_inputs"], np.inf)
    return np.lexsort([results["mean_test_bytes"], inputs])[0]


def tuned(model, grid, X, y):
    """Return the search, fitted."""
    rule = smallest_within_one_standard_error
    return GridSearchCV(
        model, grid, scoring=score_and_size, refit=rule, cv=TUNING_FOLDS, n_jobs=2, error_score="raise"
    ).fit(X, y)


def tune_all(X, y):
    """Return the searches, all tuned alike."""
    both = QuantizedRegressor(pruned(keep=["term"]))
    return {
        "lasso": tuned(pipeline(Lasso()), {"lasso__alpha": ALPHAS}, X, y),
        "textbook": tuned(pruned(importance="l1", refit=None), {"n_nonzero": SIZES}, X, y),
        "pruned": tuned(pruned(keep=["term"]), {"n_nonzero": SIZES}, X, y),
        "quantized": tuned(QuantizedRegressor(pipeline(Ridge())), {"bits": BITS}, X, y),
        "both": tuned(both, {"estimator__n_nonzero": [6, 8, 10], "bits": BITS}, X, y),
    }


def compare(searches, X, y):
    """Return the table."""
    ridge = pipeline(RidgeCV(np.logspace(-1, 3, 9))).fit(X, y)
    best = {name: search.best_estimator_ for name, search in searches.items()}
    as_small = clone(best["textbook"]).set_params(**searches["pruned"].best_params_)
    models = {
        "RidgeCV": ridge,
        "LassoCV": pipeline(LassoCV(alphas=ALPHAS)),
        "Lasso, tuned for size": best["lasso"],
        "textbook, tuned for size": best["textbook"],
        "textbook, as few inputs": as_small,
        "PrunedRegressor": best["pruned"],
        "QuantizedRegressor": best["quantized"],
        "both": best["both"],
    }
    reference = ridge.predict(X)
    return pd.DataFrame({name: measure(model, X, y, reference) for name, model in models.items()}).T


def measure(model, X, y, reference):
    """Return one line of the table; the model is fitted on all loans for what it takes to ship it."""
    scores = cross_val_score(model, X, y, cv=FOLDS)
    shipped = compact(model.fit(X, y))
    report = shipped.report()
    return {
        "held-out R2": f"{scores.mean():.3f} ± {scores.std(ddof=1) / np.sqrt(len(scores)):.3f}",
        "inputs": len(shipped.inputs),
        "weights": report["weights"],
        "bits": report["bits"] or 64,
        "bytes": size_bytes(shipped),
        "largest change": f"{np.abs(model.predict(X) - reference).max():.1f}",
    }


def draw(searches):
    """Return the figure: held-out score against inputs kept, as the searches have met them."""
    from matplotlib.figure import Figure

    lines = {
        "pruned": ("skcompress", "#0072B2", "o", "-"),
        "lasso": ("Lasso", "#D55E00", "s", "--"),
        "textbook": ("textbook: by |w|, no refit", "#555555", "^", ":"),
    }
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for key, (name, color, marker, style) in lines.items():
        results = searches[key].cv_results_
        inputs, score = results["mean_test_inputs"], results["mean_test_r2"]
        order = np.argsort(inputs)
        axes.plot(inputs[order], score[order], color=color, marker=marker, ls=style, lw=2, ms=7, label=name)
    full, error = searches["pruned"].cv_results_["mean_test_r2"][-1], standard_error(searches["pruned"].cv_results_)[-1]
    axes.axhspan(full - error, full + error, color="#dddddd", lw=0, zorder=0)
    axes.text(1, full + 1.5 * error, "all 20 inputs, ± one standard error")
    axes.set(xlabel="raw inputs that the model reads", ylabel="held-out R²", xticks=range(0, 21, 2), ylim=(-0.07, 0.47))
    axes.set_title("Loan pricing: fewer inputs, the accuracy kept")
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main():
    """Print the table and write the picture."""
    X, y = load_loans()
    print(f"{len(X)} loans, {X.shape[1]} raw inputs; rates from {y.min()} to {y.max()} percent")
    searches = tune_all(X, y)
    print(compare(searches, X, y).to_string())
    print("held-out R2: mean over 5 folds ± standard error; largest change: of a rate, in points, against RidgeCV")
    try:
        figure = draw(searches)
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main()

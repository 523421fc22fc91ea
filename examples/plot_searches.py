"""Size as one more thing to tune: RandomizedSearchCV, HalvingGridSearchCV and Optuna around the same wrappers.

Loan rates from twenty raw inputs. The number of weights, their bits and the ridge penalty are searched together, in
three ways. `score_and_size` reports held-out R2 and the bytes that ship of every candidate, and `smallest_within`
takes the smallest one near the best. A halving search compares candidates by one number, so there a byte gets a price.
`memory=` in the wrappers keeps each fit of the base for all sizes and bits, which pays where the base is slow to fit.
Optuna is tried where it is installed (pip install 'skcompress[tune]').

    python examples/plot_searches.py

prints what each search has chosen, and writes searches.png into the current directory.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.model_selection import HalvingGridSearchCV, KFold, RandomizedSearchCV, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import CompressionPathDisplay, PrunedRegressor, QuantizedRegressor, score_and_size, smallest_within
from skcompress.datasets import load_lending_club

PICTURE = Path("searches.png")
FOLDS = KFold(3, shuffle=True, random_state=0)
N_CANDIDATES, PRICE_OF_A_BYTE = 30, 2e-4
SIZE, BITS, ALPHA = "estimator__n_nonzero", "bits", "estimator__estimator__ridge__alpha"
ALPHAS = [1.0, 10.0, 100.0]
COLORS = {"random": "#0072B2", "halving": "#D55E00", "Optuna": "#009E73"}


def load_loans():
    """Return inputs and the interest rate in percent. The grade is set together with the rate, so it goes."""
    return train_test_split(*load_lending_club(target="int_rate", return_X_y=True), test_size=0.3, random_state=0)


def model(memory):
    """Return the wrappers around a pipeline of raw columns."""
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_exclude="number")),
    )
    return QuantizedRegressor(PrunedRegressor(make_pipeline(columns, Ridge()), n_nonzero=5), bits=4, memory=memory)


def random_search(X, y, memory):
    """Draw candidates at random; the smallest within one standard error of the best is refitted."""
    grid = {SIZE: range(2, 41), BITS: [2, 3, 4, 6, 8], ALPHA: ALPHAS}
    search = RandomizedSearchCV(
        model(memory),
        grid,
        n_iter=N_CANDIDATES,
        scoring=score_and_size("r2"),
        refit=smallest_within("1se"),
        cv=FOLDS,
        random_state=0,
    )
    return search.fit(X, y)


def worth(estimator, X, y):
    """Return one number for score and size: held-out R2 less the price of the bytes."""
    numbers = score_and_size("r2")(estimator, X, y)
    return numbers["score"] - PRICE_OF_A_BYTE * numbers["size"]


def halving_search(X, y, memory):
    """Begin with many candidates on few rows, and keep the better third of them each time."""
    grid = {SIZE: [2, 4, 8, 16, 32], BITS: [3, 4, 6, 8], ALPHA: ALPHAS}
    search = HalvingGridSearchCV(model(memory), grid, scoring=worth, cv=FOLDS, min_resources=600, random_state=0)
    return search.fit(X, y)


def optuna_study(X, y, memory):
    """Search for the frontier of two objectives; None where Optuna is not installed."""
    try:
        import optuna
    except ImportError:
        return None

    def objective(trial):
        candidate = model(memory).set_params(
            **{
                SIZE: trial.suggest_int("n_nonzero", 2, 40),
                BITS: trial.suggest_categorical("bits", [2, 3, 4, 6, 8]),
                ALPHA: trial.suggest_categorical("alpha", ALPHAS),
            }
        )
        results = cross_validate(candidate, X, y, scoring=score_and_size("r2"), cv=FOLDS)
        return results["test_score"].mean(), results["test_size"].mean()

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=N_CANDIDATES)
    return study


def smallest_near_best(trials, tolerance=0.01):
    """Return the trial of the fewest bytes whose score is close to the best."""
    best = max(trial.values[0] for trial in trials)
    return min((t for t in trials if t.values[0] >= best - tolerance), key=lambda trial: trial.values[1])


def timed(search, *args):
    """Return what a search gives and its seconds."""
    started = time.perf_counter()
    found = search(*args)
    return found, time.perf_counter() - started


def line(estimator, n_candidates, seconds, X_test, y_test):
    """Return a line of the table of chosen models."""
    numbers = score_and_size("r2")(estimator, X_test, y_test)
    chosen = {"weights": int(numbers["weights"]), "bits": estimator.bits, "alpha": estimator.get_params()[ALPHA]}
    return {
        "candidates": n_candidates,
        "seconds": round(seconds, 1),
        **chosen,
        "R2 on new loans": round(numbers["score"], 3),
        "bytes": int(numbers["size"]),
    }


def draw(clouds):
    """Return the figure: the frontier of each search."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.8, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, (sizes, scores) in clouds.items():
        display = CompressionPathDisplay(sizes=sizes, scores=scores, score_name="held-out R²")
        display.plot(ax=axes, color=COLORS[name], label=f"{name}, {len(sizes)} candidates", marker="o", ms=4)
    every = np.concatenate([scores for _, scores in clouds.values()])
    axes.set_ylim(np.quantile(every, 0.1), every.max() + 0.01)
    return figure


def main():
    """Search in three ways, print the chosen models and draw the candidates."""
    X, X_test, y, y_test = load_loans()
    lines, clouds = {}, {}
    with tempfile.TemporaryDirectory() as memory:
        search, seconds = timed(random_search, X, y, memory)
        asked, made = N_CANDIDATES * FOLDS.get_n_splits() + 1, len(list(Path(memory).rglob("output.pkl")))
        print(f"random search: {asked} fits of the base asked for, {made} made, the others from memory\n")
        lines["random"] = line(search.best_estimator_, N_CANDIDATES, seconds, X_test, y_test)
        clouds["random"] = search.cv_results_["mean_test_size"], search.cv_results_["mean_test_score"]

        search, seconds = timed(halving_search, X, y, memory)
        lines["halving"] = line(search.best_estimator_, search.n_candidates_[0], seconds, X_test, y_test)

        study, seconds = timed(optuna_study, X, y, memory)
        if study is None:
            print("no Optuna here: pip install 'skcompress[tune]'\n")
        else:
            params = smallest_near_best(study.best_trials).params
            chosen = {SIZE: params["n_nonzero"], BITS: params["bits"], ALPHA: params["alpha"]}
            best = model(memory).set_params(**chosen).fit(X, y)
            lines["Optuna"] = line(best, N_CANDIDATES, seconds, X_test, y_test)
            clouds["Optuna"] = np.array([trial.values for trial in study.trials]).T[::-1]
    print(pd.DataFrame.from_dict(lines, orient="index").to_string())
    try:
        figure = draw(clouds)
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main()

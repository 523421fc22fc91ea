"""GridSearchCV over size, bits and the penalty, with the bytes that ship beside the score.

The wrappers are estimators like any other. `score_and_size` makes GridSearchCV report both numbers for every
candidate, and `smallest_within` refits the smallest model within one standard error of the best.

    python examples/plot_gridsearch.py

prints the chosen model and its neighbours, and writes gridsearch.png into the current directory.
"""

from pathlib import Path

import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skcompress import CompressionPathDisplay, PrunedRegressor, QuantizedRegressor, score_and_size, smallest_within

PICTURE = Path("gridsearch.png")
GRID = {
    "estimator__n_nonzero": [3, 5, 8, 12, 20, 40],
    "bits": [2, 3, 4, 8],
    "estimator__estimator__ridge__alpha": [1.0, 10.0],
}


def main():
    """Search, print and draw."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    base = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler(), Ridge())
    model = QuantizedRegressor(PrunedRegressor(base, n_nonzero=5), bits=4)
    folds = KFold(10, shuffle=True, random_state=0)
    search = GridSearchCV(model, GRID, scoring=score_and_size("r2"), refit=smallest_within("1se"), cv=folds).fit(X, y)
    results = pd.DataFrame(search.cv_results_).sort_values("mean_test_score", ascending=False)
    names = {
        "mean_test_score": "R2",
        "std_test_score": "std",
        "mean_test_size": "bytes",
        "mean_test_weights": "weights",
    }
    columns = [f"param_{name}" for name in GRID]
    table = results[[*columns, *names]].rename(columns=names | {c: c.rpartition("__")[2] for c in columns})
    print(table.rename(columns={"param_bits": "bits"}).head(8).round(3).to_string(index=False))
    print(f"\nchosen: {search.best_params_}")
    print(f"ships as {len(search.best_estimator_.compact_.to_bytes(names=False))} bytes without names")
    try:
        display = CompressionPathDisplay.from_cv_results(
            search.cv_results_, chosen=search.best_index_, score_name="held-out R²"
        )
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    display.figure_.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main()

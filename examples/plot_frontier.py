"""The frontier of accuracy and size: all sizes and bit widths of a pricing model at one fit a fold.

Loan rates from twenty raw inputs, one-hot encoded and standardised. CompressedRegressorCV fits the ridge once for each
fold, walks every number of weights and every bit width on it, and takes the smallest file within one standard error
of the best.

    python examples/plot_frontier.py

prints the frontier and writes frontier.png into the current directory.
"""

from pathlib import Path

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LassoCV, RidgeCV
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import CompressedRegressorCV, CompressionPathDisplay
from skcompress.datasets import load_lending_club

PICTURE = Path("frontier.png")
FOLDS = KFold(5, shuffle=True, random_state=0)


def load_loans():
    """Return the inputs and the interest rate in percent. The grade is set together with the rate, so it goes."""
    return load_lending_club(target="int_rate", return_X_y=True)


def around(model):
    """Put the columns' preparation before a model."""
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, model)


def main():
    """Print the frontier and draw it."""
    X, y = load_loans()
    ridge = around(RidgeCV(alphas=[1.0, 10.0, 100.0]))
    search = CompressedRegressorCV(ridge, bits=(None, 8, 6, 4, 3, 2), cv=FOLDS, random_state=0).fit(X, y)
    print(search.frontier_.round(4).to_string())
    print(f"chosen: {search.best_params_}, {len(search.compact_.to_bytes(names=False))} bytes without names")
    print("inputs:", ", ".join(search.compact_.inputs))
    levels = {
        "RidgeCV, 64-bit": cross_val_score(ridge, X, y, cv=FOLDS).mean(),
        "LassoCV, 64-bit": cross_val_score(around(LassoCV(alphas=30)), X, y, cv=FOLDS).mean(),
    }
    try:
        display = CompressionPathDisplay.from_estimator(search, levels=levels, score_name="held-out R²")
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    display.figure_.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main()

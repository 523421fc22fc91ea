"""Does compressing a model protect the people it was fitted on? Measure it.

A hundred and fifty loans are used to fit a model of some eighty columns, and an attacker who knows a loan wants to know
whether it was among them. Two attacks are tried on the model and on what pruning and quantizing make of it: the
residual attack (small error: a member) and LiRA, which compares the error with those of shadow models that have and
have not seen the loan, each compressed the same way.

    python examples/plot_privacy.py

prints a table and writes privacy.png into the current directory. An area of 0.5 is a coin's. An attack that fails
proves nothing about a stronger one: this is a measurement, not a guarantee.
"""

from pathlib import Path

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from skcompress import PrunedRegressor, QuantizedRegressor, membership_audit
from skcompress.datasets import load_lending_club

PICTURE = Path("privacy.png")
MEMBERS, OTHERS = 150, 450
SHADOWS = 32


def load_loans():
    """Return the columns and the rate of the members, and of others."""
    loans = load_lending_club(target="int_rate").frame.sample(MEMBERS + OTHERS, random_state=0)
    rate = loans.pop("int_rate").to_numpy()
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(sparse_output=False), make_column_selector(dtype_exclude="number")),
    )
    X = columns.fit_transform(loans)
    return X[:MEMBERS], rate[:MEMBERS], X[MEMBERS:], rate[MEMBERS:]


def fit_all(X, y):
    """Return the models, from the one that remembers most."""
    ridge = Ridge(30.0)
    models = {
        "least squares": LinearRegression(),
        "least squares, 8 bits": QuantizedRegressor(LinearRegression(), bits=8),
        "ridge": ridge,
        "ridge, 8 bits": QuantizedRegressor(ridge, bits=8),
        "ridge, 3 bits": QuantizedRegressor(ridge, bits=3),
        "ridge, pruned to 25%": PrunedRegressor(ridge, n_nonzero=0.25),
        "ridge, pruned to 10%": PrunedRegressor(ridge, n_nonzero=0.1),
    }
    return {name: model.fit(X, y) for name, model in models.items()}


def draw(audit):
    """Return the figure: the area under the ROC curve of both attacks, with intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.8, 4.2), layout="constrained")
    axes = figure.subplots()
    for attack, color, shift, label in (
        ("residual", "#D55E00", -0.12, "residual attack"),
        ("lira", "#0072B2", 0.12, "LiRA, shadow models"),
    ):
        area = audit[f"{attack}_auc"]
        span = [area - audit[f"{attack}_auc_low"], audit[f"{attack}_auc_high"] - area]
        place = [row + shift for row in range(len(audit))]
        axes.errorbar(area, place, xerr=span, fmt="o", color=color, capsize=3, label=label)
    axes.axvline(0.5, color="#555555", ls=":", lw=1)
    names = [f"{name}\nR² {score:.2f}" for name, score in audit["score_others"].items()]
    axes.set(yticks=range(len(audit)), xlabel="area under the ROC curve, 95% intervals (0.5: a coin)", xlim=(0.44, 0.8))
    axes.set_yticklabels(names, fontsize=8)
    axes.invert_yaxis()
    axes.set_title("Who was in the training sample?")
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main():
    """Print the table and write the picture."""
    X, y, X_others, y_others = load_loans()
    print(f"{MEMBERS} members, {len(y_others)} others, {X.shape[1]} columns")
    audit = membership_audit(fit_all(X, y), X, y, X_others, y_others, n_shadows=SHADOWS, random_state=0)
    columns = ["score_others", "residual_auc", "lira_auc", "lira_auc_low", "lira_auc_high", "lira_tpr"]
    print(audit[columns].round(3).to_string())
    try:
        figure = draw(audit)
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    # Hundreds of fits of a few milliseconds each: waiting for other threads costs more than they save.
    with threadpool_limits(1):
        main()

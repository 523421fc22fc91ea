"""Bits of a credit model: how few will do, what the integers are, and how training in integers stalls or does not.

The interest rate of a loan from its 20 raw inputs, the numbers through splines, the texts one-hot encoded. Neighbouring
splines are strongly correlated, which is where rounding each weight by itself goes wrong. Three pictures: the held-out
score against the bits of a weight, by how the weights are rounded; the 4-bit weights themselves; and a model trained
batch by batch whose weights are 8-bit integers all along.

    python examples/plot_bits.py

prints the numbers and writes bits.png into the current directory.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import Ridge, SGDRegressor
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

from skcompress import QuantizedRegressor, size_bytes
from skcompress.datasets import load_lending_club

PICTURE = Path("bits.png")
BITS = [2, 3, 4, 5, 6, 8]
ROUNDINGS = {"nearest": {"scale": "max"}, "gptq": {}, "lattice": {}, "joint": {}}
LABELS = {"nearest": "nearest (scale of the largest)"}
BATCH = 5


def load_loans():
    """Return the inputs and the interest rate in percent. The grade is set together with the rate, so it goes."""
    return load_lending_club(target="int_rate", return_X_y=True)


def features(numbers):
    """Put the numbers through a transformer, one-hot encode the texts."""
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (
            OneHotEncoder(min_frequency=20, handle_unknown="ignore", sparse_output=False),
            make_column_selector(dtype_exclude="number"),
        ),
    )


def score_by_bits(base, X, y, X_new, y_new):
    """Return the held-out R2 by rounding and bits, and the fitted 4-bit models."""
    scores, four_bits = {}, {}
    for rounding, options in ROUNDINGS.items():
        for bits in BITS:
            model = QuantizedRegressor(base, bits=bits, rounding=rounding, granularity="output", **options).fit(X, y)
            scores[rounding, bits] = model.score(X_new, y_new)
            if bits == 4:
                four_bits[rounding] = model
    return pd.Series(scores).unstack(level=0)[list(ROUNDINGS)], four_bits


def train_in_integers(X, y, X_new, y_new):
    """Return the held-out R2 after each hundred batches: of floats, and of 8-bit integers by their rounding."""
    sgd = SGDRegressor(learning_rate="constant", eta0=5e-4, random_state=0)
    models = {"floats": clone(sgd)}
    for rounding in ("stochastic", "nearest"):
        models[f"8 bits, {rounding}"] = QuantizedRegressor(
            sgd, bits=8, grid="fixed_point", scale=2**-5, rounding=rounding, random_state=0
        )
    seen, curves = [], {name: [] for name in models}
    for start in range(0, len(X), BATCH):
        rows = slice(start, start + BATCH)
        for model in models.values():
            model.partial_fit(X[rows], y[rows])
        if start % (100 * BATCH) == 0:
            seen.append(start + BATCH)
            for name, model in models.items():
                curves[name].append(model.score(X_new, y_new))
    return pd.DataFrame(curves, index=seen)


def draw(scores, floats, four_bits, curves):
    """Return the figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6.6), layout="constrained")
    grid = figure.add_gridspec(2, 2)
    colors = {"nearest": "#555555", "gptq": "#D55E00", "lattice": "#0072B2", "joint": "#009E73"}
    markers = dict(zip(ROUNDINGS, "^sov", strict=True))

    axes = figure.add_subplot(grid[0, 0])
    axes.axhline(floats, color="#999999", lw=1)
    axes.text(8, floats + 0.012, "floats", ha="right")
    for name in ROUNDINGS:
        axes.plot(
            scores.index, scores[name], color=colors[name], marker=markers[name], lw=2, label=LABELS.get(name, name)
        )
    axes.set(xlabel="bits of a weight", ylabel="held-out R²", ylim=(-0.05, floats + 0.06), xticks=BITS)
    axes.set_title("How few bits will do")
    axes.legend(loc="lower right", frameon=False)

    axes = figure.add_subplot(grid[0, 1])
    for name, color, style in zip(curves, ("#999999", "#0072B2", "#555555"), ("-", "-", "--"), strict=True):
        axes.plot(curves.index, curves[name], color=color, ls=style, lw=2, label=name)
    axes.set(xlabel="loans seen", ylabel="held-out R²", ylim=(-0.05, None))
    axes.set_title("Trained in integers: rounding to nearest stalls")
    axes.legend(loc="lower right", frameon=False)

    axes = figure.add_subplot(grid[1, :])
    codes = np.vstack([four_bits["nearest"].codes_, four_bits["lattice"].codes_])
    image = axes.imshow(codes, aspect="auto", cmap="RdBu", vmin=-7, vmax=7, interpolation="nearest")
    axes.set(yticks=[0, 1], yticklabels=["nearest", "lattice"], xlabel=f"the {codes.shape[1]} weights in order")
    axes.set_title("The 4-bit integers of the model")
    figure.colorbar(image, ax=axes, ticks=[-7, 0, 7], pad=0.01)
    for axes in figure.axes[:2]:
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def main():
    """Print the numbers and write the picture."""
    X, X_new, y, y_new = train_test_split(*load_loans(), random_state=0)
    splines = features(SplineTransformer(n_knots=5, knots="quantile", extrapolation="constant"))
    base = make_pipeline(splines, Ridge(0.1))
    floats = clone(base).fit(X, y)
    scores, four_bits = score_by_bits(base, X, y, X_new, y_new)
    print(f"held-out R2, by bits and rounding; the floats: {floats.score(X_new, y_new):.3f}")
    print(scores.round(3).to_string())
    for name, model in four_bits.items():
        used = np.count_nonzero(model.codes_)
        print(f"4 bits, {name}: {used} of {model.codes_.size} integers are not zero, {size_bytes(model)} bytes")

    scaled = features(StandardScaler()).fit(X)
    centre = y.mean()
    data = scaled.transform(X), (y - centre).to_numpy(), scaled.transform(X_new), (y_new - centre).to_numpy()
    curves = train_in_integers(*data)
    print("training in integers, held-out R2 after all loans:", curves.iloc[-1].round(3).to_dict())
    try:
        figure = draw(scores, floats.score(X_new, y_new), four_bits, curves)
    except ImportError:
        print("no picture without matplotlib: pip install matplotlib")
        return
    figure.savefig(PICTURE, dpi=120)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main()

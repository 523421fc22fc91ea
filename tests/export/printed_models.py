"""Models and rows that every exporter is tested on."""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from skcompress import PrunedRegressor, QuantizedClassifier, QuantizedRegressor, StepEncoder
from skcompress.artifact import Block, CompactLinear, Inputs, Weights
from skcompress.artifact.terms import TERMS

NAN = float("nan")


def frame(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "amount": rng.lognormal(9, 0.5, n),
            "the rate": rng.normal(size=n),
            "age's": rng.integers(18, 80, n).astype(float),
            "purpose": rng.choice(["car", "home", "o'hare", "x\\y"], n),
            "term": rng.choice([36, 60], n),
            "debt": np.where(rng.random(n) < 0.2, np.nan, rng.gamma(2, size=n)),
        }
    )


FRAME = frame()
Y = (FRAME["purpose"] == "car") + FRAME["the rate"] + FRAME["age's"] / 30 + FRAME["term"] / 60
NUMBERS = ["amount", "the rate", "age's"]


def columns(*extra):
    return make_column_transformer(
        (StandardScaler(), ["the rate", "age's"]),
        (make_pipeline(FunctionTransformer(np.log1p), StandardScaler()), ["amount"]),
        (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["purpose", "term"]),
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["debt"]),
        *extra,
    )


def bent():
    """Bins, splines, clipped and ordinal columns."""
    spline = SplineTransformer(n_knots=4, degree=3, extrapolation="linear")
    return make_column_transformer(
        (KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform"), ["age's"]),
        (make_pipeline(StandardScaler(), spline), ["the rate"]),
        (MinMaxScaler(clip=True), ["amount"]),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["purpose"]),
    )


def polynomial():
    return make_pipeline(make_column_transformer((StandardScaler(), NUMBERS)), PolynomialFeatures(3))


COUNTS = np.random.default_rng(1).poisson(np.exp(0.2 * FRAME["the rate"]))
GRADES = np.array(["bad", "fair", "good"])[np.digitize(Y, [2, 3.5])]


def _models():
    yield "numbers", LinearRegression().fit(FRAME[NUMBERS], Y)
    yield "mixed", make_pipeline(columns(), Ridge()).fit(FRAME, Y)
    yield "pruned", PrunedRegressor(make_pipeline(columns(), Ridge()), n_nonzero=3).fit(FRAME, Y)
    yield "4 bits", QuantizedRegressor(make_pipeline(columns(), Ridge()), bits=4).fit(FRAME, Y)
    yield "integers", QuantizedRegressor(make_pipeline(columns(), Ridge()), bits=6, input_bits=8).fit(FRAME, Y)
    yield "bent", make_pipeline(bent(), Ridge()).fit(FRAME, Y)
    yield "polynomial", make_pipeline(polynomial(), Ridge()).fit(FRAME, Y)
    yield "log link", make_pipeline(columns(), PoissonRegressor()).fit(FRAME, COUNTS)
    yield "outputs", make_pipeline(columns(), Ridge()).fit(FRAME, np.column_stack([Y, -(Y**2)]))
    yield "two classes", make_pipeline(columns(), LogisticRegression()).fit(FRAME, Y > 3)
    yield "classes", make_pipeline(columns(), LogisticRegression()).fit(FRAME, GRADES)
    steps = make_column_transformer((StepEncoder(max_steps=4), [*NUMBERS, "debt"]))
    yield "steps", QuantizedClassifier(make_pipeline(steps, LogisticRegression()), bits=6).fit(FRAME, Y > 3)
    quantized = QuantizedClassifier(make_pipeline(columns(), LogisticRegression()), bits=5)
    yield "classes of codes", quantized.fit(FRAME, GRADES)


MODELS = dict(_models())


def of_block(kind, params, n_inputs=1, codes=None):
    """Return a model with weights on all that one block makes."""
    block = Block.make(kind, range(n_inputs), params)
    k = n_inputs
    weights = Weights.from_values(np.random.default_rng(3).normal(size=(1, block.n_out)))
    if codes is not None:
        weights = Weights.from_codes([codes], 0.25, bits=4)
    inputs = Inputs(tuple(f"input {j}" for j in range(k)), np.arange(k), k)
    return CompactLinear(weights, [0.5], inputs, blocks=[block], columns=np.arange(block.n_out) + k)


KNOTS = np.array([-3, -2, -1.0, 0, 0.5, 1.5, 2, 3, 4])
X = np.concatenate([np.linspace(-2.4, 4.4, 35), [-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]])

TERMS_AND_ROWS = {
    "category": (
        of_block("category", {"levels": ("a", "b'", None), "slots": [0, 1, 1], "other": -1}),
        ["a", "b'", "q", None],
    ),
    "category of numbers": (
        of_block("category", {"levels": (1, 2.5), "slots": [1, 0], "other": 2}),
        [1.0, 2.5, 7.0, 0.0],
    ),
    "lookup": (
        of_block("lookup", {"levels": ("a", "b"), "slots": [0, 1], "other": 1, "values": [0.5, -3.0]}),
        ["a", "b", "zoo"],
    ),
    "entry": (of_block("entry", {}), X),
    "affine": (of_block("affine", {"offset": [1.0], "divisor": [3.0]}), X),
    "scaled": (of_block("scaled", {"factor": [1.7], "shift": [3.0]}), X),
    "clip": (of_block("clip", {"low": [-1.0], "high": [1.5]}), X),
    "fill": (of_block("fill", {"marker": (NAN,), "value": [7.0]}), [*X, NAN]),
    "fill a number": (of_block("fill", {"marker": (2.0,), "value": [7.0]}), X),
    "missing": (of_block("missing", {"marker": (NAN,)}, codes=[3]), [1.0, NAN, 0.0]),
    "bins": (of_block("bins", {"edges": [-1.0, 0.0, 0.5, 2.0], "slots": [0, -1, 1, 0, 2]}), X),
    "bins of codes": (of_block("bins", {"edges": [-1.0, 0.0], "slots": [0, -1, 1]}, codes=[5, -7]), X),
    "step": (of_block("step", {"edges": [-1.0, 1.0], "values": [0.0, 5.0, 2.0]}, codes=[-2]), X),
    "product": (of_block("product", {"sizes": [2, 3], "factors": [0, 0, 0, 0, 0]}), X),
}
for number in range(19):
    TERMS_AND_ROWS[f"function {number}"] = (
        of_block("function", {"function": number}),
        X if number not in (1, 2, 3, 4, 11, 0) else np.abs(X) + 0.1,
    )
for degree in range(4):
    for extrapolation, way in enumerate(["continue", "constant", "linear", "periodic", "error"]):
        if way == "periodic" and degree == 0:
            continue
        knots = KNOTS[3 - degree : len(KNOTS) - 3 + degree]
        n = len(knots) - degree - 1 - (degree if way == "periodic" else 0)
        slots = [-1, *range(n - 1)]
        params = {"degree": degree, "extrapolation": extrapolation, "missing": 1, "knots": knots, "slots": slots}
        low, high = knots[degree], knots[-degree - 1]
        inside = [x for x in X if low <= x <= high] if way == "error" else X
        TERMS_AND_ROWS[f"spline {degree} {way}"] = (of_block("spline", params), [*inside, NAN])

assert {model.blocks[0].kind for model, _ in TERMS_AND_ROWS.values()} == set(TERMS) - {"words", "hash"}


def table_of(rows):
    return pd.DataFrame({"input 0": pd.Series(rows, dtype=object if isinstance(rows[0], str) else float)})

"""Kinds of pipelines that every system is compared on, with the rows that they were fitted on."""

import warnings

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import (
    GammaRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from skcompress import (
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
    ScorecardClassifier,
    StepEncoder,
    compact,
)

N = 120
RNG = np.random.default_rng(4)
FRAME = pd.DataFrame(
    {
        "size": RNG.gamma(3, size=N) + 0.1,
        "Δ rate": RNG.normal(size=N),
        "skc_0": np.where(RNG.random(N) < 0.2, np.nan, RNG.normal(40, 9, size=N).round()),
        "kind": RNG.choice(["car", "o'hare", "x\\y", "日本", 'a"b'], N),
        "code": RNG.choice([1, 2, 36], N),
    }
)
Y = FRAME["size"] - FRAME["Δ rate"] + (FRAME["kind"] == "car") + np.nan_to_num(FRAME["skc_0"]) / 40 + RNG.normal(size=N)
COUNTS = RNG.poisson(np.exp(FRAME["Δ rate"] / 2))
GRADES = np.array(["low", "mid'", "high"])[np.digitize(Y, [3, 5])]
PLAIN, ALL, GAPS = ["size", "Δ rate"], ["size", "Δ rate", "skc_0"], ["skc_0"]


def on(names, *steps):
    return make_column_transformer((make_pipeline(*steps) if len(steps) > 1 else steps[0], names))


def mixed():
    return make_column_transformer(
        (StandardScaler(), PLAIN),
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), GAPS),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["kind", "code"]),
    )


def spline(extrapolation, degree=3, **options):
    return on(PLAIN, SplineTransformer(n_knots=4, degree=degree, extrapolation=extrapolation, **options))


def function(name, names=("Δ rate",)):
    return on(list(names), FunctionTransformer(getattr(np, name)))


def _on_numbers():
    """Steps before Ridge."""
    yield "as it is", on(PLAIN, "passthrough")
    yield "standard", on(PLAIN, StandardScaler())
    yield "min max", on(PLAIN, MinMaxScaler())
    yield "clipped", on(PLAIN, MinMaxScaler(clip=True))
    yield "max abs", on(PLAIN, MaxAbsScaler())
    yield "robust", on(PLAIN, RobustScaler())
    yield "binarizer", on(PLAIN, Binarizer(threshold=0.5))
    yield "scaled and clipped", on(PLAIN, StandardScaler(), MinMaxScaler(clip=True))
    for way, encode in (("quantile", "onehot-dense"), ("uniform", "onehot-dense"), ("uniform", "ordinal")):
        yield f"bins {way} {encode}", on(PLAIN, KBinsDiscretizer(4, encode=encode, strategy=way))
    for way in ("continue", "constant", "linear", "periodic", "error"):
        yield f"spline {way}", spline(way)
    yield "steps of a spline", spline("continue", degree=0)
    yield "spline of bins", on(PLAIN, KBinsDiscretizer(4, encode="ordinal", strategy="uniform"), SplineTransformer())
    yield "squares", on(PLAIN, StandardScaler(), PolynomialFeatures(2))
    yield "cubes", on(PLAIN, PolynomialFeatures(3))
    yield "interactions", on(PLAIN, PolynomialFeatures(2, interaction_only=True))
    yield "best", on(PLAIN, StandardScaler(), SelectKBest(f_regression, k=1))
    yield "union", on(PLAIN, FeatureUnion([("a", StandardScaler()), ("b", Binarizer())]))
    for name in ("log1p", "sqrt", "cbrt", "log", "reciprocal"):
        yield name, function(name, ["size"])
    for name in ("exp", "expm1", "sin", "cos", "tanh", "arcsinh", "square", "sign", "floor", "rint", "absolute"):
        yield name, function(name)
    yield "exp and clipped", on(["Δ rate"], FunctionTransformer(np.exp), MinMaxScaler(clip=True))
    yield "log and bins", on(["size"], FunctionTransformer(np.log), KBinsDiscretizer(3, encode="onehot-dense"))
    yield "imputed", on(ALL, SimpleImputer())
    yield "imputed and marked", on(ALL, SimpleImputer(strategy="median", add_indicator=True))
    yield "imputed and squares", on(ALL, SimpleImputer(), PolynomialFeatures(2))
    yield "imputed and clipped", on(GAPS, SimpleImputer(), MinMaxScaler(clip=True))
    yield "zero is missing", on(["code"], SimpleImputer(missing_values=36, strategy="mean"), StandardScaler())
    yield "marked", on(GAPS, MissingIndicator(features="all"))
    yield "log and imputed", on(["size"], FunctionTransformer(np.log), SimpleImputer(), StandardScaler())
    yield "scaled and imputed", on(GAPS, StandardScaler(), SimpleImputer())
    yield "spline of missing", on(GAPS, SimpleImputer(), SplineTransformer(extrapolation="linear"))


def _on_categories():
    both = ["kind", "code"]
    yield "one hot", on(both, OneHotEncoder(sparse_output=False))
    yield "one hot ignored", on(both, OneHotEncoder(handle_unknown="ignore", sparse_output=False))
    yield "one hot first", on(both, OneHotEncoder(drop="first", sparse_output=False))
    rare = OneHotEncoder(min_frequency=25, handle_unknown="infrequent_if_exist", sparse_output=False)
    yield "one hot rare", on(both, rare)
    yield "ordinal", on(both, OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1))
    yield "ordinal refused", on(both, OrdinalEncoder())
    yield "target", on(both, TargetEncoder(target_type="continuous"))
    yield "levels with gaps", on(["skc_0"], OneHotEncoder(handle_unknown="ignore", sparse_output=False))
    yield "crossed", on(both, OneHotEncoder(sparse_output=False), PolynomialFeatures(2, include_bias=False))


def _heads():
    """Models on mixed columns, and their targets."""
    yield "least squares", LinearRegression(), Y
    yield "Poisson", PoissonRegressor(), COUNTS
    yield "Gamma", GammaRegressor(), np.exp(Y / 4)
    yield "log target", TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1), np.abs(Y)
    yield "root target", TransformedTargetRegressor(Ridge(), func=np.sqrt, inverse_func=np.square), np.abs(Y)
    yield "outputs", Ridge(), np.column_stack([Y, -(Y**2)])
    yield "two classes", LogisticRegression(), Y > 4
    yield "two numbers", LogisticRegression(), np.where(Y > 4, -1, 1)
    yield "three classes", LogisticRegression(), GRADES
    yield "one against the rest", SGDClassifier(loss="log_loss", alpha=0.01, random_state=0), GRADES
    yield "scores", RidgeClassifier(), GRADES
    yield "pruned", PrunedRegressor(Ridge(), n_nonzero=3), Y
    yield "pruned outputs", PrunedRegressor(Ridge(), n_nonzero=2), np.column_stack([Y, FRAME["size"]])
    yield "4 bits", QuantizedRegressor(Ridge(), bits=4), Y
    yield "integers", QuantizedRegressor(Ridge(), bits=6, input_bits=8), Y
    yield "integers of classes", QuantizedClassifier(LogisticRegression(), bits=5, input_bits=8), GRADES
    yield "pruned classes", PrunedClassifier(LogisticRegression(), n_nonzero=2), GRADES


def _fitted():
    for name, steps in (*_on_numbers(), *_on_categories()):
        yield name, make_pipeline(steps, Ridge()).fit(FRAME, Y)
    for name, head, y in _heads():
        yield name, make_pipeline(mixed(), head).fit(FRAME, y)
    steps = make_column_transformer((StepEncoder(max_steps=4), [*ALL, "kind"]))
    yield "card of steps", QuantizedClassifier(make_pipeline(steps, LogisticRegression()), bits=6).fit(FRAME, Y > 4)
    yield "card", ScorecardClassifier(n_lines=6, random_state=0).fit(FRAME, Y > 4)
    single = FRAME[PLAIN].astype(np.float32)
    yield "single", make_pipeline(StandardScaler(), Ridge()).fit(single.to_numpy(), Y.astype(np.float32))
    rows = [{"kind": k, "size": s} for k, s in zip(FRAME["kind"], FRAME["size"], strict=True)]
    yield "mappings", make_pipeline(DictVectorizer(sparse=False), Ridge()).fit(rows, Y)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    PIPELINES = dict(_fitted())
    MODELS = {name: compact(model) for name, model in PIPELINES.items()}
    MODELS["points"] = PIPELINES["card"].points_compact_
    MODELS["capped"] = compact(PIPELINES["two classes"], cap=FRAME)

EXTREME = [
    float("nan"),
    float("inf"),
    -float("inf"),
    1e308,
    -1e308,
    1e155,
    1e-160,
    5e-324,
    -5e-324,
    0.0,
    -0.0,
    -1.0,
    1e9,
]
STRANGE = [None, "", "never seen", "CAR", "car ", "o'hare", "日本", "null", "12abc"]


def adversarial(small):
    """Golden rows, and rows that change one input of a usual row at a time, as a list of dicts."""
    usual = FRAME.dropna().iloc[3].to_dict()
    if small.reads.labels is None:
        usual = dict(zip(small.inputs, FRAME[PLAIN].iloc[3], strict=True))
    if small.reads.rows == "mappings":
        return [{"kind": "car", "size": 1.5}, {"size": 2.0}, {"kind": "never seen"}, {}, {"size": float("inf")}]
    rows = golden(small, FRAME[PLAIN].to_numpy() if small.reads.labels is None else FRAME)
    usual = {name: usual[name] for name in small.inputs}
    rows.append(usual)
    for name in small.inputs:
        values = STRANGE if name == "kind" else EXTREME
        rows += [{**usual, name: value} for value in values]
    return rows


def golden(small, X):
    """The golden rows of a model of tables, as a list of dicts."""
    columns = small.golden_rows(X)
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*(c.tolist() for c in columns.values()), strict=True)
    ]

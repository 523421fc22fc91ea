"""max_change against the enumeration of a box, and against random rows of it."""

import itertools
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.feature_extraction import DictVectorizer
from sklearn.impute import MissingIndicator, SimpleImputer
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

from skcompress import PrunedClassifier, PrunedRegressor, QuantizedRegressor, compact, max_change
from skcompress.artifact import Block, CompactLinear, Inputs, Weights
from skcompress.artifact.analysis.anatomy import Curve
from skcompress.artifact.analysis.turning import turning_points

NAN = float("nan")
RNG = np.random.default_rng(0)
N = 300
FRAME = pd.DataFrame(
    {
        "income": RNG.lognormal(9, 0.5, N),
        "rate": RNG.normal(size=N),
        "age": RNG.integers(18, 80, N).astype(float),
        "purpose": RNG.choice(["car", "home", "trip"], N),
        "term": RNG.choice([36, 60], N),
    }
)
Y = (FRAME["purpose"] == "car") + FRAME["rate"] + np.sin(FRAME["age"] / 9) + FRAME["term"] / 60 + RNG.normal(size=N)
NUMBERS = ["income", "rate", "age"]


def columns():
    return make_column_transformer(
        (make_pipeline(FunctionTransformer(np.log1p), StandardScaler()), ["income"]),
        (MinMaxScaler(clip=True), ["rate"]),
        (SplineTransformer(n_knots=5, extrapolation="constant"), ["age"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["purpose", "term"]),
    )


def etas(model, rows):
    return compact(model).linear_predictor(rows)


def rows_of_box(n=4000):
    rng = np.random.default_rng(1)
    drawn = {name: rng.uniform(FRAME[name].min(), FRAME[name].max(), n) for name in NUMBERS}
    drawn.update({name: rng.choice(FRAME[name].unique(), n) for name in ("purpose", "term")})
    return pd.DataFrame(drawn)[list(FRAME.columns)]


def check(a, b, change, bounds):
    """The value is attained by its row, is made of its shares, and no random row of the box is beyond it."""
    rows = pd.concat([rows_of_box(), FRAME])
    seen = np.abs(etas(b, rows) - etas(a, rows)).max(axis=0)
    assert change.value >= seen.max() * (1 - 1e-12)
    row = {**FRAME.iloc[0].to_dict(), **change.row}
    there = (etas(b, pd.DataFrame([row])) - etas(a, pd.DataFrame([row])))[0, change.output]
    assert there == pytest.approx(change.attained, rel=1e-9)
    assert abs(change.common) + sum(change.shares.values()) == pytest.approx(change.value, rel=1e-9)
    if change.exact:
        assert abs(change.attained) == pytest.approx(change.value, rel=1e-9)


def pairs():
    numbers = make_pipeline(StandardScaler(), Ridge())
    yield "numbers", numbers, Ridge(100.0), NUMBERS
    yield "mixed", make_pipeline(columns(), Ridge()), make_pipeline(columns(), Ridge(30.0)), None
    bins = KBinsDiscretizer(5, strategy="uniform")
    yield "bins beside a line", make_pipeline(bins, Ridge()), Ridge(), NUMBERS
    curved = make_pipeline(PolynomialFeatures((3, 3), interaction_only=False), StandardScaler(), Ridge())
    yield "cubes of one input", make_pipeline(PolynomialFeatures(3), StandardScaler(), Ridge()), curved, ["age"]


@pytest.mark.parametrize(("a", "b", "names"), [p[1:] for p in pairs()], ids=[p[0] for p in pairs()])
def test_value_is_attained_and_never_exceeded(a, b, names):
    X = FRAME if names is None else FRAME[names]
    a, b = a.fit(X, Y), b.fit(X, Y)
    change = max_change(a, b, bounds=FRAME)
    assert change.exact
    check(a, b, change, FRAME)
    assert max_change(b, a, bounds=FRAME).value == pytest.approx(change.value, rel=1e-12)


@pytest.mark.parametrize(
    "wrapper", [PrunedRegressor(n_nonzero=4), QuantizedRegressor(bits=3), QuantizedRegressor(bits=4, input_bits=6)]
)
def test_compressed_models_know_their_own_box(wrapper):
    base = make_pipeline(columns(), Ridge())
    model = wrapper.set_params(estimator=base).fit(FRAME, Y)
    fitted = base.fit(FRAME, Y)
    change = max_change(fitted, model)
    assert change.exact
    check(fitted, model, change, "observed")


def test_whole_numbers_against_all_rows_of_a_box():
    # Points on bins and levels, so that every row of the box can be written down.
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [0.0, 5, 7, 9], "c": list("xyzx")})
    for _ in range(20):
        blocks = [
            Block.make("bins", [0], {"edges": [1.0, 2.0, 3.0], "slots": [0, 1, 2, 3]}),
            Block.make("step", [1], {"edges": [5.0, 7.0, 9.0], "values": rng.integers(-5, 6, 4)}),
            Block.make("category", [2], {"levels": ("x", "y"), "slots": [0, 1], "other": -1}),
        ]
        inputs = Inputs(("a", "b", "c"), np.arange(3), 3)
        a, b = (
            CompactLinear(
                Weights.from_values(rng.integers(-9, 10, (1, 7)).astype(float)),
                rng.integers(-3, 4, 1),
                inputs,
                blocks=blocks,
                columns=range(3, 10),
            )
            for _ in range(2)
        )
        grid = pd.DataFrame(list(itertools.product(*(frame[name].unique() for name in frame))), columns=list("abc"))
        truth = np.abs(b.linear_predictor(grid) - a.linear_predictor(grid)).max()
        change = max_change(a, b, bounds="all")
        assert change.exact
        assert change.value == truth == abs(change.attained)
        assert max_change(a, b, bounds=frame).value == truth


def test_turning_points_inside_of_a_piece_are_found():
    # log(1 + x) - x / 10 turns at 9, far from where a line would look for it.
    x = pd.DataFrame({"x": np.linspace(0.0, 100.0, 50)})
    both = make_pipeline(make_column_transformer((FunctionTransformer(np.log1p), ["x"])), LinearRegression())
    log = both.fit(x, np.log1p(x["x"]))
    line = LinearRegression().fit(x, x["x"] / 10)
    for high, turn, value in ((50, 9, np.log(10) - 0.9), (80, 80, 8 - np.log(81)), (5, 5, np.log(6) - 0.5)):
        change = max_change(line, log, bounds={"x": (0, high)})
        assert change.exact
        assert change.row["x"] == pytest.approx(turn, abs=1e-5)
        assert change.value == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("function", "interval", "expected"),
    [
        (lambda x: np.sin(x), (0.0, 20.0), np.pi / 2 + np.pi * np.arange(6)),
        (lambda x: (x - 1) ** 2 * (x + 2), (-3.0, 3.0), [-1.0, 1.0]),
        (lambda x: np.sqrt(x) - x, (0.0, 1.0), [0.25]),
        (lambda x: 3.0 * x + 1.0, (-1e60, 1e60), []),
        (lambda x: np.exp(-((x - 70.0) ** 2) * 50), (0.0, 100.0), [70.0]),
    ],
)
def test_turning_points(function, interval, expected):
    low, high = interval
    turns = turning_points(lambda x: (function(x), np.abs(function(x))), np.array([low]), high)
    assert turns.complete
    assert {low, high} <= set(turns.points)
    for point in expected:
        assert np.abs(turns.points - point).min() < 1e-6


def test_products_are_bounded_and_said_to_be():
    a = make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge()).fit(FRAME[NUMBERS], Y)
    b = PrunedRegressor(make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge()), n_nonzero=3)
    b.fit(FRAME[NUMBERS], Y)
    change = max_change(a, b, bounds=FRAME)
    assert not change.exact
    assert abs(change.attained) <= change.value
    assert "income x rate" in change.shares
    check(a, b, change, FRAME)
    # Terms that both have are compared, not bounded one by one.
    assert max_change(a, a, bounds=FRAME).value == 0


def test_one_product_alone_is_exact():
    X = FRAME[["rate", "age"]]
    a, b = (
        make_pipeline(PolynomialFeatures((2, 2), interaction_only=True, include_bias=False), LinearRegression())
        for _ in range(2)
    )
    a.fit(X, X["rate"] * X["age"])
    b.fit(X, 2 * X["rate"] * X["age"])
    change = max_change(a, b, bounds={"rate": (-1, 2), "age": (20, 50)})
    assert change.value == pytest.approx(100, rel=1e-9)
    assert change.exact
    assert change.row == {"rate": 2, "age": 50}


def test_all_needs_every_input_settled():
    a = make_pipeline(columns(), Ridge()).fit(FRAME, Y)
    b = make_pipeline(columns(), Ridge(50.0)).fit(FRAME, Y)
    with pytest.raises(ValueError, match=r"no bounds for 'income': bounds='all' needs every input binned"):
        max_change(a, b, bounds="all")
    a, b = compact(a, cap=FRAME), compact(b, cap=FRAME)
    everywhere = max_change(a, b, bounds="all")
    assert everywhere.exact
    inside = max_change(a, b, bounds=FRAME)
    # Beyond the caps nothing is added but what an unknown level does.
    unknown = max_change(a, b, bounds={"purpose": ["car", "home", "trip"], "term": [36, 60]})
    assert inside.value == pytest.approx(unknown.value, rel=1e-12)
    assert everywhere.value >= inside.value
    far = FRAME.assign(income=1e9, age=-5.0, rate=40.0, purpose="boat", term=12)
    assert np.abs(b.linear_predictor(far) - a.linear_predictor(far)).max() <= everywhere.value


def test_missing_values_and_unknown_levels_count_where_both_models_take_them():
    X = pd.DataFrame({"x": [1.0, 2.0, NAN, 4.0]})
    a = make_pipeline(SimpleImputer(strategy="constant", fill_value=0.0), LinearRegression()).fit(X, [1.0, 2, 0, 4])
    b = make_pipeline(SimpleImputer(strategy="constant", fill_value=10.0), LinearRegression()).fit(X, [1.0, 2, 10, 4])
    change = max_change(a, b, bounds={"x": (1, 4)})
    assert change.value == pytest.approx(10)
    assert np.isnan(change.row["x"])
    plain = LinearRegression().fit(X.dropna(), [1.0, 2, 4])
    assert max_change(plain, b, bounds={"x": (1, 4)}).value == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="'x' has nan in its bounds, at which a model has no prediction"):
        max_change(plain, b, bounds=X)


def test_outputs_and_probabilities():
    labels = np.array(["bad", "fair", "good"])[np.digitize(Y, [1.0, 2.5])]
    base = make_pipeline(columns(), LogisticRegression())
    a, b = base.fit(FRAME, labels), PrunedClassifier(base, n_nonzero=3).fit(FRAME, labels)
    change = max_change(a, b, bounds=FRAME)
    seen = np.abs(etas(b, FRAME) - etas(a, FRAME)).max(axis=0)
    assert change.value >= seen.max()
    check(a, b, change, FRAME)
    many = np.column_stack([Y, Y**2])
    a, b = (make_pipeline(columns(), Ridge(alpha)).fit(FRAME, many) for alpha in (1.0, 40.0))
    check(a, b, max_change(a, b, bounds=FRAME), FRAME)


def test_levels_as_numbers_and_dictionaries():
    encoder = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["purpose"]),
        (StandardScaler(), ["rate"]),
    )
    a, b = (make_pipeline(encoder, Ridge(alpha)).fit(FRAME, Y) for alpha in (1.0, 1000.0))
    check(a, b, max_change(a, b, bounds=FRAME), FRAME)
    rows = [{"city": "Rome", "age": 3.0}, {"age": 2.0}, {"city": "Oslo"}, {"city": "Rome", "age": 1.0}]
    a, b = (make_pipeline(DictVectorizer(), Ridge(alpha)).fit(rows, [1.0, 2, 3, 5]) for alpha in (0.1, 10.0))
    change = max_change(a, b, bounds={"age": (0, 3), "city": ["Rome", "Oslo"]})
    grid = [{"city": c, "age": v} for c in ("Rome", "Oslo") for v in (0.0, 3.0)] + [
        {"city": c} for c in ("Rome", "Oslo")
    ]
    truth = np.abs(etas(b, grid) - etas(a, grid)).max()
    assert change.value == pytest.approx(truth, rel=1e-12)


def test_inputs_without_names():
    X = FRAME[NUMBERS].to_numpy()
    a = Ridge().fit(X, Y)
    b = PrunedRegressor(Ridge(), n_nonzero=1).fit(X, Y)
    change = max_change(a, b)
    assert set(change.row) == {"x0", "x1", "x2"}
    row = np.array([[change.row[f"x{j}"] for j in range(3)]])
    assert abs(b.predict(row) - a.predict(row))[0] == pytest.approx(change.value, rel=1e-9)


def test_mean_models_of_a_log_link():
    counts = RNG.poisson(2.0, N)
    a, b = (PoissonRegressor(alpha=alpha).fit(FRAME[["rate"]], counts) for alpha in (0.0, 10.0))
    change = max_change(a, b, bounds={"rate": (-2, 2)})
    there = pd.DataFrame({"rate": [change.row["rate"]]})
    assert change.value == pytest.approx(abs(np.log(b.predict(there) / a.predict(there)))[0], rel=1e-6)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ("everything", "bounds must be 'observed', 'all', a dict or rows"),
        ({"colour": (0, 1)}, "bounds has 'colour', which neither model reads"),
        ({"rate": (2, 1)}, r"bounds\['rate'\] must be \(low, high\), two finite numbers in order"),
        ({"rate": (0, np.inf)}, "two finite numbers"),
        ({"purpose": "car"}, r"bounds\['purpose'\] must be a list of levels"),
        ("observed", "no bounds for 'income': the range of these inputs in training is not known"),
        ({"income": (-5, 1)}, "'income': a model has no finite prediction at -.*, which its bounds hold"),
    ],
)
def test_impossible_boxes_are_errors(bounds, message):
    a, b = (make_pipeline(columns(), Ridge(alpha)).fit(FRAME, Y) for alpha in (1.0, 9.0))
    with pytest.raises(ValueError, match=message):
        max_change(a, b, bounds=bounds)


def test_models_that_do_not_compare_are_errors():
    line = Ridge().fit(FRAME[NUMBERS], Y)
    with pytest.raises(ValueError, match="the same n_outputs, got 1 and 2"):
        max_change(line, Ridge().fit(FRAME[NUMBERS], np.column_stack([Y, Y])))
    with pytest.raises(ValueError, match="the same link, got 'identity' and 'log'"):
        max_change(line, PoissonRegressor().fit(FRAME[["rate"]], RNG.poisson(2.0, N)))
    with pytest.raises(ValueError, match="names its inputs and the other does not"):
        max_change(line, Ridge().fit(FRAME[NUMBERS].to_numpy(), Y))


def test_missing_values_in_rows_count_for_inputs_read_twice():
    X = pd.DataFrame({"a": [1.0, NAN, 3.0, 4.0, NAN, 2.0]})
    columns = make_column_transformer((MissingIndicator(), ["a"]), (SimpleImputer(), ["a"]))
    a = make_pipeline(columns, Ridge(0.1)).fit(X, X["a"].fillna(0))
    b = make_pipeline(clone(columns), Ridge(0.1)).fit(X, X["a"].fillna(50))
    change = max_change(a, b, bounds=X)
    assert change.exact
    assert change.value == pytest.approx(np.abs(b.predict(X) - a.predict(X)).max(), rel=1e-12)


@pytest.mark.slow
def test_a_narrow_bend_in_a_wide_range_is_seen():
    X = pd.DataFrame({"x": np.linspace(-3.0, 3.0, 50)})
    steps = [StandardScaler(), FunctionTransformer(np.tanh), LinearRegression()]
    a = make_pipeline(*steps).fit(X, np.tanh(X["x"]))
    b = deepcopy(a)
    b[0].mean_ = b[0].mean_ + 1
    near, far = (max_change(a, b, bounds={"x": ends}).value for ends in ((-20, 20), (-1e6, 3e6)))
    assert near == pytest.approx(far, rel=1e-9)
    assert near > 0.5
    wave = make_pipeline(FunctionTransformer(np.sin), LinearRegression()).fit(X, np.sin(X["x"]))
    assert max_change(LinearRegression().fit(X, 0 * X["x"]), wave, bounds={"x": (0, 7e4)}).value == pytest.approx(1)


@pytest.mark.parametrize("unknown", ["error", "ignore"])
def test_a_code_that_is_a_number_to_one_model_and_a_level_to_the_other(unknown):
    X = pd.DataFrame({"g": [1.0, 2.0, 3.0, 2.0, 1.0, 3.0]})
    y = np.array([1.0, 0.0, 5.0, 0.5, 1.0, 5.0])
    a = Ridge().fit(X, y)
    b = make_pipeline(OneHotEncoder(handle_unknown=unknown), Ridge()).fit(X, y)
    change = max_change(a, b, bounds=X)
    assert change.exact
    assert change.value == pytest.approx(np.abs(b.predict(X) - a.predict(X)).max(), rel=1e-12)
    assert change.row["g"] in (1.0, 2.0, 3.0)
    inside = max_change(a, b, bounds={"g": [1.0, 3.0] if unknown == "error" else (1.0, 3.0)})
    assert inside.value >= change.value - 1e-12 or unknown == "error"
    if unknown == "error":
        with pytest.raises(ValueError, match="'g' has 9 in its bounds: input 'g' has the value 9"):
            max_change(a, b, bounds={"g": [1.0, 9]})


@pytest.mark.slow
def test_many_levels_take_no_time():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"shop": [f"shop {i}" for i in range(3000)] * 2})
    y = rng.normal(size=len(X))
    a, b = (make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge(alpha)).fit(X, y) for alpha in (0.1, 5.0))
    calls = []
    original = Curve.__call__

    def counted(self, values):
        calls.append(len(values))
        return original(self, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Curve, "__call__", counted)
        change = max_change(a, b, bounds=X)
    assert len(calls) < 20
    assert change.value == pytest.approx(np.abs(b.predict(X) - a.predict(X)).max(), rel=1e-9)


@pytest.mark.slow
def test_inputs_of_sixteen_bits():
    X = FRAME[["rate"]]
    a = QuantizedRegressor(bits=8, input_bits=16).fit(X, Y)
    b = LinearRegression().fit(X, Y)
    change = max_change(a, b, bounds=X)
    assert change.exact
    assert change.value >= np.abs(b.predict(X) - a.predict(X)).max() * (1 - 1e-12)


def test_the_worst_row_of_products_is_looked_for_in_both_directions():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    y = X["a"] * X["b"] - X["b"] * X["c"] + rng.normal(size=200)
    a = make_pipeline(PolynomialFeatures(2), Ridge()).fit(X, y)
    b = PrunedRegressor(make_pipeline(PolynomialFeatures(2), Ridge()), n_nonzero=2).fit(X, y)
    change = max_change(a, b, bounds=X)
    grid = pd.DataFrame({name: rng.uniform(X[name].min(), X[name].max(), 5000) for name in X})
    assert np.abs(b.predict(grid) - a.predict(grid)).max() <= abs(change.attained) * (1 + 1e-9) <= change.value


@pytest.mark.parametrize("numbers", [["rate"], []])
def test_categories_with_one_number_are_exact(numbers):
    def interactions():
        columns = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["purpose", "term"]),
            (make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False)), numbers),
            (StandardScaler(), ["age"]),
        )
        return make_column_transformer(
            (make_pipeline(columns, PolynomialFeatures(2, interaction_only=True)), ["purpose", "term", *numbers, "age"])
        )

    def joint():
        return make_column_transformer(
            (
                make_pipeline(
                    make_column_transformer(
                        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["purpose", "term"]),
                        (StandardScaler(), numbers),
                    ),
                    PolynomialFeatures(3),
                ),
                ["purpose", "term", *numbers],
            ),
            (StandardScaler(), ["age"]),
        )

    a = make_pipeline(joint(), Ridge()).fit(FRAME, Y)
    b = PrunedRegressor(make_pipeline(joint(), Ridge()), n_nonzero=6).fit(FRAME, Y)
    change = max_change(a, b, bounds=FRAME)
    assert change.exact
    check(a, b, change, FRAME)
    ends = {
        "age": [FRAME["age"].min(), FRAME["age"].max()],
        "rate": np.linspace(*FRAME["rate"].agg(["min", "max"]), 400),
    }
    names = ["purpose", "term", "age", *numbers]
    grid = list(itertools.product(*(ends.get(name, FRAME[name].unique()) for name in names)))
    rows = pd.DataFrame(grid, columns=names).assign(income=1.0)
    rows = rows if numbers else rows.assign(rate=0.0)
    seen = np.abs(etas(b, rows) - etas(a, rows)).max()
    assert seen <= change.value * (1 + 1e-12)
    assert change.value == pytest.approx(seen, rel=1e-3)
    # With two numbers among them it is a bound.
    c = make_pipeline(interactions(), Ridge()).fit(FRAME, Y)
    d = make_pipeline(interactions(), Ridge(100.0)).fit(FRAME, Y)
    loose = max_change(c, d, bounds=FRAME)
    assert loose.exact == (not numbers)
    check(c, d, loose, FRAME)


def test_the_repr_has_the_shares_in_four_digits():
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    pruned = PrunedRegressor(n_nonzero=3).fit(X, y)
    change = max_change(pruned, QuantizedRegressor(pruned, bits=4).fit(X, y), bounds=X)
    head, *lines = repr(change).splitlines()
    assert head == f"MaxChange: {change.value:.4g}; b - a is {change.attained:.4g} with these values"
    told = {line.split()[0]: line.split()[1:] for line in lines}
    assert told.pop("common") == [f"{change.common:.4g}"]
    assert told == {name: [f"{share:.4g}", "at", f"{change.row[name]:.4g}"] for name, share in change.shares.items()}
    assert list(told) == sorted(change.shares, key=change.shares.get, reverse=True)

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    GammaRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    RANSACRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC

from skcompress.artifact import CompactLinear, Weights
from skcompress.linear.compacting import compact
from skcompress.linear.transformers import COMPILERS, register_transformer

NAN = float("nan")

# scikit-learn 1.6 passes options to scipy that a newer scipy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:scipy.optimize. The .disp. and:DeprecationWarning")


def loans(n=240, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "amount": rng.normal(1e4, 3e3, n),
            "opened": rng.normal(1.7e9, 1e6, n),
            "rate": rng.normal(size=n),
            "purpose": rng.choice(["car", "home", "card", "boat", "other"], n, p=[0.4, 0.3, 0.2, 0.05, 0.05]),
            "term": rng.choice([36, 60], n),
            "joint": rng.choice([True, False], n),
            "grade": pd.Series(rng.choice(["a", "b", None, NAN], n), dtype=object),
        }
    )
    return frame, frame["rate"] + (frame["purpose"] == "car") + frame["term"] / 60 + rng.normal(size=n) / 3


FRAME, Y = loans()
NUMBERS = ["amount", "opened", "rate"]
LABELS = ["purpose", "term", "joint", "grade"]


def agree(model, X, expected=None, rtol=1e-12):
    """Hold a compact model against the model it was compiled from, before and after a round trip."""
    small = compact(model)
    expected = np.asarray(model.predict(X) if expected is None else expected)
    for ready in (small, CompactLinear.from_bytes(small.to_bytes())):
        got = ready.predict(X)
        assert got.shape == expected.shape
        assert np.abs(got - expected).max(initial=0.0) <= rtol * np.abs(expected).max(initial=0.0)
    return small


@pytest.mark.parametrize(
    "base",
    [LinearRegression(), Ridge(), Lasso(0.01), SGDRegressor(random_state=0), SVR(kernel="linear"), PLSRegression(2)],
    ids=lambda base: type(base).__name__,
)
def test_bare_models(base):
    X = np.random.default_rng(0).normal(size=(80, 5))
    base.fit(X, X @ [1, 0, 2, 0, -1.0] + 3)
    small = agree(base, X)
    assert set(small.inputs) == {f"x{j}" for j in np.flatnonzero(np.ravel(base.coef_))}


@pytest.mark.parametrize("base", [LinearRegression(), Ridge(), PLSRegression(2)], ids=lambda b: type(b).__name__)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_targets_of_two_dimensions(base, n_outputs):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    agree(base.fit(X, X @ rng.normal(size=(4, n_outputs))), X)


@pytest.mark.parametrize(
    "base",
    [PoissonRegressor(), GammaRegressor(), TweedieRegressor(power=0), TweedieRegressor(power=1.5)],
    ids=["poisson", "gamma", "normal", "tweedie"],
)
def test_links_of_generalized_linear_models(base):
    X = np.random.default_rng(0).normal(size=(80, 3))
    agree(make_pipeline(StandardScaler(), base).fit(X, np.exp(X @ [0.3, 0, 0.1])), X)


@pytest.mark.parametrize("labels", [["no", "yes"], [0, 1, 2]], ids=["two", "three"])
@pytest.mark.parametrize(
    "base",
    [LogisticRegression(), RidgeClassifier(), LinearSVC(), SGDClassifier("log_loss", random_state=0)],
    ids=lambda b: type(b).__name__,
)
def test_classifiers_give_their_labels(base, labels):
    X = np.random.default_rng(0).normal(size=(90, 3))
    y = np.array(labels)[np.clip(np.rint(X[:, 0] + 1), 0, len(labels) - 1).astype(int)]
    model = make_pipeline(StandardScaler(), base).fit(X, y)
    small = compact(model)
    assert np.array_equal(small.predict(X), model.predict(X))
    assert small.predict_one(X[0]) == model.predict(X[:1])[0]
    np.testing.assert_allclose(small.decision_function(X), model.decision_function(X), rtol=1e-12, atol=1e-12)
    if hasattr(model, "predict_proba"):
        np.testing.assert_allclose(small.predict_proba(X), model.predict_proba(X), rtol=1e-11)
    else:
        with pytest.raises(ValueError, match="has no probabilities"):
            small.predict_proba(X)


ONE_HOT = {
    "plain": {},
    "drop first": {"drop": "first"},
    "drop if binary": {"drop": "if_binary"},
    "drop named": {"drop": ["home", 60, False, None]},
    "ignore": {"handle_unknown": "ignore"},
    "infrequent": {"min_frequency": 30},
    "infrequent if exist": {"min_frequency": 30, "handle_unknown": "infrequent_if_exist"},
    "infrequent, drop first": {"min_frequency": 30, "handle_unknown": "infrequent_if_exist", "drop": "first"},
    "infrequent by number": {"max_categories": 3, "handle_unknown": "infrequent_if_exist"},
    "infrequent, ignore": {"max_categories": 3, "handle_unknown": "ignore"},
    "all infrequent": {"min_frequency": 200, "handle_unknown": "infrequent_if_exist"},
}


@pytest.mark.slow
@pytest.mark.parametrize("options", ONE_HOT.values(), ids=ONE_HOT)
@pytest.mark.parametrize("rescale", ["passthrough", StandardScaler(with_mean=False), StandardScaler()])
def test_one_hot(options, rescale):
    encoder = OneHotEncoder(sparse_output=False, **options)
    columns = make_column_transformer((encoder, LABELS), (StandardScaler(), NUMBERS))
    model = make_pipeline(columns, rescale, Ridge()).fit(FRAME, Y)
    small = agree(model, FRAME)
    unknown = FRAME.head(3).assign(purpose=["zoo", "car", "zoo"], grade=["q", None, NAN])
    if options.get("handle_unknown", "error") == "error":
        with pytest.raises(ValueError, match="input 'purpose' has the value 'zoo'"):
            small.predict(unknown)
    else:
        np.testing.assert_allclose(small.predict(unknown), quiet_predict(model, unknown), rtol=1e-12)


def quiet_predict(model, X):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Found unknown categories")
        return model.predict(X)


@pytest.mark.parametrize(
    "columns",
    [
        NUMBERS,
        [0, 1, 2],
        [-7, -6, -5],
        slice(0, 3),
        slice("amount", "rate"),
        [True, True, True, False, False, False, False],
        np.array([True, True, True, False, False, False, False]),
        lambda frame: ["amount", "opened", "rate"],
    ],
    ids=["names", "places", "from the end", "slice", "slice of names", "mask", "mask array", "callable"],
)
@pytest.mark.parametrize("remainder", ["drop", OneHotEncoder(sparse_output=False)], ids=["drop", "encode"])
def test_ways_to_choose_columns(columns, remainder):
    transformer = ColumnTransformer([("numbers", StandardScaler(), columns)], remainder=remainder)
    small = agree(make_pipeline(transformer, Ridge()).fit(FRAME, Y), FRAME)
    assert set(small.inputs) == set(NUMBERS if remainder == "drop" else FRAME.columns)


def test_columns_of_arrays_and_passthrough():
    X = FRAME[NUMBERS].to_numpy()
    transformer = ColumnTransformer([("a", "passthrough", [2]), ("b", "drop", [0])], remainder="passthrough")
    assert agree(make_pipeline(transformer, Ridge()).fit(X, Y), X).inputs == ("x1", "x2")


def test_nested_containers():
    inner = make_pipeline(StandardScaler(), FunctionTransformer(), None, StandardScaler(with_std=False))
    union = FeatureUnion([("a", inner), ("b", "passthrough"), ("c", "drop")], transformer_weights={"a": 3.0, "b": 0.5})
    columns = ColumnTransformer([("numbers", union, NUMBERS), ("labels", OneHotEncoder(), ["purpose"])])
    agree(Pipeline([("columns", columns), ("nothing", "passthrough"), ("model", Ridge())]).fit(FRAME, Y), FRAME)


def test_frames_out_of_transformers():
    columns = make_column_transformer((OneHotEncoder(sparse_output=False), LABELS), (StandardScaler(), NUMBERS))
    again = ColumnTransformer([("rate", StandardScaler(), ["standardscaler__rate"])], remainder="passthrough")
    model = make_pipeline(columns, again, Ridge()).set_output(transform="pandas").fit(FRAME, Y)
    agree(model, FRAME)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1.7e9])
@pytest.mark.parametrize("coded", [False, True], ids=["floats", "codes"])
def test_scaling_stays_exact_far_from_zero(offset, coded):
    rng = np.random.default_rng(0)
    X = offset + rng.normal(size=(200, 4)) * [1, 3, 1e4, 1e-2]
    model = make_pipeline(StandardScaler(), Ridge()).fit(X, rng.normal(size=200) + X[:, 0] - offset)
    agree(quantized(model) if coded else model, X, rtol=1e-12)


def test_scaling_stays_accurate_in_float32():
    rng = np.random.default_rng(0)
    years = rng.integers(1990, 2026, size=(200, 1)).astype(np.float32)
    model = make_pipeline(StandardScaler(), Ridge()).fit(years, years[:, 0])
    small = compact(model)
    assert small.predict(years).dtype == np.float32
    exact = (years.astype(float) - years.mean(dtype=float)) / years.std(dtype=float)
    expected = exact @ model[-1].coef_.astype(float).ravel() + float(model[-1].intercept_)
    assert np.abs(small.predict(years) - expected).max() < 1e-6 * np.abs(expected).max()


class Grid:
    """A symmetric 4-bit grid, as a quantizing wrapper holds it."""

    kind, bits, zero_point, levels, low = "symmetric", 4, None, None, -7

    def __init__(self, scale):
        self.scale = scale

    def decode(self, codes):
        return codes * self.scale

    def encode(self, weights):
        return np.rint(weights / self.scale).astype(np.int8)


class Wrapper(BaseEstimator):
    """A fitted wrapper as far as `compact` knows one."""

    inner_estimator = None  # what our wrappers are known by

    def __init__(self, estimator_, grid):
        self.estimator_ = estimator_
        self.state_ = SimpleNamespace(grid=grid)
        self.coef_ = None

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.estimator_.predict(X)


def quantized(model):
    leaf = model[-1] if isinstance(model, Pipeline) else model
    coef = np.atleast_2d(leaf.coef_)
    grid = Grid(np.abs(coef).max(axis=1, keepdims=True) / 7)
    leaf.coef_ = grid.decode(grid.encode(coef)).reshape(np.shape(leaf.coef_)).astype(leaf.coef_.dtype)
    return Wrapper(model, grid)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scaler", [StandardScaler(), StandardScaler(with_std=False), "passthrough"])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_codes_survive_compiling_and_decode_to_the_same_bits(dtype, scaler, n_outputs):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 8)).astype(dtype)
    Y = (X @ rng.normal(size=(8, n_outputs))).astype(dtype)
    model = quantized(Pipeline([("s", scaler), ("m", Ridge())]).fit(X, Y[:, 0] if n_outputs == 1 else Y))
    small = agree(model, X, rtol=1e-12 if dtype == np.float64 else 1e-5)
    assert small.weights.codes is not None
    assert small.weights.bits == 4
    coef = np.atleast_2d(model.estimator_[-1].coef_)
    assert small.coef.dtype == dtype
    assert small.coef.tobytes() == coef[:, coef.any(axis=0)].tobytes()


def test_weights_off_their_grid_are_held_as_floats():
    X = np.random.default_rng(0).normal(size=(50, 4))
    model = Wrapper(Ridge().fit(X, X[:, 0]), Grid(np.array([[0.1]])))
    assert agree(model, X).weights.codes is None


def test_only_what_has_weight_is_kept():
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), LABELS), (StandardScaler(), NUMBERS))
    model = make_pipeline(columns, Ridge()).fit(FRAME, Y)
    coef = model[-1].coef_
    names = list(model[0].get_feature_names_out())
    for place, name in enumerate(names):
        if name not in ("onehotencoder__purpose_car", "onehotencoder__purpose_home", "standardscaler__rate"):
            coef[place] = 0.0
    small = agree(model, FRAME)
    assert small.inputs == ("rate", "purpose")
    assert set(small.blocks[0].params["levels"]) == {"car", "home"}
    assert small.report()["inputs_dropped"] == 5
    assert small.report()["terms_dropped"] == len(names) - 3
    expected = model.predict(FRAME)
    np.testing.assert_allclose(small.predict(FRAME[["purpose", "rate"]]), expected, rtol=1e-12)


def test_known_levels_without_weight_stay_where_unknown_ones_are_errors():
    model = make_pipeline(OneHotEncoder(), Ridge()).fit(FRAME[["purpose"]], Y)
    model[-1].coef_[1:] = 0.0
    small = agree(model, FRAME[["purpose"]])
    assert set(small.blocks[0].params["levels"]) == set(FRAME["purpose"])


def test_everything_pruned_leaves_the_intercept():
    model = Ridge().fit(FRAME[NUMBERS], Y)
    model.coef_ = np.zeros_like(model.coef_)
    small = agree(model, FRAME[NUMBERS])
    assert small.inputs == ()
    assert small.predict(FRAME).shape == (len(FRAME),)


def test_containers_around_the_model():
    X = FRAME[NUMBERS].to_numpy() / [1e4, 1e9, 1]
    pipeline = make_pipeline(StandardScaler(), Ridge())
    agree(GridSearchCV(pipeline, {"ridge__alpha": [1.0]}, cv=2).fit(X, Y), X)
    agree(FrozenEstimator(pipeline.fit(X, Y)), X)
    agree(RANSACRegressor(random_state=0).fit(X, Y), X)
    agree(Wrapper(Wrapper(pipeline, None), None), X)
    agree(make_pipeline(StandardScaler(), Wrapper(Ridge().fit(X, Y), None)).fit(X, Y), X)


def test_sparse_input():
    X = sp.random_array((60, 30), density=0.2, rng=np.random.default_rng(0), format="csr")
    y = X @ np.r_[np.ones(3), np.zeros(27)]
    agree(make_pipeline(StandardScaler(with_mean=False), Lasso(0.01)).fit(X, y), X)


def test_a_compact_model_is_already_compact():
    small = compact(Ridge().fit(FRAME[NUMBERS], Y))
    assert compact(small) is small


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (make_pipeline(PCA(2), Ridge()), r"PCA cannot be compiled .*register_transformer\(PCA, compiler\)"),
        (make_pipeline(FunctionTransformer(np.tan), Ridge()), "FunctionTransformer cannot be compiled .*tan"),
        (RandomForestRegressor(2), "RandomForestRegressor has no coef_"),
    ],
)
def test_what_cannot_be_compiled_is_named(model, message):
    with pytest.raises(ValueError, match=message):
        compact(model.fit(FRAME[NUMBERS], Y))


@pytest.mark.parametrize("n_classes", [3, 4])
@pytest.mark.parametrize("model", [SVC(kernel="linear"), NuSVC(kernel="linear", nu=0.1)])
def test_one_vector_for_each_pair_of_classes_is_refused(model, n_classes):
    """With three classes there are three pairs, too, and the vectors would be taken for those of classes."""
    X = np.random.default_rng(0).normal(size=(60, 3))
    two = model.fit(X, X[:, 0] > 0)
    assert (compact(two).predict(X) == two.predict(X)).all()
    with pytest.raises(ValueError, match=f"for each pair of its {n_classes} classes: use LinearSVC"):
        compact(model.fit(X, np.arange(60) % n_classes))


@pytest.mark.parametrize("unit", ["ns", "us", "s"])
@pytest.mark.parametrize("kind", ["datetime64", "timedelta64"])
@pytest.mark.parametrize(
    "encoder", [OneHotEncoder(handle_unknown="ignore"), OrdinalEncoder(), TargetEncoder(target_type="continuous")]
)
def test_dates_are_no_categories(encoder, kind, unit):
    """In nanoseconds they are integers to numpy, which no date in a frame equals: every row would be unknown."""
    frame = pd.DataFrame({"day": pd.Series([86400, 172800, 259200] * 4).astype(f"{kind}[{unit}]")})
    model = make_pipeline(make_column_transformer((encoder, ["day"])), Ridge()).fit(frame, np.arange(12.0))
    with pytest.raises(ValueError, match=r"a category must be a str, int, float, bool, None or NaN, .* 'day'"):
        compact(model)


def test_an_unfitted_model_is_refused():
    with pytest.raises(ValueError, match="Ridge is not fitted"):
        compact(Ridge())


class Halver(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.asarray(X) / 2


def test_a_new_transformer_can_be_taught():
    model = make_pipeline(Halver(), Ridge()).fit(FRAME[NUMBERS], Y)
    with pytest.raises(ValueError, match="Halver"):
        compact(model)
    register_transformer(Halver, lambda step, columns, graph: [c.standardised(0.0, 2.0) for c in columns])
    try:
        agree(model, FRAME[NUMBERS])
    finally:
        del COMPILERS[Halver]


def test_weights_are_exact_copies_without_a_scaler():
    model = Ridge().fit(FRAME[NUMBERS], Y)
    assert compact(model).weights.values.tobytes() == np.atleast_2d(model.coef_).tobytes()
    assert isinstance(compact(model).weights, Weights)

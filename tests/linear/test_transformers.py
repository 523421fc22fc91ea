import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import SelectFromModel, SelectKBest, VarianceThreshold, f_regression
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LinearRegression, PoissonRegressor, Ridge
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

from skcompress.artifact import CompactLinear
from skcompress.linear.compacting import compact

NAN = float("nan")

pytestmark = [
    pytest.mark.filterwarnings("ignore:scipy.optimize. The .disp. and:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Found unknown categories:UserWarning"),
    pytest.mark.filterwarnings("ignore:Bins whose width are too small:UserWarning"),
    pytest.mark.filterwarnings("ignore:The current default behavior, quantile_method:FutureWarning"),
]


def agree(model, X, rtol=1e-12):
    """Hold a compact model against the model it was compiled from, before and after a round trip, and row by row."""
    small = compact(model)
    expected = np.asarray(model.predict(X))
    bound = rtol * np.abs(expected).max(initial=0.0)
    for ready in (small, CompactLinear.from_bytes(small.to_bytes())):
        got = ready.predict(X)
        assert got.shape == expected.shape
        assert np.abs(got - expected).max(initial=0.0) <= bound
    rows = X.iloc if isinstance(X, pd.DataFrame) else X
    for place in range(3):
        row = rows[place].to_dict() if isinstance(X, pd.DataFrame) else rows[place]
        assert np.abs(small.predict_one(row) - expected[place]).max() <= bound
    return small


def numbers(n=150, seed=0, missing=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) * [1, 5, 0.1] + [0, 40, 3]
    X[:, 0] = np.abs(X[:, 0]) + 0.1
    X[:, 1] = np.round(X[:, 1])
    if missing:
        X[rng.random(X.shape) < 0.2] = np.nan
    return X, rng.normal(size=n) + np.nan_to_num(X[:, 1]) / 5


def beyond(X):
    """Return rows inside and outside of the training range."""
    return np.vstack([X[:20], X[:20] * 1.7, X[:20] * 0.2])


SCALERS = {
    "none": "passthrough",
    "standard": StandardScaler(),
    "min max": MinMaxScaler((-1, 2)),
    "min max, clipped": MinMaxScaler(clip=True),
    "max abs": MaxAbsScaler(),
    "robust": RobustScaler(),
}

EXPANSIONS = {
    "bins": KBinsDiscretizer(4, encode="onehot-dense"),
    "bins, sparse": KBinsDiscretizer(4),
    "uniform bins": KBinsDiscretizer(5, encode="onehot-dense", strategy="uniform"),
    "numbers of bins": KBinsDiscretizer(4, encode="ordinal"),
    "polynomial": PolynomialFeatures(2),
    "cubic": PolynomialFeatures(3, include_bias=False),
    "interactions": PolynomialFeatures((2, 3), interaction_only=True),
    "splines": SplineTransformer(5),
    "splines without bias": SplineTransformer(4, degree=2, include_bias=False),
    "splines, linear": SplineTransformer(5, extrapolation="linear"),
    "lines, constant": SplineTransformer(5, degree=1),
    "splines, going on": SplineTransformer(5, extrapolation="continue"),
    "splines, periodic": SplineTransformer(6, extrapolation="periodic"),
    "quantile splines": SplineTransformer(5, knots="quantile", degree=4),
    "binarizer": Binarizer(threshold=0.3),
    "expm1": FunctionTransformer(np.tanh),
    "bins into categories": make_pipeline(
        KBinsDiscretizer(5, encode="ordinal"), OneHotEncoder(drop="first", handle_unknown="ignore")
    ),
    "polynomial, scaled": make_pipeline(PolynomialFeatures(2), StandardScaler()),
    "polynomial of a polynomial": make_pipeline(StandardScaler(), PolynomialFeatures(2), PolynomialFeatures(2)),
    "splines of splines": make_pipeline(SplineTransformer(3), StandardScaler(), SplineTransformer(3, degree=1)),
}


@pytest.mark.slow
@pytest.mark.parametrize("expansion", EXPANSIONS.values(), ids=EXPANSIONS)
@pytest.mark.parametrize("scaler", SCALERS.values(), ids=SCALERS)
def test_scalers_and_expansions(scaler, expansion):
    X, y = numbers()
    model = make_pipeline(scaler, expansion, Ridge(1e-2)).fit(X, y)
    agree(model, beyond(X))


@pytest.mark.parametrize("scaler", SCALERS.values(), ids=SCALERS)
def test_scalers_alone(scaler):
    X, y = numbers()
    small = agree(make_pipeline(scaler, StandardScaler(), Ridge()).fit(X, y), beyond(X))
    assert len(small.blocks) == getattr(scaler, "clip", False)


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("extrapolation", ["constant", "linear", "continue", "periodic"])
def test_splines_of_every_degree(degree, extrapolation):
    X, y = numbers()
    for columns in ([0], [0, 1, 2]):
        spline = SplineTransformer(7, degree=degree, extrapolation=extrapolation)
        model = make_pipeline(spline, Ridge(1e-3)).fit(X[:, columns], y)
        if extrapolation == "linear" and degree < 2 and len(columns) > 1:
            with pytest.raises(ValueError, match=r"SplineTransformer cannot be compiled .* at a wrong knot"):
                compact(model)
        else:
            # scikit-learn fails to extrapolate steps as constants.
            agree(model, (X if (extrapolation, degree) == ("constant", 0) else beyond(X))[:, columns])


def test_splines_that_refuse_to_extrapolate():
    X, y = numbers()
    small = agree(make_pipeline(SplineTransformer(4, extrapolation="error"), Ridge()).fit(X, y), X)
    with pytest.raises(ValueError, match=r"input 'x0' is .* in row 2: it must lie in"):
        small.predict(np.vstack([X[:2], X[:1] + 100]))


def test_bins_refuse_missing_values():
    X, y = numbers()
    small = compact(make_pipeline(KBinsDiscretizer(4), Ridge()).fit(X, y))
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="input 'x1' is nan in row 3"):
        small.predict(X)


def test_functions_of_numpy():
    X, y = numbers()
    for function in (np.log1p, np.log, np.sqrt, np.square, np.exp):
        if function is not np.exp:
            agree(make_pipeline(FunctionTransformer(function), Ridge()).fit(X, y), X)
        agree(make_pipeline(MinMaxScaler((1, 2)), FunctionTransformer(function), Ridge()).fit(X, y), X)
    small = compact(make_pipeline(FunctionTransformer(np.log), Ridge()).fit(X, y))
    with pytest.raises(ValueError, match="no finite prediction"):
        small.predict(-X)


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
@pytest.mark.parametrize("indicator", [False, True], ids=["", "indicator"])
@pytest.mark.parametrize(
    "after",
    [
        "passthrough",
        StandardScaler(),
        MinMaxScaler(clip=True),
        PolynomialFeatures(2),
        make_pipeline(MinMaxScaler(), KBinsDiscretizer(4, strategy="uniform")),
        SimpleImputer(missing_values=40.0),
    ],
    ids=["", "scaler", "clip", "polynomial", "bins", "again"],
)
def test_imputers(strategy, indicator, after):
    X, y = numbers(missing=True)
    imputer = SimpleImputer(strategy=strategy, add_indicator=indicator)
    agree(make_pipeline(imputer, after, Ridge()).fit(X, y), X)


def test_imputers_with_other_markers_and_empty_columns():
    X, y = numbers()
    X[:40, 2] = -999
    small = agree(make_pipeline(SimpleImputer(missing_values=-999, add_indicator=True), Ridge()).fit(X, y), X)
    assert {block.kind for block in small.blocks} == {"fill", "missing"}
    X[:, 0] = np.nan
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Skipping features")
        for keep in (True, False):
            model = make_pipeline(SimpleImputer(keep_empty_features=keep), Ridge()).fit(X, y)
            agree(model, X)
    union = FeatureUnion([("values", SimpleImputer()), ("missing", MissingIndicator())])
    X, y = numbers(missing=True)
    agree(make_pipeline(union, Ridge()).fit(X, y), X)


def people(n=200, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "city": pd.Series(
                rng.choice(["Oslo", "Bergen", "Narvik", "Bodø"], n, p=[0.5, 0.3, 0.15, 0.05]), dtype=object
            ),
            "rooms": rng.choice([1.0, 2.0, 3.0], n),
        }
    )
    frame.loc[rng.random(n) < 0.2, "city"] = NAN
    frame.loc[rng.random(n) < 0.2, "rooms"] = NAN
    frame.loc[rng.random(n) < 0.1, "age"] = NAN
    return frame, rng.normal(size=n) + (frame["city"] == "Oslo") + frame["rooms"].fillna(0)


@pytest.mark.slow
@pytest.mark.parametrize("indicator", [False, True], ids=["", "indicator"])
@pytest.mark.parametrize("fill", [{"strategy": "most_frequent"}, {"strategy": "constant", "fill_value": "none"}])
@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(handle_unknown="ignore"),
        OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        TargetEncoder(),
    ],
    ids=["one hot", "infrequent", "ordinal", "target"],
)
def test_imputed_categories(encoder, fill, indicator):
    frame, y = people()
    city = make_pipeline(SimpleImputer(add_indicator=indicator, **fill), encoder)
    columns = ColumnTransformer([("city", city, ["city"]), ("age", SimpleImputer(), ["age"])])
    small = agree(make_pipeline(columns, Ridge()).fit(frame, y), frame)
    assert small.inputs == ("age", "city")
    agree(make_pipeline(columns, Ridge()).fit(frame, y), frame.head(9).assign(city=["Rome", NAN, "Oslo"] * 3))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"encoded_missing_value": -5},
        {"handle_unknown": "use_encoded_value", "unknown_value": 99},
        {"handle_unknown": "use_encoded_value", "unknown_value": NAN},
        {"min_frequency": 25, "encoded_missing_value": -5},
        {"max_categories": 3, "handle_unknown": "use_encoded_value", "unknown_value": -1},
    ],
)
def test_ordinal_numbers(options):
    frame, y = people()
    columns = make_column_transformer(
        (make_pipeline(OrdinalEncoder(**options), SimpleImputer()), ["city", "rooms"]),
    )
    model = make_pipeline(columns, StandardScaler(), Ridge()).fit(frame, y)
    small = agree(model, frame)
    unknown = frame.head(6).assign(city=["Rome", "Oslo", NAN] * 2)
    if "handle_unknown" in options:
        agree(model, unknown)
    else:
        with pytest.raises(ValueError, match="'Rome', which is not among the known categories"):
            small.predict(unknown)


@pytest.mark.skipif(
    not hasattr(SimpleImputer().fit(pl.DataFrame({"a": [1.0]})), "feature_names_in_"),
    reason="this scikit-learn does not see the column names of this polars",
)
def test_polars_frames():
    frame, y = people()
    columns = make_column_transformer(
        (SimpleImputer(), ["age", "rooms"]), (OneHotEncoder(handle_unknown="ignore"), ["city"])
    )
    polars = pl.DataFrame({name: [None if value != value else value for value in frame[name]] for name in frame})
    model = make_pipeline(columns, Ridge()).fit(polars, y)
    small = compact(model)
    np.testing.assert_allclose(small.predict(polars), model.predict(polars), rtol=1e-12)
    np.testing.assert_allclose(small.predict_one(polars.row(3, named=True)), model.predict(polars[3])[0], rtol=1e-12)


def test_numbers_as_categories_and_as_numbers():
    frame, y = people()
    columns = make_column_transformer(
        (SimpleImputer(), ["age", "rooms"]),
        (OneHotEncoder(handle_unknown="ignore"), ["rooms"]),
        (make_pipeline(SimpleImputer(), KBinsDiscretizer(3)), ["age"]),
    )
    agree(make_pipeline(columns, Ridge()).fit(frame, y), frame)


TEXTS = np.array(
    [
        "The quick brown fox jumps over the lazy dog",
        "the dog sleeps; the fox does not",
        "Ça alors ! un élève à l'école",
        "",
        "fox fox fox DOG dog's Öl straße ﬁne",
        "a b cc ddd  two   spaces\tand tabs",
        "numbers 123 and under_scores 4",
    ]
    * 3
)
TARGET = np.arange(len(TEXTS)) % 5 + 0.5

VECTORIZERS = {
    "counts": CountVectorizer(),
    "binary": CountVectorizer(binary=True, lowercase=False),
    "bigrams": CountVectorizer(ngram_range=(1, 2), stop_words="english"),
    "only trigrams": CountVectorizer(ngram_range=(3, 3), token_pattern=r"(?u)\b\w+\b"),
    "characters": CountVectorizer(analyzer="char", ngram_range=(1, 3)),
    "characters, ascii": CountVectorizer(analyzer="char", ngram_range=(2, 2), strip_accents="ascii"),
    "characters within words": CountVectorizer(analyzer="char_wb", ngram_range=(2, 6), strip_accents="unicode"),
    "vocabulary": CountVectorizer(vocabulary=["fox", "dog", "the"], stop_words=["the"]),
    "tfidf": TfidfVectorizer(),
    "tfidf, sublinear": TfidfVectorizer(sublinear_tf=True, norm="l1", ngram_range=(1, 2)),
    "tfidf without norm": TfidfVectorizer(norm=None, smooth_idf=False),
    "tf": TfidfVectorizer(use_idf=False, binary=True),
    "counts, tfidf": make_pipeline(CountVectorizer(), TfidfTransformer()),
    "counts, tf": make_pipeline(CountVectorizer(), TfidfTransformer(use_idf=False, norm="l1")),
    "hashes": HashingVectorizer(n_features=64),
    "hashes without norm": HashingVectorizer(n_features=32, norm=None, alternate_sign=False, ngram_range=(1, 2)),
    "hashes, binary": HashingVectorizer(n_features=16, norm="l1", binary=True),
    "hashes of characters": HashingVectorizer(n_features=2**10, analyzer="char_wb", ngram_range=(1, 4)),
    "hashes, idf": make_pipeline(HashingVectorizer(n_features=32), TfidfTransformer(norm=None)),
    "scaled": make_pipeline(TfidfVectorizer(), MaxAbsScaler()),
    "union": FeatureUnion([("a", TfidfVectorizer()), ("b", HashingVectorizer(n_features=16))]),
}


@pytest.mark.parametrize("vectorizer", VECTORIZERS.values(), ids=VECTORIZERS)
def test_texts(vectorizer):
    model = make_pipeline(vectorizer, Ridge()).fit(TEXTS, TARGET)
    new = np.array([*TEXTS[:7], "a fox of another colour", "é e \u0301"])
    small = agree(model, new)
    assert small.inputs == ("x0",)
    assert np.array_equal(small.predict(pd.Series(new)), small.predict(new.tolist()))


def test_texts_beside_numbers():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=len(TEXTS)), "text": TEXTS, "note": TEXTS[::-1]})
    columns = ColumnTransformer(
        [("a", TfidfVectorizer(), "text"), ("b", CountVectorizer(), "note"), ("c", StandardScaler(), ["size"])]
    )
    assert agree(make_pipeline(columns, Ridge()).fit(frame, TARGET), frame).inputs == ("size", "text", "note")


def test_words_without_weight_are_dropped_unless_they_are_part_of_the_norm():
    for vectorizer, kept in ((CountVectorizer(), {"fox", "dog"}), (TfidfVectorizer(), None)):
        model = make_pipeline(vectorizer, Ridge()).fit(TEXTS, TARGET)
        words = vectorizer.get_feature_names_out()
        model[-1].coef_[~np.isin(words, ["fox", "dog"])] = 0.0
        small = agree(model, TEXTS)
        assert small.weights.shape == (1, 2)
        assert set(small.blocks[0].params["words"]) == (kept or set(words))


@pytest.mark.parametrize(
    "vectorizer",
    [
        CountVectorizer(token_pattern=r"(a+)+b"),
        CountVectorizer(tokenizer=str.split, token_pattern=None),
        CountVectorizer(preprocessor=str.upper),
        CountVectorizer(analyzer=str.split),
    ],
)
def test_texts_split_by_functions_of_the_user_are_refused(vectorizer):
    texts = ["aab b", "aaab c"]
    model = make_pipeline(vectorizer, Ridge()).fit(texts, [0, 1])
    with pytest.raises(ValueError, match="CountVectorizer cannot be compiled"):
        compact(model)


ROWS = [
    {"city": "Oslo", "age": 31.5, "member": True},
    {"city": "Bergen", "age": 4},
    {"age": 12, "city": "Oslo", "x": "y=z"},
    {},
    {"city": "Narvik", "age": 3, "member": False},
] * 4


def test_mappings():
    model = make_pipeline(DictVectorizer(), Ridge()).fit(ROWS, np.arange(20.0))
    new = [*ROWS[:2], {"city": "Rome", "age": 2, "other": 5}, {"city": 3}, {}]
    small = agree(model, new)
    assert set(small.inputs) == {"age", "city", "member", "x"}
    frame = pd.DataFrame({"city": ["Oslo"], "age": [31.5], "member": [True], "x": ["y"]})
    np.testing.assert_allclose(small.predict(frame), model.predict(ROWS[:1]), rtol=1e-12)


@pytest.mark.parametrize("input_type", ["dict", "pair", "string"])
@pytest.mark.parametrize("alternate", [True, False])
def test_hashed_rows(input_type, alternate):
    rows = {
        "dict": [{"city": row.get("city", "none"), "age": row.get("age", 0)} for row in ROWS],
        "pair": [[("a", 2.5), ("b", "text"), ("c", 0)], [("a", -1), ("a", 2)]] * 10,
        "string": [["a", "b", "a"], ["élan"], []] * 6,
    }[input_type]
    hasher = FeatureHasher(8, input_type=input_type, alternate_sign=alternate)
    agree(make_pipeline(hasher, Ridge()).fit(rows, np.arange(float(len(rows)))), rows)


@pytest.mark.parametrize(
    "target",
    [
        {"func": np.log1p, "inverse_func": np.expm1},
        {"func": np.log, "inverse_func": np.exp},
        {"func": np.sqrt, "inverse_func": np.square},
        {"transformer": StandardScaler()},
        {"transformer": MinMaxScaler((1, 3))},
        {"transformer": RobustScaler()},
        {"transformer": MaxAbsScaler()},
        {"transformer": None},
    ],
    ids=["log1p", "log", "sqrt", "standard", "min max", "robust", "max abs", "none"],
)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_transformed_targets(target, n_outputs):
    X, y = numbers()
    y = np.abs(y) + 1
    y = y if n_outputs == 1 else np.column_stack([y, y**2])
    model = TransformedTargetRegressor(make_pipeline(StandardScaler(), Ridge()), **target)
    agree(model.fit(X, y), X)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (TransformedTargetRegressor(Ridge(), func=np.cbrt, inverse_func=lambda y: y**3), "FunctionTransformer"),
        (TransformedTargetRegressor(PoissonRegressor(), transformer=MaxAbsScaler()), "PoissonRegressor has a link"),
    ],
)
def test_targets_that_cannot_be_folded_are_named(model, message):
    X, y = numbers()
    with pytest.raises(ValueError, match=message):
        compact(model.fit(X, np.abs(y) + 1))


def test_cap_holds_numbers_at_the_training_range():
    X, y = numbers()
    model = make_pipeline(StandardScaler(), SplineTransformer(4, extrapolation="linear"), Ridge()).fit(X, y)
    for pipeline in (model, make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)):
        capped = compact(pipeline, cap=X)
        far = beyond(X)
        expected = pipeline.predict(np.clip(far, X.min(axis=0), X.max(axis=0)))
        np.testing.assert_allclose(capped.predict(far), expected, rtol=1e-12)
        outside = ((far < X.min(axis=0)) | (far > X.max(axis=0))).any(axis=1)
        assert capped.n_clipped_rows(far) == outside.sum()
        assert compact(compact(pipeline), cap=X).model_id == capped.model_id
        assert CompactLinear.from_bytes(capped.to_bytes()).n_clipped_rows(far) == outside.sum()
    with pytest.raises(ValueError, match="pass cap=X"):
        compact(model, cap=True)
    model.input_range_ = np.array([X.min(axis=0), X.max(axis=0)])
    assert compact(model, cap=True).model_id == compact(model, cap=X).model_id


def test_cap_leaves_categories_alone():
    frame, y = people()
    columns = make_column_transformer(
        (SimpleImputer(), ["age"]), (OneHotEncoder(handle_unknown="ignore"), ["city", "rooms"])
    )
    model = make_pipeline(columns, Ridge()).fit(frame, y)
    small = compact(model, cap=frame)
    np.testing.assert_allclose(small.predict(frame), model.predict(frame), rtol=1e-12)
    assert small.n_clipped_rows(frame.assign(age=1e6, rooms=1e6)) == len(frame)
    assert small.n_clipped_rows(frame.assign(rooms=1e6)) == 0


@pytest.mark.parametrize("missing", [None, np.nan])
@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(handle_unknown="ignore"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=7.0),
    ],
)
def test_none_and_nan_are_the_same_missing_value(encoder, missing):
    trained = np.array([["a"], ["b"], [missing], ["a"], [missing]], dtype=object)
    model = make_pipeline(encoder, Ridge()).fit(trained, [1.0, 2.0, 5.0, 1.0, 5.0])
    small = compact(model)
    expected = model.predict(np.array([[missing]], dtype=object))
    for value in (None, np.nan, pd.NA):
        assert small.predict_one([value]) == pytest.approx(expected[0], rel=1e-12)
        assert small.predict(pd.DataFrame({"x": [value]})) == pytest.approx(expected, rel=1e-12)
    assert small.predict(pl.DataFrame({"x": ["b", None]}))[1] == pytest.approx(expected[0], rel=1e-12)


def test_none_and_nan_are_two_levels_where_both_were_seen():
    trained = np.array([["a"], [None], [np.nan], ["a"], [None]], dtype=object)
    model = make_pipeline(OneHotEncoder(), Ridge()).fit(trained, [1.0, 2.0, 5.0, 1.0, 2.0])
    assert np.allclose(compact(model).predict(trained), model.predict(trained), rtol=1e-12)


@pytest.mark.parametrize(
    "selector",
    [SelectKBest(f_regression, k=2), SelectFromModel(Ridge(), max_features=1), VarianceThreshold(10)],
    ids=lambda selector: type(selector).__name__,
)
def test_selections(selector):
    X, y = numbers()
    small = agree(make_pipeline(PolynomialFeatures(2), selector, StandardScaler(), Ridge()).fit(X, y), beyond(X))
    assert small.weights.shape[1] == selector.get_support().sum()


def test_a_selection_of_words_keeps_the_norm_over_all():
    X = ["the oil price rose", "the price of gold fell", "gold and oil", "rain and wind", "wind rose"] * 3
    y = np.arange(15.0) % 5
    model = make_pipeline(TfidfVectorizer(), SelectKBest(f_regression, k=3), Ridge()).fit(X, y)
    small = agree(model, X)
    assert len(small.blocks[0].params["words"]) == len(model[0].vocabulary_)


def test_frozen_transformers():
    X, y = numbers()
    agree(make_pipeline(FrozenEstimator(StandardScaler().fit(X)), Ridge()).fit(X, y), beyond(X))
    texts = ["oil and gold", "gold and rain", "rain and wind", "wind and oil"] * 3
    vectorizer = TfidfVectorizer().fit(texts)
    vectorizer.idf_ = np.round(vectorizer.idf_)
    small = agree(make_pipeline(FrozenEstimator(vectorizer), Ridge()).fit(texts, np.arange(12.0)), texts)
    assert set(small.blocks[0].params["idf"]) == {1.0, 2.0}

"""drop_unused_inputs: least squares on the kept columns is what the pruned model already is, so predictions stay."""

import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)
from wrapped import KNOWS_POLARS

from skcompress import PrunedClassifier, PrunedRegressor, QuantizedRegressor, compact, drop_unused_inputs

WORDS = ["oil", "gold", "wheat", "ship", "rate", "bank", "loan", "gain", "loss", "crop"]
ITERATIVE = 1e-5
"""How close least squares come to each other on sparse columns, where scikit-learn solves them by iteration."""
CITIES = ["Oslo", "Rome", "Kyiv", "Lima", "Bonn"]


def texts(n=120, seed=0):
    rng = np.random.default_rng(seed)
    rows = [" ".join(rng.choice(WORDS, size=6)) for _ in range(n)]
    effect = np.array([[row.split().count(w) for w in WORDS] for row in rows]) @ [3, -2, 0, 1, 0, 0, 0, 0, 0, 0.5]
    return rows, effect + 0.1 * rng.normal(size=n)


def frame(n=200, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "a": rng.normal(size=n),
            "city": rng.choice(CITIES, size=n),
            "b": rng.normal(3, 2, size=n),
            "grade": rng.choice(["low", "mid", "high"], size=n),
            "c": rng.normal(size=n),
        }
    )
    y = X.a + 2 * (X.city == "Rome") - (X.city == "Lima") + 0.1 * X.b**2 + 0.1 * rng.normal(size=n)
    return X, y


def columns(**one_hot):
    one_hot = {"handle_unknown": "ignore", **one_hot}
    return make_column_transformer(
        (OneHotEncoder(**one_hot), ["city", "grade"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["a", "b"]),
        ("passthrough", ["c"]),
    )


def pruned(n_nonzero, base=None):
    return PrunedRegressor(LinearRegression() if base is None else base, n_nonzero=n_nonzero)


def leaf_names(model):
    return list(model[:-1].get_feature_names_out())


@pytest.mark.parametrize(
    "vectorizer",
    [
        CountVectorizer(),
        CountVectorizer(ngram_range=(1, 2), min_df=2, stop_words=["bank"]),
        CountVectorizer(analyzer="char_wb", ngram_range=(2, 3), max_features=60),
        TfidfVectorizer(norm=None, sublinear_tf=True),
        make_pipeline(CountVectorizer(binary=True), TfidfTransformer(norm=None)),
        make_pipeline(CountVectorizer(), SelectKBest(f_regression, k=8)),
        FeatureUnion([("one", CountVectorizer()), ("two", CountVectorizer(analyzer="char", ngram_range=(2, 2)))]),
    ],
    ids=lambda step: str(step)[:40],
)
def test_without_a_norm_a_vocabulary_alone_is_narrowed(vectorizer):
    X, y = texts()
    model = make_pipeline(vectorizer, pruned(4)).fit(X, y)
    before = pickle.dumps(model)
    small = drop_unused_inputs(model, X, y)
    assert pickle.dumps(model) == before
    assert leaf_names(small) == list(np.array(leaf_names(model))[model[-1].support_])
    other = [*texts(seed=1)[0], "", "unheard of"]
    np.testing.assert_allclose(small.predict(other), model.predict(other), atol=ITERATIVE)
    assert len(pickle.dumps(small)) < len(before)
    np.testing.assert_allclose(compact(small).predict(other), small.predict(other), atol=1e-10)


def test_with_a_norm_the_refitted_model_is_the_one_on_the_given_vocabulary():
    X, y = texts()
    model = make_pipeline(TfidfVectorizer(), pruned(4, Ridge(0.1))).fit(X, y)
    small = drop_unused_inputs(model, X, y)
    kept = np.array(leaf_names(model))[model[-1].support_].tolist()
    by_hand = make_pipeline(TfidfVectorizer(vocabulary=kept), Ridge(0.1)).fit(X, y)
    np.testing.assert_allclose(small.predict(X), by_hand.predict(X), rtol=1e-10)
    assert np.abs(small.predict(X) - model.predict(X)).max() > 1e-3
    idf = dict(zip(leaf_names(model), model[0].idf_, strict=True))
    np.testing.assert_allclose(small[0].idf_, [idf[word] for word in kept])


@pytest.mark.parametrize("as_frame", [True, pytest.param(False, marks=KNOWS_POLARS)], ids=["frame", "polars"])
def test_columns_transformers_and_levels_go(as_frame):
    X, y = frame()
    model = make_pipeline(columns(), pruned(4)).fit(X, y)
    X_given = X if as_frame else pl.DataFrame(X.to_dict("list"))
    model_given = model if as_frame else make_pipeline(columns(), pruned(4)).fit(X_given, y)
    small, inputs = drop_unused_inputs(model_given, X_given, y, return_inputs=True)
    assert inputs.tolist() == ["a", "city", "b"] == small.feature_names_in_.tolist()
    assert leaf_names(small) == np.array(leaf_names(model))[model[-1].support_].tolist()
    assert [name for name, *_ in small[0].transformers] == ["onehotencoder", "pipeline"]
    assert small[0].transformers[0][1].categories[0].tolist() == ["Lima", "Rome"]
    other = frame(seed=1)[0]
    other.loc[:3, "city"] = "Atlantis"
    taken = other[list(inputs)]
    predicted = small.predict(taken if as_frame else pl.DataFrame(taken.to_dict("list")))
    np.testing.assert_allclose(predicted, model.predict(other), atol=1e-10)


@pytest.mark.parametrize(
    "options",
    [{"drop": "first"}, {"drop": ["Oslo", "mid"]}, {"min_frequency": 3}, {"handle_unknown": "infrequent_if_exist"}],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Found unknown categories:UserWarning")
def test_other_encoders_that_ignore_the_unknown_give_the_same(options):
    X, y = frame()
    X.loc[0, "city"] = "Ghent"
    model = make_pipeline(columns(**options), pruned(4)).fit(X, y)
    small, inputs = drop_unused_inputs(model, X, y, return_inputs=True)
    other = frame(seed=1)[0]
    other.loc[:3, "city"] = ["Atlantis", "Ghent", "Oslo", "Rome"]
    np.testing.assert_allclose(small.predict(other[list(inputs)]), model.predict(other), atol=1e-8)
    assert small[-1].coef_.size == 4


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"handle_unknown": "error"}, "handle_unknown='error'"),
        ({"handle_unknown": "infrequent_if_exist", "min_frequency": 3}, "handle_unknown='infrequent_if_exist'"),
    ],
    ids=["error", "infrequent"],
)
def test_levels_stay_where_unknown_ones_are_not_ignored(options, reason):
    X, y = frame()
    model = make_pipeline(columns(**options), pruned(4)).fit(X, y)
    with pytest.warns(UserWarning, match=rf"leaves as it was: OneHotEncoder \({reason}"):
        small, inputs = drop_unused_inputs(model, X, y, return_inputs=True)
    assert inputs.tolist() == ["a", "city", "b"]
    assert small[0].transformers_[0][1].categories_[0].tolist() == sorted(CITIES)
    np.testing.assert_allclose(small.predict(X[list(inputs)]), model.predict(X), atol=1e-8)


def test_a_shared_column_of_infrequent_levels_that_is_used_holds_all_levels():
    X, y = frame()
    rare = X.index < 8
    X.loc[rare, "city"] = [f"village {i}" for i in range(8)]
    model = make_pipeline(columns(min_frequency=5), pruned(4)).fit(X, y + 9 * rare)
    assert "onehotencoder__city_infrequent_sklearn" in np.array(leaf_names(model))[model[-1].support_]
    with pytest.warns(UserWarning, match="infrequent levels share a column that is used"):
        small, inputs = drop_unused_inputs(model, X, y + 9 * rare, return_inputs=True)
    np.testing.assert_allclose(small.predict(X[list(inputs)]), model.predict(X), atol=1e-8)


NUMBERS = {
    "scaler": StandardScaler(),
    "polynomial": PolynomialFeatures(2),
    "polynomial after scaler": make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False)),
    "imputer with indicators": SimpleImputer(add_indicator=True),
    "spline": make_pipeline(SimpleImputer(), SplineTransformer(n_knots=4, knots="uniform", include_bias=False)),
    "given knots": make_pipeline(SimpleImputer(), SplineTransformer(knots=np.outer([-9, 0, 9], np.ones(6)))),
    "bins": make_pipeline(SimpleImputer(), KBinsDiscretizer(n_bins=[2, 3, 4, 3, 2, 3], encode="onehot-dense")),
    "function": FunctionTransformer(np.cbrt, feature_names_out="one-to-one"),
    "remainder": ColumnTransformer([("one", StandardScaler(), [1])], remainder="passthrough"),
    "transformer after a step that stays": make_pipeline(
        SimpleImputer(), PolynomialFeatures(2), ColumnTransformer([("some", StandardScaler(), slice(2, 9))])
    ),
    "union": FeatureUnion([("as it is", "passthrough"), ("squares", PolynomialFeatures(2))]),
}


@pytest.mark.filterwarnings("ignore:The current default behavior, quantile_method:FutureWarning")
@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("form", ["array", "list"])
def test_places_of_an_array_are_narrowed(name, form):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(150, 6))
    y = 3 * X[:, 1] + X[:, 4] + 0.5 * X[:, 4] * X[:, 1] + 0.01 * rng.normal(size=150)
    if "imputer" in name:
        X[rng.random(X.shape) < 0.1] = np.nan
    step = copy.deepcopy(NUMBERS[name])
    given = X.tolist() if form == "list" else X
    model = make_pipeline(step, pruned(3)).fit(given, y)
    small, inputs = drop_unused_inputs(model, given, y, return_inputs=True)
    assert 0 < len(inputs) < 6
    np.testing.assert_allclose(small.predict(X[:, inputs]), model.predict(X), atol=1e-8)
    assert small.n_features_in_ == len(inputs)


def test_a_sparse_array_stays_sparse():
    rng = np.random.default_rng(0)
    X = sp.random_array((150, 30), density=0.2, format="csr", rng=rng)
    y = X[:, :4] @ [3.0, 2, -1, 1] + 0.01 * rng.normal(size=150)
    model = make_pipeline(FunctionTransformer(accept_sparse=True), StandardScaler(with_mean=False), pruned(4))
    model.fit(X, y)
    small, inputs = drop_unused_inputs(model, X, y, return_inputs=True)
    assert inputs.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(small.predict(X[:, inputs]), model.predict(X), atol=ITERATIVE)


def test_mappings_keep_the_entries_that_are_used():
    X, y = frame()
    rows = [{**row, "tags": ["x", "y"][: i % 3]} for i, row in enumerate(X.to_dict("records"))]
    model = make_pipeline(DictVectorizer(), pruned(4)).fit(rows, y)
    small = drop_unused_inputs(model, rows, y)
    assert leaf_names(small) == np.array(leaf_names(model))[model[-1].support_].tolist()
    np.testing.assert_allclose(small.predict(rows), model.predict(rows), atol=ITERATIVE)


def test_wrappers_around_the_pipeline_keep_their_say():
    X, y = frame()
    model = QuantizedRegressor(
        PrunedRegressor(
            make_pipeline(columns(), Ridge()),
            max_loss=0.05,
            feature_groups="input",
            keep=["c"],
            monotonic_cst={"a": 1, "grade": -1},
        ),
        bits=6,
    ).fit(X, y)
    small, inputs = drop_unused_inputs(model, X, y, return_inputs=True)
    assert inputs.tolist() == ["a", "city", "b", "c"]
    inner = small.estimator_
    assert inner.n_nonzero == 1.0
    assert inner.max_loss is None
    kept = inner.estimator_[:-1].get_feature_names_out().tolist()
    assert [kept[place] for place in inner.keep] == ["passthrough__c"]
    assert inner.monotonic_cst.tolist() == [int(name == "pipeline__a") for name in kept]
    assert small.score(X[list(inputs)], y) > model.score(X, y) - 0.01


def test_containers_on_the_way_are_made_anew():
    X, y = frame()
    inner = make_pipeline(columns(), pruned(4))
    search = GridSearchCV(inner, {"prunedregressor__n_nonzero": [4]}, cv=2).fit(X, y)
    target = TransformedTargetRegressor(inner, func=np.sinh, inverse_func=np.arcsinh).fit(X, y)
    for model, kind in ((search, type(inner)), (target, TransformedTargetRegressor)):
        small, inputs = drop_unused_inputs(model, X, y, return_inputs=True)
        assert type(small) is kind
        np.testing.assert_allclose(small.predict(X[list(inputs)]), model.predict(X), atol=1e-8)


def test_given_categories_of_other_encoders_follow_the_inputs():
    X, y = frame()
    ordinal = OrdinalEncoder(categories=[["low", "mid", "high"], sorted(CITIES)])
    model = make_pipeline(make_column_transformer((ordinal, ["grade", "city"]), ("passthrough", ["a"])), pruned(2))
    model.fit(X, y)
    small, inputs = drop_unused_inputs(model, X, y, return_inputs=True)
    assert inputs.tolist() == ["a", "city"]
    np.testing.assert_allclose(small.predict(X[list(inputs)]), model.predict(X), atol=1e-8)


def test_classes_share_a_vocabulary():
    X, y = texts(200)
    label = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    model = make_pipeline(CountVectorizer(), PrunedClassifier(LogisticRegression(), n_nonzero=2)).fit(X, label)
    small = drop_unused_inputs(model, X, label)
    kept = np.array(leaf_names(model))[model[-1].support_.any(axis=0)].tolist()
    by_hand = make_pipeline(CountVectorizer(vocabulary=kept), PrunedClassifier(n_nonzero=2)).fit(X, label)
    np.testing.assert_allclose(small.predict_proba(X), by_hand.predict_proba(X), rtol=1e-10)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_a_row_that_is_divided_by_its_norm_keeps_all_its_inputs(norm):
    X, _ = frame()
    X = X[["a", "b", "c"]]
    unit = Normalizer(norm).fit_transform(X)
    model = make_pipeline(Normalizer(norm), pruned(1)).fit(X, unit[:, 0])
    with pytest.warns(UserWarning, match=r"leaves as it was: Normalizer"):
        small, inputs = drop_unused_inputs(model, X, unit[:, 0], return_inputs=True)
    assert inputs.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(small.predict(X), model.predict(X), atol=1e-10)


@pytest.mark.parametrize("names", [["unused"], ["unused", "unused0"]])
def test_parts_may_have_any_name(names):
    X, _ = frame()
    X = X[["a", "b", "c"]]
    parts = [(name, "passthrough", [column]) for name, column in zip(names, ["a", "b"], strict=False)]
    double = FunctionTransformer(lambda Z: Z * 2.0)
    y = X.a * 2 + X.c
    model = make_pipeline(double, ColumnTransformer(parts, remainder="passthrough"), pruned(2)).fit(X, y)
    with pytest.warns(UserWarning, match="leaves as it was: FunctionTransformer"):
        small = drop_unused_inputs(model, X, y)
    np.testing.assert_allclose(small.predict(X), y, atol=1e-10)
    assert len(small[-1].coef_) == 2


def test_what_cannot_be_narrowed_is_named():
    X, y = texts()
    model = make_pipeline(HashingVectorizer(n_features=64), pruned(4)).fit(X, y)
    with pytest.warns(UserWarning, match=r"leaves as it was: HashingVectorizer"):
        small = drop_unused_inputs(model, X, y)
    np.testing.assert_allclose(small.predict(X), model.predict(X), atol=1e-8)
    X, y = np.random.default_rng(0).normal(size=(50, 4)), np.arange(50.0)
    model = make_pipeline(StandardScaler(), PCA(3), pruned(2)).fit(X, y)
    with pytest.warns(UserWarning, match=r"leaves as it was: PCA"):
        _, inputs = drop_unused_inputs(model, X, y, return_inputs=True)
    assert inputs.tolist() == [0, 1, 2, 3]


def test_bad_input_is_refused():
    X, y = frame()
    model = make_pipeline(columns(), pruned(4)).fit(X, y)
    with pytest.raises(ValueError, match="X lacks the column 'b'"):
        drop_unused_inputs(model, X[["a", "city"]], y)
    with pytest.raises(ValueError, match="a FrozenEstimator inside the pipeline cannot be fitted again"):
        drop_unused_inputs(FrozenEstimator(model), X, y)
    numbers = X[["a", "b", "c"]].to_numpy()
    model = make_pipeline(StandardScaler(), pruned(2)).fit(numbers, y)
    with pytest.raises(ValueError, match="X has 2 columns, but the pipeline was fitted on 3"):
        drop_unused_inputs(model, numbers[:, :2], y)
    zero = make_pipeline(StandardScaler(), Ridge()).fit(numbers, np.zeros(len(numbers)))
    with pytest.raises(ValueError, match="uses no input"):
        drop_unused_inputs(zero, numbers, y)

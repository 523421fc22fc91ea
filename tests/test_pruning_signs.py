"""monotonic_cst: the sign of a feature's weight through search, refit, rounding and the wrappers around."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import lsq_linear, minimize
from sklearn import linear_model as lm
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import (
    CompressedRegressorCV,
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
)
from skcompress.core.grids import GRIDS
from skcompress.core.rounding import ROUNDINGS
from skcompress.linear.containers import find_leaf


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return X, y


NONNEGATIVE = np.ones(10)


def bounded(X, y, signs, weight=None, alpha=0.0):
    """Return weights and intercept of ridge under signs, by scipy, with weights of the rows."""
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    weight = np.ones(len(y)) if weight is None else weight
    mean, level = np.average(X, axis=0, weights=weight), np.average(y, weights=weight)
    rows = np.vstack([np.sqrt(weight)[:, None] * (X - mean), np.sqrt(alpha) * np.eye(X.shape[1])])
    target = np.concatenate([np.sqrt(weight) * (y - level), np.zeros(X.shape[1])])
    bounds = np.where(signs > 0, 0, -np.inf), np.where(signs < 0, 0, np.inf)
    x = lsq_linear(rows, target, bounds, method="bvls", tol=1e-14).x
    return x, level - mean @ x


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_the_refit_is_bounded_least_squares_on_the_best_columns(diabetes, alpha):
    X, y = diabetes
    signs = np.array([1, 1, 1, 1, 1, 1, 1, 1, -1, 0])
    base = lm.LinearRegression() if alpha == 0 else lm.Ridge(alpha=alpha)
    model = PrunedRegressor(base, n_nonzero=4, monotonic_cst=signs).fit(X, y)
    assert model.n_nonzero_ == model.support_.sum() == 4
    assert (signs * model.coef_ >= 0).all()
    losses = {}
    for columns in itertools.combinations(range(10), 4):
        columns = list(columns)
        weights, intercept = bounded(X.iloc[:, columns], y, signs[columns], alpha=alpha)
        residual = y - X.to_numpy()[:, columns] @ weights - intercept
        losses[tuple(columns)] = residual @ residual + alpha * weights @ weights
    best = min(losses, key=losses.get)
    residual = y - model.predict(X)
    assert residual @ residual + alpha * model.coef_ @ model.coef_ == pytest.approx(losses[best], rel=1e-9)
    weights, intercept = bounded(X.iloc[:, list(best)], y, signs[list(best)], alpha=alpha)
    np.testing.assert_allclose(model.coef_[list(best)], weights, rtol=1e-6)
    assert model.intercept_ == pytest.approx(intercept)


def test_asked_for_more_than_the_signs_let_be_it_keeps_what_there_is(diabetes):
    X, y = diabetes
    weights, _ = bounded(X, y, NONNEGATIVE)
    model = PrunedRegressor(n_nonzero=10, monotonic_cst=NONNEGATIVE).fit(X, y)
    np.testing.assert_allclose(model.coef_, weights, rtol=1e-6, atol=1e-8 * np.abs(weights).max())
    assert model.n_nonzero_ == np.count_nonzero(weights > 1e-9 * weights.max()) < 10


def test_names_of_columns_and_of_raw_inputs(diabetes):
    X, y = diabetes
    by_name = PrunedRegressor(n_nonzero=4, monotonic_cst={"s1": 1, "sex": 1, "s3": -1}).fit(X, y)
    by_place = PrunedRegressor(n_nonzero=4, monotonic_cst=[0, 1, 0, 0, 1, 0, -1, 0, 0, 0]).fit(X, y)
    np.testing.assert_array_equal(by_name.coef_, by_place.coef_)
    frame = X.assign(kind=np.where(X["sex"] > 0, "a", np.where(X["age"] > 0, "b", "c")))
    columns = make_column_transformer((OneHotEncoder(), ["kind"]), (StandardScaler(), ["bmi", "sex", "s1"]))
    model = PrunedRegressor(
        make_pipeline(columns, lm.Ridge()), n_nonzero=5, monotonic_cst={"kind": 1, "s1": 1, "sex": 1}
    )
    model.fit(frame, y)
    assert (model.coef_[:3] >= 0).all()
    assert model.coef_[4] >= 0
    assert model.coef_[5] >= 0
    unbound = PrunedRegressor(make_pipeline(columns, lm.Ridge()), n_nonzero=5).fit(frame, y)
    assert (unbound.coef_[[0, 1, 2, 4, 5]] < 0).any()


@pytest.mark.parametrize(
    ("signs", "told"),
    [
        ([1, 0], r"monotonic_cst must .* 10 entries.*got 2 entries"),
        (1, r"monotonic_cst must .* 10 entries.*got 1"),
        ([2, *[0] * 9], r"monotonic_cst\[0\]=2 must be -1 .* 0 .* 1"),
        ([True, *[0] * 9], r"monotonic_cst\[0\]=True must be -1"),
        ({"bmi": "up"}, r"monotonic_cst\['bmi'\]='up' must be -1"),
        ({"weight": 1}, r"monotonic_cst names 'weight', which is no column"),
        ({"bmi": 1, 2: -1}, r"monotonic_cst gives both signs to 'bmi'"),
    ],
    ids=str,
)
def test_what_is_no_sign_is_refused(diabetes, signs, told):
    with pytest.raises(ValueError, match=told):
        PrunedRegressor(n_nonzero=3, monotonic_cst=signs).fit(*diabetes)


def test_a_refit_that_knows_no_signs_is_refused(diabetes):
    with pytest.raises(ValueError, match=r"refit='estimator'.*monotonic_cst.*closed_form"):
        PrunedRegressor(n_nonzero=3, monotonic_cst=NONNEGATIVE, refit="estimator").fit(*diabetes)
    with pytest.raises(ValueError, match=r"refit=None.*monotonic_cst.*closed_form"):
        PrunedRegressor(n_nonzero=3, monotonic_cst=NONNEGATIVE, refit=None, search="one_shot").fit(*diabetes)


@pytest.mark.parametrize("budget", [{"n_nonzero": 3}, {"max_loss": 0.1}, {"threshold": 0.005}, {}], ids=str)
def test_keep_groups_and_budgets(diabetes, budget):
    X, y = diabetes
    signs = {"s1": 1, "sex": 1, "bmi": 1}
    groups = {"blood": ["s4", "s5"]}
    for options in ({"keep": ["age"]}, {"feature_groups": groups}, {"feature_groups": "feature", "keep": ["age"]}):
        model = PrunedRegressor(monotonic_cst=signs, **budget, **options).fit(X, y)
        assert (model.coef_[[1, 2, 4]] >= 0).all()
        assert model.support_.any()
        if "keep" in options:
            assert model.support_[0]
        else:
            assert model.support_[7] == model.support_[8]


@pytest.mark.slow
def test_a_weight_of_two_is_a_row_twice(diabetes):
    X, y = diabetes
    weight = np.random.default_rng(0).integers(0, 4, size=len(y))
    weighted = PrunedRegressor(n_nonzero=4, monotonic_cst=NONNEGATIVE).fit(X, y, sample_weight=weight)
    repeated = PrunedRegressor(n_nonzero=4, monotonic_cst=NONNEGATIVE)
    repeated.fit(X.loc[X.index.repeat(weight)], y.repeat(weight))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-7)
    columns = np.flatnonzero(weighted.support_)
    reference, _ = bounded(X.iloc[:, columns], y, NONNEGATIVE[columns], weight)
    np.testing.assert_allclose(weighted.coef_[columns], reference, rtol=1e-6)


@pytest.mark.parametrize(
    "base",
    [
        lm.LinearRegression(positive=True),
        lm.Ridge(alpha=0.01, positive=True),
        lm.Lasso(alpha=0.1, positive=True),
        lm.ElasticNet(alpha=0.001, positive=True),
        lm.LassoCV(cv=2, positive=True),
    ],
    ids=lambda base: type(base).__name__,
)
def test_a_positive_base_stays_so(base, diabetes):
    X, y = diabetes
    Z = np.hstack([X, X.to_numpy()[:, :4] * X.to_numpy()[:, 4:8] * 20, -X.to_numpy()[:, :3]])
    most = np.count_nonzero(base.fit(Z, y).coef_)
    for size in (1, 2, 4, 6):
        model = PrunedRegressor(base, n_nonzero=size).fit(Z, y)
        assert (model.coef_ >= 0).all()
        assert model.n_nonzero_ == min(size, most)
        assert (QuantizedRegressor(model, bits=3).fit(Z, y).coef_ >= 0).all()
    assert (PrunedRegressor(base, n_nonzero=4, refit="estimator").fit(Z, y).coef_ >= 0).all()


def test_a_sign_against_the_base_is_refused(diabetes):
    base = lm.LinearRegression(positive=True)
    with pytest.raises(ValueError, match=r"monotonic_cst asks for the sign -1 of 'bmi'.*positive=True"):
        PrunedRegressor(base, n_nonzero=2, monotonic_cst={"bmi": -1}).fit(*diabetes)
    inner = PrunedRegressor(n_nonzero=5, monotonic_cst={"bmi": 1, "sex": 1})
    outer = PrunedRegressor(inner, n_nonzero=3, monotonic_cst={"s5": 1}).fit(*diabetes)
    assert (outer.coef_[[1, 2, 8]] >= 0).all()


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_rounding_on_every_grid_holds_the_signs(diabetes, grid, rounding):
    X, y = diabetes
    signs = np.array([1, 1, 1, 1, 1, 1, -1, 1, 0, 1])
    inner = PrunedRegressor(n_nonzero=5, monotonic_cst=signs)
    for bits in (2, 4):
        model = QuantizedRegressor(inner, grid=grid, rounding=rounding, bits=bits, random_state=0)
        model.fit(X, y)
        assert (signs * model.coef_ >= 0).all()
        assert np.count_nonzero(model.coef_) <= 5


def test_pruning_what_is_quantized_holds_them_too(diabetes):
    X, y = diabetes
    model = PrunedRegressor(QuantizedRegressor(bits=4), n_nonzero=4, monotonic_cst=NONNEGATIVE).fit(X, y)
    assert (model.coef_ >= 0).all()
    assert 1 <= model.n_nonzero_ <= 4
    taught = DistilledRegressor(
        PrunedRegressor(n_nonzero=4, monotonic_cst=NONNEGATIVE), teacher=lm.Ridge(0.1), alpha=0.5, cv=2
    ).fit(X, y)
    assert (taught.coef_ >= 0).all()
    assert np.count_nonzero(taught.coef_) == 4


def _poisson_mean(base, X, y, columns, signs):
    """Return the mean deviance, penalty included, of Poisson regression under signs, by scipy."""
    Z = X[:, columns]

    def loss(v):
        eta = Z @ v[1:] + v[0]
        return np.mean(np.exp(eta) - y * eta) + base.alpha / 2 * v[1:] @ v[1:]

    def slope(v):
        rest = (np.exp(Z @ v[1:] + v[0]) - y) / len(y)
        return np.concatenate([[rest.sum()], Z.T @ rest + base.alpha * v[1:]])

    bounds = [(None, None), *((0, None) if s > 0 else (None, 0) if s < 0 else (None, None) for s in signs[columns])]
    start = np.zeros(len(columns) + 1)
    return minimize(loss, start, jac=slope, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-10})


def test_poisson_is_resolved_under_the_signs(diabetes):
    X, y = diabetes
    X, y = StandardScaler().fit_transform(X), np.asarray(y) / 50
    base = lm.PoissonRegressor(alpha=1e-3, tol=1e-8, max_iter=1000)
    model = PrunedRegressor(base, n_nonzero=4, monotonic_cst=NONNEGATIVE).fit(X, y)
    assert (model.coef_ >= 0).all()
    assert model.n_nonzero_ == 4
    columns = np.flatnonzero(model.support_)
    reference = _poisson_mean(base, X, y, columns, NONNEGATIVE)
    np.testing.assert_allclose(model.coef_[columns], reference.x[1:], rtol=1e-4, atol=1e-7)
    assert model.intercept_ == pytest.approx(reference.x[0], rel=1e-5)


@pytest.mark.parametrize(
    "base",
    [
        lm.GammaRegressor(),
        lm.HuberRegressor(max_iter=500),
        lm.TweedieRegressor(power=1.5),
        lm.QuantileRegressor(alpha=0),
    ],
)
def test_other_losses_keep_the_signs_through_the_rounds(base, diabetes):
    X, y = diabetes
    signs = np.array([1, 1, 1, 1, 1, 1, 1, 1, -1, 0])
    X = StandardScaler().fit_transform(X)
    model = PrunedRegressor(base, n_nonzero=3, monotonic_cst=signs).fit(X, y)
    assert (signs * model.coef_ >= 0).all()
    assert model.n_nonzero_ == 3
    rounded = QuantizedRegressor(model, bits=3).fit(X, y)
    assert (signs * rounded.coef_ >= 0).all()


@pytest.mark.parametrize("base", [lm.LogisticRegression(), lm.RidgeClassifier(), lm.LogisticRegression(penalty=None)])
def test_classifiers(base):
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    with warnings.catch_warnings():
        # Separable data: the fit without penalty ends where its iterations do.
        warnings.simplefilter("ignore")
        plain = PrunedClassifier(base, n_nonzero=6).fit(X, y)
        against = int(np.abs(plain.coef_).argmax())
        signs = np.where(np.arange(30) == against, -np.sign(plain.coef_.ravel()[against]), -1)
        model = PrunedClassifier(base, n_nonzero=6, monotonic_cst=signs).fit(X, y)
    assert (signs * model.coef_ >= 0).all()
    assert model.n_nonzero_ == 6
    assert model.score(X, y) > 0.94
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert (signs * QuantizedClassifier(model, bits=3).fit(X, y).coef_ >= 0).all()


def test_the_sign_holds_for_every_class_and_every_output(diabetes):
    X, y = load_iris(return_X_y=True)
    model = PrunedClassifier(lm.LogisticRegression(max_iter=1000), n_nonzero=2, monotonic_cst=[0, 1, -1, 0]).fit(X, y)
    assert (model.coef_[:, 1] >= 0).all()
    assert (model.coef_[:, 2] <= 0).all()
    X, y = diabetes
    Y = np.column_stack([y, X["s1"] * 100 + y, -y])
    model = PrunedRegressor(n_nonzero=3, monotonic_cst=NONNEGATIVE).fit(X, Y)
    assert (model.coef_ >= 0).all()
    for output in range(3):
        alone = PrunedRegressor(n_nonzero=3, monotonic_cst=NONNEGATIVE).fit(X, Y[:, output])
        np.testing.assert_allclose(model.coef_[output], alone.coef_, rtol=1e-7)


def test_names_are_those_of_the_frame():
    frame = pd.DataFrame({"a": [0.0, 1, 2, 3, 4], "b": [1.0, 0, 1, 0, 3]})
    model = PrunedRegressor(n_nonzero=2, monotonic_cst={"a": -1}).fit(frame, frame["a"] + frame["b"])
    assert model.coef_[0] == 0
    assert model.support_.tolist() == [False, True]


def test_a_search_over_sizes_and_bits_holds_them(diabetes):
    model = QuantizedRegressor(PrunedRegressor(monotonic_cst=NONNEGATIVE), bits=4)
    grid = {"n_nonzero": [2, 4], "bits": [2, 4]}
    search = CompressedRegressorCV(model, **grid, cv=2).fit(*diabetes)
    assert (find_leaf(search).estimator.coef_ >= 0).all()
    base = lm.LinearRegression(positive=True)
    search = CompressedRegressorCV(QuantizedRegressor(PrunedRegressor(base)), **grid, cv=2).fit(*diabetes)
    assert (find_leaf(search).estimator.coef_ >= 0).all()

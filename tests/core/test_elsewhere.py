"""Models trained elsewhere: blocks of other libraries, and losses in shares of the null deviance."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.metrics import log_loss, mean_poisson_deviance
from sklearn.preprocessing import scale

from skcompress import PrunedClassifier, QuadraticModel, prune

ROWS, TARGET = load_breast_cancer(return_X_y=True)
ROWS = scale(ROWS)
RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.standard_normal((90, 3)), columns=["a", "b", "c"])
Y = X.to_numpy() @ [1.0, 2.0, 3.0] + RNG.standard_normal(90)


def frames(kind):
    pa = pytest.importorskip("pyarrow")
    return {
        "pandas": lambda part: part,
        "polars": lambda part: pl.DataFrame(dict(part)),
        "table": lambda part: pa.table(dict(part)),
        "chunks": lambda part: pa.concat_tables([pa.table(dict(part[:7])), pa.table(dict(part[7:]))]),
        "batch": lambda part: pa.RecordBatch.from_pandas(part, preserve_index=False),
    }[kind]


@pytest.mark.parametrize("kind", ["pandas", "polars", "table", "chunks", "batch"])
def test_a_block_may_be_a_frame_of_any_library(kind):
    make = frames(kind)
    expected = QuadraticModel.from_blocks([(X.to_numpy(), Y)])
    found = QuadraticModel.from_blocks([(make(X[:40]), Y[:40]), (make(X[40:]), Y[40:])])
    np.testing.assert_allclose(found.centre, expected.centre, rtol=1e-10)
    with pytest.raises(ValueError, match=r"block 1: column 0 is 'b', and 'a' in the first block"):
        QuadraticModel.from_blocks([(make(X[:40]), Y[:40]), (make(X[40:][["b", "a", "c"]]), Y[40:])])


def test_a_dask_frame_is_no_block():
    dd = pytest.importorskip("dask.dataframe")
    frame = dd.from_pandas(X.assign(y=Y), npartitions=3)
    with pytest.raises(ValueError, match=r"block 0: a dask DataFrame is not in memory.*get_partition"):
        QuadraticModel.from_blocks([(frame[["a", "b", "c"]], Y)])
    with pytest.raises(ValueError, match=r"block 0: a dask Series is not in memory"):
        QuadraticModel.from_blocks([(X, frame["y"])])
    parts, target = frame[["a", "b", "c"]], frame["y"]
    blocks = ((parts.get_partition(i).compute(), target.get_partition(i).compute()) for i in range(parts.npartitions))
    expected = QuadraticModel.from_blocks([(X, Y)])
    np.testing.assert_allclose(QuadraticModel.from_blocks(blocks).centre, expected.centre, rtol=1e-10)
    with pytest.raises(ValueError, match="a polars LazyFrame is not in memory"):
        QuadraticModel.from_blocks([(pl.DataFrame(dict(X)).lazy(), Y)])


def logistic_elsewhere(C=0.1):
    model = LogisticRegression(C=C, tol=1e-8, max_iter=1000).fit(ROWS, TARGET)
    p = model.predict_proba(ROWS)[:, 1]
    quadratic = QuadraticModel.from_blocks(
        [(ROWS[:300], None, (p * (1 - p))[:300]), (ROWS[300:], None, (p * (1 - p))[300:])],
        coef=model.coef_,
        intercept=model.intercept_,
        null_loss=2 * log_loss(TARGET, np.full(len(p), TARGET.mean())),
        base_loss=2 * log_loss(TARGET, p),
        n_samples=len(p),
    )
    return model, p, quadratic


def test_the_loss_of_a_logistic_model_is_a_share_of_its_null_deviance():
    model, p, quadratic = logistic_elsewhere()
    small = prune(quadratic, n_nonzero=25)
    predictor = ROWS @ small.weights[0]
    intercept = brentq(lambda b: expit(predictor + b).mean() - TARGET.mean(), -50, 50)
    settled = expit(predictor + intercept)
    # The quadratic is the expected rise of the deviance of y drawn from the model: p in place of y.
    change = 2 * (log_loss_of(p, settled) - log_loss_of(p, p)) / quadratic.null_loss[0]
    assert small.loss == pytest.approx(change, rel=0.3)
    assert quadratic.n_samples == len(p)
    np.testing.assert_allclose(quadratic.best_intercept(quadratic.centre), model.intercept_)


def log_loss_of(target, p):
    return -(target * np.log(p) + (1 - target) * np.log(1 - p)).mean()


def test_with_all_three_numbers_the_criterion_needs_no_budget():
    _, _, quadratic = logistic_elsewhere()
    assert 1 <= prune(quadratic).support.sum() <= 30
    with pytest.raises(ValueError, match="n_nonzero"):
        prune(QuadraticModel.from_blocks([(ROWS, None)], coef=np.ones(30)))


def test_the_curvature_is_that_of_the_estimator_on_the_same_rows():
    model, p, quadratic = logistic_elsewhere()
    problem = PrunedClassifier(LogisticRegression(C=0.1, tol=1e-8, max_iter=1000), n_nonzero=5).fit(ROWS, TARGET)
    expected = (ROWS - np.average(ROWS, axis=0, weights=p * (1 - p))).T * (p * (1 - p) / len(p))
    np.testing.assert_allclose(quadratic.diag()[0], np.diag(expected @ ROWS), rtol=1e-9)
    np.testing.assert_allclose(problem.base_coef_, model.coef_, rtol=1e-6)


def test_counts_as_well():
    y = RNG.poisson(np.exp(0.3 * X["a"] - 0.2 * X["b"]))
    model = PoissonRegressor(alpha=0, tol=1e-10).fit(X, y)
    mu = model.predict(X)
    null = mean_poisson_deviance(y, np.full(90, y.mean()))
    quadratic = QuadraticModel.from_blocks(
        [(X, None, mu)], coef=model.coef_, intercept=model.intercept_, null_loss=null, n_samples=90
    )
    small = prune(quadratic, n_nonzero=2)
    kept = small.support[0]
    refit = PoissonRegressor(alpha=0, tol=1e-10).fit(X.to_numpy()[:, kept], y)
    lost = mean_poisson_deviance(y, refit.predict(X.to_numpy()[:, kept])) - mean_poisson_deviance(y, mu)
    assert small.loss == pytest.approx(lost / null, rel=0.1, abs=1e-4)


@pytest.mark.parametrize("name", ["null_loss", "base_loss", "n_samples"])
def test_wrong_numbers_are_refused(name):
    with pytest.raises(ValueError, match=rf"{name}=1.0 goes with coef"):
        QuadraticModel.from_blocks([(X, Y)], **{name: 1.0})
    with pytest.raises(ValueError, match=rf"{name} must be positive and finite, got -1.0"):
        QuadraticModel.from_blocks([(X, None)], coef=[1, 2, 3], **{name: -1.0})

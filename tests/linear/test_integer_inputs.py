"""input_bits: one integer dot product and one scale give the prediction, wherever the linear model sits."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    MultiTaskLasso,
    PoissonRegressor,
    RANSACRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import (
    CompactLinear,
    CompressedRegressorCV,
    DistilledRegressor,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
    compact,
)
from skcompress.linear.integer_inputs import InputGrid, accumulator, reader_of
from skcompress.linear.view import read

RNG = np.random.default_rng(0)
X = RNG.standard_normal((300, 6)) * [1, 10, 0.1, 1, 1, 5] + [0, 100, 0, 3, 0, 0]
X[:, 4] = X[:, 4] > 0
Y = X @ np.array([[1, 0.1, -8, 0.5, 2, 0.3], [-1, 0.2, 1, 0.1, -1, 0.1]]).T + 0.3 * RNG.standard_normal((300, 2))
y = Y[:, 0]
COUNTS = RNG.poisson(np.exp(0.3 * (y - y.mean()) / y.std()))
LABELS = np.array(["a", "b", "c"])[np.digitize(y, np.quantile(y, [0.3, 0.7]))]

REGRESSORS = [
    (LinearRegression(), y),
    (Ridge(), Y),
    (PoissonRegressor(alpha=1e-3, max_iter=1000), COUNTS),
    (PLSRegression(3), y),
    (MultiTaskLasso(0.01), Y),
    (make_pipeline(StandardScaler(), Ridge()), y),
    (TransformedTargetRegressor(Ridge(), func=np.exp, inverse_func=np.log), (y - y.mean()) / (10 * y.std())),
    (RANSACRegressor(random_state=0), y),
    (GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}), y),
    (FrozenEstimator(Ridge().fit(X, y)), y),
    (PrunedRegressor(Ridge(), n_nonzero=4), y),
]
CLASSIFIERS = [
    LogisticRegression(max_iter=2000),
    RidgeClassifier(),
    LinearDiscriminantAnalysis(),
    make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=0)),
]


@pytest.mark.parametrize(("base", "target"), REGRESSORS, ids=lambda value: type(value).__name__)
def test_the_prediction_is_that_of_the_codes_and_close_to_that_of_floats(base, target):
    model = QuantizedRegressor(base, bits=10, input_bits=12).fit(X, target)
    plain = clone(base).fit(X, target)
    assert model.score(X, target) > plain.score(X, target) - 0.01
    reader = reader_of(model.estimator_)
    leaf_input = plain[:-1].transform(X) if hasattr(base, "steps") else X
    weights, intercept = read(reader.leaf)
    offset, step = model.input_offset_, model.input_scale_
    q = np.clip(np.rint((leaf_input - offset) / step), -2047, 2047).astype(np.int64)
    z = np.rint(weights * step / reader.scale).astype(np.int64)
    np.testing.assert_allclose(z * reader.scale / step, weights, rtol=1e-12)
    eta = (q @ z.T) * reader.scale[:, 0] + (intercept + weights @ offset)
    np.testing.assert_array_equal(reader.linear_predictor(leaf_input, integers=True), eta)
    np.testing.assert_array_equal(reader.linear_predictor(leaf_input, integers=False), eta)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


@pytest.mark.parametrize(("base", "target"), REGRESSORS, ids=lambda value: type(value).__name__)
def test_the_links_of_the_base_follow_the_integer_sum(base, target):
    model = QuantizedRegressor(base, bits=16, input_bits=16).fit(X, target)
    # The ranges are those of the rows that the linear model was fitted on.
    rows = X[getattr(model.estimator_, "inlier_mask_", slice(None))]
    wanted = clone(base).fit(X, target).predict(rows)
    assert model.predict(rows).shape == wanted.shape
    assert np.abs(model.predict(rows) - wanted).max() < 0.004 * np.abs(wanted).max()


@pytest.mark.parametrize("base", CLASSIFIERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("labels", [LABELS, LABELS == "a"], ids=["three", "two"])
def test_classifiers_answer_from_the_codes(base, labels):
    model = QuantizedClassifier(base, bits=10, input_bits=12).fit(X, labels)
    plain = clone(base).fit(X, labels)
    assert model.score(X, labels) > plain.score(X, labels) - 0.02
    scores, wanted = model.decision_function(X), plain.decision_function(X)
    assert scores.shape == wanted.shape
    assert np.abs(scores - wanted).max() < 0.03 * np.abs(wanted).max()
    np.testing.assert_array_equal(model.classes_, plain.classes_)
    assert hasattr(model, "predict_proba") == hasattr(plain, "predict_proba")
    if hasattr(plain, "predict_proba"):
        assert np.abs(model.predict_proba(X) - plain.predict_proba(X)).max() < 0.06


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
@pytest.mark.parametrize("input_bits", [2, 4, 8, 16])
@pytest.mark.parametrize("options", [{}, {"grid": "affine"}, {"grid": "fixed_point"}, {"granularity": "tensor"}])
def test_integers_and_floats_agree_bit_for_bit(bits, input_bits, options):
    model = QuantizedRegressor(Ridge(), bits=bits, input_bits=input_bits, **options).fit(X, Y)
    reader = reader_of(model.estimator_)
    rows = np.vstack([X, 10 * X])
    integers, floats = (reader.linear_predictor(rows, integers=kind) for kind in (True, False))
    np.testing.assert_array_equal(integers, floats)
    np.testing.assert_array_equal(model.predict(rows), floats)
    if options.get("granularity") == "tensor":
        assert len(np.unique(reader.scale)) == 1


def test_the_compact_form_reads_codes_too():
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(level=np.where(X[:, 0] > 0, "up", "down"))
    columns = make_column_transformer(
        (StandardScaler(), list("abcdef")), (OneHotEncoder(sparse_output=False), ["level"])
    )
    for model in (
        QuantizedRegressor(make_pipeline(columns, Ridge()), bits=6, input_bits=8),
        QuantizedRegressor(PrunedRegressor(make_pipeline(columns, Ridge()), n_nonzero=4), bits=4, input_bits=4),
        make_pipeline(columns, QuantizedRegressor(Ridge(), bits=6, input_bits=8, grid="affine")),
    ):
        small = CompactLinear.from_bytes(compact(model.fit(frame, y)).to_bytes())
        for rows in (frame, frame.assign(a=frame["a"] * 7)):
            np.testing.assert_allclose(small.predict(rows), model.predict(rows), rtol=1e-12, atol=1e-12)
            one = small.predict_one(rows.iloc[3].to_dict())
            assert one == pytest.approx(float(model.predict(rows)[3]), rel=1e-12)
        assert small.weights.codes is not None


def test_what_lies_beyond_the_training_rows_is_clipped_and_counted():
    model = QuantizedRegressor(Ridge(), input_bits=8).fit(X, y)
    np.testing.assert_array_equal(model.n_clipped_inputs(X), np.zeros(6))
    far = X[:10].copy()
    far[:, 1] = 1e6
    far[:3, 2] = -1e6
    np.testing.assert_array_equal(model.n_clipped_inputs(far), [0, 10, 3, 0, 0, 0])
    edge = far.copy()
    edge[:, 1] = X[:, 1].max()
    edge[:3, 2] = X[:, 2].min()
    np.testing.assert_array_equal(model.predict(far), model.predict(edge))


def test_rows_that_a_robust_base_left_out_are_counted():
    target = y.copy()
    rows = X.copy()
    rows[:20, 1], target[:20] = 1e4, 1e6
    model = QuantizedRegressor(RANSACRegressor(random_state=0), input_bits=8).fit(rows, target)
    assert model.n_clipped_inputs(rows)[1] >= 20


def test_the_ends_of_the_training_rows_and_indicators_are_exact():
    grid = InputGrid.of(X, 8, np.ones((1, X.shape[1])))
    read_back = grid.codes(X) * grid.step + grid.offset
    assert (np.abs(read_back - X) <= grid.step / 2 * (1 + 1e-9)).all()
    np.testing.assert_allclose(read_back[:, 4], X[:, 4], atol=1e-15)
    constant = InputGrid.of(np.full((5, 2), [3.0, 0.0]), 4, np.ones((1, 2)))
    np.testing.assert_array_equal(constant.codes(np.full((5, 2), [3.0, 0.0])), 0)
    np.testing.assert_array_equal(constant.offset, [3.0, 0.0])


def test_sparse_rows_stay_sparse_and_zero_stays_zero():
    rows = sp.random_array((400, 50), density=0.05, rng=np.random.default_rng(1), format="csr")
    target = rows @ RNG.standard_normal(50) + 0.01 * RNG.standard_normal(400)
    model = QuantizedRegressor(Ridge(0.01), input_bits=8).fit(rows, target)
    grid = reader_of(model.estimator_).inputs
    assert not grid.offset.any()
    codes = grid.codes(sp.csr_array(rows))
    assert sp.issparse(codes)
    np.testing.assert_array_equal(codes.indices, rows.indices)
    np.testing.assert_array_equal(model.predict(rows), model.predict(rows.toarray()))
    assert model.score(rows, target) > Ridge(0.01).fit(rows, target).score(rows, target) - 0.01
    assert model.n_clipped_inputs(3 * rows).sum() > 0


def test_a_wrapper_around_it_keeps_reading_codes_or_takes_them_away():
    inner = QuantizedRegressor(Ridge(), bits=6, input_bits=8)
    pruned = PrunedRegressor(inner, n_nonzero=3).fit(X, y)
    reader = reader_of(pruned.estimator_)
    assert (reader.codes != 0).sum() == 3
    np.testing.assert_array_equal(pruned.predict(X), reader.linear_predictor(X, integers=True)[:, 0])
    floats = QuantizedRegressor(inner, bits=6).fit(X, y)
    assert reader_of(floats.estimator_) is None
    np.testing.assert_allclose(floats.predict(X), X @ floats.coef_ + floats.intercept_, rtol=1e-12)
    with pytest.raises(AttributeError, match="input_bits=None"):
        floats.n_clipped_inputs(X)


def test_losses_are_those_of_the_integer_prediction():
    model = QuantizedRegressor(LinearRegression(), bits=3, input_bits=3).fit(X, y)
    plain = LinearRegression().fit(X, y)
    assert model.loss_increase_ == pytest.approx(plain.score(X, y) - model.score(X, y), abs=1e-12)
    change = np.sqrt(np.mean((plain.predict(X) - model.predict(X)) ** 2))
    assert model.prediction_change_ == pytest.approx(change, rel=1e-10)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: PrunedRegressor(inner, n_nonzero=4),
        lambda inner: PrunedRegressor(make_pipeline(StandardScaler(), inner), n_nonzero=4),
        lambda inner: PrunedRegressor(inner, n_nonzero=4, importance="l1", refit=None),
        lambda inner: DistilledRegressor(inner, teacher=LinearRegression(), alpha=0.0, cv=2),
        lambda inner: QuantizedRegressor(inner, bits=8),
    ],
)
def test_the_losses_of_a_wrapper_around_it_are_those_of_its_prediction(wrap):
    model = wrap(QuantizedRegressor(bits=8, input_bits=2)).fit(X, y)
    base = LinearRegression().fit(X, y)
    change = np.mean((model.predict(X) - base.predict(X)) ** 2)
    distilled = isinstance(model, DistilledRegressor)
    lost = change / base.predict(X).var() if distilled else r2_score(y, base.predict(X)) - r2_score(y, model.predict(X))
    assert model.loss_increase_ == pytest.approx(lost, abs=1e-9)
    assert model.prediction_change_ == pytest.approx(np.sqrt(change))
    if getattr(model, "refit", "") is not None:
        assert model.predict(X).mean() == pytest.approx(y.mean())


def test_sums_cannot_overflow():
    assert accumulator(np.full((1, 100), 127), 127) is np.int32
    assert accumulator(np.full((1, 200_000), 127), 127) is np.int64
    with pytest.raises(ValueError, match=r"beyond 2\^53: use fewer bits"):
        accumulator(np.full((2, 1000), 2**40), 2**15 - 1)


@pytest.mark.parametrize("value", [1, 17, 2.5, True, "8"])
def test_impossible_bits_are_refused(value):
    with pytest.raises(ValueError, match="input_bits must be None or an integer from 2 to 16"):
        QuantizedRegressor(Ridge(), input_bits=value).fit(X, y)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"grid": "codebook", "bits": 4}, "input_bits=8 does not go with grid='codebook'"),
        ({"grid": "power_of_two", "bits": 4}, "input_bits=8 does not go with grid='power_of_two'"),
        ({"granularity": "feature"}, "input_bits=8 does not go with granularity='feature'"),
    ],
)
def test_grids_and_granularities_that_cannot_be_integers_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        QuantizedRegressor(Ridge(), input_bits=8, **options).fit(X, y)


def test_a_search_that_scores_float_inputs_refuses_it():
    with pytest.raises(ValueError, match="search it with GridSearchCV"):
        CompressedRegressorCV(QuantizedRegressor(Ridge(), input_bits=8)).fit(X, y)


def test_a_row_of_weight_zero_does_not_widen_the_range(small):
    X, y = small
    plain = QuantizedRegressor(Ridge(), input_bits=8).fit(X, y)
    far, weight = np.vstack([X, np.full((1, 5), 1e6)]), np.append(np.ones(len(y)), 0.0)
    weighted = QuantizedRegressor(Ridge(), input_bits=8).fit(far, np.append(y, 0.0), sample_weight=weight)
    np.testing.assert_array_equal(weighted.input_scale_, plain.input_scale_)
    np.testing.assert_allclose(weighted.predict(X), plain.predict(X), atol=0.1)


@pytest.mark.parametrize(("base", "target"), [(Ridge(), Y), (PoissonRegressor(alpha=1e-3, max_iter=1000), COUNTS)])
def test_the_mean_prediction_stays_that_of_the_target(base, target):
    model = QuantizedRegressor(base, bits=4, input_bits=2).fit(X, target)
    np.testing.assert_allclose(model.predict(X).mean(axis=0), target.mean(axis=0), rtol=1e-6)

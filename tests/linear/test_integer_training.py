"""partial_fit on the grid: what is kept between two calls, that rounding is unbiased, and what is refused."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge, SGDClassifier, SGDRegressor
from sklearn.preprocessing import StandardScaler

from skcompress import PrunedRegressor, QuantizedClassifier, QuantizedRegressor

STEP = 2.0**-13


def sgd(**options):
    return SGDRegressor(random_state=0, eta0=0.01, learning_rate="constant", **options)


def on_grid(base=None, *, bits=16, scale=STEP, rounding="stochastic", **options):
    base = sgd() if base is None else base
    return QuantizedRegressor(base, bits=bits, grid="fixed_point", scale=scale, rounding=rounding, **options)


@pytest.fixture(scope="module")
def stream():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, 8))
    return X, X @ np.linspace(-1, 1, 8) + 0.3 * rng.standard_normal(3000)


def trained(model, X, y, batch=50, **params):
    for start in range(0, len(y), batch):
        model.partial_fit(X[start : start + batch], y[start : start + batch], **params)
    return model


def test_q2_13_and_8_bits_learn_what_floats_learn(stream):
    X, y = stream
    plain = trained(sgd(), X[:2000], y[:2000]).score(X[2000:], y[2000:])
    for bits, scale, allowed in ((16, STEP, 0.005), (8, 2.0**-6, 0.02)):
        model = trained(on_grid(bits=bits, scale=scale, random_state=0), X[:2000], y[:2000])
        assert model.score(X[2000:], y[2000:]) > plain - allowed
        assert model.codes_.dtype == (np.int16 if bits == 16 else np.int8)
        np.testing.assert_array_equal(model.coef_, model.codes_ * model.scale_)


def test_steps_have_the_record_that_fit_leaves(stream):
    """But for the loss, which would be that of rows that are gone."""
    X, y = stream
    fitted = on_grid(bits=8, scale=0.25).fit(X, y)
    for model in (on_grid(bits=8, scale=0.25), fitted):
        steps = trained(model, X[:500], y[:500]).steps_
        assert steps[["step", "bits"]].equals(fitted.steps_[["step", "bits"]])
        assert steps["weights"].tolist() == [8, np.count_nonzero(model.codes_)]
        assert steps.iloc[0, 3:].tolist() == [0, 0]
        assert steps.iloc[1, 3:].isna().all()


def test_one_call_is_the_base_with_its_weights_rounded_without_bias(stream):
    X, y = stream
    step = 0.25
    plain = sgd().partial_fit(X[:60], y[:60])
    drawn = np.array(
        [on_grid(bits=8, scale=step, random_state=seed).partial_fit(X[:60], y[:60]).coef_ for seed in range(800)]
    )
    low = np.floor(plain.coef_ / step) * step
    assert set(np.unique((drawn - low) / step)) <= {0.0, 1.0}
    spread = step * np.sqrt(0.25 / len(drawn))
    assert (np.abs(drawn.mean(axis=0) - plain.coef_) < 4.5 * spread).all()


def test_nearest_stalls_where_stochastic_goes_on(stream):
    X, y = stream
    slow = SGDRegressor(random_state=0, eta0=1e-4, learning_rate="constant")
    stalled = trained(on_grid(slow, bits=8, scale=2.0**-6, rounding="nearest"), X, y, batch=5)
    moving = trained(on_grid(slow, bits=8, scale=2.0**-6, random_state=0), X, y, batch=5)
    assert not stalled.coef_.any()
    assert moving.score(X, y) > 0.3


def test_rounding_to_nearest_and_down_are_those_of_the_weights(stream):
    X, y = stream
    plain = sgd().partial_fit(X, y).coef_
    for rounding, rounded in (("nearest", np.rint), ("floor", np.floor)):
        model = on_grid(bits=6, scale=0.125, rounding=rounding).partial_fit(X, y)
        np.testing.assert_array_equal(model.codes_, rounded(plain / 0.125))


def test_between_calls_only_codes_scale_and_intercept_count(stream):
    X, y = stream
    first = on_grid(bits=8, scale=2.0**-6, random_state=0).partial_fit(X[:500], y[:500])
    second = copy.deepcopy(first)
    second.estimator_.coef_ = second.estimator_.coef_ + 0.4 * second.scale_
    np.testing.assert_array_equal(first.codes_, second.codes_)
    for model in (first, second):
        model.partial_fit(X[500:], y[500:])
    np.testing.assert_array_equal(first.codes_, second.codes_)
    assert not hasattr(first, "base_coef_")
    assert not hasattr(first, "loss_increase_")


def test_training_goes_on_from_a_fit_and_from_a_pickle(stream):
    X, y = stream
    model = on_grid(bits=12, scale=2.0**-9, rounding="lattice", random_state=0).fit(X[:500], y[:500])
    codes = model.codes_
    copied = pickle.loads(pickle.dumps(model))
    model.partial_fit(X[:1], y[:1])
    copied.partial_fit(X[:1], y[:1])
    np.testing.assert_array_equal(model.codes_, copied.codes_)
    assert np.abs(model.codes_.astype(int) - codes).max() < 60
    assert not hasattr(model, "loss_increase_")
    model.fit(X, y)
    assert model.loss_increase_ < 0.01


def test_the_seed_decides_and_calls_do_not_repeat_their_draws(stream):
    X, y = stream
    one, same, other = (trained(on_grid(bits=8, scale=2.0**-5, random_state=seed), X, y) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.codes_, same.codes_)
    assert (one.codes_ != other.codes_).any()
    # One sign and size of update in every call: with the same draws again, a code would move always or never.
    ones, far = np.ones((1, 30)), np.array([1e3])
    slow = SGDRegressor(loss="epsilon_insensitive", eta0=0.5, learning_rate="constant", alpha=0.0, fit_intercept=False)
    model = on_grid(slow, bits=8, scale=1.0, random_state=0)
    for _ in range(20):
        model.partial_fit(ones, far)
    assert (np.abs(model.codes_ - 10) < 10).all()


def test_weights_beyond_the_grid_are_clipped_and_counted(stream):
    X, y = stream
    model = trained(on_grid(bits=4, scale=2.0**-6, random_state=0), X, 100 * y)
    assert model.n_saturated_ == 8
    np.testing.assert_array_equal(np.abs(model.codes_), 7)


def test_classes_sparse_rows_frames_and_float32(stream):
    X, y = stream
    labels = np.where(y > 0, "up", "down")
    options = {"bits": 12, "grid": "fixed_point", "scale": 2.0**-8, "random_state": 0}
    model = QuantizedClassifier(SGDClassifier(loss="log_loss", random_state=0), **options)
    model = trained(model, sp.csr_array(X), labels, batch=1000, classes=["down", "up"])
    assert model.score(X, labels) > 0.85
    assert model.predict_proba(X).shape == (3000, 2)
    three = np.digitize(y, [-0.5, 0.5])
    model = QuantizedClassifier(SGDClassifier(random_state=0), **options)
    model = trained(model, X, three, classes=[0, 1, 2])
    assert model.codes_.shape == (3, 8)
    np.testing.assert_array_equal(model.coef_, model.codes_ * model.scale_)
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    framed = on_grid(random_state=0).partial_fit(frame, y)
    assert list(framed.feature_names_in_) == list("abcdefgh")
    assert list(framed.compact_.inputs) == list("abcdefgh")
    np.testing.assert_allclose(framed.compact_.predict(frame), framed.predict(frame), rtol=1e-12, atol=1e-12)
    single = on_grid(random_state=0).partial_fit(X.astype(np.float32), y.astype(np.float32))
    assert single.coef_.dtype == np.float32


def test_a_weight_goes_to_the_base_and_is_routed(stream):
    X, y = stream
    weight = np.linspace(0, 2, len(y))
    plain = sgd().partial_fit(X, y, sample_weight=weight)
    model = on_grid(rounding="nearest").partial_fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.coef_, plain.coef_, atol=STEP / 2)
    with sklearn.config_context(enable_metadata_routing=True):
        base = sgd().set_partial_fit_request(sample_weight=True)
        routed = on_grid(base, rounding="nearest").partial_fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(routed.codes_, model.codes_)


class NoWeights(SGDRegressor):
    def partial_fit(self, X, y):
        return super().partial_fit(X, y)


def test_what_cannot_train_on_integers_is_refused(stream):
    X, y = stream
    X = StandardScaler().fit_transform(X)
    with pytest.raises(ValueError, match=r"average=10.*use average=False"):
        on_grid(sgd(average=10)).partial_fit(X, y)
    with pytest.raises(ValueError, match=r"granularity='feature'.*'tensor'"):
        on_grid(granularity="feature").partial_fit(X, y)
    with pytest.raises(ValueError, match=r"scale=0.3.*power of two"):
        on_grid(scale=0.3).partial_fit(X, y)
    with pytest.raises(ValueError, match="partial_fit of NoWeights takes none"):
        on_grid(NoWeights()).partial_fit(X, y, sample_weight=np.ones(len(y)))
    with pytest.raises(TypeError, match="SGDClassifier is a classifier: use QuantizedClassifier"):
        on_grid(SGDClassifier()).partial_fit(X, y > 0)


@pytest.mark.parametrize(
    "model",
    [
        on_grid(LinearRegression()),
        on_grid(FrozenEstimator(sgd().partial_fit(np.eye(2), [0.0, 1.0]))),
        on_grid(PrunedRegressor(Ridge(), n_nonzero=1)),
        on_grid(on_grid()),
        QuantizedRegressor(sgd()),
        on_grid(scale="loss"),
    ],
)
def test_partial_fit_is_there_only_where_it_can_be(model):
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as failed:
        model.partial_fit(np.eye(2), [0.0, 1.0])
    reason = str(failed.value.__cause__)
    assert "has no partial_fit that" in reason or "grid='fixed_point' and a number as scale" in reason


def test_nothing_of_an_earlier_fit_is_left(stream):
    X, y = stream
    base = sgd(max_iter=5, tol=None)
    model = on_grid(base, bits=8, scale=2.0**-6, input_bits=8, random_state=0).fit(X[:200], y[:200])
    assert model.input_scale_.shape == model.input_offset_.shape == (8,)
    model.set_params(input_bits=None).fit(X[:200], y[:200])
    assert not hasattr(model, "input_scale_")
    assert not hasattr(model, "input_offset_")
    model.partial_fit(X[:50], y[:50])
    again = copy.deepcopy(model).fit(X[:200], y[:200])
    assert not hasattr(again, "n_saturated_")
    fresh = on_grid(base, bits=8, scale=2.0**-6, random_state=0).fit(X[:200], y[:200])
    assert vars(again).keys() == vars(fresh).keys()
    np.testing.assert_array_equal(trained(again, X[:200], y[:200]).codes_, trained(fresh, X[:200], y[:200]).codes_)


def test_the_input_range_grows_with_the_batches(stream):
    X, y = stream
    trained_only = trained(on_grid(random_state=0), X, y)
    np.testing.assert_array_equal(trained_only.input_range_, [X.min(axis=0), X.max(axis=0)])
    model = on_grid(sgd(max_iter=5, tol=None), random_state=0).fit(X[:100], y[:100])
    weight = np.ones(100)
    weight[-1] = 0
    model.partial_fit(np.vstack([5 * X[100:199], [[100.0] * 8]]), y[100:200], sample_weight=weight)
    rows = np.vstack([X[:100], 5 * X[100:199]])
    np.testing.assert_array_equal(model.input_range_, [rows.min(axis=0), rows.max(axis=0)])

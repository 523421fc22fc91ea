"""Who is fitted at the heart of an estimator, and under which name it takes its weights."""

import numpy as np
import pytest
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Lars, LinearRegression, RANSACRegressor, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress import PrunedRegressor, QuantizedRegressor
from skcompress.linear.containers import innermost
from skcompress.linear.fitting import fit_params_of, leaf_weight, weight_params

RIDGE = Ridge()
FROZEN = FrozenEstimator(RIDGE)
FROZEN_SEARCH = FrozenEstimator(GridSearchCV(RIDGE, {"alpha": [1.0]}))


@pytest.mark.parametrize(
    ("estimator", "heart"),
    [
        (RIDGE, RIDGE),
        (make_pipeline(StandardScaler(), RIDGE), RIDGE),
        (TransformedTargetRegressor(RIDGE), RIDGE),
        (RANSACRegressor(RIDGE), RIDGE),
        (GridSearchCV(RIDGE, {"alpha": [1.0]}), RIDGE),
        (QuantizedRegressor(PrunedRegressor(RIDGE)), RIDGE),
        (QuantizedRegressor(make_pipeline(StandardScaler(), TransformedTargetRegressor(RIDGE))), RIDGE),
        (PrunedRegressor(FROZEN), FROZEN),
        (FROZEN_SEARCH, FROZEN_SEARCH),
    ],
)
def test_innermost(estimator, heart):
    assert innermost(estimator) is heart


@pytest.mark.parametrize("estimator", [PrunedRegressor(), TransformedTargetRegressor(), RANSACRegressor()])
def test_innermost_of_none_is_least_squares(estimator):
    assert isinstance(innermost(estimator), LinearRegression)


WEIGHT = np.ones(3)


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (RIDGE, "sample_weight"),
        (make_pipeline(StandardScaler(), RIDGE), "ridge__sample_weight"),
        (Pipeline([("a", Pipeline([("b", RIDGE)]))]), "a__b__sample_weight"),
        (Pipeline([("p", PrunedRegressor(RIDGE))]), "p__sample_weight"),
        (TransformedTargetRegressor(make_pipeline(StandardScaler(), RIDGE)), "ridge__sample_weight"),
        (RANSACRegressor(RIDGE), "sample_weight"),
        (PrunedRegressor(make_pipeline(StandardScaler(), RIDGE)), "sample_weight"),
    ],
)
def test_the_name_under_which_weights_are_taken(estimator, name):
    params = weight_params(estimator, WEIGHT)
    assert list(params) == [name]
    assert leaf_weight(params) is WEIGHT
    assert fit_params_of(None, estimator, WEIGHT, {"other": 1}) == {"other": 1, name: WEIGHT}


def test_no_weights_are_no_parameters():
    assert weight_params(Lars(), None) == {}
    assert leaf_weight({"other": 1}) is None


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (Lars(), "the fit of Lars takes none"),
        (make_pipeline(StandardScaler(), Lars()), r"the fit of Lars \(inside Pipeline\) takes none"),
        (TransformedTargetRegressor(Lars()), r"Lars \(inside TransformedTargetRegressor\)"),
    ],
)
def test_a_base_without_weights_is_named(estimator, message):
    with pytest.raises(ValueError, match=f"sample_weight is given, but {message}|{message}"):
        weight_params(estimator, WEIGHT)


def test_routing_gives_what_was_requested_and_nothing_else():
    with sklearn.config_context(enable_metadata_routing=True):
        asking = PrunedRegressor(Ridge().set_fit_request(sample_weight=True))
        assert fit_params_of(asking, asking.estimator, WEIGHT, {}) == {"sample_weight": WEIGHT}
        assert fit_params_of(asking, asking.estimator, None, {}) == {}

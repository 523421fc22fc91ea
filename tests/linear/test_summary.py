"""A fitted wrapper shows its size and its loss in a notebook."""

import numpy as np
import pytest
import sklearn
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, SGDRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress import (
    CompressedClassifierCV,
    CompressedRegressorCV,
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedRegressor,
    size_bytes,
)

MODELS = [
    PrunedRegressor(Ridge(), n_nonzero=2),
    QuantizedRegressor(PrunedRegressor(make_pipeline(StandardScaler(), Ridge()), n_nonzero=2), bits=4),
    DistilledRegressor(PrunedRegressor(Ridge(), n_nonzero=2), teacher=FrozenEstimator(Ridge()), alpha=0.5),
    CompressedRegressorCV(Ridge(), n_nonzero=[2], bits=[4], cv=3),
    PrunedClassifier(LogisticRegression(), n_nonzero=2),
    CompressedClassifierCV(n_nonzero=[2], bits=[4], cv=3),
]


def html_of(model):
    return model._repr_html_(), model._repr_mimebundle_()["text/html"]


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_the_size_and_the_loss_are_shown_once_fitted(model, small):
    X, y = small
    if isinstance(model, DistilledRegressor):
        model.set_params(teacher=FrozenEstimator(Ridge().fit(X, y)))
    for html in html_of(model):
        assert "skcompress-summary" not in html
    model.fit(X, np.digitize(y, np.quantile(y, [0.5])) if "Classifier" in type(model).__name__ else y)
    expected = (
        f"{type(model).__name__}: 2 of 5 weights, {len(model.compact_.inputs)} inputs, {size_bytes(model)} bytes, "
        f"loss increased by {model.loss_increase_:.3g} of the null loss, "
        f"linear predictor changed by {model.prediction_change_:.3g} (root mean square)"
    )
    if hasattr(model, "alpha_"):
        expected += f"; the share of Ridge is {model.alpha_:g}"
    steps = model.steps_.iloc[1:]
    if len(steps) > 1:
        told = [
            f"{row.step} {row.weights} weights of {row.bits} bits, loss {row.loss_increase:.3g}"
            for row in steps.itertuples()
        ]
        expected += "; steps: " + ", ".join(told)
    for html in html_of(model):
        assert html.count("skcompress-summary") == 1
        assert html.endswith(f"{expected}</p>")


def test_what_cannot_be_folded_is_left_out(small):
    model = PrunedRegressor(make_pipeline(PCA(), Ridge()), n_nonzero=2).fit(*small)
    for read in (lambda: model.compact_, lambda: size_bytes(model)):
        with pytest.raises(ValueError, match="PCA cannot be compiled"):
            read()
    assert not hasattr(model, "compact_")
    assert "coef_" in dir(model)
    assert "PrunedRegressor: 2 of 5 weights, loss increased by" in model._repr_html_()


def test_it_obeys_the_display_option_of_scikit_learn(small):
    model = PrunedRegressor(n_nonzero=2).fit(*small)
    with sklearn.config_context(display="text"):
        assert not hasattr(model, "_repr_html_")
        assert set(model._repr_mimebundle_()) == {"text/plain"}


def test_after_partial_fit_the_loss_is_not_known(small):
    X, y = small
    model = QuantizedRegressor(SGDRegressor(random_state=0), grid="fixed_point", scale=2.0**-6).partial_fit(X, y)
    for html in html_of(model):
        assert f"QuantizedRegressor: {model.n_nonzero_} of 5 weights" in html
        assert "loss increased" not in html

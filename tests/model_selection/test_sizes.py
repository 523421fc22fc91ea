"""The bytes of models that cannot be compiled: those of their linear part."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from skcompress import CompressedClassifierCV, CompressedRegressorCV, PrunedRegressor, QuantizedRegressor, size_bytes
from skcompress.model_selection.sizes import bytes_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 6))
Y = X[:, 0] - X[:, 1] ** 2 + 0.1 * RNG.normal(size=120)


def nystroem():
    return Nystroem(n_components=10, random_state=0)


@pytest.mark.parametrize(
    "base",
    [
        TransformedTargetRegressor(Ridge(), func=np.arcsinh, inverse_func=np.sinh),
        TransformedTargetRegressor(Ridge(), transformer=QuantileTransformer(n_quantiles=20)),
        make_pipeline(nystroem(), Ridge()),
    ],
)
@pytest.mark.parametrize("size", ["bytes", "weights"])
def test_searches_take_bases_that_cannot_be_folded(base, size):
    search = CompressedRegressorCV(base, n_nonzero=[2, 4], bits=[None, 4], size=size, cv=3).fit(X, Y)
    assert np.isfinite(search.frontier_["bytes"]).all()
    assert search.best_score_ == search.cv_results_["mean_test_score"][search.best_index_]


def test_classifiers_as_well():
    base = make_pipeline(nystroem(), LogisticRegression())
    search = CompressedClassifierCV(base, n_nonzero=[2, 4], bits=[None, 4], cv=3).fit(X, Y > 0)
    assert np.isfinite(search.frontier_["bytes"]).all()


def test_the_linear_part_is_that_of_the_bare_base_on_the_transformed_columns():
    Z = nystroem().fit_transform(X)
    inside = QuantizedRegressor(PrunedRegressor(make_pipeline(nystroem(), Ridge()), n_nonzero=3), bits=4).fit(X, Y)
    bare = QuantizedRegressor(PrunedRegressor(Ridge(), n_nonzero=3), bits=4).fit(Z, Y)
    assert bytes_of(inside) == size_bytes(bare)

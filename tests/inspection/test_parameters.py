"""Parameters as one line: scikit-learn's where that is not cut, and whole where it would be."""

from functools import partial

import numpy as np
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skcompress import PrunedClassifier, PrunedRegressor, QuantizedRegressor, compact
from skcompress.inspection.report import parameters_of


@pytest.mark.parametrize(
    "model",
    [
        Ridge(),
        Ridge(alpha=2.5, solver="svd"),
        QuantizedRegressor(PrunedRegressor(Ridge(3), n_nonzero=4), bits=3),
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1)),
        make_column_transformer((StandardScaler(), ["a", "b"]), remainder="passthrough"),
        PrunedClassifier(keep=("a",), feature_groups={"a": 1, "b": 2}),
    ],
    ids=lambda model: type(model).__name__,
)
def test_it_is_the_repr_of_scikit_learn_in_one_line(model):
    assert parameters_of(model) == " ".join(model.__repr__(N_CHAR_MAX=10**6).split())


def test_nothing_is_left_out():
    names = [f"column {place}" for place in range(2000)]
    told = parameters_of(PrunedRegressor(keep=names, monotonic_cst=np.arange(2000)))
    assert all(repr(name) in told for name in names)
    assert "1999]" in told
    assert "..." not in told


def test_functions_are_told_by_their_names():
    assert parameters_of(FunctionTransformer(np.mean)) == "FunctionTransformer(func=numpy.mean)"


def test_a_compact_model_tells_itself(small):
    model = compact(Ridge().fit(*small))
    assert parameters_of(model) == " ".join(repr(model).split())


class Bare:
    """An object without a repr."""

    def __init__(self, depth):
        self.depth = depth


def test_no_line_holds_an_address():
    """The same parameters give the same line in every run, also of objects that have no repr of their own."""
    columns = make_column_transformer((StandardScaler(), make_column_selector(dtype_include="number")))
    assert parameters_of(columns) == (
        "ColumnTransformer(transformers=[('standardscaler', StandardScaler(), "
        "make_column_selector(dtype_include='number'))])"
    )
    assert (
        parameters_of(partial(np.clip, a_min=0, a_max=Bare(2))) == "partial(numpy.clip, a_min=0, a_max=Bare(depth=2))"
    )

"""The data sets that come with the package, held against their own files and against scikit-learn's form."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from skcompress import datasets

LOADERS = {
    "lending_club": datasets.load_lending_club,
    "taiwan_credit": datasets.load_taiwan_credit,
    "index_tracking": datasets.load_index_tracking,
}
SHAPES = {"lending_club": (9857, 22), "taiwan_credit": (8000, 23), "index_tracking": (290, 98)}
NUMERIC = ["taiwan_credit", "index_tracking"]


@pytest.mark.parametrize("name", LOADERS)
def test_bunch_has_scikit_learns_keys(name):
    bunch = LOADERS[name]()
    assert isinstance(bunch, Bunch)
    assert bunch.data.shape == SHAPES[name]
    assert bunch.feature_names == list(bunch.data.columns)
    pd.testing.assert_frame_equal(bunch.frame, bunch.data.join(bunch.target))
    assert bunch.source in bunch.DESCR
    assert bunch.licence in bunch.DESCR
    assert not bunch.frame.isna().any(axis=None)
    assert bunch.frame.index.equals(pd.RangeIndex(len(bunch.frame)))


@pytest.mark.parametrize("name", LOADERS)
def test_pair_is_the_bunch_without_words(name):
    bunch = LOADERS[name]()
    X, y = LOADERS[name](return_X_y=True)
    pd.testing.assert_frame_equal(X, bunch.data)
    pd.testing.assert_series_equal(y, bunch.target)


@pytest.mark.parametrize("name", NUMERIC)
def test_arrays_hold_the_same_numbers(name):
    frame, arrays = LOADERS[name](), LOADERS[name](as_frame=False)
    assert arrays.frame is None
    np.testing.assert_array_equal(arrays.data, frame.data.to_numpy(dtype=float))
    np.testing.assert_array_equal(arrays.target, frame.target.to_numpy())


def test_mixed_columns_need_a_frame():
    with pytest.raises(ValueError, match=r"as_frame=False .* use as_frame=True"):
        datasets.load_lending_club(as_frame=False)


def test_unknown_target_is_named():
    with pytest.raises(ValueError, match=r"target='rate' is not known: use 'default' or 'int_rate'"):
        datasets.load_lending_club(target="rate")


def test_what_determines_the_rate_is_not_among_its_columns():
    loans, rates = datasets.load_lending_club(), datasets.load_lending_club(target="int_rate")
    assert set(loans.feature_names) - set(rates.feature_names) == {"int_rate", "sub_grade"}
    assert not {"default", "Class"} & set(rates.feature_names)
    np.testing.assert_array_equal(rates.target, loans.data["int_rate"])
    assert loans.target_names[1] == "bad"
    assert loans.target.mean() < 0.1


def test_index_is_a_mixture_of_its_stocks():
    X, y = datasets.load_index_tracking(return_X_y=True)
    assert np.corrcoef(X.mean(axis=1), y)[0, 1] > 0.9

"""Units of single weights and of groups."""

import numpy as np
import pytest

from skcompress.core.units import units_of

FREE = np.array([[True, True, False, True], [True, False, False, True]])


def test_single_weights_are_units_of_each_output():
    units = units_of(FREE, None, [3])
    assert units.per_output
    np.testing.assert_array_equal(units.labels, [[0, 1, -1, 3], [4, -1, -1, 7]])
    np.testing.assert_array_equal(np.flatnonzero(units.kept), [3, 7])
    np.testing.assert_array_equal(np.flatnonzero(units.available), [0, 1, 3, 4, 7])


@pytest.mark.parametrize("labels", [["b", "a", "b", "a"], [7, 2, 7, 2], np.array(["b", "a", "b", "a"], dtype=object)])
def test_equal_labels_make_a_unit_over_all_outputs(labels):
    units = units_of(FREE, labels, np.array([False, False, False, True]))
    assert not units.per_output
    np.testing.assert_array_equal(units.labels, [[1, 0, -1, 0], [1, -1, -1, 0]])
    np.testing.assert_array_equal(units.kept, [True, False])


def test_values_are_summed_over_units_and_spread_to_free_weights():
    units = units_of(FREE, "feature")
    values = np.arange(8.0).reshape(2, 4)
    np.testing.assert_array_equal(units.total(values), [4, 1, 0, 10])
    np.testing.assert_array_equal(units.spread(np.array([1, 2, 3, 4])), [[1, 2, 0, 4], [1, 0, 0, 4]])


@pytest.mark.parametrize("keep", [[0, 3], np.array([0, -1]), [True, False, False, True], (0, 3)])
def test_keep_takes_indices_and_masks(keep):
    np.testing.assert_array_equal(np.flatnonzero(units_of(FREE, "feature", keep).kept), [0, 3])


def test_keep_takes_nothing():
    assert not units_of(FREE, None, []).kept.any()


@pytest.mark.parametrize(
    ("groups", "keep", "told"),
    [
        ("columns", None, "feature_groups='columns'"),
        ([0, 1], None, "4 columns"),
        (None, [4], "keep=4"),
        (None, [-5], "keep=-5"),
        (None, [True], "keep as a mask"),
        (None, [0.5], "keep must be"),
        (None, ["x"], "keep must be"),
    ],
)
def test_what_names_no_column_is_refused(groups, keep, told):
    with pytest.raises(ValueError, match=told):
        units_of(FREE, groups, keep)

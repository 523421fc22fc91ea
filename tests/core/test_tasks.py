"""Systems made ready to be put on a grid."""

import numpy as np
import pytest

from skcompress.core.grids import GRIDS
from skcompress.core.quadratic import QuadraticModel
from skcompress.core.scales import common_step, reach, tasks_of


def tasks_for(model, feature_scale=(1.0,)):
    return tasks_of(model, np.array(feature_scale), GRIDS["symmetric"], 4, np.random.default_rng(0))


@pytest.mark.parametrize("step", [1.0, 0.3, 1e-7, 12345.678])
def test_common_step_is_found_where_there_is_one(step):
    multiples = np.array([6, -14, 0, 35, 21, -3])
    assert common_step(multiples * step, 40) == pytest.approx(step)
    assert common_step(multiples * step, 34) is None
    assert common_step(multiples * step, 71) == pytest.approx(step / 2)


def test_common_step_of_unrelated_weights_is_none():
    assert common_step(np.random.default_rng(0).normal(size=20), 2**15) is None
    assert common_step(np.zeros(3), 7) is None


@pytest.mark.parametrize("weight", [2.0, 0.1, 49 / 3, -1e-30])
@pytest.mark.parametrize("most", [1, 7, 127, 32767])
def test_a_single_weight_is_a_multiple_of_its_common_step_to_the_last_digit(weight, most):
    step = common_step(np.array([weight]), most)
    code = np.rint(weight / step)
    assert abs(code) <= most
    assert code * step == weight


def test_common_step_filters_long_lists_as_it_does_short_ones():
    multiples = np.random.default_rng(0).integers(-3000, 3000, size=500)
    assert common_step(multiples * 0.01, 32767) == pytest.approx(0.01 / (32767 // np.abs(multiples).max()))


def test_problem_rows_are_outputs_times_steps():
    model = QuadraticModel(np.eye(3), [[1.0, 2.0, 4.0], [3.0, 6.0, 9.0]])
    (task,) = tasks_for(model, [1.0, 2.0, 1.0])
    assert np.array_equal(task.optimum, [[1.0, 1.0, 4.0], [3.0, 3.0, 9.0]])
    problem = task.problem(np.array([[1.0, 2.0], [1.0, 3.0]]))
    assert np.array_equal(problem.target, [[1, 1, 4], [0.5, 0.5, 2], [3, 3, 9], [1, 1, 3]])
    assert np.array_equal(problem.curvature.matrix, np.diag([1.0, 4.0, 1.0]))


def test_columns_without_curvature_do_not_stretch_the_range():
    model = QuadraticModel(np.diag([1.0, 0.0]), [[2.0, 1e9]])
    low, high = reach(tasks_for(model), 1, shared=False)
    assert (low.item(), high.item()) == (0.0, 2.0)


def test_no_free_weight_makes_no_task():
    model = QuadraticModel(np.eye(2), np.zeros((3, 2)))
    assert tasks_for(model) == []
    low, high = reach([], 3, shared=True)
    assert not low.any()
    assert not high.any()

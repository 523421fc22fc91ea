"""What the searches say while they run: verbose, and the callbacks of scikit-learn 1.9."""

import pickle

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from skcompress import CompressedRegressorCV, PrunedRegressor

HAS_CALLBACKS = hasattr(CompressedRegressorCV, "set_callbacks")


class Recorder:
    """A callback that writes down what it is told."""

    max_propagation_depth = None

    def __init__(self):
        self.told = []

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(f"begin {context.estimator_name} {context.task_name} {context.task_id} {context.max_subtasks}")

    def on_fit_task_end(self, estimator, context):
        self.told.append(f"end {context.task_name} {context.task_id}")


def search_of(**options):
    return CompressedRegressorCV(Ridge(), n_nonzero=[1, 2], bits=[4], cv=2, **options)


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_verbose_tells_every_fold(n_jobs, small, capsys):
    search = search_of(verbose=1, n_jobs=n_jobs).fit(*small)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for fold, line in enumerate(lines):
        best = search.cv_results_[f"split{fold}_test_score"].max()
        assert line.startswith(f"[CompressedRegressorCV] fold {fold + 1}/2: 2 candidates, best score {best:.4g}, ")


def test_nothing_is_said_unless_it_is_asked_for(small, capsys):
    search_of().fit(*small)
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not HAS_CALLBACKS, reason="callbacks came with scikit-learn 1.9")
class TestCallbacks:
    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_they_hear_of_every_fold_and_of_the_rest(self, n_jobs, small):
        recorder = Recorder()
        search = search_of(n_jobs=n_jobs).set_callbacks(recorder).fit(*small)
        assert recorder.told == [
            "setup",
            "begin CompressedRegressorCV fit 0 3",
            "begin CompressedRegressorCV fold 0 0",
            "end fold 0",
            "begin CompressedRegressorCV fold 1 0",
            "end fold 1",
            "begin CompressedRegressorCV compress-all-rows 2 0",
            "end compress-all-rows 2",
            "end fit 0",
            "teardown",
        ]
        np.testing.assert_array_equal(search.coef_, search_of().fit(*small).coef_)

    def test_they_are_let_go_when_the_fit_fails(self, small):
        recorder = Recorder()
        with pytest.raises(ValueError, match="max_bytes=1"):
            search_of(max_bytes=1).set_callbacks(recorder).fit(*small)
        assert recorder.told[-1] == "teardown"

    def test_a_grid_search_hands_its_own_on(self, small):
        recorder = Recorder()
        GridSearchCV(search_of(), {"tolerance": [0, 1.0]}, cv=2).set_callbacks(recorder).fit(*small)
        assert recorder.told.count("begin CompressedRegressorCV fold 0 0") == 2 * 2 + 1
        assert recorder.told.count("setup") == recorder.told.count("teardown") == 1

    def test_nothing_of_them_is_left_in_the_model(self, small):
        search = search_of().fit(*small)
        assert not [name for name in vars(search) if "callback" in name]
        assert pickle.loads(pickle.dumps(search)).best_params_ == search.best_params_
        outer = PrunedRegressor(search_of(), n_nonzero=1).fit(*small)
        assert not [name for name in vars(outer.estimator_) if "callback" in name]

    def test_scikit_learns_progress_bar_takes_a_search(self, small, capsys):
        pytest.importorskip("rich")
        from sklearn.callback import ProgressBar

        search_of().set_callbacks(ProgressBar()).fit(*small)
        assert "CompressedRegressorCV - fit" in capsys.readouterr().out

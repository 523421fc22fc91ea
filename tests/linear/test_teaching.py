"""A teacher's answers come from copies that have not seen the rows they answer for."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Lars, Ridge
from sklearn.model_selection import KFold, ShuffleSplit, cross_val_predict
from sklearn.multioutput import MultiOutputRegressor

from skcompress.linear.teaching import TeacherConfig, default_teacher, teach


class Witness(RegressorMixin, BaseEstimator):
    """Answers 1 for a row that it was fitted on, 0 for any other; rows are told apart by their first number."""

    def fit(self, X, y, sample_weight=None):
        self.seen_ = set(np.asarray(X)[:, 0].tolist())
        return self

    def predict(self, X):
        return np.array([float(value in self.seen_) for value in np.asarray(X)[:, 0]])


@pytest.fixture
def rows():
    return np.arange(60.0).reshape(30, 2), np.arange(30.0)


def targets_of(teacher, X, y, cv=5, nested=False, weight=None, unlabeled=None):
    return teach(TeacherConfig(teacher, X, y, weight, unlabeled), cv=cv, nested=nested, n_jobs=None)


@pytest.mark.parametrize("cv", [2, 5, KFold(4, shuffle=True, random_state=0)])
def test_no_row_is_answered_by_a_teacher_that_has_seen_it(rows, cv):
    fitted, targets = targets_of(Witness(), *rows, cv=cv)
    np.testing.assert_array_equal(targets.answers.labelled, 0.0)
    assert len(fitted.seen_) == 30


def test_in_sample_it_has_seen_them(rows):
    _, targets = targets_of(Witness(), *rows, cv="in_sample")
    np.testing.assert_array_equal(targets.answers.labelled, 1.0)


@pytest.mark.parametrize("cv", [2, 3, 5, KFold(4, shuffle=True, random_state=0)])
def test_nested_answers_have_seen_neither_the_row_nor_the_fold_held_out(rows, cv):
    """The teacher remembers rows; answers inside a fold must not know that fold's test rows."""
    X, y = rows
    asked = []

    class Recorder(Witness):
        def predict(self, X):
            asked.append((frozenset(self.seen_), frozenset(np.asarray(X)[:, 0].tolist())))
            return super().predict(X)

    _, targets = targets_of(Recorder(), X, y, cv=cv, nested=True)
    assert len(targets.folds) >= 3
    for fold in targets.folds:
        np.testing.assert_array_equal(fold.answers.labelled, 0.0)
        assert len(fold.answers.labelled) == len(fold.train)
        assert not set(fold.train) & set(fold.test)
    assert all(not seen & rows for seen, rows in asked)
    covered = np.sort(np.concatenate([fold.test for fold in targets.folds]))
    np.testing.assert_array_equal(covered, np.arange(30))


def test_nested_answers_are_those_of_teachers_without_both_folds(small):
    X, y = small
    splits = list(KFold(3).split(X))
    _, targets = targets_of(Ridge(), X, y, cv=3, nested=True)
    for k, fold in enumerate(targets.folds):
        expected = np.empty(60)
        for other in range(3):
            if other != k:
                both = np.concatenate([splits[k][1], splits[other][1]])
                rest = np.setdiff1d(np.arange(60), both)
                expected[splits[other][1]] = Ridge().fit(X[rest], y[rest]).predict(X[splits[other][1]])
        np.testing.assert_allclose(fold.answers.labelled, expected[fold.train])


def test_labelled_answers_are_out_of_fold_predictions(small):
    _, targets = targets_of(Ridge(), *small, cv=4)
    np.testing.assert_allclose(targets.answers.labelled, cross_val_predict(Ridge(), *small, cv=4))


def test_unlabelled_rows_get_the_mean_of_the_copies(small):
    X, y = small
    more = np.random.default_rng(0).standard_normal((9, 5))
    _, targets = targets_of(Ridge(), X, y, cv=3, unlabeled=more)
    answers = [Ridge().fit(X[train], y[train]).predict(more) for train, _ in KFold(3).split(X)]
    np.testing.assert_allclose(targets.answers.unlabeled, np.mean(answers, axis=0))


def test_weights_reach_the_teacher(small):
    X, y = small
    weight = np.random.default_rng(0).uniform(0.1, 3, 60)
    fitted, targets = targets_of(Ridge(), X, y, cv=3, weight=weight)
    np.testing.assert_allclose(fitted.coef_, Ridge().fit(X, y, sample_weight=weight).coef_)
    train, test = next(KFold(3).split(X))
    expected = Ridge().fit(X[train], y[train], sample_weight=weight[train]).predict(X[test])
    np.testing.assert_allclose(targets.answers.labelled[test], expected)
    with pytest.raises(ValueError, match="Lars"):
        targets_of(Lars(), X, y, weight=weight)


def test_a_frozen_teacher_answers_as_it_is(small):
    X, y = small
    frozen = FrozenEstimator(Ridge(5.0).fit(X[:20], y[:20]))
    fitted, targets = targets_of(frozen, X, y, nested=True)
    assert fitted is frozen
    np.testing.assert_array_equal(targets.answers.labelled, frozen.predict(X))
    for fold in targets.folds:
        np.testing.assert_array_equal(fold.answers.labelled, frozen.predict(X[fold.train]))


def test_folds_that_leave_rows_out_are_refused(small):
    with pytest.raises(ValueError, match="cv must put every row into a test fold"):
        targets_of(Ridge(), *small, cv=ShuffleSplit(2, test_size=0.2, random_state=0))


def test_without_nesting_there_are_no_folds(small):
    assert targets_of(Ridge(), *small)[1].folds == []


def test_the_default_teacher():
    assert isinstance(default_teacher(np.zeros(5), 0), HistGradientBoostingRegressor)
    assert default_teacher(np.zeros(5), 7).random_state == 7
    assert isinstance(default_teacher(np.zeros((5, 2)), 0), MultiOutputRegressor)
    assert isinstance(default_teacher(np.zeros((5, 1)), 0), HistGradientBoostingRegressor)

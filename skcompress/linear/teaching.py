"""What a teacher answers: out of fold for the rows that it was fitted on, the folds' mean for the others.

A teacher that is asked about its own training rows repeats their noise. Its answers for the labelled rows therefore
come from copies that have not seen them; unlabelled rows get the mean answer of these copies.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils.parallel import Parallel, delayed

from ..core.linalg import Indices
from .distil import Answers
from .routing import weight_params
from .rows import take_rows

_NESTED_FOLDS = 5


@dataclass(frozen=True)
class Fold:
    """One fold of the nested cross-validation: answers of teachers that have not seen the test rows."""

    train: Indices
    test: Indices
    answers: Answers


@dataclass(frozen=True)
class Lesson:
    """All that a student needs from its teacher.

    Attributes
    ----------
    answers : Answers
        For all rows.
    folds : list of Fold
        The same within each outer fold, to choose alpha; empty where alpha is given.
    """

    answers: Answers
    folds: list[Fold] = field(default_factory=list)

    def transformed(self, transform: Any) -> Lesson:
        """Return the same lesson with the unlabelled rows in the student's own features."""
        if self.answers.X_unlabeled is None:
            return self
        rows = transform(self.answers.X_unlabeled)
        folds = [replace(fold, answers=replace(fold.answers, X_unlabeled=rows)) for fold in self.folds]
        return Lesson(replace(self.answers, X_unlabeled=rows), folds)


def default_teacher(y: Any, random_state: Any) -> Any:
    """Return gradient boosted trees for one output, one model an output for several."""
    trees = HistGradientBoostingRegressor(random_state=random_state)
    return MultiOutputRegressor(trees) if np.ndim(y) == 2 and np.shape(y)[1] > 1 else trees


def teach(
    teacher: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    X_unlabeled: Any,
    *,
    cv: Any,
    nested: bool,
    n_jobs: int | None,
) -> tuple[Any, Lesson]:
    """Return the teacher fitted on all rows, and its lesson.

    Parameters
    ----------
    teacher : estimator
        A regressor, or a FrozenEstimator, whose answers are its predictions.
    X, y, sample_weight, X_unlabeled
        The student's training data.
    cv : int, splitter, iterable or "in_sample"
        Folds of the answers for the labelled rows.
    nested : bool
        Whether alpha is to be chosen, so that every outer fold needs answers of its own.
    n_jobs : int or None
        Fits at the same time.
    """
    if isinstance(teacher, FrozenEstimator):
        fitted = teacher
    else:
        fitted = clone(teacher).fit(X, y, **weight_params(teacher, sample_weight))
    answers = _answers(teacher, X, y, sample_weight, X_unlabeled, cv, n_jobs, fitted)
    if not nested:
        return fitted, Lesson(answers)
    folds = []
    for train, test in _splits(_NESTED_FOLDS if isinstance(cv, str) else cv, X, y):
        X_train, y_train, weight = (take_rows(data, train) for data in (X, y, sample_weight))
        inner = cv if isinstance(cv, (str, int, np.integer)) or hasattr(cv, "split") else _NESTED_FOLDS
        folds.append(Fold(train, test, _answers(teacher, X_train, y_train, weight, X_unlabeled, inner, n_jobs)))
    return fitted, Lesson(answers, folds)


def _answers(
    teacher: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    X_unlabeled: Any,
    cv: Any,
    n_jobs: int | None,
    fitted: Any = None,
) -> Answers:
    if isinstance(teacher, FrozenEstimator):
        return Answers(teacher.predict(X), X_unlabeled, _predict(teacher, X_unlabeled))
    if isinstance(cv, str):
        if fitted is None:
            fitted = clone(teacher).fit(X, y, **weight_params(teacher, sample_weight))
        return Answers(fitted.predict(X), X_unlabeled, _predict(fitted, X_unlabeled))
    parts = Parallel(n_jobs=n_jobs)(
        delayed(_fold_answer)(teacher, X, y, sample_weight, X_unlabeled, train, test)
        for train, test in _splits(cv, X, y)
    )
    labelled = np.full(np.shape(y), np.nan, dtype=np.float64)
    for test, answer, _ in parts:
        labelled[test] = answer.reshape(labelled[test].shape)
    if np.isnan(labelled).any():
        raise ValueError("cv must put every row into a test fold, so that the teacher answers for all rows")
    more = None if X_unlabeled is None else np.mean([answer for _, _, answer in parts], axis=0)
    return Answers(labelled, X_unlabeled, more)


def _fold_answer(
    teacher: Any, X: Any, y: Any, sample_weight: Any, X_unlabeled: Any, train: Indices, test: Indices
) -> tuple[Indices, NDArray[Any], Any]:
    weight = take_rows(sample_weight, train)
    fitted = clone(teacher).fit(take_rows(X, train), take_rows(y, train), **weight_params(teacher, weight))
    return test, fitted.predict(take_rows(X, test)), _predict(fitted, X_unlabeled)


def _predict(fitted: Any, X: Any) -> Any:
    return None if X is None else fitted.predict(X)


def _splits(cv: Any, X: Any, y: Any) -> list[tuple[Indices, Indices]]:
    return list(check_cv(cv).split(X, y))

"""What a teacher answers: out of fold for the rows that it was fitted on, the folds' mean for the others.

A teacher that is asked about its own training rows repeats their noise. Its answers for the labelled rows therefore
come from copies that have not seen them; unlabelled rows get the mean answer of these copies.

To choose alpha, the same is needed within the training rows of each fold k. A copy that has seen neither fold k nor
fold l answers for l when k is held out and for k when l is, so that K (K - 1) / 2 more copies are enough, and the folds
of the user's splitter are never cut anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils.parallel import Parallel, delayed

from ..core.linalg import Floats, Indices
from .distil import Answers
from .fitting import weight_params
from .rows import count_rows, take_rows
from .soft_labels import align

_NESTED_FOLDS = 5

Coder = Callable[[Any, Any, Any, Any], tuple[Floats, Any]]
"""``(fitted teacher, X, y, X_unlabeled) -> (code of X, code of X_unlabeled)``."""


@dataclass(frozen=True)
class Fold:
    """One fold of the nested cross-validation: answers of teachers that have not seen the test rows."""

    train: Indices
    test: Indices
    answers: Answers


@dataclass(frozen=True)
class TeacherTargets:
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


def default_teacher(y: Any, random_state: Any, *, classifier: bool = False) -> Any:
    """Return gradient boosted trees; for several outputs one model an output."""
    if classifier:
        return HistGradientBoostingClassifier(random_state=random_state)
    trees = HistGradientBoostingRegressor(random_state=random_state)
    return MultiOutputRegressor(trees) if np.ndim(y) == 2 and np.shape(y)[1] > 1 else trees


@dataclass(frozen=True)
class TeacherConfig:
    """A teacher and the rows that it is fitted on.

    Attributes
    ----------
    teacher : estimator
        Unfitted, or a FrozenEstimator.
    X, y, sample_weight, X_unlabeled
        The student's training data.
    classes : ndarray or None
        Labels of a classifier's answers, which are probabilities then.
    coder : callable or None
        What turns a fitted teacher into codes, where the student learns a representation.
    """

    teacher: Any
    X: Any
    y: Any
    sample_weight: Any
    X_unlabeled: Any
    classes: NDArray[Any] | None = None
    coder: Coder | None = None

    def fit(self, rows: Indices | None = None) -> Any:
        """Return the teacher fitted on these rows, or on all."""
        if isinstance(self.teacher, FrozenEstimator):
            return self.teacher
        X, y, weight = (
            data if rows is None else take_rows(data, rows) for data in (self.X, self.y, self.sample_weight)
        )
        return clone(self.teacher).fit(X, y, **weight_params(self.teacher, weight))

    def predict(self, fitted: Any, X: Any) -> Any:
        """Return the teacher's answers for these rows, None for None."""
        if X is None:
            return None
        if self.classes is None:
            return np.asarray(fitted.predict(X), dtype=np.float64)
        return align(fitted.predict_proba(X), fitted.classes_, self.classes)

    def targets(self, fitted: Any, rows: Indices) -> Answers:
        """Return answers, or codes, of a fitted teacher for these rows and the unlabelled ones."""
        X = take_rows(self.X, rows)
        if self.coder is not None:
            code, more = self.coder(fitted, X, take_rows(self.y, rows), self.X_unlabeled)
            return Answers(code, self.X_unlabeled, more, is_code=True)
        return Answers(self.predict(fitted, X), self.X_unlabeled, self.predict(fitted, self.X_unlabeled), self.classes)


def teach(config: TeacherConfig, *, cv: Any, nested: bool, n_jobs: int | None) -> tuple[Any, TeacherTargets]:
    """Return the teacher fitted on all rows, and its targets.

    Parameters
    ----------
    config : TeacherConfig
        The teacher and its rows.
    cv : int, splitter, iterable or "in_sample"
        Folds of the answers for the labelled rows.
    nested : bool
        Whether alpha is to be chosen, so that every outer fold needs answers of its own.
    n_jobs : int or None
        Fits at the same time.
    """
    fitted = config.fit()
    everything = np.arange(count_rows(config.X))
    as_fitted = isinstance(config.teacher, FrozenEstimator) or isinstance(cv, str) or config.coder is not None
    splits = _splits(_NESTED_FOLDS if isinstance(cv, str) else cv, config) if nested or not as_fitted else []
    outer = splits if len(splits) > 2 or not nested else _splits(_NESTED_FOLDS, config)
    if as_fitted:
        targets = TeacherTargets(config.targets(fitted, everything))
        parts = _parallel(n_jobs, _targets_on, config, [train for train, _ in outer] if nested else [])
        return fitted, replace(targets, folds=_folds(outer, parts))
    targets = TeacherTargets(_out_of_fold(config, everything, _parallel(n_jobs, _predict_without, config, splits)))
    if not nested:
        return fitted, targets
    pairs = list(combinations(range(len(outer)), 2))
    both = [
        (np.intersect1d(outer[one][0], outer[two][0]), np.union1d(outer[one][1], outer[two][1])) for one, two in pairs
    ]
    parts = _parallel(n_jobs, _predict_without, config, both)
    answers = []
    for k, (train, _) in enumerate(outer):
        mine = [part for pair, part in zip(pairs, parts, strict=True) if k in pair]
        answers.append(_out_of_fold(config, train, mine))
    return fitted, replace(targets, folds=_folds(outer, answers))


def _folds(splits: list[tuple[Indices, Indices]], answers: list[Answers]) -> list[Fold]:
    return [Fold(train, test, answer) for (train, test), answer in zip(splits, answers, strict=False)]


def _parallel(n_jobs: int | None, task: Any, config: TeacherConfig, arguments: list[Any]) -> list[Any]:
    return list(Parallel(n_jobs=n_jobs)(delayed(task)(config, argument) for argument in arguments))


def _targets_on(config: TeacherConfig, train: Indices) -> Answers:
    return config.targets(config.fit(train), train)


def _predict_without(config: TeacherConfig, split: tuple[Indices, Indices]) -> tuple[Indices, Floats, Any]:
    """Return rows, answers of a teacher fitted on the other rows, and its answers for the unlabelled ones."""
    train, test = split
    fitted = config.fit(train)
    return test, config.predict(fitted, take_rows(config.X, test)), config.predict(fitted, config.X_unlabeled)


def _out_of_fold(config: TeacherConfig, rows: Indices, parts: list[tuple[Indices, Floats, Any]]) -> Answers:
    """Return answers for these rows, each from a part that has it; the parts' mean for the unlabelled rows."""
    gathered = np.full((count_rows(config.X), *parts[0][1].shape[1:]), np.nan)
    for test, answer, _ in parts:
        gathered[test] = answer
    if np.isnan(gathered[rows]).any():
        raise ValueError("cv must put every row into a test fold, so that the teacher answers for all rows")
    more = None if config.X_unlabeled is None else np.mean([unlabeled for _, _, unlabeled in parts], axis=0)
    return Answers(gathered[rows], config.X_unlabeled, more, config.classes)


def _splits(cv: Any, config: TeacherConfig) -> list[tuple[Indices, Indices]]:
    return list(check_cv(cv, config.y, classifier=config.classes is not None).split(config.X, config.y))

"""What a teacher tells a student: its answers, or a code.

A teacher that is asked about its own training rows repeats their noise. Its answers for the labelled rows therefore
come from copies that have not seen them; unlabelled rows get the mean answer of these copies.

To choose alpha, the same is needed within the training rows of each fold k. A copy that has seen neither fold k nor
fold l answers for l when k is held out and for k when l is, so that K (K - 1) / 2 more copies are enough, and the folds
of the user's splitter are never cut anew.

What it knows about a row beside its answer is a few numbers (table `REPRESENTATIONS`):

    rows --teacher--> representation (q numbers) --code--> d numbers

The code is that of partial least squares on the labelled rows; a sparse representation (leaves) goes through a
truncated singular value decomposition of all rows first. The code has unit variance. The student learns the code from
its own features and a linear decoder maps it to y: the encoder, the code and the decoder of an autoencoder, all linear
but the teacher.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import clone, is_classifier
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.parallel import Parallel, delayed

from ..core.linalg import Floats, Indices
from .distil import Answers
from .fitting import weight_params
from .rows import count_rows, stack_rows, take_rows
from .soft_labels import align

DEFAULT_COMPONENTS = 8
"""Numbers of the code where n_components is None."""

_SPARSE_RANK = 50
"""Singular vectors of a sparse representation."""

_ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
}


def leaves(teacher: Any, X: Any) -> NDArray[Any]:
    """Return the leaf that each row falls into, shape (n, n_trees)."""
    return _has(teacher, "apply", "leaves", "a forest or GradientBoostingRegressor").apply(X).reshape(count_rows(X), -1)


def stages(teacher: Any, X: Any) -> Floats:
    """Return the prediction, or decision function, after each stage of a boosted teacher, shape (n, n_stages)."""
    method = "staged_decision_function" if is_classifier(teacher) else "staged_predict"
    staged = getattr(_has(teacher, method, "stages", "gradient boosted trees"), method)(X)
    return np.hstack([np.asarray(stage, dtype=np.float64).reshape(count_rows(X), -1) for stage in staged])


def hidden(teacher: Any, X: Any) -> Floats:
    """Return the last hidden layer of a multi-layer perceptron, shape (n, width)."""
    _has(teacher, "coefs_", "hidden", "MLPRegressor or MLPClassifier")
    activate = _ACTIVATIONS[teacher.activation]
    layer = X.toarray() if sp.issparse(X) else np.asarray(X, dtype=np.float64)
    for weights, intercept in zip(teacher.coefs_[:-1], teacher.intercepts_[:-1], strict=True):
        layer = activate(layer @ weights + intercept)
    return layer


REPRESENTATIONS: dict[str, Callable[[Any, Any], NDArray[Any]]] = {"leaves": leaves, "stages": stages, "hidden": hidden}


def check_representation(representation: Any, n_components: Any) -> None:
    """Raise ValueError, naming the parameter and what is allowed."""
    named = isinstance(representation, str) and representation in REPRESENTATIONS
    if representation is not None and not (named or hasattr(representation, "transform") or callable(representation)):
        raise ValueError(
            f"representation must be None, one of {sorted(REPRESENTATIONS)}, a transformer, or a callable "
            f"(teacher, X) -> array of shape (n, q); got {representation!r}"
        )
    if n_components is None:
        return
    if isinstance(n_components, bool) or not isinstance(n_components, (int, np.integer)) or n_components < 1:
        raise ValueError(f"n_components must be None or an int of at least 1, got {n_components!r}")


def encode(
    representation: Any, n_components: int | None, teacher: Any, X: Any, y: Any, X_unlabeled: Any, random_state: Any
) -> tuple[Floats, Floats | None]:
    """Return the code of the labelled rows, and of the unlabelled ones, shape (n, d).

    Parameters
    ----------
    representation : str, transformer or callable
        See `REPRESENTATIONS`; a transformer is fitted on all rows, on the labelled ones if it needs a target.
    n_components : int or None
        d; at most what the representation has.
    teacher : estimator
        Fitted.
    X, y, X_unlabeled
        Rows, the target of the first ones, and rows without one or None.
    random_state : int, RandomState or None
        For the singular value decomposition.
    """
    blocks = [X] if X_unlabeled is None else [X, X_unlabeled]
    if callable(representation) and not hasattr(representation, "transform"):
        shown = [_matrix(representation(teacher, block)) for block in blocks]
    elif isinstance(representation, str):
        shown = [_named(representation, teacher, block) for block in blocks]
    else:
        transformer = clone(representation)
        needs_target = get_tags(transformer).target_tags.required or X_unlabeled is None
        transformer.fit(X, y) if needs_target else transformer.fit(stack_rows(blocks))
        shown = [_matrix(transformer.transform(block)) for block in blocks]
    if representation == "leaves":
        one_hot = OneHotEncoder(handle_unknown="ignore").fit(np.vstack(shown))
        shown = [one_hot.transform(block) for block in shown]
    codes = _code(shown, y, DEFAULT_COMPONENTS if n_components is None else n_components, random_state)
    return codes[0], codes[1] if len(codes) > 1 else None


def _code(shown: list[Any], y: Any, n_components: int, random_state: Any) -> list[Floats]:
    everything = stack_rows(shown)
    if sp.issparse(everything):
        rank = min(max(_SPARSE_RANK, n_components), *(size - 1 for size in everything.shape))
        thin = TruncatedSVD(rank, random_state=random_state).fit(everything)
        shown = [thin.transform(block) for block in shown]
    codes = shown
    if n_components < shown[0].shape[1]:
        coder = PLSRegression(min(n_components, len(shown[0]) - 1), max_iter=5000).fit(shown[0], _numeric(y))
        codes = [np.asarray(coder.transform(block)) for block in shown]
    scaler = StandardScaler().fit(np.vstack(codes))
    return [scaler.transform(code) for code in codes]


def _named(representation: str, teacher: Any, X: Any) -> Any:
    if isinstance(teacher, FrozenEstimator):
        return _named(representation, teacher.estimator, X)
    if isinstance(teacher, Pipeline):
        inside = teacher[:-1].transform(X) if len(teacher) > 1 else X
        return _named(representation, teacher[-1], inside)
    return REPRESENTATIONS[representation](teacher, X)


def _has(teacher: Any, attribute: str, representation: str, instead: str) -> Any:
    if not hasattr(teacher, attribute):
        raise ValueError(
            f"representation={representation!r} needs a teacher with {attribute}, which {type(teacher).__name__} has "
            f"not: use {instead}, or a callable"
        )
    return teacher


def _numeric(y: Any) -> Floats:
    y = np.asarray(y)
    if y.dtype.kind in "fiub" and y.dtype.kind != "b":
        return y.astype(np.float64)
    return (y[:, None] == np.unique(y)).astype(np.float64)


def _matrix(shown: Any) -> Any:
    if sp.issparse(shown):
        return sp.csr_array(shown)
    array = np.asarray(shown, dtype=np.float64)
    return array.reshape(len(array), -1)


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

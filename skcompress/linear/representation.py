"""REPRESENTATIONS: what a teacher knows about a row beside its answer, as a few numbers.

    rows --teacher--> representation (q numbers) --code--> d numbers

The code is that of partial least squares on the labelled rows; a sparse representation (leaves) goes through a
truncated singular value decomposition of all rows first. The code has unit variance. The student learns the code from
its own features and a linear decoder maps it to y: the encoder, the code and the decoder of an autoencoder, all linear
but the teacher.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import clone, is_classifier
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import get_tags

from ..core.linalg import Floats
from .rows import count_rows, stack_rows

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

"""What ships, for any model: dump, size_bytes, golden_rows and verify take whatever `compact` takes.

scikit-learn is imported only where a model has to be compiled first: with a CompactLinear numpy is enough.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from . import artifact
from .artifact import CompactLinear


def compacted(model: Any) -> CompactLinear:
    """Return the compact form of a model, which may be one already."""
    if isinstance(model, CompactLinear):
        return model
    from .linear.compacting import compact

    return compact(model)


def dump(model: Any, path: Any, *, names: bool = True, metadata: bool = True) -> int:
    """Write a model to a file that `load` reads with numpy alone.

    The file is replaced as a whole: a crash, a full disk or a reader at the same time meets the old model or the new
    one, never a part. A symbolic link is followed, and the mode bits of a file that is replaced stay.

    Parameters
    ----------
    model : estimator or CompactLinear
        Anything that `compact` takes.
    path : str, path-like, or file open for writing bytes
        Where to write. An open file, and what is no regular file (a pipe), is written as it is.
    names : bool, default=True
        Whether the names of the inputs go along. Without them they are x0, x1, ... on reading.
    metadata : bool, default=True
        Whether the model's `metadata` goes along.

    Returns
    -------
    n_bytes : int
        The bytes written.

    Raises
    ------
    OSError
        If the file cannot be written; the old one is then as it was.
    ValueError
        If the model has no compact form.

    See Also
    --------
    load : Read the file.
    size_bytes : The bytes without names and metadata.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.datasets import load_diabetes
    >>> from skcompress import PrunedRegressor, dump, load
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = PrunedRegressor(n_nonzero=3).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "diabetes.skc")
    ...     n_bytes = dump(model, path)
    ...     n_bytes == os.path.getsize(path), float(abs(load(path).predict(X) - model.predict(X)).max()) < 1e-9
    (True, True)
    """
    return artifact.dump(compacted(model), path, names=names, metadata=metadata)


def size_bytes(model: Any) -> int:
    """Return the bytes of a model's file without the names of its inputs and its metadata.

    Parameters
    ----------
    model : estimator or CompactLinear
        Anything that `compact` takes.

    Returns
    -------
    n_bytes : int
        ``len(compact(model).to_bytes(names=False, metadata=False))``.

    See Also
    --------
    CompactLinear.nbytes : The bytes of the weights alone.
    CompactLinear.report : The bytes of each part.

    Examples
    --------
    >>> from skcompress import PrunedRegressor, size_bytes
    >>> X, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]], [1.0, 2.0, 3.0]
    >>> model = PrunedRegressor(n_nonzero=1).fit(X, y)
    >>> model.compact_.nbytes < size_bytes(model) < len(model.compact_.to_bytes()) + 1
    True
    """
    return artifact.size_bytes(compacted(model))


def golden_rows(model: Any, X: Any, *, refused: bool = True) -> dict[str, NDArray[Any]] | list[dict[str, Any]]:
    """Return rows on which another system should be checked before it serves a model.

    Parameters
    ----------
    model : estimator or CompactLinear
        Anything that `compact` takes.
    X : array, frame, mapping of columns or sparse matrix, n rows
        Some rows, for values that are usual.
    refused : bool, default=True
        Whether rows are among them for which the model has no prediction, such as one with a missing value. False: all
        rows can be given to `predict`, or to ``to_c(self_test=rows)``.

    Returns
    -------
    rows : dict of ndarray, or list of dict
        See `CompactLinear.golden_rows`.

    Raises
    ------
    ValueError
        If the model reads texts, or X has no rows.

    See Also
    --------
    verify : Check the scores of the other system.

    Examples
    --------
    >>> from skcompress import PrunedRegressor, golden_rows, verify
    >>> X, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]], [1.0, 2.0, 3.0]
    >>> model = PrunedRegressor(n_nonzero=1).fit(X, y)
    >>> rows = golden_rows(model, X, refused=False)
    >>> verify(model, model.compact_.predict(rows), rows)
    0.0
    """
    return compacted(model).golden_rows(X, refused=refused)


def verify(model: Any, scores: Any, X: Any, *, method: str = "predict", tolerance: float = 1e-9) -> float:
    """Check the scores that another system gives for rows.

    Parameters
    ----------
    model : estimator or CompactLinear
        Anything that `compact` takes.
    scores : array-like of shape (n,) or (n, m)
        What the other system gives; NaN or None where it has no prediction.
    X : array, frame, mapping of columns or sparse matrix, n rows
        The rows, such as `golden_rows`.
    method : {"predict", "predict_proba", "decision_function"}, default="predict"
        What the scores are.
    tolerance : float, default=1e-9
        The most that a score may be off, relative to 1 + its size; 1e-5 for a system of float32.

    Returns
    -------
    largest : float
        The largest difference, relative to 1 + the size of the score.

    Raises
    ------
    ValueError
        If scores differ, or one of the two has no prediction where the other has; the message shows the worst row.

    See Also
    --------
    golden_rows : Rows to check on.

    Examples
    --------
    >>> from skcompress import PrunedRegressor, verify
    >>> X, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]], [1.0, 2.0, 3.0]
    >>> model = PrunedRegressor(n_nonzero=1).fit(X, y)
    >>> verify(model, model.predict(X), X) < 1e-9
    True
    """
    return compacted(model).verify(scores, X, method=method, tolerance=tolerance)

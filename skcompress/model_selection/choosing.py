"""Choosing the smallest model that is good enough, and the tables that show the choice.

    kept = { i : mean_i >= mean_best - tolerance },    best = argmax mean

tolerance "1se" is the standard error of the best mean over the k folds, std / sqrt(k) with ddof=1 (Breiman et al.,
"Classification and regression trees", 1984, section 3.4.3). Among the kept the smallest wins, of equally small ones the
one with the better mean, then the first. `frontier` lists the models that no other one beats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from ..core.checks import is_number_from
from ..core.linalg import Floats, Indices
from .sweep import Values


def check_tolerance(tolerance: Any) -> None:
    """Raise ValueError unless this is "1se" or a number of at least 0."""
    if not is_number_from(tolerance, 0) and not (isinstance(tolerance, str) and tolerance == "1se"):
        raise ValueError(f"tolerance must be '1se' or a number of at least 0 in units of the score, got {tolerance!r}")


def standard_error(scores: Floats) -> Floats:
    """Return the standard errors of the means over the columns, with ddof=1; 0 for one column."""
    n_folds = scores.shape[1]
    if n_folds < 2:
        return np.zeros(len(scores))
    spread: Floats = scores.std(axis=1, ddof=1)
    return spread / np.sqrt(n_folds)


def within(scores: Floats, tolerance: float | str, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which candidates are good enough.

    Parameters
    ----------
    scores : ndarray of shape (c, n_folds)
        The higher the better.
    tolerance : float or "1se"
        How far below the best mean a candidate may be.
    allowed : ndarray of shape (c,), dtype=bool
        Candidates that may be chosen at all; the best is the best of these.
    """
    mean = np.where(allowed & ~np.isnan(scores).any(axis=1), scores.mean(axis=1), -np.inf)
    best = int(np.argmax(mean))
    slack = float(standard_error(scores)[best]) if isinstance(tolerance, str) else float(tolerance)
    good: NDArray[np.bool_] = mean >= mean[best] - slack - 1e-12 * abs(mean[best])
    return good & np.isfinite(mean)


def smallest(scores: Floats, sizes: Floats, good: NDArray[np.bool_]) -> int:
    """Return the place of the smallest good candidate; of equally small ones the better."""
    places = np.flatnonzero(good)
    order = np.lexsort((places, -scores.mean(axis=1)[places], sizes[places]))
    return int(places[order[0]])


def smallest_within(
    tolerance: float | str = "1se", score: str = "score", size: str = "size"
) -> Callable[[Mapping[str, Any]], int]:
    """Return a `refit` for GridSearchCV: the smallest model whose mean score is close to the best.

    Parameters
    ----------
    tolerance : float or "1se", default="1se"
        How far below the best mean, in units of the score; "1se": one standard error of the best (ddof=1).
    score : str, default="score"
        Name of the metric that has to be good: `score_and_size` calls it "score".
    size : str, default="size"
        Name of the metric that has to be small: "size", "weights" or "inputs" of `score_and_size`. Metrics whose name
        begins with "neg" are negative sizes, such as those of `neg_size_scorer`.

    Returns
    -------
    refit : callable
        From ``cv_results_`` to ``best_index_``.

    Raises
    ------
    ValueError
        If the tolerance is no number, or when called, if a metric is missing or every candidate failed.

    See Also
    --------
    score_and_size : The `scoring` that goes with it.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skcompress import PrunedRegressor, score_and_size, smallest_within
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = GridSearchCV(
    ...     PrunedRegressor(), {"n_nonzero": [1, 2, 3, 4, 6, 8, 10]}, scoring=score_and_size(), refit=smallest_within()
    ... )
    >>> search.fit(X, y).best_params_
    {'n_nonzero': 6}
    """
    check_tolerance(tolerance)

    def refit(results: Mapping[str, Any]) -> int:
        scores = fold_scores(results, score)
        if np.isnan(scores).any(axis=1).all():
            raise ValueError("every candidate has failed: all have scores that are NaN")
        key = f"mean_test_{size}"
        if key not in results:
            raise ValueError(f"size={size!r}: cv_results_ has no {key!r}; use scoring=score_and_size(...)")
        sizes = np.asarray(results[key], dtype=np.float64)
        good = within(scores, tolerance, np.ones(len(sizes), dtype=bool))
        return smallest(scores, -sizes if size.startswith("neg") else sizes, good)

    return refit


def fold_scores(results: Mapping[str, Any], metric: str) -> Floats:
    """Return the scores of a metric in `cv_results_`, shape (c, n_folds).

    Raises
    ------
    ValueError
        If there is no metric of that name.
    """
    columns: list[Floats] = []
    while f"split{len(columns)}_test_{metric}" in results:
        columns.append(np.asarray(results[f"split{len(columns)}_test_{metric}"], dtype=np.float64))
    if not columns:
        raise ValueError(f"score={metric!r}: cv_results_ has no scores of that name; use scoring=score_and_size(...)")
    return np.column_stack(columns)


def cv_results(points: Sequence[Values], scores: Floats, sizes: Mapping[str, Floats]) -> dict[str, Any]:
    """Return a dict of arrays with one entry for each candidate, as GridSearchCV has it.

    Parameters
    ----------
    points : sequence of dict
        The grid.
    scores : ndarray of shape (c, n_folds)
        Held-out scores.
    sizes : dict of ndarray of shape (c,)
        "size", "weights", "inputs" and "bytes".
    """
    results: dict[str, Any] = {"params": list(points)}
    for name in points[0]:
        column = np.empty(len(points), dtype=object)
        column[:] = [point[name] for point in points]
        results[f"param_{name}"] = column
    for fold, column in enumerate(scores.T):
        results[f"split{fold}_test_score"] = column
    mean = scores.mean(axis=1)
    results["mean_test_score"] = mean
    results["std_test_score"] = scores.std(axis=1)
    results["standard_error"] = standard_error(scores)
    results["rank_test_score"] = rankdata(-np.nan_to_num(mean, nan=-np.inf), method="min").astype(np.int32)
    return {**results, **sizes}


def undominated(score: Floats, size: Floats) -> Indices:
    """Return the candidates than which none is both smaller and at least as good, by rising size."""
    order = np.lexsort((np.arange(len(size)), -score, size))
    best, kept = -np.inf, []
    for place in order:
        if score[place] > best:
            best = score[place]
            kept.append(place)
    return np.array(kept, dtype=np.intp)


def frontier(results: Mapping[str, Any], places: Indices, float_bits: int) -> pd.DataFrame:
    """Return the frontier as a frame, indexed by the places in `cv_results`."""
    widths = [float_bits if results["param_bits"][place] is None else results["param_bits"][place] for place in places]
    table = {
        "score": results["mean_test_score"][places],
        "standard_error": results["standard_error"][places],
        "weights": results["weights"][places].astype(int),
        "inputs": results["inputs"][places].astype(int),
        "bits": np.array(widths, dtype=int),
        "bytes": results["bytes"][places],
        "size": results["size"][places],
        "n_nonzero": results["param_n_nonzero"][places],
    }
    return pd.DataFrame(table, index=pd.Index(places, name="candidate"))

"""The tables that a search leaves: `cv_results` and the frontier of models that no other one beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ..core.linalg import Floats, Indices
from .choosing import standard_error
from .sweep import Values


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

"""Held-out scores of every candidate: of GridSearchCV over the nested wrappers, and of our own searches."""

import itertools

import numpy as np
from sklearn.model_selection import GridSearchCV

SIZES, WIDTHS = [1, 2, 4], [6, 3]


def grid_scores(model, X, y, *, sizes=SIZES, widths=WIDTHS, inner="estimator__n_nonzero", outer="bits", **options):
    """Scores of GridSearchCV, shape (sizes, widths, folds)."""
    grid = {inner: sizes, outer: widths}
    fit_params = options.pop("fit_params", {})
    search = GridSearchCV(model, grid, refit=False, error_score="raise", **options).fit(X, y, **fit_params)
    results, table = search.cv_results_, {}
    for place, params in enumerate(results["params"]):
        folds = itertools.takewhile(results.__contains__, (f"split{i}_test_score" for i in itertools.count()))
        table[params[inner], params[outer]] = [results[fold][place] for fold in folds]
    return np.array([[table[k, b] for b in widths] for k in sizes])


def own_scores(search):
    results = search.cv_results_
    folds = np.column_stack([results[f"split{i}_test_score"] for i in range(search.n_splits_)])
    return folds.reshape(len(set(results["param_n_nonzero"])), -1, search.n_splits_)

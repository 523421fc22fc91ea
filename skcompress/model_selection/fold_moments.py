"""Second moments of the training rows of a fold, by subtraction: no fold reads the rows that others have read.

With the moments W, m, M = Xc'SXc of all rows and W_h, m_h, M_h of those held out, those of the others are

    W_t = W - W_h,     M_t = M - M_h - (m_h - m_t)(m_h - m_t)' W_t W_h / W

(Chan, Golub and LeVeque 1979, read backwards), so that k folds cost one pass over X in place of k - 1. It is exact
where the loss is squared, rows have the same weights in every fold and the columns do not depend on the fold, that is,
where the base is bare. Where the held-out rows hold nearly all that a column varies by, the difference has lost its
digits, and the rows of the fold itself are read.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ..core.gram import DENSE_LIMIT, DenseGram, gram_of, weighted_mean
from ..core.linalg import Floats, Indices
from ..linear.problem import LinearProblem
from ..linear.view import as_matrix

_LEAST_SHARE = 0.01
"""Of a column's variation, that the training rows must hold; then at most two of sixteen digits are lost."""


class Moments(NamedTuple):
    """Centred second moments of dense columns.

    Attributes
    ----------
    total : float
        W.
    mean : ndarray of shape (p,)
        m; zeros where the model has no intercept.
    products : ndarray of shape (p, p)
        M.
    """

    total: float
    mean: Floats
    products: Floats


class Whole(NamedTuple):
    """All rows, from which folds are subtracted.

    Attributes
    ----------
    moments : Moments
        Of all rows.
    weight : ndarray of shape (n,)
        Of each row.
    """

    moments: Moments
    weight: Floats


def whole_of(problem: LinearProblem, *, bare: bool) -> Whole | None:
    """Return the moments of all rows, or None where folds cannot be subtracted from them.

    Parameters
    ----------
    problem : LinearProblem
        The base fitted on all rows.
    bare : bool
        Whether its columns are those of X, in every fold.
    """
    n_rows, n_features = problem.X.shape
    if not (bare and problem.exact and n_features <= min(n_rows, DENSE_LIMIT)) or sp.issparse(problem.X):
        return None
    gram, mean = problem.exact_gram
    if not isinstance(gram, DenseGram) or len(gram.matrix) < n_features:
        return None
    return Whole(Moments(problem.total, mean, gram.matrix * problem.total), problem.row_weight * problem.total)


def subtracted(whole: Whole, problem: LinearProblem, X_held: object, train: Indices, held: Indices) -> Moments | None:
    """Give a fold's problem its curvature by subtraction, and return the moments of the rows held out.

    Parameters
    ----------
    whole : Whole
        All rows.
    problem : LinearProblem
        The base fitted on the training rows.
    X_held : array-like of shape (n_h, p)
        The rows held out.
    train, held : ndarray of int
        Which rows these are.

    Returns
    -------
    moments : Moments or None
        Around their own mean. None where there is nothing to subtract: `problem` is then as it was.
    """
    weight, matrix = whole.weight[held], as_matrix(X_held)
    if not _is_partition(train, held, len(whole.weight)) or not problem.exact or sp.issparse(matrix):
        return None
    if not np.allclose(problem.row_weight * problem.total, whole.weight[train], rtol=1e-12, atol=0):
        return None
    if not (problem.weights != 0).any(axis=0).all() or weight.sum() <= 0:
        return None
    centre = weighted_mean(matrix, weight)
    moments = Moments(float(weight.sum()), centre, gram_of(matrix, weight, centre).block(np.arange(len(centre))))
    if not problem.fits_intercept:
        products = whole.moments.products - moments.products - moments.total * np.outer(centre, centre)
    else:
        apart = centre - problem.column_mean
        share = problem.total * moments.total / whole.moments.total
        products = whole.moments.products - moments.products - np.outer(apart, apart * share)
    if (np.diag(products) < _LEAST_SHARE * np.diag(whole.moments.products)).any():
        return None
    problem.take_exact_gram(DenseGram(products / problem.total))
    return moments


def _is_partition(train: Indices, held: Indices, n_rows: int) -> bool:
    rows = np.concatenate([np.asarray(train), np.asarray(held)])
    return len(rows) == n_rows and bool((np.bincount(rows, minlength=n_rows) == 1).all())

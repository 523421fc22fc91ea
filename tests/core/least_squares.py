"""Quadratic models of least squares, and references for them that share no code with the package."""

import itertools

import numpy as np

from skcompress.core.gram import LazyGram, gram_of
from skcompress.core.quadratic import QuadraticModel


def correlated(n_rows, n_columns, *, seed=0, rho=0.6, n_outputs=1, noise=1.0):
    """X (n, p) with neighbours correlated by rho, and Y (n, m), or (n,) for one output."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, n_columns))
    for column in range(1, n_columns):
        X[:, column] = rho * X[:, column - 1] + np.sqrt(1 - rho**2) * X[:, column]
    signal = X @ rng.standard_normal((n_columns, n_outputs))
    Y = signal + noise * signal.std(axis=0) * rng.standard_normal(signal.shape)
    return X, Y[:, 0] if n_outputs == 1 else Y


def model_of(X, Y, **options):
    """Least squares of Y on X around its solution."""
    centred = X - X.mean(axis=0)
    targets = (Y - Y.mean(axis=0)).reshape(len(Y), -1)
    weights = np.linalg.lstsq(centred, targets, rcond=None)[0].T
    rest = targets - centred @ weights.T
    return QuadraticModel(
        centred.T @ centred / len(X),
        weights,
        null_loss=targets.var(axis=0),
        base_loss=(rest**2).mean(axis=0),
        n_samples=len(X),
        **{"free": np.ones_like(weights, dtype=bool), **options},
    )


def model_from_zero(X, y, *, lazy=False, **options):
    """Least squares of y on X around zero weights, by its gradient there; `lazy`: no p x p matrix."""
    n_rows, n_columns = X.shape
    share = np.full(n_rows, 1 / n_rows)
    mean = np.asarray(X.mean(axis=0)).ravel()
    dense = X.toarray() if hasattr(X, "toarray") else X
    mean = mean + (dense - mean).mean(axis=0)
    target = y - y.mean()
    return QuadraticModel(
        LazyGram(X, share, mean) if lazy else gram_of(dense, share, mean),
        np.zeros(n_columns),
        gradient=-2 * (dense - mean).T @ target / n_rows,
        free=True,
        null_loss=target.var(),
        base_loss=target.var(),
        n_samples=n_rows,
        **options,
    )


def r2(X, y, columns):
    """Training R2 of least squares with an intercept on some columns, each scaled to unit length."""
    target = y - y.mean()
    part = X[:, columns] - X[:, columns].mean(axis=0)
    part = part - part.mean(axis=0)
    length = np.sqrt((part**2).sum(axis=0))
    part = part / np.where(length > 0, length, 1.0)
    rest = target - part @ np.linalg.lstsq(part, target, rcond=1e-13)[0]
    return 1 - rest @ rest / (target @ target)


def r2_lost(X, Y, support):
    """The training R2 that least squares on the support (m, p) loses, mean over outputs."""
    targets = Y.reshape(len(Y), -1).T
    everything = np.arange(X.shape[1])
    return np.mean([r2(X, y, everything) - r2(X, y, row) for y, row in zip(targets, support, strict=True)])


def best_r2(X, y, size, *, labels=None, keep=()):
    """The best training R2 over all supports of a size, which hold the units `keep`."""
    labels = np.arange(X.shape[1]) if labels is None else np.asarray(labels)
    others = [unit for unit in range(labels.max() + 1) if unit not in keep]
    return max(
        r2(X, y, np.isin(labels, [*keep, *chosen])) for chosen in itertools.combinations(others, size - len(keep))
    )

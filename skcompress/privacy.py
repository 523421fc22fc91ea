"""membership_audit: can it be told from a model whether a row was among its training rows.

Two attacks give every row a score, the higher the more it looks like a member:

    residual   minus the loss of the row (Yeom et al., CSF 2018)
    LiRA       log N(r; mean_in, var_in) - log N(r; mean_out, var_out)

where r is the row's residual (the log-odds of its class for a classifier), and the means are those of r under *shadow
models* that have, and have not, been fitted on the row (Carlini et al., "Membership inference attacks from first
principles", IEEE S&P 2022, online attack; the variances are pooled over rows, section VI). Shadow models are clones
fitted on as many random rows of members and others together, and are compressed in the same way.

An attack that fails proves nothing: a stronger one may succeed. No privacy guarantee follows from this audit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from .core.linalg import Floats, Indices, Mask
from .linear.containers import innermost, is_wrapper
from .linear.fitting import require_fitted
from .linear.rows import count_rows, stack_rows, take_rows

FALSE_POSITIVES = 0.01
"""Share of the others that an attack may take for members where its true positive rate is reported."""

_LEAST_SHADOWS = 4


def membership_audit(
    models: Any,
    X_members: Any,
    y_members: Any,
    X_others: Any,
    y_others: Any,
    *,
    n_shadows: int = 32,
    n_boot: int = 1000,
    confidence: float = 0.95,
    fit_params: dict[str, Any] | None = None,
    n_jobs: int | None = None,
    random_state: Any = None,
) -> pd.DataFrame:
    """Measure how well two attacks tell a model's training rows from others.

    Parameters
    ----------
    models : fitted estimator or mapping from name to fitted estimator
        Each fitted on X_members and y_members. One wrapper of this package stands for itself and for every estimator
        inside it, which are fitted here, so that the base is beside what became of it.
    X_members, y_members : array-like or dataframe of shape (n_members, n_features), and (n_members,)
        The rows that the models were fitted on.
    X_others, y_others : array-like or dataframe of shape (n_others, n_features), and (n_others,)
        Rows of the same kind that they have never seen; at least as many as members is best, and the true positive rate
        at 1% false positives needs hundreds.
    n_shadows : int, default=32
        Shadow models for each model, at least 4.
    n_boot : int, default=1000
        Bootstrap samples of the rows for the confidence intervals.
    confidence : float, default=0.95
        Of the intervals. They tell how exactly the attack on this one model is measured, not how much the attack would
        vary from one training sample to the next.
    fit_params : dict, default=None
        Passed to the fit of every wrapper, such as X_unlabeled of a distilled model; not for what belongs to rows.
    n_jobs : int, default=None
        Shadow models fitted at the same time.
    random_state : int, RandomState or None, default=None
        For the shadow models' rows and the bootstrap.

    Returns
    -------
    audit : DataFrame
        One row a model: ``score_members`` and ``score_others`` (the model's own score, R2 or accuracy), and for the
        attacks ``residual`` and ``lira`` the area under the ROC curve, ``lira_auc``, and the true positive rate at no
        more than 1% false positives, ``lira_tpr``, each with ``_low`` and ``_high``. An attack that knows nothing has
        an area of 0.5 and a true positive rate of 0.01.

    Raises
    ------
    ValueError
        If there are too few shadow models, or a model holds a FrozenEstimator, which shadows cannot be fitted from.

    See Also
    --------
    strip_training_state : A copy that leaves behind what only training needed.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import membership_audit
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LinearRegression().fit(X[:200], y[:200])
    >>> audit = membership_audit(model, X[:200], y[:200], X[200:], y[200:], n_shadows=4, n_boot=20, random_state=0)
    >>> bool(0.4 < audit["lira_auc"].iloc[0] < 0.7)
    True
    """
    if n_shadows < _LEAST_SHADOWS:
        raise ValueError(f"n_shadows must be at least {_LEAST_SHADOWS}, got {n_shadows!r}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}")
    given = fit_params or {}
    rng = check_random_state(random_state)
    X, y = stack_rows([X_members, X_others]), stack_rows([np.asarray(y_members), np.asarray(y_others)])
    is_member = np.arange(count_rows(X)) < count_rows(X_members)
    samples = shadow_samples(is_member, n_shadows, rng)
    seed = rng.randint(np.iinfo(np.int32).max)
    rows = {}
    for name, model in models.items() if isinstance(models, Mapping) else [("", models)]:
        require_fitted(model, f"models[{name!r}]" if name else "models", "membership_audit")
    for name, model in _named(models, X_members, y_members, given).items():
        if isinstance(innermost(model), FrozenEstimator):
            raise ValueError(
                f"{name} holds a FrozenEstimator, which is not fitted again, so that there are no shadow models of it: "
                "audit the estimator that it was fitted from"
            )
        own = given if is_wrapper(model) else {}
        shadows = Parallel(n_jobs=n_jobs)(delayed(_shadow_signal)(model, X, y, rows, own) for rows in samples)
        signal = signal_of(model, X, y)
        attacks = {"residual": residual_scores(model, signal), "lira": lira_scores(signal, np.array(shadows), samples)}
        rows[name] = {
            "score_members": model.score(X_members, y_members),
            "score_others": model.score(X_others, y_others),
        }
        for attack, scores in attacks.items():
            rows[name] |= _measured(attack, scores, is_member, n_boot, confidence, seed)
    return pd.DataFrame.from_dict(rows, orient="index")


def signal_of(model: Any, X: Any, y: Any) -> Floats:
    """Return what the attacks look at, shape (n, m): residuals, or for a classifier the log-odds of the row's class."""
    y = np.asarray(y)
    if not is_classifier(model):
        residuals = y - np.asarray(model.predict(X), dtype=np.float64).reshape(y.shape)
        return residuals.reshape(len(y), -1)
    place = np.searchsorted(model.classes_, y)
    if hasattr(model, "predict_proba"):
        chance = np.clip(np.take_along_axis(model.predict_proba(X), place[:, None], axis=1), 1e-12, 1 - 1e-12)
        return np.log(chance / (1 - chance))
    scores = np.asarray(model.decision_function(X), dtype=np.float64)
    if scores.ndim == 1:
        return (scores * (2 * place - 1))[:, None]
    own = np.take_along_axis(scores, place[:, None], axis=1)
    np.put_along_axis(scores, place[:, None], -np.inf, axis=1)
    return own - scores.max(axis=1, keepdims=True)


def residual_scores(model: Any, signal: Floats) -> Floats:
    """Return the score of each row under the residual attack, shape (n,)."""
    if is_classifier(model):
        return signal[:, 0]
    size = np.sqrt((signal**2).mean(axis=0))
    return -((signal / np.where(size > 0, size, 1.0)) ** 2).sum(axis=1)


def shadow_samples(is_member: Mask, n_shadows: int, rng: np.random.RandomState) -> Mask:
    """Return which rows each shadow model is fitted on, shape (n_shadows, n): as many as there are members.

    Shadow models come in pairs that share as few rows as they can, so that every row is in about as often as any other.
    """
    n_rows, size = len(is_member), int(is_member.sum())
    samples = np.zeros((n_shadows, n_rows), dtype=bool)
    for pair in range(0, n_shadows, 2):
        order = rng.permutation(n_rows)
        samples[pair, order[:size]] = True
        if pair + 1 < n_shadows:
            samples[pair + 1, order[-size:]] = True
    return samples


def lira_scores(signal: Floats, shadows: Floats, samples: Mask) -> Floats:
    """Return the log likelihood ratio of each row, shape (n,).

    Parameters
    ----------
    signal : ndarray of shape (n, m)
        Of the audited model.
    shadows : ndarray of shape (n_shadows, n, m)
        Of the shadow models.
    samples : ndarray of shape (n_shadows, n), dtype=bool
        Which rows they were fitted on.
    """
    mean_in, var_in, known_in = _moments(shadows, samples)
    mean_out, var_out, known_out = _moments(shadows, ~samples)
    gap = (mean_in - mean_out)[known_in & known_out].mean(axis=0)
    mean_in = np.where(known_in[:, None], mean_in, mean_out + gap)
    mean_out = np.where(known_out[:, None], mean_out, mean_in - gap)
    ratio = (signal - mean_out) ** 2 / var_out - (signal - mean_in) ** 2 / var_in + np.log(var_out / var_in)
    return ratio.sum(axis=1) / 2


def _moments(shadows: Floats, chosen: Mask) -> tuple[Floats, Floats, Mask]:
    """Return mean (n, m), variance pooled over rows (m,), and which rows have a mean (n,)."""
    weight = chosen[:, :, None].astype(np.float64)
    count = weight.sum(axis=0)
    mean = (weight * shadows).sum(axis=0) / np.maximum(count, 1)
    squares = (weight * (shadows - mean) ** 2).sum(axis=0)
    variance = squares.sum(axis=0) / max(np.maximum(count - 1, 0).sum(), 1)
    floor = 1e-12 * (shadows**2).mean(axis=(0, 1)) + 1e-300
    return mean, np.maximum(variance, floor), count[:, 0] > 0


def roc_auc(members: Floats, others: Floats) -> float:
    """Return the chance that a member has the higher score, ties counted half."""
    ranks = rankdata(np.concatenate([members, others]))[: len(members)]
    return float((ranks.mean() - (len(members) + 1) / 2) / len(others))


def true_positive_rate(members: Floats, others: Floats) -> float:
    """Return the share of members above the score that no more than 1% of the others pass."""
    allowed = int(FALSE_POSITIVES * len(others))
    threshold = np.sort(others)[len(others) - 1 - allowed]
    return float((members > threshold).mean())


MEASURES: dict[str, Callable[[Floats, Floats], float]] = {"auc": roc_auc, "tpr": true_positive_rate}


def _measured(
    attack: str, scores: Floats, is_member: Mask, n_boot: int, confidence: float, seed: int
) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    members, others = scores[is_member], scores[~is_member]
    draws = [(rng.choice(members, len(members)), rng.choice(others, len(others))) for _ in range(n_boot)]
    tails = (1 - confidence) / 2, (1 + confidence) / 2
    result = {}
    for name, measure in MEASURES.items():
        key = f"{attack}_{name}"
        result[key] = measure(members, others)
        low, high = np.quantile([measure(*draw) for draw in draws], tails)
        result[f"{key}_low"], result[f"{key}_high"] = float(low), float(high)
    return result


def _shadow_signal(model: Any, X: Any, y: Any, chosen: Mask, fit_params: dict[str, Any]) -> Floats:
    rows: Indices = np.flatnonzero(chosen)
    return signal_of(clone(model).fit(take_rows(X, rows), y[rows], **fit_params), X, y)


def _named(models: Any, X: Any, y: Any, fit_params: dict[str, Any]) -> dict[str, Any]:
    """Return the models by name; one wrapper of this package with the estimators inside it, from the inside out."""
    if isinstance(models, Mapping):
        return dict(models)
    layers = [models]
    while is_wrapper(layers[-1]):
        inner = layers[-1].inner_estimator()
        own = fit_params if is_wrapper(inner) else {}
        layers.append(inner if isinstance(innermost(inner), FrozenEstimator) else clone(inner).fit(X, y, **own))
    named: dict[str, Any] = {}
    for layer in reversed(layers):
        name = type(layer).__name__
        named[f"{name} {len(named)}" if name in named else name] = layer
    return named

"""Cache the fit of the base where another fit would be the same.

A cache hands back the first fit for ever. With ``random_state=None`` that fit is one draw of many, and all candidates
and later runs would share it unseen; such a base is refused.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_memory

from .containers import innermost

SETTLED_BY: dict[str, Callable[[Any], bool]] = {
    "solver": {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "lbfgs", "newton-cg", "newton-cholesky"}.__contains__,
    "svd_solver": {"full", "covariance_eigh"}.__contains__,
    "selection": "cyclic".__eq__,
    "dual": lambda dual: dual is False,
    "jitter": lambda jitter: jitter is None,
    "rounding": lambda rounding: isinstance(rounding, str) and rounding != "stochastic",
    "n_restarts": lambda n_restarts: n_restarts == 0,
    "shuffle": lambda shuffle: shuffle is False,
    "max_bytes": lambda max_bytes: True,
}
"""Parameters of scikit-learn's estimators and ours, and whether with a value of theirs `random_state` is not used.

The first of them that an estimator has decides.
"""


def fit_clone(estimator: Any, X: Any, y: Any, params: Mapping[str, Any]) -> Any:
    """Return a fitted clone of the estimator; a copy of a frozen one, so that the user's model stays as it is."""
    try:
        fitted = clone(estimator).fit(X, y, **params)
    except TypeError as error:
        dates = [name for name in getattr(X, "columns", ()) if str(X[name].dtype).lower().startswith("date")]
        if dates:
            error.add_note(
                f"column {dates[0]!r} of X holds dates, and no transformer of the estimator makes numbers of them: "
                "drop it, or turn it into numbers (year, month, days up to a fixed day)"
            )
        raise
    return copy.deepcopy(fitted) if isinstance(innermost(estimator), FrozenEstimator) else fitted


@dataclass(frozen=True)
class CachedFit:
    """`fit_clone` through a cache, for bases whose fit does not change from call to call.

    Attributes
    ----------
    cached : callable
        `fit_clone`, as the cache returns it.
    """

    cached: Any

    def __call__(self, estimator: Any, X: Any, y: Any, params: Mapping[str, Any]) -> Any:
        """Return a fitted clone, from the cache if it is there.

        Raises
        ------
        ValueError
            If a part of the estimator draws new random numbers in each fit.
        """
        for name, part in _random_parts(estimator):
            raise ValueError(
                f"memory= would hand back one random fit of {type(part).__name__} for all that follow, because its "
                f"random_state is None: set {name} to an integer, or memory=None"
            )
        return self.cached(estimator, X, y, params)


def base_fit_through(memory: Any) -> Callable[..., Any]:
    """Return how to fit the base: through a cache, or as it is where `memory` is None or has no place to keep it."""
    if memory is None or getattr(memory, "location", memory) is None:
        return fit_clone
    return CachedFit(check_memory(memory).cache(fit_clone))


def _random_parts(estimator: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts of an estimator, itself and splitters too, that differ in each fit, with their parameter."""
    parts = {"": estimator, **estimator.get_params(deep=True)}
    frozen = [name for name, part in parts.items() if isinstance(part, FrozenEstimator)]
    for name, part in parts.items():
        if any(name == above or not above or name.startswith(f"{above}__") for above in frozen):
            continue
        unset = getattr(part, "random_state", 0)
        if (unset is None or unset is np.random) and not _settled(part):
            yield (f"{name}__random_state" if name else "random_state"), part


def _settled(part: Any) -> bool:
    """Whether the parameters say that `random_state` is not used."""
    if getattr(part, "early_stopping", False) is not False:
        return False
    for name, settles in SETTLED_BY.items():
        if hasattr(part, name):
            return settles(getattr(part, name))
    return False

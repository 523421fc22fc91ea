"""Training on a grid of integers: between two calls of partial_fit a weight is worth its code and nothing else.

    decode the codes -> one partial_fit of the base -> round -> the new codes

Updates smaller than a step vanish under rounding to nearest, so that training stalls. Stochastic rounding is
unbiased: an update of a tenth of a step moves the code by one in a tenth of the calls (Gupta et al. 2015, "Deep
Learning with Limited Numerical Precision"; click models in 16-bit q2.13: McMahan et al. 2013, "Ad Click Prediction: a
View from the Trenches"; Golovin et al. 2013, "Large-Scale Learning with Less RAM via Randomization").
"""

from __future__ import annotations

import inspect
from numbers import Real
from typing import Any

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_is_fitted

from ..core.grids import GRIDS, Codes, Grid, box_of
from ..core.linalg import Floats
from ..core.quantizing import generator_of
from ..core.rounding import PLAIN_ROUNDINGS, stochastic_values
from .containers import is_wrapper
from .view import read, require_kind, require_linear, write

NOT_OF_PARTIAL_FIT = ("base_coef_", "base_intercept_", "loss_increase_", "prediction_change_")
"""What only fit can know."""


def can_train(model: Any) -> bool:
    """Return True if a quantizing wrapper has partial_fit; raise AttributeError, with the reason, if not."""
    inner = model.inner_estimator()
    if is_wrapper(inner) or isinstance(inner, FrozenEstimator) or not hasattr(inner, "partial_fit"):
        raise AttributeError(f"{type(inner).__name__} has no partial_fit that {type(model).__name__} could use")
    if model.grid != "fixed_point" or not isinstance(model.scale, Real):
        raise AttributeError(
            f"partial_fit needs a grid that is known before any data: grid='fixed_point' and a number as scale, such "
            f"as 2**-13; got grid={model.grid!r}, scale={model.scale!r}"
        )
    return True


def train(model: Any, X: Any, y: Any, sample_weight: Any, **given: Any) -> tuple[Any, Grid, Floats]:
    """Do one step of a quantizing wrapper's partial_fit, in place.

    Parameters
    ----------
    model : estimator
        The wrapper; `can_train` must hold.
    X, y : array-like
        A batch.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of its rows.
    **given
        More arguments of the base's partial_fit; those that are None are left out.

    Returns
    -------
    leaf : estimator
        The base, with its weights on the grid.
    grid : Grid
        The grid.
    weights : ndarray of shape (m, p)
        The weights that the base had come to, before they were rounded.
    """
    model.check_parameters()
    inner = model.inner_estimator()
    require_kind(inner, type(model).__name__)
    if getattr(inner, "average", False):
        raise ValueError(
            f"{type(inner).__name__}(average={inner.average!r}) keeps float weights of its own beside coef_ and does "
            f"not read coef_ back, so that it cannot train on integers: use average=False"
        )
    if model.input_bits is not None:
        raise ValueError(
            f"input_bits={model.input_bits!r} needs the range of all rows, which partial_fit does not have: use "
            "input_bits=None"
        )
    if model.granularity == "feature":
        raise ValueError(
            "granularity='feature' takes its exponents from the curvature, which partial_fit does not have: use "
            "'auto', 'tensor' or 'output'"
        )
    grid = Grid("fixed_point", int(model.bits), np.asarray(float(model.scale)))
    params = {name: value for name, value in given.items() if value is not None}
    params |= _weight_params(model, inner, sample_weight)
    fitted = "estimator_" in model.__dict__
    leaf = model.estimator_ if fitted else clone(inner)
    if fitted:
        check_is_fitted(leaf)
        weights, intercept = read(leaf)
        write(leaf, grid.decode(grid.encode(weights)), intercept)
    leaf.partial_fit(X, y, **params)
    require_linear(leaf)
    weights, intercept = read(leaf)
    if not fitted or "_random_" not in model.__dict__:
        model._random_ = generator_of(model.random_state)
    model.n_saturated_ = int((np.abs(weights / grid.scale) > grid.high).sum())
    write(leaf, grid.decode(rounded(weights, grid, model.rounding, model._random_)), intercept)
    for name in NOT_OF_PARTIAL_FIT:
        model.__dict__.pop(name, None)
    model.estimator_ = leaf
    return leaf, grid, weights


def rounded(weights: Floats, grid: Grid, rounding: Any, random: np.random.Generator) -> Codes:
    """Return the codes of weights (m, p): by the rounding's name where it needs no curvature, else stochastically."""
    box = box_of(GRIDS[grid.kind], grid.bits, len(weights))
    target = weights / grid.scale
    plain = PLAIN_ROUNDINGS.get(rounding) if isinstance(rounding, str) else None
    return grid.code(stochastic_values(box, target, random) if plain is None else plain(box, target))


def _weight_params(model: Any, inner: Any, sample_weight: Any) -> dict[str, Any]:
    if sample_weight is None:
        return {}
    if sklearn.get_config()["enable_metadata_routing"]:
        routed = process_routing(model, "partial_fit", sample_weight=sample_weight)
        return dict(routed["estimator"]["partial_fit"])
    if "sample_weight" not in inspect.signature(inner.partial_fit).parameters:
        raise ValueError(
            f"sample_weight is given, but the partial_fit of {type(inner).__name__} takes none: use a base that takes "
            "sample_weight, or leave it out"
        )
    return {"sample_weight": sample_weight}

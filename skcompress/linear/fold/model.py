"""From a fitted model to its compact form: `compact`.

The model is opened from the outside in: pipelines fold their steps, a TransformedTargetRegressor gives the link,
our own wrappers give the grid of the weights (a fitted wrapper has ``estimator_`` and ``_constraint_``), searches
and frozen estimators step aside. What is left is the leaf, with ``coef_`` and ``intercept_``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    GammaRegressor,
    LogisticRegression,
    PoissonRegressor,
    RANSACRegressor,
    TweedieRegressor,
)
from sklearn.pipeline import Pipeline

from ...artifact import CompactLinear, Weights
from ...artifact.categories import scalar_of
from ..view import read
from .graph import Column, Graph
from .registry import fold


@dataclass
class Opened:
    """A model on the way to its leaf.

    Attributes
    ----------
    estimator : estimator
        What is to be opened next; in the end the leaf.
    columns : list of Column
        What it reads.
    grid : object or None
        The grid of the weights.
    link : str
        Link that the containers ask for.
    flat : bool or None
        Whether predictions have one dimension; None: as the leaf has it.
    """

    estimator: Any
    columns: list[Column] = field(default_factory=list)
    grid: Any = None
    has_constraint: bool = False
    link: str = "identity"
    flat: bool | None = None


def compact(model: Any) -> CompactLinear:
    """Fold a fitted model into what ships: the inputs, categories and terms that its weights use.

    Parameters
    ----------
    model : estimator
        A fitted linear model, on its own or inside pipelines, searches, a TransformedTargetRegressor or our
        wrappers. A CompactLinear is returned as it is.

    Returns
    -------
    compact : CompactLinear
        Its predictions are those of the model to 1e-12, relative.

    Raises
    ------
    ValueError
        If a transformer or the model cannot be folded; the message names it.
    """
    if isinstance(model, CompactLinear):
        return model
    names, named = _inputs_of(model)
    graph = Graph(names, named)
    opened = _leaf_of(model, graph)
    leaf = opened.estimator
    coef, intercept = read(leaf)
    if coef.shape[1] != len(opened.columns):
        raise ValueError(
            f"{type(leaf).__name__} has {coef.shape[1]} weights for each output, but the steps before it give "
            f"{len(opened.columns)} columns"
        )
    weights = _weights(np.asarray(leaf.coef_).dtype, coef, opened.grid)
    classes = tuple(scalar_of(c) for c in leaf.classes_) if is_classifier(leaf) else ()
    link = opened.link if opened.link != "identity" else _link_of(leaf, coef.shape[0])
    flat = _is_flat(leaf, coef.shape[0]) if opened.flat is None else opened.flat
    return graph.finish(opened.columns, weights, intercept, link=link, flat=flat, classes=classes)


def _inputs_of(model: Any) -> tuple[Sequence[str], bool]:
    """Return the names of the inputs, and whether they are column names."""
    for inside in _from_outside(model):
        names = getattr(inside, "feature_names_in_", None)
        if names is not None:
            return [str(name) for name in names], True
        if hasattr(inside, "n_features_in_"):
            return [f"x{place}" for place in range(inside.n_features_in_)], False
    raise ValueError(f"{type(model).__name__} is not fitted, or does not say how many inputs it has")


def _from_outside(model: Any) -> Iterator[Any]:
    """Yield a model and what is inside it, in the order in which they read the inputs."""
    yield model
    if isinstance(model, Pipeline):
        for _, step in model.steps:
            yield from _from_outside(step)
    elif _inner(model) is not None:
        yield from _from_outside(_inner(model))


def _inner(model: Any) -> Any:
    """Return the model inside one that predicts as that model does, or None."""
    if isinstance(model, FrozenEstimator):
        return model.estimator
    if isinstance(model, RANSACRegressor) or hasattr(model, "_constraint_"):
        return getattr(model, "estimator_", None)
    return getattr(model, "best_estimator_", None)


def _leaf_of(model: Any, graph: Graph) -> Opened:
    """Open a model down to its leaf, folding the steps on the way."""
    opened = Opened(model, graph.inputs())
    while True:
        inside = opened.estimator
        if hasattr(inside, "_constraint_") and not opened.has_constraint:
            constraint = inside._constraint_
            opened.grid, opened.has_constraint = getattr(constraint, "grid", None), True
        if isinstance(inside, Pipeline):
            for _, step in inside.steps[:-1]:
                opened.columns = fold(step, opened.columns, graph)
            opened.estimator = inside.steps[-1][1]
        elif isinstance(inside, TransformedTargetRegressor):
            raise ValueError("TransformedTargetRegressor cannot be folded into a compact model yet")
        elif _inner(inside) is not None:
            opened.estimator = _inner(inside)
        elif hasattr(inside, "coef_") and hasattr(inside, "intercept_"):
            return opened
        else:
            raise ValueError(
                f"{type(inside).__name__} has no coef_ and intercept_: only linear models have a compact form"
            )


def _weights(dtype: np.dtype[Any], coef: NDArray[np.float64], grid: Any) -> Weights:
    """Return the weights as codes where they lie on the grid, bit for bit, and else as floats."""
    single = dtype == np.float32
    if grid is not None:
        levels = grid.levels
        zero_point = grid.low if levels is not None else 0 if grid.zero_point is None else grid.zero_point
        codes = np.asarray(grid.encode(coef))
        zero_point = np.asarray(zero_point).astype(np.int64)
        coded = Weights.from_codes(codes, grid.scale, zero_point, levels, grid.bits, single)
        if np.array_equal(coded.decode(), coef.astype(dtype)):
            return coded
    return Weights.from_values(coef.astype(np.float32 if single else np.float64))


def _link_of(leaf: Any, n_outputs: int) -> str:
    if isinstance(leaf, (PoissonRegressor, GammaRegressor)):
        return "log"
    if isinstance(leaf, TweedieRegressor):
        chosen = leaf.link
        if chosen == "auto":
            return "identity" if leaf.power <= 0 else "log"
        return str(chosen)
    if isinstance(leaf, LogisticRegression):
        return "logit" if n_outputs == 1 else "softmax"
    return "identity"


def _is_flat(leaf: Any, n_outputs: int) -> bool:
    if is_classifier(leaf):
        return True
    if n_outputs != 1:
        return False
    if hasattr(leaf, "_predict_1d"):
        return bool(leaf._predict_1d)
    # LinearRegression keeps a target of shape (n, 1) as it is; SVR has one row of weights for a flat one.
    return np.ndim(leaf.coef_) == 1 or hasattr(leaf, "dual_coef_")

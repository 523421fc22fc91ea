"""The two tables of transformers, and how to add one: what `compact` makes of it, and how it is narrowed.

A compiler is a function of (transformer, columns, graph) that returns the transformer's output columns::

    def compile_my_scaler(transformer, columns, graph):
        return [c.standardised(m, s) for c, m, s in zip(columns, transformer.mean_, transformer.scale_)]

    register_transformer(MyScaler, compile_my_scaler)

A fitted pipeline is narrowed to what its model uses from its leaf back, and then forward. `needs` turns the wanted
outputs of a step into the inputs that it needs for them; `narrowed` gives an unfitted copy of the step for the inputs
that there are, and which of the old outputs that copy will give, in order, when it is fitted. A step that is not in the
table needs all its inputs and gives all its outputs, and so everything before it stays too. `LOCAL` is for steps whose
outputs are each made of the inputs that its name tells.

An entry is found by the transformer's class, or else by the nearest of its base classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import OneToOneFeatureMixin, clone
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    TargetEncoder,
)

from ...core.linalg import Mask
from ..lineage import raw_origins
from .graph import Column, Graph

Compiler = Callable[[Any, Sequence[Column], Graph], list[Column]]

COMPILERS: dict[type, Compiler] = {}

_SIGNATURE = "(transformer, columns, graph) -> list of columns"


def register_transformer(transformer: type, compiler: Compiler) -> None:
    """Teach `compact` a transformer.

    Parameters
    ----------
    transformer : type
        The transformer's class.
    compiler : callable(transformer, columns, graph) -> list of Column
        What comes out of the fitted transformer, given what goes in.

    See Also
    --------
    compact : Compiles a fitted model.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator, TransformerMixin
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skcompress import compact, register_transformer
    >>> class Halves(TransformerMixin, BaseEstimator):
    ...     def fit(self, X, y=None):
    ...         return self
    ...     def transform(self, X):
    ...         return X / 2
    >>> register_transformer(Halves, lambda step, columns, graph: [c.standardised(0.0, 2.0) for c in columns])
    >>> model = make_pipeline(Halves(), LinearRegression()).fit(np.array([[0.0], [1.0]]), [1.0, 3.0])
    >>> print(f"{compact(model).predict([[10.0]])[0]:.3f}")
    21.000
    """
    if not isinstance(transformer, type):
        raise TypeError(f"transformer must be a class, such as type(my_transformer), got {transformer!r}")
    if not callable(compiler):
        raise TypeError(f"compiler must be a callable{_SIGNATURE}, got {compiler!r}")
    COMPILERS[transformer] = compiler


def cannot_compile(transformer: Any, reason: str) -> ValueError:
    """Return the error that says that a transformer cannot be compiled, why, and what would help."""
    name = type(transformer).__name__
    return ValueError(
        f"{name} cannot be compiled into a compact model: {reason}. "
        f"register_transformer({name}, compiler) can teach it, with compiler{_SIGNATURE}"
    )


def compiled(transformer: Any, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Return the output columns of one fitted transformer.

    Raises
    ------
    ValueError
        If its class is not in the table, or its options cannot be compiled.
    """
    if transformer is None or (isinstance(transformer, str) and transformer == "passthrough"):
        return list(columns)
    for kind in type(transformer).__mro__:
        if kind in COMPILERS:
            return COMPILERS[kind](transformer, columns, graph)
    raise cannot_compile(transformer, f"known are {', '.join(sorted(kind.__name__ for kind in COMPILERS))}")


@dataclass
class Notes:
    """What is found out on the way.

    Attributes
    ----------
    first : object
        The step that reads the rows as they are given.
    left : list of str
        Steps that were left as they were, each with the reason.
    entries : frozenset of str or None
        Names of the entries that rows of mappings keep; None: all, or the rows are no mappings.
    """

    first: Any
    left: list[str] = field(default_factory=list)
    entries: frozenset[str] | None = None

    def leave(self, step: Any, reason: str) -> None:
        """Remember a step that could not be narrowed."""
        self.left.append(f"{type(step).__name__} ({reason})")


class Narrowed(NamedTuple):
    """An unfitted step, and which of the old outputs it gives when it is fitted."""

    step: Any
    outputs: Mask


class Kind(NamedTuple):
    """How a kind of step is narrowed.

    Attributes
    ----------
    needs : callable(step, wanted) -> mask of the inputs
        The inputs that the wanted outputs are made of.
    narrowed : callable(step, given, wanted, notes) -> Narrowed
        The step for inputs of which some, at least the needed ones, are given.
    """

    needs: Callable[[Any, Mask], Mask]
    narrowed: Callable[[Any, Mask, Mask, Notes], Narrowed]


KINDS: dict[type, Kind] = {}


def is_absent(step: Any) -> bool:
    """Return whether a step passes its inputs on as they are."""
    return step is None or (isinstance(step, str) and step == "passthrough")


def needs(step: Any, wanted: Mask) -> Mask:
    """Return which inputs a fitted step needs for the wanted ones of its outputs."""
    if is_absent(step):
        return wanted
    return kind_of(step).needs(step, wanted)


def narrowed(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    """Return a fitted step unfitted and narrowed to the given inputs and the wanted outputs."""
    if is_absent(step):
        return Narrowed(step, given)
    return kind_of(step).narrowed(step, given, wanted, notes)


def kind_of(step: Any) -> Kind:
    """Return how a step is narrowed."""
    return next((KINDS[kind] for kind in type(step).__mro__ if kind in KINDS), OTHER)


def n_inputs(step: Any) -> int:
    """Return the number of inputs of a fitted step: 1 for what reads texts or mappings, and does not say so."""
    return int(getattr(step, "n_features_in_", 1))


def needs_all(step: Any, wanted: Mask) -> Mask:
    """Return that all inputs are needed, if any output is wanted."""
    return np.full(n_inputs(step), bool(wanted.any()))


def left(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    """Return the step as it was, and make a note of it."""
    if not wanted.all():
        notes.leave(step, "its outputs cannot be had one by one")
    return Narrowed(clone(step), np.ones_like(wanted))


OTHER = Kind(needs_all, left)


def _origins(step: Any, n_outputs: int) -> Any:
    """Return for each output the mask of the inputs that it is made of, shape (n_outputs, n_inputs)."""
    width = n_inputs(step)
    if isinstance(step, PolynomialFeatures):
        return np.asarray(step.powers_ > 0)
    if isinstance(step, (OneToOneFeatureMixin, FunctionTransformer)) and n_outputs == width:
        return np.eye(width, dtype=bool)
    made_of = np.zeros((n_outputs, width), dtype=bool)
    for output, origin in enumerate(raw_origins([step], width, n_outputs)):
        made_of[output, list(origin)] = True
    return made_of


_BY_COLUMN: dict[type, dict[str, int]] = {
    OneHotEncoder: {"categories": 0, "drop": 0},
    OrdinalEncoder: {"categories": 0},
    TargetEncoder: {"categories": 0},
    KBinsDiscretizer: {"n_bins": 0},
    SplineTransformer: {"knots": 1},
}
"""Parameters that may have one entry for each input, and along which axis."""


def _for_inputs(step: Any, given: Mask) -> Any:
    """Return an unfitted copy whose parameters are those of the given inputs."""
    copy = clone(step)
    for name, axis in _BY_COLUMN.get(type(step), {}).items():
        value = getattr(step, name)
        if value is None or isinstance(value, str) or not hasattr(value, "__len__"):
            continue
        if axis == 0:
            taken: Any = [entry for entry, wanted in zip(value, given, strict=True) if wanted]
            value = np.asarray(value)[given] if isinstance(value, np.ndarray) else taken
        else:
            value = np.asarray(value)[:, given]
        copy.set_params(**{name: value})
    return copy


def local_needs(step: Any, wanted: Mask) -> Mask:
    """Return the inputs that the wanted outputs are made of."""
    return np.asarray(_origins(step, len(wanted))[wanted].any(axis=0))


def narrowed_locally(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    """Return the step for the given inputs, with the outputs that are made of these alone."""
    missing = _origins(step, len(wanted))[:, ~given].any(axis=1)
    return Narrowed(_for_inputs(step, given), ~missing)


LOCAL = Kind(local_needs, narrowed_locally)

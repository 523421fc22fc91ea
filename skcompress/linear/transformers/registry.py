"""The table of transformers that can be folded, and how to add one.

A fold is a function of (transformer, columns, graph) that returns the transformer's output columns::

    def fold_my_scaler(transformer, columns, graph):
        return [c.standardised(m, s) for c, m, s in zip(columns, transformer.mean_, transformer.scale_)]

    register_fold(MyScaler, fold_my_scaler)

It is found by the transformer's class, or else by the nearest of its base classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .graph import Column, Graph

Fold = Callable[[Any, Sequence[Column], Graph], list[Column]]

FOLDS: dict[type, Fold] = {}


def register_fold(transformer: type, fold: Fold) -> None:
    """Teach `compact` a transformer.

    Parameters
    ----------
    transformer : type
        The transformer's class.
    fold : callable(transformer, columns, graph) -> list of Column
        What comes out of the fitted transformer, given what goes in.
    """
    if not isinstance(transformer, type):
        raise TypeError(f"transformer must be a class, such as type(my_transformer), got {transformer!r}")
    if not callable(fold):
        raise TypeError(f"fold must be a callable(transformer, columns, graph) -> list of columns, got {fold!r}")
    FOLDS[transformer] = fold


def cannot_fold(transformer: Any, reason: str) -> ValueError:
    """Return the error that says that a transformer cannot be folded, why, and what would help."""
    name = type(transformer).__name__
    return ValueError(
        f"{name} cannot be folded into a compact model: {reason}. "
        f"register_fold({name}, fold) can teach it, with fold(transformer, columns, graph) -> list of columns"
    )


def fold(transformer: Any, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Return the output columns of one fitted transformer.

    Raises
    ------
    ValueError
        If its class is not in the table, or its options cannot be folded.
    """
    if transformer is None or (isinstance(transformer, str) and transformer == "passthrough"):
        return list(columns)
    for kind in type(transformer).__mro__:
        if kind in FOLDS:
            return FOLDS[kind](transformer, columns, graph)
    raise cannot_fold(transformer, f"known are {', '.join(sorted(kind.__name__ for kind in FOLDS))}")

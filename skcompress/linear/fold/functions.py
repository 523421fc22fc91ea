"""Fold FunctionTransformer: its functions by name, table `FUNCTIONS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sklearn.preprocessing import FunctionTransformer

from .graph import Column, Graph
from .registry import cannot_fold, register_fold

FUNCTIONS: dict[Any, Callable[[Sequence[Column], Graph], list[Column]]] = {
    None: lambda columns, graph: list(columns),
}


def fold_function(transformer: FunctionTransformer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold a function that is in the table."""
    if transformer.func not in FUNCTIONS or transformer.kw_args:
        known = ", ".join("the identity" if func is None else func.__name__ for func in FUNCTIONS)
        raise cannot_fold(transformer, f"func={transformer.func!r} is not one of {known}")
    return FUNCTIONS[transformer.func](columns, graph)


register_fold(FunctionTransformer, fold_function)

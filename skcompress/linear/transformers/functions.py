"""Fold FunctionTransformer: the functions of numpy that the artifact knows, and the identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.preprocessing import FunctionTransformer

from ...artifact.terms.numbers import FUNCTIONS
from .graph import Column, Graph
from .registry import cannot_fold, register_fold

NUMBERS: dict[Any, int] = {function: number for number, function in FUNCTIONS.items()}


def fold_function(transformer: FunctionTransformer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold a function that is in the table."""
    if transformer.func is None:
        return list(columns)
    if transformer.func not in NUMBERS or transformer.kw_args:
        known = ", ".join(function.__name__ for function in NUMBERS)
        raise cannot_fold(transformer, f"func={transformer.func!r} is not None or one of numpy's {known}")
    return graph.add("function", graph.settled(columns), {"function": NUMBERS[transformer.func]})


register_fold(FunctionTransformer, fold_function)

"""scikit-learn's transformers, a family a file: what the compact form makes of each, and how it is narrowed."""

from . import columnwise, encoders, expansions, pipelines, texts
from .graph import Column, Graph
from .pipelines import narrowed_steps, steps_wanted
from .registry import COMPILERS, Compiler, Notes, register_transformer
from .texts import narrow_mapping

__all__ = [
    "COMPILERS",
    "Column",
    "Compiler",
    "Graph",
    "Notes",
    "narrow_mapping",
    "narrowed_steps",
    "register_transformer",
    "steps_wanted",
]

_FAMILIES = (columnwise, encoders, expansions, pipelines, texts)

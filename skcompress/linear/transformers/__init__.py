"""Fold a fitted scikit-learn model into a `CompactLinear`: one file for each family of transformers."""

from . import columnwise, encoders, expansions, functions, imputers, pipelines, selections, texts
from .graph import Column, Graph
from .registry import FOLDS, Fold, register_fold

__all__ = ["FOLDS", "Column", "Fold", "Graph", "register_fold"]

_FAMILIES = (columnwise, encoders, expansions, functions, imputers, pipelines, selections, texts)

"""Fold a fitted scikit-learn model into a `CompactLinear`: one file for each family of transformers."""

from . import containers, encoders, expansions, functions, imputers, scalers, selections, texts
from .graph import Column, Graph
from .model import compact
from .registry import FOLDS, Fold, register_fold

__all__ = ["FOLDS", "Column", "Fold", "Graph", "compact", "register_fold"]

_FAMILIES = (containers, encoders, expansions, functions, imputers, scalers, selections, texts)

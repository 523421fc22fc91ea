"""Choosing how far to compress: searches over sizes and bits, scorers of size, and the rule that picks."""

from .choosing import smallest_within
from .search import CompressedClassifierCV, CompressedRegressorCV
from .sizes import neg_inputs_scorer, neg_nonzero_scorer, neg_size_scorer, score_and_size

__all__ = [
    "CompressedClassifierCV",
    "CompressedRegressorCV",
    "neg_inputs_scorer",
    "neg_nonzero_scorer",
    "neg_size_scorer",
    "score_and_size",
    "smallest_within",
]

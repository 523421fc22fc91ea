"""Seeing and explaining what compression has done: pictures and reports."""

from .change import ChangeReport, change_report
from .coefficient_display import CoefficientDisplay
from .max_change import MaxChange, max_change
from .path_display import CompressionPathDisplay
from .report import compression_report
from .stability import SelectionStability, selection_stability

__all__ = [
    "ChangeReport",
    "CoefficientDisplay",
    "CompressionPathDisplay",
    "MaxChange",
    "SelectionStability",
    "change_report",
    "compression_report",
    "max_change",
    "selection_stability",
]

"""Seeing and explaining what compression has done: pictures and reports."""

from .change import ChangeReport, change_report
from .coefficient_display import CoefficientDisplay
from .path_display import CompressionPathDisplay
from .report import compression_report
from .stability import SelectionStability, selection_stability
from .worst_case import MaxChange, max_change

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

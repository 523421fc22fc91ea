"""Seeing and explaining what compression has done: pictures and reports."""

from .change import ChangeReport, change_report
from .coefficient_display import CoefficientDisplay
from .path_display import CompressionPathDisplay
from .report import compression_report

__all__ = ["ChangeReport", "CoefficientDisplay", "CompressionPathDisplay", "change_report", "compression_report"]

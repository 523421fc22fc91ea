"""Seeing and explaining what compression has done: pictures and reports.

Names are loaded when they are first used: `max_change` of compact models needs numpy alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "ChangeReport": "change",
    "CoefficientDisplay": "coefficient_display",
    "CompressionPathDisplay": "path_display",
    "MaxChange": "worst_case",
    "SelectionStability": "stability",
    "change_report": "change",
    "compression_report": "report",
    "max_change": "worst_case",
    "selection_stability": "stability",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

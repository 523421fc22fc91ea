"""Make linear models small, fast and shippable from scikit-learn.

Everything public is importable from here and is loaded when it is first used, so that
``from skcompress.artifact import load`` needs numpy alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ._version import __version__

_HOME = {
    "CompactLinear": "artifact",
    "DistilledClassifier": "distillation_classifier",
    "DistilledRegressor": "distillation",
    "PrunedClassifier": "pruning",
    "PrunedRegressor": "pruning",
    "QuadraticModel": "core.quadratic",
    "QuantizedClassifier": "quantization",
    "QuantizedRegressor": "quantization",
    "compact": "linear.fold",
    "dump": "artifact",
    "load": "artifact",
    "membership_audit": "privacy",
    "prune": "core.pruning",
    "quantize": "core.quantizing",
    "register_fold": "linear.fold",
    "size_bytes": "artifact",
}

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'skcompress' has no attribute {name!r}")
    value = getattr(import_module(f"skcompress.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""Make linear models small, fast and shippable from scikit-learn.

Everything public is importable from here and is loaded when it is first used, so that
``from skcompress.artifact import load`` needs numpy alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ._version import __version__

_HOME = {
    "ChangeReport": "inspection",
    "CoefficientDisplay": "inspection",
    "CompactLinear": "artifact",
    "CompressedClassifierCV": "model_selection",
    "CompressedRegressorCV": "model_selection",
    "CompressionPathDisplay": "inspection",
    "DistilledClassifier": "distillation",
    "DistilledRegressor": "distillation",
    "MaxChange": "inspection",
    "PrunedClassifier": "pruning",
    "PrunedRegressor": "pruning",
    "QuadraticModel": "core.quadratic",
    "QuantizedClassifier": "quantization",
    "QuantizedRegressor": "quantization",
    "ScorecardClassifier": "scorecard",
    "SelectionStability": "inspection",
    "StepEncoder": "scorecard",
    "change_report": "inspection",
    "compact": "linear.compacting",
    "compression_report": "inspection",
    "drop_unused_inputs": "inputs",
    "dump": "shipping",
    "golden_rows": "shipping",
    "load": "artifact",
    "max_change": "inspection",
    "membership_audit": "privacy",
    "neg_inputs_scorer": "model_selection",
    "neg_nonzero_scorer": "model_selection",
    "neg_size_scorer": "model_selection",
    "prune": "core.pruning",
    "prune_path": "core.pruning",
    "quantize": "core.quantizing",
    "register_transformer": "linear.transformers",
    "register_skl2onnx": "onnx_converters",
    "score_and_size": "model_selection",
    "selection_stability": "inspection",
    "size_bytes": "shipping",
    "smallest_within": "model_selection",
    "strip_training_state": "persistence",
    "to_c": "export",
    "to_onnx": "export",
    "to_python": "export",
    "to_sql": "export",
    "verify": "shipping",
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

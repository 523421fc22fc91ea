"""A model as an ONNX graph."""

from .model import to_onnx

__all__ = ["to_onnx"]

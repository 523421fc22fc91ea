"""Write a compact model for other places: a folder for each, and what all of them print."""

from .c import to_c
from .onnx import to_onnx
from .python import to_python
from .sql import to_sql

__all__ = ["to_c", "to_onnx", "to_python", "to_sql"]

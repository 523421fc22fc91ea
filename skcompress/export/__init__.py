"""Write a compact model for other places."""

from .c_source import to_c
from .onnx import to_onnx
from .python_source import to_python
from .sql import to_sql

__all__ = ["to_c", "to_onnx", "to_python", "to_sql"]

"""Write a compact model for other places."""

from .python_source import to_python
from .sql import to_sql

__all__ = ["to_python", "to_sql"]

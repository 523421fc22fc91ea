"""A model as a function in plain Python."""

from .source import to_python

__all__ = ["to_python"]

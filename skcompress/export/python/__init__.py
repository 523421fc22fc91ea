"""A model as a function in plain Python."""

from .module import to_python

__all__ = ["to_python"]

"""A model as a file of C99."""

from .source import to_c

__all__ = ["to_c"]

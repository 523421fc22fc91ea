"""A model as a query."""

from .query import to_sql

__all__ = ["to_sql"]

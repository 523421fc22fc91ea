"""Write a compact model for other places: table `EXPORTS`."""

from .sql import to_sql

EXPORTS = {"sql": to_sql}

__all__ = ["EXPORTS", "to_sql"]

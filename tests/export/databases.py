"""Run a query on a table in one database."""

import math
import sqlite3

import numpy as np
import pandas as pd

from skcompress.export.sql.dialects import DIALECTS

POSTGRES_TYPES = {"f": "DOUBLE PRECISION", "i": "BIGINT", "u": "BIGINT", "b": "BOOLEAN"}


def plain(value):
    """A value as a database takes it; NaN is NULL."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if value is pd.NA or (isinstance(value, float) and math.isnan(value)) else value


def rows_of(table):
    return [tuple(plain(value) for value in row) for row in table.astype(object).itertuples(index=False, name=None)]


def as_array(rows):
    out = np.empty((len(rows), len(rows[0]) if rows else 1), dtype=object)
    out[:] = rows
    return out


class Sqlite:
    dialect = "sqlite"
    types = None

    def __call__(self, query, table, name="t"):
        quote = DIALECTS["sqlite"].quote
        with sqlite3.connect(":memory:") as connection:
            columns = [quote(column) + (f" {self.types[column]}" if self.types else "") for column in table.columns]
            connection.execute(f"CREATE TABLE {quote(name)} ({', '.join(columns)})")
            marks = ", ".join("?" * len(table.columns))
            connection.executemany(f"INSERT INTO {quote(name)} VALUES ({marks})", rows_of(table))
            return as_array(connection.execute(query).fetchall())


class Duckdb:
    dialect = "duckdb"

    def __call__(self, query, table, name="t"):
        import duckdb

        with duckdb.connect() as connection:
            connection.register("given", table)
            connection.execute(f"CREATE TABLE {DIALECTS['duckdb'].quote(name)} AS SELECT * FROM given")
            return as_array(connection.execute(query).fetchall())


class Postgres:
    dialect = "postgres"

    def __init__(self, socket):
        import psycopg

        self.connection = psycopg.connect(host=socket, user="postgres", autocommit=True)

    def __call__(self, query, table, name="t"):
        import psycopg

        quote = DIALECTS["postgres"].quote
        types = [
            f"{quote(column)} {POSTGRES_TYPES.get(getattr(dtype, 'kind', 'O'), 'TEXT')}"
            for column, dtype in table.dtypes.items()
        ]
        # A raw cursor knows no parameters, so that a percent sign in the text is one.
        with psycopg.RawCursor(self.connection) as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {quote(name)}")
            cursor.execute(f"CREATE TABLE {quote(name)} ({', '.join(types)})")
            with cursor.copy(f"COPY {quote(name)} FROM STDIN") as copy:
                for row in rows_of(table):
                    copy.write_row(row)
            return as_array(cursor.execute(query).fetchall())

    def close(self):
        self.connection.close()

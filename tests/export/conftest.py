"""The databases in which the queries run."""

import os

import pytest
from databases import Duckdb, Postgres, Sqlite
from postgres_cluster import NoServerError, cluster


@pytest.fixture(scope="session")
def postgres():
    """A database of PostgreSQL; tests are skipped where there is none, and fail if SKCOMPRESS_POSTGRES=required."""
    try:
        import psycopg  # noqa: F401

        running = cluster()
        socket = running.__enter__()
    except (ImportError, NoServerError) as error:
        if os.environ.get("SKCOMPRESS_POSTGRES") == "required":
            raise
        pytest.skip(f"no PostgreSQL: {error}; pip install 'skcompress[databases]'")
    database = Postgres(socket)
    yield database
    database.close()
    running.__exit__(None, None, None)


@pytest.fixture(scope="session", params=["sqlite", "duckdb", "postgres"])
def database(request):
    """Each database in turn: call it with a query and a table."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres")
    if request.param == "duckdb":
        pytest.importorskip("duckdb")
        return Duckdb()
    return Sqlite()

"""Dialects of SQL: table `DIALECTS`.

What differs is how names and texts are quoted, what a double and a large integer are called, whether a float can be
NaN, and whether there are truth values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _doubled(mark: str, close: str | None = None) -> Callable[[str], str]:
    end = close or mark
    return lambda name: f"{mark}{name.replace(end, end + end)}{end}"


def _escaped(mark: str) -> Callable[[str], str]:
    """Return the quoting of languages in which a backslash escapes."""

    def quote(text: str) -> str:
        for plain, safe in (("\\", "\\\\"), (mark, "\\" + mark), ("\n", "\\n"), ("\r", "\\r")):
            text = text.replace(plain, safe)
        return f"{mark}{text}{mark}"

    return quote


def _unescapable(name: str) -> str:
    if '"' in name:
        raise ValueError(f'Oracle cannot quote the name {name!r}, which holds a "')
    return f'"{name}"'


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("Oracle reads the empty text as NULL, so that a model with the category '' cannot be written")
    return _SINGLE_QUOTED(text)


def _by_nullif(number: str, nan: str) -> str:
    return f"NULLIF({number}, {nan})"


_DOUBLE_QUOTED = _doubled('"')
_SINGLE_QUOTED = _doubled("'")


@dataclass(frozen=True)
class Dialect:
    """What a dialect writes.

    Attributes
    ----------
    quote : callable(name) -> str
        A quoted name.
    text : callable(str) -> str
        A text constant.
    double, integer : str
        The types of 64 bits.
    without_nan : callable(number) -> str
        A number with NULL in the place of NaN.
    number : callable(column) -> str
        A column that is read as a number, with NULL in the place of what is imported as no value.
    truth : tuple of str
        How false and true are written.
    log : str
        The natural logarithm.
    """

    quote: Callable[[str], str] = _DOUBLE_QUOTED
    text: Callable[[str], str] = _SINGLE_QUOTED
    double: str = "DOUBLE PRECISION"
    integer: str = "BIGINT"
    without_nan: Callable[[str], str] = lambda number: number
    number: Callable[[str], str] = lambda column: column
    truth: tuple[str, str] = ("FALSE", "TRUE")
    log: str = "LN"


DIALECTS: dict[str, Dialect] = {
    # What stands in double quotes and is no column would be a text in sqlite.
    "sqlite": Dialect(
        quote=_doubled("`"),
        double="REAL",
        integer="INTEGER",
        truth=("0", "1"),
        number=lambda column: f"NULLIF({column}, '')",
    ),
    "duckdb": Dialect(double="DOUBLE", without_nan=lambda x: _by_nullif(x, "CAST('NaN' AS DOUBLE)")),
    "postgres": Dialect(without_nan=lambda x: _by_nullif(x, "CAST('NaN' AS DOUBLE PRECISION)")),
    "bigquery": Dialect(
        quote=_escaped("`"),
        text=_escaped("'"),
        double="FLOAT64",
        integer="INT64",
        without_nan=lambda x: f"IF(IS_NAN({x}), NULL, {x})",
    ),
    "snowflake": Dialect(
        text=lambda text: _SINGLE_QUOTED(text.replace("\\", "\\\\")),
        double="DOUBLE",
        without_nan=lambda x: _by_nullif(x, "CAST('NaN' AS DOUBLE)"),
    ),
    "spark": Dialect(
        quote=_doubled("`"),
        text=_escaped("'"),
        double="DOUBLE",
        without_nan=lambda x: _by_nullif(x, "CAST('NaN' AS DOUBLE)"),
    ),
    "tsql": Dialect(quote=_doubled("[", "]"), double="FLOAT(53)", truth=("0", "1"), log="LOG"),
    "oracle": Dialect(
        quote=_unescapable,
        text=_not_empty,
        double="BINARY_DOUBLE",
        integer="NUMBER(19)",
        without_nan=lambda x: _by_nullif(x, "BINARY_DOUBLE_NAN"),
        truth=("0", "1"),
    ),
}

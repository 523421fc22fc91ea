"""Dialects of SQL: table `DIALECTS`.

What differs is how names and texts are quoted and which of them are the same, what a double and a large integer are
called, whether a float can be NaN, and whether there are truth values.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
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


def _lower_ascii(name: str) -> str:
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in name)


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
    varchar, non_finite : str, tuple of str
        The type of texts, and what NaN, infinity and minus infinity are as texts; nothing where a double is finite.
    same : callable(name) -> hashable
        What is equal for two names that are one name.
    binary : str
        What follows a text that is compared, so that case counts whatever the collation of the column.
    underflows : bool
        Whether a result that is too small for a double is an error.
    typed : bool
        Whether a column of numbers holds numbers alone.
    decimal : bool
        Whether a constant with an exponent is a decimal and no double.
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
    varchar: str = "VARCHAR"
    non_finite: tuple[str, ...] = ()
    same: Callable[[str], Hashable] = lambda name: name
    binary: str = ""
    underflows: bool = False
    typed: bool = True
    decimal: bool = False
    truth: tuple[str, str] = ("FALSE", "TRUE")
    log: str = "LN"

    def read(self, column: str, reach: int) -> str:
        """Return a quoted column as a number: NULL where it is missing, no number, or beyond 10^reach."""
        x = f"CAST({column} AS {self.double})"
        return f"CASE WHEN {self._takes(x if self.typed else column, reach)} THEN {x} END"

    def is_beyond(self, column: str, reach: int) -> str:
        """Return the condition that a quoted column holds something that is neither missing nor what `read` takes."""
        # An empty text is what an import of CSV makes of no value.
        x = self.without_nan(f"CAST({column} AS {self.double})") if self.typed else f"NULLIF({column}, '')"
        return f"NOT ({self._takes(x, reach)})"

    def is_infinite(self, column: str) -> str:
        """Return the condition that a quoted column of numbers or texts is infinite, nothing where that cannot be."""
        if not self.typed:
            return f"{column} IN (9e999, -9e999)"
        ends = ", ".join(map(_SINGLE_QUOTED, self.non_finite[1:]))
        return f"CAST({column} AS {self.varchar}) IN ({ends})" if ends else ""

    def known(self, column: str) -> str:
        """Return what is NULL where a quoted column of numbers or texts is NULL or NaN."""
        if not self.non_finite:
            return column
        return f"NULLIF(CAST({column} AS {self.varchar}), {_SINGLE_QUOTED(self.non_finite[0])})"

    def _takes(self, x: str, reach: int) -> str:
        if not self.typed:
            # A text is beyond any number, unless it reads as one: then the type of the bounds makes a number of it.
            return f"{x} BETWEEN CAST(-1e{reach} AS {self.double}) AND CAST(1e{reach} AS {self.double})"
        return (
            f"{x} = 0e0 OR ABS({x}) BETWEEN 1e-{reach} AND 1e{reach}" if self.underflows else f"ABS({x}) <= 1e{reach}"
        )


DIALECTS: dict[str, Dialect] = {
    # What stands in double quotes and is no column would be a text in sqlite.
    "sqlite": Dialect(
        quote=_doubled("`"),
        double="REAL",
        integer="INTEGER",
        same=_lower_ascii,
        binary=" COLLATE BINARY",
        typed=False,
        truth=("0", "1"),
    ),
    "duckdb": Dialect(
        double="DOUBLE",
        same=_lower_ascii,
        without_nan=lambda x: _by_nullif(x, "CAST('NaN' AS DOUBLE)"),
        non_finite=("nan", "inf", "-inf"),
    ),
    "postgres": Dialect(
        same=lambda name: name.encode()[:63],
        underflows=True,
        decimal=True,
        without_nan=lambda x: _by_nullif(x, "CAST('NaN' AS DOUBLE PRECISION)"),
        varchar="TEXT",
        non_finite=("NaN", "Infinity", "-Infinity"),
    ),
    "bigquery": Dialect(
        quote=_escaped("`"),
        text=_escaped("'"),
        double="FLOAT64",
        integer="INT64",
        same=str.casefold,
        without_nan=lambda x: f"IF(IS_NAN({x}), NULL, {x})",
        varchar="STRING",
        non_finite=("NaN", "inf", "-inf"),
    ),
    "snowflake": Dialect(
        text=lambda text: _SINGLE_QUOTED(text.replace("\\", "\\\\")),
        double="DOUBLE",
        without_nan=lambda x: _by_nullif(x, "CAST('NaN' AS DOUBLE)"),
        non_finite=("NaN", "inf", "-inf"),
    ),
    "spark": Dialect(
        quote=_doubled("`"),
        text=_escaped("'"),
        same=str.casefold,
        double="DOUBLE",
        without_nan=lambda x: _by_nullif(x, "CAST('NaN' AS DOUBLE)"),
        varchar="STRING",
        non_finite=("NaN", "Infinity", "-Infinity"),
    ),
    "tsql": Dialect(
        quote=_doubled("[", "]"),
        text=lambda text: f"N{_SINGLE_QUOTED(text)}",
        same=str.casefold,
        binary=" COLLATE Latin1_General_100_BIN2",
        double="FLOAT(53)",
        truth=("0", "1"),
        log="LOG",
    ),
    "oracle": Dialect(
        quote=_unescapable,
        text=_not_empty,
        double="BINARY_DOUBLE",
        integer="NUMBER(19)",
        decimal=True,
        without_nan=lambda x: _by_nullif(x, "BINARY_DOUBLE_NAN"),
        varchar="VARCHAR2(4000)",
        non_finite=("Nan", "Inf", "-Inf"),
        truth=("0", "1"),
    ),
}

"""Write a compact model as a query.

The query is one SELECT over the table, with a WITH step for each layer of blocks that others read, so that nothing
is written twice. Only the columns that the model reads appear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..expressions import Lookup, columns_of
from ..methods import METHODS, outputs_of
from ..program import Program, Total
from .answers import answers_of
from .dialects import DIALECTS, Dialect
from .printer import Printer, balanced_sum, number, repeats


def to_sql(
    model: Any,
    table: str | Sequence[str],
    *,
    dialect: str = "sqlite",
    missing: Any = None,
    columns: Sequence[str] = (),
    method: str = "predict",
    output: str = "prediction",
) -> str:
    """Write a model as a query that scores the rows of a table.

    Parameters
    ----------
    model : estimator or CompactLinear
        A CompactLinear, or any fitted model that `compact` takes.
    table : str or sequence of str
        Name of the table, or its parts: ``("schema", "table")``. Names are quoted, and so case-sensitive where the
        database makes them so.
    dialect : {"sqlite", "duckdb", "postgres", "bigquery", "snowflake", "spark", "tsql", "oracle"}, default="sqlite"
        The database.
    missing : scalar or mapping, default=None
        What a NULL stands for: one value for all inputs, or one for each name. None: it is what a missing value is to
        `predict`: imputed or a category where the model says so, an unknown category where those are ignored (an
        absent key where the model was fitted on mappings), and else the prediction is NULL. NaN counts as NULL.
    columns : sequence of str, default=()
        Columns of the table that go along, such as a key.
    method : {"predict", "predict_proba", "decision_function"}, default="predict"
        What is computed. "decision_function" is the linear predictor, also of a regressor.
    output : str, default="prediction"
        Name of the column that comes out; with several outputs an underscore and the number or class is added.

    Returns
    -------
    query : str
        A SELECT statement. Its first line is a comment with the `model_id`.

    Raises
    ------
    ValueError
        If the model holds something that SQL has no words for (texts); the message names it.

    Notes
    -----
    Where `predict` raises, because of an unknown category or a number without a logarithm, the prediction is NULL.
    Weights that are integer codes on whole numbers (indicators, points, inputs of `input_bits`) are added up as
    integers. Comparisons of texts follow the collation of the database. In sqlite an empty text in a column of
    numbers is NULL, as CSV imports leave it; any other text there counts as 0.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skcompress import PrunedRegressor, to_sql
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    >>> print(to_sql(PrunedRegressor(n_nonzero=1).fit(X, y), "patients", dialect="postgres"))
    -- skcompress model_id: ...
    SELECT 10.2...e0 * NULLIF(CAST("bmi" AS DOUBLE PRECISION), CAST('NaN' AS DOUBLE PRECISION)) + (-117.7...e0)
        AS "prediction"
    FROM "patients"
    """
    if dialect not in DIALECTS:
        raise ValueError(f"dialect must be one of {sorted(DIALECTS)}, got {dialect!r}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {sorted(METHODS)}, got {method!r}")
    source, along = _names_of(table, "table"), _names_of(columns, "columns") if len(columns) else []
    _require_name(output, "output")
    if isinstance(columns, str):
        raise ValueError(f"columns must be a sequence of names, got the text {columns!r}: write [{columns!r}]")
    return _Query(Program(model, "SQL"), DIALECTS[dialect], missing, tuple(along)).text(source, method, output)


def _names_of(given: Any, parameter: str) -> list[str]:
    """Return a name, or several, as a list."""
    if isinstance(given, str) or not isinstance(given, Sequence) or not len(given):
        return [_require_name(given, parameter)]
    return [_require_name(name, parameter) for name in given]


def _require_name(given: Any, parameter: str) -> str:
    if not isinstance(given, str) or not given:
        raise ValueError(f"{parameter} must be a name, or a sequence of names, got {given!r}")
    return given


class _Query:
    """The layers of a query, from the table up."""

    def __init__(self, program: Program, dialect: Dialect, missing: Any, columns: tuple[str, ...]):
        self.program = program
        self.dialect = dialect
        self.missing = self._missing_of(missing)
        self.columns = columns
        self.layer: dict[int, int] = {}
        self.alias: dict[int, str] = {}
        self.printer = Printer(dialect, self._number_of, self._value_of, program.names)

    def _missing_of(self, missing: Any) -> dict[str, Any]:
        names = self.program.names
        if not isinstance(missing, Mapping):
            return {} if missing is None else dict.fromkeys(names, missing)
        unknown = [name for name in missing if name not in names]
        if unknown:
            raise ValueError(f"missing has a value for {unknown[0]!r}, which is no input of the model")
        return dict(missing)

    def _value_of(self, column: int) -> str:
        """Return a column as a value."""
        if column >= len(self.program.names):
            return self._number_of(column)
        name = self.program.names[column]
        quoted = self.dialect.quote(name)
        if self._levels_are_numbers(column) and self.dialect.without_nan("") != "":
            quoted = self.dialect.without_nan(f"CAST({quoted} AS {self.dialect.double})")
        if name not in self.missing:
            return quoted
        stand_in = self.missing[name]
        if not isinstance(stand_in, (str, bool, int, float)):
            raise ValueError(f"missing has {stand_in!r} for {name!r}: it must be a text, a number or a truth value")
        return f"COALESCE({quoted}, {self.printer.constant(stand_in)})"

    def _levels_are_numbers(self, column: int) -> bool:
        """Whether all levels of an input are numbers that a double holds."""
        levels = [level for level in self.program.value_inputs.get(column, []) if level is not None and level == level]
        numbers = [v for v in levels if isinstance(v, (int, float)) and not isinstance(v, bool) and float(v) == v]
        return bool(levels) and len(numbers) == len(levels)

    def _number_of(self, column: int) -> str:
        """Return a column as a number: its name in the layer below, or what it is made of."""
        if column in self.alias:
            return self.alias[column]
        if column >= len(self.program.names):
            return f"({self.printer.of(self.program.columns[column])})"
        read = self.dialect.without_nan(
            f"CAST({self.dialect.number(self.dialect.quote(self.program.names[column]))} AS {self.dialect.double})"
        )
        name = self.program.names[column]
        if name not in self.missing:
            return read
        stand_in = self.missing[name]
        if isinstance(stand_in, str) or not isinstance(stand_in, (int, float, np.number)):
            raise ValueError(f"missing has {stand_in!r} for {name!r}, which is read as a number")
        return f"COALESCE({read}, {number(float(stand_in))})"

    def _uses(self) -> dict[int, int]:
        """Return how often each column would be printed."""
        uses: dict[int, int] = {}
        for expr in self.program.everything():
            for column in columns_of(expr):
                raw_value = isinstance(expr, Lookup) and column < len(self.program.names)
                uses[column] = uses.get(column, 0) + (0 if raw_value else repeats(_core(expr)))
        return uses

    def _plan_layers(self) -> int:
        """Give a layer to each column that would be printed more than once; return their number."""
        uses = self._uses()
        for column in self.program.number_inputs:
            if uses.get(column, 0) > 1:
                self.layer[column] = 1
        reach: dict[int, int] = dict(self.layer)
        for column, expr in self.program.columns.items():
            below = max((reach.get(source, 0) for source in columns_of(expr)), default=0)
            reach[column] = below
            if uses.get(column, 0) > 1:
                self.layer[column] = reach[column] = below + 1
        return max(self.layer.values(), default=0)

    def text(self, table: Sequence[str], method: str, output: str) -> str:
        """Return the query."""
        quote = self.dialect.quote
        source = ".".join(quote(part) for part in table)
        n_layers = self._plan_layers()
        steps: list[tuple[str, list[str], str]] = []
        carried: list[str] = []
        for layer in range(1, n_layers + 1):
            new = [column for column, its in self.layer.items() if its == layer]
            made = [f"{self._number_of(column)} AS {quote(f'skc_{column}')}" for column in new]
            steps.append((f"skc_layer_{layer}", [*self._passed(), *carried, *made], source))
            for column in new:
                self.alias[column] = quote(f"skc_{column}")
            carried += [self.alias[column] for column in new]
            source = quote(f"skc_layer_{layer}")
        etas = [self._total(total) for total in self.program.totals]
        kept = [quote(column) for column in self.columns]
        named = outputs_of(self.program.model, method, output)
        twice = [name for name in named.names if name in self.columns]
        if twice:
            raise ValueError(f"columns holds {twice[0]!r}, which is the name of the output: choose another output")
        if named.is_linear:
            final = [f"{eta} AS {quote(name)}" for eta, name in zip(etas, named.names, strict=True)]
        else:
            labels = [quote(f"skc_eta_{i}") for i in range(len(etas))]
            steps.append(("skc_eta", [*kept, *(f"{e} AS {n}" for e, n in zip(etas, labels, strict=True))], source))
            source = quote("skc_eta")
            answers = answers_of(named, labels, self.printer)
            final = [f"{answer} AS {quote(name)}" for answer, name in zip(answers, named.names, strict=True)]
        head = f"-- skcompress model_id: {self.program.model.model_id}\n"
        before = ",\n".join(f"{quote(name)} AS (\n{_select(items, of)}\n)" for name, items, of in steps)
        return head + (f"WITH {before}\n" if steps else "") + _select([*kept, *final], source)

    def _passed(self) -> list[str]:
        """Return the columns of the table that later layers read themselves."""
        names = self.program.names
        by_value = set(self.program.value_inputs)
        by_number = {column for column in self.program.number_inputs if column not in self.layer}
        wanted = [*self.columns, *(names[column] for column in sorted(by_value | by_number))]
        return [self.dialect.quote(name) for name in dict.fromkeys(wanted)]

    def _total(self, total: Total) -> str:
        terms = [self.printer.of(term) for term in total.floats]
        if total.integers:
            whole = balanced_sum([self.printer.term(term, integer=True) for term in total.integers])
            terms.append(f"{number(total.scale)} * CAST({whole} AS {self.dialect.double})")
        if total.intercept or not terms:
            terms.append(number(total.intercept))
        return balanced_sum(terms)


def _core(expr: Any) -> Any:
    while hasattr(expr, "part"):
        expr = expr.part
    return expr


def _select(items: Sequence[str], source: str) -> str:
    return "SELECT " + ",\n       ".join(items) + f"\nFROM {source}"

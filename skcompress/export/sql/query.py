"""Write a compact model as a query.

The query is one SELECT over the table, with a WITH step for each layer of blocks that others read, so that nothing
is written twice. Only the columns that the model reads appear.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from ..expressions import Call, Entry, Lookup, Number, Where, columns_of, is_missing
from ..methods import METHODS, UNBOUNDED, Outputs, outputs_of
from ..names import require_name
from ..normal_form import NormalForm, Total
from ..refusals import INFINITE, NAN
from .answers import answers_of, refusal_of
from .dialects import DIALECTS, Dialect
from .magnitudes import LIMIT, REACHES, Magnitudes, Span, span_of, union
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
    Where `predict` raises, because of infinity, an unknown category or a number without a logarithm, the prediction is
    NULL. So it is for a number so large that another might overflow on the way (beyond 10^10 to 10^200, by the degree
    of the model), and in postgres for one so small that another might underflow: in some databases one such row would
    end the whole query.
    Weights that are integer codes on whole numbers (indicators, points, inputs of `input_bits`) are added up as
    integers. Texts are compared as the collation of their column has it, in sqlite and tsql byte by byte. In sqlite a
    text in a column of numbers counts if it reads as a number ('12'); an empty one is NULL, as CSV imports leave it,
    and any other ('12abc') is refused. Two names that the database takes for one (`a` and `A`) are an error.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skcompress import PrunedRegressor, to_sql
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    >>> print(to_sql(PrunedRegressor(n_nonzero=1).fit(X, y), "patients", dialect="duckdb"))
    -- skcompress model_id: ...
    WITH "skc_layer_1" AS (
    SELECT CASE WHEN ABS(CAST("bmi" AS DOUBLE)) <= 1e200 THEN CAST("bmi" AS DOUBLE) END AS "skc_0"
    FROM "patients"
    )
    SELECT 10.2...e0 * "skc_0" + (-117.7...e0) AS "prediction"
    FROM "skc_layer_1"
    """
    if dialect not in DIALECTS:
        raise ValueError(f"dialect must be one of {sorted(DIALECTS)}, got {dialect!r}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {sorted(METHODS)}, got {method!r}")
    source, along = _names_of(table, "table"), _names_of(columns, "columns") if len(columns) else []
    _require_name(output, "output")
    if isinstance(columns, str):
        raise ValueError(f"columns must be a sequence of names, got the text {columns!r}: write [{columns!r}]")
    program = NormalForm(model, "SQL")
    named = outputs_of(program.model, method, output)
    _require_distinct(program.names, along, named.names, dialect)
    return _Query(program, DIALECTS[dialect], missing, tuple(along), named).text(source)


def _names_of(given: Any, parameter: str) -> list[str]:
    """Return a name, or several, as a list."""
    if isinstance(given, str) or not isinstance(given, Sequence) or not len(given):
        return [_require_name(given, parameter)]
    return [_require_name(name, parameter) for name in given]


def _require_name(given: Any, parameter: str) -> str:
    if not isinstance(given, str) or not given:
        raise ValueError(f"{parameter} must be a name, or a sequence of names, got {given!r}")
    return require_name(given, parameter, "SQL")


def _require_distinct(inputs: Sequence[str], columns: Sequence[str], outputs: Sequence[str], dialect: str) -> None:
    """Raise ValueError if two names that differ are one for a database, or one cannot be written."""
    for what, names in (("input", inputs), ("output", outputs)):
        for name in names:
            require_name(name, what, "SQL")
    for what, names in (("inputs", inputs), ("columns", columns), ("outputs", outputs)):
        known: dict[Hashable, str] = {}
        for name in names:
            other = known.setdefault(DIALECTS[dialect].same(name), name)
            if other is not name:
                raise ValueError(f"the {what} {other!r} and {name!r} are one name in {dialect}: rename one of them")
    taken = {DIALECTS[dialect].same(column): column for column in columns}
    twice = [taken[DIALECTS[dialect].same(name)] for name in outputs if DIALECTS[dialect].same(name) in taken]
    if twice:
        raise ValueError(f"columns holds {twice[0]!r}, which is the name of the output: choose another output")


class _Query:
    """The layers of a query, from the table up.

    The first layer reads the inputs that are numbers, and says whether the row is refused for what would not be seen
    later: see `skcompress.export.refusals`.
    """

    def __init__(self, program: NormalForm, dialect: Dialect, missing: Any, columns: tuple[str, ...], named: Outputs):
        self.program = program
        self.dialect = dialect
        self.missing = self._missing_of(missing)
        self.columns = columns
        self.named = named
        everything = program.everything()
        self.entries = {expr.column for expr in everything if isinstance(expr, Entry)}
        self.lookups = {expr.column for expr in everything if isinstance(expr, Lookup)} & set(program.value_inputs)
        self.numbers = sorted({*program.number_inputs, *self.entries})
        self.layer: dict[int, int] = {}
        self.alias: dict[int, str] = {}
        self.reach = self._reach()
        self.printer = Printer(dialect, self._number_of, self._value_of, program.names, self.reach)

    def _reach(self) -> int:
        """Return the largest reach with which nothing overflows, or the least there is."""
        program = self.program
        for reach in REACHES:
            inputs = {
                column: union([Span(-reach, reach), span_of(self._stand_in(column) or 0.0)]) for column in self.numbers
            }
            found = Magnitudes(inputs, reach)
            for column, expr in program.columns.items():
                found.columns[column] = found.of(expr)
            for total in program.totals:
                parts = [found.of(term) for term in total.floats]
                if total.integers:
                    whole = found.sum([found.of(term) for term in total.integers])
                    parts.append(found.product(span_of(total.scale), whole))
                eta = found.sum([*parts, span_of(total.intercept)])
                if program.model.link == "sqrt":
                    found.product(eta, eta)
            if found.worst <= LIMIT:
                break
        return reach

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
        if self._kind_of(column) == "number" and self.dialect.non_finite:
            quoted = self.dialect.without_nan(f"CAST({quoted} AS {self.dialect.double})")
        elif self._kind_of(column) == "unknown":
            quoted = self.dialect.known(quoted)
        if name not in self.missing:
            return quoted
        stand_in = self.missing[name]
        if not isinstance(stand_in, (str, bool, int, float)):
            raise ValueError(f"missing has {stand_in!r} for {name!r}: it must be a text, a number or a truth value")
        return f"COALESCE({quoted}, {self.printer.constant(stand_in)})"

    def _kind_of(self, column: int) -> str:
        """Return what an input holds that is read as a value: "number", "other", or "unknown" (only missing ones)."""
        levels = [level for level in self.program.value_inputs.get(column, []) if not is_missing(level)]
        numbers = [v for v in levels if isinstance(v, (int, float)) and not isinstance(v, bool) and float(v) == v]
        if len(numbers) < len(levels):
            return "other"
        return "number" if levels or column in self.numbers else "unknown"

    def _number_of(self, column: int) -> str:
        """Return a column as a number: its name in the layer below, or what it is made of."""
        if column in self.alias:
            return self.alias[column]
        if column >= len(self.program.names):
            return f"({self.printer.of(self.program.columns[column])})"
        read = self.dialect.read(self.dialect.quote(self.program.names[column]), self.reach)
        stand_in = self._stand_in(column)
        return read if stand_in is None else f"COALESCE({read}, {number(stand_in)})"

    def _stand_in(self, column: int) -> float | None:
        """Return what a missing value of an input that is read as a number stands for."""
        name = self.program.names[column]
        if name not in self.missing:
            return None
        stand_in = self.missing[name]
        if isinstance(stand_in, str) or not isinstance(stand_in, (int, float, np.number)):
            raise ValueError(f"missing has {stand_in!r} for {name!r}, which is read as a number")
        return float(stand_in)

    def _refused(self) -> list[str]:
        """Return the conditions on the columns of the table under which a row has no prediction, if they get lost."""
        program, tests = self.program, []
        for column, name in enumerate(program.names):
            quoted = self.dialect.quote(name)
            if column in self.numbers:
                if name in self.missing or column in self.entries or not program.readers.is_seen(column, NAN):
                    beyond = self.dialect.is_beyond(quoted, self.reach)
                    # Any text in the place of a number of a mapping counts as 0.
                    is_text = column in self.entries and not self.dialect.typed
                    tests.append(f"({beyond} AND TYPEOF({quoted}) <> 'text')" if is_text else beyond)
            elif self._kind_of(column) != "other" and not program.readers.is_seen(column, INFINITE):
                tests.append(self.dialect.is_infinite(quoted))
        return [test for test in tests if test]

    def _refused_later(self) -> list[str]:
        """Return the conditions on columns that are made."""
        program = self.program
        calls = [
            self.printer.is_infinite(expr)
            for column, expr in program.columns.items()
            if isinstance(expr, Call) and not program.readers.is_seen(column, NAN)
        ]
        return [call for call in calls if call]

    def _uses(self) -> dict[int, int]:
        """Return how often each column would be printed."""
        uses: dict[int, int] = {}
        for expr in self.program.everything():
            for column in columns_of(expr):
                raw_value = isinstance(expr, Lookup) and column < len(self.program.names)
                uses[column] = uses.get(column, 0) + (0 if raw_value else repeats(_core(expr)))
        return uses

    def _plan_layers(self) -> int:
        """Give a layer to the inputs that are numbers, and to each column that would be printed more than once."""
        uses = self._uses()
        self.layer = dict.fromkeys(self.numbers, 1)
        reach: dict[int, int] = dict(self.layer)
        for column, expr in self.program.columns.items():
            below = max((reach.get(source, 0) for source in columns_of(expr)), default=0)
            reach[column] = below
            if uses.get(column, 0) > 1:
                self.layer[column] = reach[column] = below + 1
        return max(self.layer.values(), default=0)

    def text(self, table: Sequence[str]) -> str:
        """Return the query."""
        quote, own = self.dialect.quote, self._own_prefix(table)
        source = ".".join(quote(part) for part in table)
        refused = self._refused()
        steps: list[tuple[str, list[str], str]] = []
        carried: list[str] = []
        for layer in range(1, max(self._plan_layers(), bool(refused)) + 1):
            new = [column for column, its in self.layer.items() if its == layer]
            made = [f"{self._number_of(column)} AS {quote(f'{own}_{column}')}" for column in new]
            names = [quote(f"{own}_{column}") for column in new]
            if layer == 1 and refused:
                names.append(quote(f"{own}_refused"))
                made.append(f"CASE WHEN {OR.join(refused)} THEN 1 ELSE 0 END AS {names[-1]}")
            steps.append((f"{own}_layer_{layer}", [*self._passed(), *carried, *made], source))
            self.alias.update(zip(new, names, strict=False))
            carried += names
            source = quote(f"{own}_layer_{layer}")
        tests = [*([f"{quote(f'{own}_refused')} = 1"] if refused else []), *self._refused_later()]
        etas = [self._total(total) for total in self.program.totals]
        etas = [f"CASE WHEN {OR.join(tests)} THEN NULL ELSE {eta} END" for eta in etas] if tests else etas
        kept = [quote(column) for column in self.columns]
        together = self._refused_together()
        if self.named.is_linear and not together:
            answers = etas
        else:
            labels = [quote(f"{own}_eta_{i}") for i in range(len(etas))]
            steps.append((f"{own}_eta", [*kept, *(f"{e} AS {n}" for e, n in zip(etas, labels, strict=True))], source))
            source = quote(f"{own}_eta")
            answers = answers_of(self.named, labels, self.printer)
            if together:
                some = OR.join(refusal_of(label, self.named.link) for label in labels)
                answers = [f"CASE WHEN {some} THEN NULL ELSE {answer} END" for answer in answers]
        final = [f"{answer} AS {quote(name)}" for answer, name in zip(answers, self.named.names, strict=True)]
        head = f"-- skcompress model_id: {self.program.model.model_id}\n"
        before = ",\n".join(f"{quote(name)} AS (\n{_select(items, of)}\n)" for name, items, of in steps)
        return head + (f"WITH {before}\n" if steps else "") + _select([*kept, *final], source)

    def _own_prefix(self, table: Sequence[str]) -> str:
        """Return what the names of the query's own begin with, and no other name does."""
        others = [*self.program.names, *self.columns, *self.named.names, *table]
        own = "skc"
        while any(name.casefold().startswith(own) for name in others):
            own += "_"
        return own

    def _passed(self) -> list[str]:
        """Return the columns of the table that later layers read themselves."""
        names = [*self.columns, *(self.program.names[column] for column in sorted(self.lookups))]
        return [self.dialect.quote(name) for name in {self.dialect.same(name): name for name in names[::-1]}.values()]

    def _refused_together(self) -> bool:
        """Whether a row may have NULL for one of the outputs alone, where `predict` refuses the row."""
        totals = self.program.totals
        if len(totals) == 1 or self.named.sees_all:
            return False
        kinds = [frozenset(_null_of(term) for term in (*total.integers, *total.floats)) for total in totals]
        return len(set(kinds)) > 1 or self.named.link in UNBOUNDED

    def _total(self, total: Total) -> str:
        terms = [self.printer.of(term) for term in total.floats]
        if total.integers:
            whole = balanced_sum([self.printer.term(term, integer=True) for term in total.integers])
            terms.append(f"{number(total.scale)} * CAST({whole} AS {self.dialect.double})")
        if total.intercept or not terms:
            terms.append(self.printer.of(Number(total.intercept)))
        return balanced_sum(terms)


OR = " OR "


def _core(expr: Any) -> Any:
    while hasattr(expr, "part"):
        expr = expr.part
    return expr


def _null_of(expr: Any) -> Any:
    """Return what is equal for expressions that are NULL in the same rows."""
    core = _core(expr)
    if isinstance(core, Where) and core.no is not None:
        return ("where", core.column, core.marker != core.marker, _null_of(core.no))
    nans = tuple(value != value for value in getattr(core, "values", ()))
    return (type(core).__name__, tuple(columns_of(core)), getattr(core, "function", None), nans)


def _select(items: Sequence[str], source: str) -> str:
    return "SELECT " + ",\n       ".join(items) + f"\nFROM {source}"

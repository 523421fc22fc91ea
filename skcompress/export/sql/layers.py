"""The layers of a query: the inputs, what is printed more than once, the linear predictors, the answers.

The first layer reads the inputs that are numbers, and says whether the row is refused for what would not be seen
later: see `skcompress.export.expressions`. A column of the table is read as a number within reach, or as a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..base_printer import LINKS, bounded
from ..expressions import INFINITE, NAN, Call, Lookup, Number, Where, columns_of, is_missing
from ..normal_form import NormalForm, Outputs, Total
from .dialects import Dialect
from .magnitudes import reach_of
from .printer import Printer, balanced_sum, constant, number, repeats


class TableColumns:
    """How the inputs of a model are read.

    Parameters
    ----------
    form : NormalForm
        The model.
    dialect : Dialect
        The dialect.
    missing : scalar, mapping or None
        What missing values stand for, see `to_sql`.

    Attributes
    ----------
    numbers : list of int
        The inputs that are read as numbers.
    lookups : list of int
        The inputs that are looked up in a table of levels.
    reach : int
        How large a number may be, as a power of 10 (see `skcompress.export.sql.magnitudes`).
    """

    def __init__(self, form: NormalForm, dialect: Dialect, missing: Any):
        self.form = form
        self.dialect = dialect
        self.missing = self._missing_of(missing)
        self.numbers = sorted({*form.number_inputs, *form.entries})
        looked_up = {expr.column for expr in form.everything() if isinstance(expr, Lookup)}
        self.lookups = sorted(looked_up & set(form.value_inputs))
        stand_ins = {column: self._stand_in(column) for column in self.numbers}
        self.reach = reach_of(form, {column: value for column, value in stand_ins.items() if value is not None})

    def number(self, column: int) -> str:
        """Return an input as a number: NULL where it is missing, unless that stands for one, or beyond reach."""
        read = self.dialect.read(self.dialect.quote(self.form.names[column]), self.reach)
        stand_in = self._stand_in(column)
        return read if stand_in is None else f"COALESCE({read}, {number(stand_in)})"

    def value(self, column: int) -> str:
        """Return an input as a value."""
        name = self.form.names[column]
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
        return f"COALESCE({quoted}, {constant(stand_in, self.dialect)})"

    def refused(self) -> list[str]:
        """Return the conditions on the columns of the table under which a row has no prediction, if they get lost."""
        form, tests = self.form, []
        for column, name in enumerate(form.names):
            quoted = self.dialect.quote(name)
            if column in self.numbers:
                if name in self.missing or column in form.entries or not form.readers.is_seen(column, NAN):
                    beyond = self.dialect.is_beyond(quoted, self.reach)
                    # Any text in the place of a number of a mapping counts as 0.
                    is_text = column in form.entries and not self.dialect.typed
                    tests.append(f"({beyond} AND TYPEOF({quoted}) <> 'text')" if is_text else beyond)
            elif self._kind_of(column) != "other" and not form.readers.is_seen(column, INFINITE):
                tests.append(self.dialect.is_infinite(quoted))
        return [test for test in tests if test]

    def _missing_of(self, missing: Any) -> dict[str, Any]:
        names = self.form.names
        if not isinstance(missing, Mapping):
            return {} if missing is None else dict.fromkeys(names, missing)
        unknown = [name for name in missing if name not in names]
        if unknown:
            raise ValueError(f"missing has a value for {unknown[0]!r}, which is no input of the model")
        return dict(missing)

    def _kind_of(self, column: int) -> str:
        """Return what an input holds that is read as a value: "number", "other", or "unknown" (only missing ones)."""
        levels = [level for level in self.form.value_inputs.get(column, []) if not is_missing(level)]
        numbers = [v for v in levels if isinstance(v, (int, float)) and not isinstance(v, bool) and float(v) == v]
        if len(numbers) < len(levels):
            return "other"
        return "number" if levels or column in self.numbers else "unknown"

    def _stand_in(self, column: int) -> float | None:
        """Return what a missing value of an input that is read as a number stands for."""
        name = self.form.names[column]
        if name not in self.missing:
            return None
        stand_in = self.missing[name]
        if isinstance(stand_in, str) or not isinstance(stand_in, (int, float, np.number)):
            raise ValueError(f"missing has {stand_in!r} for {name!r}, which is read as a number")
        return float(stand_in)


OR = " OR "


class Layers(Printer):
    """Writes a query from the table up.

    Parameters
    ----------
    form : NormalForm
        The model.
    dialect : Dialect
        The dialect.
    table : TableColumns
        How the inputs are read.
    along : sequence of str
        Columns of the table that go along.
    outputs : Outputs
        What comes out.
    """

    def __init__(self, form: NormalForm, dialect: Dialect, table: TableColumns, along: Sequence[str], outputs: Outputs):
        super().__init__(form, dialect, table.reach)
        self.table = table
        self.along = along
        self.outputs = outputs
        self.layer: dict[int, int] = {}
        self.alias: dict[int, str] = {}

    def column(self, column: int) -> str:
        """Return a column as a number: its name in the layer below, or what it is made of."""
        if column in self.alias:
            return self.alias[column]
        return self.table.number(column) if column < len(self.form.names) else f"({self.of(self.form.columns[column])})"

    def value(self, column: int) -> str:
        """Return a column as a value."""
        return self.table.value(column) if column < len(self.form.names) else self.column(column)

    def text(self, table: Sequence[str]) -> str:
        """Return the query."""
        quote, own = self.dialect.quote, self._own_prefix(table)
        source = ".".join(quote(part) for part in table)
        refused = self.table.refused()
        steps: list[tuple[str, list[str], str]] = []
        carried: list[str] = []
        for layer in range(1, max(self._plan_layers(), bool(refused)) + 1):
            new = [column for column, its in self.layer.items() if its == layer]
            made = [f"{self.column(column)} AS {quote(f'{own}_{column}')}" for column in new]
            names = [quote(f"{own}_{column}") for column in new]
            if layer == 1 and refused:
                names.append(quote(f"{own}_refused"))
                made.append(f"CASE WHEN {OR.join(refused)} THEN 1 ELSE 0 END AS {names[-1]}")
            steps.append((f"{own}_layer_{layer}", [*self._passed(), *carried, *made], source))
            self.alias.update(zip(new, names, strict=False))
            carried += names
            source = quote(f"{own}_layer_{layer}")
        tests = [*([f"{quote(f'{own}_refused')} = 1"] if refused else []), *self._refused_later()]
        etas = [self._total(total) for total in self.form.totals]
        etas = [f"CASE WHEN {OR.join(tests)} THEN NULL ELSE {eta} END" for eta in etas] if tests else etas
        kept = [quote(column) for column in self.along]
        together = self._refused_together()
        if self.outputs.is_linear and not together:
            answers = etas
        else:
            labels = [quote(f"{own}_eta_{i}") for i in range(len(etas))]
            steps.append((f"{own}_eta", [*kept, *(f"{e} AS {n}" for e, n in zip(etas, labels, strict=True))], source))
            source = quote(f"{own}_eta")
            answers = self._answers(labels)
            if together:
                some = OR.join(_no_answer(label, self.outputs.link) for label in labels)
                answers = [f"CASE WHEN {some} THEN NULL ELSE {answer} END" for answer in answers]
        final = [f"{answer} AS {quote(name)}" for answer, name in zip(answers, self.outputs.names, strict=True)]
        head = f"-- skcompress model_id: {self.form.model.model_id}\n"
        before = ",\n".join(f"{quote(name)} AS (\n{_select(items, of)}\n)" for name, items, of in steps)
        return head + (f"WITH {before}\n" if steps else "") + _select([*kept, *final], source)

    def _refused_later(self) -> list[str]:
        """Return the conditions on columns that are made."""
        form = self.form
        calls = [
            self.is_infinite(expr)
            for column, expr in form.columns.items()
            if isinstance(expr, Call) and not form.readers.is_seen(column, NAN)
        ]
        return [call for call in calls if call]

    def _uses(self) -> dict[int, int]:
        """Return how often each column would be printed."""
        uses: dict[int, int] = {}
        for expr in self.form.everything():
            for column in columns_of(expr):
                raw_value = isinstance(expr, Lookup) and column < len(self.form.names)
                uses[column] = uses.get(column, 0) + (0 if raw_value else repeats(_core(expr)))
        return uses

    def _plan_layers(self) -> int:
        """Give a layer to the inputs that are numbers, and to each column that would be printed more than once."""
        uses = self._uses()
        self.layer = dict.fromkeys(self.table.numbers, 1)
        reach: dict[int, int] = dict(self.layer)
        for column, expr in self.form.columns.items():
            below = max((reach.get(source, 0) for source in columns_of(expr)), default=0)
            reach[column] = below
            if uses.get(column, 0) > 1:
                self.layer[column] = reach[column] = below + 1
        return max(self.layer.values(), default=0)

    def _answers(self, etas: Sequence[str]) -> list[str]:
        """Return the answers, from the names of the linear predictors."""
        model = self.outputs.model
        if self.outputs.method == "predict" and model.classes:
            return [self._label(etas)]
        if self.outputs.link == "softmax":
            return [_share(etas, k) for k in range(len(etas))]
        link = LINKS[self.outputs.link].sql
        answers = [link.format(x=eta) for eta in etas]
        if self.outputs.method != "predict_proba":
            return answers
        if len(answers) == 1:
            return [link.format(x=f"(-{etas[0]})"), *answers]
        # Where all of them are next to nothing their ratio is that of the bounds.
        known = OR.join(f"{eta} > (-600e0)" for eta in etas)
        total = balanced_sum(answers)
        return [f"CASE WHEN {known} THEN {answer} / ({total}) END" for answer in answers]

    def _label(self, etas: Sequence[str]) -> str:
        labels = [constant(label, self.dialect) for label in self.outputs.model.classes]
        if len(etas) == 1:
            zero = number(0.0)
            return f"CASE WHEN {etas[0]} > {zero} THEN {labels[1]} WHEN {etas[0]} <= {zero} THEN {labels[0]} END"
        arms = []
        for k, label in enumerate(labels):
            tests = [f"{etas[k]} {'>' if j < k else '>='} {eta}" for j, eta in enumerate(etas) if j != k]
            arms.append(f"WHEN {' AND '.join(tests)} THEN {label}")
        return f"CASE {' '.join(arms)} END"

    def _own_prefix(self, table: Sequence[str]) -> str:
        """Return what the names of the query's own begin with, and no other name does."""
        others = [*self.form.names, *self.along, *self.outputs.names, *table]
        own = "skc"
        while any(name.casefold().startswith(own) for name in others):
            own += "_"
        return own

    def _passed(self) -> list[str]:
        """Return the columns of the table that later layers read themselves."""
        names = [*self.along, *(self.form.names[column] for column in self.table.lookups)]
        return [self.dialect.quote(name) for name in {self.dialect.same(name): name for name in names[::-1]}.values()]

    def _refused_together(self) -> bool:
        """Whether a row may have NULL for one of the outputs alone, where `predict` refuses the row."""
        totals = self.form.totals
        if len(totals) == 1 or self.outputs.sees_all:
            return False
        kinds = [frozenset(_null_of(term) for term in (*total.integers, *total.floats)) for total in totals]
        return len(set(kinds)) > 1 or not LINKS[self.outputs.link].is_bounded

    def _total(self, total: Total) -> str:
        terms = [self.of(term) for term in total.floats]
        if total.integers:
            whole = balanced_sum([self.term(term, integer=True) for term in total.integers])
            terms.append(f"{number(total.scale)} * CAST({whole} AS {self.dialect.double})")
        if total.intercept or not terms:
            terms.append(self.of(Number(total.intercept)))
        return balanced_sum(terms)


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


def _no_answer(eta: str, link: str) -> str:
    """Return the condition that a linear predictor gives no answer."""
    return f"{eta} IS NULL" + (f" OR {eta} > 700e0" if not LINKS[link].is_bounded and link != "sqrt" else "")


def _share(etas: Sequence[str], k: int) -> str:
    """Return one probability of softmax: 1 / sum over l of exp(eta_l - eta_k)."""
    others = [f"EXP({bounded(f'({eta} - {etas[k]})')})" for place, eta in enumerate(etas) if place != k]
    return f"1e0 / ({balanced_sum(['1e0', *others])})"

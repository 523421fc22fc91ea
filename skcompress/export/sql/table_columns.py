"""The columns of a table as a query reads them: as numbers within reach, or as values, and which rows are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..expressions import Lookup, is_missing
from ..normal_form import NormalForm
from ..refusals import INFINITE, NAN
from .dialects import Dialect
from .magnitudes import reach_of
from .printer import constant, number


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

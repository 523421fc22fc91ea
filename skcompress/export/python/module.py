"""Write a compact model as a function in plain Python, which needs the standard library alone.

The source is statements, one for each term, and a preamble with the functions that the terms call.
"""

from __future__ import annotations

import builtins
import keyword
from typing import Any

from ...artifact.terms.numbers import FUNCTIONS as NUMPY
from ..base_printer import LINKS, BasePrinter
from ..expressions import Call, Clip, Entry, Lookup, Pieces, Steps
from ..normal_form import METHODS, NormalForm, Total, outputs_of
from .preamble import needed


def to_python(model: Any, *, method: str = "predict", name: str = "predict") -> str:
    """Write a model as the source of a Python function that needs nothing but the standard library.

    Parameters
    ----------
    model : estimator or CompactLinear
        A CompactLinear, or any fitted model that `compact` takes.
    method : {"predict", "predict_proba", "decision_function"}, default="predict"
        What the function returns. "decision_function" is the linear predictor, also of a regressor.
    name : str, default="predict"
        Name of the function.

    Returns
    -------
    source : str
        A module with ``name(row)``: row is a mapping from the names of the inputs to their values; the result is a
        float, a list of floats for several outputs or probabilities, or a label. It raises ValueError where the model
        has no prediction, KeyError where the row lacks an input (of a model that was fitted on mappings: nothing).
        ``MODEL_ID`` and ``INPUTS`` stand at its top.

    Raises
    ------
    ValueError
        If the model holds texts; the message names them.

    See Also
    --------
    to_c, to_sql, to_onnx : Other languages.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import to_python
    >>> source = to_python(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]))
    >>> module = {}
    >>> exec(source, module)
    >>> print(f"{module['predict']({'x0': 10}):.3f}")
    21.000
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {sorted(METHODS)}, got {method!r}")
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"name must be a name in Python, got {name!r}")
    if name.startswith("_") or name in _TAKEN:
        raise ValueError(f"name must not begin with an underscore or be one of {sorted(_TAKEN)}, got {name!r}")
    form = NormalForm(model, "Python")
    outputs_of(form.model, method, "")
    return _Source(form).text(method, name)


_TAKEN = {"math", "bisect_right", "MODEL_ID", "INPUTS", *dir(builtins)}
"""What the module uses itself."""


class _Source(BasePrinter):
    """The lines of a module."""

    def __init__(self, form: NormalForm):
        super().__init__(form)
        self.tables: list[str] = []

    def text(self, method: str, name: str) -> str:
        form = self.form
        body = [*self._inputs(), *self._columns(), *self._etas(), *_answer(form, method)]
        function = "\n".join([f"def {name}(row):", *(f"    {line}" for line in body)])
        tables = "\n".join(self.tables)
        parts = [
            f'"""A linear model as a function. skcompress model_id: {form.model.model_id}"""\n',
            needed(f"{tables}\n{function}") + "\n\n",
            f"MODEL_ID = {form.model.model_id!r}",
            f"INPUTS = {list(form.names)!r}",
            *self.tables,
            "\n",
            function,
        ]
        return "\n".join(parts) + "\n"

    def _inputs(self) -> list[str]:
        form = self.form
        as_mapping = form.model.reads.rows == "mappings"
        lines = []
        for place, name in enumerate(form.names):
            read = f"row.get({name!r}, _ABSENT)" if as_mapping else f"row[{name!r}]"
            if place in form.value_inputs:
                lines.append(f"v{place} = _key({read})")
                read = f"v{place}"
            if place in form.number_inputs:
                lines.append(f"c{place} = _number({read}, {name!r})")
        return lines

    def _columns(self) -> list[str]:
        return [f"c{column} = {self.of(expr)}" for column, expr in self.form.columns.items()]

    def _etas(self) -> list[str]:
        lines: list[str] = []
        for place, total in enumerate(self.form.totals):
            lines += self._total(f"eta{place}", total)
        etas = ", ".join(f"eta{place}" for place in range(len(self.form.totals)))
        return [*self._checks(), *lines, f"etas = [{etas}]", "_check(etas)"]

    def _checks(self) -> list[str]:
        """Return the lines that look for infinity where it would not be seen in the end."""
        lines, k = [], len(self.form.names)
        for column in self.form.readers.to_check():
            by_value = column in self.form.value_inputs and column not in self.form.number_inputs
            what = f"input {self.form.names[column]!r}" if column < k else "a number that the model makes"
            lines.append(f"_finite({'v' if by_value else 'c'}{column}, {what!r})")
        return lines

    def _total(self, name: str, total: Total) -> list[str]:
        lines = [f"{name} = {total.intercept!r}"]
        if total.integers:
            lines += ["whole = 0", *(f"whole += {self.of(term)}" for term in total.integers)]
            lines.append(f"{name} += {total.scale!r} * whole")
        return [*lines, *(f"{name} += {self.of(term)}" for term in total.floats)]

    def _table(self, value: str) -> str:
        self.tables.append(f"_T{len(self.tables)} = {value}")
        return f"_T{len(self.tables) - 1}"

    def number(self, value: float) -> str:
        """Return a number as Python."""
        return _constant(value)

    def column(self, column: int) -> str:
        """Return the variable that holds a column as a number."""
        return f"c{column}"

    def choice(self, test: str, yes: str, no: str) -> str:
        """Return a conditional expression."""
        return f"({yes} if {test} else {no})"

    def _clip(self, expr: Clip) -> str:
        return f"_clip(c{expr.column}, {_constant(expr.low)}, {_constant(expr.high)})"

    def _call(self, expr: Call) -> str:
        return f"_{FUNCTIONS[expr.function]}(c{expr.column})"

    def _steps(self, expr: Steps) -> str:
        edges, values = self._table(_tuple(expr.edges)), self._table(_tuple(expr.values))
        return f"_steps(c{expr.column}, {edges}, {values})"

    def _pieces(self, expr: Pieces) -> str:
        breaks, origins = self._table(_tuple(expr.breaks)), self._table(_tuple(expr.origins))
        rows = self._table("(" + "".join(f"{_tuple(row)}, " for row in expr.coefficients) + ")")
        period = "" if expr.period is None else f", {_constant(expr.period)}"
        return f"_pieces(c{expr.column}, {breaks}, {origins}, {rows}{period})"

    def _entry(self, expr: Entry) -> str:
        return f"_entry(v{expr.column})"

    def _lookup(self, expr: Lookup) -> str:
        value = f"v{expr.column}" if expr.column < len(self.form.names) else f"_key(c{expr.column})"
        pairs = [
            f"{'_NAN_KEY' if level != level else repr(level)}: {_constant(found)}"
            for level, found in zip(expr.levels, expr.values, strict=True)
        ]
        return f"{self._table('{' + ', '.join(pairs) + '}')}.get({value}, {_constant(expr.other)})"


def _constant(value: float) -> str:
    if value != value:
        return "_NAN"
    if value in (float("inf"), -float("inf")):
        return f"{'-' if value < 0 else ''}_INFINITY"
    return f"({value!r})" if value < 0 else repr(value)


def _tuple(values: tuple[float, ...]) -> str:
    return "(" + "".join(f"{_constant(value)}, " for value in values) + ")"


def _answer(form: NormalForm, method: str) -> list[str]:
    model = form.model
    if method == "decision_function":
        return ["return etas[0]" if model.n_outputs == 1 else "return etas"]
    if method == "predict" and model.classes:
        labels = repr(list(model.classes))
        chosen = "etas[0] > 0" if model.n_outputs == 1 else "max(range(len(etas)), key=etas.__getitem__)"
        return [f"return {labels}[{chosen}]"]
    link = LINKS[model.link]
    lines = [f"answers = {link.python}"]
    if method == "predict_proba":
        return [*lines, "return [1.0 - answers[0], answers[0]]" if model.n_outputs == 1 else "return _shares(answers)"]
    if not link.is_bounded:
        lines.append("_check(answers)")
    return [*lines, "return answers[0]" if model.flat else "return answers"]


FUNCTIONS: dict[int, str] = {number: function.__name__ for number, function in NUMPY.items()}
"""Names of the functions of the artifact; the preamble defines them with an underscore."""

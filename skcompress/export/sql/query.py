"""Write a compact model as a query.

The query is one SELECT over the table, with a WITH step for each layer of blocks that others read, so that nothing
is written twice. Only the columns that the model reads appear.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from ..base_printer import require_name
from ..normal_form import METHODS, NormalForm, outputs_of
from .dialects import DIALECTS
from .layers import Layers, TableColumns


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

    See Also
    --------
    to_c, to_python, to_onnx : Other languages.

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
    form = NormalForm(model, "SQL")
    named = outputs_of(form.model, method, output)
    _require_distinct(form.names, along, named.names, dialect)
    read = TableColumns(form, DIALECTS[dialect], missing)
    return Layers(form, DIALECTS[dialect], read, along, named).text(source)


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

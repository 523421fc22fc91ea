"""A main for the C file that compares some rows with the predictions that Python gave for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...artifact.categories import ABSENT
from ...artifact.reading import Table
from ..normal_form import NormalForm
from .printer import Printer, array

TOLERANCE = 1e-9
"""The most that the linear predictor may differ, relative to 1 + its size."""


def self_test_of(program: NormalForm, printer: Printer, X: Any) -> str:
    """Return the rows, their linear predictors, and the main function."""
    expected = program.model.linear_predictor(X)
    rows = encoded(program, printer, X)
    n, k, m = len(rows), rows.shape[1], expected.shape[1]
    name = printer.name
    inputs, answers = f"{name}_rows", f"{name}_expected"
    tables = [array("double", inputs, rows.ravel().tolist()), array("double", answers, expected.ravel().tolist())]
    written = "\n".join(tables)
    return f"""
#ifdef {name.upper()}_SELF_TEST
{written}

int main(void)
{{
    double worst = 0.0;
    for (int row = 0; row < {n}; row++) {{
        double eta[{m}];
        {name}_linear({inputs} + row * {k}, eta);
        for (int i = 0; i < {m}; i++) {{
            const double expected = {answers}[row * {m} + i];
            const double off = fabs(eta[i] - expected) / (1.0 + fabs(expected));
            if (worst == worst && !(off <= worst)) worst = off;
        }}
    }}
    printf("{name} {program.model.model_id}: %d rows, largest difference %.3g\\n", {n}, worst);
    return worst <= {TOLERANCE} ? 0 : 1;
}}
#endif"""


def encoded(program: NormalForm, printer: Printer, X: Any) -> np.ndarray:
    """Return rows as the C file reads them, shape (n, k)."""
    table = Table(X, program.model.reads)
    out = np.full((table.n_rows, len(program.names)), np.nan)
    for place in range(len(program.names)):
        if place in program.value_inputs:
            out[:, place] = [printer.code_of(place, _plain(value)) for value in table.values(place)]
        else:
            out[:, place] = table.numbers(place)
    return out


def _plain(value: Any) -> Any:
    return value if value is None or value is ABSENT or isinstance(value, (str, int, float)) else float("nan")

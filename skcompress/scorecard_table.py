"""A card as it is read: its table, on the scale of scores, as text and as HTML.

score = offset - factor (intercept + multiplier x points),    factor = pdo / log 2,   offset = base - factor log(odds)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .scorecard_columns import KnownColumn, StepLine


def scale_of(points: float, odds: float, pdo: float) -> tuple[float, float]:
    """Return factor and offset of the scores.

    Raises
    ------
    ValueError
        If a number is not finite, or odds or pdo are not above 0.
    """
    given = {"points": points, "odds": odds, "pdo": pdo}
    for name, value in given.items():
        if not isinstance(value, Real) or not np.isfinite(float(value)) or (name != "points" and value <= 0):
            raise ValueError(f"{name}={value!r} must be a finite number{'' if name == 'points' else ' above 0'}")
    factor = pdo / np.log(2.0)
    return factor, points - factor * np.log(odds)


def lines_table(known: Sequence[KnownColumn], lines: Sequence[StepLine], points: NDArray[np.int64]) -> pd.DataFrame:
    """Return one row for each line: ``input``, ``condition``, ``points``."""
    return pd.DataFrame(
        {
            "input": [known[line.place].name for line in lines],
            "condition": [line.condition() for line in lines],
            "points": points.copy(),
        }
    )


def neutral_table(known: Sequence[KnownColumn], neutral: Mapping[int, int]) -> pd.DataFrame:
    """Return the same for the neutral points: one row for each of these inputs."""
    return pd.DataFrame(
        {
            "input": [known[place].name for place in neutral],
            "condition": [_new_condition(known[place]) for place in neutral],
            "points": np.array(list(neutral.values()), dtype=np.int64),
        }
    )


def _new_condition(known: KnownColumn) -> str:
    cases = [] if known.has_missing else ["missing"]
    cases += [] if known.levels is None else ["another category"]
    return f"is {' or '.join(cases)} (neutral)"


def as_text(head: str, table: pd.DataFrame, formula: str) -> str:
    """Return a card as text."""
    rows = table.to_string(index=False) if len(table) else "(no line has points)"
    return f"{head}\n{rows}\n{formula}"


def as_html(table: pd.DataFrame, formula: str) -> str:
    """Return a card as HTML, every text escaped."""
    html: str = table.to_html(index=False, border=0)
    return f"{html}\n<p>{escape(formula)}</p>"


def formula_of(label: Any, intercept: float, multiplier: float) -> str:
    """Return the sentence that turns points into log-odds."""
    return f"log-odds of {label!r} = {intercept:.4g} + {multiplier:.4g} x points"

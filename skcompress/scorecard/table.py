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

from .columns import KnownColumn, StepLine

_TINY = 1e-12


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


def reasons_table(above: NDArray[np.float64], names: Sequence[str], n: int, index: Any) -> pd.DataFrame:
    """Return the inputs with the most points above a reference: ``reason_1``, ``points_1``, ..., one row each.

    Parameters
    ----------
    above : ndarray of shape (n_rows, n_features)
        Points above the reference.
    names : sequence of str
        The inputs.
    n : int
        Most reasons for a row; None and 0 where no further input is above the reference.
    index : Index or None
        Of the rows.
    """
    order = np.argsort(-above, axis=1, kind="stable")[:, :n]
    most = np.take_along_axis(above, order, axis=1)
    told = most > _TINY
    reasons, points = np.full((len(above), n), None, dtype=object), np.zeros((len(above), n))
    reasons[:, : order.shape[1]][told] = np.array(names, dtype=object)[order[told]]
    points[:, : order.shape[1]] = np.where(told, most, 0.0)
    columns: dict[str, pd.Series] = {}
    for place in range(n):
        # As objects, so that None stays None; with the index of the rows, since pandas aligns by it.
        columns[f"reason_{place + 1}"] = pd.Series(reasons[:, place], index=index, dtype=object)
        columns[f"points_{place + 1}"] = pd.Series(points[:, place], index=index)
    return pd.concat(columns, axis=1)


def observed_by_total(totals: NDArray[np.int64], bad: NDArray[np.bool_], weight: NDArray[np.float64]) -> pd.DataFrame:
    """Return the number of ``rows`` and the ``observed`` share of bad ones for each total of points."""
    rows = pd.DataFrame({"points": totals, "rows": 1, "weight": weight, "bad": weight * bad})
    table = rows.groupby("points").sum()
    return pd.DataFrame({"rows": table["rows"], "observed": table["bad"] / table["weight"].where(table["weight"] > 0)})


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

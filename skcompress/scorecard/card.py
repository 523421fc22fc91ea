"""A card: the lines with points, what each input adds to a row, and how it is read: as a table, as text, as HTML.

The points of an input are the sum of its lines that hold. A value that training never had (a missing one where none was
missing, another category) says nothing about its row, so it gets neither the points of the lowest interval nor those of
the reference category: it gets the input's *neutral points*, the mean over the training rows, rounded to an integer
(Siddiqi, "Credit Risk Scorecards", 2006, calls the mean the neutral score). The expected total then stays where it was.

On the scale of scores

    score = offset - factor (intercept + multiplier x points),  factor = pdo / log 2,  offset = base - factor log(odds)
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from numbers import Real
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..artifact import CompactLinear, Weights
from ..linear.rows import name_row
from ..linear.transformers.graph import Graph
from .columns import KnownColumn, StepLine, fold_lines
from .encoder import Encoded, StepEncoder, encode, input_names

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


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PointsCard:
    """The lines of an encoder that have points.

    Attributes
    ----------
    encoder : StepEncoder
        The fitted encoder.
    chosen : ndarray of shape (k,)
        Numbers of the lines among those of the encoder.
    points : ndarray of shape (k,), integers
        Their points, none of them 0.
    least, mean : ndarray of shape (n_features,)
        The fewest points that each input gave in training, and the mean.
    neutral : ndarray of shape (n_features,), integers
        The mean, rounded.
    """

    encoder: StepEncoder
    chosen: NDArray[np.intp]
    points: Ints
    least: Floats
    mean: Floats
    neutral: Ints

    @classmethod
    def of(cls, encoder: StepEncoder, chosen: NDArray[np.intp], points: Ints, steps: Floats, weight: Floats) -> Any:
        """Return the card of these lines, with what each input gave to the training rows."""
        nothing = np.zeros(encoder.n_features_in_)
        each = cls(encoder, chosen, points, nothing, nothing, nothing.astype(np.int64)).added(steps)
        mean = np.average(each, axis=0, weights=weight)
        return cls(encoder, chosen, points, each.min(axis=0), mean, _rounded(mean))

    @property
    def places(self) -> NDArray[np.intp]:
        """The input of each line, shape (k,)."""
        return np.array([self.encoder.lines_[number].place for number in self.chosen.tolist()], dtype=np.intp)

    def lenient(self) -> list[int]:
        """Return the places of the inputs with lines that can have values that training never had."""
        return [place for place in dict.fromkeys(self.places.tolist()) if _can_be_new(self.encoder.columns_[place])]

    def added(self, steps: Floats) -> Floats:
        """Return the points of the lines that hold by input, shape (n, n_features)."""
        out = np.zeros((len(steps), self.encoder.n_features_in_))
        for line, points, place in zip(self.chosen, self.points, self.places, strict=True):
            out[:, place] += steps[:, line] * points
        return out

    def points_by_input(self, X: Any, *, refuse_new: bool) -> Floats:
        """Return the points that each input gives to each row, shape (n, n_features).

        Raises
        ------
        ValueError
            If `refuse_new` and an input with lines has a value that training never had.

        Warns
        -----
        UserWarning
            If it has and they are not refused: once for each input.
        """
        found = encode(self.encoder, X)
        each = self.added(found.steps)
        for place in self.lenient():
            new = found.new[:, place]
            if new.any():
                self._tell_new(place, found, X, refuse_new)
                each[new, place] = self.neutral[place]
        return each

    def _tell_new(self, place: int, found: Encoded, X: Any, refuse_new: bool) -> None:
        row = int(np.argmax(found.new[:, place]))
        name, value = self.encoder.columns_[place].name, found.columns[place][row : row + 1].tolist()[0]
        is_missing = bool(pd.isna(value))
        if refuse_new:
            what = "is missing" if is_missing else f"is {value!r}"
            raise ValueError(
                f"column {name!r} {what} in row {name_row(X, row)}, and never was in training: "
                'handle_missing="neutral" gives such rows neutral points'
            )
        told = _TOLD.setdefault(self, set())
        if (place, is_missing) in told:
            return
        told.add((place, is_missing))
        warnings.warn(
            f"column {name!r} has {'missing' if is_missing else 'unseen'} values and never had them in training: their "
            "rows get its neutral points, and neutral_counts(X) counts them. The card warns of it once",
            UserWarning,
            stacklevel=2,
        )

    def table(self) -> pd.DataFrame:
        """Return one row for each line: ``input``, ``condition``, ``points``."""
        lines = [self.encoder.lines_[number] for number in self.chosen.tolist()]
        return lines_table(self.encoder.columns_, lines, self.points)

    def neutral_table(self) -> pd.DataFrame:
        """Return the same for neutral points: one row for each of the `lenient` inputs."""
        return neutral_table(self.encoder.columns_, {place: int(self.neutral[place]) for place in self.lenient()})

    def fold(self, scale: float, intercept: float, *, refuse_new: bool, **options: Any) -> CompactLinear:
        """Return intercept + scale x points as a compact model."""
        encoder, lenient = self.encoder, [] if refuse_new else self.lenient()
        graph = Graph(input_names(encoder), hasattr(encoder, "feature_names_in_"))
        lines, new = fold_lines(encoder.columns_, encoder.lines_, graph.inputs(), graph, lenient, refuse_new=refuse_new)
        codes = np.zeros((1, len(lines) + len(new)), dtype=np.int64)
        codes[0, self.chosen] = self.points
        # What is NaN to refuse a row needs a weight as well.
        used = set(self.places.tolist())
        codes[0, len(lines) :] = [int(place in used) if refuse_new else self.neutral[place] for place in new]
        columns = [*lines, *new.values()]
        return graph.finish(columns, Weights.from_codes(codes, scale), np.array([intercept]), **options)


def _can_be_new(known: KnownColumn) -> bool:
    return known.levels is not None or not known.has_missing


def _rounded(points: Floats) -> Ints:
    """Return integers; halves, also those that rounding errors have moved, go towards 0."""
    return (np.sign(points) * np.ceil(np.abs(points) - 0.5 - 1e-9)).astype(np.int64)


_TOLD: WeakKeyDictionary[PointsCard, set[tuple[int, bool]]] = WeakKeyDictionary()
"""What each card has warned of: the place of an input, and whether it was missing. Python's own filter forgets it
whenever somebody calls `warnings.catch_warnings`, as scikit-learn does."""

"""Golden rows: rows on which two systems that claim to hold the same model would differ if they did, and the check.

They are taken from given rows, and vary one input at a time: its ends, the edges of bins and caps with the floats
right below them, each level, an unseen level, and a missing value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..categories import ABSENT, NAN_KEY
from ..parts import Parts
from ..plan import linear_predictor
from ..reading import Table
from .anatomy import Anatomy, Curve
from .limits import number_inputs
from .turning import pieces_of

_PLAIN, _MOST_LEVELS = 5, 200
METHODS = ("predict", "predict_proba", "decision_function")
NAN = float("nan")

Answer = Callable[[Any], Any]
"""From rows to predictions, labels or scores."""


def golden_rows(model: Parts, X: Any, refused: bool) -> dict[str, NDArray[Any]] | list[dict[str, Any]]:
    """Return the rows of `CompactLinear.golden_rows`."""
    if model.reads.rows == "values":
        raise ValueError("golden_rows needs a model of tables or mappings: this one reads a sequence of documents")
    table = Table(X, model.reads)
    if not table.n_rows:
        raise ValueError("X must have at least one row")
    numeric = set(number_inputs(model).tolist())
    columns = [_column(table, place, place in numeric) for place in range(len(model.reads))]
    chosen = np.unique(np.linspace(0, table.n_rows - 1, _PLAIN).astype(int)).tolist()
    rows = [[column[row] for column in columns] for row in chosen]
    usual = rows[len(rows) // 2]
    anatomy = Anatomy(model)
    # What is missing from a mapping is absent; in a table there is one missing value, as databases have it.
    missing = ABSENT if model.reads.rows == "mappings" else NAN
    for place, column in enumerate(columns):
        for value in [*_variants(Curve(anatomy, place), column, place in numeric), missing]:
            rows.append([*usual[:place], value, *usual[place + 1 :]])
    if model.reads.rows == "mappings":
        made = [{k: v for k, v in zip(model.inputs, row, strict=True) if v is not ABSENT} for row in rows]
        return made if refused else [row for row, fits in zip(made, _answered(model, made), strict=True) if fits]
    columns_made = {
        name: _array([_plain(row[place], place in numeric) for row in rows]) for place, name in enumerate(model.inputs)
    }
    if refused or not columns_made:
        return columns_made
    fits = _answered(model, columns_made)
    return {name: _array(column[fits].tolist()) for name, column in columns_made.items()}


def _answered(model: Parts, rows: Any) -> NDArray[np.bool_]:
    """Return for which rows a model has a prediction."""
    eta = expected(model, rows, lambda X: linear_predictor(model, Table(X, model.reads)))
    fits: NDArray[np.bool_] = np.isfinite(eta.reshape(len(eta), -1)).all(axis=1)
    return fits


def _plain(value: Any, numeric: bool) -> Any:
    return None if not numeric and isinstance(value, float) and value != value else value


def expected(model: Parts, X: Any, answer: Answer) -> NDArray[Any]:
    """Return the answers for rows, NaN (None for labels) in rows for which the model has none."""
    try:
        return np.asarray(answer(X))
    except ValueError:
        single = [_answer_or_none(answer, row) for row in rows_of(model, X)]
    known = next((one for one in single if one is not None), None)
    if known is None:
        raise ValueError("the model has no prediction for any row of X") from None
    fill = np.full(np.shape(known), NAN) if np.asarray(known).dtype.kind == "f" else None
    return np.array([fill if one is None else one for one in single])


def require_method(method: str) -> None:
    """Raise ValueError unless a method is one that scores come from."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {sorted(METHODS)}, got {method!r}")


def verify(model: Parts, scores: Any, X: Any, answer: Answer, tolerance: float, model_id: str) -> float:
    """Return the largest difference, see `CompactLinear.verify`; `answer` is what makes the scores of rows."""
    if not isinstance(tolerance, (int, float)) or not tolerance >= 0:
        raise ValueError(f"tolerance must be a number that is not negative, got {tolerance!r}")
    wanted = expected(model, X, answer)
    got = np.asarray(scores if hasattr(scores, "__len__") else list(scores) if np.iterable(scores) else scores)
    if got.ndim == 0 or len(got) != len(wanted):
        raise ValueError(f"scores must have one entry for each of the {len(wanted)} rows of X, got {_shape(got)}")
    if not len(wanted):
        return 0.0
    if wanted.dtype.kind != "f":
        off = np.array([float(a != b) for a, b in zip(wanted.tolist(), got.tolist(), strict=True)])
    else:
        off = _differences(wanted, got)
    wrong = np.flatnonzero(~(off <= tolerance))
    if len(wrong):
        worst = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
        row = [column[worst] for column in _columns(model, X)]
        values = ", ".join(f"{name}={value!r}" for name, value in zip(model.inputs, row, strict=True))
        raise ValueError(
            f"{len(wrong)} of {len(wanted)} scores differ from model {model_id}; the worst is row {worst}: "
            f"expected {_shown(wanted[worst])}, got {_shown(got[worst])}, at {values}"
        )
    return float(off.max(initial=0.0))


def _shape(array: NDArray[Any]) -> str:
    return "a single value" if array.ndim == 0 else str(len(array))


def _differences(wanted: NDArray[Any], got: NDArray[Any]) -> NDArray[np.float64]:
    """Return the difference of each row relative to 1 + its size; infinite where one of two is missing."""
    try:
        given = np.array([NAN if value is None else value for value in got.ravel().tolist()], dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"scores must be numbers, got {got.ravel()[:1].tolist()[0]!r}") from None
    if given.size != wanted.size:
        raise ValueError(f"scores must have the shape {wanted.shape}, got {got.shape}")
    given = given.reshape(wanted.shape)
    off = np.abs(given - wanted) / (1.0 + np.abs(wanted))
    off[np.isnan(wanted) & np.isnan(given)] = 0.0
    off[np.isnan(wanted) != np.isnan(given)] = np.inf
    return np.asarray(off.reshape(len(wanted), -1).max(axis=1, initial=0.0))


def rows_of(model: Parts, X: Any) -> Iterable[Any]:
    """Return X row by row, each as a model takes it."""
    columns = _columns(model, X)
    for values in zip(*columns, strict=True):
        if model.reads.rows == "mappings":
            yield [{k: v for k, v in zip(model.inputs, values, strict=True) if v is not ABSENT}]
        elif model.reads.labels is not None:
            yield {name: [value] for name, value in zip(model.inputs, values, strict=True)}
        else:
            yield _array(values)[None, :]


def _columns(model: Parts, X: Any) -> list[list[Any]]:
    numeric = set(number_inputs(model).tolist())
    table = Table(X, model.reads)
    return [_column(table, place, place in numeric) for place in range(len(model.reads))]


def _column(table: Table, place: int, numeric: bool) -> list[Any]:
    """Return one input as plain values."""
    if numeric and table.inputs.rows == "table":
        return list(np.asarray(table.numbers(place), dtype=np.float64).tolist())
    return [NAN if value is NAN_KEY else value for value in table.values(place)]


def _variants(curve: Curve, column: Sequence[Any], numeric: bool) -> list[Any]:
    """Return the values that one input is given in turn."""
    levels = [level for atom in curve.atoms for level in atom.block.params.get("levels", ())]
    known = [v for v in column if isinstance(v, (int, float)) and v == v]
    out: list[Any] = []
    if known and numeric:
        low, high = float(min(known)), float(max(known))
        edges = _edges(curve, low - (high - low) - 1.0, high + (high - low) + 1.0)
        out += [*edges, *np.nextafter(edges, -np.inf).tolist(), low, high]
    if levels or not numeric:
        out += levels[:_MOST_LEVELS]
        out.append(_unseen(levels, column))
    return out


def _edges(curve: Curve, low: float, high: float) -> list[float]:
    """Return the first floats beyond each edge of the blocks, carried back to the input; some if they are many.

    See `skcompress.artifact.analysis.turning`.
    """
    try:
        starts = pieces_of([curve], low, high)[1:]
    except ValueError:
        return []
    return starts[np.unique(np.linspace(0, len(starts) - 1, _MOST_LEVELS).astype(int))].tolist() if len(starts) else []


def _unseen(levels: Sequence[Any], column: Sequence[Any]) -> Any:
    taken = [*levels, *column]
    if any(isinstance(value, str) for value in taken):
        return "(unseen)" + "'" * sum(value == "(unseen)" for value in levels)
    return max((float(v) for v in taken if isinstance(v, (int, float)) and v == v), default=0.0) + 1.0


def _array(values: Sequence[Any]) -> NDArray[Any]:
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return np.array(values, dtype=np.float64)
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def _answer_or_none(answer: Any, row: Any) -> Any:
    try:
        return answer(row)[0]
    except ValueError:
        return None


def _shown(value: Any) -> str:
    array = np.asarray(value)
    if array.dtype.kind == "f" and np.isnan(array).all():
        return "no prediction"
    return repr(array.tolist())

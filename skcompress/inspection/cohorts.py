"""How a change of the model falls on groups of rows: segments, the swap set at a cutoff, calibration.

With a cutoff c a row is approved where its prediction is below c (or above, where `approve` says so). The
adverse-impact ratio of a segment is its approval rate over the highest approval rate of any segment of the same
column; below 0.8 it breaks the four-fifths rule (29 CFR 1607.4 D).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.linalg import Floats, Mask

MAX_LEVELS = 12
"""A numeric segment column with more values is cut into fifths."""

APPROVE = ("below", "above")

_TINY = 1e-12


@dataclass(frozen=True)
class Rows:
    """What is known of each row.

    Attributes
    ----------
    y, before, after : ndarray of shape (n,)
        Observed, and predicted by both models.
    weight : ndarray of shape (n,)
        Weights, summing to 1.
    approved : tuple of two ndarray of shape (n,), dtype=bool, or None
        By each model; None without a cutoff.
    """

    y: Floats
    before: Floats
    after: Floats
    weight: Floats
    approved: tuple[Mask, Mask] | None = None

    def mean(self, values: NDArray[Any], inside: Mask) -> float:
        """Return the weighted mean over some rows; NaN where there are none."""
        total = self.weight[inside].sum()
        return float(self.weight[inside] @ values[inside] / total) if total > 0 else np.nan


def approvals(before: Floats, after: Floats, cutoff: float | None, approve: str) -> tuple[Mask, Mask] | None:
    """Return which rows each model approves, or None without a cutoff."""
    if cutoff is None:
        return None
    if approve == "below":
        return before < cutoff, after < cutoff
    return before >= cutoff, after >= cutoff


def segment_labels(segments: Any, X: Any, n_rows: int) -> dict[str, NDArray[Any]]:
    """Return the label of each row in each segment column.

    Parameters
    ----------
    segments : None, str, list of str, dict, Series, DataFrame or array
        Names of columns of X; or labels, one a row, that the models need not know.
    X : array or dataframe
        The rows.
    n_rows : int
        Number of rows.

    Raises
    ------
    ValueError
        If a name is no column of X, or labels have another length.
    """
    if segments is None:
        return {}
    if isinstance(segments, str):
        segments = [segments]
    if hasattr(segments, "name") and not hasattr(segments, "columns"):
        segments = {str(segments.name or "segment"): segments}
    if hasattr(segments, "columns"):
        segments = {str(name): segments[name] for name in segments.columns}
    if not isinstance(segments, (Mapping, Iterable)):
        raise ValueError(f"segments must name columns of X, or hold labels, one for each row, got {segments!r}")
    if not isinstance(segments, Mapping):
        listed = list(segments)
        columns = getattr(X, "columns", ())
        named = bool(listed) and all(isinstance(name, str) for name in listed)
        if named and (len(listed) != n_rows or all(name in columns for name in listed)):
            if not hasattr(X, "columns"):
                raise ValueError(f"segments={listed} names columns, but X has no names: pass their values, as a dict")
            unknown = [name for name in listed if name not in columns]
            if unknown:
                raise ValueError(
                    f"segments names {unknown[0]!r}, which is no column of X: pass its values as a dict, "
                    f"segments={{{unknown[0]!r}: values}}"
                )
            segments = {name: X[name] for name in listed}
        else:
            segments = {"segment": listed}
    labels = {}
    for name, values in segments.items():
        array = np.asarray(values)
        if array.shape != (n_rows,):
            raise ValueError(f"segments[{name!r}] must have one label for each of the {n_rows} rows, got {array.shape}")
        labels[str(name)] = _levels(array)
    return labels


def _levels(values: NDArray[Any]) -> NDArray[Any]:
    series = pd.Series(values)
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        if series.nunique() > MAX_LEVELS:
            # Infinity has no place between two quantiles.
            finite = series.astype(np.float64).replace([np.inf, -np.inf], np.nan)
            fifths = pd.qcut(finite, 5, duplicates="drop").astype(object)
            return fifths.map(lambda fifth: "missing" if pd.isna(fifth) else str(fifth)).to_numpy(dtype=object)
        return _number_levels(series)
    return series.astype(object).where(series.notna(), "missing").astype(str).to_numpy(dtype=object)


def _number_levels(series: pd.Series) -> NDArray[Any]:
    """Return numbers as texts, with as many digits as tell them apart."""
    known = series.dropna().unique()
    for digits in (6, 10, 17):
        texts = {value: f"{value:.{digits}g}" for value in known.tolist()}
        if len(set(texts.values())) == len(known):
            break
    return series.map(lambda value: "missing" if pd.isna(value) else texts[value]).to_numpy(dtype=object)


def segment_table(rows: Rows, labels: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Return one line for each level of each segment column."""
    lines = []
    for column, values in labels.items():
        part = []
        for level in sorted(set(values), key=_level_key):
            inside = values == level
            before, after = rows.mean(rows.before, inside), rows.mean(rows.after, inside)
            line: dict[str, Any] = {
                "segment": column,
                "level": level,
                "rows": int(inside.sum()),
                "share": float(rows.weight[inside].sum()),
                "mean before": before,
                "mean after": after,
                "observed": rows.mean(rows.y, inside),
                "after / before": after / before if before else np.nan,
            }
            if rows.approved is not None:
                line["approved before"], line["approved after"] = (rows.mean(a, inside) for a in rows.approved)
            part.append(line)
        for when in ("before", "after") if rows.approved is not None else ():
            rates = np.array([line[f"approved {when}"] for line in part])
            # A level without weight has no rate.
            highest = np.fmax.reduce(rates)
            for line, rate in zip(part, rates.tolist(), strict=True):
                line[f"impact ratio {when}"] = rate / highest if highest > 0 else np.nan
        lines.extend(part)
    return pd.DataFrame(lines)


def _level_key(level: str) -> tuple[bool, float, str]:
    first = level.lstrip("([").split(",")[0]
    try:
        return False, float(first), level
    except ValueError:
        return True, 0.0, level


def swap_set(rows: Rows) -> pd.DataFrame | None:
    """Return who is decided alike and who is not, with what was observed of them; None without a cutoff."""
    if rows.approved is None:
        return None
    before, after = rows.approved
    groups = {
        "approved by both": before & after,
        "swapped in: approved now": ~before & after,
        "swapped out: declined now": before & ~after,
        "declined by both": ~before & ~after,
    }
    table = {
        name: {
            "rows": int(inside.sum()),
            "share": float(rows.weight[inside].sum()),
            "observed": rows.mean(rows.y, inside),
            "mean before": rows.mean(rows.before, inside),
            "mean after": rows.mean(rows.after, inside),
        }
        for name, inside in groups.items()
    }
    return pd.DataFrame.from_dict(table, orient="index")


def calibration_table(rows: Rows, n_bins: int = 10) -> pd.DataFrame:
    """Return predicted and observed means in bins of about equal size of each model's own predictions.

    Rows with equal predictions share a bin, so that the order of the rows does not matter; a bin may be empty.
    """
    table: dict[tuple[str, str], list[float]] = {}
    for name, prediction in (("before", rows.before), ("after", rows.after)):
        level = np.unique(prediction, return_inverse=True)[1].ravel()
        weight = np.bincount(level, rows.weight)
        middle = (np.cumsum(weight) - weight / 2) / weight.sum()
        place = np.minimum(middle * n_bins, n_bins - 1).astype(np.intp)[level]
        bins = [place == index for index in range(n_bins)]
        table[name, "predicted"] = [rows.mean(prediction, inside) for inside in bins]
        table[name, "observed"] = [rows.mean(rows.y, inside) for inside in bins]
    frame = pd.DataFrame(table, index=pd.RangeIndex(1, n_bins + 1, name="bin"))
    frame.columns = [f"{what} {name}" for name, what in frame.columns]
    return frame


def change_distribution(rows: Rows) -> pd.DataFrame:
    """Return the weighted mean, spread and quantiles of the change of the prediction."""
    change = rows.after - rows.before
    order = np.argsort(change, kind="stable")
    summed = np.cumsum(rows.weight[order])
    mean = float(rows.weight @ change)
    entries = {
        "mean": mean,
        "standard deviation": float(np.sqrt(rows.weight @ (change - mean) ** 2)),
        "root mean square": float(np.sqrt(rows.weight @ change**2)),
        "minimum": float(change.min()),
    }
    for percent in (1, 5, 25, 50, 75, 95, 99):
        at = min(int(np.searchsorted(summed, (percent / 100 - _TINY) * summed[-1])), len(change) - 1)
        entries[f"{percent}% quantile"] = float(change[order[at]])
    entries["maximum"] = float(change.max())
    return pd.DataFrame({"after - before": entries})


def most_changed(rows: Rows, index: Any, count: int) -> pd.DataFrame:
    """Return the rows whose predictions have changed most, by falling size of the change."""
    change = rows.after - rows.before
    places = np.argsort(-np.abs(change), kind="stable")[:count]
    table = {
        "before": rows.before[places],
        "after": rows.after[places],
        "change": change[places],
        "observed": rows.y[places],
    }
    labels = index.take(places) if isinstance(index, pd.Index) else pd.Index(np.asarray(index)[places])
    return pd.DataFrame(table, index=labels if isinstance(labels, pd.MultiIndex) else labels.rename("row"))

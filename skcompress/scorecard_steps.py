"""StepEncoder: 0/1 columns "x > t", the lines of a scorecard.

The steps of a column are cumulative: x above three of them has all three columns at 1. A weight is then what changes
at its threshold, and removing a step merges two bins, where removing one of one-hot bins would merge it with the
reference. A missing value and a special code are above no step, and have columns of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ._state import VersionedState
from .artifact.terms import NO_TERM
from .linear.fold import register_fold
from .linear.fold.graph import Column, Graph

Scalar = Any


@dataclass(frozen=True)
class StepLine:
    """One output column: `kind` is "step" (x > value), "code" (x == value), "level" or "missing"."""

    place: int
    kind: str
    value: Scalar = None

    def condition(self) -> str:
        """Return the condition as text, without the input's name."""
        if self.kind == "missing":
            return "is missing"
        text = repr(float(self.value)).removesuffix(".0") if self.kind in ("step", "code") else str(self.value)
        return f"> {text}" if self.kind == "step" else f"= {text}"


class StepEncoder(VersionedState, TransformerMixin, BaseEstimator):
    """Turn numbers into 0/1 columns "x > t" at quantiles, and texts into one column for each level.

    Parameters
    ----------
    max_steps : int, default=20
        Most steps of one column. A column with at most ``max_steps + 1`` values has a step between any two of them.
    special_codes : list of numbers, or dict from column to list, default=None
        Numbers that are no amounts, such as -999: each one seen in `fit` is above no step and has its own column. A
        list holds for all columns; the keys of a dict are names, or positions where X has none.

    Attributes
    ----------
    lines_ : list of StepLine
        What each output column asks.
    n_features_in_ : int
        Number of input columns.
    feature_names_in_ : ndarray of str
        Names of the input columns, where X was a dataframe.

    Notes
    -----
    Columns of text, categories or objects need a dataframe. A level not seen in `fit` is 0 in all columns; a missing
    value in a column that had none in `fit` is an error. Thresholds are values of the training rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from skcompress import StepEncoder
    >>> X = pd.DataFrame({"age": [20.0, 30.0, 40.0, None], "home": ["own", "rent", "own", "own"]})
    >>> encoder = StepEncoder().fit(X)
    >>> encoder.get_feature_names_out().tolist()
    ['age > 20', 'age > 30', 'age is missing', 'home = own', 'home = rent']
    >>> encoder.transform(X)[2]
    array([1., 1., 0., 1., 0.])
    """

    lines_: list[StepLine]
    _is_number: list[bool]

    def __init__(self, max_steps: int = 20, special_codes: Any = None):
        self.max_steps = max_steps
        self.special_codes = special_codes

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> StepEncoder:
        """Choose the thresholds.

        Parameters
        ----------
        X : array or frame of shape (n, n_features)
            Numbers, or in a frame also texts.
        y : ignored
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows in the quantiles; rows of weight 0 are not seen.

        Returns
        -------
        self : StepEncoder

        Raises
        ------
        ValueError
            If a parameter is impossible, or X holds infinite numbers.
        """
        if not isinstance(self.max_steps, Integral) or isinstance(self.max_steps, bool) or self.max_steps < 1:
            raise ValueError(f"max_steps={self.max_steps!r} must be an integer of at least 1")
        columns = self._columns(X, reset=True)
        codes, weight = self._codes(), row_weights(sample_weight, len(columns[0]))
        seen = weight > 0
        self.lines_ = [
            line
            for place, column in enumerate(columns)
            for line in self._lines(place, column[seen], weight[seen], codes.get(place, ()))
        ]
        self._is_number = [column.dtype.kind == "f" for column in columns]
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return the 0/1 columns.

        Parameters
        ----------
        X : array or frame of shape (n, n_features)
            As in `fit`.

        Returns
        -------
        steps : ndarray of shape (n, n_lines)

        Raises
        ------
        ValueError
            If a column holds a missing value and held none in `fit`, or is text where it was numbers.
        """
        check_is_fitted(self)
        columns = self._columns(X, reset=False)
        out = np.zeros((len(columns[0]), len(self.lines_)))
        known = {line.place for line in self.lines_ if line.kind == "missing"}
        for place, column in enumerate(columns):
            if (column.dtype.kind == "f") != self._is_number[place]:
                kind = "numbers" if self._is_number[place] else "text"
                raise ValueError(f"column {self._name(place)!r} held {kind} in fit, and now does not")
            missing = pd.isna(column)
            if missing.any() and place not in known:
                raise ValueError(
                    f"column {self._name(place)!r} has a missing value in row {int(np.argmax(missing))}, and had none "
                    "in fit"
                )
        for number, line in enumerate(self.lines_):
            out[:, number] = self._asked(line, columns[line.place])
        return out

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return a name such as "age > 30" for each output column.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input columns. None: those of `fit`, or x0, x1, ...
        """
        check_is_fitted(self)
        own = [self._name(place) for place in range(self.n_features_in_)]
        if input_features is not None:
            given = [str(name) for name in input_features]
            if len(given) != self.n_features_in_:
                raise ValueError(f"input_features should have length equal to {self.n_features_in_}")
            if hasattr(self, "feature_names_in_") and given != own:
                raise ValueError("input_features is not equal to feature_names_in_")
            own = given
        return np.array([f"{own[line.place]} {line.condition()}" for line in self.lines_], dtype=object)

    def _name(self, place: int) -> str:
        names = getattr(self, "feature_names_in_", None)
        return f"x{place}" if names is None else str(names[place])

    def _columns(self, X: Any, reset: bool) -> list[NDArray[Any]]:
        """Return each column as floats, or as objects where it is no number."""
        if not hasattr(X, "columns"):
            array = validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
            return list(array.T)
        validate_data(self, X, reset=reset, skip_check_array=True)
        frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame({name: X[name].to_list() for name in X.columns})
        if frame.shape[0] == 0 or frame.shape[1] == 0:
            raise ValueError(f"Found array with shape {frame.shape}: at least one row and one column are required.")
        columns = [_column(frame.iloc[:, place]) for place in range(frame.shape[1])]
        for place, column in enumerate(columns):
            if column.dtype.kind == "f" and np.isinf(column).any():
                raise ValueError(f"column {self._name(place)!r} contains infinity")
        return columns

    def _codes(self) -> dict[int, Sequence[float]]:
        codes = self.special_codes
        if codes is None:
            return {}
        names = [self._name(place) for place in range(self.n_features_in_)]
        given = codes if isinstance(codes, Mapping) else dict.fromkeys(range(self.n_features_in_), codes)
        found: dict[int, Sequence[float]] = {}
        for column, values in given.items():
            place = names.index(column) if column in names else column
            if not isinstance(place, (int, np.integer)) or not 0 <= place < len(names):
                raise ValueError(f"special_codes names the column {column!r}, which is not in X: it has {names}")
            if isinstance(values, (str, bytes)) or not np.iterable(values):
                raise ValueError(f"special_codes={values!r} must be a list of numbers, or a dict from column to list")
            if not all(isinstance(value, Real) and np.isfinite(float(value)) for value in values):
                raise ValueError(f"special_codes={values!r} must be finite numbers: a missing value is known as such")
            found[int(place)] = tuple(dict.fromkeys(float(value) for value in values))
        return found

    def _lines(
        self, place: int, column: NDArray[Any], weight: NDArray[np.float64], codes: Sequence[float]
    ) -> list[StepLine]:
        missing = pd.isna(column)
        last = [StepLine(place, "missing")] if missing.any() else []
        if column.dtype.kind != "f":
            levels = sorted(set(column[~missing].tolist()), key=lambda level: (str(level), str(type(level))))
            return [*(StepLine(place, "level", level) for level in levels), *last]
        regular = ~missing & ~np.isin(column, codes)
        seen = [code for code in codes if (column == code).any()]
        steps = _thresholds(column[regular], weight[regular], int(self.max_steps))
        return [
            *(StepLine(place, "step", float(step)) for step in steps),
            *(StepLine(place, "code", code) for code in seen),
            *last,
        ]

    def _asked(self, line: StepLine, column: NDArray[Any]) -> NDArray[Any]:
        if line.kind == "missing":
            return np.asarray(pd.isna(column))
        if line.kind != "step":
            return np.asarray(column == line.value)
        codes = self._codes().get(line.place, ())
        return (column > line.value) & ~np.isin(column, codes)


def _column(series: pd.Series) -> NDArray[Any]:
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_complex_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    values = series.astype(object).to_numpy(copy=True)
    # pandas.NA equals nothing, and is not false either.
    values[pd.isna(values)] = None
    return values


def row_weights(sample_weight: Any, n: int) -> NDArray[np.float64]:
    """Return the weights of n rows; None: 1.

    Raises
    ------
    ValueError
        If they are not n finite numbers that are not negative, or all 0.
    """
    if sample_weight is None:
        return np.ones(n)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n,):
        raise ValueError(f"sample_weight must have shape ({n},), got {weight.shape}: Sample weights must be 1D")
    if not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise ValueError("sample_weight must be finite and not negative, and not zero in every row")
    return weight


def _thresholds(numbers: NDArray[np.float64], weight: NDArray[np.float64], max_steps: int) -> NDArray[np.float64]:
    """Return values of the rows at which a step divides them, ascending; never the largest."""
    values, place = np.unique(numbers, return_inverse=True)
    if len(values) <= max_steps + 1:
        return values[:-1]
    below = np.cumsum(np.bincount(place.ravel(), weight))
    wanted = np.arange(1, max_steps + 1) / (max_steps + 1) * below[-1]
    picked = values[np.unique(np.searchsorted(below, wanted * (1 - 1e-12)))]
    return picked[picked < values[-1]]


def fold_steps(encoder: StepEncoder, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Fold each line into a block of its own, so that one which no weight uses does not ship."""
    codes, out = encoder._codes(), []
    plain = graph.settled(columns)
    filled = dict(enumerate(plain))
    steps = [line for line in encoder.lines_ if line.kind == "step"]
    has_missing = {line.place for line in encoder.lines_ if line.kind == "missing"}
    for place in dict.fromkeys(line.place for line in steps):
        # Below every threshold, and by so much that it stays there in float32.
        lowest = min(line.value for line in steps if line.place == place)
        below = float(np.floor(lowest - max(1.0, abs(lowest))))
        for marker in [*codes.get(place, ()), *([float("nan")] if place in has_missing else [])]:
            filled[place] = graph.add("fill", [filled[place]], {"marker": (marker,), "value": [below]})[0]
    for line in encoder.lines_:
        if line.kind == "step":
            params: dict[str, Any] = {"edges": [np.nextafter(line.value, np.inf)], "slots": [NO_TERM, 0]}
            out += graph.add("bins", [filled[line.place]], params)
            continue
        levels = [float("nan"), None] if line.kind == "missing" else [line.value]
        params = {"levels": levels, "slots": [0] * len(levels), "other": NO_TERM}
        out += graph.add("category", [plain[line.place]], params)
    return out


register_fold(StepEncoder, fold_steps)

"""StepEncoder: 0/1 columns "x > t", the lines of a scorecard.

The steps of a column are cumulative: x above three of them has all three columns at 1. A weight is then what changes
at its threshold, and removing a step merges two bins, where removing one of one-hot bins would merge it with the
reference. A missing value and a special code are above no step, and have columns of their own.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .._version import VersionedState
from ..core.checks import require_integer
from ..linear.rows import name_row
from ..linear.transformers import register_transformer
from ..linear.transformers.graph import Column, Graph
from .columns import KnownColumn, StepLine, fold_lines, is_identifier, level_numbers, levels_of, matched, read_columns


class StepEncoder(VersionedState, TransformerMixin, BaseEstimator):
    """Turn numbers into 0/1 columns "x > t" at quantiles, and texts into one column for each level.

    Parameters
    ----------
    max_steps : int, default=20
        Most steps of one column. A column with at most ``max_steps + 1`` values has a step between any two of them.
    special_codes : list of numbers, or dict from column to list, default=None
        Numbers that are no amounts, such as -999: each one seen in `fit` is above no step and has its own column; any
        other is like a missing value (above no step, where nothing was missing in `fit`). A list holds for all
        columns; the keys of a dict are names, or positions where X has none.

    Attributes
    ----------
    columns_ : list of KnownColumn
        What `fit` has seen of each input column: its name, its kind, its categories and special codes.
    lines_ : list of StepLine
        What each output column asks.
    n_features_in_ : int
        Number of input columns.
    feature_names_in_ : ndarray of str
        Names of the input columns, where X was a dataframe.

    See Also
    --------
    ScorecardClassifier : Chooses a few of these steps and gives them integer points.

    Notes
    -----
    Columns of strings or categories need a dataframe; a column of objects that are all numbers or booleans is a column
    of numbers. A category not seen in `fit` is 0 in all columns; a missing value in a column that had none in `fit` is
    an error (in a `ScorecardClassifier` both get neutral points). A column of strings that tell nearly every row apart
    gets no lines, with a warning. Thresholds are values of the training rows.

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
    columns_: list[KnownColumn]

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
            If a parameter is impossible, or X holds infinite numbers, dates or two columns of one name.
        """
        require_integer("max_steps", self.max_steps, 1)
        columns = self._read(X, reset=True)
        codes, weight = self._codes(), row_weights(sample_weight, len(columns[0]))
        seen = weight > 0
        self.columns_, self.lines_ = [], []
        for place, (name, column) in enumerate(zip(input_names(self), columns, strict=True)):
            known = _known(name, column[seen], codes.get(place, ()))
            self.columns_.append(known)
            self.lines_ += _lines(place, known, column[seen], weight[seen], int(self.max_steps))
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return the 0/1 columns.

        Parameters
        ----------
        X : array or frame of shape (n, n_features)
            Numbers, or in a frame also texts, with the columns of `fit`.

        Returns
        -------
        steps : ndarray of shape (n, n_lines)

        Raises
        ------
        ValueError
            If a column holds a missing value and held none in `fit`, or strings where it held numbers.
        """
        check_is_fitted(self)
        found = encode(self, X)
        for known, column in zip(self.columns_, found.columns, strict=True):
            missing = np.asarray(pd.isna(column))
            if missing.any() and not known.has_missing:
                row = name_row(X, int(np.argmax(missing)))
                raise ValueError(
                    f"column {known.name!r} has a missing value in row {row}, and had none in fit: fill it in, for "
                    "example with SimpleImputer"
                )
        return found.steps

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return a name such as "age > 30" for each output column.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input columns. None: those of `fit`, or x0, x1, ...
        """
        check_is_fitted(self)
        own = input_names(self)
        if input_features is not None:
            given = [str(name) for name in input_features]
            if len(given) != self.n_features_in_:
                raise ValueError(f"input_features should have length equal to {self.n_features_in_}")
            if hasattr(self, "feature_names_in_") and given != own:
                raise ValueError("input_features is not equal to feature_names_in_")
            own = given
        return np.array([f"{own[line.place]} {line.condition()}" for line in self.lines_], dtype=object)

    def _read(self, X: Any, reset: bool) -> list[NDArray[Any]]:
        """Return each column as floats, or as objects where it holds categories."""
        if not hasattr(X, "columns"):
            array = validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
            return list(array.T)
        names = list(X.columns)
        twice = [name for place, name in enumerate(names) if name in names[:place]]
        if twice:
            raise ValueError(f"X has two columns named {twice[0]!r}: names must be distinct")
        validate_data(self, X, reset=reset, skip_check_array=True)
        return read_columns(X, input_names(self))

    def _codes(self) -> dict[int, Sequence[float]]:
        codes = self.special_codes
        if codes is None:
            return {}
        names = input_names(self)
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


class Encoded(NamedTuple):
    """Rows as a card reads them.

    Attributes
    ----------
    steps : ndarray of shape (n, n_lines)
        The 0/1 columns; where a value is new, no line of its input holds.
    new : ndarray of shape (n, n_features), dtype=bool
        Where an input is missing and never was in `fit`, or has a category that `fit` never saw. A special code that
        `fit` never saw counts as missing.
    columns : list of ndarray of shape (n,)
        The inputs.
    """

    steps: NDArray[np.float64]
    new: NDArray[np.bool_]
    columns: list[NDArray[Any]]


def encode(encoder: StepEncoder, X: Any) -> Encoded:
    """Return rows as a fitted encoder reads them, values that it never saw among them.

    Raises
    ------
    ValueError
        If a column holds strings where it held numbers.
    """
    read = encoder._read(X, reset=False)
    columns = [matched(column, known, X) for column, known in zip(read, encoder.columns_, strict=True)]
    n_rows = len(columns[0])
    steps, new = np.zeros((n_rows, len(encoder.lines_))), np.zeros((n_rows, len(columns)), dtype=bool)
    by_place: dict[int, list[int]] = {}
    for number, line in enumerate(encoder.lines_):
        by_place.setdefault(line.place, []).append(number)
    for place, (known, column) in enumerate(zip(encoder.columns_, columns, strict=True)):
        missing = np.asarray(pd.isna(column))
        if known.levels is None:
            level, regular = None, ~np.isin(column, known.codes)
            missing |= np.isin(column, known.new_codes)
        else:
            level, regular = level_numbers(column, known.levels), None
            new[:, place] = (level < 0) & ~missing
        new[:, place] |= missing & (not known.has_missing)
        for number in by_place.get(place, ()):
            line = encoder.lines_[number]
            if line.kind == "missing":
                steps[:, number] = missing
            elif line.kind == "level":
                steps[:, number] = level == (known.levels or ()).index(line.value)
            else:
                steps[:, number] = (column > line.value) & regular if line.kind == "step" else column == line.value
    return Encoded(steps, new, columns)


def input_names(encoder: StepEncoder) -> list[str]:
    """Return the names of the input columns: those of the frame, or x0, x1, ..."""
    names = getattr(encoder, "feature_names_in_", None)
    return [f"x{place}" for place in range(encoder.n_features_in_)] if names is None else [str(name) for name in names]


def lines_named(encoder: StepEncoder, keep: Any, n_lines: int) -> NDArray[np.intp] | None:
    """Return the numbers of the lines that a card must keep, None for none.

    Raises
    ------
    ValueError
        If a name is no line, or there are more than n_lines.
    """
    if keep is None:
        return None
    if isinstance(keep, str):
        raise ValueError(f"keep={keep!r} must be a list of names of lines: [{keep!r}]")
    names = encoder.get_feature_names_out().tolist()
    unknown = [name for name in keep if name not in names]
    if unknown:
        raise ValueError(f"keep names the lines {unknown}, which are not among the steps, such as {names[:5]}")
    if len(keep) > n_lines:
        raise ValueError(f"keep has {len(keep)} lines, more than n_lines={n_lines}")
    return np.array([names.index(name) for name in keep], dtype=np.intp)


def _known(name: str, column: NDArray[Any], codes: Sequence[float]) -> KnownColumn:
    has_missing = bool(np.asarray(pd.isna(column)).any())
    if column.dtype.kind == "f":
        new_codes = tuple(code for code in codes if not (column == code).any())
        return KnownColumn(name, None, tuple(codes), new_codes, has_missing)
    return KnownColumn(name, tuple(levels_of(column)), (), (), has_missing)


def _lines(
    place: int, known: KnownColumn, column: NDArray[Any], weight: NDArray[np.float64], max_steps: int
) -> list[StepLine]:
    last = [StepLine(place, "missing")] if known.has_missing else []
    if known.levels is not None:
        if is_identifier(known.levels, len(column)):
            warnings.warn(
                f"column {known.name!r} has {len(known.levels)} distinct categories in {len(column)} rows, like an "
                "identifier: it gets no lines",
                UserWarning,
                stacklevel=3,
            )
            return last
        return [*(StepLine(place, "level", level) for level in known.levels), *last]
    regular = ~np.isnan(column) & ~np.isin(column, known.codes)
    steps = _thresholds(column[regular], weight[regular], max_steps)
    return [
        *(StepLine(place, "step", float(step)) for step in steps),
        *(StepLine(place, "code", code) for code in known.codes if code not in known.new_codes),
        *last,
    ]


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
    """Fold the lines; a value that training never had is refused, as `StepEncoder.transform` refuses it."""
    return fold_lines(encoder.columns_, encoder.lines_, columns, graph)[0]


register_transformer(StepEncoder, fold_steps)

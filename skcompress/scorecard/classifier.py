"""ScorecardClassifier: a raw frame in, integer points on a few lines out.

The columns become steps (`StepEncoder`); a pruned logistic regression picks the lines, in rounds in which the log loss
is linearised where the last one landed, with one sign for all steps of a monotone input; then the points and their
multiplier are searched together (`skcompress.scorecard.points`). What predicts is the rounded card.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from .._version import VersionedState
from ..artifact import CompactLinear
from ..core.checks import require_integer
from ..linear.curvature import require_labels
from ..linear.fitting import require_estimator
from .card import PointsCard, as_html, as_text, formula_of, observed_by_total, reasons_table, scale_of
from .encoder import StepEncoder, encode, input_names, lines_named, row_weights
from .lines import choose_lines, line_signs
from .points import integer_points, patterns_of

Floats = NDArray[np.float64]

HANDLE_MISSING = ("neutral", "error")


class ScorecardClassifier(VersionedState, ClassifierMixin, BaseEstimator):
    """Fit a scorecard: integer points for a few conditions such as "age > 30".

    Parameters
    ----------
    estimator : LogisticRegression, default=None
        Fitted on all steps first; its `C` is the penalty for choosing lines. None: LogisticRegression(max_iter=1000).
    n_lines : int, default=10
        Most lines with points.
    points : (int, int), default=(-5, 5)
        Least and greatest points of a line.
    monotonic_cst : dict from column to -1, 0 or 1, or array of shape (n_features,), default=None
        1: the chance of ``classes_[1]`` never falls as the input grows, -1: never rises. Special codes and missing
        values are free.
    keep : list of str, default=None
        Lines that the card must choose from the start, by their names in ``StepEncoder.get_feature_names_out``.
    special_codes : list of numbers, or dict from column to list, default=None
        Numbers that are no amounts, such as -999: each one seen in `fit` has a line of its own. A list holds for all
        columns; the keys of a dict are names, or positions where X has none.
    max_steps : int, default=20
        Most steps of one column. A column with at most ``max_steps + 1`` values has a step between any two of them.
    handle_missing : {"neutral", "error"}, default="neutral"
        What a row gets that is missing an input which never was missing in training, or has a category or special code
        that training never had, where the input has lines. "neutral": the mean points of the input over the training
        rows, rounded, with a warning. "error": a ValueError that names the row.
    random_state : int, RandomState or None, default=None
        Of the search for the lines.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels; points speak for the second.
    points_table_ : DataFrame
        One row for each line: ``input``, ``condition``, ``points``.
    neutral_points_ : Series of int
        Points of values that training never had, for each input of the card that can have such values.
    chosen_lines_ : ndarray of int
        Numbers, among the steps, of the lines chosen before the points; some may have come to 0 points.
    multiplier_, intercept_ : float
        The log-odds of ``classes_[1]`` are intercept_ + multiplier_ x points.
    encoder_ : StepEncoder
        The steps, of which the card uses some.
    compact_ : CompactLinear
        The card as it ships, with the points as its integer weights; `to_sql` and the other exports take the card.
    points_compact_ : CompactLinear
        The same without the multiplier and the intercept: it predicts the totals of points.
    n_features_in_ : int
        Number of input columns.
    feature_names_in_ : ndarray of str
        Names of the input columns, where X was a dataframe.

    See Also
    --------
    PrunedClassifier : Picks columns and keeps float weights.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skcompress import ScorecardClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> card = ScorecardClassifier(n_lines=5).fit(X, y)
    >>> len(card.points_table_), bool(card.score(X, y) > 0.94)
    (5, True)
    >>> card.points_table_.head(2)
              input condition  points
    0    area error   > 34.37      -4
    1  worst radius   > 16.82      -5
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_lines: int = 10,
        points: tuple[int, int] = (-5, 5),
        monotonic_cst: Any = None,
        keep: Any = None,
        special_codes: Any = None,
        max_steps: int = 20,
        handle_missing: str = "neutral",
        random_state: Any = None,
    ):
        self.estimator = estimator
        self.n_lines = n_lines
        self.points = points
        self.monotonic_cst = monotonic_cst
        self.keep = keep
        self.special_codes = special_codes
        self.max_steps = max_steps
        self.handle_missing = handle_missing
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ScorecardClassifier:
        """Choose the lines and their points.

        Parameters
        ----------
        X : array or frame of shape (n, n_features)
            Raw inputs; see `StepEncoder`.
        y : array-like of shape (n,)
            Two classes.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        self : ScorecardClassifier

        Raises
        ------
        ValueError
            If a parameter is impossible, or y has not two classes.
        """
        low, high = self._checked()
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        self.encoder_ = StepEncoder(self.max_steps, self.special_codes).fit(X, sample_weight=sample_weight)
        self.n_features_in_ = self.encoder_.n_features_in_
        if hasattr(self.encoder_, "feature_names_in_"):
            self.feature_names_in_ = self.encoder_.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        if self.estimator is not None:
            require_estimator(self.estimator, type(self).__name__)
        Z = encode(self.encoder_, X).steps
        if not Z.shape[1]:
            raise ValueError(f"no column of X has two values (n_samples = {len(Z)}): there is nothing to make steps of")
        labels = column_or_1d(y, warn=True)
        if len(labels) != len(Z):
            raise ValueError(f"X has {len(Z)} rows and y has {len(labels)}")
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        weight = row_weights(sample_weight, len(Z))
        Z, labels, weight = Z[weight > 0], labels[weight > 0], weight[weight > 0]
        self.classes_, target = np.unique(labels, return_inverse=True)
        if len(self.classes_) != 2:
            kind = type_of_target(labels, input_name="y")
            few = "classifier can't train when only one class is present. " if len(self.classes_) < 2 else ""
            raise ValueError(
                f"{few}Only binary classification is supported. The type of the target is {kind}, with "
                f"{len(self.classes_)} classes"
            )
        bad, signs = target.astype(np.float64), line_signs(self.encoder_, self.monotonic_cst)
        kept = lines_named(self.encoder_, self.keep, int(self.n_lines))
        chosen, weights, intercept = choose_lines(
            self.estimator, Z, bad, weight, int(self.n_lines), signs, kept, self.random_state
        )
        signs = signs[chosen]
        patterns = patterns_of(Z[:, chosen], bad, weight)
        least = np.where(signs > 0, 0, low).astype(np.int64)
        most = np.where(signs < 0, 0, high).astype(np.int64)
        card = integer_points(patterns, weights, intercept, least, most)
        used = (card.points != 0) & (card.multiplier > 0)
        self.chosen_lines_ = chosen
        self.multiplier_, self.intercept_ = (card.multiplier if used.any() else 1.0), card.intercept
        self._card = PointsCard.of(self.encoder_, chosen[used], card.points[used], Z, weight)
        return self

    def _checked(self) -> tuple[int, int]:
        require_integer("n_lines", self.n_lines, 1)
        try:
            low, high = (int(end) for end in self.points)
        except (TypeError, ValueError):
            low, high = 0, 0
        if not low <= 0 <= high or low == high or (low, high) != tuple(self.points):
            raise ValueError(f"points={self.points!r} must be two integers around 0, such as (-5, 5)")
        if self.handle_missing not in HANDLE_MISSING:
            raise ValueError(f"handle_missing={self.handle_missing!r} must be one of {list(HANDLE_MISSING)}")
        return low, high

    @property
    def points_table_(self) -> pd.DataFrame:
        """One row for each line: ``input``, ``condition``, ``points``."""
        check_is_fitted(self)
        return self._card.table()

    @property
    def neutral_points_(self) -> pd.Series:
        """Points of values that training never had, by input."""
        check_is_fitted(self)
        table = self._neutral_table()
        return pd.Series(table["points"].to_numpy(), index=pd.Index(table["input"], name="input"), name="points")

    def neutral_counts(self, X: Any) -> pd.Series:
        """Return for each input of `neutral_points_` how many rows get its neutral points.

        Parameters
        ----------
        X : array or frame of shape (n_rows, n_features)
            Raw inputs.
        """
        points = self.neutral_points_
        new = encode(self.encoder_, X).new[:, self._card.lenient()[: len(points)]]
        return pd.Series(new.sum(axis=0), index=points.index, name="rows")

    def points_of(self, X: Any) -> NDArray[np.int64]:
        """Return the sum of the points of each row, shape (n,)."""
        return self._points_by_input(X).sum(axis=1).astype(np.int64)

    def _points_by_input(self, X: Any) -> Floats:
        check_is_fitted(self)
        return self._card.points_by_input(X, refuse_new=self._refuses_new)

    @property
    def _refuses_new(self) -> bool:
        return bool(self.handle_missing == "error")

    def decision_function(self, X: Any) -> Floats:
        """Return the log-odds of ``classes_[1]``, shape (n,)."""
        totals = self.points_of(X).astype(np.float64)
        return self.intercept_ + self.multiplier_ * totals

    def predict_proba(self, X: Any) -> Floats:
        """Return the probabilities of the rounded card, shape (n, 2)."""
        eta = self.decision_function(X)
        return np.column_stack([expit(-eta), expit(eta)])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the more probable label, shape (n,)."""
        chosen = (self.decision_function(X) > 0).astype(np.intp)
        return self.classes_[chosen]

    def scores(self, X: Any, *, points: float = 600.0, odds: float = 50.0, pdo: float = 20.0) -> Floats:
        """Return scores on the usual scale, high where ``classes_[1]`` is unlikely.

        Parameters
        ----------
        X : array or frame of shape (n, n_features)
            Raw inputs.
        points, odds : float, default=600, 50
            The score of rows for which ``classes_[0]`` is `odds` times as likely as ``classes_[1]``.
        pdo : float, default=20
            Points that double these odds.
        """
        factor, offset = scale_of(points, odds, pdo)
        return offset - factor * self.decision_function(X)

    def to_scorecard(self, *, points: float = 600.0, odds: float = 50.0, pdo: float = 20.0) -> pd.DataFrame:
        """Return the whole card on the scale of `scores`, with a column ``score``.

        A row of base points, then `points_table_`, then the neutral points of values that training never had.
        """
        check_is_fitted(self)
        factor, offset = scale_of(points, odds, pdo)
        base = pd.DataFrame({"input": ["(base)"], "condition": [""], "points": [0]})
        table = pd.concat([base, self._whole_table()], ignore_index=True)
        score = -factor * self.multiplier_ * table["points"].to_numpy()
        score[0] = offset - factor * self.intercept_
        return table.assign(score=score + 0.0)  # not -0

    def _neutral_table(self) -> pd.DataFrame:
        table = self._card.neutral_table()
        return table.iloc[:0] if self._refuses_new else table

    def _whole_table(self) -> pd.DataFrame:
        return pd.concat([self.points_table_, self._neutral_table()], ignore_index=True)

    def _formula(self) -> str:
        return formula_of(self.classes_[1:].tolist()[0], self.intercept_, self.multiplier_)

    def to_html(self) -> str:
        """Return the whole card as HTML, every text escaped."""
        check_is_fitted(self)
        return as_html(self._whole_table(), self._formula())

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        head = super().__repr__(N_CHAR_MAX)
        return as_text(head, self._whole_table(), self._formula()) if hasattr(self, "_card") else head

    def calibration_table(self, X: Any, y: Any, sample_weight: Any = None) -> pd.DataFrame:
        """Return for each total of points the rows, the share of ``classes_[1]`` and the card's probability.

        Parameters
        ----------
        X : array or frame of shape (n_rows, n_features)
            Raw inputs.
        y : array-like of shape (n_rows,)
            Labels, out of `classes_`.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows, for the share.
        """
        totals = self.points_of(X)
        labels = column_or_1d(y)
        require_labels(labels, self.classes_.tolist())
        observed = observed_by_total(totals, labels == self.classes_[1], row_weights(sample_weight, len(totals)))
        predicted = expit(self.intercept_ + self.multiplier_ * observed.index.to_numpy())
        return observed.assign(predicted=predicted).reset_index()

    def reason_codes(self, X: Any, against: str = "best", n: int = 4) -> pd.DataFrame:
        """Return the inputs that add most to the points of each row.

        Parameters
        ----------
        X : array or frame of shape (n_rows, n_features)
            Raw inputs.
        against : {"best", "average"}, default="best"
            What an input's points are compared with: the fewest that it gave in training, or the mean.
        n : int, default=4
            Most reasons for a row.

        Returns
        -------
        reasons : DataFrame of shape (n_rows, 2 n)
            ``reason_1``, ``points_1``, ...: input and points above the reference, most first; None and 0 where no
            further input is above it.
        """
        check_is_fitted(self)
        if against not in ("best", "average"):
            raise ValueError(f"against={against!r} must be 'best' or 'average'")
        require_integer("n", n, 1)
        above = self._points_by_input(X) - (self._card.least if against == "best" else self._card.mean)
        index = X.index if isinstance(X, pd.DataFrame) else None
        return reasons_table(above, input_names(self.encoder_), n, index)

    @property
    def compact_(self) -> CompactLinear:
        """The card as it ships."""
        check_is_fitted(self)
        classes = tuple(self.classes_.tolist())
        options = {"link": "logit", "classes": classes}
        return self._card.fold(self.multiplier_, self.intercept_, refuse_new=self._refuses_new, **options)

    @property
    def points_compact_(self) -> CompactLinear:
        """The sum of the points as a model that ships: what it predicts are the totals of `points_of`."""
        check_is_fitted(self)
        return self._card.fold(1.0, 0.0, refuse_new=self._refuses_new, link="identity")

"""CompressionPathDisplay: score against size, so that the choice can be seen."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv, cross_val_score
from sklearn.utils.validation import check_is_fitted

from ..core.linalg import Floats
from ..model_selection.choosing import fold_scores, standard_error, undominated
from ..model_selection.sizes import ScoreAndSize
from .drawing import log_axis, pyplot

AXES = {
    "bytes": "bytes that ship",
    "weights": "weights that are not zero",
    "inputs": "inputs that the model reads",
}

_COLUMNS = {
    "bytes": ("bytes", "mean_test_size", "mean_test_bytes"),
    "weights": ("weights", "mean_test_weights"),
    "inputs": ("inputs", "mean_test_inputs"),
}

_LINE, _CHOSEN, _LEVEL = "#0072B2", "#D55E00", "#555555"
_STYLES: list[Any] = ["--", ":", "-.", (0, (1, 4)), (0, (6, 2, 1, 2, 1, 2))]
_LOG_FROM = 6.0


class CompressionPathDisplay:
    """Mean score with standard error of every candidate against its size, and the frontier that no other beats.

    Build it with `from_estimator` or `from_cv_results`.

    Parameters
    ----------
    sizes : array-like of shape (c,)
        Size of each candidate.
    scores : array-like of shape (c,)
        Mean score.
    errors : array-like of shape (c,), default=None
        Standard errors of the means.
    chosen : int, default=None
        Place of the candidate that was chosen.
    levels : dict, default=None
        Other models as horizontal lines: a score, or (score, size) to be marked at its size too.
    size_name : str, default="bytes"
        Label of the size: a key of `AXES` or any text.
    score_name : str, default="score"
        Label of the score.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    line_ : matplotlib Line2D
        The frontier.
    points_ : matplotlib PathCollection
        All candidates.

    See Also
    --------
    CompressedRegressorCV : Finds the candidates.

    Examples
    --------
    >>> from skcompress import CompressionPathDisplay
    >>> display = CompressionPathDisplay(sizes=[10, 20, 40], scores=[0.40, 0.47, 0.48], chosen=1)
    >>> display.size_name
    'bytes'
    """

    def __init__(
        self,
        *,
        sizes: Any,
        scores: Any,
        errors: Any = None,
        chosen: int | None = None,
        levels: Mapping[str, Any] | None = None,
        size_name: str = "bytes",
        score_name: str = "score",
    ):
        self.sizes: Floats = np.asarray(sizes, dtype=np.float64)
        self.scores: Floats = np.asarray(scores, dtype=np.float64)
        self.errors: Floats | None = None if errors is None else np.asarray(errors, dtype=np.float64)
        self.chosen = chosen
        self.levels = {name: _level(name, level) for name, level in (levels or {}).items()}
        self.size_name = size_name
        self.score_name = score_name

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        size: str = "bytes",
        score: str = "score",
        chosen: int | None = None,
        levels: Mapping[str, Any] | None = None,
        score_name: str = "mean held-out score",
        ax: Any = None,
        **line_kw: Any,
    ) -> CompressionPathDisplay:
        """Draw the `cv_results_` of a search.

        Parameters
        ----------
        cv_results : dict
            Of CompressedRegressorCV, or of GridSearchCV and the like with ``scoring=score_and_size(...)``.
        size : {"bytes", "weights", "inputs"}, default="bytes"
            What is on the horizontal axis.
        score : str, default="score"
            Name of the metric.
        chosen : int, default=None
            Place of the chosen candidate, ``best_index_``.
        levels : dict, default=None
            Scores of other models, see the class.
        score_name : str, default="mean held-out score"
            Label of the vertical axis.
        ax : matplotlib Axes, default=None
            Where to draw.
        **line_kw
            For the line of the frontier.

        Raises
        ------
        ValueError
            If the results hold no such size or score.
        """
        if size not in AXES:
            raise ValueError(f"size must be one of {list(AXES)}, got {size!r}")
        column = next((name for name in _COLUMNS[size] if name in cv_results), None)
        if column is None:
            raise ValueError(
                f"cv_results holds no {size!r}: search with CompressedRegressorCV, or with scoring=score_and_size(...)"
            )
        scores = fold_scores(cv_results, score)
        display = cls(
            sizes=cv_results[column],
            scores=scores.mean(axis=1),
            errors=standard_error(scores),
            chosen=chosen,
            levels=levels,
            size_name=size,
            score_name=score_name,
        )
        return display.plot(ax=ax, **line_kw)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        size: str = "bytes",
        levels: Mapping[str, Any] | None = None,
        groups: Any = None,
        score_name: str = "mean held-out score",
        ax: Any = None,
        **line_kw: Any,
    ) -> CompressionPathDisplay:
        """Draw a fitted search, beside other models.

        Parameters
        ----------
        estimator : CompressedRegressorCV, CompressedClassifierCV, GridSearchCV or the like
            A fitted search.
        X, y : array-like, default=None
            Training data, needed where `levels` holds estimators: they are scored on the search's own folds, without
            weights of the rows.
        size : {"bytes", "weights", "inputs"}, default="bytes"
            What is on the horizontal axis.
        levels : dict, default=None
            Other models by name: unfitted estimators, or scores.
        groups : array-like of shape (n_samples,), default=None
            Groups of the rows, where the search's splitter needs them.
        score_name : str, default="mean held-out score"
            Label of the vertical axis.
        ax : matplotlib Axes, default=None
            Where to draw.
        **line_kw
            For the line of the frontier.

        Raises
        ------
        ValueError
            If `levels` holds an estimator and X is not given.
        """
        check_is_fitted(estimator, "cv_results_")
        given: dict[str, Any] = {}
        for name, level in (levels or {}).items():
            if not hasattr(level, "fit"):
                given[name] = level
                continue
            if X is None:
                raise ValueError(f"levels[{name!r}] is an estimator: pass X and y, on which it is cross-validated")
            folds = check_cv(estimator.cv, y, classifier=is_classifier(estimator)).split(X, y, groups)
            scoring = _one_metric(estimator.scoring)
            given[name] = float(cross_val_score(level, X, y, cv=list(folds), scoring=scoring).mean())
        return cls.from_cv_results(
            estimator.cv_results_,
            size=size,
            chosen=int(estimator.best_index_),
            levels=given,
            score_name=score_name,
            ax=ax,
            **line_kw,
        )

    @property
    def frontier(self) -> Sequence[int]:
        """Places of the candidates that no other one beats, by rising size."""
        return undominated(self.scores, self.sizes).tolist()

    def plot(self, ax: Any = None, *, log: bool | None = None, **line_kw: Any) -> CompressionPathDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None: a new figure, one column wide.
        log : bool, default=None
            Whether sizes are on a logarithmic scale. None: where they span more than a factor of 6.
        **line_kw
            For the line of the frontier.

        Returns
        -------
        display : CompressionPathDisplay
            With `ax_` and `figure_`.
        """
        if ax is None:
            _, ax = pyplot().subplots(figsize=(4.8, 3.4), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        places = self.frontier
        self.points_ = ax.scatter(self.sizes, self.scores, s=9, color="#b9c4cc", lw=0, zorder=1)
        look = {"color": _LINE, "marker": "o", "ms": 4, "lw": 1.6, "zorder": 3, "label": "smallest for its score"}
        (self.line_,) = ax.plot(self.sizes[places], self.scores[places], **{**look, **line_kw})
        if self.errors is not None:
            ax.errorbar(
                self.sizes[places],
                self.scores[places],
                self.errors[places],
                fmt="none",
                ecolor=self.line_.get_color(),
                elinewidth=0.8,
                capsize=2,
                zorder=2,
            )
        if self.chosen is not None:
            point = self.sizes[self.chosen], self.scores[self.chosen]
            ax.plot(*point, marker="D", ms=8, mfc="none", mec=_CHOSEN, mew=2, ls="none", zorder=4, label="chosen")
        for (name, (score, size)), style in zip(self.levels.items(), itertools.cycle(_STYLES)):
            ax.axhline(score, color=_LEVEL, ls=style, lw=1.2, zorder=0, label=f"{name} {score:.3g}")
            if size is not None:
                ax.plot(size, score, marker="x", ms=7, mew=1.6, color=_LEVEL, ls="none", zorder=2)
        every = np.array([*self.sizes, *(size for _, size in self.levels.values() if size is not None)], dtype=float)
        every = every[np.isfinite(every)]
        spread = every.max() / max(every.min(), 1e-300) if every.size else 1.0
        if log if log is not None else spread > _LOG_FROM:
            log_axis(ax.xaxis)
        ax.set(xlabel=AXES.get(self.size_name, self.size_name), ylabel=self.score_name)
        self._limit()
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(fontsize="small", loc="lower right", framealpha=0.85, edgecolor="none")
        return self

    def _limit(self) -> None:
        """Show the frontier and the levels; candidates far below may fall out of the picture."""
        errors = np.zeros_like(self.scores) if self.errors is None else self.errors
        best, error = self.scores[self.frontier], errors[self.frontier]
        shown = [*(best - error), *(best + error), *(score for score, _ in self.levels.values())]
        low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
        margin = 0.06 * (high - low) or 0.1
        self.ax_.set_ylim(low - margin, high + margin)


def _level(name: str, level: Any) -> tuple[float, float | None]:
    """Return score and size of a level; the size may be None."""
    parts = np.asarray(level, dtype=np.float64).ravel()
    if parts.size not in (1, 2):
        raise ValueError(f"levels[{name!r}] must be a score or (score, size), got {level!r}")
    return float(parts[0]), float(parts[1]) if parts.size == 2 else None


def _one_metric(scoring: Any) -> Any:
    """Return the metric of a search that scores by one, to score others by it."""
    if isinstance(scoring, ScoreAndSize):
        return scoring.scoring
    if scoring is None or isinstance(scoring, str) or callable(scoring):
        return scoring
    raise ValueError(
        f"levels holds an estimator and the search has several metrics, {scoring!r}: give its score instead"
    )

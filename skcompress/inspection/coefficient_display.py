"""CoefficientDisplay: every weight before and after compression."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from ..core.linalg import Floats
from ..linear.column_names import Columns
from ..linear.containers import find_leaf
from ..linear.fitting import require_fitted
from ..linear.view import read
from .drawing import pyplot

_BEFORE, _AFTER, _INK = "#8a8a8a", "#0072B2", "#1c1c1c"


class CoefficientDisplay:
    """Weights before and after, one line a feature, with the integer codes where there are some.

    Build it with `from_estimator`.

    Parameters
    ----------
    names : array-like of str, shape (p,)
        Names of the features.
    before, after : array-like of shape (p,)
        Weights.
    codes : array-like of int, shape (p,), default=None
        The integers that the weights after are stored as.
    n_more : int, default=0
        Features that are not shown.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    before_, after_ : matplotlib Line2D
        The markers.

    See Also
    --------
    CompressionPathDisplay : Draws scores against sizes.

    Examples
    --------
    >>> from skcompress import CoefficientDisplay
    >>> display = CoefficientDisplay(names=["age", "income"], before=[0.5, 2.0], after=[0.0, 2.25])
    >>> display.after.tolist()
    [0.0, 2.25]
    """

    def __init__(self, *, names: Any, before: Any, after: Any, codes: Any = None, n_more: int = 0):
        self.names = [str(name) for name in names]
        self.before: Floats = np.asarray(before, dtype=np.float64)
        self.after: Floats = np.asarray(after, dtype=np.float64)
        self.codes = None if codes is None else np.asarray(codes)
        self.n_more = n_more

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        scale: Any = None,
        max_features: int = 25,
        output: int = 0,
        ax: Any = None,
        **marker_kw: Any,
    ) -> CoefficientDisplay:
        """Draw the weights of a fitted wrapper.

        Parameters
        ----------
        estimator : estimator
            A fitted wrapper or search of this package.
        scale : array-like of shape (p,), default=None
            What each weight is multiplied by, such as the standard deviations of the features, so that weights can be
            compared. None: 1.
        max_features : int, default=25
            Features shown: those with the largest weights, kept ones first.
        output : int, default=0
            Which output, or class, of several.
        ax : matplotlib Axes, default=None
            Where to draw.
        **marker_kw
            For the markers of the weights after.

        Raises
        ------
        TypeError
            If the estimator has no `base_coef_`.
        """
        require_fitted(estimator, "estimator", "CoefficientDisplay.from_estimator")
        if not hasattr(estimator, "base_coef_"):
            raise TypeError(f"{type(estimator).__name__} has no base_coef_: pass a fitted wrapper of skcompress")
        leaf = find_leaf(estimator)
        names = Columns.of(estimator, leaf, np.shape(leaf.estimator.coef_)[-1]).names
        weights = read(leaf.estimator)[0]
        if not isinstance(output, Integral) or not 0 <= output < len(weights):
            raise ValueError(f"output must be one of 0..{len(weights) - 1}, got {output!r}")
        if scale is not None and np.shape(scale) not in ((), (weights.shape[1],)):
            raise ValueError(
                f"scale must hold a number for each of the {weights.shape[1]} features, got shape {np.shape(scale)}"
            )
        before = np.atleast_2d(estimator.base_coef_)[output]
        after = weights[output]
        factor = np.ones(len(after)) if scale is None else np.asarray(scale, dtype=np.float64)
        grid = None if leaf.state is None else leaf.state.grid
        codes = None if grid is None else np.asarray(grid.encode(weights))[output]
        size = np.maximum(np.abs(before), np.abs(after)) * factor
        order = np.lexsort((-size, after == 0))[:max_features]
        display = cls(
            names=names[order],
            before=(before * factor)[order],
            after=(after * factor)[order],
            codes=None if codes is None else codes[order],
            n_more=len(after) - len(order),
        )
        return display.plot(ax=ax, **marker_kw)

    def plot(self, ax: Any = None, **marker_kw: Any) -> CoefficientDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None: a new figure, one column wide.
        **marker_kw
            For the markers of the weights after.

        Returns
        -------
        display : CoefficientDisplay
            With `ax_` and `figure_`.
        """
        if ax is None:
            height = 1.1 + 0.22 * len(self.names)
            _, ax = pyplot().subplots(figsize=(4.8, max(2.2, height)), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        places = np.arange(len(self.names))
        kept = self.after != 0
        ax.axvline(0, color="#bbbbbb", lw=0.8, zorder=0)
        ax.hlines(places, self.before, self.after, color="#cfcfcf", lw=1.5, zorder=1)
        (self.before_,) = ax.plot(
            self.before, places, ls="none", marker="o", ms=5, mfc="white", mec=_BEFORE, zorder=2, label="before"
        )
        (self.after_,) = ax.plot(
            self.after[kept],
            places[kept],
            **{"ls": "none", "marker": "o", "ms": 5.5, "color": _AFTER, "zorder": 3, "label": "after", **marker_kw},
        )
        ax.set_yticks(places, _short(self.names), fontsize="small")
        for label, is_kept in zip(ax.get_yticklabels(), kept, strict=True):
            label.set_color(_INK if is_kept else _BEFORE)
        if self.codes is not None:
            beside = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": "small"}
            for place in places[kept]:
                ax.text(1.01, place, f"{int(self.codes[place])}", **beside)
            ax.text(1.01, -1, "code", color=_BEFORE, **beside)
        ax.set_ylim(len(self.names) - 0.4, -1.4 if self.codes is not None else -0.6)
        more = f" ({self.n_more} more not shown)" if self.n_more else ""
        ax.set_xlabel(f"weight{more}")
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, ncols=2)
        return self


def _short(names: Sequence[str], length: int = 28) -> list[str]:
    """Return the names without the steps that made them ("scaler__age") where they still differ, cut in the middle."""
    bare = [name.rpartition("__")[2] for name in names]
    shown = bare if len(set(bare)) == len(set(names)) else names
    half = length // 2
    return [name if len(name) <= length else f"{name[: half - 1]}…{name[-half:]}" for name in shown]

"""change_report: what replacing a model by its compressed form changes, for whoever has to approve it."""

from __future__ import annotations

import hashlib
import itertools
import platform
from dataclasses import dataclass
from importlib import metadata
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
import sklearn

from .._version import __version__
from ..linear.compacting import steps_text
from ..linear.rows import count_rows, require_order
from . import cohorts, rendering
from .cohorts import Rows
from .rendering import text_of
from .report import facts_of, parameters_of
from .row_metrics import (
    DECISION,
    PROBABILITY,
    REGRESSION,
    answer_of,
    classes_of,
    compare,
    numeric_target,
    require_model,
)
from .worst_case import max_change

METRICS = {"number": REGRESSION, "probability": PROBABILITY, "score": DECISION}

SIGN_OFF = ("Prepared by", "Reviewed by", "Approved by")


@dataclass(frozen=True)
class ChangeReport:
    """What `change_report` found. Sections that were not asked for are None.

    Attributes
    ----------
    title : str
        Names of the models.
    models : DataFrame
        Size of both models: inputs, weights, bits, bytes, model id.
    metrics : DataFrame
        Metrics of both, with standard errors (s.e.), and their paired difference.
    changes : DataFrame
        Distribution of the change of the prediction.
    histogram : DataFrame
        Counts of the change between edges.
    most_changed : DataFrame
        The rows that change most.
    segments : DataFrame or None
        One line for each segment.
    swap_set : DataFrame or None
        Who is decided differently at the cutoff, and what was observed of them.
    calibration : DataFrame
        Predicted against observed in tenths.
    largest_change : DataFrame
        The largest change over the box of the inputs' ranges, the row that attains it, and each input's share.
    facts : dict of str
        Parameters, versions, fingerprint of the data.

    See Also
    --------
    change_report : Makes it.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import PrunedRegressor, change_report
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> report = change_report(LinearRegression().fit(X, y), PrunedRegressor(n_nonzero=4).fit(X, y), X, y)
    >>> report.models["weights"].tolist(), report.segments is None
    ([10, 4], True)
    """

    title: str
    models: pd.DataFrame
    metrics: pd.DataFrame
    changes: pd.DataFrame
    histogram: pd.DataFrame
    most_changed: pd.DataFrame
    segments: pd.DataFrame | None
    swap_set: pd.DataFrame | None
    calibration: pd.DataFrame
    largest_change: pd.DataFrame
    facts: dict[str, str]

    def sections(self) -> list[rendering.Section]:
        """Return the sections in reading order."""
        tables = [
            rendering.Section("Models", self.models, "What each of them takes to ship."),
            rendering.Section(
                "Accuracy",
                self.metrics,
                "With standard errors (s.e.) over the rows; that of the change is paired.",
                mixed=True,
            ),
            rendering.Section("Change of the prediction", self.changes, "After minus before, over the rows."),
            rendering.Section("Histogram of the change", self.histogram, bars=True),
            rendering.Section("Most changed rows", self.most_changed, "By the size of the change."),
            rendering.Section(
                "Segments",
                self.segments,
                "Means by segment. Impact ratio: approval rate over the highest of the column; below 0.8 it breaks the "
                "four-fifths rule."
                if self.swap_set is not None
                else "Means by segment.",
            ),
            rendering.Section("Decisions at the cutoff", self.swap_set, "Swapped rows are decided differently now."),
            rendering.Section("Calibration", self.calibration, "Tenths of the rows by each model's own prediction."),
            rendering.Section(
                "Largest possible change",
                self.largest_change,
                "Before the link, over all combinations of values within the range of these rows, observed or not.",
            ),
            rendering.Section("Facts", pd.DataFrame({"value": self.facts})),
        ]
        return [section for section in tables if section.table is not None and len(section.table)]

    def to_html(self) -> str:
        """Return the report as one HTML page without scripts or links."""
        return rendering.html_page(self.title, self.sections(), SIGN_OFF)

    def to_markdown(self) -> str:
        """Return the report as Markdown."""
        return rendering.markdown_page(self.title, self.sections(), SIGN_OFF)

    def _repr_html_(self) -> str:
        return rendering.html_fragment(self.title, self.sections(), SIGN_OFF)


def change_report(
    base: Any,
    compressed: Any,
    X: Any,
    y: Any,
    segments: Any = None,
    cutoff: float | None = None,
    *,
    approve: str = "below",
    sample_weight: Any = None,
    n_rows_shown: int = 20,
) -> ChangeReport:
    """Compare a model with its compressed form on rows that neither was fitted on.

    Parameters
    ----------
    base, compressed : estimator or CompactLinear
        Fitted regressors, or classifiers of two classes.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Held-out rows.
    y : array-like of shape (n_samples,)
        What was observed.
    segments : str, list of str, dict, Series, DataFrame or array, default=None
        Columns by which the change is broken down: names of columns of X, or labels, one a row, which the models need
        not know. Numeric columns with more than 12 values are cut into fifths.
    cutoff : float, default=None
        Prediction at which a row is decided. None: no decisions are compared.
    approve : {"below", "above"}, default="below"
        On which side of the cutoff a row is approved: below for a probability of default.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.
    n_rows_shown : int, default=20
        Rows listed as changed most.

    Returns
    -------
    report : ChangeReport
        With `to_html()`, `to_markdown()` and every table as a DataFrame.

    Raises
    ------
    ValueError
        If the models have several outputs, different classes or do not give the same kind of number, a segment cannot
        be found, a parameter is out of its range, or y, segments or sample_weight have the index of X in another order.

    See Also
    --------
    compression_report : Puts any number of models side by side.
    max_change : The largest change there can be, whatever the row.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import PrunedRegressor, change_report
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> before = LinearRegression().fit(X[:300], y[:300])
    >>> after = PrunedRegressor(n_nonzero=4).fit(X[:300], y[:300])
    >>> report = change_report(before, after, X[300:], y[300:], segments="sex")
    >>> report.segments[["level", "rows"]].to_numpy().tolist()
    [['-0.0446416', 74], ['0.0506801', 68]]
    """
    if approve not in cohorts.APPROVE:
        raise ValueError(f"approve must be one of {list(cohorts.APPROVE)}, got {approve!r}")
    require_model(base, "base", "change_report")
    require_model(compressed, "compressed", "change_report")
    classes = classes_of(base)
    if tuple(classes) != tuple(classes_of(compressed)):
        raise ValueError(f"base and compressed must have the same classes, got {classes} and {classes_of(compressed)}")
    if cutoff is not None and not (isinstance(cutoff, Real) and np.isfinite(float(cutoff))):
        raise ValueError(f"cutoff must be a finite number or None, got {cutoff!r}")
    if not isinstance(n_rows_shown, Integral) or isinstance(n_rows_shown, bool) or n_rows_shown < 0:
        raise ValueError(f"n_rows_shown must be an integer of at least 0, got {n_rows_shown!r}")
    before, after = answer_of(base, X), answer_of(compressed, X)
    if before.kind != after.kind:
        raise ValueError(f"base gives a {before.kind} and compressed a {after.kind}, which do not compare")
    n_rows = count_rows(X)
    if count_rows(y) != n_rows:
        raise ValueError(f"y has {count_rows(y)} entries, but X has {n_rows} rows")
    for name, given in (("y", y), ("segments", segments), ("sample_weight", sample_weight)):
        require_order(given, X, name)
    weight = np.ones(n_rows) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_rows,) or not (weight >= 0).all() or not 0 < weight.sum() < np.inf:
        raise ValueError(
            f"sample_weight must hold a number of at least 0 for each of the {n_rows} rows, not only zeros"
        )
    rows = Rows(
        numeric_target(y, classes),
        before.values,
        after.values,
        weight / weight.sum(),
        cohorts.approvals(before.values, after.values, cutoff, approve),
    )
    labels = cohorts.segment_labels(segments, X, n_rows)
    index = X.index if hasattr(X, "index") and not callable(X.index) else np.arange(n_rows)
    names = _names(base, compressed)
    decided = None if cutoff is None else f"approved {approve} {cutoff:g}"
    return ChangeReport(
        title=f"Change report: {names[0]} to {names[1]}",
        models=pd.DataFrame([facts_of(base), facts_of(compressed)], index=["before", "after"]),
        metrics=compare(METRICS[before.kind], rows.y, rows.before, rows.after, rows.weight),
        changes=cohorts.change_distribution(rows),
        histogram=_histogram(rows),
        most_changed=cohorts.most_changed(rows, index, n_rows_shown),
        segments=cohorts.segment_table(rows, labels) if labels else None,
        swap_set=cohorts.swap_set(rows),
        calibration=cohorts.calibration_table(rows),
        largest_change=_largest_change(base, compressed, X),
        facts=_facts(base, compressed, X, y, decided),
    )


def _names(base: Any, compressed: Any) -> tuple[str, str]:
    return type(base).__name__, type(compressed).__name__


def _histogram(rows: Rows) -> pd.DataFrame:
    change = rows.after - rows.before
    counts, edges = np.histogram(change, bins=21)
    bins = [f"{left:.3g} to {right:.3g}" for left, right in itertools.pairwise(edges)]
    return pd.DataFrame({"rows": counts}, index=pd.Index(bins, name="after - before"))


def _largest_change(base: Any, compressed: Any, X: Any) -> pd.DataFrame:
    """Return the largest change over the box of these rows, or why it is not known."""
    try:
        found = max_change(base, compressed, bounds=X)
    except ValueError as error:
        return pd.DataFrame({"value": {"not known": str(error)}})
    total = "largest change" if found.exact else "no more than"
    whole = pd.DataFrame({"value": [""], "share": [found.value]}, index=[total])
    common = pd.DataFrame({"value": [""], "share": [abs(found.common)]}, index=["common to all rows"])
    shares = sorted(found.shares.items(), key=lambda share: -share[1])
    rows = [{"value": text_of(found.row.get(name, "")), "share": share} for name, share in shares]
    table = pd.DataFrame(rows, index=[name for name, _ in shares], columns=["value", "share"])
    return pd.concat([whole, common, table]).rename_axis("input")


def _facts(base: Any, compressed: Any, X: Any, y: Any, decided: str | None) -> dict[str, str]:
    facts = {
        "base": parameters_of(base),
        "compressed": parameters_of(compressed),
        **_steps_of(compressed),
        "rows": str(count_rows(X)),
        "data fingerprint": fingerprint(X, y),
        "skcompress": __version__,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "scipy": metadata.version("scipy"),
        "Python": platform.python_version(),
    }
    return facts if decided is None else {"decision": decided, **facts}


def _steps_of(model: Any) -> dict[str, str]:
    state = getattr(model, "state_", None)
    return {} if state is None or not state.history else {"steps": steps_text(state.history)}


def fingerprint(X: Any, y: Any) -> str:
    """Return the first 16 hex digits of the SHA-256 of the values of X and y, in order, with the names of columns."""
    digest = hashlib.sha256()
    for part in (X, y):
        if hasattr(part, "tocsr"):
            csr = part.tocsr()
            for array in (csr.data, csr.indices, csr.indptr):
                digest.update(np.ascontiguousarray(array).tobytes())
            continue
        if hasattr(part, "iloc"):
            frame = pd.DataFrame(part)
        elif hasattr(part, "columns"):
            frame = pd.DataFrame({name: part[name].to_numpy() for name in part.columns})
        else:
            frame = pd.DataFrame(np.asarray(part))
        digest.update(repr([str(name) for name in frame.columns]).encode())
        hashed = pd.util.hash_pandas_object(frame.reset_index(drop=True), index=False)
        digest.update(hashed.to_numpy().tobytes())
    return digest.hexdigest()[:16]

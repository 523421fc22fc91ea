"""Three small real data sets that come with the package, in the form of scikit-learn's loaders.

Each loader returns a `Bunch` with ``data``, ``target``, ``feature_names``, ``DESCR``, ``source`` and ``licence``; with
``as_frame=True`` also ``frame``, the columns and the target together.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import pandas as pd
from sklearn.utils import Bunch

_MODELDATA = (
    "`lending_club` in the R package modeldata, https://github.com/tidymodels/modeldata",
    "MIT, copyright (c) 2023 modeldata authors",
)
_YEH = (
    "Yeh, I. (2009), Default of Credit Card Clients, UCI Machine Learning Repository, https://doi.org/10.24432/C55S3H",
    "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
)
_BEASLEY = (
    "`indtrack4` of J. E. Beasley's OR-Library, https://people.brunel.ac.uk/~mastjjb/jeb/orlib/indtrackinfo.html; "
    "Beasley, Meade and Chang, An evolutionary heuristic for the index tracking problem, European Journal of "
    "Operational Research 148 (2003)",
    "MIT-style, copyright (c) J. E. Beasley, https://people.brunel.ac.uk/~mastjjb/jeb/orlib/legal.html",
)

_LOANS = """Lending Club loans
==================

9,857 personal loans of Lending Club: amount, term, interest rate, grade, state, income and credit history, and
whether the loan went bad. 517 loans (5%) did. Columns are numbers and strings; none has missing values.

target="default": 1 for a loan that went bad, 0 for a good one; 22 columns.
target="int_rate": the interest rate in percent; 20 columns. The grade, which determines the rate, and the outcome,
which nobody knows when the rate is set, are not among the columns.
"""

_CARDS = """Credit card holders in Taiwan
=============================

8,000 card holders of a bank in Taiwan in 2005, drawn at random from 30,000: credit limit, sex, education, marital
status, age, six months of arrears (PAY_), bills (BILL_AMT) and payments (PAY_AMT), all coded as numbers, without
missing values. The target is 1 for a holder who missed the next payment (22%) and 0 otherwise.
"""

_INDEX = """Tracking an index
=================

Weekly returns in percent of 98 stocks of the S&P 100 (S001 to S098), March 1992 to September 1997, in the order of
time. The target is the return of the index in the same week.
"""


def load_lending_club(*, target: str = "default", return_X_y: bool = False, as_frame: bool = True) -> Any:
    """Load 9,857 personal loans, to predict which go bad or what interest they pay.

    ==========================  =====================================================
    Task                        classification (target="default") or regression
    Samples                     9,857, of which 517 went bad
    Columns                     22 (17 of numbers, 5 of strings), or 20 (16 and 4)
    ==========================  =====================================================

    Parameters
    ----------
    target : {"default", "int_rate"}, default="default"
        "default": whether the loan went bad, 0 or 1. "int_rate": the interest rate in percent; the grade, which
        determines it, and the outcome are then left out of the columns.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` in place of a Bunch.
    as_frame : bool, default=True
        Whether to return pandas objects. The columns are of mixed type, so there is no other form.

    Returns
    -------
    loans : Bunch
        With ``data`` (DataFrame of shape (9857, 22) or (9857, 20)), ``target`` (Series), ``frame``,
        ``feature_names``, ``target_names`` (for "default"), ``DESCR``, ``source`` and ``licence``.
    (data, target) : tuple
        If ``return_X_y=True``.

    Raises
    ------
    ValueError
        If `target` is unknown, or ``as_frame=False``.

    See Also
    --------
    load_taiwan_credit : Credit data of numbers alone.

    Examples
    --------
    >>> from skcompress.datasets import load_lending_club
    >>> X, y = load_lending_club(return_X_y=True)
    >>> X.shape, int(y.sum())
    ((9857, 22), 517)
    >>> rates = load_lending_club(target="int_rate")
    >>> "sub_grade" in rates.feature_names, rates.target.round(1).head(3).tolist()
    (False, [14.0, 12.0, 16.3])
    """
    if target not in ("default", "int_rate"):
        raise ValueError(f"target={target!r} is not known: use 'default' or 'int_rate'")
    if not as_frame:
        raise ValueError(
            "as_frame=False is not possible for the Lending Club loans, whose columns are numbers and strings: use "
            "as_frame=True"
        )
    frame = _read("lending_club_default")
    frame["default"] = (frame.pop("Class") == "bad").astype("int64")
    if target == "int_rate":
        frame = frame.drop(columns=["sub_grade", "default"])
        frame["int_rate"] = frame.pop("int_rate")
    names = None if target == "int_rate" else ["good", "bad"]
    return _bunch(frame, target, _LOANS, _MODELDATA, return_X_y, as_frame, names)


def load_taiwan_credit(*, return_X_y: bool = False, as_frame: bool = True) -> Any:
    """Load 8,000 credit card holders, to predict who misses the next payment.

    ==========================  ===============================
    Task                        classification
    Samples                     8,000, of which 22% missed it
    Columns                     23 of numbers
    ==========================  ===============================

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` in place of a Bunch.
    as_frame : bool, default=True
        Whether to return pandas objects; arrays otherwise.

    Returns
    -------
    cards : Bunch
        With ``data`` of shape (8000, 23), ``target``, ``frame`` (None for arrays), ``feature_names``,
        ``target_names``, ``DESCR``, ``source`` and ``licence``.
    (data, target) : tuple
        If ``return_X_y=True``.

    See Also
    --------
    load_lending_club : Credit data with strings among the columns.

    Examples
    --------
    >>> from skcompress.datasets import load_taiwan_credit
    >>> X, y = load_taiwan_credit(return_X_y=True)
    >>> X.shape, round(float(y.mean()), 2)
    ((8000, 23), 0.22)
    """
    return _bunch(_read("taiwan_credit"), "default", _CARDS, _YEH, return_X_y, as_frame, ["paid", "missed"])


def load_index_tracking(*, return_X_y: bool = False, as_frame: bool = True) -> Any:
    """Load weekly returns of 98 stocks and of their index, to track the index with few of them.

    ==========================  ===============================
    Task                        regression
    Samples                     290 weeks, in the order of time
    Columns                     98 of numbers
    ==========================  ===============================

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` in place of a Bunch.
    as_frame : bool, default=True
        Whether to return pandas objects; arrays otherwise.

    Returns
    -------
    returns : Bunch
        With ``data`` of shape (290, 98) in percent, ``target``, ``frame`` (None for arrays), ``feature_names``,
        ``DESCR``, ``source`` and ``licence``.
    (data, target) : tuple
        If ``return_X_y=True``.

    See Also
    --------
    load_lending_club : Loans, for classification or regression.

    Examples
    --------
    >>> from skcompress import PrunedRegressor
    >>> from skcompress.datasets import load_index_tracking
    >>> X, y = load_index_tracking(return_X_y=True)
    >>> model = PrunedRegressor(n_nonzero=10).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    """
    frame = 100 * _read("indtrack_sp100").pct_change().iloc[1:].reset_index(drop=True)
    return _bunch(frame, "INDEX", _INDEX, _BEASLEY, return_X_y, as_frame)


def _read(name: str) -> pd.DataFrame:
    with (files(__package__) / "data" / f"{name}.csv.gz").open("rb") as file:
        return pd.read_csv(file, compression="gzip")


def _bunch(
    frame: pd.DataFrame,
    target: str,
    description: str,
    origin: tuple[str, str],
    return_X_y: bool,
    as_frame: bool,
    target_names: Sequence[str] | None = None,
) -> Any:
    """Return columns and target as scikit-learn's loaders do; the target becomes the last column of the frame."""
    X, y = frame.drop(columns=target), frame[target]
    data, values = (X, y) if as_frame else (X.to_numpy(dtype=float), y.to_numpy())
    if return_X_y:
        return data, values
    source, licence = origin
    bunch = Bunch(
        data=data,
        target=values,
        frame=pd.concat([X, y], axis=1) if as_frame else None,
        feature_names=list(X.columns),
        DESCR=f"{description}\nSource: {source}.\nLicence: {licence}.\n",
        source=source,
        licence=licence,
    )
    if target_names is not None:
        bunch.target_names = list(target_names)
    return bunch

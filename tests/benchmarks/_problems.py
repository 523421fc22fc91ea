"""Regression problems for the benchmarks: synthetic ones, and data sets with squares and products."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures

SHIPPED = Path(__file__).parents[2] / "skcompress" / "data"


class Problem(NamedTuple):
    """A regression problem; `train` and `test` are pairs (X, y)."""

    name: str
    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray] | None = None


def autoregressive(rng, n_rows, n_columns, rho):
    """Return Gaussian columns whose neighbours have a correlation of rho."""
    X = rng.standard_normal((n_rows, n_columns))
    fresh = np.sqrt(1 - rho**2)
    for column in range(1, n_columns):
        X[:, column] *= fresh
        X[:, column] += rho * X[:, column - 1]
    return X


def sparse_truth(seed, *, n_rows=1000, n_columns=30, size=10, rho=0.5, n_test=1000) -> Problem:
    """y of `size` normal weights on autoregressive columns, with noise as large as the signal."""
    rng = np.random.default_rng(seed)
    weights = np.zeros(n_columns)
    weights[rng.choice(n_columns, size, replace=False)] = rng.standard_normal(size)
    return _with_noise(rng, weights, n_rows, n_test, rho, f"{n_rows:,} x {n_columns:,}")


def fading_truth(seed, *, n_rows, n_columns, size, rho=0.5, n_test=2000) -> Problem:
    """y of weights that all count, the j-th largest as exp(-j / size), with noise as large as the signal."""
    rng = np.random.default_rng(seed)
    weights = rng.choice([-1, 1], n_columns) * np.exp(-rng.permutation(n_columns) / size)
    return _with_noise(rng, weights, n_rows, n_test, rho, f"{n_rows:,} x {n_columns:,}")


def _with_noise(rng, weights, n_rows, n_test, rho, name):
    X = autoregressive(rng, n_rows + n_test, len(weights), rho)
    signal = X @ weights
    y = signal + signal.std() * rng.standard_normal(len(X))
    # Row-major copies of their own, as a reader of a file has them.
    return Problem(name, (X[:n_rows].copy(), y[:n_rows].copy()), (X[n_rows:].copy(), y[n_rows:].copy()))


def squared(X):
    """Return numbers with their squares and products, standardised; constant and equal columns are left out.

    Numbers beyond three deviations are set to that: the square of one huge amount would decide a held-out score.
    """
    numbers = np.clip((X - X.mean(axis=0)) / X.std(axis=0), -3, 3)
    Z = PolynomialFeatures(2, include_bias=False).fit_transform(numbers)
    Z = Z[:, Z.std(axis=0) > 1e-9]
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    _, first = np.unique(Z.round(9), axis=1, return_index=True)
    return Z[:, np.sort(first)]


def diabetes() -> Problem:
    """Diabetes with squares and products."""
    X, y = load_diabetes(return_X_y=True)
    return Problem("diabetes, degree 2", (squared(X), y))


def index_returns(path: Path):
    """Return the weekly log returns of the stocks and of the index, from prices."""
    returns = np.log(pd.read_csv(path)).diff().dropna()
    y = returns.pop("INDEX")
    return returns, y


def index_tracking(path: Path) -> Problem:
    """The index on its stocks."""
    returns, y = index_returns(path)
    return Problem("index on 98 stocks", (returns.to_numpy(), y.to_numpy()))


def loan_rates(path: Path) -> Problem:
    """Interest rates of loans on one-hot columns, and the squares and products of the numbers."""
    loans = pd.read_csv(path)
    y = loans.pop("int_rate").to_numpy()
    loans = loans.drop(columns=["sub_grade", "Class"])
    numbers = loans.select_dtypes("number")
    levels = pd.get_dummies(loans.drop(columns=numbers.columns), drop_first=True, dtype=float)
    X = np.hstack([squared(numbers.to_numpy(dtype=float)), levels.to_numpy()])
    return Problem("loan rates, interactions", (X, y))


def credit_limits(path: Path) -> Problem:
    """Log credit limits of card holders with squares and products."""
    cards = pd.read_csv(path).drop(columns="default")
    y = np.log(cards.pop("LIMIT_BAL").to_numpy(dtype=float))
    return Problem("credit limits, degree 2", (squared(cards.to_numpy(dtype=float)), y))


def house_values(path: Path) -> Problem:
    """Log house values with squares and products."""
    houses = pd.read_csv(path).dropna()
    y = np.log(houses.pop("median_house_value").to_numpy())
    X = squared(houses.drop(columns="ocean_proximity").to_numpy())
    levels = pd.get_dummies(houses["ocean_proximity"], drop_first=True, dtype=float)
    return Problem("house values, degree 2", (np.hstack([X, levels.to_numpy()]), y))


def market(path: Path) -> Problem:
    """Daily returns of an index on 20 of its stocks, with squares and products."""
    returns = np.log(pd.read_csv(path).drop(columns="Date")).diff().dropna()
    y = returns.pop("SP500").to_numpy()
    return Problem("index on 20 stocks, degree 2", (squared(returns.to_numpy()), y))


FILES = {
    "indtrack_sp100.csv.gz": index_tracking,
    "lending_club_default.csv.gz": loan_rates,
    "taiwan_credit.csv.gz": credit_limits,
    "california_housing.csv.gz": house_values,
    "sp500_20stocks.csv.gz": market,
}


def real_problems(folder: Path | None = None) -> Iterator[Problem]:
    """Yield the problems on real data whose files are in `folder`, or else in the data of the examples."""
    yield diabetes()
    for name, read in FILES.items():
        places = [place / name for place in (folder, SHIPPED) if place is not None and (place / name).exists()]
        if places:
            yield read(places[0])
        else:
            print(f"left out: {name} is in neither folder of data")

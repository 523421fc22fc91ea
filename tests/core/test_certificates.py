"""Gaps and proofs against the enumeration of all supports by least squares on X, where digits are lost."""

import itertools
from typing import NamedTuple

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.utils.fixes import parse_version

from skcompress import PrunedRegressor
from skcompress.core.pruning import prune
from skcompress.core.quadratic import QuadraticModel
from skcompress.core.subset import SEARCHES
from skcompress.core.subset.rounding_error import ROUNDING

pytestmark = pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
"""Ridge itself warns of columns far from zero."""

OLD = parse_version(sklearn.__version__) < parse_version("1.7")

PRECISION = 2e-8
"""Gaps up to 1e-8 count as zero, and enumeration has an error of its own."""


class Case(NamedTuple):
    X: np.ndarray
    y: np.ndarray
    alpha: float
    fit_intercept: bool
    size: int
    search: str

    @property
    def base(self):
        model = Ridge(self.alpha) if self.alpha else LinearRegression()
        return model.set_params(fit_intercept=self.fit_intercept)

    def loss(self, columns):
        """The least loss on some columns, in units of the null loss."""
        X, y, n_rows = self.X[:, columns], self.y, len(self.y)
        if self.fit_intercept:
            X, y = X - X.mean(axis=0), y - y.mean()
            X = X - X.mean(axis=0)
        if self.alpha:
            X, y = np.vstack([X, np.sqrt(self.alpha) * np.eye(X.shape[1])]), np.append(y, np.zeros(X.shape[1]))
        length = np.linalg.norm(X, axis=0)
        X = X / np.where(length > 0, length, 1.0)
        rest = y - X @ np.linalg.lstsq(X, y, rcond=self.cut)[0]
        return float(rest @ rest) / n_rows / self.y.var()

    @property
    def cut(self):
        """Singular values below this are the rounding error of the entries of X."""
        spread = self.X.std(axis=0)
        far = np.abs(self.X.mean(axis=0))[spread > 0] / spread[spread > 0]
        return max(1e-13, 40 * np.finfo(float).eps * far.max(initial=0.0)) if self.fit_intercept else 1e-13

    @property
    def least_loss(self):
        return min(self.loss(list(chosen)) for chosen in itertools.combinations(range(self.X.shape[1]), self.size))


def drawn(seed, search=None):
    """A random problem: offsets up to 1e6 deviations, low rank, equal and constant columns, scales, penalties."""
    rng = np.random.default_rng(seed)
    n_rows, n_columns = int(rng.integers(20, 80)), int(rng.integers(2, 8))
    rank = n_columns if rng.random() < 0.5 else int(rng.integers(1, n_columns + 1))
    X = rng.standard_normal((n_rows, rank)) @ rng.standard_normal((rank, n_columns))
    if rank == n_columns:
        X = rng.standard_normal((n_rows, n_columns)) + 2 * rng.random() * rng.standard_normal((n_rows, 1))
    if rng.random() < 0.3:
        X[:, -1] = X[:, 0]
    if rng.random() < 0.2:
        X = X * 10.0 ** rng.uniform(-2, 2, n_columns)
    if rng.random() < 0.8:
        far, sign = 10.0 ** rng.uniform(0, 6), rng.choice([1.0, -1.0], n_columns) if rng.random() < 0.3 else 1.0
        X = X + far * X.std(axis=0) * (rng.random(n_columns) < rng.choice([0.5, 1.0])) * sign
    if rng.random() < 0.15:
        X[:, 0] = 5.0
    y = X @ rng.standard_normal(n_columns) * rng.choice([0.3, 1.0]) + rng.standard_normal(n_rows) * rng.choice(
        [0.1, 3.0]
    )
    if rng.random() < 0.3:
        y = y - y.mean() + rng.standard_normal()
    alpha = 0.0 if rng.random() < 0.6 else 10.0 ** rng.uniform(-3, 3)
    fit_intercept, size = bool(rng.random() < 0.25), int(rng.integers(1, n_columns + 1))
    return Case(X, y, alpha, fit_intercept, size, search or str(rng.choice(["exact", *SEARCHES])))


def check(case):
    """Enumeration refutes neither the gap nor the loss that it is counted from; return the gap."""
    model = PrunedRegressor(case.base, n_nonzero=case.size, search=case.search).fit(case.X, case.y)
    rest = case.y - case.X @ model.base_coef_ - model.base_intercept_
    before = (rest @ rest + case.alpha * model.base_coef_ @ model.base_coef_) / len(rest) / case.y.var()
    least = case.least_loss
    gap, precision = model.optimality_gap_, PRECISION + 1e-9 * least
    assert gap >= 0
    # LinearRegression of scikit-learn 1.6 fits columns that are rounding error of others, with weights of 1e10, and the
    # digits of its own loss are gone.
    digits = np.finfo(float).eps * np.abs(case.X * model.base_coef_).max()
    if not OLD or digits < 1e-9 * case.y.std():
        assert before + model.path_.losses[-1] - gap <= least + precision
    assert case.loss(np.flatnonzero(model.support_)) - gap <= least + precision
    return gap


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 400, 50))
def test_enumeration_refutes_no_gap(start):
    for seed in range(start, start + 50):
        check(drawn(seed))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(400, 5000, 200))
def test_enumeration_refutes_no_gap_of_many(start):
    for seed in range(start, start + 200):
        check(drawn(seed))


def far_from_zero(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((49, 4)) @ rng.standard_normal((4, 7))
    X[:, :4] += 1000
    return Case(X, X @ rng.standard_normal(7) * 0.3 + rng.standard_normal(49), 0.0, False, 3, "exact")


@pytest.mark.parametrize("seed", [1, 35, 41, 56, 57, 117, 166])
def test_the_best_support_at_a_thousand_deviations_of_columns_that_depend_on_each_other(seed):
    case = far_from_zero(seed)
    assert check(case) < 1e-4
    model = PrunedRegressor(case.base, n_nonzero=3, search="exact").fit(case.X, case.y)
    assert case.loss(np.flatnonzero(model.support_)) == pytest.approx(case.least_loss, abs=1e-7)


def test_a_gap_of_zero_is_not_claimed_where_the_digits_are_gone():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 2)) + 1e6
    y = X @ rng.standard_normal(2) + rng.standard_normal(30)
    assert check(Case(X, y, 100.0, False, 1, "exact")) > 1e-6


@pytest.mark.parametrize("far", [1e4, 1e5])
def test_ten_thousand_deviations_are_not_too_many_for_the_search(far):
    for seed in range(20):
        case = drawn(seed, "exact")
        X = case.X / np.where(case.X.std(axis=0) > 0, case.X.std(axis=0), 1.0)
        X = X - X.mean(axis=0) + far
        check(case._replace(X=X, y=X.sum(axis=1) + case.y - case.y.mean(), fit_intercept=False))


@pytest.mark.parametrize("search", SEARCHES)
def test_centred_columns_are_proven_as_before(search):
    """Rounding error is not counted where there is none to speak of."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((50, 6)) + 10 * rng.standard_normal(6)
        X[:, 5] = X[:, 0] if seed % 3 == 0 else X[:, 5]
        y = X @ rng.standard_normal(6) + rng.standard_normal(50)
        case = Case(X, y, 0.0, True, 3, search)
        gap = check(case)
        assert gap == 0.0 or search != "exact"


def test_a_column_that_only_looks_dependent_is_not_proven_away():
    """Its share of 1e-14 of its curvature explains half of y, and the moments show that there is something."""
    curvature = np.array([[1.0, 1.0 - 1e-14], [1.0 - 1e-14, 1.0]])
    model = QuadraticModel(curvature, np.zeros(2), gradient=[0.0, -1e-7], free=True, base_loss=1.0)
    pruned = prune(model, n_nonzero=1, search="exact")
    assert pruned.optimality_gap > 0.1


def test_the_error_of_a_loss_is_below_what_is_said():
    """Losses of moments at growing offsets, against least squares on the rows."""
    rng = np.random.default_rng(0)
    X, noise = rng.standard_normal((60, 3)), rng.standard_normal(60)
    for far in 10.0 ** np.arange(0, 6):
        moved = X + far
        y = moved @ [1.0, -0.5, 0.2] + noise
        H, c, empty = moved.T @ moved / 60, moved.T @ y / 60, y @ y / 60
        weights = np.linalg.solve(H, c)
        reach = np.linalg.norm(np.sqrt(np.diag(H)) * weights)
        rest = y - moved @ np.linalg.lstsq(moved, y, rcond=None)[0]
        error = abs(empty - c @ weights - rest @ rest / 60)
        assert error <= ROUNDING * (np.sqrt(empty) + reach) ** 2


class Signed(NamedTuple):
    """Half of the columns far from zero, without an intercept, under random signs."""

    X: np.ndarray
    y: np.ndarray
    signs: np.ndarray

    @classmethod
    def drawn(cls, seed):
        rng = np.random.default_rng(seed)
        far = 10.0 ** rng.integers(1, 7)
        X = rng.standard_normal((40, 4)) @ rng.standard_normal((4, 6)) + 0.3 * rng.standard_normal((40, 6))
        X[:, :3] += far
        y = X @ rng.standard_normal(6) * 0.3 + rng.standard_normal(40)
        return cls(X, y, rng.choice([-1, 1], 6))

    def losses(self):
        """The least loss of every set of columns whose weights, at it, have their signs."""
        R = np.linalg.qr(np.column_stack([self.X * self.signs, self.y]))[1]
        losses = {(): float(R[:, -1] @ R[:, -1]) / len(self.y) / self.y.var()}
        for size in range(1, 7):
            for columns in map(list, itertools.combinations(range(6), size)):
                weights = np.linalg.lstsq(R[:, columns], R[:, -1], rcond=1e-13)[0]
                rest = R[:, -1] - R[:, columns] @ weights
                if (weights >= 0).all():
                    losses[tuple(columns)] = float(rest @ rest) / len(self.y) / self.y.var()
        return losses


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:n_nonzero=3 prunes every weight")
@pytest.mark.parametrize("search", ["exact", "swap"])
@pytest.mark.parametrize("start", range(0, 200, 50))
def test_enumeration_under_signs_refutes_no_gap(start, search):
    for seed in range(start, start + 50):
        case = Signed.drawn(seed)
        base = Ridge(1e-8, fit_intercept=False, solver="svd")
        model = PrunedRegressor(base, n_nonzero=3, search=search, monotonic_cst=case.signs).fit(case.X, case.y)
        losses, kept = case.losses(), set(np.flatnonzero(model.support_).tolist())
        least = min(loss for columns, loss in losses.items() if len(columns) <= 3)
        own = min(loss for columns, loss in losses.items() if kept.issuperset(columns))
        assert own - least <= model.optimality_gap_ + 1e-7

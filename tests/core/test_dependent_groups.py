"""Groups of columns that depend on each other, with a base that has no penalty, against enumeration on X."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skcompress import PrunedRegressor
from skcompress.core.subset import SEARCHES


def indicators(values, n_levels):
    return (values[:, None] == np.arange(n_levels)).astype(float)


def interactions(seed):
    """Two categories, their interaction, a number, its square, and the number within each category."""
    rng = np.random.default_rng(seed)
    first, second, number = rng.integers(0, 3, 200), rng.integers(0, 4, 200), rng.standard_normal(200)
    A, B = indicators(first, 3), indicators(second, 4)
    both = (A[:, :, None] * B[:, None, :]).reshape(200, -1)
    X = np.hstack([A, B, both, number[:, None], number[:, None] ** 2, number[:, None] * A])
    return (
        X,
        X @ rng.standard_normal(X.shape[1]) + rng.standard_normal(200),
        np.repeat(np.arange(6), [3, 4, 12, 1, 1, 3]),
    )


def polynomial(seed):
    """The powers of a number with five values, an indicator of each value, and another number with its powers."""
    rng = np.random.default_rng(seed)
    level, number = rng.integers(0, 5, 150), rng.standard_normal(150)
    powers = np.column_stack([level**power for power in (1.0, 2.0, 3.0, 4.0)])
    own = indicators(level, 5)
    X = np.hstack([powers, own, np.column_stack([number, number**2, number**3]), (level * number)[:, None]])
    y = own @ (2 * rng.standard_normal(5)) + number + rng.standard_normal(150)
    return X, y, np.repeat(np.arange(5), [4, 5, 1, 2, 1])


def loss(X, y, columns):
    part, target = X[:, columns] - X[:, columns].mean(axis=0), y - y.mean()
    length = np.linalg.norm(part, axis=0)
    part = part / np.where(length > 0, length, 1.0)
    rest = target - part @ np.linalg.lstsq(part, target, rcond=1e-10)[0]
    return rest @ rest / (target @ target)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:threshold=0.001 bounds")
@pytest.mark.parametrize(
    "budget",
    [*({"n_nonzero": k} for k in range(1, 5)), {"n_nonzero": 0.5}, {"threshold": 1e-3}, {"max_loss": 0.1}, {}],
    ids=str,
)
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("problem", [interactions, polynomial])
def test_groups_that_depend_on_each_other(problem, search, budget):
    for seed in range(4):
        X, y, labels = problem(seed)
        model = PrunedRegressor(LinearRegression(), search=search, feature_groups=labels, **budget).fit(X, y)
        kept = np.unique(labels[model.support_])
        full = loss(X, y, np.arange(X.shape[1]))
        reached = loss(X, y, np.isin(labels, kept)) - full
        assert model.loss_increase_ == pytest.approx(reached, abs=1e-8)
        size = budget.get("n_nonzero", 0)
        if isinstance(size, int) and size > 0:
            sets = itertools.combinations(range(labels.max() + 1), size)
            best = min(loss(X, y, np.isin(labels, chosen)) for chosen in sets) - full
            assert reached - model.optimality_gap_ <= best + 1e-8
            if search == "exact":
                assert reached == pytest.approx(best, abs=1e-8)
                assert model.optimality_gap_ == 0.0


@pytest.mark.parametrize("problem", [interactions, polynomial])
def test_the_importance_of_a_group_is_what_leaving_it_out_costs(problem):
    X, y, labels = problem(0)
    model = PrunedRegressor(LinearRegression(), n_nonzero=3, feature_groups=labels).fit(X, y)
    full = loss(X, y, np.arange(X.shape[1]))
    for group in range(labels.max() + 1):
        costs = model.importances_[labels == group]
        np.testing.assert_allclose(costs, loss(X, y, labels != group) - full, atol=1e-8)


def test_backward_elimination_revives_what_depended_on_a_group_that_went():
    """The interaction spans both categories, which cost nothing while it is there."""
    X, y, labels = interactions(1)
    order = []
    full = np.arange(labels.max() + 1)
    while len(full) > 1:
        costs = [loss(X, y, np.isin(labels, np.delete(full, place))) for place in range(len(full))]
        order.append(np.delete(full, int(np.argmin(np.round(costs, 8)))))
        full = order[-1]
    for kept in order:
        model = PrunedRegressor(LinearRegression(), search="backward", n_nonzero=len(kept), feature_groups=labels).fit(
            X, y
        )
        np.testing.assert_array_equal(np.unique(labels[model.support_]), kept)

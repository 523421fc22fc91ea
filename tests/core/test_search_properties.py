"""What holds for every support, on random problems with duplicates, constants, penalties, groups and kept units."""

import itertools

import numpy as np
import pytest
from least_squares import correlated

from skcompress.core.pruning import prune
from skcompress.core.quadratic import QuadraticModel
from skcompress.core.subset import SEARCHES

P = 11
BUDGETS = [{"n_nonzero": 3}, {"n_nonzero": 0.3}, {"max_loss": 0.05}, {"threshold": 0.002}, {}]
LABELS = [None, [0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 8]]


class Ridge:
    """A random ridge problem with a duplicate, a near-duplicate and a constant column; its loss by augmented rows."""

    def __init__(self, seed, n_rows=60):
        rng = np.random.default_rng(seed)
        X, y = correlated(n_rows, P, seed=seed, rho=rng.choice([0.0, 0.6, 0.95]))
        X[:, 7] = X[:, 2]
        X[:, 8] = X[:, 3] + 1e-4 * rng.standard_normal(n_rows)
        X[:, 9] = 5.0
        self.penalty = rng.choice([0.0, 0.01, 0.3]) * X.var()
        weight = rng.uniform(0.2, 2.0, n_rows)
        share = weight / weight.sum()
        centred, target = X - share @ X, y - share @ y
        self.rows = np.vstack([np.sqrt(share)[:, None] * centred, np.sqrt(self.penalty) * np.eye(P)])
        self.target = np.concatenate([np.sqrt(share) * target, np.zeros(P)])
        self.null = share @ target**2
        full = np.linalg.lstsq(self.rows, self.target, rcond=1e-12)[0]
        full_loss = self._loss(np.arange(P))
        self.model = QuadraticModel(
            (centred.T * share) @ centred,
            full,
            penalty=self.penalty,
            free=np.arange(P) != 9,
            null_loss=self.null,
            base_loss=share @ (target - centred @ full) ** 2,
            n_samples=weight.sum(),
        )
        self.lost = lambda columns: self._loss(columns) - full_loss

    def _loss(self, columns):
        part = self.rows[:, columns]
        rest = self.target - part @ np.linalg.lstsq(part, self.target, rcond=1e-12)[0]
        return rest @ rest / self.null


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("keep", [(), (4,)])
@pytest.mark.parametrize("n_restarts", [0, 3])
def test_no_swap_of_two_units_helps(seed, labels, keep, n_restarts):
    problem = Ridge(seed)
    units = np.arange(P) if labels is None else np.array(labels)
    kept_units = set(units[list(keep)])
    candidates = set(units[problem.model.free[0]])
    for size in (2, 4, 6):
        pruned = prune(
            problem.model, n_nonzero=size, feature_groups=labels, keep=list(keep) or None, n_restarts=n_restarts
        )
        chosen = set(units[pruned.support[0]])
        assert pruned.loss == pytest.approx(problem.lost(np.flatnonzero(pruned.support[0])), abs=1e-7)
        for one, other in itertools.product(chosen - kept_units, candidates - chosen):
            moved = np.isin(units, list(chosen - {one} | {other}))
            assert pruned.loss <= problem.lost(np.flatnonzero(moved)) + 1e-7


@pytest.mark.slow
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("budget", BUDGETS, ids=str)
@pytest.mark.filterwarnings("ignore:threshold=0.002 bounds what each weight costs")
def test_kept_units_are_kept_and_the_loss_never_rises_along_the_path(search, labels, budget):
    for seed in range(3):
        problem = Ridge(seed)
        for keep in ([], [6], [0, 2, 7]):
            pruned = prune(problem.model, search=search, feature_groups=labels, keep=keep or None, **budget)
            assert pruned.support[0, keep].all()
            assert not pruned.support[0, 9]
            sizes, losses = [point.n_units for point in pruned.path], [point.loss for point in pruned.path]
            assert (np.diff(sizes) > 0).all()
            assert (np.diff(losses) <= 0).all()
            for point in pruned.path:
                assert point.support[0, keep].all()


@pytest.mark.parametrize("seed", range(8))
def test_more_of_anything_never_costs_more(seed):
    problem = Ridge(seed)
    losses = [prune(problem.model, n_nonzero=size, search="exact").loss for size in range(1, P)]
    assert (np.diff(losses) <= 1e-12).all()
    swapped = [prune(problem.model, n_nonzero=size).loss for size in range(1, P)]
    assert (np.array(swapped) >= np.array(losses) - 1e-9).all()

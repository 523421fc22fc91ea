"""Searches against enumeration and against steps that are made one by one."""

import importlib
import itertools
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from least_squares import best_r2, correlated, model_from_zero, model_of, r2, r2_lost

from skcompress.core.gram import LazyGram
from skcompress.core.options import PruneOptions
from skcompress.core.pruning import prune, prune_path, prune_sizes
from skcompress.core.quadratic import QuadraticModel
from skcompress.core.subset import SEARCHES, problems_of
from skcompress.core.subset.exact import MOST_NODES, OVERHEAD, WORK, nodes_for
from skcompress.core.subset.swap_state import REFRESH, SwapState
from skcompress.core.units import units_of

exact_search = importlib.import_module("skcompress.core.subset.exact")
"""The package has a function of the same name."""


def problem_of(X, y, groups=None, keep=None, **options):
    """The search problem of one output."""
    quadratic = model_from_zero(X, y, **options)
    return problems_of(quadratic, units_of(quadratic.free, groups, keep))[0]


def of_units(labels, units):
    """The columns of some units."""
    return np.isin(labels, units)


STRUCTURES = {
    "columns": np.arange(9),
    "pairs": np.array([0, 1, 2, 3, 4, 5, 0, 1, 2]),
    "mixed": np.array([0, 0, 0, 1, 2, 3, 3, 4, 5]),
}


@pytest.fixture(params=STRUCTURES)
def structured(request):
    """X, y, the unit of each column, and the problem."""
    X, y = correlated(70, 9, seed=3)
    labels = STRUCTURES[request.param]
    return X, y, labels, problem_of(X, y, None if request.param == "columns" else labels)


def test_forward_adds_the_unit_that_explains_most(structured):
    X, y, labels, problem = structured
    order, gains = problem.forward(len(problem.kept))
    chosen = []
    for unit, gain in zip(order.tolist(), gains, strict=True):
        best = max(set(labels) - set(chosen), key=lambda other: r2(X, y, of_units(labels, [*chosen, other])))
        assert unit == best
        before = r2(X, y, of_units(labels, chosen))
        chosen.append(unit)
        assert gain == pytest.approx(r2(X, y, of_units(labels, chosen)) - before, abs=1e-8)


def test_backward_drops_the_unit_that_costs_least(structured):
    X, y, labels, problem = structured
    path = problem.elimination_path()
    left = sorted(set(labels))
    for unit, score in zip(path.order[::-1].tolist(), path.scores[::-1], strict=True):
        costs = {
            one: r2(X, y, of_units(labels, left)) - r2(X, y, of_units(labels, [u for u in left if u != one]))
            for one in left
        }
        assert unit == min(costs, key=costs.get)
        assert score == pytest.approx(costs[unit], abs=1e-8)
        np.testing.assert_array_equal(problem.backward(len(left)), left)
        left.remove(unit)


def test_backward_corrects_its_inverse_over_many_blocks():
    X, y = correlated(400, 130, seed=1, rho=0.9)
    order = problem_of(X, y).elimination_path().order
    for size in (2, 20, 60, 64, 66, 82, 129):
        scores = np.linalg.inv(np.corrcoef(X[:, order[:size]].T))
        scaled = (X - X.mean(axis=0)) / X.std(axis=0)
        weights = scores @ scaled[:, order[:size]].T @ (y - y.mean()) / 400
        assert np.argmin(weights**2 / np.diag(scores)) == size - 1


def test_swaps_cost_what_least_squares_says():
    X, y = correlated(70, 9, seed=3)
    problem = problem_of(X, y)
    chosen = np.array([1, 4, 6])
    deltas = SwapState(problem.curvature, problem.moments, chosen).deltas()
    before = r2(X, y, chosen)
    for i, j in itertools.product(range(3), range(9)):
        moved = chosen.copy()
        moved[i] = j
        if j in chosen:
            assert deltas[i, j] == np.inf
        else:
            assert deltas[i, j] == pytest.approx(before - r2(X, y, moved), abs=1e-10)


def test_the_state_of_the_swaps_survives_many_updates():
    X, y = correlated(200, 30, seed=5, rho=0.9)
    problem = problem_of(X, y)
    rng = np.random.default_rng(0)
    state = SwapState(problem.curvature, problem.moments, np.arange(8), capacity=12)
    for step in range(REFRESH):
        others = np.setdiff1d(np.arange(30), state.chosen)
        if step in (5, 15, 20, 25):
            state.add(int(rng.choice(others)))
        else:
            state.swap(int(rng.integers(len(state.chosen))), int(rng.choice(others)))
    fresh = SwapState(problem.curvature, problem.moments, state.chosen)
    np.testing.assert_allclose(state.deltas(), fresh.deltas(), atol=1e-10)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("groups", [None, "feature", [0, 0, 1, 2, 3, 4, 5, 6, 7, 7]])
def test_no_single_swap_lowers_the_loss_of_a_swap_support(n_outputs, groups):
    X, Y = correlated(60, 10, seed=2, rho=0.8, n_outputs=n_outputs)
    labels = np.arange(10) if groups is None or groups == "feature" else np.array(groups)
    for size in (2, 4, 6):
        support = prune(model_of(X, Y), n_nonzero=size, feature_groups=groups).support
        rows = range(n_outputs) if groups is None else [slice(None)]
        for row in rows:
            part = support[row].reshape(-1, 10)
            targets = Y.reshape(len(Y), -1)[:, row].reshape(len(Y), -1)
            lost = r2_lost(X, targets, part)
            kept = sorted(set(labels[part[0]]))
            for one, other in itertools.product(kept, set(labels) - set(kept)):
                moved = np.isin(labels, [*(u for u in kept if u != one), other])
                assert lost <= r2_lost(X, targets, np.tile(moved, (len(part), 1))) + 1e-8


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("keep", [(), (2,)])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_exact_finds_what_enumeration_finds_and_proves_it(seed, keep, structure):
    X, y = correlated(50, 9, seed=seed, rho=0.9)
    labels = STRUCTURES[structure]
    columns = np.flatnonzero(np.isin(labels, keep))
    groups = None if structure == "columns" else labels
    for size in (1, 2, 3, 4):
        pruned = prune(model_from_zero(X, y), n_nonzero=size, search="exact", feature_groups=groups, keep=columns)
        assert pruned.proven
        assert pruned.optimality_gap == 0.0
        assert -pruned.loss == pytest.approx(best_r2(X, y, size, labels=labels, keep=keep), abs=1e-8)
        assert pruned.support[0, columns].all()


def test_exact_proves_thirty_columns():
    for rho, size in ((0.0, 8), (0.5, 10), (0.9, 12)):
        X, y = correlated(500, 30, seed=size, rho=rho)
        assert prune(model_from_zero(X, y), n_nonzero=size, search="exact").proven


def test_exact_says_when_it_has_proven_nothing():
    X, y = correlated(60, 40, seed=0, rho=0.9)
    quadratic = model_from_zero(X, y)
    few = prune(quadratic, n_nonzero=8, search="exact", max_nodes=10)
    more = prune(quadratic, n_nonzero=8, search="exact", max_nodes=500)
    assert not few.proven
    assert few.optimality_gap >= more.optimality_gap > 0
    assert more.loss - more.optimality_gap >= few.loss - few.optimality_gap - 1e-12


def test_exact_minimises_loss_plus_threshold_per_unit():
    X, y = correlated(80, 9, seed=4, noise=0.5)
    for threshold in (0.001, 0.01, 0.05):
        pruned = prune(model_from_zero(X, y), threshold=threshold, search="exact")
        best = min(threshold * size - best_r2(X, y, size) for size in range(10))
        assert pruned.loss + threshold * pruned.n_units == pytest.approx(best, abs=1e-10)


@pytest.mark.parametrize("copies", [(), (0,), (0, 3, 3)])
@pytest.mark.parametrize("groups", [False, True])
def test_no_support_loses_less_than_the_bound(copies, groups):
    X, y = correlated(40, 8, seed=6, rho=0.7)
    X = np.hstack([X, X[:, list(copies)]])
    labels = np.arange(X.shape[1]) // (2 if groups else 1)
    problem = problem_of(X, y, labels if groups else None)
    for size in range(1, labels.max() + 2):
        assert problem.bounds[size] <= -best_r2(X, y, size, labels=labels) + 1e-8
    assert (np.diff(problem.bounds) <= 1e-12).all()
    assert problem.bounds[-1] == pytest.approx(-r2(X, y, np.arange(X.shape[1])))


@pytest.mark.parametrize("search", [name for name in SEARCHES if name != "exact"])
def test_every_search_keeps_its_loss_within_its_gap_of_the_best(search):
    X, y = correlated(50, 10, seed=8, rho=0.8)
    for size in (2, 4, 6):
        pruned = prune(model_from_zero(X, y), n_nonzero=size, search=search)
        assert pruned.loss - pruned.optimality_gap <= -best_r2(X, y, size) + 1e-10
        assert pruned.loss >= -best_r2(X, y, size) - 1e-10


def test_restarts_find_better_supports_where_there_are_more_columns_than_rows():
    X, y = correlated(30, 60, seed=6, rho=0.5)
    quadratic = model_from_zero(X, y)
    losses = [prune(quadratic, n_nonzero=5, n_restarts=count).loss for count in (0, 5, 50)]
    assert losses[0] >= losses[1] >= losses[2]
    assert prune(quadratic, n_nonzero=5, n_restarts="auto").loss < losses[0]
    one, other = (prune(quadratic, n_nonzero=5, n_restarts=9, random_state=seed) for seed in (4, 4))
    np.testing.assert_array_equal(one.support, other.support)


@pytest.mark.parametrize("groups", [None, [0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9]])
@pytest.mark.parametrize("keep", [None, [1, 5]])
@pytest.mark.parametrize("search", ["swap", "backward", "one_shot"])
def test_all_sizes_together_are_the_same_as_each_alone(groups, keep, search):
    X, Y = correlated(100, 12, seed=9, rho=0.9, n_outputs=2)
    quadratic = model_of(X, Y)
    path = prune_path(quadratic, feature_groups=groups, keep=keep, search=search)
    assert path[-1].support.all()
    assert (np.diff([point.loss for point in path]) <= 0).all()
    for point in path:
        size = point.n_units // (2 if groups is None else 1)
        alone = prune(quadratic, n_nonzero=size, feature_groups=groups, keep=keep, search=search)
        np.testing.assert_array_equal(point.support, alone.support)
        assert point.loss == pytest.approx(alone.loss, abs=1e-9)


@pytest.mark.parametrize("search", ["swap", "exact", "backward", "one_shot"])
@pytest.mark.parametrize("groups", [None, [0, 0, 1, 2, 3, 4, 5, 6]])
def test_many_sizes_are_pruned_as_each_alone(search, groups):
    X, Y = correlated(100, 8, seed=9, rho=0.9, n_outputs=2)
    quadratic = model_of(X, Y)
    sizes = [5, 0.25, 2, np.int64(3), 1, 100, 0.5, 4]
    options = {"search": search, "feature_groups": groups, "keep": [1]}
    for size, one in zip(
        [size for size in sizes if size != 1],
        prune_sizes(quadratic, [s for s in sizes if s != 1], PruneOptions(**options)),
        strict=True,
    ):
        alone = prune(quadratic, n_nonzero=size, **options)
        np.testing.assert_array_equal(one.support, alone.support)
        np.testing.assert_array_equal(one.weights, alone.weights)
        np.testing.assert_array_equal(one.importances, alone.importances)
        assert one.optimality_gap == pytest.approx(alone.optimality_gap, abs=1e-12)
        assert [point.loss for point in one.path] == [pytest.approx(alone.loss, abs=1e-9)]
    with pytest.raises(ValueError, match="n_nonzero=0"):
        prune_sizes(quadratic, [0, 1])


def test_chosen_sizes_of_a_path():
    X, y = correlated(100, 12, seed=9)
    path = prune_path(model_of(X, y), [7, 2, np.int64(4), 2, 50])
    assert [point.n_units for point in path] == [2, 4, 7, 12]
    with pytest.raises(ValueError, match="n_nonzero=0"):
        prune_path(model_of(X, y), [0, 1])


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("budget", [{"n_nonzero": 6}, {"threshold": 0.01}, {"max_loss": -0.6}])
def test_a_curvature_that_is_never_formed_gives_the_same_support(monkeypatch, sparse, budget):
    monkeypatch.setattr("skcompress.core.systems.DENSE_LIMIT", 10)
    monkeypatch.setattr("skcompress.core.subset.curvature._BATCH", 4)
    rng = np.random.default_rng(1)
    X = sp.random(80, 40, density=0.3, format="csr", random_state=1)
    y = X @ rng.standard_normal(40) + 0.3 * rng.standard_normal(80)
    given = X if sparse else X.toarray()
    if "max_loss" in budget:
        budget = {"n_nonzero": 9}
    lazy = prune(model_from_zero(given, y, lazy=True), **budget)
    rows = problem_of(given, y, lazy=True)
    assert not rows.is_dense
    forward, gains = rows.forward(12)
    expected, expected_gains = problem_of(X.toarray(), y).forward(12)
    np.testing.assert_array_equal(forward, expected)
    np.testing.assert_allclose(gains, expected_gains, atol=1e-12)
    assert -lazy.loss == pytest.approx(r2(X.toarray(), y, lazy.support[0]), abs=1e-10)
    for one, other in itertools.product(np.flatnonzero(lazy.support[0]), np.flatnonzero(~lazy.support[0])):
        moved = lazy.support[0].copy()
        moved[[one, other]] = False, True
        assert -lazy.loss >= r2(X.toarray(), y, moved) - 1e-9
    kept = lazy.importances[lazy.support]
    assert (kept > 0).all()
    assert not lazy.importances[~lazy.support].any()
    assert lazy.optimality_gap >= 0


def test_rows_are_forgotten_when_there_are_many(monkeypatch):
    monkeypatch.setattr("skcompress.core.systems.DENSE_LIMIT", 10)
    monkeypatch.setattr("skcompress.core.subset.curvature._BATCH", 3)
    monkeypatch.setattr("skcompress.core.subset.curvature._CACHE_BYTES", 8 * 40 * 5)
    X, y = correlated(60, 40, seed=2)
    curvature = problem_of(X, y, lazy=True).curvature
    expected = np.corrcoef(X.T)
    for chosen in ([3, 7], list(range(20)), [7, 30, 2], [0]):
        np.testing.assert_allclose(curvature.rows(np.array(chosen)), expected[chosen], atol=1e-12)
        np.testing.assert_allclose(curvature.row(chosen[0] + 5), expected[chosen[0] + 5], atol=1e-12)


def test_what_needs_the_whole_curvature_says_so(monkeypatch):
    monkeypatch.setattr("skcompress.core.systems.DENSE_LIMIT", 10)
    X, y = correlated(60, 40, seed=2)
    quadratic = model_from_zero(X, y, lazy=True)
    with pytest.raises(ValueError, match="search='exact' needs the whole curvature"):
        prune(quadratic, n_nonzero=3, search="exact")
    with pytest.raises(ValueError, match="threshold='mean'"):
        prune(quadratic, threshold="mean")
    monkeypatch.setattr("skcompress.core.subset.curvature._SMALL", 0)
    monkeypatch.setattr("skcompress.core.checks.free_bytes", lambda: 1000)
    with pytest.raises(MemoryError, match="40 free columns"):
        prune(quadratic, n_nonzero=3, search="backward")


@pytest.mark.parametrize("budget", [{"n_nonzero": 5}, {"n_nonzero": 0.2}, {"max_loss": 0.3}])
@pytest.mark.parametrize("importance", ["obs", "l1", "l2", "obd"])
def test_columns_of_many_outputs_are_pruned_without_any_of_their_curvatures(monkeypatch, budget, importance):
    monkeypatch.setattr("skcompress.core.systems.DENSE_LIMIT", 10)
    X, Y = correlated(80, 30, seed=1, n_outputs=3)
    dense = model_of(X, Y)
    weights = np.random.default_rng(0).random((3, 80)) / 80
    means = [(w / w.sum()) @ X for w in weights]
    lazy = QuadraticModel(
        [LazyGram(X, w, mean) for w, mean in zip(weights, means, strict=True)], dense.centre, null_loss=dense.null_loss
    )
    whole = QuadraticModel([gram.block(np.arange(30)) for gram in lazy.grams], dense.centre, null_loss=dense.null_loss)
    one = prune(lazy, importance=importance, feature_groups="feature", keep=[3], **budget)
    other = prune(whole, importance=importance, feature_groups="feature", keep=[3], **budget)
    assert one.support[:, 3].all()
    assert (one.support == one.support[0]).all()
    assert one.loss == pytest.approx(whole.loss(one.weights), abs=1e-10)
    if importance == "obs":
        kept, left = np.flatnonzero(one.support[0]), np.flatnonzero(~one.support[0])
        for out, into in itertools.product(kept[kept != 3], left):
            moved = np.isin(np.arange(30), [*kept[kept != out], into])
            assert (
                one.loss
                <= whole.restrict(np.tile(moved, (3, 1))).loss(whole.restrict(np.tile(moved, (3, 1))).centre) + 1e-9
            )
    else:
        np.testing.assert_array_equal(one.support, other.support)
        np.testing.assert_allclose(one.importances, other.importances)


def test_without_any_curvature_some_searches_are_refused_by_name(monkeypatch):
    monkeypatch.setattr("skcompress.core.systems.DENSE_LIMIT", 10)
    X, Y = correlated(80, 30, seed=1, n_outputs=2)
    share = np.full(80, 1 / 80)
    lazy = QuadraticModel([LazyGram(X, share * f, X.mean(axis=0)) for f in (1.0, 2.0)], model_of(X, Y).centre)
    for search in ("backward", "exact"):
        with pytest.raises(ValueError, match=f"search='{search}'"):
            prune(lazy, n_nonzero=3, search=search, feature_groups="feature")


@pytest.mark.parametrize("n_units", [1, 30, 100, 300, 1000, 3000])
def test_exact_spends_no_more_work_than_some_ten_seconds_by_default(n_units):
    for n_problems in (1, 5):
        nodes = nodes_for(n_units, n_problems)
        assert 1 <= nodes <= MOST_NODES
        assert nodes == 1 or nodes * n_problems * n_units**2 * (n_units + OVERHEAD) <= WORK


def test_exact_ends_by_itself_and_says_what_is_left_to_prove(monkeypatch):
    monkeypatch.setattr(exact_search, "WORK", WORK / 20)
    X, y = correlated(500, 150, rho=0.9, noise=3.0)
    quadratic = model_of(X, y)
    swap, exact = (prune(quadratic, n_nonzero=12, search=search) for search in ("swap", "exact"))
    assert 0 < exact.optimality_gap < swap.optimality_gap
    assert exact.loss <= swap.loss


def test_open_nodes_that_are_given_up_leave_an_honest_gap(monkeypatch):
    X, y = correlated(100, 25, rho=0.9, noise=3.0)
    proven = prune(model_of(X, y), n_nonzero=8, search="exact")
    monkeypatch.setattr(exact_search, "_OPEN_BYTES", 0)
    monkeypatch.setattr(exact_search, "_BATCH", 4)
    given_up = prune(model_of(X, y), n_nonzero=8, search="exact")
    assert proven.proven
    assert not given_up.proven
    assert given_up.loss - given_up.optimality_gap <= proven.loss


@pytest.mark.slow
def test_restarts_find_the_best_support_of_a_few_columns():
    for seed in [2, 3, 10, 17, 25]:
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((40, 5)) @ rng.standard_normal((5, 30)) + 0.5 * rng.standard_normal((40, 30))
        quadratic = model_of(X, X @ rng.random(30))
        best = prune(quadratic, n_nonzero=4, search="exact")
        assert prune(quadratic, n_nonzero=4).loss > best.loss + 1e-9
        assert prune(quadratic, n_nonzero=4, n_restarts=60).loss == pytest.approx(best.loss, abs=1e-9)


@pytest.mark.parametrize("seed", [3, 5])
def test_beyond_the_largest_support_of_groups_that_is_swapped_the_better_start_stays(seed, monkeypatch):
    X, Y = correlated(200, 40, seed=seed, rho=0.9, n_outputs=4)
    model, pairs = model_of(X, Y), np.arange(40) // 2
    swapped = prune(model, n_nonzero=8, feature_groups=pairs)
    monkeypatch.setattr(sys.modules["skcompress.core.subset.blocks"], "LARGE", 0)
    started = prune(model, n_nonzero=8, feature_groups=pairs)
    (problem,) = problems_of(model, units_of(model.free, pairs, None))
    starts = [prune(model, n_nonzero=8, feature_groups=pairs, search="backward").loss]
    starts.append(problem.empty_loss - problem.forward(8)[1].sum())
    assert started.loss == pytest.approx(min(starts))
    assert swapped.loss < started.loss

"""Budgets: what is refused, and where they are spent."""

import itertools
import math

import numpy as np
import pytest
from least_squares import correlated, model_from_zero, model_of, r2, r2_lost

from skcompress.core.budget import bar_of, budget_of
from skcompress.core.pruning import prune
from skcompress.core.subset import SEARCHES
from skcompress.core.subset.profile import hull_steps

INEXACT = [name for name in SEARCHES if name != "exact"]


@pytest.mark.parametrize(
    ("given", "kind", "value"),
    [
        ({}, "criterion", None),
        ({"threshold": 0}, "threshold", 0.0),
        ({"threshold": "median"}, "threshold", "median"),
        ({"threshold": np.float32(0.5)}, "threshold", 0.5),
        ({"n_nonzero": np.int8(3)}, "n_nonzero", 3),
        ({"n_nonzero": 1.0}, "n_nonzero", 1.0),
        ({"max_loss": 0}, "max_loss", 0.0),
    ],
)
def test_one_budget_is_taken_as_it_is(given, kind, value):
    budget = budget_of(**given)
    assert (budget.kind, budget.value) == (kind, value)
    assert type(budget.value) is type(value)


@pytest.mark.parametrize(
    "given",
    [{"threshold": value} for value in (-1, -0.1, True, np.nan, np.inf, "third", "x*mean", "-1*mean", "mean*2", [0.1])]
    + [{"n_nonzero": value} for value in (0, -1, True, 0.0, 1.5, -0.5, np.nan, "3", np.bool_(True), [3])]
    + [{"max_loss": value} for value in (-0.1, True, np.nan, np.inf, "0.1")],
)
def test_other_values_are_refused_by_name(given):
    (name,) = given
    with pytest.raises(ValueError, match=f"{name}="):
        budget_of(**given)


def test_two_budgets_are_refused_by_both_names():
    given = {"threshold": 0.1, "n_nonzero": 3, "max_loss": 0.1}
    for pair in itertools.combinations(given, 2):
        with pytest.raises(ValueError, match=f"{pair[0]}=.* and {pair[1]}=.*at most one"):
            budget_of(**{name: given[name] for name in pair})


@pytest.mark.parametrize(
    ("text", "value"), [("mean", 3.0), ("median", 2.0), ("1.25*mean", 3.75), ("0.5 * median", 1.0), ("2e0*mean", 6.0)]
)
def test_strings_are_multiples_of_the_scores(text, value):
    assert bar_of(text, np.array([1.0, 2.0, 6.0])) == (value, True)
    assert bar_of(0.5, np.array([1.0])) == (0.5, False)


@pytest.fixture
def data():
    X, Y = correlated(90, 8, seed=1, n_outputs=3, noise=0.6)
    Y = Y * [1.0, 10.0, 0.1]
    Y[:, 2] += 3 * Y[:, 2].std() * np.random.default_rng(2).standard_normal(90)
    return X, Y


@pytest.mark.parametrize("search", INEXACT)
@pytest.mark.parametrize("groups", [None, "feature"])
@pytest.mark.parametrize("allowed", [0.0, 0.01, 0.05, 0.2])
def test_max_loss_is_the_fewest_units_within_it(data, search, groups, allowed):
    X, Y = data
    quadratic = model_of(X, Y)
    pruned = prune(quadratic, max_loss=allowed, search=search, feature_groups=groups)
    assert pruned.loss <= allowed + 1e-12
    assert pruned.loss == pytest.approx(r2_lost(X, Y, pruned.support), abs=1e-8)
    if groups is not None and pruned.n_units > 1:
        fewer = prune(quadratic, n_nonzero=pruned.n_units - 1, search=search, feature_groups=groups)
        assert fewer.loss > allowed
    loss = [point.loss for point in pruned.path]
    assert min(loss, default=0.0) <= allowed + 1e-12
    assert (np.diff(loss) <= 0).all()


@pytest.mark.parametrize("search", INEXACT)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 1.0])
def test_a_share_is_spent_where_it_costs_least(data, search, share):
    X, Y = data
    pruned = prune(model_of(X, Y), n_nonzero=share, search=search)
    assert pruned.support.sum() == max(1, round(share * 24))
    even = prune(model_of(X, Y), n_nonzero=max(1, round(share * 8)), search=search)
    if search != "one_shot" and even.support.sum() <= pruned.support.sum():
        assert pruned.loss <= even.loss + 1e-9


def test_a_share_is_spent_best_where_each_output_has_orthogonal_columns():
    weights = np.array([[5.0, 4.0, 3.0, 0.1], [2.0, 0.5, 0.4, 0.3]])
    from_zero = model_of(np.vstack([np.eye(5)[:, :4]] * 20) @ np.diag([1.0, 1, 1, 1]), np.zeros((100, 2)))
    quadratic = from_zero.recentred(weights, free=np.ones((2, 4), dtype=bool))
    quadratic.grams = (type(from_zero.grams[0])(np.eye(4)),)
    quadratic.null_loss = np.ones(2)
    for search in SEARCHES:
        pruned = prune(quadratic, n_nonzero=0.5, search=search)
        np.testing.assert_array_equal(pruned.support, np.abs(weights) >= 2.0 - (weights == 0))
        assert pruned.loss == pytest.approx((0.1**2 + 0.5**2 + 0.4**2 + 0.3**2) / 2)
        assert pruned.optimality_gap == 0.0


def test_one_shot_keeps_scores_above_the_threshold_and_at_a_named_one(data):
    X, Y = data
    quadratic = model_of(X, Y)
    scores = prune(quadratic, n_nonzero=8, search="one_shot").importances
    level = np.sort(scores, axis=None)[10]
    with pytest.warns(UserWarning, match="loss of"):
        above = prune(quadratic, threshold=level, search="one_shot")
    np.testing.assert_array_equal(above.support, scores > level)
    with pytest.warns(UserWarning, match="loss of"):
        named = prune(quadratic, threshold="median", search="one_shot")
    np.testing.assert_array_equal(named.support, scores >= np.median(scores))
    assert named.threshold_ == np.median(scores)


def test_backward_stops_when_the_lowest_score_passes(data):
    X, Y = data
    y = Y[:, 0]
    for threshold in (0.001, 0.005, 0.02):
        kept = np.ones(8, dtype=bool)
        while kept.any():
            costs = {j: r2(X, y, kept) - r2(X, y, kept & (np.arange(8) != j)) for j in np.flatnonzero(kept)}
            lowest = min(costs, key=costs.get)
            if costs[lowest] > threshold:
                break
            kept[lowest] = False
        pruned = prune(model_of(X, y), threshold=threshold, search="backward")
        np.testing.assert_array_equal(pruned.support[0], kept)


def test_swap_with_a_threshold_pays_it_for_each_unit(data):
    X, Y = data
    quadratic = model_of(X, Y[:, 0])
    for threshold in (0.001, 0.005, 0.02):
        pruned = prune(quadratic, threshold=threshold)
        value = pruned.loss + threshold * pruned.n_units
        for size in range(1, 9):
            other = prune(quadratic, n_nonzero=size)
            assert value <= other.loss + threshold * size + 1e-12


def test_without_a_budget_the_size_is_that_of_the_signal():
    X, _ = correlated(400, 20, seed=3)
    rng = np.random.default_rng(4)
    y = X[:, [2, 7, 11]] @ [1.0, -1.0, 0.5] + 0.5 * rng.standard_normal(400)
    pruned = prune(model_from_zero(X, y))
    np.testing.assert_array_equal(np.flatnonzero(pruned.support[0]), [2, 7, 11])
    assert 3 in pruned.path.n_units


@pytest.mark.parametrize("seed", range(5))
def test_without_a_budget_no_size_that_was_left_out_has_a_lower_criterion(seed):
    n, p = 150, 25
    X, _ = correlated(n, p, seed=seed)
    rng = np.random.default_rng(seed)
    y = X @ (rng.standard_normal(p) * (rng.random(p) < 0.4)) + 2 * rng.standard_normal(n)
    model = model_from_zero(X, y)
    pruned = prune(model)
    sizes = np.arange(1, p + 1)
    # Extended BIC of Chen and Chen (2008) with gamma = 1/2, of the training R2 at every size.
    left = np.array([1 - r2(X, y, prune(model, n_nonzero=int(size)).support[0]) for size in sizes])
    subsets = np.log([math.comb(p, min(int(size), p // 2)) for size in sizes])
    values = n * np.log(left) + sizes * np.log(n) + subsets
    assert pruned.n_units == sizes[np.argmin(values)]
    assert len(pruned.path) < p


def test_without_a_budget_and_with_more_columns_than_rows_the_fit_is_not_saturated():
    X, _ = correlated(60, 200, seed=3)
    y = 2 * X[:, 20] + np.random.default_rng(4).standard_normal(60)
    pruned = prune(model_from_zero(X, y))
    np.testing.assert_array_equal(np.flatnonzero(pruned.support[0]), [20])


def test_without_a_budget_a_perfect_fit_is_not_padded_and_noise_is_not_fitted():
    X, _ = correlated(100, 8, seed=3)
    np.testing.assert_array_equal(np.flatnonzero(prune(model_from_zero(X, X[:, 1] - X[:, 4])).support[0]), [1, 4])
    noise = np.random.default_rng(0).standard_normal(100)
    with pytest.warns(UserWarning, match="the information criterion prunes every weight"):
        prune(model_from_zero(X, noise))


def test_without_a_budget_each_output_has_its_own_size(data):
    X, Y = data
    together = prune(model_of(X, Y))
    for output in range(3):
        alone = prune(model_of(X, Y[:, output]))
        np.testing.assert_array_equal(together.support[output], alone.support[0])


@pytest.mark.parametrize(
    "curve", [[3.0, 1.0, 0.5, 0.4, 0.4], [3.0, 2.9, 0.5, 0.4, 0.0], [np.inf, np.inf, 2.0, 1.9, 0.0]]
)
def test_hull_steps_fall_and_add_up(curve):
    curve = np.array(curve)
    least = int(np.isinf(curve).sum())
    steps = hull_steps(curve, least)
    assert np.isinf(steps[:least]).all()
    finite = steps[least:]
    assert (np.diff(finite) <= 1e-15).all()
    assert finite.sum() == pytest.approx(curve[least] - curve[-1])
    assert (curve[least] - np.cumsum(finite) <= curve[least + 1 :] + 1e-15).all()

"""prune under signs, against enumeration with scipy's own bounded least squares."""

import itertools

import numpy as np
import pytest
from scipy.optimize import lsq_linear, nnls

from skcompress import QuadraticModel, prune
from skcompress.core.pruning import prune_path, prune_sizes
from skcompress.core.subset import SEARCHES

N_ROWS = 60


def centred(seed, p, n_outputs=1, rho=0.6):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_ROWS, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    W = rng.normal(size=(p, n_outputs))
    Y = X @ W + rng.normal(size=(N_ROWS, n_outputs))
    mostly_right = np.sign(W[:, 0]) * rng.choice([-1, 0, 1], size=p, p=[0.25, 0.15, 0.6])
    return X - X.mean(axis=0), Y - Y.mean(axis=0), mostly_right


def model_of(X, Y, signs, **options):
    """Return the mean squared error as a quadratic around the unconstrained fit, in units of the variance of Y."""
    H = X.T @ X / N_ROWS
    centre = np.linalg.lstsq(X, Y, rcond=None)[0].T
    residual = ((Y - X @ centre.T) ** 2).mean(axis=0)
    null = (Y**2).mean(axis=0)
    model = QuadraticModel(
        H,
        centre,
        null_loss=null,
        base_loss=residual,
        n_samples=N_ROWS,
        signs=signs,
        free=np.ones_like(centre),
        **options,
    )
    return model, float((residual / null).mean())


def least_residual(X, y, signs, columns):
    """Return the share of the variance left by the constrained fit on these columns, by scipy's nnls."""
    columns = list(columns)
    flipped = X[:, columns] * np.where(signs[columns] == 0, 1, signs[columns])
    both = np.hstack([flipped, -flipped[:, signs[columns] == 0]])
    return nnls(both, y)[1] ** 2 / (y @ y)


def by_enumeration(X, y, signs, size, keep=()):
    rest = [j for j in range(X.shape[1]) if j not in keep]
    sets = itertools.combinations(rest, size - len(keep))
    return min(least_residual(X, y, signs, [*keep, *chosen]) for chosen in sets)


@pytest.mark.parametrize("search", ["swap", "exact"])
@pytest.mark.parametrize("seed", range(6))
def test_every_size_has_the_support_that_enumeration_finds(seed, search):
    X, Y, signs = centred(seed, 8, rho=[0.0, 0.5, 0.9][seed % 3])
    model, floor = model_of(X, Y, signs)
    with_weight = np.count_nonzero(model.restrict(model.free).centre)
    assert with_weight >= 2
    for size in range(1, 9):
        pruned = prune(model, n_nonzero=size, search=search)
        assert (signs * pruned.weights >= 0).all()
        assert np.count_nonzero(pruned.weights) == pruned.support.sum() == min(size, with_weight)
        best = by_enumeration(X, Y[:, 0], signs, size)
        assert pruned.loss + floor == pytest.approx(best, abs=1e-10)
        assert pruned.loss - pruned.optimality_gap <= best - floor + 1e-10
        assert pruned.proven or search == "swap"


def test_exact_says_so_when_it_gives_up():
    X, Y, signs = centred(1, 12, rho=0.9)
    model, _ = model_of(X, Y, signs)
    proven = prune(model, n_nonzero=4, search="exact")
    given_up = prune(model, n_nonzero=4, search="exact", max_nodes=1)
    assert proven.proven
    assert not given_up.proven
    assert given_up.loss - given_up.optimality_gap <= proven.loss


@pytest.mark.parametrize("search", ["swap", "exact", "backward", "one_shot"])
def test_kept_columns_stay_and_the_signs_hold(search):
    X, Y, signs = centred(4, 8)
    keep = [0, 5]
    model, floor = model_of(X, Y, np.where(np.isin(np.arange(8), keep), 0, signs))
    pruned = prune(model, n_nonzero=4, keep=keep, search=search)
    assert pruned.support[0, keep].all()
    assert np.count_nonzero(pruned.weights) == 4
    assert (model.signs * pruned.weights >= 0).all()
    best = by_enumeration(X, Y[:, 0], model.signs[0], 4, keep)
    if search in ("swap", "exact"):
        assert pruned.loss + floor == pytest.approx(best, abs=1e-10)
    else:
        assert pruned.loss + floor >= best - 1e-10


def test_a_kept_column_that_its_sign_holds_at_zero_does_not_count():
    X, Y, _ = centred(2, 6)
    model, _ = model_of(X, Y, 0)
    heaviest = int(np.abs(model.centre[0]).argmax())
    wrong = -np.sign(model.centre[0]) * (np.arange(6) == heaviest)
    model, floor = model_of(X, Y, wrong)
    pruned = prune(model, n_nonzero=3, keep=[heaviest])
    assert pruned.weights[0, heaviest] == 0
    assert np.count_nonzero(pruned.weights) == pruned.support.sum() == 3
    assert pruned.loss + floor == pytest.approx(by_enumeration(X, Y[:, 0], wrong, 4, [heaviest]), abs=1e-10)


@pytest.mark.parametrize("labels", ["feature", [0, 0, 1, 2, 2, 3, 4]])
@pytest.mark.parametrize("search", ["swap", "exact"])
def test_groups_of_several_outputs(labels, search):
    X, Y, signs = centred(3, 7, n_outputs=2)
    model, floor = model_of(X, Y, signs)
    of_column = np.arange(7) if labels == "feature" else np.array(labels)
    low, high = np.where(signs > 0, 0, -np.inf), np.where(signs < 0, 0, np.inf)
    for size in (1, 2, 3):
        pruned = prune(model, n_nonzero=size, feature_groups=labels, search=search)
        assert (signs * pruned.weights >= 0).all()
        assert len(np.unique(of_column[(pruned.weights != 0).any(axis=0)])) == size
        best = np.inf
        for groups in itertools.combinations(np.unique(of_column), size):
            columns = np.flatnonzero(np.isin(of_column, groups))
            fits = [lsq_linear(X[:, columns], y, (low[columns], high[columns]), tol=1e-13) for y in Y.T]
            best = min(best, np.mean([2 * fit.cost / (y @ y) for fit, y in zip(fits, Y.T, strict=True)]))
        assert pruned.loss + floor == pytest.approx(best, abs=1e-8)


def test_each_output_holds_the_sign_on_its_own():
    X, Y, signs = centred(7, 6, n_outputs=3)
    model, _ = model_of(X, Y, signs)
    pruned = prune(model, n_nonzero=2)
    assert (signs * pruned.weights >= 0).all()
    for output in range(3):
        alone = prune(model.output(output), n_nonzero=2)
        np.testing.assert_array_equal(pruned.support[output], alone.support[0])


@pytest.mark.filterwarnings("ignore:threshold=.*bounds what each weight costs")
@pytest.mark.parametrize("search", [*SEARCHES])
@pytest.mark.parametrize(
    "budget", [{"threshold": 0.02}, {"threshold": "0.5*mean"}, {"n_nonzero": 0.4}, {"max_loss": 0.3}, {}], ids=str
)
def test_every_budget_and_search(budget, search):
    X, Y, signs = centred(5, 8, n_outputs=2)
    model, _ = model_of(X, Y, signs)
    pruned = prune(model, search=search, **budget)
    assert pruned.support.any()
    assert (signs * pruned.weights >= 0).all()
    assert (pruned.weights != 0).sum() == pruned.support.sum()
    assert model.loss(pruned.weights) == pytest.approx(pruned.loss, abs=1e-10)
    if "max_loss" in budget:
        assert pruned.loss <= budget["max_loss"]
    if budget == {"n_nonzero": 0.4}:
        assert pruned.support.sum() == round(0.4 * 16)


@pytest.mark.filterwarnings("ignore:threshold=.*bounds what each weight costs")
@pytest.mark.parametrize("search", ["swap", "exact"])
def test_a_threshold_minimises_loss_and_size_together(search):
    X, Y, signs = centred(8, 7)
    model, floor = model_of(X, Y, signs)
    for threshold in (0.2, 0.05, 0.01):
        pruned = prune(model, threshold=threshold, search=search)
        best = min(by_enumeration(X, Y[:, 0], signs, size) + threshold * size for size in range(1, 8))
        assert pruned.loss + floor + threshold * pruned.support.sum() == pytest.approx(best, abs=1e-10)


def test_signs_that_bind_nowhere_change_nothing():
    X, Y, _ = centred(6, 9)
    free, _ = model_of(X, Y, 0)
    for size in range(1, 10):
        plain = prune(free, n_nonzero=size)
        model, _ = model_of(X, Y, np.sign(plain.weights[0]))
        np.testing.assert_allclose(prune(model, n_nonzero=size).loss, plain.loss, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_of_columns_and_target_do_not_matter(scale):
    X, Y, signs = centred(9, 8)
    model, _ = model_of(X, Y, signs)
    factors = scale ** np.linspace(-1, 1, 8)
    other, _ = model_of(X * factors, Y * scale, signs)
    for size in (2, 4, 6):
        np.testing.assert_array_equal(prune(model, n_nonzero=size).support, prune(other, n_nonzero=size).support)


def test_sizes_alone_and_together_are_the_same():
    X, Y, signs = centred(10, 9)
    model, _ = model_of(X, Y, signs)
    together = prune_sizes(model, [5, 2, 3])
    path = prune_path(model, [2, 3, 5])
    for size, one in zip((5, 2, 3), together, strict=True):
        alone = prune(model, n_nonzero=size)
        np.testing.assert_array_equal(one.support, alone.support)
        np.testing.assert_array_equal(path.at(size).support, alone.support)


def test_duplicates_constants_and_more_columns_than_rows():
    X, Y, _ = centred(11, 5)
    X = np.hstack([X, X[:, :2], np.zeros((N_ROWS, 1))])
    model, _ = model_of(X, Y, [1, -1, 1, -1, 1, -1, 1, 1])
    for size in (1, 3, 8):
        for search in ("swap", "exact", "backward"):
            pruned = prune(model, n_nonzero=size, search=search)
            assert (model.signs * pruned.weights >= 0).all()
            assert pruned.weights[0, -1] == 0
            assert np.count_nonzero(pruned.weights) <= size
    wide = np.random.default_rng(0).normal(size=(N_ROWS, 150))
    wide -= wide.mean(axis=0)
    model, _ = model_of(wide, Y, 1)
    pruned = prune(model, n_nonzero=10)
    assert np.count_nonzero(pruned.weights) == 10
    assert (pruned.weights >= 0).all()
    assert prune(model, n_nonzero=10, n_restarts=5).loss <= pruned.loss + 1e-12


def test_no_single_swap_improves_a_swap_support():
    X, Y, signs = centred(12, 14, rho=0.9)
    model, floor = model_of(X, Y, signs)
    pruned = prune(model, n_nonzero=5)
    support = np.flatnonzero(pruned.support[0])
    for gone in support:
        for new in np.setdiff1d(np.arange(14), support):
            other = least_residual(X, Y[:, 0], signs, [*np.setdiff1d(support, gone), new])
            assert other >= pruned.loss + floor - 1e-9


def test_weights_left_as_they_are_must_have_their_signs():
    X, Y, _ = centred(13, 5)
    model, _ = model_of(X, Y, 0)
    signs = np.sign(model.centre[0])
    good, _ = model_of(X, Y, signs)
    pruned = prune(good, n_nonzero=2, refit=None, search="one_shot")
    np.testing.assert_array_equal(pruned.weights[pruned.support], model.centre[pruned.support])
    bad, _ = model_of(X, Y, -signs)
    with pytest.raises(ValueError, match=r"refit=None.*monotonic_cst.*closed_form"):
        prune(bad, n_nonzero=2, refit=None, search="one_shot")


def test_a_callable_scores_once_or_says_what_to_use():
    X, Y, signs = centred(14, 6)
    model, _ = model_of(X, Y, signs)
    pruned = prune(model, n_nonzero=2, importance=lambda quadratic: np.abs(quadratic.centre), search="one_shot")
    assert pruned.support.sum() == 2
    assert (signs * pruned.weights >= 0).all()
    with pytest.raises(ValueError, match=r"search='backward' with monotonic_cst.*one_shot"):
        prune(model, n_nonzero=2, importance=lambda quadratic: np.abs(quadratic.centre), search="backward")


def test_signs_may_come_with_the_model_or_with_the_call():
    X, Y, signs = centred(15, 6, n_outputs=2)
    with_model, _ = model_of(X, Y, signs)
    bare, _ = model_of(X, Y, 0)
    np.testing.assert_array_equal(
        prune(bare, n_nonzero=2, monotonic_cst=signs).weights, prune(with_model, n_nonzero=2).weights
    )
    assert not bare.signs.any()
    for wrong, told in (
        ([1, 0], "shape"),
        ([2] * 6, "must be -1 .* got 2"),
        (["up"] * 6, "could not convert"),
        (-signs, "other sign of column"),
    ):
        with pytest.raises(ValueError, match=rf"monotonic_cst cannot be used.*{told}"):
            prune(with_model, n_nonzero=2, monotonic_cst=wrong)

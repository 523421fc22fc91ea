"""selection_stability: would another sample of rows have kept the same weights, and which could stand in for them.

The model is pruned on bootstrap samples of the rows. Where the loss is squared error without an L1 penalty, a sample is
a sum of moments of blocks of rows (see `skcompress.core.resampling`), so that X is read once and each sample costs a
search; else the estimator is fitted on the rows of each sample.

Selection frequencies say how often a weight is kept (Meinshausen and Bühlmann, "Stability selection", 2010, without
their bound on false selections, which is about half-samples). A column of two that carry the same has half the
frequency, whatever it is worth: look at its substitute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from .._base import fit_nest
from ..core.checks import require_integer
from ..core.gram import DENSE_LIMIT
from ..core.linalg import Floats, Indices, Mask
from ..core.pruning import prune_with
from ..core.quadratic import QuadraticModel
from ..core.resampling import ResampledSquares, blocks_of
from ..core.substitutes import substitutes
from ..linear.column_names import Columns
from ..linear.containers import find_leaf, is_wrapper
from ..linear.curvature import fit_of
from ..linear.fitting import require_fitting
from ..linear.nest import base_params, unroll
from ..linear.problem import LinearProblem
from ..linear.rows import count_rows, take_rows
from ..pruning import PrunedClassifier, PrunedRegressor

_SAMPLE_FLOATS = 2**26
"""Half a GB of float64: as many samples at once as fit into it."""

_SHOWN = 10


@dataclass(frozen=True, repr=False)
class SelectionStability:
    """What pruning keeps on bootstrap samples of the rows.

    Attributes
    ----------
    features : DataFrame
        One row a weight, named by its feature (by output and feature for several outputs): ``frequency``, the share of
        samples that keep it; ``kept``, whether it is kept on all rows; and for a kept one ``substitute``, the feature
        that could best stand in for it, and ``cost``, by how much the loss would rise on all rows, in units of the null
        loss. Without substitutes where units are groups.
    supports : DataFrame
        One row for each distinct set of kept weights, the most frequent first: ``frequency``; ``loss`` on all rows with
        the weights at their optimum, in units of the null loss, on the quadratic model; ``n_nonzero``; ``chosen``,
        whether it is the set kept on all rows; ``features``, their names.
    samples : ndarray of shape (n_boot, m, p), dtype=bool
        The weights that each sample keeps.
    method : {"moments", "refits"}
        How the samples were made.

    See Also
    --------
    selection_stability : Makes it.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skcompress import PrunedRegressor, selection_stability
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> stability = selection_stability(PrunedRegressor(n_nonzero=2), X, y, n_boot=20)
    >>> stability.samples.shape
    (20, 1, 10)
    """

    features: pd.DataFrame
    supports: pd.DataFrame
    samples: NDArray[np.bool_]
    method: str

    def __repr__(self) -> str:
        table = self.features.sort_values("frequency", ascending=False, kind="stable")
        often = (np.arange(len(table)) < _SHOWN) & (table["frequency"] > 0)
        shown = table[often | table["kept"]].to_string(float_format="{:.3g}".format, na_rep="")
        n_near = int((self.supports["loss"] <= self._chosen_loss + 0.01).sum())
        return (
            f"SelectionStability: {len(self.samples)} samples by {self.method}, {len(self.supports)} distinct "
            f"supports, {n_near} of them within a loss of 0.01 of the chosen one\n{shown}"
        )

    @property
    def _chosen_loss(self) -> float:
        chosen = self.supports.loc[self.supports["chosen"], "loss"]
        return float(chosen.iloc[0]) if len(chosen) else float(self.supports["loss"].min())


def selection_stability(
    estimator: Any,
    X: Any,
    y: Any,
    n_boot: int = 100,
    *,
    sample_weight: Any = None,
    random_state: Any = None,
) -> SelectionStability:
    """Prune on bootstrap samples of the rows: which weights are always kept, and which are interchangeable.

    Parameters
    ----------
    estimator : PrunedRegressor, PrunedClassifier, or Pipeline that ends in one
        Fitted or not; a clone of it is fitted.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Rows as the estimator takes them.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    n_boot : int, default=100
        Bootstrap samples.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows. A sample draws rows alike and keeps their weights.
    random_state : int, RandomState or None, default=None
        Of the samples. None: the same as 0.

    Returns
    -------
    stability : SelectionStability
        Frequencies, distinct supports and substitutes.

    Raises
    ------
    TypeError
        If the estimator is none of those above.
    ValueError
        If n_boot is not a positive integer.

    See Also
    --------
    PrunedRegressor : Chooses the weights to keep.

    Notes
    -----
    For squared error without an L1 penalty the samples are sums of moments of at most 1,000 blocks of random rows, and
    X is read once. Steps before the linear model then stay as they are fitted on all rows, hyperparameters that the
    base has searched for stay, and ties between columns are broken at random, so that exact duplicates share their
    frequency. For other losses the whole estimator is fitted on each sample, for classifiers with as many rows of each
    class as there are.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skcompress import PrunedRegressor, selection_stability
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> stability = selection_stability(PrunedRegressor(n_nonzero=4), X, y)
    >>> stability.features.loc[["bmi", "s1"], ["kept", "substitute"]]
             kept substitute
    feature
    bmi      True         s2
    s1       True         s3
    >>> bool(stability.features.loc["bmi", "frequency"] > 0.95)
    True
    """
    require_integer("n_boot", n_boot, 1)
    wrapper = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(wrapper, (PrunedRegressor, PrunedClassifier)):
        raise TypeError(
            f"estimator must be a PrunedRegressor, a PrunedClassifier or a Pipeline that ends in one; got "
            f"{type(estimator).__name__}"
        )
    rng = check_random_state(0 if random_state is None else random_state)
    fitted, problem = _fit(estimator, X, y, sample_weight)
    wrapper = fitted[-1] if isinstance(fitted, Pipeline) else fitted
    names = Columns.of(fitted, find_leaf(fitted), problem.weights.shape[1]).names
    support = np.atleast_2d(wrapper.support_)
    if _by_moments(wrapper, problem, count_rows(X)):
        method, samples = "moments", _from_moments(wrapper, problem, n_boot, rng)
    else:
        method = "refits"
        samples = np.stack(list(_from_refits(estimator, X, y, sample_weight, names, support, n_boot, rng)))
    free = problem.weights != 0
    quadratic = problem.quadratic(problem.weights, problem.intercept, free)
    alone = wrapper.feature_groups is None and wrapper.monotonic_cst is None
    return SelectionStability(
        _feature_table(samples, support, quadratic if alone else None, names),
        _support_table(samples, support, quadratic, names),
        samples,
        method,
    )


def _fit(estimator: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Any, LinearProblem]:
    """Return a fitted clone, and the problem of the wrapper in it."""
    fitted = clone(estimator)
    if not isinstance(fitted, Pipeline):
        nest = unroll(fitted)
        require_fitting(nest.places, y)
        model, done = fit_nest(nest, X, y, base_params(fitted, sample_weight, {}))
        return model, done.problem
    before, (name, wrapper) = fitted[:-1], fitted.steps[-1]
    model, problem = _fit(wrapper, before.fit_transform(X, y) if len(fitted) > 1 else X, y, sample_weight)
    fitted.steps = [*before.steps, (name, model)]
    return fitted, problem


def _by_moments(wrapper: Any, problem: LinearProblem, n_rows: int) -> bool:
    """Tell whether a refit on a sample would minimise a sum of moments over the same free weights."""
    leaf = problem.leaf
    unbound = leaf.state is None and not is_wrapper(wrapper.inner_estimator()) and wrapper.monotonic_cst is None
    plain = not getattr(leaf.estimator, "positive", False) and getattr(leaf.estimator, "class_weight", None) is None
    smooth = problem.exact and not problem.own_target and not problem.l1.any()
    whole = problem.X.shape[0] == n_rows and problem.X.shape[1] <= DENSE_LIMIT
    if not (unbound and plain and smooth and whole):
        return False
    # A base that leaves other weights than those of constant columns at zero might choose others on a sample.
    idle = np.flatnonzero((problem.weights == 0).any(axis=0))
    return not len(idle) or (not sp.issparse(problem.X) and bool((problem.X[:, idle] == problem.X[0, idle]).all()))


def _from_moments(wrapper: Any, problem: LinearProblem, n_boot: int, rng: Any) -> Mask:
    n_rows, p = problem.X.shape
    # The names that `keep` and `feature_groups` speak of: those of the wrapper's own input.
    columns = Columns.of(wrapper.estimator_, problem.leaf, p)
    m = len(problem.weights)
    blocks = blocks_of(n_rows, rng)
    counts = rng.multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), size=n_boot).astype(np.float64)
    orders = [np.arange(p) if callable(wrapper.importance) else rng.permutation(p) for _ in range(n_boot)]
    free = problem.weights != 0
    samples = np.zeros((n_boot, m, p), dtype=bool)
    together = max(1, _SAMPLE_FLOATS // (p + m) ** 2)
    for start in range(0, n_boot, together):
        some = slice(start, min(start + together, n_boot))
        squares = ResampledSquares(problem.X, problem.y, problem.row_weight * problem.total, blocks, counts[some])
        for sample in range(some.start, some.stop):
            total = squares.totals[sample - start]
            fit = fit_of(problem.leaf.estimator, total)
            penalty = np.broadcast_to(np.asarray(0.0 if fit is None else fit.l2, dtype=np.float64), (m, p))
            order = orders[sample]
            quadratic = squares.quadratic(
                sample - start, free=free, penalty=penalty, fit_intercept=problem.fits_intercept, order=order
            )
            samples[sample][:, order] = _pruned(wrapper, quadratic, columns, order)
    return samples


def _pruned(wrapper: Any, quadratic: QuadraticModel, columns: Columns, order: Indices) -> Mask:
    """Return the support that the wrapper would choose on a quadratic whose columns are in this order."""
    labels = columns.labels(wrapper.feature_groups)
    keep = None if wrapper.keep is None else columns.select(wrapper.keep, "keep")[order]
    options = wrapper.compression_step().options(
        feature_groups=labels if labels is None or isinstance(labels, str) else labels[order], keep=keep, random_state=0
    )
    return prune_with(quadratic, options).support


def _from_refits(
    estimator: Any, X: Any, y: Any, sample_weight: Any, names: NDArray[Any], support: Mask, n_boot: int, rng: Any
) -> Iterator[Mask]:
    place = {name: column for column, name in enumerate(names)}
    weights = None if sample_weight is None else np.asarray(sample_weight)
    for _ in range(n_boot):
        rows = _drawn(estimator, np.asarray(y) if is_classifier(estimator) else None, count_rows(X), rng)
        own_weights = None if weights is None else weights[rows]
        fitted, _ = _fit(estimator, take_rows(X, rows), take_rows(y, rows), own_weights)
        wrapper = fitted[-1] if isinstance(fitted, Pipeline) else fitted
        chosen = np.atleast_2d(wrapper.support_)
        found = np.zeros_like(support)
        if chosen.shape == support.shape:
            found[:] = chosen
        else:
            own = Columns.of(fitted, find_leaf(fitted), chosen.shape[1]).names
            known = np.array([name in place for name in own], dtype=bool)
            found[:, [place[name] for name in own[known]]] = chosen[:, known]
        yield found


def _drawn(estimator: Any, labels: NDArray[Any] | None, n_rows: int, rng: Any) -> Indices:
    """Return the rows of one sample, ascending; of a classifier's as many of each class as there are."""
    if labels is None:
        return np.sort(rng.randint(n_rows, size=n_rows))
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.sort(np.concatenate([rng.choice(members, len(members)) for members in classes]))


def _feature_table(samples: Mask, support: Mask, quadratic: QuadraticModel | None, names: NDArray[Any]) -> pd.DataFrame:
    m, p = support.shape
    stand_in = np.full((m, p), None, dtype=object)
    cost: Floats = np.full((m, p), np.nan)
    if quadratic is not None:
        found = substitutes(quadratic, support)
        known = found.columns >= 0
        stand_in[known], cost = names[found.columns[known]], found.costs
    index = pd.Index(names, name="feature")
    if m > 1:
        index = pd.MultiIndex.from_product([range(m), names], names=["output", "feature"])
    return pd.DataFrame(
        {
            "frequency": samples.mean(axis=0).ravel(),
            "kept": support.ravel(),
            "substitute": stand_in.ravel(),
            "cost": cost.ravel(),
        },
        index=index,
    )


def _support_table(samples: Mask, support: Mask, quadratic: QuadraticModel, names: NDArray[Any]) -> pd.DataFrame:
    distinct, counts = np.unique(samples.reshape(len(samples), -1), axis=0, return_counts=True)
    rows = []
    for flat, count in zip(distinct, counts.tolist(), strict=True):
        kept = flat.reshape(support.shape)
        model = quadratic.restrict(kept)
        rows.append(
            {
                "frequency": count / len(samples),
                "loss": model.centre_loss,
                "n_nonzero": int(kept.sum()),
                "chosen": bool((kept == support).all()),
                "features": _named(kept, names),
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values(["frequency", "loss"], ascending=[False, True], kind="stable", ignore_index=True)


def _named(kept: Mask, names: NDArray[Any]) -> list[Any]:
    """Return the names of the kept weights, for several outputs pairs of output and name."""
    if len(kept) == 1:
        return list(names[kept[0]])
    return [(output, names[column]) for output, column in zip(*np.nonzero(kept), strict=True)]

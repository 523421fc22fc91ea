"""PrunedRegressor: delete the weights that cost least, and let the others make up for them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state

from ._base import ClassifierCompressor, Outcome, RegressorCompressor, WeightCompressor
from .core.pruning import Pruning, check_pruning, prune_silently, warn_about
from .core.quadratic import QuadraticModel
from .core.quantizing import round_on
from .linear.columns import Columns, check_groups, listed_columns
from .linear.constraint import Constraint
from .linear.exchange import exchanged
from .linear.joint import joint_step
from .linear.problem import LinearProblem
from .linear.refit import refit_on
from .linear.rounds import ROUNDS, Solution, compress_in_rounds, lowest, settle
from .linear.routing import innermost, require_random_state, wrappers_of
from .linear.view import like_coef
from .linear.within import Sizes, fewest_within


class _Pruning(WeightCompressor):
    """The step that pruning regressors and classifiers share."""

    def __init__(
        self,
        estimator: Any = None,
        *,
        threshold: float | str | None = None,
        n_nonzero: float | None = None,
        max_loss: float | None = None,
        importance: Any = "obs",
        search: str = "auto",
        refit: str | None = "closed_form",
        feature_groups: Any = None,
        keep: Any = None,
        monotonic_cst: Any = None,
        n_restarts: int = 0,
        max_nodes: int = 100_000,
        memory: Any = None,
        random_state: Any = None,
    ):
        self.estimator = estimator
        self.threshold = threshold
        self.n_nonzero = n_nonzero
        self.max_loss = max_loss
        self.importance = importance
        self.search = search
        self.refit = refit
        self.feature_groups = feature_groups
        self.keep = keep
        self.monotonic_cst = monotonic_cst
        self.n_restarts = n_restarts
        self.max_nodes = max_nodes
        self.memory = memory
        self.random_state = random_state

    def _options(self) -> dict[str, Any]:
        return {
            "importance": self.importance,
            "search": self.search,
            "refit": "closed_form" if self.refit == "estimator" else self.refit,
            "n_restarts": self.n_restarts,
            "max_nodes": self.max_nodes,
        }

    def _budget(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "n_nonzero": self.n_nonzero, "max_loss": self.max_loss}

    def _check_parameters(self) -> None:
        if self.refit not in ("closed_form", "estimator", None):
            raise ValueError(f"refit={self.refit!r} is not known: use 'closed_form', 'estimator' or None")
        check_pruning(**self._budget(), **self._options())
        if self.keep is not None:
            listed_columns(self.keep, "keep")
        check_groups(self.feature_groups)
        require_random_state(self.random_state)
        if self.refit == "estimator" and self.monotonic_cst is not None:
            raise ValueError(
                "refit='estimator' fits the base again, which knows nothing of monotonic_cst: use refit='closed_form'"
            )
        if self.refit == "estimator" and isinstance(innermost(self._inner()), FrozenEstimator):
            raise ValueError(
                "refit='estimator' cannot be used with a FrozenEstimator, which is not fitted again: use "
                "refit='closed_form' or refit=None"
            )
        if self.refit == "estimator" and any(wrapper._own_target for wrapper in wrappers_of(self._inner())):
            raise ValueError(
                "refit='estimator' fits the base again on y, which would undo the distillation inside: use "
                "refit='closed_form' or refit=None"
            )

    def _compress(self, problem: LinearProblem, start: Constraint, columns: Columns) -> Outcome:
        if problem.noise is None and all(budget is None for budget in self._budget().values()):
            raise ValueError(
                "without a budget an information criterion chooses the size, and it needs y and a base with a loss of "
                "its own: set n_nonzero, max_loss or threshold"
            )
        groups = columns.labels(self.feature_groups)
        keep = None if self.keep is None else columns.kept(self.keep, start.support)
        random_state = check_random_state(self.random_state)
        start = self._constrained(start, columns)

        fixed = {**self._options(), "random_state": random_state}
        rounds = 1 if self._scores_once() else ROUNDS

        def solve(**budget: Any) -> Solution:
            def step(quadratic: QuadraticModel, earlier: Pruning | None) -> Pruning:
                if earlier is not None and not earlier.n_units:
                    return earlier
                asked = budget if earlier is None else {"n_nonzero": earlier.same_size}
                return prune_silently(quadratic, **asked, **fixed, feature_groups=groups, keep=keep)

            if self.refit is None:
                quadratic = problem.quadratic(start.centre, start.intercept, start.support, signs=start.signs)
                result = step(quadratic, None)
                return Solution(result, start.intercept, quadratic, result)
            solutions = [compress_in_rounds(problem, start, step, rounds)]
            n_nonzero = budget.get("n_nonzero")
            # Under signs the search of all classes together takes seconds, too long for each size on the way.
            quick = self.max_loss is None or not np.any(start.signs)
            if self._shares(n_nonzero) and start.grid is None and quick:
                joint = joint_step(problem, start, groups, keep, n_nonzero=n_nonzero, **fixed)
                with suppress(np.linalg.LinAlgError):  # a saturated model has no curvature between classes
                    solutions += [] if joint is None else [compress_in_rounds(problem, start, joint, rounds)]
            best = lowest(problem, solutions, start.signs)
            return exchanged(problem, start, best, keep) if self._searches_classes(n_nonzero, start) else best

        solution = solve(**self._budget())
        scored = solution.first
        outcome = self._refitted(problem, start, solution)
        known = problem.exact and start.grid is None and np.array_equal(start.centre, problem.weights)
        if self.max_loss is not None and not known and start.support.any():
            solution, outcome = self._within(self.max_loss, problem, solution, outcome, solve, start)
        lost = solution.result.loss if problem.exact else problem.assess(outcome.weights, outcome.intercept)[0]
        self._report(scored, solution, problem, lost)
        if start.support.any():
            warn_about(solution.result, lost, **self._budget())
        return outcome

    def _within(
        self, allowed: float, problem: LinearProblem, found: Solution, outcome: Outcome, solve: Any, start: Constraint
    ) -> tuple[Solution, Outcome]:
        """Return the fewest units whose true loss is within the budget, beginning at what the quadratic found."""
        tried = {found.result.total: (found, outcome)}

        def loss_at(size: int) -> float:
            if size not in tried:
                solution = solve(n_nonzero=found.result.asking_for(size))
                tried[size] = solution, self._refitted(problem, start, solution)
            return problem.assess(tried[size][1].weights, tried[size][1].intercept)[0]

        if not found.result.total and loss_at(0) <= allowed:
            return found, outcome
        size = fewest_within(allowed, Sizes.of(found.result), loss_at)
        loss_at(size)
        return tried[size]

    def _scores_once(self) -> bool:
        """Return whether the support is that of one set of scores, at the weights before pruning."""
        searched = isinstance(self.importance, str) and self.importance == "obs"
        return self.search == "one_shot" or (self.search == "auto" and not searched)

    def _searches_classes(self, n_nonzero: Any, start: Constraint) -> bool:
        """Return whether each output is searched on its own, for the support that loses least."""
        alone = isinstance(n_nonzero, Integral) and self.feature_groups is None and start.grid is None
        return alone and self.refit == "closed_form" and not self._scores_once() and self.search != "backward"

    def _shares(self, n_nonzero: Any) -> bool:
        """Return whether one number of units is spent on all outputs together, by what they cost."""
        share = isinstance(n_nonzero, Real) and not isinstance(n_nonzero, Integral)
        together = share or (n_nonzero is not None and self.feature_groups is not None)
        return together and isinstance(self.importance, str) and self.importance == "obs"

    def _constrained(self, start: Constraint, columns: Columns) -> Constraint:
        """Add the signs of `monotonic_cst` to those that the estimator inside asks for."""
        if self.monotonic_cst is None:
            return start
        asked = np.broadcast_to(columns.signs(self.monotonic_cst, "monotonic_cst"), start.centre.shape)
        given = np.broadcast_to(start.signs, start.centre.shape)
        against = np.flatnonzero((asked * given < 0).any(axis=0))
        if len(against):
            place = int(against[0])
            raise ValueError(
                f"monotonic_cst asks for the sign {int(asked[0, place]):+d} of {columns.names[place]!r}, and the "
                "estimator inside holds the other one, by positive=True or by its own monotonic_cst: use 0 for it, or "
                "change the estimator"
            )
        return replace(start, signs=np.where(asked != 0, asked, given))

    def _refitted(self, problem: LinearProblem, start: Constraint, solution: Solution) -> Outcome:
        result: Pruning = solution.result
        support = result.support
        if self.refit == "estimator":
            centre, intercept = refit_on(problem, support)
        elif self.refit == "closed_form":
            centre, intercept = settle(problem, result.weights, solution.intercept, support, start.signs)
        else:
            centre, intercept = result.weights, start.intercept
        settled = self.refit is not None
        constraint = replace(start, centre=centre, intercept=intercept, support=support, at_minimum=settled)
        if start.grid is None:
            return Outcome(centre, intercept, constraint)
        model = solution.quadratic.recentred(centre, free=support)
        rounded = round_on(model, start.grid, rounding=start.rounding, random_state=self.random_state)
        level = intercept if self.refit is None else problem.best_intercept(rounded.weights)
        return Outcome(rounded.weights, level, constraint, leveled=self.refit is not None)

    def _report(self, scored: Pruning, solution: Solution, problem: LinearProblem, lost: float) -> None:
        """Set what is known of the support, by the quadratic at the weights before pruning."""
        leaf = problem.leaf.estimator
        self.support_ = like_coef(leaf, solution.result.support)
        self.importances_ = like_coef(leaf, scored.importances)
        self.path_ = scored.path
        # A search without the blocks between classes proves nothing: no support gains more than all that is lost.
        proves = not problem.fit.deviance.coupled or len(solution.first.quadratic.centre) == 1
        self.optimality_gap_ = solution.first.gap_of(solution.result.support) if proves else max(0.0, lost)

    @property
    def n_nonzero_(self) -> int:
        """Number of weights that are not zero, over all outputs."""
        return int(np.count_nonzero(self.coef_))


class PrunedRegressor(RegressorCompressor, _Pruning):
    """Fit a linear regressor and keep only the weights that matter.

    The loss around the fitted weights is quadratic, so that the cost of deleting any set of weights, with the others
    moved to their new optimum, is known without fitting again. The weights to keep are chosen by that cost, not by
    their size.

    Parameters
    ----------
    estimator : estimator, default=None
        A linear regressor, or a Pipeline, TransformedTargetRegressor, search, FrozenEstimator or wrapper around one.
        None: LinearRegression().
    threshold : float or str, default=None
        Units with a score above it are kept; "mean", "median" or "1.25*mean" of the scores: at or above. It bounds
        each unit's own cost, not the sum.
    n_nonzero : int or float, default=None
        int: units kept per output. float in (0, 1]: fraction of all weights, shared among the outputs where it costs
        least.
    max_loss : float, default=None
        The fewest units with a `loss_increase_` within it, which takes several searches where the loss is not quadratic
        or the estimator inside is compressed already; all that is left of that where its own loss is above. At most one
        of these three may be given; with none an information criterion chooses along the path.
    importance : {"obs", "obd", "l1", "l2"} or callable, default="obs"
        The score of a unit. "l1" and "l2": the norm of its weights, the textbook. "obd": w_j^2 H_jj. "obs":
        w_j^2 / [H^-1]_jj, the exact loss of deleting it. A callable gets the quadratic model and returns scores of the
        shape of its centre. "obd" and "obs" are in units of loss.
    search : {"auto", "one_shot", "backward", "swap", "exact"}, default="auto"
        "one_shot" scores once, at the weights before pruning. "backward" drops the lowest and scores again. "swap"
        starts forward and backward and then exchanges units until no exchange helps. "exact": branch and bound, which
        proves the support optimal or says by `optimality_gap_` how far it may be. "auto": "swap" for "obs", else
        "one_shot".
    refit : {"closed_form", "estimator", None}, default="closed_form"
        How the kept weights make up for the deleted ones: on the quadratic model, by fitting the base again on the kept
        features, or not at all (one_shot only).
    feature_groups : None, "feature", "input", labels, dict or callable, default=None
        None: single weights. "feature": a feature goes for all outputs. "input": all features that come from one raw
        input go together. Labels, one per feature; {label: features}; or a callable from names to labels.
    keep : list of str or int, default=None
        Features or raw inputs that are never pruned; those that the base has at zero already are warned of. After a
        refit of least squares, logistic regression or Poisson without penalty, the mean prediction on the segment of a
        kept 0/1 column equals the observed mean.
    monotonic_cst : array-like of {-1, 0, 1} or dict, default=None
        The sign that a feature's weight may have, for every output: 1 not negative, -1 not positive, 0 any. One entry
        for each feature of the linear model, or a dict from names of features or raw inputs to signs; a raw input
        stands for all features that are made of it. The signs hold in the search, the refit and every rounding by a
        wrapper around this one; a base that violates them is solved again under them. With more weights asked for
        than can be other than zero under the signs, there are as many as can. A base with positive=True brings its
        own signs. Not with refit="estimator".
    n_restarts : int or "auto", default=0
        Perturbed restarts of the swap search; they matter where there are more columns than rows. "auto": at most 100,
        until 20 in a row have found nothing better.
    max_nodes : int, default=100_000
        Nodes after which the exact search gives up the proof and keeps the best support found.
    memory : str or joblib.Memory, default=None
        Caches the fit of the base; refused where its random_state=None would make each fit another.
    random_state : int, RandomState or None, default=None
        For the restarts.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator with the pruned weights.
    coef_, intercept_ : ndarray, in the shapes of the linear model inside
        Pruned weights, and the intercept re-solved for them.
    base_coef_, base_intercept_ : ndarray
        The same before compression.
    support_ : ndarray of bool, in the shape of coef_
        Which weights are kept. Around a wrapper that quantizes, its grid may round some of them to zero.
    importances_ : ndarray, in the shape of coef_
        The score of each weight's unit before pruning.
    n_nonzero_ : int
        Number of weights that are not zero; at most ``support_.sum()``.
    path_ : sequence of (n_units, loss, support)
        The sizes that the search visited, on the quadratic model at the weights before pruning.
    loss_increase_ : float
        Loss gained on the training rows, in units of the null loss (for LinearRegression the R2 lost).
    prediction_change_ : float
        Root mean square change of the linear predictor on the training rows.
    optimality_gap_ : float
        No support of this size can lose less, on the quadratic model at the weights before pruning, than the chosen
        one's loss there minus this. For several classes of a multinomial loss with a budget for each, nothing is
        proven, and it is the whole `loss_increase_`.
    n_features_in_ : int
        Number of input columns.
    input_range_ : ndarray of shape (2, n_features_in_), or None
        The least and the greatest value of each input in training; NaN for columns without numbers.
    feature_names_in_ : ndarray of str
        Names of the input columns, where X was a dataframe.

    See Also
    --------
    QuantizedRegressor : Puts the weights that are left on a grid of integers.

    References
    ----------
    Hassibi and Stork, "Second order derivatives for network pruning: Optimal Brain Surgeon" (1993).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skcompress import PrunedRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = PrunedRegressor(n_nonzero=4).fit(X, y)
    >>> model.feature_names_in_[model.support_].tolist()
    ['bmi', 'bp', 's1', 's5']
    >>> round(model.loss_increase_, 3)
    0.026
    """


class PrunedClassifier(ClassifierCompressor, _Pruning):
    """Fit a linear classifier and keep only the weights that matter.

    As `PrunedRegressor`, on the deviance (twice the log loss) of LogisticRegression or the squared loss of
    RidgeClassifier; for classifiers whose loss has no curvature, such as LinearSVC, on the change of the decision
    function. For a logistic base with an intercept, that is solved again so that the mean probability of each class
    equals its share in the weighted rows.

    Parameters
    ----------
    estimator : estimator, default=None
        A linear classifier, or a Pipeline, search, FrozenEstimator or wrapper around one. None: LogisticRegression().
    threshold, n_nonzero, max_loss
        As in `PrunedRegressor`; an output is a class here, and with feature_groups=None each class keeps its own
        weights.
    importance, search, refit, feature_groups, keep, monotonic_cst, n_restarts, max_nodes, memory, random_state
        As in `PrunedRegressor`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    estimator_, coef_, intercept_, base_coef_, base_intercept_, support_, importances_, n_nonzero_, path_
        As in `PrunedRegressor`.
    loss_increase_, prediction_change_, optimality_gap_
        As in `PrunedRegressor`, in units of the null deviance.

    See Also
    --------
    QuantizedClassifier : Puts the weights that are left on a grid of integers.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skcompress import PrunedClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = PrunedClassifier(make_pipeline(StandardScaler(), LogisticRegression()), n_nonzero=5)
    >>> model = model.fit(X, y)
    >>> int(model.support_.sum()), bool(model.score(X, y) > 0.97)
    (5, True)
    """

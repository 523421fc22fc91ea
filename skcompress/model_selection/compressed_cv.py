"""The search that CompressedRegressorCV and CompressedClassifierCV share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from .._base import LinearCompressor, assembled, filled
from ..core.checks import is_number
from ..linear.containers import innermost, wrappers_of
from ..linear.fitting import base_fit_through, fit_params_of, require_estimator, require_random_state, weight_given
from ..linear.nest import params_inside, through
from ..linear.rows import input_range
from ..linear.view import like_coef, require_kind
from .choosing import check_tolerance, cv_results, frontier, smallest, undominated, within
from .fold_moments import whole_of
from .folds import CallbackSupportMixin, Data, FoldResult, Grid, fit_base, is_bare, run_fold, watched, with_callbacks
from .held_out import scorer_of
from .sizes import bytes_at, check_size, checked_values, default_sizes, measure
from .sweep import grid_points, nest_of, sweep


class CompressedCV(CallbackSupportMixin, LinearCompressor):
    """The search that the regressor and the classifier share."""

    _kinds: ClassVar[Mapping[str, type]]

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_nonzero: Any = None,
        bits: Any = (None, 8, 6, 4, 3, 2),
        size: Any = "bytes",
        tolerance: float | str = "1se",
        max_bytes: int | None = None,
        cv: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        memory: Any = None,
        random_state: Any = None,
    ):
        self.estimator = estimator
        self.n_nonzero = n_nonzero
        self.bits = bits
        self.size = size
        self.tolerance = tolerance
        self.max_bytes = max_bytes
        self.cv = cv
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.memory = memory
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None, **fit_params: Any) -> Any:
        """Search the grid by cross-validation and keep the smallest good model, fitted on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Whatever the estimator inside accepts.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, for the estimator inside, the loss and the held-out scores.
        groups : array-like of shape (n_samples,), default=None
            Labels for splitters such as GroupKFold.
        **fit_params
            Passed to the fit of the estimator inside; those with one entry a row are split along with X.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or no candidate is within `max_bytes`.
        """
        if groups is not None:
            fit_params["groups"] = groups
        return super().fit(X, y, sample_weight, **fit_params)

    @with_callbacks
    def _fit_all(self, X: Any, y: Any, sample_weight: Any, fit_params: dict[str, Any]) -> None:
        name, inner = type(self).__name__, self.inner_estimator()
        require_estimator(inner, name)
        require_kind(innermost(inner), name)
        self.check_parameters()
        if y is None:
            raise ValueError(f"{name} requires y to be passed, but the target y is None: without it nothing is scored")
        base_fit, fit_params = base_fit_through(self.memory), dict(fit_params)
        groups = fit_params.pop("groups", None)
        if sample_weight is not None and not hasattr(sample_weight, "shape"):
            sample_weight = np.asarray(sample_weight)
        nest = nest_of(inner, self._kinds, self.random_state)
        self._check_steps(nest)
        params = params_inside(inner, fit_params_of(self, inner, sample_weight, fit_params))
        data = Data(X, y, sample_weight, params)
        fitted = fit_base(nest, data, base_fit)
        if is_classifier(self):
            _require_classes(name, y, sample_weight)
        grid = self._grid(nest, fitted)
        splits = list(check_cv(self.cv, y, classifier=is_classifier(self)).split(X, y, groups))
        self.scorer_ = scorer_of(fitted.model, self.scoring)
        context = self._init_callback_context(max_subtasks=len(splits) + 1)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        whole = whole_of(fitted.problem, bare=is_bare(fitted))
        tasks = (delayed(run_fold)(nest, data, *split, grid, self.scoring, base_fit, whole) for split in splits)
        results = Parallel(n_jobs=self.n_jobs, return_as="generator")(tasks)
        folds = watched(self, context, results, len(splits), len(grid_points(grid)))
        rest = context.subcontext(task_name="compress-all-rows").call_on_fit_task_begin(estimator=self)
        candidates = sweep(nest, fitted, grid)
        sizes = measure(
            nest, fitted, candidates, self.size, with_bytes=self.size == "bytes" or self.max_bytes is not None
        )
        scores = np.column_stack([fold.scores for fold in folds])
        best = self._choose(scores, sizes)
        places = undominated(scores.mean(axis=1), sizes["size"])
        if np.isnan(sizes["bytes"]).any():
            sizes["bytes"][places] = bytes_at(nest, fitted, candidates, places)
        self.cv_results_ = cv_results([candidate.values for candidate in candidates], scores, sizes)
        self.best_index_, self.best_params_ = best, dict(candidates[best].values)
        self.best_score_ = float(scores[best].mean())
        self.n_splits_ = len(splits)
        done = through(fitted, nest.places(self.best_params_))
        filled(self, assembled(done), done.state, assessed=True)
        self.input_range_ = input_range(X, weight_given(sample_weight, fit_params))
        leaf = fitted.problem.leaf.estimator
        self._frontier = places, 8 * leaf.coef_.dtype.itemsize
        frequency = _frequency(folds, best, fitted.columns.names, len(fitted.state.weights))
        self.support_frequency_ = like_coef(leaf, frequency)
        rest.call_on_fit_task_end(estimator=self)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)

    @property
    def frontier_(self) -> pd.DataFrame:
        """The candidates than which none is smaller and as good, by rising size."""
        check_is_fitted(self)
        return frontier(self.cv_results_, *self._frontier)

    def _check_steps(self, nest: Any) -> None:
        """Raise ValueError for values and options of the steps that are out of their range, before a fit."""
        given = {"n_nonzero": 1 if self.n_nonzero is None else self.n_nonzero, "bits": self.bits}
        for wrapper in wrappers_of(self.inner_estimator()):
            wrapper.check_parameters()
        for step in nest.steps:
            for value in checked_values(given[step.parameter], step.parameter):
                if value is not None:
                    step.at(value).check_parameters()

    def _grid(self, nest: Any, fitted: Any) -> Grid:
        sizes = self.n_nonzero
        return {
            "n_nonzero": default_sizes(nest, fitted) if sizes is None else checked_values(sizes, "n_nonzero"),
            "bits": checked_values(self.bits, "bits"),
        }

    def _choose(self, scores: NDArray[np.float64], sizes: Mapping[str, NDArray[np.float64]]) -> int:
        allowed = np.ones(len(scores), dtype=bool)
        if self.max_bytes is not None:
            allowed = sizes["bytes"] <= self.max_bytes
            if not allowed.any():
                raise ValueError(
                    f"max_bytes={self.max_bytes!r}: the smallest candidate takes {int(sizes['bytes'].min())} bytes; "
                    "allow more, or try fewer weights or bits"
                )
        good = within(scores, self.tolerance, allowed)
        if not good.any():
            raise ValueError(f"scoring={self.scoring!r} gives NaN for every candidate")
        return smallest(scores, sizes["size"], good)

    def check_parameters(self) -> None:
        """Raise ValueError for a parameter that no search takes."""
        check_tolerance(self.tolerance)
        check_size(self.size)
        require_random_state(self.random_state)
        if self.max_bytes is not None and not (is_number(self.max_bytes) and self.max_bytes > 0):
            raise ValueError(f"max_bytes must be a number of bytes above 0, or None; got {self.max_bytes!r}")


def _require_classes(name: str, y: Any, sample_weight: Any) -> None:
    labels = np.asarray(y)
    if labels.ndim != 1:
        return
    if sample_weight is not None:
        labels = labels[np.asarray(sample_weight) > 0]
    if len(labels) and (labels == labels[0]).all():
        raise ValueError(f"{name} needs two classes in rows with a weight above 0; there is 1 class, {labels[0]}")


def _frequency(folds: list[FoldResult], best: int, names: NDArray[Any], n_outputs: int) -> NDArray[np.float64]:
    """Return the share of the folds in which each weight of the chosen candidate is not zero, shape (m, p).

    Features are told by their names, which a fold that has not seen a category lacks.
    """
    place = {name: index for index, name in enumerate(names)}
    frequency = np.zeros((n_outputs, len(names)))
    for fold in folds:
        bits = np.unpackbits(fold.nonzero[best], count=fold.shape[0] * fold.shape[1]).reshape(fold.shape)
        known = np.array([name in place for name in fold.names], dtype=bool)
        target = np.array([place[name] for name in fold.names[known]], dtype=np.intp)
        frequency[:, target] += bits[:, known] / len(folds)
    return frequency

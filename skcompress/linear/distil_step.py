"""DistilStep: fit the base of a nest on y and on the answers of a stronger teacher.

It acts on the innermost estimator, transformers included, and leaves it with the blended weights; the steps of a nest
then start from these.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator

from ..core.checks import is_number
from .containers import find_leaf, without_pipelines, wrappers_of
from .curvature import require_every_class
from .distil import answer_errors, choose, has_log_odds, held_out_errors, lines_of, write_line
from .fitting import fit_clone, leaf_weight, require_random_state
from .nest import has_step, unroll
from .rows import count_rows, take_params, take_rows
from .state import Attributes
from .teaching import TeacherConfig, TeacherTargets, check_representation, default_teacher, encode, teach

ALPHAS = (0.25, 0.5, 0.75, 1.0)
"""Shares of the teacher that alpha="auto" compares with none."""

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 10_000.0)
"""Penalties of the correction by the labelled rows that alpha="auto" chooses from, in units of the rows' weight."""


@dataclass(frozen=True, eq=False)
class DistilStep:
    """The options of `DistilledRegressor`, which says what they mean, and how they fit the base.

    Attributes
    ----------
    owner : str
        The class of the wrapper, for messages.
    classifier : bool
        Whether the teacher answers by probabilities.
    """

    owner: str
    classifier: bool
    teacher: Any = None
    alpha: float | str = "auto"
    debias: bool = True
    temperature: float = 1.0
    cv: Any = 5
    representation: Any = None
    n_components: int | None = None
    n_jobs: int | None = None
    random_state: Any = None

    def check(self, inner: Any) -> None:
        """Raise ValueError for options out of range, or for a wrapper inside that distilling would undo or miss."""
        check_representation(self.representation, self.n_components)
        require_random_state(self.random_state)
        alpha, temperature = self.alpha, self.temperature
        if not (is_number(alpha) and 0 <= alpha <= 1) and not (isinstance(alpha, str) and alpha == "auto"):
            raise ValueError(f"alpha must be 'auto' or a number in [0, 1], got {alpha!r}")
        if not is_number(temperature) or not temperature > 0:
            raise ValueError(f"temperature must be a number above 0, got {temperature!r}")
        if isinstance(self.cv, str) and self.cv != "in_sample":
            raise ValueError(f"cv must be an int, a splitter, an iterable of splits or 'in_sample', got {self.cv!r}")
        if not isinstance(self.debias, (bool, np.bool_)):
            raise ValueError(f"debias must be True or False, got {self.debias!r}")
        kind, method = ("classifier", "predict_proba") if self.classifier else ("regressor", "predict")
        if isinstance(self.teacher, type):
            raise TypeError(f"teacher={self.teacher.__name__} is a class: give an instance, {self.teacher.__name__}()")
        if self.teacher is not None and not (hasattr(self.teacher, "fit") and hasattr(self.teacher, method)):
            raise ValueError(
                f"teacher must be a {kind} with fit and {method}, or a FrozenEstimator that holds a fitted one; "
                f"got {self.teacher!r}"
            )
        for wrapper in wrappers_of(inner):
            if getattr(wrapper, "refit", None) == "estimator":
                raise ValueError(
                    f"refit='estimator' of the {type(wrapper).__name__} inside fits the base again on y, which would "
                    "undo the distillation: use refit='closed_form' or refit=None"
                )
        self._require_reach(inner)

    def _require_reach(self, inner: Any) -> None:
        """Raise ValueError where a wrapper inside would be left out or undone."""
        nest = unroll(inner)
        missed = [
            *(place.wrapper for place in nest.places if place.wrapper.distils),
            *wrappers_of(nest.base, frozen=True),
        ]
        if not missed:
            return
        wrapper = next((each for each in missed if each.distils), missed[0])
        name = type(wrapper).__name__
        if wrapper.distils:
            raise ValueError(f"{self.owner} around {name} would distil twice: leave one of them out")
        if not has_step(wrapper):
            raise ValueError(f"{name} cannot be distilled: put {self.owner} inside it, around the base")
        around = type(without_pipelines(nest.base)).__name__
        raise ValueError(
            f"{self.owner} acts on the weights of the base, and what {name} inside the {around} does to them would be "
            f"lost: put {name} around the {around}, or {self.owner} inside {name}"
        )

    def fit(self, base: Any, X: Any, y: Any, params: Mapping[str, Any]) -> tuple[Any, Attributes]:
        """Return the fitted student with the blended weights, and the teacher and its share.

        Parameters
        ----------
        base : estimator
            The student, without wrappers.
        X, y
            Labelled rows.
        params : dict
            For the fit of the student; and ``X_unlabeled``, rows without a target.
        """
        own = dict(params)
        unlabeled = own.pop("X_unlabeled", None)
        y = y if hasattr(y, "shape") else np.asarray(y)
        n_rows = count_rows(X)
        if unlabeled is not None and np.ndim(unlabeled) != 2 and not hasattr(unlabeled, "shape"):
            raise ValueError(f"X_unlabeled must be rows like those of X, got {unlabeled!r}")
        if unlabeled is not None and count_rows(unlabeled) == n_rows:
            warnings.warn(
                f"X_unlabeled has as many rows as X ({n_rows}): a search or cross-validation that was given as "
                "many unlabelled as labelled rows has cut them along with X, and part of them is lost; pass at least "
                "one row more or less",
                UserWarning,
                stacklevel=5,
            )
        config = self._teacher_config(X, y, leaf_weight(own), unlabeled)
        teacher, targets = teach(config, cv=self.cv, nested=self.alpha == "auto", n_jobs=self.n_jobs)
        fitted = fit_clone(base, X, y, own)
        self._check_temperature(fitted)
        alpha, strength = self._chosen(base, X, y, own, targets)
        if alpha > 0:
            options = self.debias, self.temperature, (strength,)
            mine, taught = lines_of(fitted, X, y, own, targets.answers, *options)
            write_line(fitted, mine.blend(taught, alpha))
        return fitted, {"teacher_": teacher, "alpha_": alpha}

    def _teacher_config(self, X: Any, y: Any, sample_weight: Any, unlabeled: Any) -> TeacherConfig:
        classes = np.unique(np.asarray(y)) if self.classifier else None
        if classes is not None and np.ndim(y) == 2 and y.shape[1] > 1:
            raise ValueError(f"{self.owner} takes one label for each row, got y of shape {y.shape}")
        if classes is not None:
            require_every_class(y, sample_weight)
        teacher = self.teacher
        if teacher is None:
            teacher = default_teacher(y, self.random_state, classifier=self.classifier)
        elif classes is not None and isinstance(teacher, FrozenEstimator):
            unknown = np.setdiff1d(classes, teacher.classes_)
            if len(unknown):
                raise ValueError(f"the frozen teacher does not know the classes {unknown.tolist()} of y")
        coder = None
        if self.representation is not None:
            coder = partial(encode, self.representation, self.n_components, random_state=self.random_state)
        return TeacherConfig(teacher, X, y, sample_weight, unlabeled, classes, coder)

    def _chosen(
        self, base: Any, X: Any, y: Any, params: Mapping[str, Any], targets: TeacherTargets
    ) -> tuple[float, float | None]:
        """Return the share of the teacher, and how strongly the correction of the teacher is shrunk."""
        if self.alpha != "auto":
            return float(self.alpha), None
        n_rows, sample_weight = count_rows(X), leaf_weight(params)
        errors, weights, teacher_errors = [], [], []
        for fold in targets.folds:
            X_train, y_train = take_rows(X, fold.train), take_rows(y, fold.train)
            given = take_params(params, fold.train, n_rows)
            fitted = fit_clone(base, X_train, y_train, given)
            options = self.debias, self.temperature, STRENGTHS
            own, *taught = lines_of(fitted, X_train, y_train, given, fold.answers, *options)
            lines = [own, *(own.blend(line, alpha) for line in taught for alpha in ALPHAS)]
            held = take_rows(X, fold.test), take_rows(y, fold.test)
            errors.append(held_out_errors(fitted, lines, *held))
            teacher_errors.append(answer_errors(fitted, *held, targets.answers.of_rows(fold.test)))
            tested = take_rows(sample_weight, fold.test)
            weights.append(np.ones(len(fold.test)) if tested is None else np.asarray(tested, dtype=np.float64))
        row_weight = np.concatenate(weights)
        row_weight, student = row_weight / row_weight.sum(), np.vstack(errors)
        margin, known = 1.0, [part for part in teacher_errors if part is not None]
        if targets.answers.X_unlabeled is not None and self.cv != "in_sample" and known:
            # Rows without labels help a student to follow a teacher that knows more than it does.
            margin = 0.0 if row_weight @ np.concatenate(known) < row_weight @ student[:, 0] else 1.0
        best = choose(student, row_weight, margin)
        if best == 0:
            return 0.0, None
        strength, alpha = divmod(best - 1, len(ALPHAS))
        return ALPHAS[alpha], STRENGTHS[strength]

    def _check_temperature(self, fitted: Any) -> None:
        leaf = find_leaf(fitted).estimator
        if self.temperature != 1 and not has_log_odds(leaf):
            raise ValueError(
                f"temperature={self.temperature!r} needs a student that predicts log-odds, such as LogisticRegression; "
                f"{type(leaf).__name__} does not: leave temperature=1.0"
            )

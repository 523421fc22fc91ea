"""Prune all classes of a multinomial loss on one quadratic, with the curvature between them.

Units that hold weights of several classes, or a budget that classes share, make one problem of all weights. Where its
Hessian is affordable (`skcompress.linear.newton`) it is searched beside the one without blocks between classes, and
the support with the lower loss is taken: far from the fitted weights neither quadratic is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.pruned import Pruning
from ..core.quadratic import QuadraticModel
from .newton import Newton
from .problem import LinearProblem
from .state import State

Step = Callable[[QuadraticModel, Pruning | None], Pruning]
GroupedStep = Callable[[QuadraticModel, Pruning | None, Any, Any], Pruning]


def joint_step(problem: LinearProblem, start: State, groups: Any, keep: Any, pruned: GroupedStep) -> Step | None:
    """Return the step of `compress_in_rounds` that prunes all classes together; None where they are not coupled.

    None as well where their curvature would be too large.

    Parameters
    ----------
    problem : LinearProblem
        The true loss.
    start : State
        Which weights are free, and their signs.
    groups, keep
        As in `prune`, for p columns.
    pruned : callable
        ``(quadratic, earlier result or None, groups, keep) -> result``, for one output of m p weights.
    """
    if not problem.fit.deviance.coupled:
        return None
    newton = Newton(problem, start.support, start.signs)
    if not newton.together:
        return None
    n_classes, n_features = shape = start.support.shape
    columns = np.arange(n_features)
    if groups is not None:
        groups = np.tile(columns if isinstance(groups, str) else np.asarray(groups), n_classes)
    if keep is not None:
        keep = np.tile(np.isin(columns, columns[keep]), n_classes)

    def step(quadratic: QuadraticModel, earlier: Pruning | None) -> Pruning:
        at = quadratic.centre, problem.best_intercept(quadratic.centre)
        joint = newton.joint(
            *at, at_minimum=not quadratic.gradient.any(), loss_at_centre=quadratic.loss_at_centre.sum()
        )
        before = None if earlier is None else replace(earlier, support=earlier.support.reshape(1, -1))
        found = pruned(joint, before, groups, keep)
        return replace(
            found,
            weights=found.weights.reshape(shape),
            support=found.support.reshape(shape),
            importances=found.importances.reshape(shape),
            path=found.path.reshaped(shape),
        )

    return step

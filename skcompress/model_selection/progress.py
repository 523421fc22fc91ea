"""What a search says while it runs: a line for each fold, and the callbacks of scikit-learn 1.9 and later.

The tasks that callbacks see are the folds, and then the compression of all rows. They are told in the main process as
the folds come back, so that callbacks need not be pickled. Before 1.9 there is no `set_callbacks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .folds import FoldResult

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class _NoContext:
        """Stands for a task where nobody listens."""

        def subcontext(self, **options: Any) -> _NoContext:
            return self

        def call_on_fit_task_begin(self, **data: Any) -> _NoContext:
            return self

        def call_on_fit_task_end(self, **data: Any) -> bool:
            return False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """A search without callbacks."""

        def _init_callback_context(self, **options: Any) -> _NoContext:
            return _NoContext()

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method as it is."""
        return method


def watched(search: Any, context: Any, folds: Iterator[FoldResult], n_folds: int, n_points: int) -> list[FoldResult]:
    """Return the results of the folds, telling of each as it comes.

    Parameters
    ----------
    search : estimator
        Its `verbose` decides whether lines are printed.
    context : CallbackContext
        The task of the whole fit.
    folds : iterator of FoldResult
        In their order.
    n_folds, n_points : int
        Folds, and candidates in each.
    """
    found: list[FoldResult] = []
    for number in range(1, n_folds + 1):
        task = context.subcontext(task_name="fold").call_on_fit_task_begin(estimator=search)
        fold = next(folds)
        found.append(fold)
        task.call_on_fit_task_end(estimator=search)
        if search.verbose:
            print(
                f"[{type(search).__name__}] fold {number}/{n_folds}: {n_points} candidates, best score "
                f"{np.max(fold.scores):.4g}, {fold.seconds:.1f} s",
                flush=True,
            )
    return found

"""One line on what a fitted wrapper has come to, step by step, below its diagram in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from ..artifact import size_bytes
from .compacting import compact
from .state import StepRecord


def summary(model: Any) -> str:
    """Return the size and the loss of a fitted wrapper as text, and what each step of several has cost.

    Inputs and bytes are left out where the transformers before the base cannot be compiled, and the loss where it is
    not known, as after `partial_fit`.
    """
    weights = np.asarray(model.coef_)
    parts = [f"{np.count_nonzero(weights)} of {weights.size} weights"]
    try:
        shipped = compact(model)
        parts += [f"{len(shipped.inputs)} inputs", f"{size_bytes(shipped)} bytes"]
    except ValueError:
        pass
    if hasattr(model, "loss_increase_"):
        parts += [
            f"loss increased by {model.loss_increase_:.3g} of the null loss",
            f"linear predictor changed by {model.prediction_change_:.3g} (root mean square)",
        ]
    return "; ".join([", ".join(parts), *_taught(model), *_steps(model)])


def _taught(model: Any) -> list[str]:
    if not hasattr(model, "alpha_"):
        return []
    teacher = getattr(model, "teacher_", None)
    name = "the teacher" if teacher is None else type(getattr(teacher, "estimator", teacher)).__name__
    return [f"the share of {name} is {model.alpha_:g}"]


def _steps(model: Any) -> list[str]:
    history = model.state_.history
    return [f"steps: {steps_text(history[1:])}"] if len(history) > 2 else []


def steps_text(history: Sequence[StepRecord]) -> str:
    """Return what each step has come to, as text."""
    told = (f"{row.step} {row.weights} weights of {row.bits} bits, loss {row.loss_increase:.3g}" for row in history)
    return ", ".join(told)


def with_summary(html: str, model: Any) -> str:
    """Return the HTML of an estimator with the summary below it, if it is fitted."""
    if "estimator_" not in model.__dict__:
        return html
    line = escape(f"{type(model).__name__}: {summary(model)}")
    return f'{html}<p class="skcompress-summary" style="font-size: small">{line}</p>'

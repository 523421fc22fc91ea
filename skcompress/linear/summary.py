"""One line on what a fitted wrapper has come to: its size and its loss, below its diagram in a notebook."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from ..artifact import size_bytes
from .fold import compact


def summary(model: Any) -> str:
    """Return the size and the loss of a fitted wrapper as text.

    Inputs and bytes are left out where the transformers before the base cannot be folded.
    """
    weights = np.asarray(model.coef_)
    parts = [f"{np.count_nonzero(weights)} of {weights.size} weights"]
    try:
        shipped = compact(model)
        parts += [f"{len(shipped.inputs)} inputs", f"{size_bytes(shipped)} bytes"]
    except ValueError:
        pass
    parts += [
        f"loss increased by {model.loss_increase_:.3g} of the null loss",
        f"linear predictor changed by {model.prediction_change_:.3g} (root mean square)",
    ]
    return ", ".join(parts)


def with_summary(html: str, model: Any) -> str:
    """Return the HTML of an estimator with the summary below it, if it is fitted."""
    if "estimator_" not in model.__dict__:
        return html
    line = escape(f"{type(model).__name__}: {summary(model)}")
    return f'{html}<p class="skcompress-summary" style="font-size: small">{line}</p>'

"""Fold feature selections: the choice has been made, so that the chosen columns go on as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_selection import SelectorMixin

from .graph import Column, Graph
from .registry import register_fold


def fold_selection(selector: Any, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Keep the chosen columns."""
    return [columns[place] for place in np.flatnonzero(selector.get_support()).tolist()]


register_fold(SelectorMixin, fold_selection)

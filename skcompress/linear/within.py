"""The fewest units whose true loss is within a budget, where the loss is not quadratic.

The quadratic around a confident classifier has almost no curvature and calls the deletion of every weight cheap. Its
answer is only where the search over sizes begins: from there sizes are doubled away, up while the true loss is above
the budget or down while it is within, and the interval that is left is halved. Each size is pruned and linearised anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..core.pruning import Pruning

_ROUNDING = 1e-12


class Sizes(NamedTuple):
    """The sizes that there are, and where to begin."""

    least: int
    most: int
    begin: int

    @classmethod
    def of(cls, found: Pruning) -> Sizes:
        """Return those of what the quadratic found; a size of zero is not asked for again."""
        least = max(1, found.least)
        return cls(least, max(least, found.most), min(max(least, found.total), max(least, found.most)))


def fewest_within(allowed: float, sizes: Sizes, loss_at: Callable[[int], float]) -> int:
    """Return a size within the budget whose next smaller one is not; the largest, where none is within.

    Parameters
    ----------
    allowed : float
        The budget.
    sizes : Sizes
        Least, most and first.
    loss_at : callable
        The true loss of a size.
    """
    least, most, size = sizes

    def within(size: int) -> bool:
        return loss_at(size) <= allowed + _ROUNDING

    stride = 1
    if within(size):
        above, below = size, least - 1
        while above > least:
            lower = max(least, above - stride)
            if not within(lower):
                below = lower
                break
            above, stride = lower, 2 * stride
    else:
        below, above = size, most
        while below < most:
            higher = min(most, below + stride)
            if higher == most or within(higher):
                above = higher
                break
            below, stride = higher, 2 * stride
    while above - below > 1:
        middle = (above + below) // 2
        if within(middle):
            above = middle
        else:
            below = middle
    return above

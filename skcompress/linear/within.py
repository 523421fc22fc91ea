"""The fewest units whose true loss is within a budget, where the loss is not quadratic.

The quadratic around a confident classifier has almost no curvature and calls the deletion of every weight cheap. Its
answer is only where the search over sizes begins: each size is pruned and linearised again, and the logarithm of its
true loss, interpolated between the sizes that are known, says where to look next. Where that does not halve what is
left in two steps, the middle is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from ..core.pruned import Pruning

_ROUNDING = 1e-12

_LEAST = 1e-3
"""Share of the budget below which losses are not told apart."""


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
    below, above, size = sizes.least - 1, sizes.most, sizes.begin
    known: dict[int, float] = {}
    width, step, before = math.inf, 1, 0
    while above - below > 1:
        size = min(max(size, below + 1), above - 1)
        known[size] = loss_at(size)
        within = known[size] <= allowed + _ROUNDING
        above, below = (size, below) if within else (above, size)
        if below in known and above in known:
            halved, width = above - below <= width / 2, above - below
            size = _meeting(allowed, below, above, known) if halved else (below + above) // 2
        else:
            # At least twice as far each time, until the budget lies between two sizes.
            meeting = _meeting(allowed, min(size, before), max(size, before), known)
            before = size
            size = min(meeting, size - step) if within else max(meeting, size + step)
            step *= 2
    return above


def _meeting(allowed: float, left: int, right: int, known: dict[int, float]) -> int:
    """Return where the logarithm of the loss, a line between two sizes, meets the budget; nothing kept loses 1."""
    floor = _LEAST * max(allowed, _ROUNDING)
    start, end, wanted = (math.log(max(loss, floor)) for loss in (known.get(left, 1.0), known[right], allowed))
    if not end < start:
        return right
    return math.ceil(left + (wanted - start) * (right - left) / (end - start))

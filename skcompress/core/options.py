"""Options of pruning and quantizing, checked when they are made and passed whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .budget import Budget, budget_of
from .checks import require_choice, require_integer
from .grids import GRIDS, POWER_BITS
from .quadratic import QuadraticModel
from .rounding import RoundingFunction, rounding_of
from .scales import GRANULARITIES, ScaleRule, scale_rule_of
from .subset import SEARCHES
from .units import Groups, ImportanceLike, check_importance

SEARCHED = ("swap", "exact")
"""Searches that minimise the loss itself."""

INCOMPATIBLE: dict[tuple[str, str], str] = {
    ("codebook", "max"): "its levels lie where they cost least; use scale='mse' or 'loss'",
    ("codebook", "number"): "its levels lie where they cost least; use scale='mse' or 'loss'",
}
"""Pairs of grid and scale ("number" for a float) that do not go together, and why."""


@dataclass(frozen=True, eq=False)
class PruneOptions:
    """What `skcompress.prune` takes beside the quadratic model, which says what it means.

    Raises
    ------
    ValueError
        If two budgets are given, or a parameter has a value that is not allowed or cannot go with another.
    """

    threshold: float | str | None = None
    n_nonzero: float | None = None
    max_loss: float | None = None
    importance: ImportanceLike = "obs"
    search: str = "auto"
    refit: str | None = "closed_form"
    feature_groups: Groups = None
    keep: ArrayLike | None = None
    monotonic_cst: ArrayLike | None = None
    n_restarts: int | str = 0
    max_nodes: int | None = None
    random_state: Any = None

    def __post_init__(self) -> None:
        budget_of(self.threshold, self.n_nonzero, self.max_loss)
        check_importance(self.importance)
        if self.search != "auto" and (not isinstance(self.search, str) or self.search not in SEARCHES):
            raise ValueError(f"search={self.search!r} is not known: use one of {['auto', *SEARCHES]}")
        if self.refit not in ("closed_form", None):
            raise ValueError(f"refit={self.refit!r} is not known here: use 'closed_form' or None")
        if self.method in SEARCHED and self.importance != "obs":
            raise ValueError(
                f"search={self.search!r} minimises the loss and cannot use importance={self.importance!r}: use "
                f"importance='obs', or search='one_shot' or 'backward'"
            )
        if self.refit is None and self.method != "one_shot":
            raise ValueError(
                f"refit=None leaves the weights untouched and cannot go with search={self.search!r}: use 'one_shot'"
            )
        require_integer("n_restarts", self.n_restarts, 0, also=("auto",))
        require_integer("max_nodes", self.max_nodes, 1, also=(None,))

    @cached_property
    def budget(self) -> Budget:
        """The one budget that is given."""
        return budget_of(self.threshold, self.n_nonzero, self.max_loss)

    @property
    def method(self) -> str:
        """The search: "auto" is "swap" for obs, else "one_shot"."""
        if self.search != "auto":
            return self.search
        by_loss = isinstance(self.importance, str) and self.importance == "obs" and self.refit is not None
        return "swap" if by_loss else "one_shot"

    @property
    def refits(self) -> bool:
        """Whether the kept weights move to their optimum."""
        return self.refit is not None

    def asking_for(self, n_nonzero: float | None) -> PruneOptions:
        """Return the same options with this budget; None: the information criterion."""
        return replace(self, threshold=None, max_loss=None, n_nonzero=n_nonzero)


@dataclass(frozen=True, eq=False)
class QuantizeOptions:
    """What `skcompress.quantize` takes beside the quadratic model, which says what it means.

    Raises
    ------
    ValueError
        If a parameter has a value that is not allowed or cannot go with another.
    """

    bits: int = 8
    grid: str = "symmetric"
    rounding: str | RoundingFunction = "lattice"
    scale: str | float = "loss"
    granularity: str = "auto"
    units: ArrayLike | None = None
    random_state: Any = None

    def __post_init__(self) -> None:
        bits, grid, scale = self.bits, self.grid, self.scale
        require_integer("bits", bits, 1, 16)
        require_choice("grid", grid, GRIDS)
        rounding_of(self.rounding)
        rule = scale_rule_of(scale)
        require_choice("granularity", self.granularity, GRANULARITIES)
        reason = INCOMPATIBLE.get((grid, scale if isinstance(scale, str) else "number"))
        if reason is not None:
            raise ValueError(f"scale={scale!r} does not go with grid={grid!r}: {reason}")
        if grid == "power_of_two" and int(bits) > POWER_BITS:
            raise ValueError(f"bits={bits!r} does not go with grid='power_of_two': it takes 1 to {POWER_BITS} bits")
        if GRIDS[grid].binary_steps and not isinstance(rule, ScaleRule) and np.frexp(rule)[0] != 0.5:
            raise ValueError(
                f"scale={scale!r} does not go with grid={grid!r}: it must be a power of two, such as 2**-13"
            )
        if self.units is not None and self.granularity == "feature":
            raise ValueError("granularity='feature' does not go with units: each feature has its unit already")

    def at(self, bits: int) -> QuantizeOptions:
        """Return the same options with this many bits."""
        return replace(self, bits=bits)


def require_quadratic(quadratic: Any, function: str) -> None:
    """Raise TypeError, naming the function, unless this is a `QuadraticModel`."""
    if not isinstance(quadratic, QuadraticModel):
        raise TypeError(
            f"{function} takes a QuadraticModel as quadratic, got {type(quadratic).__name__}: make one by "
            "QuadraticModel.from_blocks([(X, y)]), or use PrunedRegressor and QuantizedRegressor on X and y"
        )

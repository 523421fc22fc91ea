"""State: what has been done to the weights of a linear model so far, and what a step on them looks like.

A nest of wrappers is a list of steps over one state. The base gives the first; each step takes the state before it and
returns the next; the last is written into the fitted model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, TypeVar

from ..core.grids import Grid
from ..core.linalg import Floats, Mask
from .input_grid import InputGrid

Attributes = Mapping[str, Any]
"""Fitted attributes that only the step itself knows, by their names."""

Options = TypeVar("Options")


class StepRecord(NamedTuple):
    """What one step has come to: a row of `steps_`.

    Attributes
    ----------
    step : str
        The class of the wrapper, or of the base.
    weights : int
        Weights that are not zero.
    bits : int
        Bits of a weight.
    loss_increase : float
        Loss gained since the base, in units of the null loss.
    prediction_change : float
        Root mean square change of the linear predictor since the base.
    """

    step: str
    weights: int
    bits: int
    loss_increase: float
    prediction_change: float


@dataclass(frozen=True)
class State:
    """The weights as they are, where the next step starts from, and what it must keep.

    Attributes
    ----------
    weights, intercept : ndarray of shape (m, p) and (m,)
        What is to be written into the model.
    centre, centre_intercept : ndarray of shape (m, p) and (m,)
        The float weights to stay close to: the base's own, or after pruning the refitted ones.
    base, base_intercept : ndarray of shape (m, p) and (m,)
        The weights before any compression.
    support : ndarray of shape (m, p), dtype=bool
        The weights that may be other than zero.
    grid : Grid or None
        The grid that the weights are on.
    rounding : str or callable
        How they were put there.
    signs : ndarray of shape (m, p), or 0
        1: the weight may not be negative, -1: not positive, 0: free.
    at_minimum : bool
        Whether `centre` minimises the loss on the support; not after pruning without a refit, and then what comes next
        stays close to it and does not follow the gradient.
    inputs : InputGrid or None
        The codes of the inputs that the model predicts from.
    leveled : bool
        Whether the intercept is solved again for these weights; else it stays as it is.
    history : tuple of StepRecord
        The base, and the steps that have led here.
    """

    weights: Floats
    intercept: Floats
    centre: Floats
    centre_intercept: Floats
    base: Floats
    base_intercept: Floats
    support: Mask
    grid: Grid | None = None
    rounding: Any = "lattice"
    signs: Floats | int = 0
    at_minimum: bool = True
    inputs: InputGrid | None = None
    leveled: bool = True
    history: tuple[StepRecord, ...] = ()

    @classmethod
    def uncompressed(cls, weights: Floats, intercept: Floats, positive: bool = False) -> State:
        """Return the state of a model that nothing has compressed: zeros stay zero, and positive ones positive."""
        return cls(weights, intercept, weights, intercept, weights, intercept, weights != 0, signs=int(positive))

    def centred_at(self, weights: Floats, intercept: Floats, **changes: Any) -> State:
        """Return the state with these weights, floats for what comes next to stay close to, and with other changes."""
        there = replace(self, weights=weights, intercept=intercept, centre=weights, centre_intercept=intercept)
        return replace(there, leveled=True, **changes)


def options_of(kind: type[Options], wrapper: Any, **others: Any) -> Options:
    """Return the dataclass of a step's options, read off the parameters of the same names, and others."""
    names = {option.name for option in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in wrapper.get_params(deep=False).items() if name in names}, **others)

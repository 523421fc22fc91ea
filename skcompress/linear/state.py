"""State: what has been done to the weights of a linear model so far, and what a step on them looks like.

A nest of wrappers is a list of steps over one state. The base gives the first; each step takes the state before it and
returns the next; the last is written into the fitted model.

Part of it may be an InputGrid, the columns of X as integer codes

    x_j  ~  offset_j + step_j q_j,     q_j = clip(round((x_j - offset_j) / step_j), -Q, Q),   Q = 2^(bits-1) - 1

whose steps are those of the training rows: offset and step from the least and the greatest value of a column, without
offset for sparse X, where 0 must stay 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..core.grids import Grid
from ..core.linalg import Floats, Mask


@dataclass(frozen=True)
class InputGrid:
    """The codes of the inputs.

    Attributes
    ----------
    offset, step : ndarray of shape (p,)
        What code 0 stands for, and one step of the code, in units of the input.
    bits : int
        Bits of a code, 2 to 16.
    """

    offset: Floats
    step: Floats
    bits: int

    @classmethod
    def of(cls, X: Any, bits: int, weights: Floats) -> InputGrid:
        """Return the grid that just holds these rows (n, p), an ndarray or a sparse array.

        A column that does not vary gets a step with which its weight, (m, p), is as large in units of the steps as the
        largest of the other columns': the grid of the weights then holds it too.
        """
        top = 2 ** (bits - 1) - 1
        if sp.issparse(X):
            low, high = (np.asarray(end.todense(), dtype=np.float64).ravel() for end in (X.min(axis=0), X.max(axis=0)))
            offset = np.zeros(X.shape[1])
            reach = np.maximum(-low, high)
        else:
            low, high = X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64)
            offset = low + (high - low) / 2
            reach = (high - low) / 2
        step = np.where(reach > 0, reach / top, 1.0)
        size = np.abs(weights)
        largest = (size * np.where(reach > 0, step, 0.0)).max(axis=1, initial=0.0)
        for column in np.flatnonzero((reach == 0) & (size > 0).any(axis=0)):
            known = (size[:, column] > 0) & (largest > 0)
            if known.any():
                step[column] = (largest[known] / size[known, column]).min()
        return cls(offset, step, bits)

    @property
    def top(self) -> int:
        """Q, the largest code."""
        return 2 ** (self.bits - 1) - 1

    def codes(self, X: Any) -> Any:
        """Return the codes of rows (n, p), whole numbers as float64, sparse where X is."""
        if sp.issparse(X):
            scaled = sp.csr_array(X, dtype=np.float64, copy=True)
            scaled.data = np.clip(np.rint(scaled.data / self.step[scaled.indices]), -self.top, self.top)
            return scaled
        return np.clip(np.rint((X - self.offset) / self.step), -self.top, self.top)

    def n_clipped_inputs(self, X: Any) -> NDArray[np.intp]:
        """Return how many values of each column (p,) are clipped."""
        if sp.issparse(X):
            matrix = sp.csr_array(X)
            beyond = np.abs(np.rint(matrix.data / self.step[matrix.indices])) > self.top
            return np.bincount(matrix.indices[beyond], minlength=matrix.shape[1])
        return (np.abs(np.rint((X - self.offset) / self.step)) > self.top).sum(axis=0)


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
        Loss gained since the base, in units of the null loss; NaN after `partial_fit`, which keeps no rows.
    prediction_change : float
        Root mean square change of the linear predictor since the base; NaN after `partial_fit`.
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

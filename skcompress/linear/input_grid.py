"""InputGrid: the columns of X as integer codes.

    x_j  ~  offset_j + step_j q_j,     q_j = clip(round((x_j - offset_j) / step_j), -Q, Q),   Q = 2^(bits-1) - 1

The steps are those of the training rows: offset and step from the least and the greatest value of a column, without
offset for sparse X, where 0 must stay 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..core.linalg import Floats


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

    def outside(self, X: Any) -> NDArray[np.intp]:
        """Return how many values of each column (p,) are clipped."""
        if sp.issparse(X):
            matrix = sp.csr_array(X)
            beyond = np.abs(np.rint(matrix.data / self.step[matrix.indices])) > self.top
            return np.bincount(matrix.indices[beyond], minlength=matrix.shape[1])
        counts: NDArray[np.intp] = (np.abs(np.rint((X - self.offset) / self.step)) > self.top).sum(axis=0)
        return counts

"""A graph of ONNX operators in the making, with weights by column, as floats or as integer codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...artifact import CompactLinear


class OnnxGraph:
    """Nodes and constants.

    Parameters
    ----------
    helper, numpy_helper, proto : modules of onnx
        What makes the parts.
    """

    def __init__(self, helper: Any, numpy_helper: Any, proto: Any):
        self.helper, self.numpy_helper, self.proto = helper, numpy_helper, proto
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._named: dict[Any, str] = {}
        self._taken: set[str] = set()

    def take(self, names: Sequence[str]) -> None:
        """Keep names for inputs and outputs."""
        self._taken.update(names)

    def _free(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        return name

    @property
    def float_type(self) -> int:
        """The element type of the floats."""
        return int(self.proto.DOUBLE)

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        name = self._free(f"{kind.lower()}_{len(self.nodes)}")
        self.nodes.append(self.helper.make_node(kind, list(inputs), [name], name=name, domain=domain, **attributes))
        return name

    def constant(self, value: Any) -> str:
        """Add an array, unless there is the same already, and return its name."""
        array = np.asarray(value)
        key = (array.dtype.str, array.shape, array.tobytes() if array.dtype.kind != "O" else tuple(array.ravel()))
        if key not in self._named:
            self._named[key] = self._free(f"constant_{len(self.constants)}")
            self.constants.append(self.numpy_helper.from_array(array, self._named[key]))
        return self._named[key]

    def floats(self, value: Any) -> str:
        """Add an array of floats and return its name."""
        return self.constant(np.asarray(value, dtype=np.float64))

    def integers(self, value: Any) -> str:
        """Add an array of 64-bit integers and return its name."""
        return self.constant(np.asarray(value, dtype=np.int64))

    def packed_codes(self, codes: NDArray[np.int64], bits: int) -> str:
        """Add integers of 8 or 4 bits and return the name of their Cast to floats."""
        kind = self.proto.INT8 if bits == 8 else self.proto.INT4
        name = self._free(f"codes_{len(self.constants)}")
        flat = codes.ravel().astype(np.int8)
        if bits == 4:
            # Two to a byte, the first in the lower half.
            halves = np.append(flat, np.zeros(len(flat) % 2, dtype=np.int8)).view(np.uint8) & 15
            flat = (halves[::2] | halves[1::2] << 4).view(np.int8)
        self.constants.append(self.helper.make_tensor(name, kind, codes.shape, flat.tobytes(), raw=True))
        return self.op("Cast", name, to=self.float_type)

    def pick(self, tensor: str, places: Sequence[int], width: int) -> str:
        """Return some columns of a tensor of a known width."""
        if list(places) == list(range(width)):
            return tensor
        return self.op("Gather", tensor, self.integers(places), axis=1)

    def concat(self, tensors: Sequence[str]) -> str:
        """Return tensors side by side."""
        return tensors[0] if len(tensors) == 1 else self.op("Concat", *tensors, axis=1)

    def is_missing(self, x: str, marker: float) -> str:
        """Return where a tensor is the marker of missing values."""
        return self.op("IsNaN", x) if marker != marker else self.op("Equal", x, self.floats(marker))

    def interval(self, x: str, edges: Sequence[float]) -> str:
        """Return how many edges are <= x, shape (n,), for x of shape (n, 1)."""
        reached = self.op("GreaterOrEqual", x, self.floats([edges]))
        return self.op("ReduceSum", self.op("Cast", reached, to=int(self.proto.INT64)), self.integers([1]), keepdims=0)

    def flat(self, x: str) -> str:
        """Return x of shape (n, 1) with shape (n,)."""
        return self.op("Reshape", x, self.integers([-1]))

    def column(self, x: str) -> str:
        """Return x of shape (n,) with shape (n, 1)."""
        return self.op("Reshape", x, self.integers([-1, 1]))


@dataclass(frozen=True)
class ByColumn:
    """Weights by column, not by term.

    Attributes
    ----------
    weights : ndarray of shape (n_columns, m)
        Floats, or integer codes.
    row_scale : ndarray of shape (n_columns, m), or None
        What each weight is multiplied by, where it is not the same for a whole output.
    scale : ndarray of shape (m,), or None
        What each output is multiplied by in the end.
    """

    weights: NDArray[Any]
    row_scale: NDArray[np.float64] | None
    scale: NDArray[np.float64] | None


def by_column(model: CompactLinear, n_columns: int, bits: int | None) -> ByColumn:
    """Return the weights of a model by column: floats, or integers of some bits.

    Raises
    ------
    ValueError
        If the weights are no codes of so many bits.
    """
    m, p = model.weights.shape
    if bits is None:
        floats = np.zeros((n_columns, m))
        np.add.at(floats, model.columns, model.weights.over(model.divisor).T)
        return ByColumn(floats, None, None)
    codes = _codes(model, bits)
    if len(np.unique(model.columns)) < p:
        raise ValueError("two terms share a column, so that their codes cannot be stored: use weights='float'")
    held = np.zeros((n_columns, m), dtype=np.int64)
    held[model.columns] = codes.T
    divisor = np.ones(p) if model.divisor is None else model.divisor
    if model.weights.scale.shape[1] == 1 and (divisor == 1.0).all():
        return ByColumn(held, None, np.broadcast_to(model.weights.scale[:, 0], m))
    by_row = np.zeros((n_columns, m))
    if model.weights.scale.shape[1] == 1:
        by_row[model.columns] = 1.0 / divisor[:, None]
        return ByColumn(held, by_row, np.broadcast_to(model.weights.scale[:, 0], m))
    by_row[model.columns] = (np.broadcast_to(model.weights.scale, (m, p)) / divisor).T
    return ByColumn(held, by_row, None)


def _codes(model: CompactLinear, bits: int) -> NDArray[np.int64]:
    """Return the codes without their zero point, shape (m, p)."""
    held = model.weights
    if held.codes is None or held.levels is not None:
        what = "floats" if held.codes is None else "codes of uneven levels"
        raise ValueError(f"weights='int{bits}' needs evenly spaced codes, but the weights are {what}: use 'float'")
    codes = np.asarray(held.codes, dtype=np.int64) - held.zero_point
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if codes.size and not low <= codes.min() <= codes.max() <= high:
        raise ValueError(
            f"weights='int{bits}' holds {low}..{high}, but the codes (less their zero point, on grid='affine') reach "
            f"from {codes.min()} to {codes.max()}: use grid='symmetric', fewer bits, or weights='float'"
        )
    return codes

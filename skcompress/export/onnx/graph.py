"""A graph of ONNX operators in the making, and how blocks become operators: table `OPERATORS`.

Columns are tensors of shape (n, k). A block of indicators becomes the number of the one that is 1, shape (n,), in
0..n_out - 1, or n_out for none, or n_out + 1 where the model has no prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...artifact.categories import REFUSED
from ..expressions import Pieces, Where, is_missing
from ..lowering import LOWERINGS
from ..names import require_writable

Params = Mapping[str, Any]


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

    def interval(self, x: str, edges: NDArray[np.float64]) -> str:
        """Return how many edges are <= x, shape (n,), for x of shape (n, 1)."""
        reached = self.op("GreaterOrEqual", x, self.floats(edges[None, :]))
        return self.op("ReduceSum", self.op("Cast", reached, to=int(self.proto.INT64)), self.integers([1]), keepdims=0)

    def flat(self, x: str) -> str:
        """Return x of shape (n, 1) with shape (n,)."""
        return self.op("Reshape", x, self.integers([-1]))

    def column(self, x: str) -> str:
        """Return x of shape (n,) with shape (n, 1)."""
        return self.op("Reshape", x, self.integers([-1, 1]))


class Values(NamedTuple):
    """A column that is read as values.

    Attributes
    ----------
    tensor : str
        Shape (n, 1).
    is_text : bool
        Whether it holds texts; the empty one stands for a missing value.
    """

    tensor: str
    is_text: bool


Dense = Callable[[OnnxGraph, Params, str, int], str]
"""(graph, params, sources (n, k), k) -> columns (n, n_out)."""


def _affine(g: OnnxGraph, params: Params, x: str, k: int) -> str:
    return g.op("Div", g.op("Sub", x, g.floats(params["offset"])), g.floats(params["divisor"]))


def _scaled(g: OnnxGraph, params: Params, x: str, k: int) -> str:
    return g.op("Add", g.op("Mul", x, g.floats(params["factor"])), g.floats(params["shift"]))


def _clip(g: OnnxGraph, params: Params, x: str, k: int) -> str:
    low, high = g.floats(params["low"]), g.floats(params["high"])
    # Where, and not Min and Max, keeps NaN.
    below = g.op("Where", g.op("Less", x, low), low, x)
    return g.op("Where", g.op("Greater", x, high), high, below)


def _fill(g: OnnxGraph, params: Params, x: str, k: int) -> str:
    return g.op("Where", g.is_missing(x, float(params["marker"][0])), g.floats(params["value"]), x)


def _missing(g: OnnxGraph, params: Params, x: str, k: int) -> str:
    return g.op("Cast", g.is_missing(x, float(params["marker"][0])), to=g.float_type)


def _function(g: OnnxGraph, params: Params, x: str, k: int) -> str:
    return FUNCTIONS[params["function"]](g, x)


def _step(g: OnnxGraph, params: Params, x: str, k: int) -> str:
    found = g.op("Gather", g.floats(params["values"]), g.interval(x, params["edges"]))
    return g.op("Where", g.op("IsNaN", x), x, g.column(found))


def _product(g: OnnxGraph, params: Params, x: str, k: int) -> str:
    sizes, factors = params["sizes"], params["factors"]
    starts = np.cumsum(sizes) - sizes
    parts, order = [], []
    for size in np.unique(sizes).tolist():
        outputs = np.flatnonzero(sizes == size)
        product = g.pick(x, factors[starts[outputs]].tolist(), k)
        for place in range(1, size):
            product = g.op("Mul", product, g.pick(x, factors[starts[outputs] + place].tolist(), k))
        parts.append(product)
        order += outputs.tolist()
    return g.pick(g.concat(parts), np.argsort(order).tolist(), len(order))


def _spline(g: OnnxGraph, params: Params, x: str, k: int) -> str:
    n_out = int(params["slots"].max(initial=-1)) + 1
    splines = []
    for unit in np.eye(n_out):
        (expr,) = LOWERINGS["spline"](params, [0], unit)
        inside = expr.no if isinstance(expr, Where) else expr
        if isinstance(inside, Pieces):
            splines.append(inside)
    first = splines[0]
    known = g.op("Where", g.op("IsNaN", x), g.floats(first.origins[0]), x)
    if first.period is not None:
        start, period = g.floats(first.origins[0]), g.floats(first.period)
        rest = g.op("Mod", g.op("Sub", known, start), period, fmod=1)
        known = g.op("Add", start, g.op("Where", g.op("Less", rest, g.floats(0.0)), g.op("Add", rest, period), rest))
    interval = g.interval(known, np.array(first.breaks))
    u = g.op("Sub", known, g.column(g.op("Gather", g.floats(first.origins), interval)))
    order = max(len(row) for row in first.coefficients)
    total = ""
    for power in reversed(range(order)):
        table = [
            [spline.coefficients[b][power] if power < len(spline.coefficients[b]) else 0.0 for spline in splines]
            for b in range(len(first.origins))
        ]
        part = g.op("Gather", g.floats(table), interval, axis=0)
        total = g.op("Add", part, g.op("Mul", u, total)) if total else part
    missing = 0.0 if params["missing"] else np.nan
    return g.op("Where", g.op("IsNaN", x), g.floats(missing), total)


def _entry(g: OnnxGraph, params: Params, x: str, k: int) -> str:
    return x


DENSE: dict[str, Dense] = {
    "entry": _entry,
    "affine": _affine,
    "scaled": _scaled,
    "clip": _clip,
    "fill": _fill,
    "missing": _missing,
    "function": _function,
    "step": _step,
    "product": _product,
    "spline": _spline,
}
"""Blocks of numbers."""


def bins(g: OnnxGraph, params: Params, x: str) -> str:
    """Return the number of the indicator, shape (n,)."""
    slots = params["slots"]
    n_out = int(slots.max(initial=-1)) + 1
    found = g.op("Gather", g.integers(np.where(slots < 0, n_out, slots)), g.interval(x, params["edges"]))
    return g.op("Where", g.flat(g.op("IsNaN", x)), g.integers(n_out + 1), found)


def category(g: OnnxGraph, params: Params, values: Values, name: str, dtype: np.dtype[Any]) -> str:
    """Return the number of the indicator, shape (n,)."""
    slots, other = params["slots"], params["other"]
    n_out = int(max(slots.max(initial=-1), other)) + 1
    number = {place: n_out + 1 if place == REFUSED else n_out if place < 0 else place for place in (*slots, other)}
    return _numbered(g, params["levels"], [number[slot] for slot in slots], number[other], values, name, dtype)


def lookup(g: OnnxGraph, params: Params, values: Values, name: str, dtype: np.dtype[Any]) -> str:
    """Return the values of a lookup, shape (n, 1)."""
    table = [*params["values"].tolist(), np.nan]
    number = {slot: len(table) - 1 if slot < 0 else slot for slot in (*params["slots"].tolist(), params["other"])}
    slots = [number[slot] for slot in params["slots"].tolist()]
    found = _numbered(g, params["levels"], slots, number[params["other"]], values, name, dtype)
    return g.column(g.op("Gather", g.floats(table), found))


def _numbered(
    g: OnnxGraph,
    levels: Sequence[Any],
    slots: Sequence[int],
    other: int,
    values: Values,
    name: str,
    dtype: np.dtype[Any],
) -> str:
    """Return the slot of each value, shape (n,)."""
    nulls = {slot for level, slot in zip(levels, slots, strict=True) if is_missing(level)}
    if len(nulls) > 1:
        raise ValueError(
            f"input {name!r} tells None from NaN, but in ONNX both are NaN: give one of them a name before fitting"
        )
    known = {level: slot for level, slot in zip(levels, slots, strict=True) if not is_missing(level)}
    known = {level: slot for level, slot in known.items() if level not in (np.inf, -np.inf)}
    null = nulls.pop() if nulls else other
    if values.is_text:
        if any(not isinstance(level, str) for level in known):
            raise ValueError(f"input {name!r} mixes texts and numbers: an input of ONNX has one type")
        if known.get("", null) != null:
            raise ValueError(f"input {name!r} has the category '', which in ONNX stands for a missing value: name it")
        for level in known:
            require_writable(level, "category", "ONNX")
        table = {"": null, **known}
        return g.flat(
            g.op(
                "LabelEncoder",
                values.tensor,
                domain="ai.onnx.ml",
                keys_strings=list(table),
                values_int64s=[int(slot) for slot in table.values()],
                default_int64=int(other),
            )
        )
    rounded = [level for level in known if float(dtype.type(level)) != level]
    if rounded:
        raise ValueError(f"input {name!r} has the category {rounded[0]!r}, which {dtype} cannot hold: make texts of it")
    tests = [g.op("Equal", values.tensor, g.floats([[float(level) for level in known]]))] if known else []
    tests.append(g.op("IsNaN", values.tensor))
    hits = g.op("Cast", g.concat(tests), to=int(g.proto.INT32))
    rest = g.op("Add", g.op("Mul", g.pick(hits, [0], 2), g.constant(np.int32(0))), g.constant(np.int32(1)))
    place = g.op("ArgMax", g.op("Concat", hits, rest, axis=1), axis=1, keepdims=0)
    return g.op("Gather", g.integers([*known.values(), null, other]), place)


def _cbrt(g: OnnxGraph, x: str) -> str:
    root = g.op("Pow", g.op("Abs", x), g.floats(1 / 3))
    return g.op("Mul", g.op("Sign", x), root)


def _arcsinh(g: OnnxGraph, x: str) -> str:
    size = g.op("Abs", x)
    root = g.op("Sqrt", g.op("Add", g.op("Mul", x, x), g.floats(1.0)))
    # The square of a large number overflows, and its root is the number itself.
    far = g.op("Add", g.op("Log", size), g.floats(np.log(2.0)))
    near = g.op("Log", g.op("Add", size, root))
    return g.op("Mul", g.op("Sign", x), g.op("Where", g.op("Greater", size, g.floats(1e8)), far, near))


def _cos(g: OnnxGraph, x: str) -> str:
    half = g.op("Sin", g.op("Mul", x, g.floats(0.5)))
    return g.op("Sub", g.floats(1.0), g.op("Mul", g.floats(2.0), g.op("Mul", half, half)))


def _tanh(g: OnnxGraph, x: str) -> str:
    return g.op("Tanh", x)


def _log_of(base: float) -> Callable[[OnnxGraph, str], str]:
    return lambda g, x: g.op("Div", g.op("Log", x), g.floats(np.log(base)))


def _plain(kind: str) -> Callable[[OnnxGraph, str], str]:
    return lambda g, x: g.op(kind, x)


FUNCTIONS: dict[int, Callable[[OnnxGraph, str], str]] = {
    0: lambda g, x: g.op("Log", g.op("Add", x, g.floats(1.0))),
    1: _plain("Log"),
    2: _log_of(10.0),
    3: _log_of(2.0),
    4: _plain("Sqrt"),
    5: _cbrt,
    6: lambda g, x: g.op("Mul", x, x),
    7: _plain("Abs"),
    8: _plain("Sign"),
    9: _plain("Exp"),
    10: lambda g, x: g.op("Sub", g.op("Exp", x), g.floats(1.0)),
    11: _plain("Reciprocal"),
    12: _plain("Neg"),
    13: _plain("Sin"),
    14: _cos,
    15: _tanh,
    16: _arcsinh,
    17: _plain("Floor"),
    18: _plain("Round"),
}
"""The functions of `skcompress.artifact.terms.numbers`."""

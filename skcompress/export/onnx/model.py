"""Write a compact model as an ONNX graph.

    eta = (Z @ cast(codes)) * scale  +  cast(rows of codes)[indicator] * scale  +  ...  +  intercept

Z holds the raw inputs and the numbers that blocks make; a block of indicators picks one row of weights. Codes are cast
to floats and multiplied as they are; the scale comes last. DequantizeLinear is never used: onnxruntime fuses it with
MatMul into a kernel that quantizes the activations too, which is off by some percent.

All arithmetic is in double, whatever the type of the inputs and of the answer: in float32 a value at the edge of a bin
or half way between two codes would fall on the other side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...artifact.terms import TERMS, Block
from ..base_printer import LINKS, require_writable
from ..expressions import Lookup, Steps
from ..lowering import LOWERINGS
from ..normal_form import NormalForm, compacted
from .graph import ByColumn, OnnxGraph, by_column
from .operators import Operators

BITS: dict[str, int | None] = {"float": None, "int8": 8, "int4": 4}
OUTPUTS = ("prediction", "label", "probabilities", "scores")
OPSETS = {None: 13, 8: 13, 4: 21}
"""By the bits of a weight: what the operators need at least."""


def to_onnx(model: Any, *, weights: str = "float", dtype: Any = None, name: str = "skcompress") -> Any:
    """Write a model as an ONNX graph, which needs `onnx` (``pip install 'skcompress[onnx]'``).

    Parameters
    ----------
    model : estimator or CompactLinear
        A CompactLinear, or any fitted model that `compact` takes.
    weights : {"float", "int8", "int4"}, default="float"
        How the weights are stored. Integers need weights that are codes: quantize the model first. "int4" needs
        opset 21, the others 13.
    dtype : float32 or float64, default=None
        Type of the inputs that are numbers, and of the answer. None: that of the model. The arithmetic between them
        is in float64.
    name : str, default="skcompress"
        Name of the graph.

    Returns
    -------
    onnx_model : onnx.ModelProto
        If all inputs are numbers there is one input, ``X`` of shape (n, k), with the columns of `inputs`; else one
        input of shape (n, 1) for each, by its name, texts as strings ("" where a value is missing). The output is
        ``prediction``, shaped as by `predict`; of a classifier ``label`` and ``probabilities``, or ``scores`` where it
        has none. The `model_id` stands in ``metadata_props``. Where `predict` raises, the numbers are NaN, and the
        label is "", NaN, or the least integer, -2^63. Labels that are truth values are the integers 0 and 1.

    Raises
    ------
    ValueError
        If the weights are no codes of this width, the model holds texts, or a category that the type of its input
        cannot hold; the message says which.
    ImportError
        If onnx is not installed.

    See Also
    --------
    register_skl2onnx : Converters for skl2onnx, for pipelines that `compact` does not take.

    Notes
    -----
    The graph is exact under the default options of onnxruntime: within 1e-12 of the spread of the predictions. With
    dtype=float32 that holds for inputs that are of that type already, up to the rounding of the answer; others lose
    digits before the graph sees them, which is much where their mean is large beside their spread. A number that is
    absent from a mapping is 0.

    Examples
    --------
    With onnx installed::

        graph = to_onnx(QuantizedRegressor(bits=8).fit(X, y), weights="int8")
        onnx.save(graph, "model.onnx")
    """
    if not isinstance(weights, str) or weights not in BITS:
        raise ValueError(f"weights must be one of {sorted(BITS)}, got {weights!r}")
    small = compacted(model)
    chosen = next((t for t in (np.float32, np.float64) if _is_type(small.dtype if dtype is None else dtype, t)), None)
    if chosen is None:
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
    if not isinstance(name, str) or not name:
        raise ValueError(f"name must be a text, got {name!r}")
    try:
        import onnx
    except ImportError:
        raise ImportError("to_onnx needs onnx: pip install 'skcompress[onnx]'") from None
    graph = OnnxGraph(onnx.helper, onnx.numpy_helper, onnx.TensorProto)
    builder = _Builder(NormalForm(small, "ONNX"), graph, BITS[weights], np.dtype(chosen))
    outputs = builder.outputs()
    made = onnx.helper.make_graph(graph.nodes, name, builder.inputs, outputs, initializer=graph.constants)
    opsets = [onnx.helper.make_opsetid("", OPSETS[BITS[weights]])]
    if any(node.domain for node in graph.nodes):
        opsets.append(onnx.helper.make_opsetid("ai.onnx.ml", 2))
    ready = onnx.helper.make_model(made, opset_imports=opsets, producer_name="skcompress")
    ready.ir_version = 10 if weights == "int4" else 8
    onnx.helper.set_model_props(ready, {"model_id": small.model_id})
    onnx.checker.check_model(ready, full_check=True)
    return ready


def _is_type(given: Any, kind: type) -> bool:
    try:
        return bool(np.dtype(given) == kind)
    except TypeError:
        return False


class _Builder:
    """Makes the graph of one model."""

    def __init__(self, form: NormalForm, graph: OnnxGraph, bits: int | None, dtype: np.dtype[Any]):
        self.form, self.g, self.bits, self.dtype = form, graph, bits, dtype
        self.model = form.model
        self.k = len(form.names)
        self.m = form.model.n_outputs
        self.texts = {
            source
            for block in self.model.blocks
            for source in block.sources
            if source < self.k and any(isinstance(level, str) for level in block.params.get("levels", ()))
        }
        self._take_names()
        self.inputs = self._declared()
        self.operators = Operators(form, graph, self.texts, dtype)
        for tensor, places in self._raw_places():
            self.operators.place(tensor, places)

    def _take_names(self) -> None:
        names = self.model.inputs if self.texts else ("X",)
        clash = [name for name in names if not name or name in OUTPUTS]
        if clash:
            raise ValueError(
                f"an input of the graph cannot be called {clash[0]!r}: it is empty, or the name of an output; rename it"
            )
        for name in names:
            require_writable(name, "input", "ONNX")
        self.g.take([*names, *OUTPUTS])

    @property
    def _outer_type(self) -> int:
        """The element type of inputs and answers."""
        return int(self.g.proto.FLOAT if self.dtype == np.float32 else self.g.proto.DOUBLE)

    def _as_double(self, name: str) -> str:
        return self.g.op("Cast", name, to=self.g.float_type) if self.dtype == np.float32 else name

    def _declared(self) -> list[Any]:
        g = self.g
        if not self.texts:
            return [g.helper.make_tensor_value_info("X", self._outer_type, ["n", self.k])]
        return [
            g.helper.make_tensor_value_info(
                name, int(g.proto.STRING) if place in self.texts else self._outer_type, ["n", 1]
            )
            for place, name in enumerate(self.model.inputs)
        ]

    def _raw_places(self) -> list[tuple[str, list[int]]]:
        if not self.texts:
            return [(self._as_double("X") if self.k else "X", list(range(self.k)))]
        names = enumerate(self.model.inputs)
        return [(name if place in self.texts else self._as_double(name), [place]) for place, name in names]

    def eta(self) -> str:
        """Add the linear predictor, shape (n, m)."""
        form, g = self.form, self.g
        held = by_column(self.model, form.n_columns, self.bits)
        used = set(self.model.columns.tolist())
        parts, dense = [], self._thresholds()
        start = self.k
        for block in self.model.blocks:
            columns = range(start, start + block.n_out)
            start += block.n_out
            if block.n_out > 1 and TERMS[block.kind].form == "one":
                numbered = self._indicator(block)
                if any(column in form.columns for column in columns):
                    table = np.vstack([np.eye(block.n_out), np.zeros(block.n_out), np.full(block.n_out, np.nan)])
                    self.operators.place(g.op("Gather", g.floats(table), numbered, axis=0), columns)
                if not used.isdisjoint(columns):
                    parts.append(self._picked(numbered, held, columns))
                continue
            wanted = [column for column in columns if column in used or column in form.columns]
            new = [column for column in wanted if column not in dense]
            if new:
                self.operators.place(self.operators.of([form.made(column) for column in new]), new)
            dense += [column for column in new if column in used]
        raw = sorted(column for column in used if column < self.k)
        if raw or dense:
            tensors = [self._raw(raw)] if raw else []
            tensors += [self.operators.columns(dense)] if dense else []
            parts.insert(0, g.op("MatMul", g.concat(tensors), self._tensor(held, [*raw, *dense])))
        if not parts:
            return self._alone()
        total = parts[0]
        for part in parts[1:]:
            total = g.op("Add", total, part)
        if held.scale is not None:
            total = g.op("Mul", total, g.floats(held.scale))
        return g.op("Add", total, g.floats(form.intercept))

    def _thresholds(self) -> list[int]:
        """Compare all inputs with their thresholds at once, and return the columns of these indicators.

        A scorecard is made of them: columns of their own, each with one edge.
        """
        chosen, start = [], self.k
        for block in self.model.blocks:
            if block.kind == "bins" and block.n_out == len(block.params["edges"]) == 1 and block.sources[0] < self.k:
                chosen.append(start)
            start += block.n_out
        if chosen:
            self.operators.place(self.operators.of([self.form.made(column) for column in chosen]), chosen)
        return chosen

    def _indicator(self, block: Block) -> str:
        """Return which of its indicators is 1, shape (n,): n_out for none, n_out + 1 where there is no prediction."""
        n_out = block.n_out
        (expr,) = LOWERINGS[block.kind](block.params, block.sources, np.arange(1, n_out + 1))
        assert isinstance(expr, (Lookup, Steps))
        ends = (expr.other,) if isinstance(expr, Lookup) else ()
        numbers = [n_out + 1 if v != v else n_out if v == 0 else int(v) - 1 for v in (*expr.values, *ends)]
        if isinstance(expr, Lookup):
            return self.operators.numbers(expr, numbers)
        g, x = self.g, self.operators.columns([expr.column])
        found = g.op("Gather", g.integers(numbers), g.interval(x, expr.edges))
        return g.op("Where", g.flat(g.op("IsNaN", x)), g.integers(n_out + 1), found)

    def _raw(self, raw: list[int]) -> str:
        X = self.operators.columns(raw)
        offset = [self.form.offset.get(column, 0.0) for column in raw]
        return self.g.op("Sub", X, self.g.floats(offset)) if any(offset) else X

    def _tensor(self, held: ByColumn, columns: Sequence[int], extra_rows: int = 0) -> str:
        """Return weights of some columns as floats, shape (len(columns) + extra_rows, m); the last rows are zero."""
        g = self.g
        chosen = held.weights[list(columns)]
        zeros = np.zeros((extra_rows, self.m))
        if self.bits is None:
            return g.floats(np.vstack([chosen, zeros]))
        tensor = g.packed_codes(np.vstack([chosen, zeros]).astype(np.int64), self.bits)
        if held.row_scale is None:
            return tensor
        return g.op("Mul", tensor, g.floats(np.vstack([held.row_scale[list(columns)], zeros])))

    def _picked(self, numbered: str, held: ByColumn, columns: range) -> str:
        """Return the weights of the indicators that are 1, NaN where there is no prediction, shape (n, m)."""
        g = self.g
        rows = g.op("Gather", self._tensor(held, columns, extra_rows=2), numbered, axis=0)
        valid = np.zeros(len(columns) + 2)
        valid[-1] = np.nan
        return g.op("Add", rows, g.column(g.op("Gather", g.floats(valid), numbered)))

    def _alone(self) -> str:
        """Return the intercept once for each row."""
        g = self.g
        n_rows = g.op("Gather", g.op("Shape", self.inputs[0].name), g.integers([0]))
        shape = g.op("Concat", n_rows, g.integers([self.m]), axis=0)
        return g.op("Expand", g.floats(self.form.intercept[None, :]), shape)

    def outputs(self) -> list[Any]:
        """Add the answers and return their declarations."""
        model, g = self.model, self.g
        eta = self._refused(self.eta())
        if not model.classes:
            answer = LINKS[model.link].onnx(g, eta)
            answer = self._finite(answer, answer) if not LINKS[model.link].is_bounded else answer
            return [
                self._named(
                    g.flat(answer) if model.flat else answer, "prediction", ["n"] if model.flat else ["n", self.m]
                )
            ]
        if self.m == 1:
            chosen = g.flat(g.op("Cast", g.op("Greater", eta, g.floats(0.0)), to=int(g.proto.INT64)))
        else:
            chosen = g.op("ArgMax", eta, axis=1, keepdims=0)
        labels = _labels(model.classes)
        is_none = g.op("IsNaN", g.flat(eta if self.m == 1 else g.pick(eta, [0], self.m)))
        chosen = g.op("Where", is_none, g.integers(len(model.classes)), chosen)
        label = self._named(g.op("Gather", g.constant(labels), chosen), "label", ["n"], kind=labels.dtype)
        if model.link == "identity":
            width = ["n"] if self.m == 1 else ["n", self.m]
            return [label, self._named(g.flat(eta) if self.m == 1 else eta, "scores", width)]
        shares = LINKS[model.link].onnx(g, eta)
        if self.m == 1:
            shares = g.concat([LINKS[model.link].onnx(g, g.op("Neg", eta)), shares])
        elif model.link != "softmax":
            shares = g.op("Div", shares, g.op("ReduceSum", shares, g.integers([1]), keepdims=1))
        return [label, self._named(shares, "probabilities", ["n", len(model.classes)])]

    def _refused(self, eta: str) -> str:
        """Return the linear predictor with NaN in rows without a prediction (see `skcompress.export.expressions`)."""
        g = self.g
        checked = [column for column in self.form.readers.to_check() if column not in self.texts]
        if not checked:
            return self._finite(eta, eta)
        columns = self.operators.columns(checked)
        known = g.op("Where", g.op("IsNaN", columns), g.floats(0.0), columns)
        return self._finite(eta, g.concat([eta, known]), width=self.m + len(checked))

    def _finite(self, tensor: str, checked: str, width: int = 0) -> str:
        """Return a tensor with NaN in the rows in which another one is not finite."""
        g = self.g
        zero = g.op("Mul", checked, g.floats(0.0))
        if (width or self.m) > 1:
            zero = g.op("ReduceSum", zero, g.integers([1]), keepdims=1)
        return g.op("Add", tensor, zero)

    def _named(self, tensor: str, name: str, shape: list[Any], kind: Any = None) -> Any:
        g = self.g
        element = g.float_type if kind is None else 0
        if element and self.dtype == np.float32:
            element = self._outer_type
            g.nodes.append(g.helper.make_node("Cast", [tensor], [name], name=name, to=element))
        else:
            g.nodes.append(g.helper.make_node("Identity", [tensor], [name], name=name))
        if kind is not None:
            element = int(g.proto.STRING) if kind.kind == "O" else int(g.helper.np_dtype_to_tensor_dtype(kind))
        return g.helper.make_tensor_value_info(name, element, shape)


def _labels(classes: Sequence[Any]) -> NDArray[Any]:
    """Return the labels, and one more for no label."""
    labels = np.array(classes)
    if labels.dtype.kind in "US":
        if "" in classes:
            raise ValueError("a class cannot be called '' in ONNX, where that stands for no label: rename it")
        return np.array([*(require_writable(label, "class", "ONNX") for label in classes), ""], dtype=object)
    if labels.dtype.kind == "f":
        return np.append(labels, np.nan)
    return np.append(labels.astype(np.int64), np.iinfo(np.int64).min)

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

from ...artifact.terms import NO_TERM, TERMS
from ..compacted import compacted
from ..links import LINKS
from ..names import require_writable
from ..normal_form import NormalForm
from .graph import DENSE, OnnxGraph, Values, bins, category, lookup
from .stored_weights import ByColumn, by_column

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

    Notes
    -----
    The graph is exact under the default options of onnxruntime: within 1e-12 of the spread of the predictions. With
    dtype=float32 that holds for inputs that are of that type already, up to the rounding of the answer; others lose
    digits before the graph sees them, which is much where their mean is large beside their spread. A number that is
    absent from a mapping is 0.
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
        self.model = model = form.model
        self.k = len(model.reads)
        self.m = model.n_outputs
        self.texts = self._text_inputs()
        self._take_names()
        self.inputs = self._declared()
        # For each column the tensor that holds it, its place there, and the tensor's width.
        self.where: list[tuple[str, int, int]] = self._raw_places()

    def _text_inputs(self) -> set[int]:
        texts: set[int] = set()
        for block in self.model.blocks:
            if TERMS[block.kind].reads == "values" and any(isinstance(v, str) for v in block.params.get("levels", ())):
                texts.update(source for source in block.sources if source < self.k)
        return texts

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

    def _raw_places(self) -> list[tuple[str, int, int]]:
        if not self.texts:
            X = self._as_double("X") if self.k else "X"
            return [(X, place, self.k) for place in range(self.k)]
        return [
            (name if place in self.texts else self._as_double(name), 0, 1)
            for place, name in enumerate(self.model.inputs)
        ]

    def _columns(self, numbers: Sequence[int]) -> str:
        """Return columns as one tensor of shape (n, len(numbers))."""
        runs: list[tuple[str, list[int], int]] = []
        for number in numbers:
            tensor, place, width = self.where[number]
            if number < self.k and number in self.texts:
                raise ValueError(f"input {self.model.inputs[number]!r} is read as a text and as a number")
            if runs and runs[-1][0] == tensor:
                runs[-1][1].append(place)
            else:
                runs.append((tensor, [place], width))
        return self.g.concat([self.g.pick(tensor, places, width) for tensor, places, width in runs])

    def eta(self) -> str:
        """Add the linear predictor, shape (n, m)."""
        model, g = self.model, self.g
        n_columns = self.k + sum(block.n_out for block in model.blocks)
        held = by_column(model, n_columns, self.bits)
        parts, dense = [], []
        read = {source for block in model.blocks for source in block.sources}
        used = set(model.columns.tolist())
        together = self._thresholds()
        start = self.k
        for number, block in enumerate(model.blocks):
            columns = range(start, start + block.n_out)
            if number in together:
                self.where.append(together[number])
                dense += [column for column in columns if column in used]
            elif TERMS[block.kind].form == "one":
                numbered = self._numbers_of(block)
                self._place_indicators(numbered, block.n_out, any(column in read for column in columns))
                if np.isin(model.columns, columns).any():
                    parts.append(self._picked(numbered, held, columns))
            else:
                made = self._dense_of(block)
                self.where += [(made, place, block.n_out) for place in range(block.n_out)]
                dense += [column for column in columns if column in used]
            start += block.n_out
        raw = sorted({column for column in model.columns.tolist() if column < self.k})
        offset, intercept = self._offsets(raw, n_columns)
        if raw or dense:
            tensors = [self._raw(raw, offset)] if raw else []
            tensors += [self._columns(dense)] if dense else []
            parts.insert(0, g.op("MatMul", g.concat(tensors), self._tensor(held, [*raw, *dense])))
        total = ""
        for part in parts:
            total = g.op("Add", total, part) if total else part
        if not total:
            return self._alone(intercept)
        if held.scale is not None:
            total = g.op("Mul", total, g.floats(held.scale))
        return g.op("Add", total, g.floats(intercept))

    def _thresholds(self) -> dict[int, tuple[str, int, int]]:
        """Compare all inputs with their thresholds at once; return where each block's column is, by its number.

        These are the bins of one edge with an indicator above it, as a scorecard has them.
        """
        g, blocks = self.g, self.model.blocks
        chosen = [
            number
            for number, block in enumerate(blocks)
            if block.kind == "bins" and block.sources[0] < self.k and block.params["slots"].tolist() == [NO_TERM, 0]
        ]
        if not chosen:
            return {}
        x = self._columns([blocks[number].sources[0] for number in chosen])
        edges = np.concatenate([blocks[number].params["edges"] for number in chosen])
        reached = g.op("Cast", g.op("GreaterOrEqual", x, g.floats(edges)), to=g.float_type)
        made = g.op("Where", g.op("IsNaN", x), g.floats(np.nan), reached)
        return {number: (made, place, len(chosen)) for place, number in enumerate(chosen)}

    def _raw(self, raw: list[int], offset: NDArray[np.float64]) -> str:
        X = self._columns(raw)
        return self.g.op("Sub", X, self.g.floats(offset[raw])) if offset[raw].any() else X

    def _offsets(self, raw: list[int], n_columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what is subtracted from each raw column, and the intercept that has taken up all other offsets."""
        model = self.model
        offset = np.zeros(n_columns)
        if model.offset is None:
            return offset, model.intercept
        weights = model.weights.over(model.divisor)
        of_raw = model.columns < self.k
        offset[model.columns[of_raw][::-1]] = model.offset[of_raw][::-1]
        return offset, model.intercept - weights @ (model.offset - offset[model.columns])

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

    def _numbers_of(self, block: Any) -> str:
        if block.kind == "bins":
            return bins(self.g, block.params, self._columns(block.sources))
        return category(self.g, block.params, *self._values(block.sources[0]))

    def _dense_of(self, block: Any) -> str:
        if block.kind == "lookup":
            return lookup(self.g, block.params, *self._values(block.sources[0]))
        return DENSE[block.kind](self.g, block.params, self._columns(block.sources), len(block.sources))

    def _place_indicators(self, numbered: str, n_out: int, is_read: bool) -> None:
        g, made = self.g, ""
        if is_read:
            table = np.vstack([np.eye(n_out), np.zeros((1, n_out)), np.full((1, n_out), np.nan)])
            made = g.op("Gather", g.floats(table), numbered, axis=0)
        self.where += [(made, place, n_out) for place in range(n_out)]

    def _values(self, source: int) -> tuple[Values, str, np.dtype[Any]]:
        """Return a column as values, its name, and the type that its numbers had."""
        name = self.model.inputs[source] if source < self.k else f"column {source}"
        dtype = self.dtype if source < self.k else np.dtype(np.float64)
        if source in self.texts:
            return Values(self.where[source][0], True), name, dtype
        return Values(self._columns([source]), False), name, dtype

    def _alone(self, intercept: NDArray[np.float64]) -> str:
        """Return the intercept once for each row."""
        g = self.g
        n_rows = g.op("Gather", g.op("Shape", self.inputs[0].name), g.integers([0]))
        return g.op("Expand", g.floats(intercept[None, :]), g.op("Concat", n_rows, g.integers([self.m]), axis=0))

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
        """Return the linear predictor with NaN in rows that have no prediction (see `skcompress.export.refusals`)."""
        g = self.g
        checked = [column for column in self.form.readers.to_check() if column not in self.texts]
        if not checked:
            return self._finite(eta, eta)
        columns = self._columns(checked)
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

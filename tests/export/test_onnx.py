import sys

import numpy as np
import pandas as pd
import pytest
from printed_models import FRAME, MODELS, NAN, TERMS_AND_ROWS, Y, columns, of_block, table_of
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcompress import PrunedRegressor, QuantizedRegressor, compact, to_onnx
from skcompress.artifact import CompactLinear, Inputs, Weights

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

EXACT = {np.float32: 1e-5, np.float64: 1e-12}


def session(model):
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def feed(model, small, X):
    """What a user of the graph gives it."""
    types = {i.name: i.type.tensor_type.elem_type for i in model.graph.input}
    kinds = {onnx.TensorProto.STRING: object, onnx.TensorProto.FLOAT: np.float32, onnx.TensorProto.DOUBLE: np.float64}
    if list(types) == ["X"]:
        if isinstance(X, pd.DataFrame):
            X = X[list(small.inputs)].to_numpy(dtype=float)
        X = X[:, small.reads.positions] if X.shape[1] == small.reads.n_all else X
        return {"X": X.astype(kinds[types["X"]])}
    given = {}
    for name, element in types.items():
        column = X[name]
        column = column.where(column.notna(), "") if element == onnx.TensorProto.STRING else column
        given[name] = column.to_numpy(dtype=kinds[element])[:, None]
    return given


def run(small, X, **options):
    model = to_onnx(small, **options)
    ready = session(model)
    return dict(zip([o.name for o in ready.get_outputs()], ready.run(None, feed(model, small, X)), strict=True))


def close(got, expected, rtol):
    assert got.shape == expected.shape
    spread = max(np.std(expected), 1e-3)
    assert np.abs(got - expected).max() <= rtol * spread


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize("name", TERMS_AND_ROWS)
def test_every_kind_of_term(name, dtype):
    model, rows = TERMS_AND_ROWS[name]
    table = table_of(rows)
    if table["input 0"].dtype == float:
        table = table.astype(dtype).astype(float)
    inside = np.isfinite(CompactLinear.linear_predictor(model, table)).ravel()
    close(run(model, table, dtype=dtype)["prediction"][inside], model.predict(table)[inside], EXACT[dtype])


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize("name", MODELS)
def test_pipelines(name, dtype):
    small = compact(MODELS[name])
    table = FRAME.copy()
    numbers = ["amount", "the rate", "age's", "debt"]
    table[numbers] = table[numbers].astype(dtype).astype(float)
    got = run(small, table, dtype=dtype)
    if small.classes:
        close(got["probabilities"], small.predict_proba(table), EXACT[dtype])
        sure = np.ptp(np.sort(small.predict_proba(table), axis=1)[:, -2:], axis=1) > 1e-5
        assert np.array_equal(got["label"][sure], small.predict(table)[sure])
    else:
        close(got["prediction"], small.predict(table), EXACT[dtype])


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize(("weights", "bits"), [("int8", 8), ("int8", 3), ("int4", 4), ("int4", 2)])
@pytest.mark.parametrize("outputs", [1, 3])
def test_integer_weights(weights, bits, outputs, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 30)).astype(np.float32).astype(float)
    y = X @ rng.normal(size=(30, outputs)) + rng.normal(size=(150, outputs))
    base = make_pipeline(StandardScaler(), Ridge())
    for model in (QuantizedRegressor(Ridge(), bits=bits), QuantizedRegressor(base, bits=bits)):
        model.fit(X, y[:, 0] if outputs == 1 else y)
        small = model.compact_
        made = to_onnx(small, weights=weights, dtype=dtype)
        close(run(small, X, weights=weights, dtype=dtype)["prediction"], model.predict(X), EXACT[dtype])
        (codes,) = [t for t in made.graph.initializer if t.data_type in (onnx.TensorProto.INT8, onnx.TensorProto.INT4)]
        assert codes.data_type == (onnx.TensorProto.INT8 if weights == "int8" else onnx.TensorProto.INT4)
        assert [o.version for o in made.opset_import] == [13 if weights == "int8" else 21]


@pytest.mark.parametrize("weights", ["int8", "int4"])
@pytest.mark.parametrize("name", ["4 bits", "integers", "classes of codes"])
def test_integer_weights_of_pipelines(name, weights):
    small = compact(MODELS[name])
    bits = {"4 bits": 4, "integers": 6, "classes of codes": 5}[name]
    if weights == "int4" and bits > 4:
        with pytest.raises(ValueError, match=r"int4' holds -8\.\.7, but the codes .* reach"):
            to_onnx(small, weights=weights)
        return
    got = run(small, FRAME, weights=weights)
    expected = small.predict_proba(FRAME) if small.classes else small.predict(FRAME)
    close(got["probabilities" if small.classes else "prediction"], expected, 1e-12)


def fused(onnx_model, path):
    """The kinds of node that onnxruntime runs under its default options."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(onnx_model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return {node.op_type for node in onnx.load(path).graph.node}


def dequantizing(small):
    """The graph that is not written: DequantizeLinear + MatMul."""
    helper, proto = onnx.helper, onnx.TensorProto
    codes = small.weights.codes.T
    nodes = [
        helper.make_node("DequantizeLinear", ["codes", "scale"], ["w"]),
        helper.make_node("MatMul", ["X", "w"], ["y"]),
        helper.make_node("Add", ["y", "b"], ["prediction"]),
    ]
    parts = [
        helper.make_tensor("codes", proto.INT8, codes.shape, codes.ravel().tolist()),
        helper.make_tensor("scale", proto.FLOAT, [], [float(small.weights.scale.ravel()[0])]),
        helper.make_tensor("b", proto.FLOAT, [1], [float(small.intercept[0])]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("X", proto.FLOAT, ["n", codes.shape[0]])],
        [helper.make_tensor_value_info("prediction", proto.FLOAT, ["n", 1])],
        parts,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.mark.parametrize("weights", ["int8", "int4"])
def test_the_inexact_kernel_is_never_used(weights, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 64)).astype(np.float32)
    model = QuantizedRegressor(Ridge(), bits=4).fit(X.astype(float), X @ rng.normal(size=64))
    small = model.compact_
    expected = small.predict(X.astype(float))
    made = to_onnx(small, weights=weights, dtype=np.float32)
    assert not {node.op_type for node in made.graph.node} & {"DequantizeLinear", "QuantizeLinear"}
    kinds = fused(made, tmp_path / "ours.onnx")
    assert not {kind for kind in kinds if "Quant" in kind or "NBits" in kind or "Integer" in kind}
    close(run(small, X, weights=weights, dtype=np.float32)["prediction"], expected, 1e-5)
    # What it is for: the usual graph is off by a hundred times as much, if this onnxruntime fuses it.
    usual = dequantizing(small)
    got = session(usual).run(None, feed(usual, small, X))[0][:, 0]
    if fused(usual, tmp_path / "usual.onnx") & {"MatMulNBits", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"}:
        assert np.abs(got - expected).max() > 1e-4 * expected.std()


def test_timestamps_stay_exact():
    rng = np.random.default_rng(0)
    X = np.column_stack([1.7e9 + 1e6 * rng.normal(size=300), rng.normal(size=300)])
    y = (X[:, 0] - 1.7e9) / 1e6 + X[:, 1] + rng.normal(size=300)
    model = QuantizedRegressor(make_pipeline(StandardScaler(), Ridge()), bits=8).fit(X, y)
    for weights in ("float", "int8"):
        close(run(model.compact_, X, weights=weights)["prediction"], model.predict(X), 1e-11)
    kept = X.astype(np.float32)
    got = run(model.compact_, kept, dtype=np.float32)["prediction"]
    close(got, model.predict(kept.astype(float)), 1e-5)


def test_missing_and_unknown_values():
    small = compact(MODELS["mixed"])
    table = FRAME.head(4).copy()
    table.loc[0, "debt"] = NAN
    table.loc[1, "the rate"] = NAN
    table.loc[2, "purpose"] = None
    table.loc[3, "purpose"] = "never seen"
    got = run(small, table)["prediction"]
    assert np.isnan(got).tolist() == [False, True, False, False]
    close(got[[0, 2, 3]], small.predict(table.iloc[[0, 2, 3]]), 1e-12)


def test_what_is_refused_is_no_number():
    small = of_block("category", {"levels": ("a", "b"), "slots": [0, 1], "other": -2})
    got = run(small, table_of(["a", "never seen", "b"]))["prediction"]
    assert np.isnan(got).tolist() == [False, True, False]
    small, _ = TERMS_AND_ROWS["bins"]
    assert np.isnan(run(small, table_of([NAN, 1.0]))["prediction"]).tolist() == [True, False]


def test_indicators_that_other_blocks_read():
    from sklearn.preprocessing import PolynomialFeatures

    names = ["purpose", "term"]
    steps = [OneHotEncoder(sparse_output=False), PolynomialFeatures(2), Ridge()]
    model = make_pipeline(*steps).fit(FRAME[names], Y)
    close(run(compact(model), FRAME[names])["prediction"], model.predict(FRAME[names]), 1e-11)


def test_only_inputs_in_use_appear_and_the_graph_names_the_model():
    model = PrunedRegressor(make_pipeline(columns(), Ridge()), n_nonzero=2).fit(FRAME, Y)
    made = to_onnx(model)
    assert {p.key: p.value for p in made.metadata_props} == {"model_id": model.compact_.model_id}
    shapes = [i.type.tensor_type.shape.dim[1].dim_value for i in made.graph.input]
    assert sum(shapes) == len(model.compact_.inputs)


@pytest.mark.parametrize("target", [Y, np.column_stack([Y, Y])])
def test_a_model_without_terms(target):
    model = LinearRegression().fit(np.zeros((len(Y), 2)), target)
    small = compact(model)
    assert len(small.inputs) == 0
    got = run(small, np.zeros((5, 0)))["prediction"]
    close(got, model.predict(np.zeros((5, 2))), 1e-12)


def test_inputs_may_be_called_like_nodes():
    names = ["constant_0", "cast_1", "gather_2", "codes_3"]
    table = pd.DataFrame(
        {name: FRAME[old] for name, old in zip(names, ["purpose", "amount", "age's", "debt"], strict=True)}
    ).dropna()
    steps = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), names[:1]), (StandardScaler(), names[1:])
    )
    model = QuantizedRegressor(make_pipeline(steps, Ridge()), bits=4).fit(table, Y[table.index])
    close(run(model.compact_, table, weights="int4")["prediction"], model.predict(table), 1e-12)
    for name in ("prediction", ""):
        renamed = table.rename(columns={"cast_1": name})
        other = make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge()).fit(renamed, Y[table.index])
        with pytest.raises(ValueError, match=f"an input of the graph cannot be called '{name}'"):
            to_onnx(other)


def test_integers_are_smaller():
    rng = np.random.default_rng(0)
    codes = rng.integers(-7, 8, size=(4, 1000))
    inputs = Inputs(None, np.arange(1000), 1000)
    small = CompactLinear(Weights.from_codes(codes, 0.1, bits=4), np.zeros(4), inputs, flat=False)
    size = {weights: len(to_onnx(small, weights=weights).SerializeToString()) for weights in ("float", "int8", "int4")}
    assert size["float"] > 32_000
    assert 4_000 < size["int8"] < 5_000
    assert 2_000 < size["int4"] < 3_000


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (MODELS["mixed"], {"weights": "int8"}, "but the weights are floats"),
        (MODELS["mixed"], {"weights": "int2"}, "weights must be one of"),
        (MODELS["mixed"], {"dtype": np.float16}, "dtype must be float32 or float64"),
        (MODELS["mixed"], {"dtype": "foo"}, "dtype must be float32 or float64, got 'foo'"),
        (MODELS["mixed"], {"weights": ["int8"]}, "weights must be one of"),
        (MODELS["mixed"], {"name": None}, "name must be a text, got None"),
        (of_block("category", {"levels": ("", "a"), "slots": [0, 1], "other": -1}), {}, "the category ''"),
        (
            of_block("category", {"levels": (2**24, 2**24 + 1), "slots": [0, 1], "other": -1}),
            {"dtype": np.float32},
            "category 16777217, which float32 cannot hold",
        ),
        (of_block("category", {"levels": ("a", 1), "slots": [0, 1], "other": -1}), {}, "mixes texts and numbers"),
        (of_block("category", {"levels": (None, NAN), "slots": [0, 1], "other": -1}), {}, "tells None from NaN"),
        (
            of_block(
                "hash",
                {
                    "settings": [0, 1, 0, 1, 1, 0, 0],
                    "stop_words": (),
                    "norm": 0,
                    "n_features": 64,
                    "alternate": 1,
                    "numbers": [3],
                },
            ),
            {},
            "'hash' terms of input 'input 0' cannot be written in ONNX",
        ),
    ],
)
def test_what_cannot_be_written_is_an_error(model, options, message):
    with pytest.raises(ValueError, match=message):
        to_onnx(model, **options)


def test_without_onnx_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'skcompress\[onnx\]'"):
        to_onnx(MODELS["mixed"])

import sys

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skcompress import (
    CompressedClassifierCV,
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
    register_skl2onnx,
)

skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

X, Y = load_diabetes(return_X_y=True)
FLOWERS, SPECIES = load_iris(return_X_y=True)


def run(model, rows, **options):
    register_skl2onnx()
    made = skl2onnx.to_onnx(model, rows[:1].astype(np.float32), **options)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: rows.astype(np.float32)})


@pytest.mark.parametrize(
    "last",
    [
        PrunedRegressor(Ridge(), n_nonzero=4),
        QuantizedRegressor(PrunedRegressor(n_nonzero=3), bits=4),
        QuantizedRegressor(make_pipeline(StandardScaler(), Ridge()), bits=4),
        DistilledRegressor(Ridge(), teacher=Ridge(), alpha=0.5),
    ],
    ids=["pruned", "both", "around a pipeline", "distilled"],
)
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_whole_pipeline_converts(last, outputs):
    # PCA has no compact form: this is what the converters are for.
    y = Y if outputs == 1 else np.column_stack([Y, -(Y**2) / 100])
    model = make_pipeline(PCA(6, random_state=0), last).fit(X, y)
    (got,) = run(model, X)
    expected = model.predict(X)
    assert np.abs(got.reshape(expected.shape) - expected).max() <= 1e-5 * np.std(expected)


@pytest.mark.parametrize(
    "last",
    [
        PrunedClassifier(LogisticRegression(), n_nonzero=3),
        QuantizedClassifier(LogisticRegression(), bits=4),
        CompressedClassifierCV(LogisticRegression(), bits=(8, 4)),
    ],
    ids=["pruned", "quantized", "search"],
)
@pytest.mark.parametrize("labels", [SPECIES, SPECIES > 0, np.array(["a", "b", "c"])[SPECIES]])
def test_classifiers_convert_with_their_probabilities(last, labels):
    model = make_pipeline(PCA(3, random_state=0), last).fit(FLOWERS, labels)
    label, shares = run(model, FLOWERS, options={"zipmap": False})
    expected = model.predict_proba(FLOWERS)
    assert np.abs(shares - expected).max() <= 1e-5
    sure = np.ptp(np.sort(expected, axis=1)[:, -2:], axis=1) > 1e-4
    assert np.array_equal(label[sure], model.predict(FLOWERS)[sure])


@pytest.mark.parametrize("labels", [SPECIES, SPECIES > 0])
@pytest.mark.parametrize("base", [LinearSVC(), RidgeClassifier()])
def test_classifiers_without_probabilities_convert(base, labels):
    model = make_pipeline(PCA(3, random_state=0), PrunedClassifier(base, n_nonzero=2)).fit(FLOWERS, labels)
    label = run(model, FLOWERS)[0]
    scores = model.decision_function(FLOWERS)
    sure = np.abs(scores) > 1e-4 if scores.ndim == 1 else np.ptp(np.sort(scores, axis=1)[:, -2:], axis=1) > 1e-4
    assert np.array_equal(label[sure], model.predict(FLOWERS)[sure])


def test_integer_inputs_are_sent_to_the_exact_exporter():
    model = QuantizedRegressor(Ridge(), bits=8, input_bits=8).fit(X, Y)
    with pytest.raises(ValueError, match=r"input_bits, .* use skcompress\.to_onnx"):
        run(model, X)


def test_without_skl2onnx_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'skcompress\[onnx\]'"):
        register_skl2onnx()

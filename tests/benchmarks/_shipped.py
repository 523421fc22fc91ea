"""What others ship of a linear model: bytes, and calls that load it or score one row."""

from __future__ import annotations

import ctypes
import io
import pickle
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from skcompress import to_c, to_onnx, to_python
from skcompress.artifact import CompactLinear, load
from skcompress.artifact.analysis.limits import number_inputs

CALLS = 200
"""Rows that a C loop scores in one call from Python, so that the call itself does not count."""


def joblib_lzma(model: Any) -> bytes:
    """Return the model as joblib writes it at the strongest setting of lzma."""
    held = io.BytesIO()
    joblib.dump(model, held, compress=("lzma", 9))
    return held.getvalue()


def entropy_bytes(model: CompactLinear) -> float:
    """Return the zero-order entropy of the codes, and 8 bytes for each scale and intercept."""
    codes = model.weights.codes
    counts = np.unique(codes, return_counts=True)[1]
    share = counts / counts.sum()
    bits = -float((share * np.log2(share)).sum()) * codes.size
    return bits / 8 + 8 * (model.weights.scale.size + model.intercept.size)


def written(model: Any, small: CompactLinear) -> dict[str, bytes]:
    """Return the bytes of each way to ship: the float model, and its rounded form."""
    import skops.io
    from skl2onnx import to_onnx as skl2onnx

    k = model.n_features_in_
    return {
        "pickle": pickle.dumps(model),
        "joblib + lzma": joblib_lzma(model),
        "skops": skops.io.dumps(model),
        "skl2onnx": skl2onnx(model, np.zeros((1, k), dtype=np.float32)).SerializeToString(),
        "skcompress": small.to_bytes(names=False, metadata=False),
        "to_onnx, float": to_onnx(small, dtype=np.float32).SerializeToString(),
        "to_onnx, int4": to_onnx(small, dtype=np.float32, weights="int4").SerializeToString(),
    }


def loaders(files: dict[str, bytes], model: Any, folder: Path) -> dict[str, Callable[[], Any]]:
    """Return what loads each of the files from a folder to a model in memory."""
    import onnxruntime
    import skops.io

    paths = {name: folder / f"model {place}" for place, name in enumerate(files)}
    for name, path in paths.items():
        path.write_bytes(files[name])
    joblib.dump(model, folder / "joblib")
    return {
        "joblib": lambda: joblib.load(folder / "joblib"),
        "pickle": lambda: pickle.loads(paths["pickle"].read_bytes()),
        "joblib + lzma": lambda: joblib.load(paths["joblib + lzma"]),
        "skops": lambda: skops.io.load(paths["skops"]),
        "skl2onnx": lambda: onnxruntime.InferenceSession(paths["skl2onnx"]),
        "skcompress": lambda: load(paths["skcompress"]),
    }


def session_of(data: bytes) -> Callable[[Any], Any]:
    """Return a function of one float32 array that runs a graph in onnxruntime, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda X: session.run(None, {name: X})


def python_function(small: CompactLinear) -> Callable[[Any], Any]:
    """Return the function that `to_python` writes."""
    module: dict[str, Any] = {}
    exec(to_python(small), module)
    return module["predict"]


class Compiled:
    """A C file compiled with -O2, and what it scores.

    Parameters
    ----------
    source : str
        C with a function of a row of doubles.
    function : str
        Its name.
    gives_back : bool
        Whether the function returns the score; else it writes it through a second pointer.
    """

    def __init__(self, source: str, function: str, *, gives_back: bool):
        loop = f"for (int i = 0; i < n; i++) out[i] = {function}(x);"
        if not gives_back:
            loop = f"for (int i = 0; i < n; i++) {function}(x, out + i);"
        source += f"\nvoid many(double *x, double *out, int n) {{ {loop} }}\n"
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "model.c"
        path.write_text(source)
        self.source_bytes = len(source)
        library = path.with_suffix(".so")
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, path, "-lm"], check=True)
        subprocess.run(["gcc", "-O2", "-c", "-o", path.with_suffix(".o"), path], check=True)
        sizes = subprocess.run(["size", path.with_suffix(".o")], capture_output=True, text=True, check=True).stdout
        text, data, _ = sizes.splitlines()[1].split()[:3]
        self.object_bytes = int(text) + int(data)
        self._many = ctypes.CDLL(str(library)).many
        pointer = ctypes.POINTER(ctypes.c_double)
        self._many.argtypes = [pointer, pointer, ctypes.c_int]
        self._out = (ctypes.c_double * CALLS)()

    def row(self, x: np.ndarray) -> Callable[[], Any]:
        """Return a call that scores one row `CALLS` times inside C."""
        held = (ctypes.c_double * len(x))(*x)
        return lambda: self._many(held, self._out, CALLS)

    def score(self, x: np.ndarray) -> float:
        """Return the score of one row."""
        self.row(x)()
        return self._out[0]


def our_c(small: CompactLinear, *, integer: bool) -> Compiled:
    """Return the file of `to_c`."""
    return Compiled(to_c(small, integer=integer), "model_predict", gives_back=False)


def their_c(model: Any) -> Compiled:
    """Return the file of m2cgen."""
    import m2cgen

    return Compiled(m2cgen.export_to_c(model), "score", gives_back=True)


def used_row(small: CompactLinear, row: np.ndarray) -> np.ndarray:
    """Return the inputs that a compact model reads, of one whole row."""
    assert len(number_inputs(small)) == len(small.inputs)
    return np.ascontiguousarray(row[small.reads.positions])

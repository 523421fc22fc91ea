"""A machine that has numpy and the file can score, write SQL, C and Python, and compare two files."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from pipelines import FRAME, MODELS

from skcompress import dump, max_change, to_c, to_python, to_sql

BLOCKED = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"sklearn", "scipy", "pandas", "joblib", "polars", "onnx"}:
            raise ModuleNotFoundError(f"{name} is not on this machine", name=name)

sys.meta_path.insert(0, Nothing())
"""

CODE = """
import json
from skcompress import load, max_change, to_c, to_python, to_sql

a, b = load(sys.argv[1]), load(sys.argv[2])
rows = json.loads(sys.argv[3])
change = max_change(a, b, bounds={"size": (0.5, 4.0), "Δ rate": (-1.0, 1.0), "skc_0": (20.0, 60.0)})
print(json.dumps([to_sql(a, "t", dialect="postgres"), to_c(a), to_python(a), a.predict(rows).tolist(), change.value]))
"""


def run(code, *args):
    command = [sys.executable, "-c", BLOCKED + textwrap.dedent(code), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "other"), [("least squares", "4 bits"), ("integers", "pruned"), ("points", "points")])
def test_a_loaded_file_needs_numpy_alone(name, other, tmp_path):
    a, b = MODELS[name], MODELS[other]
    dump(a, tmp_path / "a")
    dump(b, tmp_path / "b")
    rows = {key: value.tolist() for key, value in FRAME.dropna().head(5)[list(a.inputs)].items()}
    done = run(CODE, tmp_path / "a", tmp_path / "b", json.dumps(rows))
    assert done.returncode == 0, done.stderr
    sql, c, python, predicted, change = json.loads(done.stdout)
    assert sql == to_sql(a, "t", dialect="postgres")
    assert c == to_c(a)
    assert python == to_python(a)
    assert np.allclose(predicted, a.predict(rows), rtol=1e-12)
    bounds = {"size": (0.5, 4.0), "Δ rate": (-1.0, 1.0), "skc_0": (20.0, 60.0)}
    assert change == pytest.approx(max_change(a, b, bounds=bounds).value, rel=1e-12, abs=1e-300)


def test_what_has_to_be_compacted_first_says_what_is_missing():
    done = run("from skcompress import to_sql\nto_sql(object(), 't')")
    assert "sklearn is not on this machine" in done.stderr

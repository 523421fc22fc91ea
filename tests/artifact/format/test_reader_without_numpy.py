import importlib.util
from pathlib import Path

import numpy as np
import pytest

from ..models import MODELS

EXAMPLE = Path(__file__).parents[3] / "examples" / "read_without_numpy.py"


def the_reader():
    spec = importlib.util.spec_from_file_location("read_without_numpy", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.read


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("name", [n for n, m in MODELS.items() if not m.blocks and not m.classes])
def test_plain_python_reads_the_same_model(name, names):
    model = MODELS[name]
    inputs, weights, intercept, offset, divisor, link = the_reader()(model.to_bytes(names=names))
    assert inputs == (list(model.inputs) if names else [f"x{j}" for j in model.reads.positions])
    decoded = np.array(weights).reshape(model.coef.shape).astype(model.coef.dtype)
    assert decoded.tobytes() == model.coef.tobytes()
    assert intercept == model.intercept.tolist()
    assert link == {"identity": 0, "log": 1}[model.link]
    assert offset == (np.zeros(len(offset)) if model.offset is None else model.offset).tolist()
    assert divisor == (np.ones(len(divisor)) if model.divisor is None else model.divisor).tolist()


def test_plain_python_refuses_damaged_bytes():
    data = bytearray(MODELS["4 bits"].to_bytes())
    data[-6] ^= 1
    with pytest.raises(ValueError, match="undamaged"):
        the_reader()(bytes(data))

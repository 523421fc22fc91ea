"""Files of every version of the byte format stay readable and predict the same.

Each folder under ``stored`` holds files as one version wrote them, and ``expected.json`` with their model_id and
predictions. They are never written again: a new version gets a folder of its own.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from skcompress.artifact import load
from skcompress.artifact.format.packed import VERSIONS

from ..models import rows_for

FILES = sorted((Path(__file__).parent / "stored").glob("*/*.skcl"))


def test_there_are_files_of_every_version():
    assert {file.parent.name for file in FILES} == {f"version_{version}" for version in VERSIONS}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_stored_files_read_and_predict_as_when_they_were_written(file):
    expected = json.loads((file.parent / "expected.json").read_text())[file.stem]
    model = load(file)
    assert model.model_id == expected["model_id"]
    np.testing.assert_allclose(model.linear_predictor(rows_for(model)), expected["eta"], rtol=1e-12, atol=1e-12)

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from printed_models import FRAME, MODELS, TERMS_AND_ROWS, Y, columns, of_block, table_of
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skcompress import PrunedRegressor, compact, to_python


def function_of(model, **options):
    module = {}
    exec(compile(to_python(model, **options), "model.py", "exec"), module)
    return module[options.get("name", "predict")]


def close(got, expected, rtol=1e-12):
    got, expected = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= rtol * max(1.0, np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", TERMS_AND_ROWS)
def test_every_kind_of_term(name):
    model, rows = TERMS_AND_ROWS[name]
    predict = function_of(model)
    close([predict({"input 0": row}) for row in rows], model.predict(table_of(rows)), rtol=1e-13)


@pytest.mark.parametrize("name", MODELS)
def test_pipelines(name):
    small = compact(MODELS[name])
    rows = FRAME.head(40).to_dict("records")
    linear = function_of(MODELS[name], method="decision_function")
    expected = small.linear_predictor(FRAME.head(40))
    close([linear(row) for row in rows], expected[:, 0] if small.n_outputs == 1 else expected)
    predict = function_of(small)
    if small.classes:
        assert [predict(row) for row in rows] == small.predict(FRAME.head(40)).tolist()
        shares = function_of(small, method="predict_proba", name="shares")
        close([shares(row) for row in rows], small.predict_proba(FRAME.head(40)))
    else:
        close([predict(row) for row in rows], small.predict(FRAME.head(40)), rtol=1e-11)


def test_integer_models_give_the_same_bits():
    predict = function_of(MODELS["integers"])
    got = [predict(row) for row in FRAME.to_dict("records")]
    assert got == MODELS["integers"].predict(FRAME).tolist()


def test_the_module_runs_where_there_is_nothing_but_python(tmp_path):
    model = MODELS["mixed"]
    path = tmp_path / "model.py"
    path.write_text(to_python(model), encoding="utf-8")
    rows = json.loads(FRAME[FRAME["debt"].notna()].head(5).to_json(orient="records"))
    code = "import json, sys, model; print(json.dumps([model.MODEL_ID, *map(model.predict, json.load(sys.stdin))]))"
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        input=json.dumps(rows),
        capture_output=True,
        text=True,
        check=True,
    )
    model_id, *got = json.loads(run.stdout)
    assert model_id == compact(model).model_id
    close(got, model.predict(pd.DataFrame(rows)), rtol=1e-9)


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, np.float64("nan")])
def test_missing_values_are_what_they_are_to_predict(missing):
    row = FRAME.iloc[0].to_dict()
    small = compact(MODELS["mixed"])
    predict = function_of(small)
    close(predict({**row, "debt": missing}), small.predict_one({**row, "debt": missing}))
    close(predict({**row, "purpose": "never seen"}), small.predict_one({**row, "purpose": "never seen"}))
    with pytest.raises(ValueError, match="no finite prediction"):
        predict({**row, "the rate": missing})
    with pytest.raises(ValueError, match="'the rate' must hold numbers"):
        predict({**row, "the rate": "high"})
    with pytest.raises(KeyError, match="amount"):
        predict({name: value for name, value in row.items() if name != "amount"})


@pytest.mark.parametrize("level", [None, float("nan"), True, 2, "a"])
def test_levels_of_every_type(level):
    model = of_block("category", {"levels": ("a", True, 2, None, float("nan")), "slots": range(5), "other": -1})
    assert function_of(model)({"input 0": level}) == model.predict_one({"input 0": level})


def test_rows_of_dictionaries_may_lack_keys():
    rows = [{"city": "Rome", "age": 3.0}, {"age": 2.0}, {"city": "Oslo"}, {"city": "Rome", "age": 1.0}]
    model = make_pipeline(DictVectorizer(), Ridge()).fit(rows, [1.0, 2, 3, 5])
    predict = function_of(model)
    close([predict(row) for row in [*rows, {}]], model.predict([*rows, {}]))
    typed = {"city": "Rome", "age": np.int64(3)}
    assert predict(typed) == predict({"city": "Rome", "age": 3.0}) == predict({"city": "Rome", "age": np.float32(3)})


def test_unused_inputs_and_functions_do_not_appear():
    model = PrunedRegressor(make_pipeline(columns(), Ridge()), n_nonzero=2).fit(FRAME, Y)
    source = to_python(model)
    unused = set(FRAME.columns) - set(model.compact_.inputs)
    assert not any(repr(name) in source for name in unused)
    assert "softmax" not in source
    assert len(to_python(Ridge().fit([[0.0], [1.0]], [0.0, 1.0])).splitlines()) < 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "score"}, "method must be one of"),
        ({"method": "predict_proba"}, "no probabilities"),
        ({"name": "not a name"}, "name must be a name in Python"),
        ({"name": "class"}, "name must be a name in Python"),
        ({"name": "math"}, "must not begin with an underscore or be one of"),
        ({"name": "_check"}, "must not begin with an underscore"),
    ],
)
def test_what_cannot_be_written_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        to_python(MODELS["mixed"], **options)

"""What ships takes whatever `compact` takes."""

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skcompress import (
    CompressedRegressorCV,
    DistilledRegressor,
    PrunedRegressor,
    QuantizedRegressor,
    ScorecardClassifier,
    compact,
    dump,
    golden_rows,
    load,
    size_bytes,
    to_c,
    verify,
)

rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(120, 5)), columns=list("abcde"))
Y = X["a"] - 2 * X["b"] + 0.1 * rng.normal(size=120)
LABELS = np.where(Y > 0, "good", "bad")

MODELS = {
    "base": Ridge(),
    "pipeline": make_pipeline(StandardScaler(), Ridge()),
    "pruned": PrunedRegressor(n_nonzero=3),
    "quantized": QuantizedRegressor(PrunedRegressor(Ridge(), n_nonzero=3), bits=4),
    "distilled": DistilledRegressor(Ridge(), teacher=Ridge(), alpha=0.5),
    "search": GridSearchCV(PrunedRegressor(), {"n_nonzero": [2, 3]}, cv=2),
    "search in a pipeline": make_pipeline(StandardScaler(), GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=2)),
    "own search": CompressedRegressorCV(Ridge(), n_nonzero=[2, 3], bits=[None, 4], cv=2),
    "target": TransformedTargetRegressor(PrunedRegressor(n_nonzero=2), func=np.log1p, inverse_func=np.expm1),
    "frozen": FrozenEstimator(Ridge().fit(X, Y)),
    "classifier": LogisticRegression(),
    "scorecard": ScorecardClassifier(n_lines=3),
}


@pytest.fixture(params=MODELS)
def model(request):
    estimator = MODELS[request.param]
    y = LABELS if request.param in ("classifier", "scorecard") else np.abs(Y) if request.param == "target" else Y
    return estimator.fit(X, y)


def test_functions_of_what_ships_take_what_compact_takes(model):
    small, file = compact(model), io.BytesIO()
    assert dump(model, file) == len(small.to_bytes())
    assert load(io.BytesIO(file.getvalue())).model_id == small.model_id
    assert size_bytes(model) == len(small.to_bytes(names=False, metadata=False))
    rows = golden_rows(model, X)
    assert rows.keys() == set(small.inputs)
    assert verify(model, model.predict(X), X) < 1e-9
    with pytest.raises(ValueError, match="1 of 120 scores differ"):
        verify(model, [None, *model.predict(X)[1:]], X)


def test_golden_rows_that_are_not_refused_go_anywhere(model):
    small = compact(model)
    every, answered = golden_rows(model, X), golden_rows(model, X, refused=False)
    (n_every,), (n_answered,) = {len(c) for c in every.values()}, {len(c) for c in answered.values()}
    scores = small.predict(answered)
    assert len(scores) == n_answered <= n_every
    assert verify(model, scores, answered) == 0
    refused = 0
    for values in zip(*every.values(), strict=True):
        try:
            small.predict({name: [value] for name, value in zip(every, values, strict=True)})
        except ValueError:
            refused += 1
    assert n_every - n_answered == refused
    if not small.classes:
        assert "int main(void)" in to_c(model, self_test=answered)


def test_golden_rows_of_mappings_may_leave_out_the_refused_ones():
    rows = [{"city": "Rome", "age": 3.0}, {"age": 2.0}, {"city": "Oslo"}, {"city": "Rome", "age": 1.0}]
    model = make_pipeline(DictVectorizer(), Ridge()).fit(rows, [1.0, 2, 3, 5])
    answered = golden_rows(model, rows, refused=False)
    assert verify(model, compact(model).predict(answered), answered) == 0


def test_what_has_no_compact_form_is_named(tmp_path):
    tree = DecisionTreeRegressor().fit(X, Y)
    with pytest.raises(ValueError, match="DecisionTreeRegressor"):
        dump(tree, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_compact_model_is_dumped_and_checked_by_numpy_alone(tmp_path):
    """A machine that serves models has no scikit-learn."""
    dump(MODELS["pruned"].fit(X, Y), tmp_path / "model")
    code = (
        "import sys, skcompress as s; model = s.load(sys.argv[1]); rows = {name: [1.0] for name in model.inputs}; "
        "s.dump(model, sys.argv[1]); s.size_bytes(model); s.golden_rows(model, rows); "
        "s.verify(model, model.predict(rows), rows); "
        "print({name.partition('.')[0] for name in sys.modules} & {'sklearn', 'scipy', 'pandas'})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model")], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"

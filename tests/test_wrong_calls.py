"""Wrong calls of the public functions: each message names the parameter, shows the value and says what is allowed."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge

from skcompress import (
    CompressedRegressorCV,
    DistilledClassifier,
    DistilledRegressor,
    PrunedRegressor,
    QuadraticModel,
    QuantizedRegressor,
    ScorecardClassifier,
    StepEncoder,
    change_report,
    compact,
    drop_unused_inputs,
    max_change,
    prune,
    quantize,
    size_bytes,
    smallest_within,
    to_c,
    to_onnx,
    to_sql,
)

X, Y = load_diabetes(return_X_y=True, as_frame=True)
HIGH = Y > 140
MODEL = PrunedRegressor(Ridge(), n_nonzero=4).fit(X, Y)
QUADRATIC = QuadraticModel.from_blocks([(X, Y)])


def search(**options):
    return lambda: CompressedRegressorCV(Ridge(), **options).fit(X, Y)


def pruned(**options):
    return lambda: PrunedRegressor(Ridge(), **{"n_nonzero": 3, **options}).fit(X, Y)


CALLS = {
    "search n_nonzero": (search(n_nonzero=[0]), ["n_nonzero=0", "1 or above"]),
    "search n_nonzero word": (search(n_nonzero="all"), ["n_nonzero='all'", "1 or above"]),
    "search bits": (search(bits=[99]), ["bits", "1 to 16", "99"]),
    "search no bits": (search(bits=[]), ["bits", "at least one", "[]"]),
    "search size": (search(size="kilos"), ["size", "'bytes'", "'kilos'"]),
    "search tolerance": (search(tolerance=-1), ["tolerance", "'1se'", "-1"]),
    "search max_bytes": (search(max_bytes="a"), ["max_bytes", "above 0", "'a'"]),
    "search max_bytes too few": (search(max_bytes=1), ["max_bytes=1", "smallest candidate"]),
    "search cv": (search(cv="a"), ["cv", "integer", "a"]),
    "search scoring": (search(scoring="nope"), ["scoring", "nope"]),
    "keep": (pruned(keep=[1.5]), ["keep=[1.5]", "name or an index"]),
    "keep name": (pruned(keep=["zzz"]), ["keep", "'zzz'", "'age'"]),
    "signs": (pruned(monotonic_cst={"bmi": 2}), ["monotonic_cst['bmi']=2", "-1", "1"]),
    "signs word": (pruned(monotonic_cst="up"), ["monotonic_cst", "'up'", "10 entries"]),
    "restarts": (pruned(n_restarts="many"), ["n_restarts='many'", "'auto'"]),
    "nodes": (pruned(max_nodes="a"), ["max_nodes='a'", "at least 1"]),
    "random_state": (pruned(random_state="x"), ["random_state='x'", "None"]),
    "memory": (pruned(memory=3), ["memory", "3", "None"]),
    "input_bits": (lambda: QuantizedRegressor(input_bits=1).fit(X, Y), ["input_bits", "2 to 16", "1"]),
    "estimator class": (lambda: PrunedRegressor(Ridge).fit(X, Y), ["estimator=Ridge", "Ridge()"]),
    "estimator word": (lambda: PrunedRegressor("ridge").fit(X, Y), ["estimator='ridge'", "Ridge()"]),
    "representation": (
        lambda: DistilledRegressor(Ridge(), representation="pixels").fit(X, Y),
        ["representation", "'leaves'", "'pixels'"],
    ),
    "temperature": (
        lambda: DistilledClassifier(LogisticRegression(), teacher=LogisticRegression(), temperature=0).fit(X, HIGH),
        ["temperature", "above 0", "0"],
    ),
    "prune budget": (lambda: prune(QUADRATIC, n_nonzero=0), ["n_nonzero=0", "1 or above"]),
    "prune search": (lambda: prune(QUADRATIC, n_nonzero=2, search="x"), ["search='x'", "'swap'"]),
    "prune rows": (lambda: prune(X, n_nonzero=2), ["prune", "quadratic", "DataFrame", "QuadraticModel"]),
    "quantize rows": (lambda: quantize(X), ["quantize", "quadratic", "DataFrame", "QuadraticModel"]),
    "quantize grid": (lambda: quantize(QUADRATIC, grid="x"), ["grid", "'symmetric'", "'x'"]),
    "curvature": (lambda: QuadraticModel("a", np.ones(3)), ["curvature", "(p, p)", "'a'"]),
    "curvature nan": (lambda: QuadraticModel(np.full((3, 3), np.nan), np.ones(3)), ["curvature", "finite", "nan"]),
    "centre nan": (lambda: QuadraticModel(np.eye(2), [1, np.inf]), ["centre", "finite", "inf"]),
    "centre": (lambda: QuadraticModel(np.eye(3), np.ones(4)), ["curvature", "4 features", "[3]"]),
    "mean": (lambda: QuadraticModel(np.eye(3), np.ones(3), mean=np.ones(4)), ["mean", "(1, 3)", "(4,)"]),
    "compact": (lambda: compact(3), ["fitted estimator", "3"]),
    "compact unfitted": (lambda: compact(Ridge()), ["Ridge", "not fitted"]),
    "size": (lambda: size_bytes(3), ["fitted estimator", "3"]),
    "dialect": (lambda: to_sql(MODEL, "t", dialect="klingon"), ["dialect", "'duckdb'", "'klingon'"]),
    "table": (lambda: to_sql(MODEL, 3), ["table", "name", "3"]),
    "name in c": (lambda: to_c(MODEL, name="1 a"), ["name", "'1 a'"]),
    "dtype": (lambda: to_onnx(MODEL, dtype="int3"), ["dtype", "float32", "'int3'"]),
    "bounds": (lambda: max_change(MODEL, MODEL, bounds="x"), ["bounds", "'observed'", "'x'"]),
    "segments": (lambda: change_report(MODEL, MODEL, X, Y, segments="zzz"), ["segments", "'zzz'"]),
    "missing column": (lambda: drop_unused_inputs(MODEL, X.drop(columns="bmi"), Y), ["X", "'bmi'"]),
    "max_steps": (lambda: StepEncoder(max_steps=0).fit(X, Y), ["max_steps=0", "at least 1"]),
    "n_lines": (lambda: ScorecardClassifier(n_lines=0).fit(X, HIGH), ["n_lines=0", "at least 1"]),
    "points": (lambda: ScorecardClassifier(points=(5, -5)).fit(X, HIGH), ["points=(5, -5)", "(-5, 5)"]),
    "tolerance": (lambda: smallest_within(-1), ["tolerance", "'1se'", "-1"]),
}


@pytest.mark.parametrize(("call", "parts"), CALLS.values(), ids=CALLS)
def test_the_message_names_the_parameter_shows_the_value_and_says_what_is_allowed(call, parts):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert [part for part in parts if part not in str(caught.value)] == [], str(caught.value)

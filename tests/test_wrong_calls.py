"""Wrong calls of the public functions: each message names the parameter, shows the value and says what is allowed."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from skcompress import (
    CoefficientDisplay,
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
    compression_report,
    drop_unused_inputs,
    dump,
    golden_rows,
    load,
    max_change,
    membership_audit,
    prune,
    quantize,
    register_transformer,
    score_and_size,
    selection_stability,
    size_bytes,
    smallest_within,
    strip_training_state,
    to_c,
    to_onnx,
    to_python,
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
    "teacher class": (
        lambda: DistilledRegressor(Ridge(), teacher=LinearRegression).fit(X, Y),
        ["teacher=LinearRegression", "LinearRegression()"],
    ),
    "teacher": (lambda: DistilledRegressor(Ridge(), teacher="x").fit(X, Y), ["teacher", "fit and predict", "'x'"]),
    "alpha": (lambda: DistilledRegressor(Ridge(), alpha=3).fit(X, Y), ["alpha", "'auto'", "[0, 1]", "3"]),
    "debias": (lambda: DistilledRegressor(Ridge(), debias="x").fit(X, Y), ["debias", "True or False", "'x'"]),
    "unlabelled": (
        lambda: DistilledRegressor(Ridge(), teacher=Ridge()).fit(X, Y, X_unlabeled=3),
        ["X_unlabeled", "rows", "3"],
    ),
    "threshold": (pruned(n_nonzero=None, threshold="x"), ["threshold='x'", "'mean'"]),
    "two budgets": (pruned(threshold=0.1), ["threshold=0.1", "n_nonzero=3", "at most one"]),
    "groups": (pruned(feature_groups="x"), ["feature_groups", "'input'", "'x'"]),
    "group labels": (pruned(feature_groups=[1, 2]), ["feature_groups", "10 labels", "2"]),
    "refit": (pruned(refit="x"), ["refit='x'", "'closed_form'"]),
    "importance": (pruned(importance="x"), ["importance='x'", "'obs'"]),
    "bits": (lambda: QuantizedRegressor(bits=0).fit(X, Y), ["bits", "1 to 16", "0"]),
    "scale": (lambda: QuantizedRegressor(scale="x").fit(X, Y), ["scale", "'loss'", "'x'"]),
    "granularity": (lambda: QuantizedRegressor(granularity=3).fit(X, Y), ["granularity", "'output'", "3"]),
    "search estimator": (lambda: CompressedRegressorCV("x").fit(X, Y), ["estimator='x'", "Ridge()"]),
    "card estimator": (lambda: ScorecardClassifier(3).fit(X, HIGH), ["estimator=3", "ScorecardClassifier"]),
    "card missing": (lambda: ScorecardClassifier(handle_missing="x").fit(X, HIGH), ["handle_missing='x'", "'error'"]),
    "card keep": (lambda: ScorecardClassifier(keep=["zzz"]).fit(X, HIGH), ["keep", "'zzz'", "age > "]),
    "special codes": (lambda: StepEncoder(special_codes=3).fit(X, Y), ["special_codes=3", "list"]),
    "cap": (lambda: compact(MODEL, cap="x"), ["cap", "True", "rows", "'x'"]),
    "report": (
        lambda: compression_report({"a": 3}, X, Y),
        ["models['a']", "compression_report", "fitted estimator", "3"],
    ),
    "report class": (lambda: compression_report(Ridge, X, Y), ["models", "compression_report", "class Ridge"]),
    "audit": (lambda: membership_audit(3, X, Y, X, Y), ["models", "membership_audit", "fitted estimator", "3"]),
    "audit shadows": (lambda: membership_audit(MODEL, X, Y, X, Y, n_shadows=1), ["n_shadows", "at least 4", "1"]),
    "strip_training_state": (
        lambda: strip_training_state(3),
        ["model", "strip_training_state", "fitted estimator", "3"],
    ),
    "display": (lambda: CoefficientDisplay.from_estimator(3), ["estimator", "fitted estimator", "3"]),
    "unused": (lambda: drop_unused_inputs(3, X, Y), ["pipeline", "drop_unused_inputs", "fitted estimator", "3"]),
    "change": (lambda: change_report(3, MODEL, X, Y), ["base", "change_report", "fitted estimator", "3"]),
    "change rows": (lambda: change_report(MODEL, MODEL, X, Y[:3]), ["y has 3", "442 rows"]),
    "segments number": (lambda: change_report(MODEL, MODEL, X, Y, segments=3), ["segments", "columns of X", "3"]),
    "stability": (lambda: selection_stability(3, X, Y), ["estimator", "PrunedRegressor", "int"]),
    "bounds name": (lambda: max_change(MODEL, MODEL, bounds={"zzz": (0, 1)}), ["bounds", "'zzz'", "'bmi'"]),
    "bounds order": (
        lambda: max_change(MODEL, MODEL, bounds={"bmi": (1, 0)}),
        ["bounds['bmi']", "(low, high)", "(1, 0)"],
    ),
    "load number": (lambda: load(3), ["path", "str", "3"]),
    "load bytes": (lambda: load("x", max_bytes="a"), ["max_bytes", "above 0", "'a'"]),
    "dump number": (lambda: dump(3, "x"), ["model", "fitted estimator", "3"]),
    "golden": (lambda: golden_rows(3, X), ["model", "fitted estimator", "3"]),
    "method": (lambda: to_sql(MODEL, "t", method="x"), ["method", "'predict'", "'x'"]),
    "columns": (lambda: to_sql(MODEL, "t", columns="x"), ["columns", "sequence of names", "'x'"]),
    "python name": (lambda: to_python(MODEL, name="1 a"), ["name", "Python", "'1 a'"]),
    "python method": (lambda: to_python(MODEL, method="x"), ["method", "'predict'", "'x'"]),
    "onnx weights": (lambda: to_onnx(MODEL, weights="x"), ["weights", "'int8'", "'x'"]),
    "scoring": (lambda: score_and_size("x")(MODEL, X, Y), ["scoring", "'r2'", "'x'"]),
    "score": (lambda: smallest_within(0.1)({}), ["score='score'", "score_and_size"]),
    "register": (lambda: register_transformer(3, len), ["transformer", "class", "3"]),
    "register rule": (lambda: register_transformer(Ridge, 4), ["compiler", "callable", "4"]),
    "units": (lambda: quantize(QUADRATIC, units="x"), ["units", "positive", "'x'"]),
    "blocks": (lambda: QuadraticModel.from_blocks(3), ["blocks", "(X, y)", "3"]),
    "block": (lambda: QuadraticModel.from_blocks([3]), ["block 0", "(X, y)", "int"]),
    "blocks alpha": (lambda: QuadraticModel.from_blocks([(X, Y)], alpha="x"), ["alpha", "0 or above", "'x'"]),
    "one row": (lambda: compact(MODEL).predict_one({"a": 1}), ["row", "'bmi'", "missing="]),
}


@pytest.mark.parametrize(("call", "parts"), CALLS.values(), ids=CALLS)
def test_the_message_names_the_parameter_shows_the_value_and_says_what_is_allowed(call, parts):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert [part for part in parts if part not in str(caught.value)] == [], str(caught.value)

import ctypes
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from printed_models import FRAME, MODELS, NAN, TERMS_AND_ROWS, Y, columns, of_block, table_of
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcompress import PrunedRegressor, QuantizedRegressor, compact, to_c
from skcompress.export.c.printer import Printer, text
from skcompress.export.c.source import encoded
from skcompress.export.normal_form import NormalForm

FLAGS = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1"]

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")

DOUBLES = np.ctypeslib.ndpointer(np.float64, flags="C")


def compiled(sources, folder, *options):
    """One shared library of several files."""
    paths = []
    for name, source in sources.items():
        paths.append(folder / f"{name}.c")
        paths[-1].write_text(source, encoding="utf-8")
    library = folder / "models.so"
    subprocess.run([*FLAGS, *options, "-shared", "-fPIC", "-o", library, *paths, "-lm"], check=True)
    return ctypes.CDLL(str(library))


def call(library, name, function, X, n_out):
    run = getattr(library, f"{name}_{function}")
    run.argtypes, run.restype = [DOUBLES, DOUBLES], None
    out = np.full((len(X), n_out), 7.0)
    for row, answer in zip(np.ascontiguousarray(X), out, strict=True):
        run(row, answer)
    return out


def read(model, X):
    program = NormalForm(model, "C")
    return encoded(program, Printer(program, "m"), X)


def close(got, expected, rtol=1e-12):
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= rtol * max(1.0, np.abs(expected).max())


TERM_NAMES = {name: f"term{place}" for place, name in enumerate(TERMS_AND_ROWS)}
MODEL_NAMES = {name: f"model{place}" for place, name in enumerate(MODELS)}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    sources = {TERM_NAMES[key]: to_c(model, name=TERM_NAMES[key]) for key, (model, _) in TERMS_AND_ROWS.items()}
    sources.update({MODEL_NAMES[key]: to_c(model, name=MODEL_NAMES[key]) for key, model in MODELS.items()})
    sources["exact"] = to_c(MODELS["integers"], integer=True, name="exact")
    return compiled(sources, tmp_path_factory.mktemp("c"))


@pytest.mark.slow
@pytest.mark.parametrize("key", TERMS_AND_ROWS)
def test_every_kind_of_term(key, library):
    model, rows = TERMS_AND_ROWS[key]
    X = read(model, table_of(rows))
    close(call(library, TERM_NAMES[key], "predict", X, 1)[:, 0], model.predict(table_of(rows)), rtol=1e-13)


@pytest.mark.parametrize("key", MODELS)
def test_pipelines(key, library):
    small, name = compact(MODELS[key]), MODEL_NAMES[key]
    X = read(small, FRAME)
    close(call(library, name, "linear", X, small.n_outputs), small.linear_predictor(FRAME))
    if small.classes:
        chosen = call(library, name, "predict", X, 1)[:, 0].astype(int)
        assert np.array_equal(np.array(small.classes)[chosen], small.predict(FRAME))
        shares = call(library, name, "predict_proba", X, len(small.classes))
        close(shares, small.predict_proba(FRAME))
    else:
        expected = small.predict(FRAME)
        close(call(library, name, "predict", X, small.n_outputs).reshape(expected.shape), expected, rtol=1e-11)


def test_integer_models_give_the_same_bits(library):
    model = MODELS["integers"]
    source = to_c(model, integer=True)
    X = read(model, FRAME)
    assert np.array_equal(call(library, "exact", "predict", X, 1)[:, 0], model.predict(FRAME))
    # Between the codes and the scale there is no float.
    sums = source[source.index("void model_sums") : source.index("void model_linear")]
    assert "double" not in sums
    assert not re.search(r"\d\.\d", sums)


def bins_and_levels():
    """A card of points: two tables of whole numbers for each of two outputs."""
    from skcompress.artifact import Block, CompactLinear, Inputs, Weights

    bins = Block.make("bins", [0], {"edges": [-1.0, 0.0, 2.0], "slots": [0, 1, -1, 2]})
    levels = Block.make("category", [1], {"levels": ("a", "b"), "slots": [0, 1], "other": -2})
    weights = Weights.from_codes([[3, -7, 300, 5, -5], [1, 2, 3, 4, 5]], [[0.5], [0.25]], bits=10)
    inputs = Inputs(("n", "t"), np.arange(2), 2)
    return CompactLinear(weights, [1.0, 2.0], inputs, blocks=[bins, levels], columns=range(2, 7), flat=False)


def test_tables_of_points_in_integers(tmp_path):
    model = bins_and_levels()
    library = compiled({"card": to_c(model, integer=True, name="card")}, tmp_path)
    table = pd.DataFrame({"n": [-3.0, -1.0, 0.5, 2.0, 9.0], "t": list("abbab")})
    X = read(model, table)
    assert np.array_equal(call(library, "card", "predict", X, 2), model.predict(table))
    X[0, 0], X[1, 1], X[2, 1] = NAN, NAN, -1
    refused = np.isnan(call(library, "card", "predict", X, 2))
    assert refused.tolist() == [[True, True]] * 3 + [[False, False]] * 2
    library.card_level_1.restype = ctypes.c_double
    assert [library.card_level_1(t) for t in (b"a", b"b", b"zoo")] == [0.0, 1.0, -1.0]


def test_missing_and_unknown_values(library):
    small, name = compact(MODELS["mixed"]), MODEL_NAMES["mixed"]
    table = FRAME.head(4).copy()
    table.loc[0, "debt"] = NAN
    table.loc[1, "the rate"] = NAN
    table.loc[2, "purpose"] = None
    table.loc[3, "purpose"] = "never seen"
    got = call(library, name, "predict", read(small, table), 1)[:, 0]
    assert np.isnan(got).tolist() == [False, True, False, False]
    close(got[[0, 2, 3]], small.predict(table.iloc[[0, 2, 3]]))


@pytest.mark.parametrize("integer", [False, True])
def test_self_test_runs_and_fails_where_it_should(integer, tmp_path):
    source = to_c(MODELS["integers"], integer=integer, self_test=FRAME.head(20), name="loan")
    path, program = tmp_path / "loan.c", tmp_path / "loan"
    for written, code in ((source, 0), (spoiled(source), 1)):
        path.write_text(written)
        subprocess.run([*FLAGS, "-DLOAN_SELF_TEST", "-o", program, path, "-lm"], check=True)
        run = subprocess.run([program], capture_output=True, text=True)
        assert run.returncode == code
        assert f"loan {compact(MODELS['integers']).model_id}: 20 rows" in run.stdout


def spoiled(source):
    """The file with one of the expected predictions off by a hundredth."""
    head, _, rest = source.partition("loan_expected[20] = {\n    ")
    first, _, rest = rest.partition(",")
    return f"{head}loan_expected[20] = {{\n    {float(first) + 0.01!r},{rest}"


def test_only_inputs_in_use_appear_and_the_file_names_the_model():
    model = PrunedRegressor(make_pipeline(columns(), Ridge()), n_nonzero=2).fit(FRAME, Y)
    source = to_c(model)
    assert not any(name in source for name in set(FRAME.columns) - set(model.compact_.inputs))
    assert f'#define MODEL_MODEL_ID "{model.compact_.model_id}"' in source


def test_dictionaries(tmp_path):
    rows = [{"city": "Rome", "age": 3.0}, {"age": 2.0}, {"city": "Oslo"}, {"city": "Rome", "age": 1.0}]
    model = make_pipeline(DictVectorizer(), Ridge()).fit(rows, [1.0, 2, 3, 5])
    library = compiled({"m": to_c(model, name="m")}, tmp_path)
    close(call(library, "m", "predict", read(compact(model), rows), 1)[:, 0], model.predict(rows))


def test_a_key_of_texts_and_numbers_is_refused():
    rows = [{"m": "q"}, {"m": 1.0}, {"m": 3.0}, {"m": "q"}]
    model = make_pipeline(DictVectorizer(), Ridge()).fit(rows, [5.0, 1, 3, 5])
    with pytest.raises(ValueError, match="input 'm' mixes texts and numbers, which cannot be written in C"):
        to_c(model)


def test_names_make_no_trigraphs(tmp_path):
    table = pd.DataFrame({"??/": [0.0, 1.0, 2.0], "a*/": [1.0, 0.0, 1.0]})
    model = Ridge().fit(table, [1.0, 2.0, 4.0])
    library = compiled({"m": to_c(model, name="m")}, tmp_path)
    close(call(library, "m", "predict", table.to_numpy(), 1)[:, 0], model.predict(table))


def test_a_model_without_terms(tmp_path):
    model = QuantizedRegressor(Ridge(alpha=1e300), bits=2).fit(np.eye(3), [1.0, 1, 1])
    sources = {"a": to_c(model, name="a"), "b": to_c(model, name="b", integer=True)}
    library = compiled(sources, tmp_path)
    for name in sources:
        close(call(library, name, "predict", np.zeros((1, 1)), 1)[:, 0], model.predict(np.eye(3)[:1]))


def test_texts_are_quoted_byte_by_byte():
    assert text('a"\\?\né') == '"a\\042\\134\\077\\012\\303\\251"'


def test_names_cannot_end_the_comment():
    model = of_block("clip", {"low": [0.0], "high": [1.0]})
    object.__setattr__(model.reads, "labels", ("*/ int main(void)",))
    assert source_of_comment(to_c(model)).count("*/") == 1


def source_of_comment(source):
    return source[: source.index("#include")]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (MODELS["mixed"], {"name": "no name"}, "name must be a name in C"),
        (MODELS["mixed"], {"integer": True}, "needs weights that are integer codes"),
        (MODELS["4 bits"], {"integer": True}, "needs whole numbers .* 'the rate'"),
        (of_block("category", {"levels": ("a", 1), "slots": [0, 1], "other": -1}), {}, "mixes texts and numbers"),
        (of_block("category", {"levels": (None, NAN), "slots": [0, 1], "other": -1}), {}, "tells None from NaN"),
        (of_block("category", {"levels": ("a\0",), "slots": [0], "other": -1}), {}, "zero byte"),
        (of_block("category", {"levels": (2**53, 2**53 + 1), "slots": [0, 1], "other": -1}), {}, "9007199254740993"),
        # Alone, too: as a double it would be found in rows that hold 2^53, another value.
        (of_block("category", {"levels": (2**53 + 1,), "slots": [0], "other": -1}), {}, "9007199254740993, which"),
        (MODELS["numbers"], {"name": "while"}, "name must be a name in C"),
        (MODELS["numbers"], {"name": None}, "name must be a name in C"),
    ],
)
def test_what_cannot_be_written_is_an_error(model, options, message):
    with pytest.raises(ValueError, match=message):
        to_c(model, **options)


def test_inputs_that_are_read_alike_are_read_in_a_loop(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 100)) * rng.uniform(0.1, 10, 100)
    base = make_pipeline(StandardScaler(), Ridge())
    model = QuantizedRegressor(base, bits=8, input_bits=8).fit(X, X @ rng.normal(size=100))
    source = to_c(model, integer=True, name="many")
    assert source.count(" q[") + source.count("rint") < 10
    library = compiled({"many": source}, tmp_path)
    assert np.array_equal(call(library, "many", "predict", read(model, X), 1)[:, 0], model.predict(X))
    X[0, 3] = NAN
    assert np.isnan(call(library, "many", "predict", read(model, X[:1]), 1)).all()

import numpy as np
import pytest
from sklearn.utils import murmurhash3_32

from skcompress.artifact import TERMS, Block
from skcompress.artifact.terms import densified
from skcompress.artifact.terms.text import murmur

from .models import NAN, TERM_MODELS


def run(kind, columns, params):
    block = Block.make(kind, list(range(len(columns))), params)
    made = TERMS[kind].prepare(block.params, "input")(columns)
    return block, densified(TERMS[kind].form, made, block.n_out)


def test_every_kind_of_term_is_tested():
    assert set(TERM_MODELS) == set(TERMS)


def test_kinds_have_numbers_of_their_own():
    codes = [kind.code for kind in TERMS.values()]
    assert len(set(codes)) == len(codes)


SOURCES = {
    "category": [["a", "b", None, "z"]],
    "lookup": [["a", "b", None, "z"]],
    "entry": [["text", 2, None, True]],
    "words": [["fox and dog", "Öl", "", "the fox fox"]],
    "hash": [["fox and dog", "Öl", "", "the fox fox"]],
}
NUMBERS = [np.array([-2.0, 0.5, 3.0, 4.5]), np.array([1.0, -999, 3, 0.25]), np.array([0.0, 1.0, 2.0, 3.0])]


@pytest.mark.parametrize("kind", TERMS)
def test_keeping_some_outputs_is_taking_some_columns(kind):
    block = TERM_MODELS[kind].blocks[0]
    sources = SOURCES.get(kind, NUMBERS)
    everything = run(kind, [sources[s] for s in block.sources], block.params)[1]
    for place in range(block.n_out):
        mask = np.arange(block.n_out) == place
        kept = block.keep(mask)
        got = run(kind, [sources[s] for s in kept.sources], kept.params)[1]
        np.testing.assert_allclose(got, everything[:, mask])


@pytest.mark.parametrize(
    ("kind", "columns", "params", "expected"),
    [
        ("affine", [[3.0, 5.0]], {"offset": [1.0], "divisor": [2.0]}, [[1.0], [2.0]]),
        ("scaled", [[3.0, 5.0]], {"factor": [2.0], "shift": [1.0]}, [[7.0], [11.0]]),
        ("clip", [[-3.0, 5.0]], {"low": [-1.0], "high": [1.0]}, [[-1.0], [1.0]]),
        ("fill", [[NAN, 5.0]], {"marker": (NAN,), "value": [7.0]}, [[7.0], [5.0]]),
        ("fill", [[-1.0, 5.0]], {"marker": (-1,), "value": [7.0]}, [[7.0], [5.0]]),
        ("missing", [[NAN, 5.0]], {"marker": (NAN,)}, [[1.0], [0.0]]),
        ("function", [[0.0, np.e - 1]], {"function": 0}, [[0.0], [1.0]]),
        ("function", [[0.5, 1.5, -2.6]], {"function": 18}, [[0.0], [2.0], [-3.0]]),
        ("bins", [[0.0, 1.0, 2.0]], {"edges": [1.0, 2.0], "slots": [0, -1, 1]}, [[1, 0], [0, 0], [0, 1]]),
        ("step", [[0.0, 1.0, 2.0]], {"edges": [1.0, 2.0], "values": [5.0, 6.0, 7.0]}, [[5], [6], [7]]),
        ("product", [[2.0, 3.0], [5.0, 7.0]], {"sizes": [1, 3], "factors": [1, 0, 0, 1]}, [[5, 20], [7, 63]]),
        (
            "lookup",
            [["a", "b", "z"]],
            {"levels": ("a", "b"), "slots": [1, -1], "values": [1.0, 2], "other": 0},
            [[2.0], [NAN], [1.0]],
        ),
    ],
)
def test_terms_are_what_their_formulas_say(kind, columns, params, expected):
    held = [column if TERMS[kind].reads == "values" else np.array(column) for column in columns]
    np.testing.assert_allclose(run(kind, held, params)[1], expected, atol=1e-15)


def test_splines_add_up_to_one_inside():
    x = np.linspace(3.0, 8.0, 50)
    params = {"degree": 3, "extrapolation": 0, "missing": 0, "knots": np.arange(12.0), "slots": range(8)}
    np.testing.assert_allclose(run("spline", [x], params)[1].sum(axis=1), 1.0)


def test_hashes_are_those_of_murmur():
    # Published values of MurmurHash3_x86_32 with seed 0.
    published = {
        "": 0,
        "hello": 0x248BFA47,
        "hello, world": 0x149BBB7F,
        "The quick brown fox jumps over the lazy dog": 0x2E4FF723,
    }
    assert murmur(list(published)).view(np.uint32).tolist() == list(published.values())


def test_hashes_are_those_of_scikit_learn():
    texts = ["é" * n + "abcdefghijklmnopq"[: n % 17] for n in range(60)]
    assert murmur(texts).tolist() == [murmurhash3_32(text, seed=0) for text in texts]


@pytest.mark.parametrize(
    ("kind", "sources", "params"),
    [
        ("category", [0], {"levels": ("a", "a"), "slots": [0, 1], "other": -1}),
        ("category", [0], {"levels": ("a",), "slots": [3], "other": -1}),
        ("category", [0, 1], {"levels": ("a",), "slots": [0], "other": -1}),
        ("category", [0], {"levels": ("a",), "slots": [-2], "other": -1}),
        ("lookup", [0], {"levels": ("a",), "slots": [1], "values": [1.0], "other": -1}),
        ("affine", [0], {"offset": [1.0, 2.0], "divisor": [1.0]}),
        ("function", [0], {"function": 1000}),
        ("bins", [0], {"edges": [2.0, 1.0], "slots": [0, 1, 2]}),
        ("step", [0], {"edges": [1.0], "values": [1.0]}),
        ("spline", [0], {"degree": 3, "extrapolation": 0, "missing": 0, "knots": range(5), "slots": range(1)}),
        ("product", [0], {"sizes": [2], "factors": [0, 1]}),
        ("product", [0], {"sizes": [0], "factors": []}),
        (
            "words",
            [0],
            {
                "settings": [0, 1, 0, 1, 2, 99, 0],
                "stop_words": (),
                "norm": 0,
                "sublinear": 0,
                "words": ("a",),
                "slots": [0],
                "idf": [],
            },
        ),
        (
            "hash",
            [0],
            {
                "settings": [0, 1, 0, 1, 2, 0, 0],
                "stop_words": (),
                "norm": 0,
                "n_features": 4,
                "alternate": 0,
                "numbers": [9],
            },
        ),
        ("entry", [0, 1], {}),
        ("nothing", [0], {}),
    ],
)
def test_parameters_that_do_not_fit_are_refused(kind, sources, params):
    with pytest.raises(ValueError, match=r"."):
        Block.make(kind, sources, params)


@pytest.mark.parametrize("degree", [0, 1, 3])
@pytest.mark.parametrize("extrapolation", [0, 1, 2, 3])
@pytest.mark.parametrize("bad", [NAN, np.inf, -np.inf])
def test_what_is_no_number_goes_unseen_in_no_function_of_a_spline(degree, extrapolation, bad):
    if degree == 0 and extrapolation == 3:
        return
    knots = np.arange(-degree, 5.0 + degree)
    n = len(knots) - degree - 1 - (degree if extrapolation == 3 else 0)
    params = {
        "degree": degree,
        "extrapolation": extrapolation,
        "missing": 0,
        "knots": knots,
        "slots": [0] + [-1] * (n - 1),
    }
    with np.errstate(invalid="ignore"):
        assert np.isnan(run("spline", [np.array([bad])], params)[1]).all()

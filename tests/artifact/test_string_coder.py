import numpy as np
import pytest

from skcompress.artifact import CompactLinear, FormatError, Inputs, Weights, string_coder
from skcompress.artifact.streams import Sink, Source

LISTS = {
    "none": [],
    "empty ones": ["", "", ""],
    "one": ["oil"],
    "ascending": ["bank", "bank of england", "banks", "barrel", "crude", "grain", "grains", "wheat", "wheat"],
    "descending": ["wheat", "grains", "grain", "bank"],
    "the same": ["oil"] * 20,
    "one begins like the next": ["a", "ab", "abc", "abcd", "b"],
    "not ASCII": ["grün", "Ελλάδα", "日本", "\ud800", "\U0001f600"],
    "numbered": [f"feature_{i}" for i in range(200)],
    "of random bytes": ["".join(map(chr, np.random.default_rng(i).integers(1, 500, size=9))) for i in range(50)],
}
every_list = pytest.mark.parametrize("texts", LISTS.values(), ids=LISTS)


def coded_of(texts):
    return [text.encode("utf-8", "surrogatepass") for text in texts]


@every_list
def test_what_is_decoded_is_what_was_encoded(texts):
    coded = coded_of(texts)
    data = string_coder.encode(coded)
    ascending = string_coder.is_ascending(coded)
    assert string_coder.decode(data, len(coded), string_coder.length_of(coded), ascending=ascending) == coded


@every_list
@pytest.mark.parametrize("version", [1, 2])
def test_streams_of_every_version_give_the_strings_back(texts, version):
    sink = Sink(version=version)
    sink.strings(texts)
    source = Source(bytes(sink.data), 0, len(sink.data), 2**20, version)
    assert source.strings(len(texts)) == tuple(texts)
    assert source.at == len(sink.data)


PLACES = {
    "all": np.arange(300),
    "some without": np.where(np.arange(300) % 9 == 4, -1, np.arange(300)),
    "none": np.full(40, -1),
    "far apart": np.array([2**62, -(2**62)] * 20),
    "few": np.arange(31),
    "no order": np.random.default_rng(0).permutation(200),
}


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("values", PLACES.values(), ids=PLACES)
def test_streams_of_every_version_give_the_places_back(values, version):
    sink = Sink(version=version)
    sink.places(values)
    source = Source(bytes(sink.data), 0, len(sink.data), 2**20, version)
    assert np.array_equal(source.places(len(values)), values)
    assert source.at == len(sink.data)


def test_places_that_count_up_take_next_to_nothing():
    sink = Sink(version=2)
    sink.places(PLACES["all"])
    assert len(sink.data) < 10
    sink = Sink(version=2)
    sink.places(PLACES["some without"])
    assert len(sink.data) < 40


def test_what_must_be_is_not_coded():
    """Of two ascending strings with one common bit after another, only the bits that are free cost something."""
    forced = string_coder.encode([b"zzzz", b"zzzz"])
    free = string_coder.encode([b"zzzz", b"zzzz", b"a"])
    assert len(forced) < len(free)


def test_words_take_two_thirds_of_what_they_took():
    rng = np.random.default_rng(0)
    parts = ["re", "con", "port", "tion", "ing", "er", "al", "ment", "pro", "duc", "s", "ate", "in", "ex", "tra", "y"]
    words = sorted({"".join(rng.choice(parts, size=rng.integers(1, 5))) for _ in range(400)})
    old, new = Sink(version=1), Sink(version=2)
    old.strings(words)
    new.strings(words)
    assert len(new.data) < 0.72 * len(old.data)


@pytest.mark.parametrize("texts", [["a\0b"], ["x" * string_coder.MAX_TEXT]], ids=["a zero byte", "too long"])
def test_what_cannot_be_coded_is_written_as_before(texts):
    assert string_coder.encode(coded_of(texts)) is None
    sink = Sink(version=2)
    sink.strings(texts)
    assert sink.data[0] == 0
    assert Source(bytes(sink.data), 0, len(sink.data), 2**20, 2).strings(1) == tuple(texts)


def test_wrong_lengths_are_refused():
    coded = coded_of(LISTS["ascending"])
    data, length = string_coder.encode(coded), string_coder.length_of(coded)
    for wrong, message in ((length - 1, "longer"), (length + 1, "shorter"), (2**14 + 1, "too long")):
        with pytest.raises(FormatError, match=message):
            string_coder.decode(data, len(coded), wrong, ascending=True)
    with pytest.raises(FormatError, match="longer than its symbols need"):
        string_coder.decode(data + b"\1\1\1\1\1", len(coded), length, ascending=True)


def test_the_shorter_version_is_written_and_the_identity_does_not_depend_on_it():
    names = ("income", "loan_amount", "loan_purpose", "loan_term", "months_employed", "months_overdue", "rate")
    weights = Weights.from_values(np.ones((1, 7)))
    named = CompactLinear(weights, [0.0], Inputs(names, np.arange(7), 7))
    plain = CompactLinear(weights, [0.0], Inputs(None, np.arange(7), 7))
    assert named.to_bytes()[4] == 2
    assert named.to_bytes(names=False)[4] == plain.to_bytes()[4] == 1
    assert named.model_id == plain.model_id
    assert named.to_bytes(names=False) == plain.to_bytes()
    assert CompactLinear.from_bytes(named.to_bytes()).inputs == names

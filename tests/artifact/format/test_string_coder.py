import time
import zlib

import numpy as np
import pytest

from skcompress.artifact import Block, CompactLinear, FormatError, Inputs, Weights
from skcompress.artifact.format import string_coder
from skcompress.artifact.format.budget import Budget
from skcompress.artifact.format.sink import Sink
from skcompress.artifact.format.source import Source

from .hostile import peak_of

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
    source = Source(bytes(sink.data), 0, len(sink.data), Budget(0, 2**20), version)
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
    source = Source(bytes(sink.data), 0, len(sink.data), Budget(0, 2**20), version)
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


@pytest.mark.parametrize("texts", [["a\0b"], ["x" * string_coder.MAX_LENGTH]], ids=["a zero byte", "too long"])
def test_what_cannot_be_coded_is_written_as_before(texts):
    assert string_coder.encode(coded_of(texts)) is None
    sink = Sink(version=2)
    sink.strings(texts)
    assert sink.data[0] == 0
    assert Source(bytes(sink.data), 0, len(sink.data), Budget(0, 2**20), 2).strings(1) == tuple(texts)


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


def words_model(lists):
    """Return a model of one text with a block of words for each list."""
    settings = [0, 0, 0, 1, 1, 4, 0]
    given = {"settings": settings, "stop_words": (), "norm": 0, "sublinear": 0, "idf": []}
    blocks = [Block.make("words", [0], {**given, "words": words, "slots": np.arange(len(words))}) for words in lists]
    n_terms = sum(len(words) for words in lists)
    return CompactLinear(
        Weights.from_values(np.ones((1, n_terms))),
        [0.0],
        Inputs(None, np.arange(1), 1, "values"),
        blocks=blocks,
        columns=1 + np.arange(n_terms),
    )


def one_long_word():
    letters = np.random.default_rng(0).integers(33, 127, size=16_000).astype(np.uint8)
    return words_model([[letters.tobytes().decode()]])


@pytest.mark.slow
def test_contexts_of_strings_are_within_max_bytes():
    model = one_long_word()
    data = model.to_bytes()
    assert data[4] == 2

    def refused():
        with pytest.raises(FormatError, match="max_bytes"):
            CompactLinear.from_bytes(data, max_bytes=20_000)

    assert peak_of(refused)[1] < 1_000_000
    assert CompactLinear.from_bytes(data).blocks[0].params["words"] == model.blocks[0].params["words"]


def test_what_contexts_are_charged_is_what_they_take():
    word = one_long_word().blocks[0].params["words"][0][:4000].encode()
    data, spent = string_coder.encode([word]), []
    decoded, peak = peak_of(lambda: string_coder.decode(data, 1, len(word) + 1, ascending=True, spend=spent.append))
    assert decoded == [word]
    assert 0.5 * sum(spent) < peak < sum(spent)


@pytest.mark.slow
def test_the_coded_strings_of_a_whole_file_are_bounded():
    lists = [["a" * 8000, "a" * 8100]] * 30
    model = words_model(lists)
    data = model.to_bytes()
    start = time.process_time()
    back = CompactLinear.from_bytes(data)
    assert time.process_time() - start < 1
    assert [list(block.params["words"]) for block in back.blocks] == lists
    assert back.model_id == model.model_id
    assert words_model(lists).to_bytes() == data


def test_more_coded_strings_than_a_file_may_have_are_refused():
    one = Sink(version=2)
    one.strings(["a" * 8000, "a" * 8100])
    source = Source(bytes(one.data) * 2, 0, 2 * len(one.data), Budget(0, 2**29), 2)
    source.strings(2)
    with pytest.raises(FormatError, match="too long together"):
        source.strings(2)


def test_what_no_longer_fits_is_coded_as_before_and_the_rest_still_may():
    sink = Sink(version=2, string_bytes_left=40)
    for texts in (["banana", "bananas"], ["x" * 30], ["banana", "bananas"]):
        before, left = len(sink.data), sink.string_bytes_left
        sink.strings(texts)
        assert (sink.data[before] == 0) == (string_coder.length_of(coded_of(texts)) > left)
    assert sink.string_bytes_left == 40 - 15 - 15


@pytest.mark.slow
def test_mutated_files_are_refused_by_the_one_error():
    words = ["bank", "bank of england", "banks", "barrel", "crude", "grain", "grains", "wheat"]
    data, rng = words_model([words, ["oil", "oils"]]).to_bytes(), np.random.default_rng(0)
    assert data[4] == 2
    n_refused = 0
    for _ in range(1000):
        changed = bytearray(data[:-4])
        for place in rng.integers(21, len(changed), size=rng.integers(1, 4)):
            changed[place] = rng.integers(256)
        try:
            CompactLinear.from_bytes(bytes(changed) + zlib.crc32(changed).to_bytes(4, "little"), max_bytes=2**20)
        except FormatError:
            n_refused += 1
    assert n_refused > 900

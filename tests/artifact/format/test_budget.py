"""What reading may cost, whatever the file: the budget of memory and work, and that it is what reading takes."""

import copy
import pickle

import numpy as np
import pytest

from skcompress.artifact import Block, CompactLinear, FormatError, Inputs, Weights, dump, load
from skcompress.artifact.format import budget, packed
from skcompress.artifact.format.budget import Budget, bytes_allowed, work_allowed

from ..models import MODELS
from .hostile import BOMBS, answer_of, as_file, mutants, peak_of, read, rightful

SLACK = 2**21
"""Bytes that reading takes beside the model: a decoder's dictionary, and what Python has in hand."""


class Spy(Budget):
    """A budget that a test can look at afterwards."""

    made: list

    def __init__(self, *args):
        super().__init__(*args)
        self.at_first = self.work_left
        self.made.append(self)


@pytest.fixture
def budgets(monkeypatch):
    """The budgets of the files that are read, the last one last."""
    monkeypatch.setattr(Spy, "made", [], raising=False)
    monkeypatch.setattr(packed, "Budget", Spy)
    return Spy.made


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_its_budget(name, budgets, monkeypatch):
    monkeypatch.setattr(budget, "LEAST_WORK", 2**15)
    data = BOMBS[name]()
    answer, peak = peak_of(lambda: read(data, max_bytes=2**24))
    assert isinstance(answer, FormatError)
    assert peak <= 2**24 + SLACK
    assert len(budgets) == 1


@pytest.mark.slow
def test_the_bombs_of_the_audit_are_refused_at_the_default_limit(monkeypatch):
    """Once 594 bytes cost 13.6 seconds, 3.6 kB 1.8 GB, and a name with an emoji 1.7 GB."""
    decisions = []
    decode = packed.Source.symbols

    def counted(source, count, width):
        before = source.budget.work_left
        made = decode(source, count, width)
        decisions.append(before - source.budget.work_left)
        return made

    monkeypatch.setattr(packed.Source, "symbols", counted)
    data = BOMBS["range-coded planes"]()
    assert len(data) < 1000
    with pytest.raises(FormatError, match="more work than a file of its size may"):
        CompactLinear.from_bytes(data)
    assert 2**20 < sum(decisions) < work_allowed(len(data), bytes_allowed(len(data), None))
    for name in ("one emoji in a long name", "JSON of small dicts", "one of very many inputs", "outputs times columns"):
        data = BOMBS[name]()
        answer, peak = peak_of(lambda data=data: read(data))
        assert "pass a larger max_bytes if you trust the file" in str(answer)
        assert peak < 2**27


def test_sizes_of_a_product_may_not_wrap_around():
    with pytest.raises(ValueError, match="as many as its size says"):
        Block.make("product", [0], {"sizes": [2**62] * 4 + [1], "factors": [0]})
    with pytest.raises(FormatError, match="as many as its size says"):
        CompactLinear.from_bytes(BOMBS["a product that wraps around"]())


@pytest.mark.slow
def test_mutants_give_a_model_or_a_format_error_within_the_budget(budgets):
    n_models = 0
    for data in mutants(MODELS.values(), 400):
        budgets.clear()
        answer, peak = peak_of(lambda data=data: read(data, max_bytes=2**24))
        n_models += isinstance(answer, CompactLinear)
        spent = budgets[0].allowed - budgets[0].memory_left if budgets else 0
        assert peak <= min(spent, 2**24) + SLACK, data.hex()
    # Their digests are wrong, unless what was changed is the form of a stream.
    assert n_models < 40


@pytest.mark.slow
def test_mutants_with_the_right_hash_give_a_model_that_predicts_or_refuses_rows():
    """Whoever writes a hostile file can hash it, too."""
    n_models = 0
    for data in mutants(MODELS.values(), 200, seed=1):
        whole = rightful(data, 2**24)
        if whole is not None:
            model = CompactLinear.from_bytes(whole)
            assert CompactLinear.from_bytes(model.to_bytes()).model_id == model.model_id
            answer = answer_of(model)
            assert answer is None or isinstance(answer, ValueError) or len(answer) == 2
            n_models += 1
    assert n_models > 50


def of(weights, **options):
    n = weights.shape[1]
    return CompactLinear(weights, np.zeros(len(weights.decode())), Inputs(None, np.arange(n), n), flat=False, **options)


def large_models():
    """Models whose memory is in one place each."""
    rng = np.random.default_rng(0)
    n = 100_000
    few = np.where(rng.random((5, n)) < 0.02, rng.normal(size=(5, n)), 0.0)
    yield "sparse floats", of(Weights.from_values(few))
    yield "sparse float32", of(Weights.from_values(few.astype(np.float32)))
    yield "one float", of(Weights.from_values(np.full((5, n), 0.37)))
    yield "codes", of(Weights.from_codes(rng.integers(-7, 8, size=(5, n)), 0.5, bits=4))
    yield "wide codes", of(Weights.from_codes(rng.integers(-30000, 30000, size=(5, n)), 0.5, bits=16))
    yield "sparse codes", of(Weights.from_codes(np.where(few, 30000, 0), 0.5, bits=16))
    yield "levels", of(Weights.from_codes(rng.integers(0, 3, size=(5, n)), 0.5, 0, [[-1.0, 0, 1]]))
    numbers = rng.normal(size=n)
    yield "offsets", of(Weights.from_values(few), offset=numbers, divisor=np.exp(numbers))
    yield (
        "inputs",
        CompactLinear(
            Weights.from_values(np.ones((1, n))),
            [0.0],
            Inputs(tuple(f"an input {j}" for j in range(n)), np.arange(0, 3 * n, 3), 3 * n),
            metadata={"a": [{"b": "é"}] * 50_000, "c": "\U0001f600" * 50_000, "d": [[1.5, 2]] * 50_000},
        ),
    )
    levels = [*range(n // 2), *(f"level {j}" for j in range(n // 2))]
    block = Block.make("category", [0], {"levels": levels, "slots": rng.permutation(n), "other": -1})
    weights = Weights.from_codes(np.ones((2, n), dtype=np.int8), 0.5)
    inputs = Inputs(None, np.arange(1), 1)
    yield (
        "categories",
        CompactLinear(weights, [0.0, 0.0], inputs, blocks=[block], columns=1 + np.arange(n), flat=False),
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "model"), [pytest.param(*pair, id=pair[0]) for pair in large_models()])
def test_what_is_charged_is_what_reading_takes(name, model, budgets):
    data = model.to_bytes()
    back, peak = peak_of(lambda: CompactLinear.from_bytes(data))
    spent = budgets[0].allowed - budgets[0].memory_left - len(data)
    assert back.model_id == model.model_id
    assert peak <= spent + SLACK
    assert peak > 0.2 * spent


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_an_honest_model_takes_little_of_its_budget(model, budgets):
    CompactLinear.from_bytes(model.to_bytes())
    assert budgets[0].work_left > 0.9 * budgets[0].at_first
    assert budgets[0].memory_left > 0.99 * budgets[0].allowed


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["floats", "codes"])
def test_large_models_of_few_bytes_are_read_at_the_default_limit(kind, tmp_path):
    if kind == "floats":
        weights = Weights.from_values(np.eye(17, 10**6))
    else:
        weights = Weights.from_codes(np.ones((17, 10**6), dtype=np.int8), 0.5, bits=4)
    model = of(weights)
    assert dump(model, tmp_path / "model") < 150
    back = load(tmp_path / "model")
    assert back.model_id == pickle.loads(pickle.dumps(model)).model_id == model.model_id
    assert np.array_equal(back.weights.decode(), weights.decode())
    assert copy.deepcopy(model) is model
    assert copy.copy(model) is model


def test_pickles_are_read_whatever_they_take(monkeypatch):
    model = of(Weights.from_values(np.eye(3, 1000)))
    stored = pickle.dumps(model)
    monkeypatch.setattr(budget, "DEFAULT_BYTES", 1000)
    monkeypatch.setattr(budget, "BYTES_PER_BYTE", 1)
    with pytest.raises(FormatError, match=r"asks for .* bytes of memory or more, and max_bytes is 1,000"):
        CompactLinear.from_bytes(model.to_bytes())
    assert pickle.loads(stored).model_id == model.model_id


def test_what_the_writer_writes_takes_no_more_work_than_a_reader_allows(budgets, monkeypatch):
    monkeypatch.setattr(budget, "LEAST_WORK", 2**15)
    monkeypatch.setattr(budget, "BYTES_PER_WORK", 2**14)
    # Of the eight planes of such numbers five are zero: a byte by the range coder, and 4,096 decisions.
    numbers = {"factor": np.arange(512.0), "shift": np.arange(512.0)}
    blocks = [Block.make("scaled", [0] * 512, numbers) for _ in range(4)]
    work = []
    for n_blocks in (1, 4):
        weights, inputs = Weights.from_values([[1.0]]), Inputs(None, np.arange(1), 1)
        model = CompactLinear(weights, [0.0], inputs, blocks=blocks[:n_blocks], columns=[1])
        assert CompactLinear.from_bytes(model.to_bytes()).model_id == model.model_id
        work.append(budgets[-1].at_first - budgets[-1].work_left)
    assert 10 * 4096 < work[0] < budgets[0].at_first
    assert work[1] < 10 * 4096 < budgets[-1].at_first < 4 * 10 * 4096


def test_a_large_file_may_by_default_take_what_random_codes_need():
    rng = np.random.default_rng(0)
    model = of(Weights.from_codes(rng.integers(-7, 8, size=(1, 200_000)), 0.5, bits=4))
    data = model.to_bytes()
    assert bytes_allowed(10**9, None) == budget.BYTES_PER_BYTE * 10**9
    most = budget.BYTES_PER_BYTE * len(data)
    assert CompactLinear.from_bytes(data, max_bytes=most).model_id == model.model_id


def test_the_hash_of_the_canonical_body_does_not_depend_on_how_it_is_fed():
    model = MODELS["vocabulary"]
    for size in (1, 100):
        sink = packed.Digested(hashed := packed.hashlib.sha256())
        for start in range(0, 1000, size):
            sink += bytes(range(256))[start % 200 : start % 200 + size]
        sink += bytes(2**17)
        sink.append(7)
        sink.flush()
        pieces = b"".join(bytes(range(256))[start % 200 : start % 200 + size] for start in range(0, 1000, size))
        assert hashed.digest() == packed.hashlib.sha256(pieces + bytes(2**17) + b"\x07").digest()
    assert as_file(b"")[:4] == packed.MAGIC
    assert packed.digest(model).hex()[:12] == model.model_id

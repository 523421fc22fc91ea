import hashlib
import lzma

import numpy as np
import pytest

from skcompress.artifact import CompactLinear, FormatError, dump, load, size_bytes
from skcompress.artifact.format.coders import CODERS, DICTIONARY

from ..models import MODELS, codes, floats
from .hostile import sealed

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def parts_of(model):
    arrays = [model.weights.decode(), model.intercept, model.columns, model.offset, model.divisor]
    arrays += [model.weights.codes, model.weights.scale, model.weights.zero_point, model.weights.levels]
    blocks = [(b.kind, b.sources, repr(dict(b.params))) for b in model.blocks]
    rest = (model.inputs, model.reads.n_all, model.link, model.flat, model.classes, model.metadata, blocks)
    held = [None if a is None else (a.dtype.str, a.shape, a.tobytes()) for a in arrays]
    return held, rest, model.weights.bits, model.n_terms_all


@every_model
def test_what_is_read_is_what_was_written(model):
    assert parts_of(CompactLinear.from_bytes(model.to_bytes())) == parts_of(model)


@every_model
def test_bytes_are_deterministic(model):
    data = model.to_bytes()
    assert model.to_bytes() == data
    assert CompactLinear.from_bytes(data).to_bytes() == data


@every_model
def test_names_and_metadata_can_be_left_out_and_do_not_change_the_identity(model):
    bare = CompactLinear.from_bytes(model.to_bytes(names=False, metadata=False))
    assert bare.model_id == model.model_id
    assert bare.inputs == tuple(f"x{j}" for j in model.reads.positions)
    assert bare.metadata is None
    assert np.array_equal(bare.coef, model.coef)


def test_size_bytes_leaves_names_and_metadata_out():
    model = MODELS["metadata"]
    assert size_bytes(model) == len(model.to_bytes(names=False, metadata=False)) < len(model.to_bytes())


@every_model
def test_sizes_of_the_parts_add_up_to_the_file(model):
    report = model.report()["bytes"]
    assert report["total"] == len(model.to_bytes())
    assert report["total_without_names"] == size_bytes(model)


@every_model
def test_every_truncation_is_refused(model):
    data = model.to_bytes()
    for length in range(len(data)):
        with pytest.raises(FormatError):
            CompactLinear.from_bytes(data[:length])


@every_model
def test_trailing_bytes_are_refused(model):
    data = model.to_bytes()
    with pytest.raises(FormatError, match="checksum"):
        CompactLinear.from_bytes(data + b"\0")
    with pytest.raises(FormatError):
        CompactLinear.from_bytes(sealed(data[:-4] + b"\0" + data[-4:]))


@pytest.mark.parametrize("name", ["4 bits", "categories", "metadata"])
def test_every_bit_flip_is_refused(name):
    data = MODELS[name].to_bytes()
    for place in range(8 * len(data)):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(FormatError):
            CompactLinear.from_bytes(changed)


def test_an_unknown_version_is_named():
    data = bytearray(MODELS["floats"].to_bytes())
    data[4] = 99
    with pytest.raises(FormatError, match="version 99"):
        CompactLinear.from_bytes(data)


def test_other_files_are_refused():
    with pytest.raises(FormatError, match="SKCL"):
        CompactLinear.from_bytes(b"PK\x03\x04 not a model")
    with pytest.raises(FormatError):
        CompactLinear.from_bytes(b"")


@pytest.mark.slow
@every_model
def test_changed_bytes_under_a_right_checksum_give_a_format_error_or_a_model(model):
    rng = np.random.default_rng(0)
    data = model.to_bytes()
    for _ in range(60):
        changed = bytearray(data)
        for place in rng.integers(4, len(data) - 4, size=rng.integers(1, 4)):
            changed[place] = rng.integers(256)
        try:
            CompactLinear.from_bytes(sealed(changed))
        except FormatError:
            continue


@pytest.mark.slow
def test_a_bomb_is_refused_before_it_is_decoded():
    model = floats(p=1000, density=0.0)
    with pytest.raises(FormatError, match="max_bytes"):
        CompactLinear.from_bytes(model.to_bytes(), max_bytes=4000)
    zeros = lzma.compress(
        bytes(10**7),
        format=lzma.FORMAT_RAW,
        filters=[{"id": lzma.FILTER_LZMA1, "dict_size": DICTIONARY, "lc": 0, "lp": 0, "pb": 0}],
    )
    with pytest.raises(FormatError, match="longer than it says"):
        CODERS[1].decode(zeros, 1000, 8)


def test_identity_depends_on_weights_and_not_on_the_coder():
    one, two = codes(p=50), codes(p=50, seed=1)
    assert one.model_id != two.model_id
    data = one.to_bytes()
    digest = data[5:21]
    assert digest.hex()[:12] == one.model_id
    assert len(hashlib.sha256(b"").digest()[:16]) == len(digest)


def test_dump_and_load(tmp_path):
    model = MODELS["categories"]
    path = tmp_path / "model.skcl"
    assert dump(model, path) == path.stat().st_size == len(model.to_bytes())
    assert load(path).model_id == model.model_id


def entropy_bytes(values):
    counts = np.unique(values, return_counts=True)[1] / values.size
    return -(counts * np.log2(counts)).sum() * values.size / 8


def test_thirty_weights_take_at_most_250_bytes():
    assert size_bytes(codes(p=30)) <= 250


@pytest.mark.parametrize("density", [1.0, 0.1])
def test_a_thousand_weights_are_near_their_entropy(density):
    model = codes(p=1000, density=density)
    assert model.nbytes <= 1.2 * (entropy_bytes(model.weights.codes) + 16)
    assert size_bytes(model) - model.nbytes <= 200

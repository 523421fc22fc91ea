import numpy as np
import pytest

from skcompress.artifact import FormatError
from skcompress.artifact.format import range_coder
from skcompress.artifact.format.coders import CODERS, WIDTHS, pack, unpack


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 500])
@pytest.mark.parametrize("skew", [0.0, 0.5, 0.97])
@pytest.mark.parametrize("number", CODERS)
def test_every_coder_gives_back_the_symbols(number, width, count, skew):
    rng = np.random.default_rng(count)
    symbols = rng.integers(2**width, size=count).astype(np.uint8)
    symbols[rng.random(count) < skew] = 2**width - 1
    data = CODERS[number].encode(symbols, width)
    assert np.array_equal(CODERS[number].decode(data, count, width), symbols)


@pytest.mark.parametrize("width", WIDTHS)
def test_packing_is_little_endian_within_the_byte(width):
    symbols = np.array([1] + [0] * (8 // width - 1) + [2**width - 1], dtype=np.uint8)
    assert pack(symbols, width) == bytes([1, 2**width - 1])
    assert np.array_equal(unpack(pack(symbols, width), len(symbols), width), symbols)


def test_range_coder_is_within_a_few_bytes_of_the_entropy():
    rng = np.random.default_rng(0)
    symbols = (rng.random(2000) < 0.1).astype(int)
    rate = symbols.mean()
    entropy = -(rate * np.log2(rate) + (1 - rate) * np.log2(1 - rate)) * 2000 / 8
    assert entropy <= len(range_coder.encode(symbols.tolist(), 1)) + 4 <= entropy + 8


def test_carries_go_all_the_way_up():
    # Long runs of the likelier symbol push the low end against the byte boundary again and again.
    for seed in range(200):
        rng = np.random.default_rng(seed)
        symbols = (rng.random(300) < rng.random()).astype(int).tolist()
        assert range_coder.decode(range_coder.encode(symbols, 1), 300, 1) == symbols


def test_a_range_coded_stream_may_not_be_longer_than_its_symbols():
    data = range_coder.encode([1, 0, 1], 1)
    with pytest.raises(FormatError, match="longer"):
        range_coder.decode(data + b"\1" * 9, 3, 1)


def test_a_stream_of_too_many_decisions_is_refused():
    with pytest.raises(FormatError, match="too long"):
        CODERS[2].decode(b"", range_coder.MAX_DECISIONS + 1, 1)

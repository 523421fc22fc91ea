"""Coders: from a stream's plain bytes to fewer bytes and back, table `CODERS`.

A stream is `count` symbols of `width` bits, width one of 1, 2, 4, 8. Its plain form packs them into bytes, the
first symbol in the lowest bits. The coders are

    0 plain     the plain form
    1 lzma      raw LZMA1 of the plain form with lc = lp = pb = 0
    2 range     the adaptive range coder over the symbols, at most 2^16 binary decisions
    3 deflate   raw deflate (RFC 1951) of the plain form

and the writer keeps the shortest. Decoding never yields more than the count that the reader expects, and needs little
memory beyond what it yields.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import range_coder
from .budget import SYMBOLS_PER_UNIT, FormatError

Symbols = NDArray[np.uint8]
WIDTHS = (1, 2, 4, 8)
DICTIONARY = 2**20
_FILTERS: list[dict[str, Any]] = [
    {"id": lzma.FILTER_LZMA1, "dict_size": DICTIONARY, "lc": 0, "lp": 0, "pb": 0, "nice_len": 273}
]
_SHORT = 2**14
"""Streams longer than this are searched for repeated strings only where their middle has some."""
_CHUNK = 2**20
_STREAM_WORK = 10
"""Units of work of setting up any decoder."""


class Coder(NamedTuple):
    """A coder: its functions of (symbols, width) and of (data, count, width)."""

    encode: Callable[[Symbols, int], bytes | None]
    decode: Callable[[bytes, int, int], Symbols]


def pack(symbols: Symbols, width: int) -> bytes:
    """Return the plain form."""
    if width == 8:
        return symbols.tobytes()
    if width == 1:
        return np.packbits(symbols, bitorder="little").tobytes()
    per_byte = 8 // width
    padded = np.zeros(-(-len(symbols) // per_byte) * per_byte, dtype=np.uint8)
    padded[: len(symbols)] = symbols
    parts = padded.reshape(-1, per_byte)
    packed = parts[:, 0].copy()
    for place in range(1, per_byte):
        packed |= parts[:, place] << (place * width)
    return packed.tobytes()


def unpack(plain: bytes | Symbols, count: int, width: int) -> Symbols:
    """Return the symbols of a plain form.

    Raises
    ------
    FormatError
        If the length is wrong or the bits after the last symbol are not zero.
    """
    if len(plain) != plain_length(count, width):
        raise FormatError(f"a stream has {len(plain)} bytes instead of {plain_length(count, width)}")
    packed = np.frombuffer(plain, dtype=np.uint8)
    if width == 8:
        return packed
    if width == 1:
        bits = np.unpackbits(packed, bitorder="little")
        if bits[count:].any():
            raise FormatError("a stream has bits set after its last symbol")
        return bits[:count]
    per_byte = 8 // width
    parts = np.empty((len(packed), per_byte), dtype=np.uint8)
    for place in range(per_byte):
        parts[:, place] = (packed >> (place * width)) & (2**width - 1)
    symbols = parts.ravel()
    if symbols[count:].any():
        raise FormatError("a stream has bits set after its last symbol")
    return symbols[:count]


def plain_length(count: int, width: int) -> int:
    """Return the bytes of the plain form."""
    return (count * width + 7) // 8


def _lzma_encode(symbols: Symbols, width: int) -> bytes:
    return lzma.compress(pack(symbols, width), format=lzma.FORMAT_RAW, filters=_FILTERS)


def _lzma_decode(data: bytes, count: int, width: int) -> Symbols:
    decoder, left = lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=_FILTERS), data

    def following(most: int) -> bytes:
        nonlocal left
        part = b"" if decoder.eof else decoder.decompress(left, most)
        left = b""
        return part

    try:
        plain = _whole(following, count, width)
    except lzma.LZMAError:
        raise FormatError("an LZMA stream is damaged") from None
    if not decoder.eof or decoder.unused_data:
        raise FormatError("an LZMA stream does not end where it should")
    return unpack(plain, count, width)


def _whole(following: Callable[[int], bytes], count: int, width: int) -> Symbols:
    """Return the plain form, put together from what `following` gives, at most so many bytes at a time.

    One piece for all would take twice the memory, for a moment.
    """
    length, used = plain_length(count, width), 0
    plain = np.empty(length, dtype=np.uint8)
    while used < length:
        part = following(min(length - used, max(_CHUNK, length // 16)))
        if not part:
            raise FormatError("a stream ends early")
        plain[used : used + len(part)] = np.frombuffer(part, dtype=np.uint8)
        used += len(part)
    if following(1):
        raise FormatError("a stream is longer than it says")
    return plain


def _deflate(plain: bytes, strategy: int) -> bytes:
    coder = zlib.compressobj(9, zlib.DEFLATED, -15, 9, strategy)
    return coder.compress(plain) + coder.flush()


def _deflate_encode(symbols: Symbols, width: int) -> bytes:
    plain = pack(symbols, width)
    coded = _deflate(plain, zlib.Z_HUFFMAN_ONLY)
    return min(coded, _deflate(plain, zlib.Z_DEFAULT_STRATEGY), key=len) if _repeats(plain) else coded


def _deflate_decode(data: bytes, count: int, width: int) -> Symbols:
    decoder, left = zlib.decompressobj(-15), data

    def following(most: int) -> bytes:
        nonlocal left
        part = decoder.decompress(left, most)
        left = decoder.unconsumed_tail
        return part

    try:
        plain = _whole(following, count, width)
    except zlib.error:
        raise FormatError("a deflate stream is damaged") from None
    if not decoder.eof or decoder.unused_data:
        raise FormatError("a deflate stream does not end where it should")
    return unpack(plain, count, width)


def _range_encode(symbols: Symbols, width: int) -> bytes | None:
    if len(symbols) * width > range_coder.MAX_DECISIONS:
        return None
    return range_coder.encode(symbols.tolist(), width)


def _range_decode(data: bytes, count: int, width: int) -> Symbols:
    if count * width > range_coder.MAX_DECISIONS:
        raise FormatError("a stream is too long for the range coder")
    return np.array(range_coder.decode(data, count, width), dtype=np.uint8)


RANGE = 2
CODERS: dict[int, Coder] = {
    0: Coder(pack, unpack),
    1: Coder(_lzma_encode, _lzma_decode),
    RANGE: Coder(_range_encode, _range_decode),
    3: Coder(_deflate_encode, _deflate_decode),
}


def work_of(number: int, count: int, width: int) -> int:
    """Return the units of work of decoding a stream with a coder."""
    if number == RANGE:
        return _STREAM_WORK + range_coder.work_of(count, width)
    return _STREAM_WORK + count // SYMBOLS_PER_UNIT


def memory_of(number: int, count: int, width: int) -> int:
    """Return the bytes that decoding a stream with a coder takes."""
    if number == RANGE:
        return 10 * count
    return count if width == 8 else 2 * count


def shortest(symbols: Symbols, width: int, *, by_range: bool = True) -> tuple[int, bytes]:
    """Return the number of the coder with the fewest bytes and its bytes.

    The coders are tried from the fastest reader to the slowest, and each must save one byte in 256. `by_range` says
    whether the range coder may be used.
    """
    best = 0, pack(symbols, width)
    for number in (3, RANGE, 1) if by_range else (3, 1):
        if number == 1 and not _repeats(pack(symbols, width)):
            break
        data = CODERS[number].encode(symbols, width)
        if data is not None and len(data) < len(best[1]) - len(best[1]) // 256:
            best = number, data
    return best


def _repeats(plain: bytes) -> bool:
    """Return whether there may be repeated strings: where the middle of a long stream has some."""
    if len(plain) <= _SHORT:
        return True
    middle = plain[(len(plain) - _SHORT) // 2 :][:_SHORT]
    return len(_deflate(middle, zlib.Z_DEFAULT_STRATEGY)) < len(_deflate(middle, zlib.Z_HUFFMAN_ONLY))

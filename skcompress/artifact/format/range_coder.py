"""An adaptive binary range coder for short streams of small symbols.

A symbol of `width` bits is coded bit by bit from the top, each bit in the context of the bits before it (2^width
contexts). With n0 zeros and n1 ones seen in a context, a zero has the probability (n0 + 1/2) / (n0 + n1 + 1)
(Krichevsky and Trofimov 1981): the cost exceeds the entropy by about half a logarithm of the length for each
context in use. The range is kept between 2^24 and 2^32 (Martin 1979, "Range encoding"); the code is one long
big-endian fraction whose trailing zero bytes are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from .budget import FormatError

MAX_DECISIONS = 2**16
"""Binary decisions that one stream may have, which bounds the time of reading it."""

_TOP = 2**32
_BOTTOM = 2**24


def encode(symbols: Sequence[int], width: int) -> bytes:
    """Return the code of symbols in 0..2^width - 1."""
    seen = [[1, 1] for _ in range(2**width)]
    low, span, shifts = 0, _TOP - 1, 0
    for symbol in symbols:
        node = 1
        for place in range(width - 1, -1, -1):
            bit = (symbol >> place) & 1
            zeros, ones = counts = seen[node]
            bound = span * zeros // (zeros + ones)
            if bit:
                low += bound
                span -= bound
            else:
                span = bound
            counts[bit] += 2
            node = 2 * node + bit
            while span < _BOTTOM:
                low <<= 8
                span <<= 8
                shifts += 1
    return _shortest(low, span, 4 + shifts)


def _shortest(low: int, span: int, length: int) -> bytes:
    """Return, of the numbers in low..low + span - 1, the one with the most trailing zeros, without those zeros."""
    for zeros in range(8 * length, -1, -1):
        value = -(-low >> zeros) << zeros
        if value < low + span:
            return value.to_bytes(length + 1, "big")[1:].rstrip(b"\0")
    raise AssertionError


class BitEncoder:
    """The same coder for bits whose counts come from elsewhere."""

    def __init__(self) -> None:
        self._low, self._span, self._shifts = 0, _TOP - 1, 0

    def put(self, bit: int, zeros: int, ones: int) -> None:
        """Code a bit that is 0 in `zeros` of `zeros + ones` cases, both at least 1 and below 2^23 together."""
        bound = self._span * zeros // (zeros + ones)
        if bit:
            self._low += bound
            self._span -= bound
        else:
            self._span = bound
        while self._span < _BOTTOM:
            self._low <<= 8
            self._span <<= 8
            self._shifts += 1

    def finish(self) -> bytes:
        """Return the code."""
        return _shortest(self._low, self._span, 4 + self._shifts)


class BitDecoder:
    """Reads what a `BitEncoder` wrote."""

    def __init__(self, data: bytes):
        self._data = data
        self._code, self._span, self._used = int.from_bytes(data[:4].ljust(4, b"\0"), "big"), _TOP - 1, 4

    def get(self, zeros: int, ones: int) -> int:
        """Return the next bit."""
        bound = self._span * zeros // (zeros + ones)
        bit = int(self._code >= bound)
        if bit:
            self._code -= bound
            self._span -= bound
        else:
            self._span = bound
        while self._span < _BOTTOM:
            following = self._data[self._used] if self._used < len(self._data) else 0
            self._code = self._code << 8 | following
            self._span <<= 8
            self._used += 1
        return bit

    def finish(self) -> None:
        """Raise FormatError if there are more bytes than were needed."""
        if self._used < len(self._data):
            raise FormatError("a range-coded stream is longer than its symbols need")


def work_of(count: int, width: int) -> int:
    """Return the units of work of decoding `count` symbols: their decisions, and the tables for them."""
    return count * width + (1 << width) // 16 + 1


def decode(data: bytes, count: int, width: int) -> list[int]:
    """Return `count` symbols.

    Raises
    ------
    FormatError
        If there are more bytes than the symbols need.
    """
    zeros, ones = [1] * 2**width, [1] * 2**width
    padded = data + bytes(8)
    code, span, used = int.from_bytes(padded[:4], "big"), _TOP - 1, 4
    symbols = []
    for _ in range(count):
        node = 1
        for _ in range(width):
            n_zeros = zeros[node]
            bound = span * n_zeros // (n_zeros + ones[node])
            if code >= bound:
                code -= bound
                span -= bound
                ones[node] += 2
                node += node + 1
            else:
                span = bound
                zeros[node] = n_zeros + 2
                node += node
            while span < _BOTTOM:
                code = code << 8 | (padded[used] if used < len(padded) else 0)
                span <<= 8
                used += 1
        symbols.append(node - 2**width)
    if used < len(data):
        raise FormatError("a range-coded stream is longer than its symbols need")
    return symbols

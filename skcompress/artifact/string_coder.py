"""A coder for short lists of strings: vocabularies, names, levels.

Each string is coded as its UTF-8 bytes and a zero byte, bit by bit from the top of each byte, by the range coder of
`skcompress.artifact.range_coder`. A bit has four contexts, the bits before it in its byte together with the k bytes
before that in its string, k = 0..3 (zeros before the start). As long as all bits of the string so far are those of the
string before it, there is a fifth: the number of bytes so far, at most 3, and the place of the bit. Each context counts
the zeros and ones that it has seen, and

    zeros = 1 + sum of weight x zeros seen,     ones = 1 + sum of weight x ones seen

with the `WEIGHTS` 1, 8, 64, 256 and 64, so that a longer context that has seen anything outvotes the shorter ones
(a fixed form of the blending of orders in Cleary and Witten, "Data compression using adaptive coding and partial string
matching", 1984).

In an ascending list a string cannot be below the one before it: where its bits so far are those of that string, a 1
there is a 1 here, and is not coded.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .errors import FormatError
from .range_coder import BitDecoder, BitEncoder

MAX_TEXT = 2**14
"""Bytes that a list may have, zero bytes included, which bounds the time of reading it."""

WEIGHTS = (1, 8, 64, 256, 64)


class _Contexts:
    """The counts: for each string of at most three bytes 2 x 256, at 2 x node + bit; the fifth kind apart."""

    def __init__(self) -> None:
        self._seen: dict[bytes, list[int]] = {}
        self._along = [[0] * 16 for _ in range(4)]

    def of_byte(self, before: bytes) -> list[tuple[int, list[int]]]:
        """Return weight and counts of the contexts of the next byte."""
        padded = b"\0\0\0" + before
        keys = [padded[len(padded) - k :] for k in range(4)]
        return [(WEIGHTS[k], self._seen.setdefault(key, [0] * 512)) for k, key in enumerate(keys)]

    def along(self, n_before: int) -> list[int]:
        """Return the counts for a byte that may be that of the string before, at 2 x place of the bit + bit."""
        return self._along[min(n_before, 3)]


class _Byte:
    """One byte on its way: what its bits are coded with."""

    def __init__(self, contexts: _Contexts, before: bytes, above: int | None):
        self._counts = contexts.of_byte(before)
        self._along = contexts.along(len(before))
        self._above = above
        self.node = 1
        self.place = 7

    def forced(self, ascending: bool) -> bool:
        """Whether the next bit must be 1."""
        return ascending and self._above is not None and bool(self._above >> self.place & 1)

    def chances(self) -> tuple[int, int]:
        """Return zeros and ones for the next bit."""
        at, zeros, ones = 2 * self.node, 1, 1
        for weight, counts in self._counts:
            zeros += weight * counts[at]
            ones += weight * counts[at + 1]
        if self._above is not None:
            zeros += WEIGHTS[4] * self._along[2 * self.place]
            ones += WEIGHTS[4] * self._along[2 * self.place + 1]
        return zeros, ones

    def learn(self, bit: int) -> None:
        """Count a bit that was coded."""
        for _, counts in self._counts:
            counts[2 * self.node + bit] += 1
        if self._above is not None:
            self._along[2 * self.place + bit] += 1

    def move(self, bit: int) -> None:
        """Go on to the next bit."""
        if self._above is not None and (self._above >> self.place & 1) != bit:
            self._above = None
        self.node = 2 * self.node + bit
        self.place -= 1


def is_ascending(texts: Sequence[bytes]) -> bool:
    """Return whether no string is below the one before it."""
    return all(a <= b for a, b in pairwise(texts))


def encode(texts: Sequence[bytes]) -> bytes | None:
    """Return the code of strings, or None if they are too long or hold a zero byte."""
    if length_of(texts) > MAX_TEXT or any(0 in text for text in texts):
        return None
    ascending, contexts, coder, previous = is_ascending(texts), _Contexts(), BitEncoder(), b""
    for text in texts:
        whole = text + b"\0"
        for place, value in enumerate(whole):
            byte = _Byte(contexts, whole[:place], _above(previous, whole[:place]))
            for shift in range(7, -1, -1):
                bit = value >> shift & 1
                if not byte.forced(ascending):
                    coder.put(bit, *byte.chances())
                    byte.learn(bit)
                byte.move(bit)
        previous = whole
    return coder.finish()


def length_of(texts: Sequence[bytes]) -> int:
    """Return the bytes of strings with their zero bytes."""
    return sum(len(text) + 1 for text in texts)


def decode(data: bytes, count: int, length: int, *, ascending: bool) -> list[bytes]:
    """Return `count` strings that have `length` bytes with their zero bytes.

    Raises
    ------
    FormatError
        If they have another length, or there are more bytes of code than they need.
    """
    if length > MAX_TEXT:
        raise FormatError("coded strings are too long")
    contexts, coder, previous, left = _Contexts(), BitDecoder(data), b"", length
    texts = []
    for _ in range(count):
        whole = b""
        while not whole.endswith(b"\0"):
            left -= 1
            if left < 0:
                raise FormatError("coded strings are longer than they say")
            byte = _Byte(contexts, whole, _above(previous, whole))
            while byte.place >= 0:
                bit = 1
                if not byte.forced(ascending):
                    bit = coder.get(*byte.chances())
                    byte.learn(bit)
                byte.move(bit)
            whole += bytes([byte.node - 256])
        texts.append(whole[:-1])
        previous = whole
    if left:
        raise FormatError("coded strings are shorter than they say")
    coder.finish()
    return texts


def _above(previous: bytes, before: bytes) -> int | None:
    """Return the byte at this place of the string before, as long as both begin in the same way."""
    same = len(before) < len(previous) and previous.startswith(before)
    return previous[len(before)] if same else None

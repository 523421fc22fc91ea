"""A coder for short lists of strings: vocabularies, names, levels.

Each string is coded as its UTF-8 bytes and a zero byte, bit by bit from the top of each byte, by the range coder of
`skcompress.artifact.format.range_coder`. A bit has four contexts, the bits before it in its byte together with the k
bytes before that in its string, k = 0..3 (zeros before the start). As long as all bits of the string so far are those
of the string before it, there is a fifth: the number of bytes so far, at most 3, and the place of the bit. Each context
counts the zeros and ones that it has seen, and

    zeros = 1 + sum of weight x zeros seen,     ones = 1 + sum of weight x ones seen

with the `WEIGHTS` 1, 8, 64, 256 and 64, so that a longer context that has seen anything outvotes the shorter ones
(a fixed form of the blending of orders in Cleary and Witten, "Data compression using adaptive coding and partial string
matching", 1984).

In an ascending list a string cannot be below the one before it: where its bits so far are those of that string, a 1
there is a 1 here, and is not coded.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import pairwise

from .budget import FormatError
from .range_coder import BitDecoder, BitEncoder

MAX_LENGTH = 2**14
"""Bytes that all coded lists of a file may have, zero bytes included, which bounds the time of reading it."""

PER_HALF = 320
"""Bytes that the counts of half a byte take, with their place in the table."""

WEIGHTS = (1, 8, 64, 256, 64)


class _Contexts:
    """The counts: for each string of at most three bytes 16 x 2 for either half of the next byte; the fifth kind apart.

    Both halves begin at node 1, and have their counts at 2 x node + bit. The low one has a key of one byte more, the
    high half.
    """

    def __init__(self, spend: Callable[[int], None]) -> None:
        self._seen: tuple[dict[bytes, array[int]], dict[bytes, array[int]]] = {}, {}
        self._along = [[0] * 16 for _ in range(4)]
        self._spend = spend

    def of_half(self, before: bytes, high: bytes = b"") -> list[tuple[int, array[int]]]:
        """Return weight and counts of the contexts of half a byte after three others."""
        seen = self._seen[len(high)]
        found = []
        for k, weight in enumerate(WEIGHTS[:4]):
            key = before[3 - k :] + high
            counts = seen.get(key)
            if counts is None:
                self._spend(PER_HALF)
                counts = seen[key] = array("H", bytes(64))
            found.append((weight, counts))
        return found

    def along(self, n_before: int) -> list[int]:
        """Return the counts for a byte that may be that of the string before, at 2 x place of the bit + bit."""
        return self._along[min(n_before, 3)]


class _Byte:
    """One byte on its way, after at most three others of its string: what its bits are coded with."""

    def __init__(self, contexts: _Contexts, before: bytes | bytearray, above: int | None):
        self._contexts = contexts
        self._before = bytes(before).rjust(3, b"\0")
        self._counts = contexts.of_half(self._before)
        self._along = contexts.along(len(before))
        self._above = above
        self._node = 1
        self.value = 0
        self.place = 7

    def forced(self, ascending: bool) -> bool:
        """Whether the next bit must be 1."""
        return ascending and self._above is not None and bool(self._above >> self.place & 1)

    def counts(self) -> tuple[int, int]:
        """Return zeros and ones for the next bit."""
        at, zeros, ones = 2 * self._node, 1, 1
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
            counts[2 * self._node + bit] += 1
        if self._above is not None:
            self._along[2 * self.place + bit] += 1

    def move(self, bit: int) -> None:
        """Go on to the next bit."""
        if self._above is not None and (self._above >> self.place & 1) != bit:
            self._above = None
        self._node = 2 * self._node + bit
        self.value = 2 * self.value + bit
        self.place -= 1
        if self.place == 3:
            self._counts, self._node = self._contexts.of_half(self._before, bytes([self.value])), 1


def is_ascending(strings: Sequence[bytes]) -> bool:
    """Return whether no string is below the one before it."""
    return all(a <= b for a, b in pairwise(strings))


def encode(strings: Sequence[bytes], limit: int = MAX_LENGTH) -> bytes | None:
    """Return the code of strings, or None if they have more than `limit` bytes or hold a zero byte."""
    if length_of(strings) > limit or any(0 in string for string in strings):
        return None
    ascending, contexts, coder, previous = is_ascending(strings), _Contexts(lambda n_bytes: None), BitEncoder(), b""
    for string in strings:
        whole, same = string + b"\0", True
        for place, value in enumerate(whole):
            above = previous[place] if same and place < len(previous) else None
            byte = _Byte(contexts, whole[max(place - 3, 0) : place], above)
            for shift in range(7, -1, -1):
                bit = value >> shift & 1
                if not byte.forced(ascending):
                    coder.put(bit, *byte.counts())
                    byte.learn(bit)
                byte.move(bit)
            same = value == above
        previous = whole
    return coder.finish()


def length_of(strings: Sequence[bytes]) -> int:
    """Return the bytes of strings with their zero bytes."""
    return sum(len(string) + 1 for string in strings)


def work_of(length: int) -> int:
    """Return the units of work of decoding strings of `length` bytes: five counts for each bit."""
    return 40 * length


def decode(
    data: bytes, count: int, length: int, *, ascending: bool, spend: Callable[[int], None] = lambda n_bytes: None
) -> list[bytes]:
    """Return `count` strings that have `length` bytes with their zero bytes.

    `spend` takes bytes of memory before they are allocated.

    Raises
    ------
    FormatError
        If they have another length, or there are more bytes of code than they need.
    """
    if length > MAX_LENGTH:
        raise FormatError("coded strings are too long")
    contexts, coder, previous, left = _Contexts(spend), BitDecoder(data), b"", length
    strings = []
    for _ in range(count):
        whole, same = bytearray(), True
        while not whole.endswith(b"\0"):
            left -= 1
            if left < 0:
                raise FormatError("coded strings are longer than they say")
            above = previous[len(whole)] if same and len(whole) < len(previous) else None
            byte = _Byte(contexts, whole[-3:], above)
            while byte.place >= 0:
                bit = 1
                if not byte.forced(ascending):
                    bit = coder.get(*byte.counts())
                    byte.learn(bit)
                byte.move(bit)
            same = byte.value == above
            whole.append(byte.value)
        previous = bytes(whole)
        strings.append(previous[:-1])
    if left:
        raise FormatError("coded strings are shorter than they say")
    coder.finish()
    return strings


def string_of(data: bytes) -> str:
    """Return the string of its bytes.

    Raises
    ------
    FormatError
        If they are no UTF-8.
    """
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise FormatError("a string is no UTF-8") from None

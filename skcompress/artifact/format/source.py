"""Source: reads the streams of `skcompress.artifact.format.streams`, within a budget."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import string_coder
from .budget import SCALAR_WORK, Budget, FormatError
from .coders import CODERS, memory_of, plain_length, work_of
from .streams import INT64, LONG_GAP, PLANES_APART, smallest, unsigned, width_of

_TYPES = 7
"""How many types of scalars there are."""
_PER_SCALAR = 160
"""Bytes of memory that a scalar takes besides its value, in lists on the way and in tables made of it."""
_PER_STRING, _PER_LETTER = 160, 12
"""Bytes of memory that a string takes besides its UTF-8, and that each byte of it takes: up to 4 as a letter."""
_PART = 2**16


class Source:
    """Reads what a `Sink` wrote, within a budget.

    Parameters
    ----------
    data : bytes
        The bytes.
    start, stop : int
        The part of them to read.
    budget : Budget
        What reading may cost. Everything is charged with what it takes until it is part of a model and hashed.
    version : int, default=1
        Version of the format.
    """

    def __init__(self, data: bytes, start: int, stop: int, budget: Budget, version: int = 1):
        self.data = data
        self.version = version
        self.at = start
        self.stop = stop
        self.budget = budget
        self.string_bytes_left = string_coder.MAX_LENGTH

    def take(self, length: int) -> bytes:
        """Return the next bytes."""
        if not 0 <= length <= self.stop - self.at:
            raise FormatError("the bytes end early")
        part = self.data[self.at : self.at + length]
        self.at += length
        return part

    def uint(self) -> int:
        """Read an integer of at most 64 bits."""
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                break
            shift += 7
        if (shift and byte == 0) or value >= 2**64:
            raise FormatError("an integer is too long")
        return value

    def count(self, each: int = 1) -> int:
        """Read how many things follow, and spend `each` byte of memory on every one of them."""
        value = self.uint()
        self.budget.spend_memory(each * value)
        return value

    def sint(self) -> int:
        """Read a signed integer."""
        value = self.uint()
        return value // 2 if value % 2 == 0 else -(value // 2) - 1

    def symbols(self, count: int, width: int) -> NDArray[np.uint8]:
        """Read `count` integers in 0..2^width - 1."""
        length, coder = divmod(self.uint(), 4)
        data = self.take(length)
        self.budget.spend_memory(memory_of(coder, count, width))
        self.budget.spend_work(work_of(coder, count, width))
        if coder == 0 and length != plain_length(count, width):
            raise FormatError("a plain stream has the wrong length")
        return CODERS[coder].decode(data, count, width)

    def mask(self, count: int) -> NDArray[np.intp]:
        """Read `count` bits and return the places of the ones."""
        n_gaps = self.count()
        if n_gaps == 0:
            bits = self.symbols(count, 1)
            self.budget.spend_memory(8 * int(np.count_nonzero(bits)))
            return np.flatnonzero(bits)
        self.budget.spend_memory(48 * n_gaps)
        symbols = self.symbols(n_gaps - 1, 8)
        ends = symbols < LONG_GAP
        places = np.cumsum(symbols.astype(np.int64) + ends)[ends] - 1
        if len(places) and places[-1] >= count:
            raise FormatError("a mask has bits past its end")
        return places

    def ints(self, count: int) -> NDArray[Any]:
        """Read `count` integers, in the smallest type that holds them."""
        if not count:
            return np.empty(0, dtype=np.int64)
        least, span = self.sint(), self.uint()
        if span > 64 or not INT64.min <= least <= INT64.max:
            raise FormatError("an integer does not fit into 64 bits")
        kind, widest = unsigned(span), smallest(least, min(least + 2**span - 1, INT64.max))
        # Twice to read them, three times to hash them.
        self.budget.spend_memory(count * (5 * kind().itemsize + widest().itemsize + 2))
        rest = np.zeros(count, dtype=kind)
        for place in range(0, span, 8):
            part = self.symbols(count, width_of(min(8, span - place)))
            rest |= np.left_shift(part, place, dtype=kind)
        greatest = int(rest.max())
        if int(rest.min()) or greatest.bit_length() != span or least + greatest > INT64.max:
            raise FormatError("integers are outside their own bounds")
        small = smallest(least, least + greatest)
        values: NDArray[Any] = rest.astype(small)
        values += small(least)
        return values

    def places(self, count: int) -> NDArray[Any]:
        """Read `count` places."""
        form = self.uint() if self.version > 1 and count >= PLANES_APART else 0
        if form > 1:
            raise FormatError("places have an unknown form")
        if not form:
            return self.ints(count)
        # The hash is of the integers themselves, which may be far apart.
        self.budget.spend_memory(48 * count)
        here = self.mask(count)
        values = np.full(count, -1, dtype=np.int64)
        if len(here):
            first = self.sint()
            if not INT64.min <= first <= INT64.max:
                raise FormatError("an integer does not fit into 64 bits")
            values[here] = np.cumsum(np.concatenate([[first], self.ints(len(here) - 1)]), dtype=np.int64)
        return values

    def floats(self, count: int, size: int = 8) -> NDArray[Any]:
        """Read `count` finite IEEE numbers of `size` bytes."""
        n_distinct = self.count() if count >= PLANES_APART else 0
        if n_distinct:
            self.budget.spend_memory(count * (size + 3))
            palette, places = self._planes(n_distinct, size), self.ints(count)
            if not 0 <= int(places.min()) <= int(places.max()) < n_distinct:
                raise FormatError("a number is not among its distinct values")
            values: NDArray[Any] = np.empty(count, dtype=palette.dtype)
            # Part by part, since numpy turns all places at once into integers of 64 bits.
            for start in range(0, count, _PART):
                values[start : start + _PART] = palette[places[start : start + _PART]]
        else:
            values = self._planes(count, size)
        if not np.isfinite(values).all():
            raise FormatError("a number is not finite")
        return values

    def _planes(self, count: int, size: int) -> NDArray[Any]:
        # The numbers, whether they are finite, and two planes while they are hashed.
        self.budget.spend_memory(count * (size + 3))
        numbers = np.empty((count, size), dtype=np.uint8)
        if count >= PLANES_APART:
            for place in range(size):
                numbers[:, place] = self.symbols(count, 8)
        elif count:
            numbers[:] = self.symbols(count * size, 8).reshape(size, count).T
        return numbers.view(f"<f{size}").reshape(count).astype(f"f{size}", copy=False)

    def strings(self, count: int) -> tuple[str, ...]:
        """Read `count` strings."""
        form = self.uint() if self.version > 1 else 0
        self.budget.spend_memory(_PER_STRING * count)
        if form:
            size, ascending = divmod(form, 2)
            length = self.count(_PER_LETTER)
            self.string_bytes_left -= length
            if self.string_bytes_left < 0:
                raise FormatError("the coded strings are too long together")
            self.budget.spend_work(string_coder.work_of(length))
            coded = self.take(size), count, length
            found = string_coder.decode(*coded, ascending=bool(ascending), spend=self.budget.spend_memory)
            return tuple(string_coder.string_of(string) for string in found)
        self.budget.spend_work(SCALAR_WORK * count)
        lengths = self.ints(count).tolist()
        if any(length < 0 for length in lengths):
            raise FormatError("a string has no sensible length")
        self.budget.spend_memory(_PER_LETTER * sum(lengths))
        joined = self.symbols(sum(lengths), 8).tobytes()
        strings, at = [], 0
        for length in lengths:
            strings.append(string_coder.string_of(joined[at : at + length]))
            at += length
        return tuple(strings)

    def scalars(self, count: int) -> tuple[Any, ...]:
        """Read `count` scalars."""
        self.budget.spend_memory(_PER_SCALAR * count)
        self.budget.spend_work(SCALAR_WORK * count)
        types = self.symbols(count, 4).tolist()
        if any(kind >= _TYPES for kind in types):
            raise FormatError("a scalar has an unknown type")
        ints = iter(self.ints(types.count(4)).tolist())
        floats = iter(self.floats(types.count(5)).tolist())
        strings = iter(self.strings(types.count(6)) if 6 in types else ())
        fixed = {0: None, 1: float("nan"), 2: False, 3: True}
        following: dict[int, Any] = {4: ints, 5: floats, 6: strings}
        return tuple(fixed[kind] if kind in fixed else next(following[kind]) for kind in types)

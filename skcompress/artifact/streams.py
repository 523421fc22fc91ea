"""Streams: the building blocks of the byte format, with `Sink` writing what `Source` reads.

    uint      variable-length integer: 7 bits a byte, the lowest first, the top bit set on all but the last byte
    sint      zigzag: uint of 2 x for x >= 0 and of -2 x - 1 for x < 0
    symbols   uint of 4 x length + coder, then `length` bytes (see `skcompress.artifact.coders`)
    mask      of n bits: uint 0, then symbols of 1 bit; or uint of 1 + k, then k gaps as symbols of 8 bits: each says
              how many zeros come before the next one, and 255 stands for 255 zeros without a one after them
    ints      sint of the least, uint of w = bits of (greatest - least), then the differences from the least in
              parts of 8 bits, the lowest first: symbols of 8 bits for each whole part, and for the rest of w % 8
              bits symbols of the next width in 1, 2, 4, 8
    places    version 1: ints. Version 2: below 32 of them ints; from 32 on uint 0 and ints, or uint 1, a mask of those
              that are not -1, and if there are any sint of the first of them and ints, the steps to the others
    floats    nothing if there are none; else the bytes of little-endian IEEE numbers in planes (all first bytes,
              then all second bytes, ...): below 32 numbers one stream of symbols of 8 bits; from 32 on uint 0 and one
              stream for each plane, or uint k, k distinct numbers in planes like that (without a uint) and ints, the
              places of the numbers among them
    strings   version 1: ints of the lengths in bytes, then the joined UTF-8 as symbols of 8 bits
              version 2: uint 0 and the same; or uint of 2 x size + (1 if they ascend), uint of their bytes and one
              more for each, and `size` bytes of `skcompress.artifact.string_coder`
    scalars   symbols of 4 bits, the types (0 None, 1 NaN, 2 False, 3 True, 4 int, 5 float, 6 str), then ints,
              floats (64 bits) and strings of those types in order

How many there are is always known to the reader before it comes to a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import string_coder
from .coders import CODERS, plain_length, shortest
from .errors import FormatError

_TYPES: tuple[type, ...] = (type(None), float, bool, bool, int, float, str)
_SIGNED = tuple(np.iinfo(kind) for kind in (np.int8, np.int16, np.int32, np.int64))
_INT64 = _SIGNED[-1]
_LONG_GAP = 255
PLANES_APART = 32
"""From this many numbers on, each byte plane of floats is a stream of its own."""


class Sink:
    """Collects bytes. With `plain`, streams are not compressed: the canonical form that is hashed.

    `text_left` is how many bytes the coded strings that are still to come may have.
    """

    def __init__(self, plain: bool = False, version: int = 1, text_left: int = string_coder.MAX_TEXT):
        self.data = bytearray()
        self.plain = plain
        self.version = version
        self.text_left = text_left

    def uint(self, value: int) -> None:
        """Write an integer >= 0."""
        while value > 127:
            self.data.append(value & 127 | 128)
            value >>= 7
        self.data.append(value)

    def sint(self, value: int) -> None:
        """Write an integer."""
        self.uint(2 * value if value >= 0 else -2 * value - 1)

    def symbols(self, symbols: NDArray[Any], width: int) -> None:
        """Write integers in 0..2^width - 1."""
        array = np.ascontiguousarray(symbols, dtype=np.uint8)
        coder, data = (0, CODERS[0].encode(array, width)) if self.plain else shortest(array, width)
        assert data is not None
        self.uint(4 * len(data) + coder)
        self.data += data

    def mask(self, bits: NDArray[np.bool_]) -> None:
        """Write bits."""
        rare = np.count_nonzero(bits) <= len(bits) // 4
        self._shortest_of([_mask_as_bits, _mask_as_gaps] if rare else [_mask_as_bits], bits)

    def ints(self, values: NDArray[Any]) -> None:
        """Write integers of up to 64 bits."""
        if not len(values):
            return
        least, greatest = int(values.min()), int(values.max())
        span = (greatest - least).bit_length()
        self.sint(least)
        self.uint(span)
        if not span:
            return
        # Modulo 2^8 or 2^64, so that the difference of two far integers has room.
        kind: Any = np.uint8 if span <= 8 else np.uint64
        rest = np.asarray(values).astype(kind) - kind(least % 2 ** (8 * kind().itemsize))
        for place in range(0, span, 8):
            self.symbols((rest >> kind(place)).astype(np.uint8), width_of(min(8, span - place)))

    def places(self, values: NDArray[Any]) -> None:
        """Write integers of which many are one more than the one before, or -1."""
        if self.version == 1 or len(values) < PLANES_APART:
            self.ints(values)
            return
        self._shortest_of([_as_ints, _as_steps], np.asarray(values, dtype=np.int64))

    def floats(self, values: NDArray[Any], size: int = 8) -> None:
        """Write IEEE numbers of `size` bytes."""
        array = np.asarray(values).astype(f"<f{size}", copy=False)
        if len(array) < PLANES_APART:
            self._planes(array)
            return
        few = not self.plain and len(np.unique(array)) <= len(array) // 4
        self._shortest_of([_apart, _as_palette] if few else [_apart], array)

    def strings(self, texts: Sequence[str]) -> None:
        """Write strings."""
        coded = [text.encode("utf-8", "surrogatepass") for text in texts]
        forms = [_strings_apart] if self.version == 1 else [_strings_apart, _strings_coded]
        self._shortest_of(forms, coded)

    def scalars(self, values: Sequence[Any]) -> None:
        """Write scalars: None, NaN, booleans, integers of up to 64 bits, floats, strings."""
        types = [_type_of(value) for value in values]
        self.symbols(np.array(types, dtype=np.uint8), 4)
        of_type = {t: [v for v, has in zip(values, types, strict=True) if has == t] for t in (4, 5, 6)}
        self.ints(np.array(of_type[4], dtype=np.int64))
        self.floats(np.array(of_type[5]))
        if of_type[6]:
            self.strings(of_type[6])

    def _planes(self, array: NDArray[Any]) -> None:
        if not len(array):
            return
        planes = np.ascontiguousarray(array).view(np.uint8).reshape(-1, array.dtype.itemsize).T
        for part in planes if len(array) >= PLANES_APART else [planes.ravel()]:
            self.symbols(part, 8)

    def _shortest_of(self, forms: Sequence[Callable[[Sink, Any], None]], value: Any) -> None:
        """Write one of several forms: the shortest, or in the canonical form the first."""
        sinks = []
        for form in forms[:1] if self.plain else forms:
            sinks.append(Sink(self.plain, self.version, self.text_left))
            form(sinks[-1], value)
        best = min((sink for sink in sinks if sink.data or len(sinks) == 1), key=lambda sink: len(sink.data))
        self.data += best.data
        self.text_left = best.text_left


def _mask_as_bits(sink: Sink, bits: NDArray[np.bool_]) -> None:
    sink.uint(0)
    sink.symbols(bits, 1)


def _mask_as_gaps(sink: Sink, bits: NDArray[np.bool_]) -> None:
    gaps = np.diff(np.flatnonzero(bits), prepend=-1) - 1
    long = gaps // _LONG_GAP
    symbols = np.full(len(gaps) + int(long.sum()), _LONG_GAP, dtype=np.uint8)
    symbols[np.cumsum(long + 1) - 1] = gaps % _LONG_GAP
    sink.uint(len(symbols) + 1)
    sink.symbols(symbols, 8)


def _as_ints(sink: Sink, values: NDArray[np.int64]) -> None:
    sink.uint(0)
    sink.ints(values)


def _as_steps(sink: Sink, values: NDArray[np.int64]) -> None:
    here = values[values != -1]
    if len(here) and int(here.max()) - int(here.min()) > _INT64.max:
        return
    sink.uint(1)
    sink.mask(values != -1)
    if len(here):
        sink.sint(int(here[0]))
        sink.ints(np.diff(here))


def _apart(sink: Sink, array: NDArray[Any]) -> None:
    sink.uint(0)
    sink._planes(array)


def _as_palette(sink: Sink, array: NDArray[Any]) -> None:
    # By their bits, so that minus zero stays what it is.
    bits, places = np.unique(array.view(f"<u{array.dtype.itemsize}"), return_inverse=True)
    sink.uint(len(bits))
    sink._planes(bits.view(array.dtype))
    sink.ints(places)


def _strings_apart(sink: Sink, coded: Sequence[bytes]) -> None:
    if sink.version > 1:
        sink.uint(0)
    sink.ints(np.array([len(text) for text in coded], dtype=np.int64))
    sink.symbols(np.frombuffer(b"".join(coded), dtype=np.uint8), 8)


def _strings_coded(sink: Sink, coded: Sequence[bytes]) -> None:
    data = string_coder.encode(coded, sink.text_left)
    if data:
        sink.uint(2 * len(data) + string_coder.is_ascending(coded))
        sink.uint(string_coder.length_of(coded))
        sink.text_left -= string_coder.length_of(coded)
        sink.data += data


def width_of(span: int) -> int:
    """Return the width in 1, 2, 4, 8 that holds `span` bits."""
    return next(width for width in (1, 2, 4, 8) if span <= width)


def _type_of(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool):
        return 3 if value else 2
    if isinstance(value, int):
        if not _INT64.min <= value <= _INT64.max:
            raise ValueError(f"the category {value} does not fit into 64 bits: turn it into a string")
        return 4
    if isinstance(value, float):
        return 1 if value != value else 5
    return 6


class Source:
    """Reads what a `Sink` wrote, within a budget of decoded bytes.

    Parameters
    ----------
    data : bytes
        The bytes.
    start, stop : int
        The part of them to read.
    budget : int
        The most bytes that all streams together may decode to.
    version : int, default=1
        Version of the format.
    """

    def __init__(self, data: bytes, start: int, stop: int, budget: int, version: int = 1):
        self.data = data
        self.version = version
        self.at = start
        self.stop = stop
        self.budget = budget
        self.text_left = string_coder.MAX_TEXT

    def spend(self, n_bytes: int) -> None:
        """Take bytes from the budget before they are allocated."""
        self.budget -= n_bytes
        if self.budget < 0:
            raise FormatError("the model asks for more memory than max_bytes allows")

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
        """Read how many things follow, and spend `each` byte of the budget on every one of them."""
        value = self.uint()
        self.spend(each * value)
        return value

    def sint(self) -> int:
        """Read a signed integer."""
        value = self.uint()
        return value // 2 if value % 2 == 0 else -(value // 2) - 1

    def symbols(self, count: int, width: int) -> NDArray[np.uint8]:
        """Read `count` integers in 0..2^width - 1."""
        self.spend(count)
        length, coder = divmod(self.uint(), 4)
        data = self.take(length)
        if coder == 0 and length != plain_length(count, width):
            raise FormatError("a plain stream has the wrong length")
        return CODERS[coder].decode(data, count, width)

    def mask(self, count: int) -> NDArray[np.intp]:
        """Read `count` bits and return the places of the ones."""
        n_gaps = self.count()
        if n_gaps == 0:
            return np.flatnonzero(self.symbols(count, 1))
        self.spend(16 * n_gaps)
        symbols = self.symbols(n_gaps - 1, 8)
        ends = symbols < _LONG_GAP
        places = np.cumsum(symbols.astype(np.int64) + ends)[ends] - 1
        if len(places) and places[-1] >= count:
            raise FormatError("a mask has bits past its end")
        return places

    def ints(self, count: int) -> NDArray[Any]:
        """Read `count` integers, in the smallest type that holds them."""
        if not count:
            return np.empty(0, dtype=np.int64)
        least, span = self.sint(), self.uint()
        if span > 64 or not _INT64.min <= least <= _INT64.max:
            raise FormatError("an integer does not fit into 64 bits")
        kind: Any = np.uint8 if span <= 8 else np.uint64
        self.spend(count * kind().itemsize)
        rest = np.zeros(count, dtype=kind)
        for place in range(0, span, 8):
            part = self.symbols(count, width_of(min(8, span - place)))
            rest |= part.astype(kind) << kind(place)
        greatest = int(rest.max())
        if int(rest.min()) or greatest.bit_length() != span or least + greatest > _INT64.max:
            raise FormatError("integers are outside their own bounds")
        small = next(kind for kind in _SIGNED if kind.min <= least and least + greatest <= kind.max)
        return rest.astype(small.dtype) + small.dtype.type(least)

    def places(self, count: int) -> NDArray[Any]:
        """Read `count` places."""
        form = self.uint() if self.version > 1 and count >= PLANES_APART else 0
        if form > 1:
            raise FormatError("places have an unknown form")
        if not form:
            return self.ints(count)
        self.spend(16 * count)
        here = self.mask(count)
        values = np.full(count, -1, dtype=np.int64)
        if len(here):
            first = self.sint()
            if not _INT64.min <= first <= _INT64.max:
                raise FormatError("an integer does not fit into 64 bits")
            values[here] = np.cumsum(np.concatenate([[first], self.ints(len(here) - 1)]), dtype=np.int64)
        return values

    def floats(self, count: int, size: int = 8) -> NDArray[Any]:
        """Read `count` finite IEEE numbers of `size` bytes."""
        n_distinct = self.count() if count >= PLANES_APART else 0
        if n_distinct:
            self.spend(count * size)
            palette, places = self._planes(n_distinct, size), self.ints(count)
            if not 0 <= int(places.min()) <= int(places.max()) < n_distinct:
                raise FormatError("a number is not among its distinct values")
            values: NDArray[Any] = palette[places]
        else:
            values = self._planes(count, size)
        if not np.isfinite(values).all():
            raise FormatError("a number is not finite")
        return values

    def _planes(self, count: int, size: int) -> NDArray[Any]:
        self.spend(count * size)
        if not count:
            return np.empty(0, dtype=f"f{size}")
        lengths = [count] * size if count >= PLANES_APART else [count * size]
        planes = np.concatenate([self.symbols(length, 8) for length in lengths]).reshape(size, count)
        return np.frombuffer(planes.T.tobytes(), dtype=f"<f{size}").astype(f"f{size}")

    def strings(self, count: int) -> tuple[str, ...]:
        """Read `count` strings."""
        form = self.uint() if self.version > 1 else 0
        if form:
            size, ascending = divmod(form, 2)
            length = self.count()
            self.text_left -= length
            if self.text_left < 0:
                raise FormatError("the coded strings are too long together")
            coded = string_coder.decode(self.take(size), count, length, ascending=bool(ascending), spend=self.spend)
            return tuple(string_coder.text_of(text) for text in coded)
        lengths = self.ints(count).tolist()
        if any(length < 0 for length in lengths) or sum(lengths) > self.budget:
            raise FormatError("a string has no sensible length")
        joined = self.symbols(sum(lengths), 8).tobytes()
        texts, at = [], 0
        for length in lengths:
            texts.append(string_coder.text_of(joined[at : at + length]))
            at += length
        return tuple(texts)

    def scalars(self, count: int) -> tuple[Any, ...]:
        """Read `count` scalars."""
        self.spend(32 * count)
        types = self.symbols(count, 4).tolist()
        if any(kind >= len(_TYPES) for kind in types):
            raise FormatError("a scalar has an unknown type")
        ints = iter(self.ints(types.count(4)).tolist())
        floats = iter(self.floats(types.count(5)).tolist())
        texts = iter(self.strings(types.count(6)) if 6 in types else ())
        fixed = {0: None, 1: float("nan"), 2: False, 3: True}
        following: dict[int, Any] = {4: ints, 5: floats, 6: texts}
        return tuple(fixed[kind] if kind in fixed else next(following[kind]) for kind in types)

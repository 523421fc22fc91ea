"""Streams: the building blocks of the byte format, with `Sink` writing what `Source` reads.

    uint      variable-length integer: 7 bits a byte, the lowest first, the top bit set on all but the last byte
    sint      zigzag: uint of 2 x for x >= 0 and of -2 x - 1 for x < 0
    symbols   uint of 4 x length + coder, then `length` bytes (see `skcompress.artifact.coders`)
    ints      sint of the least, uint of w = bits of (greatest - least), then the differences from the least:
              symbols of the next width in 0, 1, 2, 4, 8 up to 8 bits, beyond that as 8 byte planes of 64 bits
    floats    symbols of 8 bits: the bytes of little-endian IEEE numbers, plane by plane (all first bytes, then all
              second bytes, ...)
    strings   ints of the lengths in bytes, then the joined UTF-8 as symbols of 8 bits
    scalars   symbols of 4 bits, the types (0 None, 1 NaN, 2 False, 3 True, 4 int, 5 float, 6 str), then ints,
              floats (64 bits) and strings of those types in order

How many there are is always known to the reader before it comes to a stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coders import CODERS, plain_length, shortest
from .errors import FormatError

_TYPES: tuple[type, ...] = (type(None), float, bool, bool, int, float, str)
_INT64 = np.iinfo(np.int64)


class Sink:
    """Collects bytes. With `plain`, streams are not compressed: the canonical form that is hashed."""

    def __init__(self, plain: bool = False):
        self.data = bytearray()
        self.plain = plain

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
        array = np.asarray(symbols).astype(np.uint8)
        coder, data = (0, CODERS[0].encode(array, width)) if self.plain else shortest(array, width)
        assert data is not None
        self.uint(4 * len(data) + coder)
        self.data += data

    def ints(self, values: NDArray[Any]) -> None:
        """Write integers of up to 64 bits."""
        if not len(values):
            return
        least, greatest = int(values.min()), int(values.max())
        span = (greatest - least).bit_length()
        self.sint(least)
        self.uint(span)
        if span > 8:
            self._planes(np.asarray(values).astype("<i8"))
        elif span:
            self.symbols(np.asarray(values).astype(np.int64) - least, width_of(span))

    def floats(self, values: NDArray[Any], size: int = 8) -> None:
        """Write IEEE numbers of `size` bytes."""
        self._planes(np.asarray(values).astype(f"<f{size}"))

    def strings(self, texts: Sequence[str]) -> None:
        """Write strings."""
        coded = [text.encode("utf-8", "surrogatepass") for text in texts]
        self.ints(np.array([len(text) for text in coded], dtype=np.int64))
        self.symbols(np.frombuffer(b"".join(coded), dtype=np.uint8), 8)

    def scalars(self, values: Sequence[Any]) -> None:
        """Write scalars: None, NaN, booleans, integers of up to 64 bits, floats, strings."""
        types = [_type_of(value) for value in values]
        self.symbols(np.array(types, dtype=np.uint8), 4)
        of_type = {t: [v for v, has in zip(values, types, strict=True) if has == t] for t in (4, 5, 6)}
        self.ints(np.array(of_type[4], dtype=np.int64))
        if of_type[5]:
            self.floats(np.array(of_type[5]))
        if of_type[6]:
            self.strings(of_type[6])

    def _planes(self, array: NDArray[Any]) -> None:
        planes = np.frombuffer(array.tobytes(), dtype=np.uint8).reshape(-1, array.dtype.itemsize).T
        self.symbols(planes.ravel(), 8)


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
    """

    def __init__(self, data: bytes, start: int, stop: int, budget: int):
        self.data = data
        self.at = start
        self.stop = stop
        self.budget = budget

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

    def count(self) -> int:
        """Read how many things follow; each takes at least one byte of the budget once it is decoded."""
        value = self.uint()
        if value > self.budget:
            raise FormatError("the model asks for more memory than max_bytes allows")
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

    def ints(self, count: int) -> NDArray[np.int64]:
        """Read `count` integers."""
        if not count:
            return np.empty(0, dtype=np.int64)
        self.spend(8 * count)
        least, span = self.sint(), self.uint()
        if span > 64 or not _INT64.min <= least <= _INT64.max - (2**span - 1 if span <= 8 else 0):
            raise FormatError("an integer does not fit into 64 bits")
        if span > 8:
            values = self._planes(count, "<i8").astype(np.int64)
            if int(values.min()) != least or (int(values.max()) - least).bit_length() != span:
                raise FormatError("integers are outside their own bounds")
            return values
        if not span:
            return np.full(count, least, dtype=np.int64)
        differences = self.symbols(count, width_of(span)).astype(np.int64)
        if int(differences.min()) or int(differences.max()).bit_length() != span:
            raise FormatError("integers are outside their own bounds")
        return least + differences

    def floats(self, count: int, size: int = 8) -> NDArray[Any]:
        """Read `count` finite IEEE numbers of `size` bytes."""
        values = self._planes(count, f"<f{size}")
        if not np.isfinite(values).all():
            raise FormatError("a number is not finite")
        return values.astype(f"f{size}")

    def strings(self, count: int) -> tuple[str, ...]:
        """Read `count` strings."""
        lengths = self.ints(count).tolist()
        if any(length < 0 for length in lengths) or sum(lengths) > self.budget:
            raise FormatError("a string has no sensible length")
        joined = self.symbols(sum(lengths), 8).tobytes()
        texts, at = [], 0
        try:
            for length in lengths:
                texts.append(joined[at : at + length].decode("utf-8", "surrogatepass"))
                at += length
        except UnicodeDecodeError:
            raise FormatError("a string is no UTF-8") from None
        return tuple(texts)

    def scalars(self, count: int) -> tuple[Any, ...]:
        """Read `count` scalars."""
        self.spend(32 * count)
        types = self.symbols(count, 4).tolist()
        if any(kind >= len(_TYPES) for kind in types):
            raise FormatError("a scalar has an unknown type")
        ints = iter(self.ints(types.count(4)).tolist())
        floats = iter(self.floats(types.count(5)).tolist() if 5 in types else [])
        texts = iter(self.strings(types.count(6)) if 6 in types else ())
        fixed = {0: None, 1: float("nan"), 2: False, 3: True}
        following: dict[int, Any] = {4: ints, 5: floats, 6: texts}
        return tuple(fixed[kind] if kind in fixed else next(following[kind]) for kind in types)

    def _planes(self, count: int, dtype: str) -> NDArray[Any]:
        size = np.dtype(dtype).itemsize
        self.spend(count * size)
        planes = self.symbols(count * size, 8).reshape(size, count)
        return np.frombuffer(planes.T.tobytes(), dtype=dtype)

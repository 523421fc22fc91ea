"""Sink: writes the streams of `skcompress.artifact.format.streams`, each in the shortest of its forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import string_coder
from .budget import SCALAR_WORK
from .coders import pack, shortest, work_of
from .streams import INT64, LONG_GAP, PLANES_APART, unsigned, width_of

_BUFFER = 2**16


class Digested:
    """Stands in for the bytearray of a `Sink` whose bytes are wanted for their hash alone."""

    def __init__(self, hashed: Any):
        self._hashed = hashed
        self._waiting = bytearray()

    def append(self, byte: int) -> None:
        """Add one byte."""
        self._waiting.append(byte)

    def __iadd__(self, data: Any) -> Digested:
        if len(data) > _BUFFER:
            self.flush()
            self._hashed.update(data)
        else:
            self._waiting += data
            if len(self._waiting) > _BUFFER:
                self.flush()
        return self

    def flush(self) -> None:
        """Hash what is waiting."""
        self._hashed.update(self._waiting)
        self._waiting.clear()


class Sink:
    """Collects bytes.

    Parameters
    ----------
    version : int, default=1
        Version of the format.
    string_bytes_left : int
        Bytes that the coded strings that are still to come may have.
    by_range : bool, default=True
        Whether streams may be written by the range coder.
    digested : Digested, default=None
        What takes the bytes of the canonical form, in which streams are not compressed. None: they are collected.

    Attributes
    ----------
    data : bytearray or Digested
        The bytes.
    work : int
        Units of work of reading them, see `skcompress.artifact.format.budget`.
    """

    def __init__(
        self,
        version: int = 1,
        string_bytes_left: int = string_coder.MAX_LENGTH,
        by_range: bool = True,
        digested: Digested | None = None,
    ):
        self.data: Any = bytearray() if digested is None else digested
        self.plain = digested is not None
        self.version = version
        self.string_bytes_left = string_bytes_left
        self.by_range = by_range
        self.work = 0

    def like(self) -> Sink:
        """Return an empty sink of the same kind, for one of several forms."""
        return Sink(self.version, self.string_bytes_left, self.by_range)

    def take(self, chosen: Sink) -> None:
        """Add what another sink has collected."""
        self.data += chosen.data
        self.string_bytes_left = chosen.string_bytes_left
        self.work += chosen.work

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
        coder, data = (0, pack(array, width)) if self.plain else shortest(array, width, by_range=self.by_range)
        self.work += work_of(coder, len(array), width)
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
        # Modulo 2^8 to 2^64, so that the difference of two far integers has room.
        kind = unsigned(span)
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

    def strings(self, values: Sequence[str]) -> None:
        """Write strings."""
        coded = [value.encode("utf-8", "surrogatepass") for value in values]
        forms = [_strings_apart] if self.version == 1 else [_strings_apart, _strings_coded]
        self._shortest_of(forms, coded)

    def scalars(self, values: Sequence[Any]) -> None:
        """Write scalars: None, NaN, booleans, integers of up to 64 bits, floats, strings."""
        types = [_type_of(value) for value in values]
        self.symbols(np.array(types, dtype=np.uint8), 4)
        self.work += SCALAR_WORK * len(types)
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
        if self.plain:
            forms[0](self, value)
            return
        sinks = [self.like() for _ in forms]
        for form, sink in zip(forms, sinks, strict=True):
            form(sink, value)
        self.take(min((sink for sink in sinks if sink.data or len(sinks) == 1), key=lambda sink: len(sink.data)))


def _mask_as_bits(sink: Sink, bits: NDArray[np.bool_]) -> None:
    sink.uint(0)
    sink.symbols(bits, 1)


def _mask_as_gaps(sink: Sink, bits: NDArray[np.bool_]) -> None:
    gaps = np.diff(np.flatnonzero(bits), prepend=-1) - 1
    long = gaps // LONG_GAP
    symbols = np.full(len(gaps) + int(long.sum()), LONG_GAP, dtype=np.uint8)
    symbols[np.cumsum(long + 1) - 1] = gaps % LONG_GAP
    sink.uint(len(symbols) + 1)
    sink.symbols(symbols, 8)


def _as_ints(sink: Sink, values: NDArray[np.int64]) -> None:
    sink.uint(0)
    sink.ints(values)


def _as_steps(sink: Sink, values: NDArray[np.int64]) -> None:
    here = values[values != -1]
    if len(here) and int(here.max()) - int(here.min()) > INT64.max:
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
    sink.work += SCALAR_WORK * len(coded)
    sink.ints(np.array([len(string) for string in coded], dtype=np.int64))
    sink.symbols(np.frombuffer(b"".join(coded), dtype=np.uint8), 8)


def _strings_coded(sink: Sink, coded: Sequence[bytes]) -> None:
    data = string_coder.encode(coded, sink.string_bytes_left)
    if data:
        sink.uint(2 * len(data) + string_coder.is_ascending(coded))
        sink.uint(string_coder.length_of(coded))
        sink.string_bytes_left -= string_coder.length_of(coded)
        sink.work += string_coder.work_of(string_coder.length_of(coded))
        sink.data += data


def _type_of(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool):
        return 3 if value else 2
    if isinstance(value, int):
        if not INT64.min <= value <= INT64.max:
            raise ValueError(f"the category {value} does not fit into 64 bits: turn it into a string")
        return 4
    if isinstance(value, float):
        return 1 if value != value else 5
    return 6

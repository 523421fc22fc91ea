"""Streams: the building blocks of the byte format, written by a `Sink` and read by a `Source`.

    uint      variable-length integer: 7 bits a byte, the lowest first, the top bit set on all but the last byte
    sint      zigzag: uint of 2 x for x >= 0 and of -2 x - 1 for x < 0
    symbols   uint of 4 x length + coder, then `length` bytes (see `skcompress.artifact.format.coders`)
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
              more for each, and `size` bytes of `skcompress.artifact.format.string_coder`
    scalars   symbols of 4 bits, the types (0 None, 1 NaN, 2 False, 3 True, 4 int, 5 float, 6 str), then ints,
              floats (64 bits) and strings of those types in order

How many there are is always known to the reader before it comes to a stream.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SIGNED = tuple(np.iinfo(kind) for kind in (np.int8, np.int16, np.int32, np.int64))
UNSIGNED = tuple(np.iinfo(kind) for kind in (np.uint8, np.uint16, np.uint32, np.uint64))
INT64 = SIGNED[-1]

LONG_GAP = 255
"""The gap of a mask that stands for as many zeros and no one."""

PLANES_APART = 32
"""From this many numbers on, each byte plane of floats is a stream of its own."""


def width_of(span: int) -> int:
    """Return the width in 1, 2, 4, 8 that holds `span` bits."""
    return next(width for width in (1, 2, 4, 8) if span <= width)


def unsigned(span: int) -> Any:
    """Return the smallest unsigned type of `span` bits."""
    return next(info.dtype.type for info in UNSIGNED if span <= info.bits)


def smallest(least: int, greatest: int) -> Any:
    """Return the smallest signed type of these two numbers."""
    return next(info.dtype.type for info in SIGNED if info.min <= least and greatest <= info.max)

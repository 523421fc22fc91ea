"""What reading a file may cost: `Budget`, spent before anything is allocated or decoded; `FormatError` refuses it.

    memory   max_bytes; every array, string and object that reading and hashing make is charged with its bytes
    work     max(2^20, max_bytes / 256) + 32 x (bytes of the file) units

A unit of work is one decision of the range coder, a bit less than half a microsecond; the rest is charged at what it
takes in the same time (`SYMBOLS_PER_UNIT` and the other constants below). Nothing is ever given back, so the sum bounds
both the peak of memory and the time. By default max_bytes is 2^29, or 128 times the file if that is more: what random
weights of 4 bits need, each with an input of its own.
"""

from __future__ import annotations


class FormatError(ValueError):
    """The bytes are no compact model, are damaged, or ask for more than they may."""


DEFAULT_BYTES = 2**29
"""The memory that reading may take by default."""

BYTES_PER_BYTE, WORK_PER_BYTE = 128, 32
"""Bytes of memory by default, and units of work, for each byte of a file."""

LEAST_WORK = 2**20
"""Units of work that any file may take."""

BYTES_PER_WORK = 256
"""Bytes of memory allowed for one unit of work allowed."""

SYMBOLS_PER_UNIT = 128
"""Symbols that LZMA, deflate and numpy decode in one unit."""

SCALAR_WORK = 4
"""Units for a string, another scalar or a number of the metadata, with the tables made of it."""


def bytes_allowed(size: int, max_bytes: int | None) -> int:
    """Return the memory that reading a file of `size` bytes may take."""
    return max(DEFAULT_BYTES, BYTES_PER_BYTE * size) if max_bytes is None else max_bytes


def work_allowed(size: int, n_bytes: int) -> int:
    """Return the units of work that reading a file of `size` bytes may take if its memory is `n_bytes`."""
    return max(LEAST_WORK, n_bytes // BYTES_PER_WORK) + WORK_PER_BYTE * size


class Budget:
    """What is left of the memory and the work that reading one file may take.

    Parameters
    ----------
    size : int
        Bytes of the file, which count themselves.
    max_bytes : int or None
        The memory allowed; None: the default.

    Attributes
    ----------
    allowed : int
        The memory allowed.
    memory_left, work_left : int
        What is left of either.
    """

    def __init__(self, size: int, max_bytes: int | None = None):
        self.allowed = bytes_allowed(size, max_bytes)
        self.work_left = work_allowed(size, self.allowed)
        self.memory_left = self.allowed
        self.spend_memory(size)

    def spend_memory(self, n_bytes: int) -> None:
        """Take memory, before it is allocated.

        Raises
        ------
        FormatError
            If there is not as much left.
        """
        self.memory_left -= n_bytes
        if self.memory_left < 0:
            raise FormatError(
                f"the model asks for {self.allowed - self.memory_left:,} bytes of memory or more, and max_bytes is "
                f"{self.allowed:,}: pass a larger max_bytes if you trust the file"
            )

    def spend_work(self, units: int) -> None:
        """Take work, before it is done.

        Raises
        ------
        FormatError
            If there is not as much left.
        """
        self.work_left -= units
        if self.work_left < 0:
            raise FormatError(
                f"the model takes more work than a file of its size may with max_bytes={self.allowed:,}: pass a larger "
                "max_bytes if you trust it"
            )

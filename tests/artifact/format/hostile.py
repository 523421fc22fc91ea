"""Files that no writer would write: bombs, and mutants of good files, each under a right checksum.

A reader must answer each with a model or a FormatError, within its budget.
"""

import json
import tracemalloc
import zlib

import numpy as np

from skcompress.artifact import CompactLinear
from skcompress.artifact.format import packed
from skcompress.artifact.format.coders import CODERS, RANGE
from skcompress.artifact.format.sink import Sink
from skcompress.artifact.links import LINKS
from skcompress.artifact.terms import TERMS

from ..models import rows_for

START = 21
"""Bytes before the body."""


def sealed(data):
    """Return a changed file with the right checksum, as an attacker would."""
    return bytes(data[:-4]) + zlib.crc32(bytes(data[:-4])).to_bytes(4, "little")


def as_file(body, version=1):
    """Return a file of this body; its digest is wrong, which is found out last."""
    return sealed(packed.MAGIC + bytes([version]) + bytes(16) + bytes(body) + bytes(4))


class Raw(Sink):
    """A sink for bodies that fit no model."""

    def head(self, m=1, p=0, inputs=1, n_all=None, blocks=0, classes=0, names=False, metadata=False, rows=0):
        """Write a head."""
        everything = n_all is None
        self.uint(1 + 2 * everything + 4 * (p > 0) + 32 * names + 64 * metadata + 128 * rows)
        self.uint(LINKS["identity"].code)
        for count in (m, p, p, inputs, inputs if everything else n_all, blocks, classes):
            self.uint(count)
        return self

    def coded(self, number, symbols, width):
        """Write a stream by one coder, whatever it takes."""
        data = CODERS[number].encode(np.asarray(symbols, dtype=np.uint8), width)
        self.uint(4 * len(data) + number)
        self.data += data
        return self

    def nothing(self, m=1, p=0):
        """Write columns, weights of one code, and intercepts of zero."""
        if p:
            self.ints(np.zeros(p, dtype=int))
        for value in (2, 0, 8):
            self.uint(value)
        self.uint(0)
        self.floats(np.ones(1))
        self.uint(0)
        self.ints(np.zeros(1, dtype=int))
        self.ints(np.ones(m * p, dtype=np.int8))
        self.floats(np.zeros(m))
        return self

    def block(self, kind, sources=(0,)):
        """Write how a block begins."""
        self.uint(TERMS[kind].code)
        self.uint(len(sources))
        self.ints(np.array(sources, dtype=np.int64))
        return self

    def sint(self, value):
        """Write an integer."""
        super().sint(value)
        return self


def _range_streams(n):
    """Streams of 65,536 decisions in one byte each: the numbers of blocks."""
    raw = Raw().head(blocks=n).nothing()
    for _ in range(n):
        raw.block("scaled", [0] * 8192)
        for _ in ("factor", "shift"):
            raw.uint(8192)
            raw.uint(0)
            raw.data += bytes([RANGE]) * 8
    return as_file(raw.data)


def _range_tables(n):
    """Streams of one symbol of eight bits in one byte each, for which the range coder makes its tables."""
    raw = Raw().head(blocks=n).nothing()
    for _ in range(n):
        raw.block("step")
        for count in (1, 2):
            raw.uint(count)
            raw.data.append(RANGE)
    return as_file(raw.data)


def _all_inputs(n_all):
    """A mask with more ones than there are inputs."""
    raw = Raw().head(inputs=1, n_all=n_all)
    raw.uint(0)
    raw.coded(1, np.ones(n_all, dtype=np.uint8), 1)
    return as_file(raw.data)


def _far_input(n_all):
    """One input out of more than any memory holds."""
    raw = Raw().head(inputs=1, n_all=n_all)
    raw.uint(2)
    raw.symbols(np.zeros(1), 8)
    return as_file(raw.nothing().data)


def _long_name(length):
    """A name of ASCII with one emoji, for which all its letters take four bytes."""
    raw = Raw().head(names=True).nothing()
    name = b"a" * length + "\U0001f600".encode()
    raw.ints(np.array([len(name)]))
    raw.coded(1, np.frombuffer(name, dtype=np.uint8), 8)
    return as_file(raw.data)


def _many_names(n):
    """As many names of no letters."""
    raw = Raw().head(inputs=n, names=True).nothing()
    raw.ints(np.zeros(n, dtype=int))
    raw.symbols(np.zeros(0), 8)
    return as_file(raw.data)


def _metadata(text):
    raw = Raw().head(metadata=True).nothing()
    raw.uint(len(text))
    raw.coded(1, np.frombuffer(text, dtype=np.uint8), 8)
    return as_file(raw.data)


def _many_categories(n):
    """Integers that take next to no bytes, as levels of a category."""
    raw = Raw(2).head(blocks=1).nothing()
    raw.block("category").sint(-1)
    raw.uint(n)
    raw.places(np.full(n, -1))
    raw.uint(n)
    raw.scalars(list(range(n)))
    return as_file(raw.data, 2)


def _wrapped_product():
    """Sizes of a product that add up to one modulo 2^64."""
    raw = Raw().head(p=5, blocks=1).nothing(p=5)
    raw.block("product")
    sizes = [2**62, 2**62, 2**62, 2**62, 1]
    raw.uint(len(sizes))
    raw.ints(np.array(sizes))
    raw.uint(1)
    raw.ints(np.array([0]))
    return as_file(raw.data)


def _wide_block(n):
    """Many outputs times many columns that no term reads."""
    raw = Raw(2).head(m=n, blocks=1).nothing(m=n)
    raw.block("category").sint(0)
    raw.uint(n)
    raw.places(np.arange(n))
    raw.uint(n)
    raw.scalars(list(range(n)))
    return as_file(raw.data, 2)


def _many_weights(m, p):
    """Weights of one byte each in the file's memory."""
    return as_file(Raw().head(m=m, p=p).nothing(m, p).data)


def _zeros(n, number):
    """Streams of zeros for weights that are read plane by plane."""
    raw = Raw().head(p=n)
    raw.ints(np.zeros(n, dtype=int))
    for value in (0, 0, 0):
        raw.uint(value)
    for _ in range(8):
        raw.coded(number, np.zeros(n, dtype=np.uint8), 8)
    return as_file(raw.data)


def _long_words():
    """The longest strings that the string coder may have."""
    raw = Raw(2).head(names=True).nothing()
    raw.uint(2 * 600 + 1)
    raw.uint(2**14)
    raw.data += b"\xff" * 600
    return as_file(raw.data, 2)


def _chain(n):
    """Blocks of five bytes, each of which reads the one before it."""
    raw = Raw().head(blocks=n).nothing()
    for place in range(n):
        raw.block("function", (place,)).sint(12)
    return as_file(raw.data)


BOMBS = {
    "range-coded planes": lambda: _range_streams(25),
    "range-coded single numbers": lambda: _range_tables(500),
    "more ones than inputs": lambda: _all_inputs(2**25),
    "one of very many inputs": lambda: _far_input(2**62),
    "one emoji in a long name": lambda: _long_name(2**26),
    "names without letters": lambda: _many_names(2**21),
    "JSON of small dicts": lambda: _metadata(b'{"a":[' + b"{}," * 2**22 + b"0]}"),
    "JSON of dicts of one": lambda: _metadata(b'{"a":[' + b'{"":0},' * 2**21 + b"0]}"),
    "JSON of lists": lambda: _metadata(b'{"a":[' + b"[]," * 2**22 + b"0]}"),
    "JSON of numbers": lambda: _metadata(b'{"a":[' + b"1.5," * 2**22 + b"0]}"),
    "JSON in JSON": lambda: _metadata(b'{"a":' + b"[" * 2**20 + b"]" * 2**20 + b"}"),
    "JSON of one long text": lambda: _metadata(
        json.dumps({"a": "\U0001f600" + "b" * 2**24}, ensure_ascii=False).encode()
    ),
    "categories that count up": lambda: _many_categories(2**18),
    "a product that wraps around": _wrapped_product,
    "outputs times columns": lambda: _wide_block(2**15),
    "codes of one byte": lambda: _many_weights(2**8, 2**20),
    "zeros in LZMA": lambda: _zeros(2**23, 1),
    "zeros in deflate": lambda: _zeros(2**23, 3),
    "the longest coded strings": _long_words,
    "a chain of blocks": lambda: _chain(2000),
}
"""Functions that make small files of great expectations."""


class Mutating(Sink):
    """A sink that now and then writes something else than it is told."""

    def __init__(self, rng, chance, *options):
        super().__init__(*options)
        self.rng, self.chance = rng, chance

    def like(self):
        """Return another such sink."""
        return Mutating(self.rng, self.chance, self.version, self.string_bytes_left, self.by_range)

    def uint(self, value):
        """Write an integer: the one that it should be, one close to it, or a large one."""
        if self.rng.random() < self.chance:
            value = int(
                [
                    max(0, value + self.rng.integers(-2, 3)),
                    2 ** int(self.rng.integers(64)),
                    self.rng.integers(40),
                    2 * value,
                ][self.rng.integers(4)]
            )
        super().uint(value)

    def symbols(self, symbols, width):
        """Write a stream: of other symbols, of more of them, or by a coder that was not chosen."""
        if self.rng.random() < self.chance:
            symbols = np.array(symbols, dtype=np.uint8)
            change = self.rng.integers(3)
            if change == 0 and len(symbols):
                symbols[self.rng.integers(len(symbols))] = self.rng.integers(2**width)
            elif change == 1:
                symbols = np.resize(symbols, int(2 ** self.rng.integers(17))) if len(symbols) else symbols
            data = CODERS[number].encode(symbols, width) if (number := self.rng.integers(4)) != RANGE else b""
            super().uint(int(4 * len(data) + number))
            self.data += data
            return
        super().symbols(symbols, width)


def mutant_of_structure(model, rng):
    """Return a file whose integers and streams are not all those of the model."""
    version, chance = int(rng.integers(1, 3)), float(rng.choice([0.001, 0.005, 0.05]))
    body = bytearray()
    held = {"names": model.reads.labels is not None, "metadata": model.metadata_json is not None}
    head = packed.head(model, **held) if rng.random() < 0.7 else None
    for name, write in packed.SECTIONS.items():
        sink = Mutating(rng, chance, version)
        if name == "layout" and head is None:
            packed.write_head(model, sink, **held)
        elif name == "layout":
            body += head
        write(model, sink)
        body += sink.data
    return as_file(body, version)


def mutant_of_bytes(data, others, rng):
    """Return a file with some bytes changed, moved, doubled, left out, or taken from another file."""
    body = bytearray(data[START:-4])
    for _ in range(rng.integers(1, 4)):
        start, length = int(rng.integers(len(body) + 1)), int(rng.integers(1, 9))
        change = rng.integers(5)
        if change == 0:
            body[start : start + 1] = rng.integers(256, size=1).astype(np.uint8).tobytes()
        elif change == 1:
            del body[start : start + length]
        elif change == 2:
            body[start:start] = body[start : start + length]
        elif change == 3:
            other = others[rng.integers(len(others))][START:-4]
            place = int(rng.integers(len(other)))
            body[start : start + length] = other[place : place + length]
        else:
            body[start:start] = bytes([rng.integers(128, 256)] * rng.integers(1, 9)) + b"\x01"
    return sealed(data[:START] + body + bytes(4))


def mutants(models, n, seed=0):
    """Yield mutants, half of them by structure."""
    rng = np.random.default_rng(seed)
    models = list(models)
    files = [model.to_bytes() for model in models]
    for number in range(n):
        chosen = int(rng.integers(len(models)))
        if number % 2:
            yield mutant_of_structure(models[chosen], rng)
        else:
            yield mutant_of_bytes(files[chosen], files, rng)


def rightful(data, max_bytes=None):
    """Return the file with the hash of what is in it, as an attacker would write it; None if it holds no model."""
    try:
        model = packed.parse(data, CompactLinear, max_bytes)
    except packed.FormatError:
        return None
    return sealed(data[:5] + packed.digest(model)[:16] + data[START:])


def answer_of(model):
    """Return a model's predictions for two rows, or the ValueError; None if the rows would be too wide."""
    if len(model.reads) > 5000 or (not model.inputs and model.reads.n_all > 5000):
        return None
    try:
        with np.errstate(all="ignore"):
            return model.predict(rows_for(model))
    except ValueError as error:
        return error


def read(data, **options):
    """Return the model of a file, or the FormatError."""
    try:
        return CompactLinear.from_bytes(data, **options)
    except packed.FormatError as error:
        return error


def peak_of(action):
    """Return what an action returns and the most memory that it took."""
    tracemalloc.start()
    try:
        return action(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

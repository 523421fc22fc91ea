"""The byte format of a compact model: documented on the format page of the docs.

    file      "SKCL"  version  digest  body  checksum
    version   1 byte, 1 or 2
    digest    16 bytes, the start of the SHA-256 of the canonical body
    body      head, layout, weights, blocks, then names and metadata where the flags say so
    checksum  4 bytes, CRC-32 of all the bytes before it, little-endian

The *canonical body* is head, layout, weights and blocks as the writer would put them with every stream plain and
without a mask of the weights. It does not depend on which coder was shortest, so a later writer that compresses
better gives the same digest.
Its first 12 hex digits are the `model_id`. Names and metadata are outside of it.

Versions: a change that an old reader would misread gets a new version number, its own reader here, and a stored
file in the tests; readers of old versions stay. Version 2 has other forms of strings and of the
integers of blocks. The writer takes the version
that gives the shorter file, of two equals the older one; the canonical body is that of version 1 in both.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import FormatError
from .links import LINKS
from .packed_weights import read_weights, write_weights
from .reading import Inputs
from .streams import Sink, Source
from .string_coder import MAX_TEXT
from .terms import TERMS, Block

if TYPE_CHECKING:
    from .compact import CompactLinear

MAGIC = b"SKCL"
VERSIONS = (1, 2)
MAX_BYTES = 2**29
_PER_WEIGHT = 32
"""Bytes that a weight takes while it is read, hashed and decoded: its float, and copies on the way."""
_PER_NUMBER, _PER_SCALAR = 64, 256
"""The same for a number and for a string or other scalar of a block, with the tables made of them."""
_PREFIX = len(MAGIC) + 1 + 16
_FLAGS = ("flat", "all_inputs", "columns", "offset", "divisor", "names", "metadata")
_WRITTEN = {"ints": "places"}
"""Types of parameters that are written by another name."""
_ROWS = ("table", "values", "mappings")


def write(model: CompactLinear, *, names: bool, metadata: bool) -> bytes:
    """Return the file of a model."""
    names = names and model.reads.labels is not None
    metadata = metadata and model.metadata_json is not None
    version = _shortest_version(model, names=names)
    made = _sections(model, version)
    body = _head(model, names=names, metadata=metadata) + made["layout"] + made["weights"] + made["blocks"]
    body += (made["names"] if names else b"") + (made["metadata"] if metadata else b"")
    file = MAGIC + bytes([version]) + digest(model)[:16] + body
    return file + zlib.crc32(file).to_bytes(4, "little")


def _shortest_version(model: CompactLinear, *, names: bool) -> int:
    """Return the version that takes the fewest bytes."""

    def length(version: int) -> int:
        return sum(len(part) for name, part in _sections(model, version).items() if names or name != "names")

    return min(VERSIONS, key=length)


def digest(model: CompactLinear) -> bytes:
    """Return the SHA-256 of the canonical body."""
    if "digest" not in model._made:
        hashed = hashlib.sha256(_head(model, names=False, metadata=False))
        for part in (_layout, _weights, _blocks):
            hashed.update(part(model, Sink(plain=True)))
        model._made["digest"] = hashed.digest()
    found: bytes = model._made["digest"]
    return found


def section_sizes(model: CompactLinear) -> dict[str, int]:
    """Return the bytes of each part of the file with everything in it."""
    names = model.reads.labels is not None
    head = _head(model, names=names, metadata=model.metadata_json is not None)
    sizes = {name: len(part) for name, part in _sections(model, _shortest_version(model, names=names)).items()}
    return {"frame": _PREFIX + 4, "head": len(head), **sizes}


def _sections(model: CompactLinear, version: int) -> dict[str, bytes]:
    """Return what comes after the head, made once for each model."""
    made = model._made.setdefault("sections", {})
    if not made:
        # The weights are the same in all versions, and take the longest to code.
        weights = bytes(_weights(model, Sink()))
        for each in VERSIONS:
            parts, text_left = {"weights": weights}, MAX_TEXT
            for name in ("layout", "blocks", "names", "metadata"):
                sink = Sink(version=each, text_left=text_left)
                parts[name] = bytes(_PARTS[name](model, sink))
                text_left = sink.text_left
            made[each] = parts
    sections: dict[str, bytes] = made[version]
    return sections


def _head(model: CompactLinear, *, names: bool, metadata: bool) -> bytes:
    flags = {
        "flat": model.flat,
        "all_inputs": len(model.reads) == model.reads.n_all,
        "columns": not np.array_equal(model.columns, np.arange(len(model.columns))),
        "offset": model.offset is not None,
        "divisor": model.divisor is not None,
        "names": names,
        "metadata": metadata,
    }
    sink = Sink()
    bits = sum(flags[name] << place for place, name in enumerate(_FLAGS))
    sink.uint(bits + (_ROWS.index(model.reads.rows) << len(_FLAGS)))
    sink.uint(LINKS[model.link].code)
    m, p = model.weights.shape
    counts = m, p, model.n_terms_all, len(model.reads), model.reads.n_all, len(model.blocks), len(model.classes)
    for count in counts:
        sink.uint(count)
    return bytes(sink.data)


def _layout(model: CompactLinear, sink: Sink) -> bytearray:
    if model.classes:
        sink.scalars(model.classes)
    if len(model.reads) != model.reads.n_all:
        used = np.zeros(model.reads.n_all, dtype=bool)
        used[model.reads.positions] = True
        sink.mask(used)
    if not np.array_equal(model.columns, np.arange(len(model.columns))):
        sink.ints(np.diff(model.columns, prepend=0))
    for array in (model.offset, model.divisor):
        if array is not None:
            sink.floats(array)
    return sink.data


def _weights(model: CompactLinear, sink: Sink) -> bytearray:
    write_weights(model.weights, model.intercept, sink)
    return sink.data


def _blocks(model: CompactLinear, sink: Sink) -> bytearray:
    for block in model.blocks:
        kind = TERMS[block.kind]
        sink.uint(kind.code)
        sink.uint(len(block.sources))
        sink.ints(np.array(block.sources, dtype=np.int64))
        for name, form in kind.fields:
            value = block.params[name]
            if form == "int":
                sink.sint(value)
            else:
                sink.uint(len(value))
                getattr(sink, _WRITTEN.get(form, form))(value)
    return sink.data


def _names(model: CompactLinear, sink: Sink) -> bytearray:
    if model.reads.labels is not None:
        sink.strings(model.reads.labels)
    return sink.data


def _metadata(model: CompactLinear, sink: Sink) -> bytearray:
    if model.metadata_json is not None:
        text = model.metadata_json.encode()
        sink.uint(len(text))
        sink.symbols(np.frombuffer(text, dtype=np.uint8), 8)
    return sink.data


_PARTS = {"layout": _layout, "weights": _weights, "blocks": _blocks, "names": _names, "metadata": _metadata}


def read(data: bytes, *, max_bytes: int = MAX_BYTES) -> CompactLinear:
    """Return the model of a file.

    Raises
    ------
    FormatError
        If anything about the bytes is wrong.
    """
    data = bytes(data)
    if data[: len(MAGIC)] != MAGIC:
        raise FormatError("these bytes are no compact model: they do not start with SKCL")
    if len(data) < _PREFIX + 4:
        raise FormatError("the bytes end early")
    if data[len(MAGIC)] not in _READERS:
        raise FormatError(f"version {data[len(MAGIC)]} is not known here; known are {sorted(_READERS)}")
    if zlib.crc32(data[:-4]).to_bytes(4, "little") != data[-4:]:
        raise FormatError("the checksum is wrong: the bytes are damaged")
    source = Source(data, _PREFIX, len(data) - 4, max_bytes, data[len(MAGIC)])
    try:
        model = _READERS[data[len(MAGIC)]](source)
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the model does not fit together: {error}") from error
    if digest(model)[:16] != data[_PREFIX - 16 : _PREFIX]:
        raise FormatError("the hash of the model is wrong: the bytes are damaged")
    return model


def _read(source: Source) -> CompactLinear:
    from .compact import CompactLinear

    bits = source.uint()
    rows = bits >> len(_FLAGS)
    if rows >= len(_ROWS):
        raise FormatError("the head has unknown flags")
    flags = {name: bool(bits >> place & 1) for place, name in enumerate(_FLAGS)}
    code = source.uint()
    link = next((name for name, link in LINKS.items() if link.code == code), None)
    if link is None:
        raise FormatError(f"link {code} is not known here")
    m, p, n_terms_all, n_inputs, n_all, n_blocks, n_classes = (source.count() for _ in range(7))
    source.spend(_PER_WEIGHT * m * p + 8 * (p + m))
    source.spend(_PER_SCALAR * n_classes)
    classes = source.scalars(n_classes) if n_classes else ()
    positions = _read_positions(source, n_inputs, n_all, everything=flags["all_inputs"])
    columns = np.cumsum(source.ints(p)) if flags["columns"] else None
    offset = source.floats(p) if flags["offset"] else None
    divisor = source.floats(p) if flags["divisor"] else None
    if divisor is not None and not divisor.all():
        raise FormatError("a divisor is zero")
    weights, intercept = read_weights(source, m, p)
    blocks = [_read_block(source) for _ in range(n_blocks)]
    source.spend(_PER_SCALAR * n_inputs if flags["names"] else 0)
    labels = source.strings(n_inputs) if flags["names"] else None
    metadata = _read_metadata(source) if flags["metadata"] else None
    if source.at != source.stop:
        raise FormatError("there are bytes after the end of the model")
    return CompactLinear(
        weights,
        intercept,
        Inputs(labels, positions, n_all, _ROWS[rows]),
        blocks=blocks,
        columns=columns,
        offset=offset,
        divisor=divisor,
        link=link,
        flat=flags["flat"],
        classes=classes,
        n_terms_all=n_terms_all,
        metadata=metadata,
    )


def _read_positions(source: Source, n_inputs: int, n_all: int, *, everything: bool) -> NDArray[np.intp]:
    source.spend(16 * n_inputs)
    if everything:
        if n_inputs != n_all:
            raise FormatError("the number of inputs is not that of all of them")
        return np.arange(n_all)
    positions = source.mask(n_all)
    if len(positions) != n_inputs:
        raise FormatError("the mask of inputs does not have their number")
    return positions


def _read_block(source: Source) -> Block:
    code = source.uint()
    kind = next((name for name, kind in TERMS.items() if kind.code == code), None)
    if kind is None:
        raise FormatError(f"term kind {code} is not known here")
    sources = source.ints(source.count(_PER_NUMBER)).tolist()
    params: dict[str, Any] = {}
    for name, form in TERMS[kind].fields:
        if form == "int":
            params[name] = source.sint()
        else:
            each = _PER_NUMBER if form in ("ints", "floats") else _PER_SCALAR
            params[name] = getattr(source, _WRITTEN.get(form, form))(source.count(each))
    return Block.make(kind, sources, params)


def _read_metadata(source: Source) -> dict[str, Any]:
    text = source.symbols(source.count(16), 8).tobytes()
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError):
        raise FormatError("the metadata is no JSON") from None
    if not isinstance(metadata, dict):
        raise FormatError("the metadata is no JSON object")
    return metadata


_READERS = {1: _read, 2: _read}

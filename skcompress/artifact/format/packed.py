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
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..links import LINKS
from ..parts import Parts
from ..reading import Inputs
from ..terms import TERMS, Block
from .budget import DEFAULT_BYTES, Budget, FormatError, work_allowed
from .packed_weights import read_weights, write_weights
from .sink import Digested, Sink
from .source import Source
from .string_coder import MAX_LENGTH

Model = TypeVar("Model", bound=Parts)
MAGIC = b"SKCL"
VERSIONS = (1, 2)
_PER_NUMBER = 64
"""Bytes of memory that a number of a block takes besides its stream, with the tables made of it."""
_PER_BLOCK, _PER_INPUT, _PER_TERM = 2048, 20, 20
_PER_CHARACTER, _PER_OBJECT, _PER_LIST, _PER_VALUE = 12, 240, 96, 96
"""The same for JSON: for each byte (up to 4 as a letter, 6 when it is written again), and each thing in it."""
_PREFIX = len(MAGIC) + 1 + 16
_FLAGS = ("flat", "all_inputs", "columns", "offset", "divisor", "names", "metadata")
_WRITTEN = {"ints": "places"}
"""Types of parameters that are written by another name."""
_ROWS = ("table", "values", "mappings")


def write(model: Parts, *, names: bool, metadata: bool) -> bytes:
    """Return the file of a model."""
    names = names and model.reads.labels is not None
    metadata = metadata and model.metadata_json is not None
    version = _shortest_version(model, names=names)
    made = _sections(model, version)
    body = head(model, names=names, metadata=metadata) + made["layout"] + made["weights"] + made["blocks"]
    body += (made["names"] if names else b"") + (made["metadata"] if metadata else b"")
    file = MAGIC + bytes([version]) + digest(model)[:16] + body
    return file + zlib.crc32(file).to_bytes(4, "little")


def _shortest_version(model: Parts, *, names: bool) -> int:
    """Return the version that takes the fewest bytes."""

    def length(version: int) -> int:
        return sum(len(part) for name, part in _sections(model, version).items() if names or name != "names")

    return min(VERSIONS, key=length)


def digest(model: Parts) -> bytes:
    """Return the SHA-256 of the canonical body."""
    if "digest" not in model.memo:
        hashed = hashlib.sha256(head(model, names=False, metadata=False))
        digested = Digested(hashed)
        for part in (_layout, _weights, _blocks):
            part(model, Sink(digested=digested))
        digested.flush()
        model.memo["digest"] = hashed.digest()
    found: bytes = model.memo["digest"]
    return found


def section_sizes(model: Parts) -> dict[str, int]:
    """Return the bytes of each part of the file with everything in it."""
    names = model.reads.labels is not None
    first = head(model, names=names, metadata=model.metadata_json is not None)
    sizes = {name: len(part) for name, part in _sections(model, _shortest_version(model, names=names)).items()}
    return {"frame": _PREFIX + 4, "head": len(first), **sizes}


def _sections(model: Parts, version: int) -> dict[str, bytes]:
    """Return what comes after the head, made once for each model."""
    made = model.memo.setdefault("sections", {})
    if not made:
        made.update(_all_sections(model, by_range=True) or _all_sections(model, by_range=False) or {})
    sections: dict[str, bytes] = made[version]
    return sections


def _all_sections(model: Parts, *, by_range: bool) -> dict[int, dict[str, bytes]] | None:
    """Return the sections in each version; None if by the range coder they take more work than a reader allows."""
    # The weights are the same in all versions, and take the longest to code.
    weights = Sink(by_range=by_range)
    _weights(model, weights)
    made = {}
    for version in VERSIONS:
        parts, string_bytes_left, work = {"weights": bytes(weights.data)}, MAX_LENGTH, weights.work
        for name in ("layout", "blocks", "names", "metadata"):
            sink = Sink(version, string_bytes_left, by_range)
            parts[name] = bytes(SECTIONS[name](model, sink))
            string_bytes_left, work = sink.string_bytes_left, work + sink.work
        size = sum(map(len, parts.values())) - len(parts["names"]) - len(parts["metadata"])
        if by_range and work > work_allowed(size, DEFAULT_BYTES):
            return None
        made[version] = parts
    return made


def write_head(model: Parts, sink: Sink, *, names: bool, metadata: bool) -> None:
    """Write the head."""
    flags = {
        "flat": model.flat,
        "all_inputs": len(model.reads) == model.reads.n_all,
        "columns": not np.array_equal(model.columns, np.arange(len(model.columns))),
        "offset": model.offset is not None,
        "divisor": model.divisor is not None,
        "names": names,
        "metadata": metadata,
    }
    bits = sum(flags[name] << place for place, name in enumerate(_FLAGS))
    sink.uint(bits + (_ROWS.index(model.reads.rows) << len(_FLAGS)))
    sink.uint(LINKS[model.link].code)
    m, p = model.weights.shape
    counts = m, p, model.n_terms_all, len(model.reads), model.reads.n_all, len(model.blocks), len(model.classes)
    for count in counts:
        sink.uint(count)


def head(model: Parts, *, names: bool, metadata: bool) -> bytes:
    """Return the head."""
    sink = Sink()
    write_head(model, sink, names=names, metadata=metadata)
    return bytes(sink.data)


def _layout(model: Parts, sink: Sink) -> Any:
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


def _weights(model: Parts, sink: Sink) -> Any:
    write_weights(model.weights, model.intercept, sink)
    return sink.data


def _blocks(model: Parts, sink: Sink) -> Any:
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


def _names(model: Parts, sink: Sink) -> Any:
    if model.reads.labels is not None:
        sink.strings(model.reads.labels)
    return sink.data


def _metadata(model: Parts, sink: Sink) -> Any:
    if model.metadata_json is not None:
        text = model.metadata_json.encode()
        sink.uint(len(text))
        sink.symbols(np.frombuffer(text, dtype=np.uint8), 8)
        sink.work += _values_in(text)
    return sink.data


SECTIONS = {"layout": _layout, "weights": _weights, "blocks": _blocks, "names": _names, "metadata": _metadata}


def require_model(start: bytes) -> None:
    """Raise FormatError unless a file with this start may be a compact model of a version that is known."""
    if start[: len(MAGIC)] != MAGIC:
        raise FormatError("these bytes are no compact model: they do not start with SKCL")
    if len(start) > len(MAGIC) and start[len(MAGIC)] not in _READERS:
        raise FormatError(f"version {start[len(MAGIC)]} is not known here; known are {sorted(_READERS)}")


def read(data: bytes, kind: type[Model], *, max_bytes: int | None = None) -> Model:
    """Return the model of a file as an object of this kind.

    Raises
    ------
    FormatError
        If anything about the bytes is wrong, or they ask for more than `max_bytes`.
    """
    model = parse(data, kind, max_bytes)
    if digest(model)[:16] != data[_PREFIX - 16 : _PREFIX]:
        raise FormatError("the hash of the model is wrong: the bytes are damaged")
    return model


def parse(data: bytes, kind: type[Model], max_bytes: int | None) -> Model:
    """Return the model of a file before its hash is checked.

    Raises
    ------
    FormatError
        If anything else is wrong.
    """
    require_model(bytes(data[: len(MAGIC) + 1]))
    if len(data) < _PREFIX + 4:
        raise FormatError("the bytes end early")
    budget = Budget(len(data), max_bytes)
    data = bytes(data)
    if zlib.crc32(memoryview(data)[:-4]).to_bytes(4, "little") != data[-4:]:
        raise FormatError("the checksum is wrong: the bytes are damaged")
    source = Source(data, _PREFIX, len(data) - 4, budget, data[len(MAGIC)])
    try:
        return _READERS[data[len(MAGIC)]](source, kind)
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the model does not fit together: {error}") from error


def _read(source: Source, kind: type[Model]) -> Model:
    bits = source.uint()
    rows = bits >> len(_FLAGS)
    if rows >= len(_ROWS):
        raise FormatError("the head has unknown flags")
    flags = {name: bool(bits >> place & 1) for place, name in enumerate(_FLAGS)}
    code = source.uint()
    link = next((name for name, link in LINKS.items() if link.code == code), None)
    if link is None:
        raise FormatError(f"link {code} is not known here")
    m, p, n_terms_all, n_inputs, n_all, n_blocks, n_classes = (source.uint() for _ in range(7))
    source.budget.spend_memory(m * p + _PER_TERM * p + 32 * m)
    classes = source.scalars(n_classes) if n_classes else ()
    positions = _read_positions(source, n_inputs, n_all, everything=flags["all_inputs"])
    columns = np.cumsum(source.ints(p)) if flags["columns"] else None
    offset = source.floats(p) if flags["offset"] else None
    divisor = source.floats(p) if flags["divisor"] else None
    if divisor is not None and not divisor.all():
        raise FormatError("a divisor is zero")
    weights, intercept = read_weights(source, m, p)
    blocks = [_read_block(source) for _ in range(n_blocks)]
    # What predicting makes: a weight for each output and each column of a block, also if no term reads it.
    source.budget.spend_memory(8 * m * max(0, sum(block.n_out for block in blocks) - p))
    labels = source.strings(n_inputs) if flags["names"] else None
    metadata = _read_metadata(source) if flags["metadata"] else None
    if source.at != source.stop:
        raise FormatError("there are bytes after the end of the model")
    return kind(
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
    # The places and what is made of them; to hash them, bits of all inputs.
    source.budget.spend_memory(_PER_INPUT * n_inputs + 2 * n_all)
    if everything:
        if n_inputs != n_all:
            raise FormatError("the number of inputs is not that of all of them")
        return np.arange(n_all)
    positions = source.mask(n_all)
    if len(positions) != n_inputs:
        raise FormatError("the mask of inputs does not have their number")
    return positions


def _read_block(source: Source) -> Block:
    source.budget.spend_memory(_PER_BLOCK)
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
            each = _PER_NUMBER if form in ("ints", "floats") else 0
            params[name] = getattr(source, _WRITTEN.get(form, form))(source.count(each))
    return Block.make(kind, sources, params)


def _values_in(text: bytes) -> int:
    """Return how many things JSON holds, at most."""
    return sum(text.count(mark) for mark in (b",", b":", b"[", b"{"))


def _read_metadata(source: Source) -> dict[str, Any]:
    text = source.symbols(source.count(_PER_CHARACTER), 8).tobytes()
    containers = _PER_OBJECT * text.count(b"{") + _PER_LIST * text.count(b"[")
    source.budget.spend_memory(containers + _PER_VALUE * _values_in(text))
    source.budget.spend_work(_values_in(text))
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError):
        raise FormatError("the metadata is no JSON") from None
    if not isinstance(metadata, dict):
        raise FormatError("the metadata is no JSON object")
    return metadata


_READERS = {1: _read, 2: _read}

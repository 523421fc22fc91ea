"""The byte format of a compact model, version 1: documented on the format page of the docs.

    file      "SKCL"  version  digest  body  checksum
    version   1 byte, 1
    digest    16 bytes, the start of the SHA-256 of the canonical body
    body      head, weights, blocks, then names and metadata where the flags say so
    checksum  4 bytes, CRC-32 of all the bytes before it, little-endian

The *canonical body* is head, weights and blocks as the writer would put them with every stream plain and no mask;
it does not depend on which coder was shortest, so a later writer that compresses better gives the same digest.
Its first 12 hex digits are the `model_id`. Names and metadata are outside of it.

Versions: a change that an old reader would misread gets a new version number, its own reader here, and a stored
file in the tests; readers of old versions stay.
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
from .terms import TERMS, Block

if TYPE_CHECKING:
    from .compact import CompactLinear

MAGIC = b"SKCL"
VERSION = 1
MAX_BYTES = 2**28
_PREFIX = len(MAGIC) + 1 + 16
_FLAGS = ("flat", "all_inputs", "columns", "offset", "divisor", "names", "metadata")


def write(model: CompactLinear, *, names: bool, metadata: bool) -> bytes:
    """Return the file of a model."""
    body = b"".join(_sections(model, names=names, metadata=metadata).values())
    file = MAGIC + bytes([VERSION]) + digest(model)[:16] + body
    return file + zlib.crc32(file).to_bytes(4, "little")


def digest(model: CompactLinear) -> bytes:
    """Return the SHA-256 of the canonical body."""
    sections = _sections(model, names=False, metadata=False, plain=True)
    return hashlib.sha256(b"".join(sections.values())).digest()


def section_sizes(model: CompactLinear) -> dict[str, int]:
    """Return the bytes of each part of the file with everything in it."""
    sections = _sections(model, names=True, metadata=True)
    return {"frame": _PREFIX + 4, **{name: len(data) for name, data in sections.items()}}


def _sections(
    model: CompactLinear, *, names: bool, metadata: bool, plain: bool = False
) -> dict[str, bytes | bytearray]:
    names = names and model.reads.named
    metadata = metadata and model.metadata is not None
    parts = {name: Sink(plain) for name in ("head", "weights", "blocks")}
    _write_head(model, parts["head"], names=names, metadata=metadata)
    write_weights(model.weights, model.intercept, parts["weights"])
    for block in model.blocks:
        _write_block(block, parts["blocks"])
    if names:
        parts["names"] = Sink(plain)
        parts["names"].strings(model.inputs)
    if metadata:
        parts["metadata"] = Sink(plain)
        text = json.dumps(model.metadata, sort_keys=True, separators=(",", ":")).encode()
        parts["metadata"].uint(len(text))
        parts["metadata"].symbols(np.frombuffer(text, dtype=np.uint8), 8)
    return {name: sink.data for name, sink in parts.items()}


def _write_head(model: CompactLinear, sink: Sink, *, names: bool, metadata: bool) -> None:
    n_inputs, p = len(model.inputs), model.weights.shape[1]
    flags = {
        "flat": model.flat,
        "all_inputs": n_inputs == model.reads.n_all,
        "columns": not np.array_equal(model.columns, np.arange(p)),
        "offset": model.offset is not None,
        "divisor": model.divisor is not None,
        "names": names,
        "metadata": metadata,
    }
    sink.uint(sum(flags[name] << place for place, name in enumerate(_FLAGS)))
    sink.uint(LINKS[model.link].code)
    for count in (model.n_outputs, p, model.n_terms_all, n_inputs, model.reads.n_all, len(model.blocks)):
        sink.uint(count)
    sink.uint(len(model.classes))
    if model.classes:
        sink.scalars(model.classes)
    if not flags["all_inputs"]:
        used = np.zeros(model.reads.n_all, dtype=np.uint8)
        used[model.reads.positions] = 1
        sink.symbols(used, 1)
    if flags["columns"]:
        sink.ints(np.diff(model.columns, prepend=0))
    for array in (model.offset, model.divisor):
        if array is not None:
            sink.floats(array)


def _write_block(block: Block, sink: Sink) -> None:
    kind = TERMS[block.kind]
    sink.uint(kind.code)
    sink.uint(len(block.sources))
    sink.ints(np.array(block.sources, dtype=np.int64))
    for name, form in kind.fields:
        value = block.params[name]
        if form == "int":
            sink.sint(value)
            continue
        sink.uint(len(value))
        getattr(sink, form)(value)


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
    source = Source(data, _PREFIX, len(data) - 4, max_bytes)
    try:
        model = _READERS[data[len(MAGIC)]](source)
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(f"the model does not fit together: {error}") from error
    if digest(model)[:16] != data[_PREFIX - 16 : _PREFIX]:
        raise FormatError("the hash of the model is wrong: the bytes are damaged")
    return model


def _read_1(source: Source) -> CompactLinear:
    from .compact import CompactLinear

    bits = source.uint()
    if bits >> len(_FLAGS):
        raise FormatError("the head has unknown flags")
    flags = {name: bool(bits >> place & 1) for place, name in enumerate(_FLAGS)}
    code = source.uint()
    link = next((name for name, link in LINKS.items() if link.code == code), None)
    if link is None:
        raise FormatError(f"link {code} is not known here")
    m, p, n_terms_all, n_inputs, n_all, n_blocks, n_classes = (source.count() for _ in range(7))
    source.spend(8 * (m * p + p + m))
    classes = source.scalars(n_classes) if n_classes else ()
    positions = _read_positions(source, n_inputs, n_all, everything=flags["all_inputs"])
    columns = np.cumsum(source.ints(p)) if flags["columns"] else None
    offset = source.floats(p) if flags["offset"] else None
    divisor = source.floats(p) if flags["divisor"] else None
    if divisor is not None and not divisor.all():
        raise FormatError("a divisor is zero")
    weights, intercept = read_weights(source, m, p)
    blocks = [_read_block(source) for _ in range(n_blocks)]
    names = source.strings(n_inputs) if flags["names"] else tuple(f"x{j}" for j in positions.tolist())
    metadata = _read_metadata(source) if flags["metadata"] else None
    if source.at != source.stop:
        raise FormatError("there are bytes after the end of the model")
    return CompactLinear(
        weights,
        intercept,
        Inputs(names, positions, n_all, flags["names"]),
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
    source.spend(64 * n_inputs)
    if everything:
        if n_inputs != n_all:
            raise FormatError("the number of inputs is not that of all of them")
        return np.arange(n_all)
    positions = np.flatnonzero(source.symbols(n_all, 1))
    if len(positions) != n_inputs:
        raise FormatError("the mask of inputs does not have their number")
    return positions


def _read_block(source: Source) -> Block:
    code = source.uint()
    kind = next((name for name, kind in TERMS.items() if kind.code == code), None)
    if kind is None:
        raise FormatError(f"term kind {code} is not known here")
    sources = source.ints(source.count()).tolist()
    params: dict[str, Any] = {}
    for name, form in TERMS[kind].fields:
        params[name] = source.sint() if form == "int" else getattr(source, form)(source.count())
    return Block.make(kind, sources, params)


def _read_metadata(source: Source) -> dict[str, Any]:
    text = source.symbols(source.count(), 8).tobytes()
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError):
        raise FormatError("the metadata is no JSON") from None
    if not isinstance(metadata, dict):
        raise FormatError("the metadata is no JSON object")
    return metadata


_READERS = {1: _read_1}

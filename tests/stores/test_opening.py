"""Which store a handoff has, where the embedded one keeps its file, and what happens where nothing would be safe."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg_pool
import pytest
from support import GOOD, make

from crux_langgraph import errors
from crux_langgraph.stores import _place, close_all, sqlite
from crux_langgraph.stores._place import default_path, fault_of
from crux_langgraph.stores.postgres import PostgresStore
from crux_langgraph.stores.sqlite import SqliteStore


def test_the_embedded_default_is_a_file_in_the_users_state_folder(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    make(store="sqlite:").send(GOOD, scope="t")
    close_all()
    assert make(store="sqlite:").receive(scope="t").data.task == "Why?"
    assert (tmp_path / "crux-langgraph" / "handoffs.sqlite").exists()


def test_the_state_folder_is_where_the_system_has_it(monkeypatch: Any) -> None:
    assert default_path({"HOME": "/home/ada"}) == Path("/home/ada/.local/state/crux-langgraph/handoffs.sqlite")
    assert default_path({}).is_relative_to(Path("~").expanduser())
    monkeypatch.setattr(sys, "platform", "darwin")
    expected = "/Users/ada/Library/Application Support/crux-langgraph/handoffs.sqlite"
    assert default_path({"HOME": "/Users/ada"}) == Path(expected)


@pytest.mark.parametrize(
    "url, path",
    [
        ("sqlite:///relative.sqlite", "relative.sqlite"),
        ("sqlite:///{here}/a.sqlite", "a.sqlite"),
        ("sqlite:///{here}/new/folder/a.sqlite", "new/folder/a.sqlite"),
        ("sqlite:///{here}/with%20space.sqlite", "with space.sqlite"),
        ("sqlite:{here}/b.sqlite", "b.sqlite"),
        ("sqlite:///{here}/c.sqlite?synchronous=normal", "c.sqlite"),
    ],
)
def test_a_url_names_the_file(monkeypatch: Any, tmp_path: Path, url: str, path: str) -> None:
    monkeypatch.chdir(tmp_path)
    make(store=url.format(here=tmp_path)).send(GOOD, scope="t")
    assert (tmp_path / path).exists()


def test_a_store_in_memory_is_shared_by_the_handoffs_of_the_process() -> None:
    make(store="sqlite::memory:").send(GOOD, scope="t")
    assert make(store="sqlite::memory:").receive(scope="t").data.task == "Why?"


def test_a_relative_path_stays_where_the_program_was_when_it_opened(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    inbox = make(store=SqliteStore("here.sqlite"))
    inbox.send(GOOD, scope="t")
    monkeypatch.chdir("/")
    inbox.store.close()
    assert inbox.receive(scope="t") is not None
    inbox.store.close()


@pytest.mark.parametrize(
    "url, found",
    [
        ("sqlite://host/path", "its URL names a host"),
        ("sqlite:///x?synchronous=maybe", "synchronous= in its URL is none of"),
    ],
)
def test_a_url_that_names_no_file_is_refused(url: str, found: str) -> None:
    with pytest.raises(errors.NoStoreError, match=found):
        make(store=url).send(GOOD, scope="t")


@pytest.mark.parametrize("store", ["redis://localhost", "nonsense", "", 5, object()], ids=lambda s: ascii(s)[:15])
def test_what_is_no_store_is_refused_when_the_handoff_is_defined(store: Any) -> None:
    with pytest.raises(errors.DefinitionError, match="its store is a"):
        make(store=store)


def test_what_the_environment_names_is_checked_too(monkeypatch: Any) -> None:
    monkeypatch.setenv("CRUX_HANDOFF_URL", "redis://localhost")
    with pytest.raises(errors.NoStoreError, match="CRUX_HANDOFF_URL or --store, is of another kind"):
        make().send(GOOD, scope="t")


@pytest.mark.parametrize("variable", ["AWS_LAMBDA_FUNCTION_NAME", "K_SERVICE", "VERCEL", "FUNCTIONS_WORKER_RUNTIME"])
def test_a_serverless_runtime_has_no_durable_place(monkeypatch: Any, tmp_path: Path, variable: str) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv(variable, "x")
    with pytest.raises(errors.NoStoreError, match=r"send\(\) has no durable place: this is .*\n.*store="):
        make(store="sqlite:").send(GOOD, scope="t")
    assert list(tmp_path.iterdir()) == []
    make(store=f"sqlite:///{tmp_path}/mounted.sqlite").send(GOOD, scope="t")


MOUNTS = """\
/dev/vda / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/ada/my\\040disk ext4 rw 0 0
bucket /data fuse.gcsfuse rw 0 0
"""


@pytest.mark.parametrize(
    "path, fault",
    [
        ("/srv/x.sqlite", None),
        ("/home/ada/x.sqlite", "network file system (nfs4)"),
        ("/home/ada/my disk/x.sqlite", None),
        ("/data/x.sqlite", "network file system (fuse.gcsfuse)"),
        ("/run/user/x.sqlite", "is in memory (tmpfs)"),
        ("/running/x.sqlite", None),
    ],
)
def test_network_and_memory_file_systems_are_no_durable_place(tmp_path: Path, path: str, fault: str | None) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    found = fault_of(path, {}, mounts=tmp_path / "mounts")
    assert (found is None) if fault is None else (found is not None and fault in found)


def test_where_mounts_cannot_be_read_nothing_is_said_against_a_place(tmp_path: Path) -> None:
    assert fault_of("/srv/x.sqlite", {}, mounts=tmp_path / "nowhere") is None


def test_a_network_file_system_is_refused_also_when_it_was_named(monkeypatch: Any, tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text("server:/ / nfs rw 0 0\n")
    monkeypatch.setattr(_place, "_MOUNTS", tmp_path / "mounts")
    with pytest.raises(errors.NoStoreError, match="network file system"):
        make(store=f"sqlite:///{tmp_path}/x.sqlite").send(GOOD, scope="t")
    assert not (tmp_path / "x.sqlite").exists()


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "x.sqlite", tmp_path):
        with pytest.raises(errors.NoStoreError, match="cannot be opened") as caught:
            make(store=f"sqlite:///{path}").send(GOOD, scope="t")
        assert "Nothing was stored" in str(caught.value)


def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("not a database, but long enough to be looked at " * 100)
    with pytest.raises(errors.StoreError, match="failed: DatabaseError"):
        make(store=f"sqlite:///{tmp_path}/x.sqlite").send(GOOD, scope="t")


def test_a_server_that_is_away_is_a_store_error_without_the_password() -> None:
    inbox = make(store="postgresql://ada:s3cret@127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(errors.StoreError, match="its Postgres store failed") as caught:
        inbox.send(GOOD, scope="t")
    assert "s3cret" not in str(caught.value)
    assert errors.is_retryable(caught.value)


def test_without_the_driver_one_line_says_what_to_install(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "crux_langgraph.stores.postgres", None)
    monkeypatch.delitem(sys.modules, "crux_langgraph.stores.postgres")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(errors.NoStoreError, match=r"pip install .crux-langgraph\[postgres\]"):
        make(store="postgresql://x").send(GOOD, scope="t")


def test_an_existing_pool_is_used_whatever_its_rows_are_made_of(postgres: Any) -> None:
    from psycopg.rows import dict_row

    url = postgres.new_database()
    options = {"row_factory": dict_row, "prepare_threshold": 0}
    with psycopg_pool.ConnectionPool(url, kwargs=options, min_size=1, max_size=2) as pool:
        inbox = make(store=pool)
        sent = inbox.send(GOOD, scope="t", key="k")
        assert make(store=pool).send(GOOD, scope="t", key="k") == (sent.id, True)
        with make(store=url).claim(wait_s=5) as one:
            assert one.id == sent.id
        assert repr(inbox.store).startswith("<psycopg_pool")
        close_all()
        assert inbox.receive(scope="t") is not None
        close_all()


async def test_of_an_async_pool_the_address_is_taken(postgres: Any) -> None:
    async with psycopg_pool.AsyncConnectionPool(postgres.new_database(), open=False) as pool:
        inbox = make(store=pool)
        await inbox.asend(GOOD, scope="t")
        async with inbox.aclaim() as one:
            assert one


def test_the_store_of_a_package_that_knows_more_is_not_touched(tmp_path: Path, postgres: Any) -> None:
    embedded, server = f"sqlite:///{tmp_path}/x.sqlite", postgres.new_database()
    for url in (embedded, server):
        inbox = make(store=url)
        inbox.send(GOOD, scope="t")
        later(url, tmp_path)
        close_all()
        with pytest.raises(errors.StoreError, match="tables of version 99, and this package knows them up to 1"):
            inbox.receive(scope="t")


def later(url: str, folder: Path) -> None:
    import sqlite3

    import psycopg

    statement = "insert into crux_handoff_schema (version) values (99)"
    if url.startswith("sqlite"):
        with sqlite3.connect(folder / "x.sqlite") as connection:
            connection.execute(statement)
        connection.close()
    else:
        with psycopg.connect(url) as server:
            server.execute(statement)


def test_how_a_store_shows_itself_names_the_file_and_no_password(tmp_path: Path, postgres: Any) -> None:
    assert repr(SqliteStore(tmp_path / "x.sqlite")) == f"SqliteStore('{tmp_path}/x.sqlite')"
    assert repr(PostgresStore("postgresql://ada:s3cret@host/db")) == "PostgresStore(a pool of its own)"
    with psycopg_pool.ConnectionPool(postgres.url, open=False) as pool:
        assert repr(PostgresStore(pool)) == "PostgresStore(a given pool)"


def held(path: Path) -> sqlite3.Connection:
    """A connection that is writing to a new file."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    other.execute("create table other (x)")
    return other


def test_a_new_file_that_another_program_writes_to_is_waited_for(tmp_path: Path) -> None:
    other, store = held(tmp_path / "x.sqlite"), SqliteStore(tmp_path / "x.sqlite")
    releasing = threading.Timer(0.1, other.execute, ["commit"])
    releasing.start()
    assert make(store=store).send(GOOD, scope="t").id == 1
    releasing.join()
    for connection in (store, other):
        connection.close()


def test_a_file_that_another_program_never_lets_go_is_a_store_error(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_S", 0.0)
    other, store = held(tmp_path / "x.sqlite"), SqliteStore(tmp_path / "x.sqlite")
    with pytest.raises(errors.StoreError, match=r"x\.sqlite failed: OperationalError") as caught:
        make(store=store).send(GOOD, scope="t")
    assert errors.is_retryable(caught.value)
    other.execute("rollback")
    assert make(store=store).send(GOOD, scope="t").id == 1
    for connection in (store, other):
        connection.close()


def test_importing_the_package_loads_no_driver() -> None:
    # Not sqlite3 itself, which the measuring of coverage imports.
    code = "DRIVERS = ('psycopg', 'crux_langgraph.stores.sqlite', 'crux_langgraph.stores.postgres')\n"
    code += "import sys, crux_langgraph; sys.exit(any(name in sys.modules for name in DRIVERS))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""What breaks in the middle: the connection that listens for those who wait, the telling of others, a claim."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from postgres import Postgres
from storing import until

from crux_langgraph import errors
from crux_langgraph.stores import Entry, State, _at_hand, _changes
from crux_langgraph.stores import postgres as postgres_module
from crux_langgraph.stores import sqlite as sqlite_module
from crux_langgraph.stores._changes import Changes
from crux_langgraph.stores._notifier import Notifier
from crux_langgraph.stores.postgres import PostgresStore
from crux_langgraph.stores.sqlite import SqliteStore

LISTENERS = "select pid from pg_stat_activity where query like 'listen%' and datname = current_database()"
ENTRY = Entry("note", "t", b"{}", b"digest")


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_database()


@pytest.fixture
def waiting(url: str) -> Iterator[PostgresStore]:
    """A store at which somebody waits."""
    store = PostgresStore(url)
    store.latest("note", "t")  # makes the tables
    yield store
    store.close()


def listeners(url: str) -> list[int]:
    with psycopg.connect(url, autocommit=True) as server:
        return [pid for (pid,) in server.execute(LISTENERS).fetchall()]


async def test_a_listening_connection_that_breaks_is_made_anew(
    url: str, waiting: PostgresStore, monkeypatch: Any
) -> None:
    monkeypatch.setattr(postgres_module, "_RECONNECT_S", 0.01)
    other = PostgresStore(url)
    with waiting.watch("note", "t") as ticket:
        await until(lambda: bool(listeners(url)))
        (broken,) = listeners(url)
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("select pg_terminate_backend(%s)", (broken,))
        await until(lambda: listeners(url) not in ([], [broken]))
        await ticket.wait_async(1.0)  # something may have been missed, so whoever waits looks once
        sent = other.append(ENTRY)
        await ticket.wait_async(20.0)
        found = waiting.latest("note", "t")
    assert found is not None
    assert found.id == sent.id
    other.close()


async def test_a_connection_that_hears_nothing_for_long_is_asked_whether_it_is_there(
    url: str, waiting: PostgresStore, monkeypatch: Any
) -> None:
    monkeypatch.setattr(postgres_module, "_PROBE_S", 0.0)
    probed = "select count(*) from pg_stat_activity where query = 'select 1' and datname = current_database()"
    with waiting.watch("note", "t"), psycopg.connect(url, autocommit=True) as server:
        await until(lambda: server.execute(probed).fetchone() == (1,))


def test_a_telling_that_fails_is_no_failure_of_the_next() -> None:
    told: list[list[str]] = []
    heard = threading.Event()

    def tell(channels: list[str]) -> None:
        told.append(channels)
        heard.set()
        if len(told) == 1:
            raise errors.StoreError(handoff="note", found="the server is away", fix="")

    notifier = Notifier(tell)
    for channel in ("one", "two"):
        notifier.tell(channel)
        assert heard.wait(20)
        heard.clear()
        notifier.flush()
    assert told == [["one"], ["two"]]


def test_a_claim_that_fails_in_the_middle_leaves_nothing_open(tmp_path: Any) -> None:
    store = SqliteStore(tmp_path / "x.sqlite")
    store.append(ENTRY)
    other = sqlite3.connect(tmp_path / "x.sqlite", timeout=1.0)
    other.execute("alter table crux_handoff rename to x")
    with pytest.raises(errors.StoreError, match="failed: OperationalError"):
        store.claim("note", None, lease_s=60, exclusive=False)
    other.execute("alter table x rename to crux_handoff")  # nobody holds the file
    other.close()
    lease = store.claim("note", None, lease_s=60, exclusive=False)
    assert lease is not None
    assert store.settle(lease, State.DONE)
    store.close()


def test_a_send_waits_for_an_open_transaction_of_its_scope_and_takes_its_id_afterwards(url: str) -> None:
    store, other_scope = PostgresStore(url), ENTRY._replace(scope="u")
    store.latest("note", "t")
    sent: dict[str, int] = {}
    with psycopg.connect(url) as ours:
        first = store.append(ENTRY, tx=ours)
        waits = threading.Thread(target=lambda: sent.update(second=store.append(ENTRY).id))
        waits.start()
        waits.join(0.3)
        assert not sent
        elsewhere = store.append(other_scope)
    waits.join(20)
    assert first.id < elsewhere.id < sent["second"]
    store.close()


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_a_change_is_seen_also_where_there_is_no_log_to_look_at(tmp_path: Path, journal: str) -> None:
    other = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)
    other.execute(f"pragma journal_mode = {journal}")
    other.execute("create table x (y)")
    changes = Changes(str(tmp_path / "x.sqlite"), timeout_s=1.0)
    assert [changes.come(), changes.come()] == [True, False]
    other.execute("insert into x values (1)")
    await until(changes.come)
    for one in (changes, other):
        one.close()


async def test_who_waits_is_woken_again_after_the_file_could_not_be_read(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(sqlite_module, "_REOPEN_S", 0.01)
    path, aside = tmp_path / "x.sqlite", tmp_path / "aside"
    store = SqliteStore(path)
    store.append(ENTRY)
    path.rename(aside)
    path.mkdir()  # what cannot be opened
    with store.watch("note", "t") as ticket:
        await ticket.wait_async(0.1)
        path.rmdir()
        aside.rename(path)
        began_s = time.monotonic()
        await ticket.wait_async(20.0)
        assert time.monotonic() < began_s + 20.0
    store.close()


def test_a_connection_that_broke_while_it_was_at_hand_is_not_used(url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(_at_hand, "_TRUSTED_S", 0.0)
    store = PostgresStore(url)
    first = store.append(ENTRY)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")
    assert store.append(ENTRY).id > first.id
    store.close()


def test_a_store_that_was_used_in_a_transaction_alone_closes_too(url: str) -> None:
    store = PostgresStore(url)
    with psycopg.connect(url) as ours:
        assert not store.append(ENTRY, tx=ours).duplicate
    store.close()


async def test_where_nothing_happens_one_looks_less_often(tmp_path: Path, monkeypatch: Any) -> None:
    other = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)
    other.execute("create table x (y)")
    changes = Changes(str(tmp_path / "x.sqlite"), timeout_s=1.0)
    changes.come()
    often = changes.pause_s
    monkeypatch.setattr(_changes, "_CALM_AFTER_S", 0.0)
    seldom = changes.pause_s
    monkeypatch.undo()
    other.execute("insert into x values (1)")
    await until(changes.come)
    assert (often, often < seldom) == (changes.pause_s, True)
    for one in (changes, other):
        one.close()

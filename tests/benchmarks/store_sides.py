"""The two sides that the benchmark of the stores compares: a driver by itself, and the store on top of it."""

import sqlite3
import time
from typing import Any

import psycopg

from crux_langgraph.stores import Entry, State
from crux_langgraph.stores._statements import migrations
from crux_langgraph.stores.postgres import PostgresStore
from crux_langgraph.stores.sqlite import SqliteStore

HANDOFF = "bench"
DIGEST = b"d" * 32
TOKEN = b"t" * 8


class RawSqlite:
    def __init__(self, path: str, synchronous: str) -> None:
        self.db = sqlite3.connect(path, timeout=60, isolation_level=None)
        self.db.execute("pragma journal_mode = wal")
        self.db.execute(f"pragma synchronous = {synchronous}")
        for statement in migrations("sqlite")[1]:
            self.db.execute(statement.replace("crux_handoff", "raw"))

    def send(self, scope: str, body: bytes) -> None:
        now = time.time()
        self.db.execute(
            "insert into raw (handoff, scope, version, meta, created_s, due_s, state, digest, body)"
            " values (?, ?, 1, '{}', ?, ?, 0, ?, ?)",
            (HANDOFF, scope, now, now, DIGEST, body),
        )

    def take(self) -> bool:
        now = time.time()
        rows = self.db.execute(
            "update raw set token = ?, due_s = ?, attempts = attempts + 1 where id = (select id from raw indexed by"
            " raw_ready where handoff = ? and state = 0 and due_s <= ? order by id limit 1) returning *",
            (TOKEN, now + 60, HANDOFF, now),
        ).fetchall()
        for row in rows:
            self.db.execute("update raw set state = 1, token = zeroblob(8) where id = ? and token = ?", (row[0], TOKEN))
        return bool(rows)

    def fill(self, count: int, size: int) -> None:
        self.db.execute(FILL_SQLITE.replace("crux_handoff", "raw"), filling(count, size))

    def clear(self) -> None:
        self.db.execute("delete from raw")


class RawPostgres:
    def __init__(self, url: str) -> None:
        self.db: Any = psycopg.connect(url, autocommit=True)

    def setup(self) -> None:
        for statement in migrations("postgres")[1]:
            self.db.execute(statement.replace("crux_handoff", "raw"))

    def send(self, scope: str, body: bytes) -> None:
        self.db.execute(
            "insert into raw (id, handoff, scope, version, meta, state, digest, body)"
            " values (nextval('raw_id'), %s, %s, 1, '{}', 0, %s, %s)",
            (HANDOFF, scope, DIGEST, body),
        )

    def take(self) -> bool:
        rows = self.db.execute(
            "update raw set token = %s, due = clock_timestamp() + interval '60 s', attempts = attempts + 1 where id ="
            " (select id from raw where handoff = %s and state = 0 and due <= clock_timestamp()"
            " order by id limit 1 for update skip locked) returning *",
            (TOKEN, HANDOFF),
            binary=True,
        ).fetchall()
        for row in rows:
            self.db.execute("update raw set state = 1, token = null where id = %s and token = %s", (row[0], TOKEN))
        return bool(rows)

    def fill(self, count: int, size: int) -> None:
        self.db.execute(FILL_POSTGRES.replace("crux_handoff", "raw"), filling(count, size))

    def clear(self) -> None:
        self.db.execute("truncate raw")


class Ours:
    def __init__(self, store: Any, raw: Any) -> None:
        self.store, self.db = store, raw.db

    def send(self, scope: str, body: bytes) -> None:
        self.store.append(Entry(HANDOFF, scope, body, DIGEST))

    def take(self) -> bool:
        lease = self.store.claim(HANDOFF, None, lease_s=60, exclusive=False)
        return lease is not None and self.store.settle(lease, State.DONE)

    def fill(self, count: int, size: int, state: int = 0) -> None:
        fill = FILL_SQLITE if isinstance(self.store, SqliteStore) else FILL_POSTGRES
        self.db.execute(fill, filling(count, size, state))

    def clear(self) -> None:
        self.db.execute("delete from crux_handoff" if isinstance(self.store, SqliteStore) else "truncate crux_handoff")


FILL_SQLITE = """
insert into crux_handoff (handoff, scope, version, meta, created_s, due_s, state, digest, body)
with recursive n(i) as (select 1 union all select i + 1 from n where i < :count)
select :handoff, 's' || (i % 7), 1, '{}', :now, :now, :state, zeroblob(32), zeroblob(:size) from n
"""
FILL_POSTGRES = """
insert into crux_handoff (id, handoff, scope, version, meta, state, digest, body)
select nextval('crux_handoff_id'), %(handoff)s, 's' || i %% 7, 1, '{}', %(state)s, '\\x00',
decode(repeat('00', %(size)s), 'hex') from generate_series(1, %(count)s) i
"""


def filling(count: int, size: int, state: int = 0) -> dict[str, Any]:
    return {"count": count, "handoff": HANDOFF, "size": size, "state": state, "now": time.time()}


def opened(family: str, place: str, disk: str) -> tuple[Any, Ours]:
    if family == "sqlite":
        synchronous: Any = "full" if disk == "yes" else "off"
        raw: Any = RawSqlite(place, synchronous)
        return raw, Ours(SqliteStore(place, synchronous=synchronous), raw)
    raw = RawPostgres(place)
    return raw, Ours(PostgresStore(place), raw)

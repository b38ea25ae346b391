"""The store for many machines: Postgres, by psycopg 3 (extra `postgres`)."""

import atexit
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar, cast
from weakref import WeakSet

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from crux_langgraph.errors import StoreError
from crux_langgraph.stores._at_hand import AtHand, Connection, Given
from crux_langgraph.stores._notifier import Notifier
from crux_langgraph.stores._process import process_id
from crux_langgraph.stores._schema import bring_up_to_date
from crux_langgraph.stores._sql_store import Outcome, SqlStore, Values, raise_failed

__all__ = ["PostgresStore"]

_CHANNEL = "crux_handoff"
_SEPARATOR = "\x1f"
_MOST_CONNECTIONS = 8
_CONNECT_S = 10.0
_LISTEN_S = 0.25
_PROBE_S = 20.0
_RECONNECT_S = 0.5

_live: "WeakSet[PostgresStore]" = WeakSet()


class PostgresStore(SqlStore):
    """A store in the Postgres database at a URL or connection string, or behind a psycopg pool that exists already.

    Every method blocks and uses a connection of its pool, so that any event loop may await it through a thread. Of an
    `AsyncConnectionPool`, whose connections belong to one loop, the address is taken and a pool of its own is opened.
    """

    family: ClassVar[str] = "postgres"

    def __init__(self, database: "str | ConnectionPool[Any] | AsyncConnectionPool[Any]") -> None:
        super().__init__(self._listen)
        self._given = database if isinstance(database, ConnectionPool) else None
        self._conninfo: Any = database if isinstance(database, str) else database.conninfo
        kwargs: Any = {} if isinstance(database, str) else database.kwargs
        self._options: dict[str, Any] = {**(kwargs or {}), "autocommit": True}
        self._options.pop("row_factory", None)
        self._lock = threading.Lock()
        self._connections: AtHand | Given | None = None
        self._pid = 0
        self._notifier = Notifier(self._notify)
        _live.add(self)

    def __repr__(self) -> str:
        # Not the connection string: it may hold a password.
        return f"PostgresStore({'a given pool' if self._given else 'a pool of its own'})"

    def flush(self) -> None:
        """Wait until other processes were told of what was sent."""
        self._notifier.flush()

    def close(self) -> None:
        """Close the pool, if it is the store's own."""
        self.flush()
        self._bell.close()
        with self._lock:
            if self._connections is not None and self._pid == process_id():
                self._connections.close()
            self._connections = None

    def _run(self, handoff: str, statement: str, values: Values) -> Outcome:
        try:
            connections = self._opened(handoff)
            connection = connections.take()
            try:
                done = self._execute(connection, statement, values)
                if not connection.autocommit:  # as in a pool that somebody gave us
                    connection.commit()
            finally:
                connections.give_back(connection)
        except (psycopg.Error, PoolTimeout) as error:
            raise_failed(handoff, "its Postgres store", error)
        return done

    def _run_in(self, handoff: str, tx: Any, statement: str, values: Values) -> Outcome:
        _require_transaction(handoff, tx)
        try:
            self._opened(handoff)  # the tables must be there
            return self._execute(tx, statement, values)
        except psycopg.Error as error:
            raise_failed(handoff, "the transaction given as tx=", error)

    def _lease(self, handoff: str, values: Values) -> tuple[Any, ...] | None:
        rows = self._run(handoff, "claim", values).rows
        return rows[0] if rows else None

    def _sent(self, handoff: str, scope: str, tx: Any) -> None:
        channel = f"{handoff}{_SEPARATOR}{scope}"
        if tx is None:
            self._notifier.tell(channel)
        else:
            self._run_in(handoff, tx, "notify", {"channels": [channel]})

    def _notify(self, channels: list[str]) -> None:
        self._run("*", "notify_alone", {"channels": channels})

    def _execute(self, connection: Connection, statement: str, values: Values) -> Outcome:
        cursor = connection.cursor(binary=True, row_factory=tuple_row)
        run: Any = cursor.execute  # typed for statements that are literals of the program; ours are in a file
        run(self._sql[statement], values)
        rows = cursor.fetchall() if cursor.rownumber is not None else []
        return Outcome(rows, cursor.rowcount, rows[0][0] if rows and statement == "append" else None)

    def _opened(self, handoff: str) -> "AtHand | Given":
        if self._connections is not None and self._pid == process_id():
            return self._connections
        with self._lock:
            if self._connections is None or self._pid != process_id():
                with self._first_connection() as connection, connection.transaction():
                    run: Any = connection.cursor(row_factory=tuple_row).execute
                    run(self._sql["setup_lock"])
                    bring_up_to_date(handoff, self.family, run)
                self._connections = Given(self._given) if self._given else AtHand(self._new_pool())
                self._pid = process_id()
            return self._connections

    def _first_connection(self) -> AbstractContextManager[Connection]:
        # Without a pool, which would try again for a while and then tell that it timed out, and not why.
        return self._given.connection() if self._given else psycopg.connect(self._address(), **self._options)

    def _new_pool(self) -> "ConnectionPool[Connection]":
        return ConnectionPool(
            self._conninfo,
            kwargs=self._options,
            min_size=0,
            max_size=_MOST_CONNECTIONS,
            check=ConnectionPool.check_connection,
            open=True,
            name="crux-handoff",
            num_workers=1,
            timeout=_CONNECT_S,
        )

    def _address(self) -> str:
        # A pool may have a function of its own that makes the address anew, with a fresh password for example.
        address: Any = self._conninfo
        return cast("str", address() if callable(address) else address)

    def _listen(self, is_awaited: Callable[[], bool]) -> None:
        """Ring for what other processes tell; after each connect ring for all, since something may have been missed."""
        try:
            with psycopg.connect(self._address(), **self._options) as connection:
                connection.execute(f"listen {_CHANNEL}")
                self._bell.ring()
                self._follow(connection, is_awaited)
        except psycopg.Error:
            # Whoever waits looks again from time to time anyway, and is told there what is wrong.
            time.sleep(_RECONNECT_S)

    def _follow(self, connection: Connection, is_awaited: Callable[[], bool]) -> None:
        heard_at = time.monotonic()
        while is_awaited():
            for told in connection.notifies(timeout=_LISTEN_S, stop_after=1):
                heard_at = time.monotonic()
                handoff, _, scope = told.payload.partition(_SEPARATOR)
                self._bell.ring(handoff, scope)
            if time.monotonic() > heard_at + _PROBE_S:
                connection.execute("select 1")  # a connection that was dropped on the way does not tell
                heard_at = time.monotonic()


def _require_transaction(handoff: str, tx: Any) -> None:
    if not isinstance(tx, psycopg.Connection):
        found = f"tx= is a {type(tx).__name__}"
    elif tx.autocommit and tx.info.transaction_status == TransactionStatus.IDLE:
        found = "tx= is a connection without a transaction"
    else:
        return
    raise StoreError(
        handoff=handoff,
        found=found,
        fix="Give the psycopg.Connection whose open transaction the send is to join: `with connection.transaction():`.",
    )


def _flush_all() -> None:
    for store in list(_live):
        store.flush()


atexit.register(_flush_all)

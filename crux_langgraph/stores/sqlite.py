"""The embedded store: one SQLite file for the processes of one machine, or memory for the threads of one process."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Literal

from crux_langgraph._process import Lock, process_id
from crux_langgraph.errors import NoStoreError, StoreError
from crux_langgraph.stores._changes import Changes
from crux_langgraph.stores._schema import bring_up_to_date, is_up_to_date
from crux_langgraph.stores._sql_store import Outcome, SqlStore, Values, raise_failed

__all__ = ["MEMORY", "SqliteStore", "Synchronous"]

MEMORY = ":memory:"

Synchronous = Literal["full", "normal", "off"]

_BUSY_S = 30.0
_WAL_PAUSE_S = 0.02
_REOPEN_S = 0.5

# A connection that a fork handed down must not be used, and closing it would disturb the parent's.
_inherited: list[sqlite3.Connection] = []


class SqliteStore(SqlStore):
    """A store in the file `path`, or in memory.

    What a method did survives a power cut with `synchronous="full"`, the end of the process with the others. One
    connection, behind a lock, serves all threads. The file is in WAL mode and must not be on a network file system.
    """

    family: ClassVar[str] = "sqlite"

    def __init__(self, path: str | os.PathLike[str], *, synchronous: Synchronous = "full") -> None:
        in_memory = os.fspath(path) == MEMORY
        super().__init__(None if in_memory else self._listen)
        self.path: str = os.fspath(path)
        self._synchronous = synchronous
        self._lock = Lock(threading.RLock)
        self._connection: sqlite3.Connection | None = None
        self._pid = 0

    def __repr__(self) -> str:
        return f"SqliteStore({self.path!r})"

    def exists(self) -> bool:
        """Say whether the file is there already. Nothing is made."""
        return self.path == MEMORY or Path(self.path).exists()

    def close(self) -> None:
        """Close the connection. What is in memory is gone with it."""
        self._bell.close()
        with self._lock:
            if self._connection is not None and self._pid == process_id():
                self._connection.close()
            self._connection = None

    def _run(self, handoff: str, statement: str, values: Values) -> Outcome:
        try:
            with self._lock:
                return _outcome(self._opened(handoff), self._sql[statement], values)
        except sqlite3.Error as error:
            raise_failed(handoff, f"its store {self.path}", error)

    def _run_in(self, handoff: str, tx: Any, statement: str, values: Values) -> Outcome:
        try:
            self._require_transaction(handoff, tx)
            if not is_up_to_date(self.family, tx.execute, sqlite3.OperationalError):
                # Made in this transaction: another connection could not make them while it is open.
                bring_up_to_date(handoff, self.family, tx.execute)
            return _outcome(tx, self._sql[statement], values)
        except sqlite3.Error as error:
            raise_failed(handoff, "the transaction given as tx=", error)

    def _require_transaction(self, handoff: str, tx: Any) -> None:
        if not isinstance(tx, sqlite3.Connection):
            found = f"tx= is a {type(tx).__name__}"
        elif tx.isolation_level is None and not tx.in_transaction:
            found = "tx= is a connection without a transaction"
        elif not self._is_here(tx):
            found = "tx= is a connection to another database"
        else:
            return
        raise StoreError(
            handoff=handoff,
            found=found,
            fix=f"Give the sqlite3.Connection to {self.path} whose open transaction the send is to join.",
        )

    def _is_here(self, connection: sqlite3.Connection) -> bool:
        files = [row[2] for row in connection.execute("pragma database_list") if row[1] == "main"]
        return self.path != MEMORY and Path(files[0]).resolve() == Path(self.path).resolve()

    def _lease(self, handoff: str, values: Values) -> tuple[Any, ...] | None:
        find = self._sql[_CLAIMS[values["exclusive"], values["scope"] is not None]]
        # Not UPDATE ... RETURNING, which SQLite has since 3.35: this is as fast, and runs on what systems ship.
        try:
            with self._lock, self._opened(handoff) as db:
                db.execute("begin immediate")
                row: tuple[Any, ...] | None = db.execute(find, values).fetchone()
                if row is not None:
                    values["id"] = row[0]
                    db.execute(self._sql["lease"], values)
        except sqlite3.Error as error:
            raise_failed(handoff, f"its store {self.path}", error)
        return row

    def _sent(self, handoff: str, scope: str, tx: Any) -> None:
        """Nothing to tell: other processes see the file change."""

    def _opened(self, handoff: str) -> sqlite3.Connection:
        if self._connection is not None and self._pid == process_id():
            return self._connection
        if self._connection is not None:
            _inherited.append(self._connection)
            self._connection = None
        connection = self._connect(handoff)
        try:
            self._prepare(handoff, connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._pid = connection, process_id()
        return connection

    def _connect(self, handoff: str) -> sqlite3.Connection:
        try:
            if self.path != MEMORY:
                self.path = os.fspath(Path(self.path).absolute())  # wherever the program goes later
                Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            return sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.OperationalError) as error:
            raise NoStoreError(
                handoff=handoff,
                found=f"its store {self.path} cannot be opened: {error}",
                fix="Give store= a path that this process may write, or 'postgresql://...'. Nothing was stored.",
                original=error,
            ) from error

    def _prepare(self, handoff: str, db: sqlite3.Connection) -> None:
        deadline = time.monotonic() + _BUSY_S
        while True:
            try:
                db.execute("pragma journal_mode = wal")
                break
            except sqlite3.OperationalError as error:
                # The switch does not honour the busy timeout: of several processes with a new file all but one fail.
                if "lock" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_WAL_PAUSE_S)
        db.execute(f"pragma synchronous = {self._synchronous}")
        if is_up_to_date(self.family, db.execute, sqlite3.OperationalError):
            return  # without waiting for anybody who writes
        with db:
            db.execute("begin immediate")
            bring_up_to_date(handoff, self.family, db.execute)

    def _listen(self, is_awaited: Callable[[], bool]) -> None:
        """Ring when another connection has changed the file; no query runs."""
        try:
            with closing(Changes(self.path, timeout_s=_BUSY_S)) as changes:
                while is_awaited():
                    if changes.come():
                        self._bell.ring()
                    time.sleep(changes.pause_s)
        except sqlite3.Error:
            # Whoever waits looks again from time to time anyway, and is told there what is wrong.
            time.sleep(_REOPEN_S)


_CLAIMS = {
    (False, False): "claim",
    (False, True): "claim_scope",
    (True, False): "claim_exclusive",
    (True, True): "claim_exclusive_scope",
}


def _outcome(db: sqlite3.Connection, sql: str, values: Values) -> Outcome:
    cursor = db.execute(sql, values)
    if cursor.description is not None:
        return Outcome(cursor.fetchall(), 0)
    changed = cursor.rowcount
    return Outcome([], changed, cursor.lastrowid if changed == 1 else None)

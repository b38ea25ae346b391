"""A connection at hand: the one that was used a moment ago is used again, without the way through the pool."""

import threading
import time
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

Connection = psycopg.Connection[Any]

_TRUSTED_S = 1.0
"""A connection that was used this recently is not checked before it is used again."""


class Given:
    """A pool that somebody gave us: it is not ours to keep a connection out of it, nor to close it."""

    def __init__(self, pool: "ConnectionPool[Connection]") -> None:
        self.take = pool.getconn
        self.give_back = pool.putconn

    def close(self) -> None:
        """Leave it as it is."""


class AtHand:
    """A pool of the store's own, with one of its connections kept out of it.

    To take a connection from a psycopg pool and to give it back costs about as much as a small statement. The one at
    hand goes into the pool when somebody waits there, so that the pool's limit starves nobody.
    """

    def __init__(self, pool: "ConnectionPool[Connection]") -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._kept: tuple[Connection, float] | None = None
        self._asking = 0

    def take(self) -> Connection:
        """Give a connection that works, to be given back."""
        with self._lock:
            kept, self._kept = self._kept, None
            self._asking += 1
        try:
            if kept is not None:
                connection, used_s = kept
                if time.monotonic() < used_s + _TRUSTED_S:
                    return connection
                self._pool.putconn(connection)
            return self._pool.getconn()
        finally:
            with self._lock:
                self._asking -= 1

    def give_back(self, connection: Connection) -> None:
        """Take a connection back, whatever state it is in."""
        with self._lock:
            is_sound = connection.pgconn.transaction_status == TransactionStatus.IDLE
            if self._kept is None and not self._asking and is_sound:
                self._kept = connection, time.monotonic()
                return
        self._pool.putconn(connection)

    def close(self) -> None:
        """Close the pool and what is at hand."""
        with self._lock:
            kept, self._kept = self._kept, None
        if kept is not None:
            self._pool.putconn(kept[0])
        self._pool.close()

"""Changes: whether another connection has committed to an SQLite file, asked so often that it costs next to nothing."""

import os
import sqlite3
import time

_UNSETTLED_S = 0.25
"""What is written to the log becomes visible at the end of its transaction, a flush later: until then it is asked for."""
_CERTAIN_S = 0.25
"""So often it is asked for in any case: the times of files may be coarse."""
_LOOK_S = 0.012
_CALM_LOOK_S = 0.03
_CALM_AFTER_S = 1.0
"""Where nothing has happened for this long, one looks less often: nearly all that a look costs is to wake up for it."""


class Changes:
    """What a connection of its own sees of the file at `path`, which is in WAL mode.

    SQLite has a counter for it, and to read it takes three times as long as to look at the size and the time of the
    log, to which each transaction is written before it ends. So the counter is read when the log has changed.
    """

    def __init__(self, path: str, *, timeout_s: float) -> None:
        self._log = f"{path}-wal"
        self._db = sqlite3.connect(path, timeout=timeout_s, isolation_level=None)
        self._seen: tuple[int, int] | None = None
        self._version = -1
        self._ask_until_s = 0.0
        self._asked_s = 0.0
        self._came_s = time.monotonic()

    def come(self) -> bool:
        """Say whether something was committed since the last time; yes at the first."""
        now_s = time.monotonic()
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            self._ask_until_s = now_s + _UNSETTLED_S
        if now_s > self._ask_until_s and now_s < self._asked_s + _CERTAIN_S:
            return False
        self._asked_s = now_s
        version, self._version = self._version, self._db.execute("pragma data_version").fetchone()[0]
        if version == self._version:
            return False
        self._came_s = now_s
        return True

    @property
    def pause_s(self) -> float:
        """Seconds until one should ask again."""
        return _LOOK_S if time.monotonic() < self._came_s + _CALM_AFTER_S else _CALM_LOOK_S

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._log)  # noqa: PTH116 - a Path costs as much again
        except OSError:
            return None  # it is made with the first transaction
        return found.st_mtime_ns, found.st_size

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

"""Notifier: tells other processes of sends from a thread, so that no send waits for it, and many are told at once."""

import threading
import time
from collections.abc import Callable

from crux_langgraph.errors import StoreError
from crux_langgraph.stores._process import process_id

_IDLE_S = 5.0
_PAUSE_S = 0.005
_FLUSH_S = 5.0


class Notifier:
    """Hands channels to `notify`, all that have gathered since the last time.

    A program that is killed before costs those who wait some time, and no record: they look again anyway.
    """

    def __init__(self, notify: Callable[[list[str]], None]) -> None:
        self._notify = notify
        self._state = threading.Condition()
        self._pending: set[str] = set()
        self._thread: threading.Thread | None = None
        self._pid = 0

    def tell(self, channel: str) -> None:
        """Let those who listen know soon."""
        with self._state:
            self._pending.add(channel)
            if self._thread is None or self._pid != process_id():  # a fork takes no thread along
                self._thread = threading.Thread(target=self._run, name="crux-handoff-notifier", daemon=True)
                self._pid = process_id()
                self._thread.start()
            self._state.notify_all()

    def flush(self) -> None:
        """Wait until all is told, for a moment."""
        with self._state:
            if self._pid == process_id():
                self._state.wait_for(lambda: not self._pending, _FLUSH_S)

    def _run(self) -> None:
        while True:
            with self._state:
                if not self._state.wait_for(lambda: bool(self._pending), _IDLE_S):
                    self._thread = None
                    return
                channels = set(self._pending)
            self._tell(channels)
            with self._state:
                self._pending -= channels
                self._state.notify_all()
            time.sleep(_PAUSE_S)

    def _tell(self, channels: set[str]) -> None:
        try:
            self._notify(sorted(channels))
        except StoreError:
            return  # whoever waits looks again anyway

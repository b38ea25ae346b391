"""Bell: wakes those in this process that wait for a record. The one place where waiting differs for sync and async."""

import asyncio
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from crux_langgraph._process import Lock, renew_after_fork

_LINGER_S = 30.0
"""How long listening goes on after the last waiter left: a consumer that asks again finds it running."""


class Ticket:
    """One waiter's place at a bell. A ring between two waits is not lost: the next wait returns at once."""

    def __init__(self, bell: "Bell", handoff: str, scope: str | None) -> None:
        self.handoff = handoff
        self.scope = scope
        self._bell = bell
        self._rung = threading.Event()
        self._wake: Callable[[], object] | None = None

    def wait(self, timeout_s: float) -> None:
        """Block until a ring, at most `timeout_s`."""
        self._rung.wait(timeout_s)
        self._rung.clear()

    async def wait_async(self, timeout_s: float) -> None:
        """As `wait`, without holding a thread."""
        loop, rung = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(rung.set)
        try:
            if not self._rung.is_set():
                async with asyncio.timeout(timeout_s):
                    await rung.wait()
        except TimeoutError:
            pass
        finally:
            self._wake = None
            self._rung.clear()

    def ring(self) -> None:
        """Wake the waiter, from any thread."""
        self._rung.set()
        wake = self._wake
        if wake is not None:
            wake()

    def hears(self, handoff: str | None, scope: str | None) -> bool:
        """Say whether a ring for this scope concerns the waiter. None stands for anything."""
        return handoff in (None, self.handoff) and (scope is None or self.scope is None or scope == self.scope)

    def close(self) -> None:
        """Stop listening."""
        self._bell.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Bell:
    """The waiters of one store in this process, and the thread that listens to other processes while there are any.

    `listen` is run in that thread with a function that says whether anybody still waits; it rings.
    """

    def __init__(self, listen: Callable[[Callable[[], bool]], None] | None = None) -> None:
        self._listen = listen
        self._lock = Lock()
        self.renew()
        renew_after_fork(self)
        self._left_at = 0.0
        self._closed = False

    def renew(self) -> None:
        """Forget the waiters and the thread that listens: in a forked process there are none."""
        self._tickets: set[Ticket] = set()
        self._listener: threading.Thread | None = None

    def watch(self, handoff: str, scope: str | None) -> Ticket:
        """Give a new waiter's ticket."""
        ticket = Ticket(self, handoff, scope)
        with self._lock:
            self._tickets.add(ticket)
            self._closed = False
            if self._listen is not None and self._listener is None:
                self._listener = threading.Thread(target=self._run, name="crux-handoff-listener", daemon=True)
                self._listener.start()
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Take a ticket back."""
        with self._lock:
            self._tickets.discard(ticket)
            self._left_at = time.monotonic()

    def ring(self, handoff: str | None = None, scope: str | None = None) -> None:
        """Wake those who wait for this scope of this handoff; everybody with None."""
        if not self._tickets:
            return  # whoever comes to watch now looks afterwards
        with self._lock:
            concerned = [ticket for ticket in self._tickets if ticket.hears(handoff, scope)]
        for ticket in concerned:
            ticket.ring()

    def is_awaited(self) -> bool:
        """Say whether anybody waits, or did a moment ago."""
        return not self._closed and (bool(self._tickets) or time.monotonic() < self._left_at + _LINGER_S)

    def close(self) -> None:
        """Let the listening end, and wait for its end. The next watch begins it anew."""
        self._closed = True
        listener = self._listener
        if listener is not None and listener is not threading.current_thread():
            listener.join()

    def _run(self) -> None:
        assert self._listen is not None  # noqa: S101 - the thread is only started with it
        while True:
            self._listen(self.is_awaited)
            with self._lock:
                if self._closed or not self._tickets:
                    self._listener = None
                    return

"""What a fork must not hand down: connections, which are the parent's, and locks that one of its threads may hold."""

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol
from weakref import WeakSet

_id = os.getpid()


class Renewed(Protocol):
    """What has to begin anew in a forked process, where of all threads there is only the one that forked."""

    def renew(self) -> None:
        """Forget what only the parent has."""
        ...


_known: "WeakSet[Renewed]" = WeakSet()


def process_id() -> int:
    """Give the id of this process, without asking the system each time."""
    return _id


def renew_after_fork(thing: Renewed) -> None:
    """Let `thing` begin anew in every process that is forked from this one. Nothing is kept alive by that."""
    _known.add(thing)


class Lock:
    """A lock that a forked process finds open: the thread that held it is not there to give it back."""

    def __init__(self, make: Callable[[], Any] = threading.Lock) -> None:
        self._make = make
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Forget who holds it."""
        self._lock = self._make()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()


def _forked() -> None:
    global _id  # noqa: PLW0603 - the one thing of a process that changes, when it is forked
    _id = os.getpid()
    for thing in list(_known):
        thing.renew()


# Not everywhere can a process fork.
_at_fork: Any = getattr(os, "register_at_fork", dict)
_at_fork(after_in_child=_forked)

"""Extending a lease for as long as its consumer works."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from crux_langgraph.errors import StoreError
from crux_langgraph.stores import Lease, Store

_BEATS = 3
"""Heartbeats in one lease: two of them may be missed."""


@contextmanager
def extended(store: Store, lease: Lease, lease_s: float, lost: Callable[[], None]) -> Generator[None]:
    """Extend the lease while the block runs, from a thread: an event loop that is kept busy would not come to it.

    `lost` is called, in that thread, once another consumer may have the record.
    """
    over = threading.Event()
    beat = threading.Thread(
        target=_beat, args=(store, lease, lease_s, lost, over), name="crux-handoff-heartbeat", daemon=True
    )
    beat.start()
    try:
        yield
    finally:
        over.set()


def _beat(store: Store, lease: Lease, lease_s: float, lost: Callable[[], None], over: threading.Event) -> None:
    while not over.wait(lease_s / _BEATS):
        try:
            if not store.extend(lease, lease_s=lease_s):
                lost()
                return
        except StoreError:
            continue  # the next beat may reach it

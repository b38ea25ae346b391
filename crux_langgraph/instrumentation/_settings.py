"""How much of a payload our runs show: a setting of the running context, so threads with a copied context share it."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

DEFAULT_VIEW_BYTES = 32_768
LEAST_VIEW_BYTES = 256


class Settings(NamedTuple):
    """What `recorded` sets."""

    view_bytes: int = DEFAULT_VIEW_BYTES
    attachments: bool = False
    stream: bool = False


_DEFAULT = Settings()
_SETTINGS = ContextVar("crux_langgraph_recorded", default=_DEFAULT)


def current_settings() -> Settings:
    """Give the settings that hold here."""
    return _SETTINGS.get()


@contextmanager
def recorded(
    *, view_bytes: int = DEFAULT_VIEW_BYTES, attachments: bool = False, stream: bool = False
) -> Generator[None]:
    """Say how much our runs show and to whom, for everything that starts inside the block.

    `view_bytes` limits the JSON text of what a run shows of its input, and of its output: what is longer is shown by
    heads, tails, counts and SHA-256 sums. With `attachments` the run in LangSmith also gets the whole of both as files,
    `input` and `output`, private fields masked. With `stream` a graph's `stream_mode="custom"` gives their starts and ends
    too, each as a mapping with the key `crux`: who reads that stream must expect it. Raises `ValueError` for fewer than 256 bytes.

    >>> from crux_langgraph.instrumentation import recorded
    >>> with recorded(view_bytes=4_096, attachments=True):
    ...     pass  # graph.invoke(...)
    """
    if view_bytes < LEAST_VIEW_BYTES:
        msg = f"recorded(view_bytes={view_bytes}): give at least {LEAST_VIEW_BYTES} bytes."
        raise ValueError(msg)
    token = _SETTINGS.set(Settings(view_bytes, attachments, stream))
    try:
        yield
    finally:
        _SETTINGS.reset(token)

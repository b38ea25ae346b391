"""Catching the runs of a block where they are made: for tests and for a terminal, without a service."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from langchain_core.tracers.context import register_configure_hook

from crux_langgraph.instrumentation._captured import CapturedRuns

_CAPTURING: ContextVar[CapturedRuns | None] = ContextVar("crux_langgraph_captured", default=None)
register_configure_hook(_CAPTURING, inheritable=True)


@contextmanager
def capture_runs() -> Generator[CapturedRuns]:
    """Catch every run that begins inside the block, ours and LangChain's, also in threads with a copied context.

    It needs no key and no network, and changes nothing else: LangSmith and other handlers hear what they did.

    >>> from pydantic import BaseModel
    >>> from crux_langgraph import Handoff
    >>> from crux_langgraph.testing import capture_runs
    >>> class Note(BaseModel):
    ...     text: str
    >>> with capture_runs() as captured:
    ...     payload = Handoff.of(Note, id="to-support").prepare({"text": "Card declined"})
    >>> [run] = captured.find("handoff:prepare")
    >>> run.metadata["crux_handoff_id"], run.inputs
    ('to-support', {'input': {'text': 'Card declined'}})
    """
    captured = CapturedRuns()
    token = _CAPTURING.set(captured)
    try:
        yield captured
    finally:
        _CAPTURING.reset(token)

"""What our runs say of an error: our own sentences, which hold no value of a payload, and of others the type alone."""

import asyncio
import copy

from crux_langgraph.errors import CruxError


class RecordedError(Exception):
    """Stands in a run for an error that is not ours: its text may quote what was handed over."""


def recorded_error(error: BaseException) -> BaseException:
    """Give a copy of `error` for handlers to keep: without traceback, cause and the values that it holds on to.

    LangChain's tracers record the whole chain of causes, and so what the user's own code said.
    """
    if isinstance(error, CruxError):
        return copy.copy(error)
    if isinstance(error, asyncio.CancelledError):
        return asyncio.CancelledError()
    return RecordedError(type(error).__name__)

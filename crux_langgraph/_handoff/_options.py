"""What `@handoff` and `Handoff.of` may be told; `@handoff` says what each of it means."""

from collections.abc import Callable
from typing import Any, NamedTuple

from typing_extensions import TypedDict

from crux_langgraph._payload import Payload
from crux_langgraph._summarizing import Summarize
from crux_langgraph.compression import Counter, estimate_tokens
from crux_langgraph.errors import DefinitionError

OnPrepare = Callable[[Payload[Any]], object]
"""A hook that is called with each prepared payload, sync or async; what it returns is ignored."""


class SharedOptions(TypedDict, total=False):
    """The options of `Handoff.of`, which needs an id beside them."""

    from_agent: str | None
    to_agent: str | None
    max_tokens: int | None
    counter: Counter
    summarize: Summarize | None
    on_prepare: OnPrepare | None
    version: int
    store: Any


class HandoffOptions(SharedOptions, total=False):
    """The options of `@handoff`."""

    id: str | None


class Options(NamedTuple):
    """The options as they were given, with the defaults for the others."""

    id: str | None = None
    from_agent: str | None = None
    to_agent: str | None = None
    max_tokens: int | None = None
    counter: Counter = estimate_tokens
    summarize: Summarize | None = None
    on_prepare: OnPrepare | None = None
    version: int = 1
    store: Any = None


def checked_options(name: str, given: HandoffOptions) -> Options:
    """Give the options. Raises `DefinitionError` for a name that is none of them."""
    if unknown := sorted(given.keys() - set(Options._fields)):
        raise DefinitionError(
            handoff=name,
            found=f"{', '.join(unknown)} is no option of a handoff",
            fix=f"Give one of these: {', '.join(Options._fields)}.",
        )
    return Options(**given)

"""What `Delegate.from_graph` and `Delegate.from_remote` may be told."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Literal

from langchain_core.messages import BaseMessage
from typing_extensions import TypedDict

from crux_langgraph._delegate._refusing import OnError

Output = Literal["structured_response", "text"] | Callable[[Any], Any]
"""What a graph's end gives: its structured response, the text of its last answer read as JSON, or a function of it."""

Prompted = str | BaseMessage | Sequence[BaseMessage] | Mapping[str, Any]
"""What a graph's input is made of: a text or messages for its `messages`, or a mapping of its input keys."""


class SharedOptions(TypedDict, total=False):
    """The options of both that are not of their types."""

    id: str
    description: str
    max_repairs: int
    timeout_s: float | None
    max_depth: int | None
    on_error: OnError
    recursion_limit: int


class GraphOptions(SharedOptions, total=False):
    """The options of `Delegate.from_graph` that are not of its types."""

    parent_commands: Literal["refuse", "pass"]


class RemoteOptions(SharedOptions, total=False):
    """The options of `Delegate.from_remote` that are not of its types."""

    headers: Callable[[], Mapping[str, str]] | Callable[[], Awaitable[Mapping[str, str]]] | Mapping[str, str] | None
    config_keys: Collection[str]
    context_keys: Collection[str]
    distributed_tracing: bool
    forwards: Collection[Literal["custom", "updates", "messages"]]

"""The receiving side: the brief out of a state, and what a model is sent: the brief, and which of the messages."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from crux_langgraph._context import DEFAULT_PRIORITY, Composed, Context, compose
from crux_langgraph._handoff import Handoff
from crux_langgraph._payload import Payload, records_in
from crux_langgraph._states import value_in
from crux_langgraph.compression import Counter, estimate_tokens

Shown = Literal["hide", "since_handoff", "keep"]
As = Literal["system", "human"]

_MESSAGES_KEY = "messages"


def brief_in(
    state: object,
    *handoffs: Handoff[Any, Any, Any],
    max_tokens: int | None = None,
    priorities: Mapping[str, int] | None = None,
    counter: Counter = estimate_tokens,
) -> Composed | None:
    """Give what `state` holds of these handoffs as one text; None when it holds nothing of them.

    Every payload of a handoff's latest round is in it, in the order of the handoffs. `max_tokens`, by `counter`, limits
    them together; `priorities` by handoff id (80 where nothing is said) decide which one shrinks first. Raises
    `EnvelopeError` when a payload cannot be read and `ContextsError` when they do not fit.
    """
    payloads = [(handoff, payload) for handoff in handoffs for payload in handoff.received_all(state)]
    return brief_of(payloads, max_tokens=max_tokens, priorities=priorities, counter=counter)


def brief_of(
    payloads: Iterable[tuple[Handoff[Any, Any, Any], Payload[Any]]],
    *,
    max_tokens: int | None,
    priorities: Mapping[str, int] | None,
    counter: Counter,
) -> Composed | None:
    """Give payloads, each with its handoff, as one text; None when there are none. As `brief_in`."""
    weights = priorities or {}
    contexts = [handoff.as_context(payload, weights.get(handoff.id, DEFAULT_PRIORITY)) for handoff, payload in payloads]
    return compose(contexts, max_tokens, counter=counter) if contexts else None


def brief_messages(
    state: object,
    *handoffs: Handoff[Any, Any, Any],
    system: str | SystemMessage | None = None,
    history: Shown = "hide",
    as_: As = "system",
    max_tokens: int | None = None,
    priorities: Mapping[str, int] | None = None,
    counter: Counter = estimate_tokens,
) -> list[AnyMessage]:
    """Give what a hand-written node sends its model: `model.invoke(brief_messages(state, research_to_writer))`.

    The system prompt if there is one, the brief, and the messages in `state` that `history` shows: none (`"hide"`),
    those since the handoff, or all. A node that loops appends its own messages to the list. Where the brief stands, the
    further options and what is raised are as in `HandoffContext` and `brief_in`. Without a payload it is the system
    prompt and all messages.
    """
    prompt = SystemMessage(system) if isinstance(system, str) else system
    messages = messages_in(state)
    brief = brief_in(state, *handoffs, max_tokens=max_tokens, priorities=priorities, counter=counter)
    if brief is not None:
        records = records_of(state, handoffs)
        earlier = {message.id for message in messages if message.id}
        shown = [] if history == "hide" else shown_messages(messages, records, history, earlier)
        prompt, messages = with_brief(prompt, shown, brief, as_)
    return [*([prompt] if prompt else []), *messages]


def system_message(context: Context | Composed) -> SystemMessage:
    """Give a context, or several composed, as a system message."""
    return SystemMessage(context.text)


def human_message(context: Context | Composed) -> HumanMessage:
    """Give a context, or several composed, as a human message."""
    return HumanMessage(context.text)


def messages_in(state: object) -> list[AnyMessage]:
    """Give the messages of a state of any shape; empty when it has none."""
    return list(value_in(state, _MESSAGES_KEY) or ())


def records_of(state: object, handoffs: Iterable[Handoff[Any, Any, Any]]) -> list[Mapping[str, Any]]:
    """Give the records of these handoffs that the state holds, unread."""
    ids = {handoff.id for handoff in handoffs}
    return [record for record in records_in(state) if record.get("handoff") in ids]


def shown_messages(
    messages: Sequence[AnyMessage], records: Sequence[Mapping[str, Any]], history: Shown, earlier: Collection[str]
) -> list[AnyMessage]:
    """Give the messages that `history` shows; `earlier` are the ids of those that were there when the run began.

    The result of a tool call is shown exactly when the call is, wherever it stands. A brief that the handoff's node
    wrote as a message is not: it is in the brief.
    """
    hidden = {str(record.get("id")) for record in records}
    if history == "hide":
        hidden.update(earlier)
    if history == "since_handoff":
        hidden.update(_ids(messages[: _since(messages, records)]))
    return _whole_exchanges(messages, hidden)


def with_brief(
    prompt: SystemMessage | None, shown: list[AnyMessage], brief: Composed, as_: As
) -> tuple[SystemMessage | None, list[AnyMessage]]:
    """Give the system prompt and the messages with the brief put in.

    At the end of the system prompt; or as a human message before all others when it is asked for, and also when the
    first message shown is not a human's: no provider takes a request without messages, some take none that an agent
    begins, and so the place stays the same through the steps of one run.
    """
    if as_ == "human" or not isinstance(next(iter(shown), None), HumanMessage):
        return prompt, [human_message(brief), *shown]
    if prompt is None:
        return system_message(brief), shown
    return prompt.model_copy(update={"content": _appended(prompt.content, brief.text)}), shown


def _since(messages: Sequence[BaseMessage], records: Iterable[Mapping[str, Any]]) -> int:
    """Say where the messages after the handoff begin: after the first of several; at 0 when that cannot be known."""
    places: dict[object, int] = {message.id: place for place, message in enumerate(messages, start=1) if message.id}
    return min((places.get(record.get("last_message_id"), 0) for record in records), default=0)


def _ids(messages: Iterable[BaseMessage]) -> list[str]:
    return [message.id for message in messages if message.id]


def _whole_exchanges(messages: Iterable[AnyMessage], hidden: Collection[str]) -> list[AnyMessage]:
    shown: list[AnyMessage] = []
    calls: dict[str | None, bool] = {}
    for message in messages:
        visible = message.id not in hidden
        if isinstance(message, ToolMessage):
            visible = calls.get(message.tool_call_id, visible)
        if isinstance(message, AIMessage):
            calls.update((call["id"], visible) for call in (*message.tool_calls, *message.invalid_tool_calls))
        if visible:
            shown.append(message)
    return shown


def _appended(content: str | list[Any], text: str) -> str | list[Any]:
    # A prompt of text stays text: not every provider takes blocks there. Blocks stay as they are, cache marks included.
    if isinstance(content, str):
        return f"{content}\n\n{text}" if content else text
    return [*content, {"type": "text", "text": text}]

"""What runs again inside a graph sends once: the keys by which a repetition is known, and how long they are remembered."""

from collections import OrderedDict
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy
from storing import both, in_memory
from support import GOOD, Call, State

from crux_langgraph._inbox import _keys

inbox = pytest.fixture(in_memory)


def sending(call: Call, inbox: Any, value: Any, sent: list[Any], *, failures: int = 0) -> Any:
    """A graph whose node sends a value, and then fails so many times."""

    def send(_: Any) -> None:
        sent.append(inbox.send(value))
        if len(sent) <= failures:
            raise ConnectionError

    async def asend(_: Any) -> None:
        sent.append(await inbox.asend(value))
        if len(sent) <= failures:
            raise ConnectionError

    builder: Any = StateGraph(State)
    builder.add_node("n", asend if call.is_async else send, retry_policy=RetryPolicy(initial_interval=0.001))
    builder.add_edge(START, "n")
    builder.add_edge("n", END)
    return builder.compile()


async def test_a_prepared_payload_that_a_node_sends_again_is_stored_once(call: Call, inbox: Any) -> None:
    sent: list[Any] = []
    graph = sending(call, inbox, inbox.prepare(GOOD), sent, failures=1)
    await call(graph, {}, {"configurable": {"thread_id": "t"}})
    assert [one.duplicate for one in sent] == [False, True]
    assert len(await both(call, inbox, "history", scope="t")) == 1


async def test_what_was_sent_long_ago_is_not_remembered_for_ever(call: Call, inbox: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(_keys, "_MOST_RUNS", 2)
    monkeypatch.setattr(_keys, "_sent", OrderedDict())
    sent: list[Any] = []
    graph = sending(call, inbox, GOOD, sent)
    for thread in "1234":
        await call(graph, {}, {"configurable": {"thread_id": thread}})
    assert [one.duplicate for one in sent] == [False] * 4
    assert len(_keys._sent) == 2

"""Large payloads: the state has a reference, the store the data, and who receives sees no difference."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from storing import both
from support import GOOD, Brief, Call, ScriptedModel, State, make

from crux_langgraph import add_handoff, errors
from crux_langgraph.middleware import HandoffContext
from crux_langgraph.stores.sqlite import SqliteStore

LARGE = {"question": "Why?", "findings": ["x" * 50_000]}
THREAD = {"configurable": {"thread_id": "t"}}


@pytest.fixture
def inbox(tmp_path: Path) -> Any:
    made = make(store=SqliteStore(tmp_path / "x.sqlite", synchronous="off"))
    yield made
    made.store.close()


def graph_of(inbox: Any, call: Call, found: Any, **options: Any) -> Any:
    def read(state: Any) -> dict[str, Any]:
        return {"seen": inbox.received(state).data}

    async def aread(state: Any) -> dict[str, Any]:
        assert len(await inbox.areceived_all(state)) == 1
        return {"seen": (await inbox.areceived(state)).data}

    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {"found": found})
    builder.add_node("b", aread if call.is_async else read)
    builder.add_edge(START, "a")
    add_handoff(builder, inbox, read="found", **{"store_above_bytes": 10_000, **options})
    builder.add_edge("b", END)
    return builder.compile(checkpointer=InMemorySaver())


async def test_the_state_refers_to_what_is_large_and_the_receiver_reads_it(call: Call, inbox: Any) -> None:
    result = await call(graph_of(inbox, call, LARGE), {}, THREAD)
    assert result["seen"] == Brief(task="Why?", facts=["x" * 50_000])
    assert len(repr(result["handoffs"])) < 2_000
    assert await both(call, inbox, "receive", scope="t") is None
    assert await both(call, inbox, "history", scope="t") == []


async def test_the_state_holds_what_is_small(call: Call, inbox: Any) -> None:
    result = await call(graph_of(inbox, call, GOOD), {}, THREAD)
    (record,) = result["handoffs"].values()
    assert (record["data"]["task"], "stored" in record) == ("Why?", False)


async def test_without_a_thread_large_payloads_are_kept_too(call: Call, inbox: Any) -> None:
    builder = graph_of(inbox, call, LARGE).builder
    result = await call(builder.compile(), {})
    assert result["seen"].task == "Why?"


async def test_an_agents_middleware_reads_what_is_large_without_holding_up_the_event_loop(
    call: Call, inbox: Any
) -> None:
    model = ScriptedModel(replies=[AIMessage("done")])
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {"found": LARGE})
    builder.add_node("b", create_agent(model, middleware=[HandoffContext(inbox)]))
    builder.add_edge(START, "a")
    add_handoff(builder, inbox, read="found", store_above_bytes=10_000)
    builder.add_edge("b", END)
    await call(builder.compile(), {})
    assert "xxx" in "".join(message.text for message in model.sent[0])


async def test_what_is_no_longer_kept_is_missing(call: Call, inbox: Any) -> None:
    result = await call(graph_of(inbox, call, LARGE), {}, THREAD)
    await both(call, inbox, "send", GOOD, scope="t")
    assert await both(call, inbox, "sweep", older_than_s=0) == 1
    for _ in range(2):
        with pytest.raises(errors.EnvelopeError, match="which is not there") as caught:
            await asyncio.to_thread(inbox.received, result)
        assert caught.value.reason == "missing"


async def test_a_reference_to_another_payload_is_corrupt(call: Call, inbox: Any) -> None:
    result = await call(graph_of(inbox, call, LARGE), {}, THREAD)
    (record,) = result["handoffs"].values()
    swapped = {"handoffs": {"x": {**record, "id": "ho-other"}}}
    with pytest.raises(errors.EnvelopeError, match="which is of another payload") as caught:
        await asyncio.to_thread(inbox.received, swapped)
    assert caught.value.reason == "corrupt"


@pytest.mark.parametrize("limit", [-1, True, "1"], ids=repr)
def test_a_limit_that_is_no_number_of_bytes_is_refused(inbox: Any, limit: Any) -> None:
    with pytest.raises(errors.WiringError, match="store_above_bytes="):
        graph_of(inbox, Call("invoke"), GOOD, store_above_bytes=limit)


def test_a_handoff_without_a_store_is_told_when_the_graph_is_built(monkeypatch: Any) -> None:
    monkeypatch.delenv("CRUX_HANDOFF_URL", raising=False)
    with pytest.raises(errors.NoStoreError, match=r"add_handoff\(\) needs a store"):
        graph_of(make(), Call("invoke"), GOOD)

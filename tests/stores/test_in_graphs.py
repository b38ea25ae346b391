"""Inside graphs: the scope is the running thread, what runs again sends once, and a claim's graph resumes where it was."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, RetryPolicy, Send, interrupt
from storing import both, claimed, graph_of, in_memory
from support import GOOD, Call, State, reader

from crux_langgraph import ANY, HandoffState, errors

THREAD = {"configurable": {"thread_id": "t"}}


inbox = pytest.fixture(in_memory)


def sender(inbox: Any, call: Call, question: Callable[[], str] = lambda: "Why?") -> Any:
    """A node that sends."""

    def send(_: Any) -> dict[str, Any]:
        return {"found": tuple(inbox.send({"question": question()}))}

    async def asend(_: Any) -> dict[str, Any]:
        return {"found": tuple(await inbox.asend({"question": question()}))}

    return asend if call.is_async else send


async def tasks_in(call: Call, inbox: Any, scope: Any = "t") -> list[str]:
    return [stored.payload.data.task for stored in await both(call, inbox, "history", scope=scope)][::-1]


async def test_the_scope_is_the_running_thread(call: Call, inbox: Any) -> None:
    async def receive(_: Any) -> dict[str, Any]:
        return {"seen": (await both(call, inbox, "receive")).data.task}

    graph = graph_of(sender(inbox, call), receive if call.is_async else lambda _: {"seen": inbox.receive().data.task})
    assert (await call(graph, {}, THREAD))["seen"] == "Why?"
    assert await tasks_in(call, inbox) == ["Why?"]
    assert await tasks_in(call, inbox, "u") == []


async def test_a_graph_without_a_thread_must_be_told_the_scope(call: Call, inbox: Any) -> None:
    with pytest.raises(errors.ScopeError, match="the running graph has no thread_id"):
        await call(graph_of(sender(inbox, call)), {})


async def test_a_node_that_is_interrupted_after_it_sent_sends_once(call: Call, inbox: Any) -> None:
    send = sender(inbox, call)

    async def ask(state: Any) -> dict[str, Any]:
        sent = await send(state) if call.is_async else send(state)
        return {**sent, "seen": interrupt("go on?")}

    def ask_sync(state: Any) -> dict[str, Any]:
        return {**send(state), "seen": interrupt("go on?")}

    graph = graph_of(ask if call.is_async else ask_sync, checkpointer=InMemorySaver())
    await call(graph, {}, THREAD)
    result = await call(graph, Command(resume="yes"), THREAD)
    assert (result["found"][1], result["seen"]) == (True, "yes")
    assert await tasks_in(call, inbox) == ["Why?"]


async def test_a_node_that_is_retried_sends_once(call: Call, inbox: Any) -> None:
    send, runs = sender(inbox, call), []

    async def flaky(state: Any) -> Any:
        sent = await send(state) if call.is_async else send(state)
        runs.append(sent)
        if len(runs) < 3:
            raise ConnectionError
        return sent

    def flaky_sync(state: Any) -> Any:
        runs.append(send(state))
        if len(runs) < 3:
            raise ConnectionError
        return runs[-1]

    policy = RetryPolicy(initial_interval=0.001, max_attempts=3)
    await call(graph_of(flaky if call.is_async else flaky_sync, retry_policy=policy), {}, THREAD)
    assert [sent["found"][1] for sent in runs] == [False, True, True]
    assert await tasks_in(call, inbox) == ["Why?"]


async def test_what_is_said_again_on_purpose_is_sent_again(call: Call, inbox: Any) -> None:
    def thrice(_: Any) -> None:
        for question in ("1", "1", "2"):
            inbox.send({"question": question})

    async def athrice(_: Any) -> None:
        for question in ("1", "1", "2"):
            await inbox.asend({"question": question})

    graph = graph_of(athrice if call.is_async else thrice, checkpointer=InMemorySaver())
    await call(graph, {}, THREAD)
    assert await tasks_in(call, inbox) == ["1", "1", "2"]
    await call(graph, {}, THREAD)
    assert await tasks_in(call, inbox) == ["1", "1", "2"] * 2


async def test_parallel_branches_send_each_their_own(call: Call, inbox: Any) -> None:
    builder: Any = StateGraph(State)
    send = sender(inbox, call)

    async def awork(state: Any) -> None:
        await send(state)

    builder.add_node("work", awork if call.is_async else lambda state: (send(state), None)[1])
    builder.add_conditional_edges(START, lambda _: [Send("work", {}), Send("work", {})], ["work"])
    await call(builder.compile(), {}, THREAD)
    assert await tasks_in(call, inbox) == ["Why?", "Why?"]


async def test_parallel_tool_calls_of_one_node_lose_nothing_when_one_is_interrupted(call: Call, inbox: Any) -> None:
    @tool
    def tell(question: str) -> str:
        """Tell the other agent."""
        sent = inbox.send({"question": question})
        return f"{question} {interrupt('sure?')} {sent.duplicate}" if question == "b" else question

    @tool
    async def atell(question: str) -> str:
        """Tell the other agent."""
        sent = await inbox.asend({"question": question})
        return f"{question} {interrupt('sure?')} {sent.duplicate}" if question == "b" else question

    used = atell if call.is_async else tell
    calls = [{"name": used.name, "args": {"question": q}, "id": q, "type": "tool_call"} for q in "ab"]
    graph = graph_of(ToolNode([used]), checkpointer=InMemorySaver(), schema=MessagesState)
    await call(graph, {"messages": [AIMessage("", tool_calls=calls)]}, THREAD)
    result = await call(graph, Command(resume="yes"), THREAD)
    assert result["messages"][-1].text == "b yes True"
    assert sorted(await tasks_in(call, inbox)) == ["a", "b"]


class Killed(BaseException):
    pass


class Consumer(HandoffState, total=False):
    seen: Any
    steps: Annotated[list[str], lambda a, b: (a or []) + b]


def consumer(inbox: Any, *, dies_in: list[str], checkpointer: Any = None) -> Any:
    """A graph of three steps that dies, once, in each of those named."""

    def step(name: str) -> Any:
        def run(state: Any) -> dict[str, Any]:
            if name in dies_in:
                dies_in.remove(name)
                raise Killed
            return {"steps": [name], **(reader(inbox)(state) if name == "n1" else {})}

        return run

    return graph_of(step("n0"), step("n1"), step("n2"), checkpointer=checkpointer, schema=Consumer)


async def run(call: Call, one: Any, graph: Any, **options: Any) -> Any:
    return await one.ainvoke(graph, **options) if call.is_async else one.invoke(graph, **options)


async def test_a_claim_starts_the_graph_with_the_payload_as_if_handed_over(call: Call, inbox: Any) -> None:
    await both(call, inbox, "send", GOOD, scope="t")
    async with claimed(call, inbox) as one:
        result = await run(call, one, consumer(inbox, dies_in=[]))
    assert (result["seen"]["task"], result["steps"]) == ("Why?", ["n0", "n1", "n2"])


async def test_a_claims_graph_resumes_where_a_dead_consumer_stopped(call: Call, inbox: Any) -> None:
    saver, worked = InMemorySaver(), []
    await both(call, inbox, "send", GOOD, scope="t")
    graph = consumer(inbox, dies_in=["n1", "n2"], checkpointer=saver)
    for _ in range(2):
        with pytest.raises(Killed):
            async with claimed(call, inbox) as one:
                await run(call, one, graph)
    async with claimed(call, inbox) as one:
        streamed = (
            [chunk async for chunk in one.astream(graph, stream_mode="updates")]
            if call.is_async
            else list(one.stream(graph, stream_mode="updates"))
        )
        worked = [next(iter(chunk)) for chunk in streamed]
        result = await run(call, one, graph)
    assert worked == ["n2"]
    assert (result["steps"], result["seen"]["task"]) == (["n0", "n1", "n2"], "Why?")


async def test_a_graph_that_had_finished_is_not_run_again(call: Call, inbox: Any) -> None:
    await both(call, inbox, "send", GOOD, scope="t")
    graph = consumer(inbox, dies_in=[], checkpointer=InMemorySaver())
    for _ in range(2):
        with pytest.raises(Killed):
            async with claimed(call, inbox) as one:
                assert (await run(call, one, graph))["steps"] == ["n0", "n1", "n2"]
                raise Killed
    async with claimed(call, inbox) as one:
        chunks = [chunk async for chunk in one.astream(graph)] if call.is_async else list(one.stream(graph))
    assert chunks == []


async def test_the_input_may_be_a_value_or_made_of_the_payload(call: Call, inbox: Any) -> None:
    graph = graph_of(lambda state: {"seen": state["found"]})
    for given, expected in [({"found": 1}, 1), (lambda payload: {"found": payload.data.task}, "Why?")]:
        await both(call, inbox, "send", GOOD, scope="t")
        async with claimed(call, inbox) as one:
            assert (await run(call, one, graph, input=given))["seen"] == expected
            if call.is_async:
                streamed = [chunk async for chunk in one.astream(graph, given)]
            else:
                streamed = list(one.stream(graph, given))
            assert streamed == [{"n0": {"seen": expected}}]


async def test_each_record_runs_in_its_own_thread_and_keeps_the_callers_config(call: Call, inbox: Any) -> None:
    threads: list[Any] = []

    def note(_: Any, config: RunnableConfig) -> None:
        found = config["configurable"]
        threads.append((found["thread_id"], found.get("mine"), config["metadata"].get("also")))

    graph = graph_of(note, checkpointer=InMemorySaver(), schema=Consumer)
    for _ in range(2):
        await both(call, inbox, "send", GOOD, scope="t")
        async with claimed(call, inbox) as one:
            await run(call, one, graph, config={"configurable": {"mine": 1}, "metadata": {"also": 2}})
            assert threads[-1] == (one.thread_id, 1, 2)
    assert len({thread for thread, _, _ in threads}) == 2


async def test_in_the_scopes_thread_the_conversation_goes_on(call: Call, inbox: Any) -> None:
    graph = consumer(inbox, dies_in=[], checkpointer=InMemorySaver())
    for question in "12":
        await both(call, inbox, "send", {"question": question}, scope="t")
    for question in "12":
        async with claimed(call, inbox, thread="scope") as one:
            result = await run(call, one, graph)
            assert result["seen"]["task"] == question
    assert result["steps"] == ["n0", "n1", "n2"] * 2
    state = await graph.aget_state(THREAD) if call.is_async else graph.get_state(THREAD)
    assert state.values["steps"] == result["steps"]


async def test_in_the_scopes_thread_too_a_dead_consumer_is_followed(call: Call, inbox: Any) -> None:
    graph = consumer(inbox, dies_in=["n2"], checkpointer=InMemorySaver())
    await both(call, inbox, "send", GOOD, scope=("tenant", "t"))
    named = {"configurable": {"thread_id": "chosen"}}
    with pytest.raises(Killed):
        async with claimed(call, inbox, thread="scope") as one:
            await run(call, one, graph, config=named)
    async with claimed(call, inbox, thread="scope") as one:
        assert (await run(call, one, graph, config=named))["steps"] == ["n0", "n1", "n2"]


async def test_dead_letters_of_every_scope_are_listed(call: Call, inbox: Any) -> None:
    for scope in "tu":
        await both(call, inbox, "send", GOOD, scope=scope)
        with pytest.raises(ValueError, match="x"):
            async with claimed(call, inbox, max_attempts=1):
                raise ValueError("x")  # noqa: EM101
    assert len(await both(call, inbox, "dead")) == 2
    assert len(await both(call, inbox, "history", scope=ANY)) == 2

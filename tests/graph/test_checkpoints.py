"""With a checkpointer: a bad payload leaves the thread usable, a replay never adds, and user turns follow each other."""

import operator
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.errors import NodeError
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, RetryPolicy, Send, interrupt
from pydantic import BaseModel
from support import BAD, GOOD, Brief, Call, Research, State, make, reader, to_brief, two_agents

from crux_langgraph import Handoffs, HandoffState, add_handoff, errors, handoff

THREAD = {"configurable": {"thread_id": "t"}}
CROSSED = {"task": "Why?", "facts": ["one", "two"]}


@pytest.fixture(params=["memory", "sqlite", "sqlite, strict"])
async def saver(request: pytest.FixtureRequest, call: Call, tmp_path: Path) -> AsyncIterator[Any]:
    path = str(tmp_path / "checkpoints.sqlite")
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield InMemorySaver()
            return
        if call.is_async:
            made: Any = await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(path))
        else:
            made = stack.enter_context(SqliteSaver.from_conn_string(path))
        if "strict" in request.param:  # what LANGGRAPH_STRICT_MSGPACK sets, which is read when langgraph is imported
            made.serde = JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=None)
        yield made


async def state_of(call: Call, graph: Any) -> Any:
    return await graph.aget_state(THREAD) if call.is_async else graph.get_state(THREAD)


async def update(call: Call, graph: Any, values: Any) -> None:
    if call.is_async:
        await graph.aupdate_state(THREAD, values)
    else:
        graph.update_state(THREAD, values)


class Typed(BaseModel):
    found: Research | None = None
    seen: Any = None
    handoffs: Handoffs = {}


@pytest.mark.parametrize("schema", [State, Typed])
async def test_a_bad_payload_can_be_repaired_and_the_thread_resumed(call: Call, saver: Any, schema: Any) -> None:
    graph = two_agents(make(), schema, found=BAD).compile(checkpointer=saver)
    with pytest.raises(errors.InputError):
        await call(graph, {}, THREAD)
    state = await state_of(call, graph)
    assert state.next == ("a-to-b",)
    assert "InputError" in str(state.tasks[0].error)
    await update(call, graph, {"found": GOOD})
    assert (await call(graph, None, THREAD))["seen"] == CROSSED


async def test_a_payload_survives_a_checkpoint_and_is_read_back_typed(call: Call, saver: Any) -> None:
    contract = make()
    graph = two_agents(contract).compile(checkpointer=saver, interrupt_before=["b"])
    await call(graph, {}, THREAD)
    assert contract.received((await state_of(call, graph)).values).data == Brief(**CROSSED)
    assert (await call(graph, None, THREAD))["seen"] == CROSSED


async def test_a_second_user_turn_replaces_the_payload_of_the_first(call: Call, saver: Any) -> None:
    contract = make()
    graph = two_agents(contract, found=None).compile(checkpointer=saver)
    for question in ("first", "second", "third"):
        out = await call(graph, {"found": {"question": question}}, THREAD)
        assert out["seen"]["task"] == question
        assert [p.data.task for p in contract.received_all(out)] == [question]


async def test_without_a_checkpointer_a_state_that_is_passed_on_stays_bounded(call: Call) -> None:
    contract = make()
    graph = two_agents(contract, found=None).compile()
    out: Any = {}
    for question in ("first", "second", "third"):
        out = await call(graph, {**out, "found": {"question": question}})
    assert [p.data.task for p in contract.received_all(out)] == ["third"]


async def test_a_replay_from_an_earlier_checkpoint_never_adds_a_payload(call: Call) -> None:
    contract = make()
    graph = two_agents(contract).compile(checkpointer=InMemorySaver())
    await call(graph, {}, THREAD)
    before = next(state for state in graph.get_state_history(THREAD) if state.next == ("a-to-b",))
    out = await call(graph, None, before.config)
    assert len(contract.received_all(out)) == 1


async def test_an_interrupt_inside_a_transform_resumes(call: Call, saver: Any) -> None:
    @handoff(id="a-to-b", from_agent="a", to_agent="b")
    def asked(research: Research) -> Brief:
        return Brief(task=interrupt("which task?"))

    graph = two_agents(asked).compile(checkpointer=saver)
    out = await call(graph, {}, THREAD)
    assert out["__interrupt__"][0].value == "which task?"
    assert (await call(graph, Command(resume="this"), THREAD))["seen"]["task"] == "this"


class FanState(HandoffState, total=False):
    seen: Annotated[list[Any], operator.add]


async def test_the_siblings_of_a_fan_out_are_kept_across_a_resume(call: Call, saver: Any) -> None:
    def read(state: Any) -> Any:
        return {"question": interrupt("?") if state["n"] == 1 else f"q{state['n']}"}

    contract = make()
    builder: Any = StateGraph(FanState)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", lambda s: {"seen": [p.data.task for p in contract.received_all(s)]})
    node = add_handoff(builder, contract, source=None, read=read)
    builder.add_conditional_edges("a", lambda _: [Send(node, {"n": n}) for n in range(3)], [node])
    builder.add_edge(START, "a")
    graph = builder.compile(checkpointer=saver)
    await call(graph, {}, THREAD)
    assert (await call(graph, Command(resume="q1"), THREAD))["seen"] == ["q0", "q1", "q2"]


async def test_a_retry_policy_runs_the_same_handoff_again(call: Call) -> None:
    tries: list[int] = []

    @handoff(id="a-to-b", from_agent="a", to_agent="b")
    def flaky(research: Research) -> Brief:
        tries.append(1)
        if len(tries) < 3:
            message = "busy"
            raise ConnectionError(message)
        return to_brief(research)

    policy = RetryPolicy(retry_on=errors.is_retryable, initial_interval=0.001, max_attempts=5)
    out = await call(two_agents(flaky, retry_policy=policy).compile(), {})
    assert (len(tries), out["seen"], len(out["handoffs"])) == (3, CROSSED, 1)


async def test_a_retry_policy_does_not_repeat_a_bad_payload(call: Call) -> None:
    reads: list[int] = []

    def read(state: Any) -> Any:
        reads.append(1)
        return BAD

    policy = RetryPolicy(retry_on=errors.is_retryable, initial_interval=0.001)
    with pytest.raises(errors.InputError):
        await call(two_agents(make(), retry_policy=policy, read=read).compile(), {})
    assert reads == [1]


async def test_an_error_handler_takes_over_from_a_bad_payload(call: Call) -> None:
    def handler(state: Any, error: NodeError) -> Any:
        return Command(update={"seen": type(error.error).__name__}, goto="__end__")

    out = await call(two_agents(make(), found=BAD, error_handler=handler).compile(), {})
    assert out["seen"] == "InputError"


async def test_the_channel_stays_bounded_in_a_loop(call: Call) -> None:
    contract = make()

    class Loop(HandoffState, total=False):
        n: int

    builder: Any = StateGraph(Loop)
    builder.add_node("a", lambda s: {"n": s.get("n", 0) + 1})
    builder.add_node("b", lambda _: {})
    builder.add_edge(START, "a")
    add_handoff(builder, contract, read=lambda s: {"question": str(s["n"])})
    builder.add_conditional_edges("b", lambda s: "a" if s["n"] < 5 else END, ["a", END])
    out = await call(builder.compile(), {})
    assert [p.data.task for p in contract.received_all(out)] == ["5"]


async def test_a_payload_put_in_with_the_input_is_received(call: Call) -> None:
    contract = make()
    payload = contract.prepare(GOOD)
    builder: Any = StateGraph(State)
    builder.add_node("b", reader(contract))
    builder.add_edge(START, "b")
    assert (await call(builder.compile(), {"handoffs": {payload.id: payload.to_envelope()}}))["seen"] == CROSSED

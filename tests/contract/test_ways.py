"""Sync and async: one flow, two ways, and a clear word where they cannot meet."""

import asyncio
import functools
import json
import subprocess
import sys
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from support import GOOD, Brief, Call, Research, State, make, reader, two_agents

from crux_langgraph import add_handoff, errors, handoff
from crux_langgraph._signature import is_async
from crux_langgraph._waiting import BLOCKING, finish


def test_a_flow_that_really_waits_cannot_be_finished_and_is_closed() -> None:
    closed: list[bool] = []

    class Waits:
        def __await__(self) -> Any:
            yield

    async def flow() -> None:
        try:
            await Waits()
        finally:
            closed.append(True)

    with pytest.raises(errors.WrongWayError, match=r"flow.* is asynchronous"):
        finish(flow())
    assert closed == [True]


def test_finishing_needs_no_event_loop() -> None:
    async def flow() -> int:
        return int(await BLOCKING.call(len, "abc"))

    assert finish(flow()) == 3


def test_partials_and_callable_instances_are_seen_through() -> None:
    async def function(first: int, second: int) -> None:
        await asyncio.sleep(0)

    class Instance:
        async def __call__(self) -> None:
            await asyncio.sleep(0)

    assert is_async(functools.partial(functools.partial(function, 1), 2))
    assert is_async(Instance())
    assert not is_async(len)


async def test_an_invalid_answer_to_an_interrupt_leaves_it_pending(call: Call) -> None:
    @handoff(id="a-to-b", from_agent="a", to_agent="b")
    def asked(research: Research) -> Brief:
        answer: Any = interrupt("which?", response_schema=Brief)
        return Brief(task=answer["task"] if isinstance(answer, dict) else answer.task)

    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {"found": GOOD})
    builder.add_node("b", reader(asked))
    builder.add_edge(START, "a")
    add_handoff(builder, asked, read="found")
    graph = builder.compile(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "t"}}
    await call(graph, {}, thread)
    with pytest.raises(ValueError, match="task"):
        await call(graph, Command(resume={"nothing": 1}), thread)
    assert (await call(graph, Command(resume={"task": "this"}), thread))["seen"]["task"] == "this"


async def test_an_invalid_answer_to_an_interrupt_in_a_read_function_leaves_it_pending(call: Call) -> None:
    def read(state: Any) -> Any:
        return {"question": interrupt("which?", response_schema=Brief).task}

    graph = two_agents(make(), read=read).compile(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "t"}}
    await call(graph, {}, thread)
    with pytest.raises(ValueError, match="task"):
        await call(graph, Command(resume={"nothing": 1}), thread)
    assert (await call(graph, Command(resume={"task": "this"}), thread))["seen"]["task"] == "this"


def test_importing_the_package_loads_nothing_heavy_or_optional() -> None:
    code = (
        "import sys, json, langgraph.graph\n"
        "before = set(sys.modules)\n"
        "from crux_langgraph import *\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(ran.stdout)
    banned = ("langchain.", "langchain_openai", "langgraph.prebuilt", "sqlite3", "psycopg", "typer", "rich", "openai")
    assert [name for name in loaded if name.startswith(banned)] == []

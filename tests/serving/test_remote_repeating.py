"""A call that LangGraph repeats, after an interrupt, a retry or a kill, ends in one remote run and the right result."""

import asyncio
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command, RetryPolicy, interrupt
from remote import THREAD, calling_agent, calling_node, calling_one, far, researcher
from support import Call

from crux_langgraph import errors

HERE = Path(__file__).parent
TESTS = str(HERE.parent)
START_S = 120

pytestmark = pytest.mark.serving


def asked(state: Any) -> list[Any]:
    return [one.value for one in state["__interrupt__"]]


async def test_two_questions_in_a_row_are_asked_and_answered_once_each(call: Call, url: str) -> None:
    graph = calling_node(call, far(url), {"do": "ask", "data": ["one?", {"two": 2}]})
    assert asked(await call(graph, {}, THREAD)) == ["one?"]
    assert asked(await call(graph, Command(resume="first"), THREAD)) == [{"two": 2}]
    assert (await call(graph, Command(resume="second"), THREAD))["got"] == [["first", "second"]]


async def test_a_tool_asks_its_caller_and_goes_on_with_the_answer(call: Call, url: str) -> None:
    made = far(url)
    agent = calling_agent(made, {"do": "ask", "data": ["sure?"]})
    assert asked(await call(agent, {"messages": ["go"]}, THREAD)) == ["sure?"]
    state = await call(agent, Command(resume="yes"), THREAD)
    assert made.result(state["messages"][2]).data.out == ["yes"]


async def test_questions_of_parallel_tasks_are_all_answered_before_it_goes_on(call: Call, url: str) -> None:
    made = far(url, output=lambda state: {"out": sorted(state["asked"])})
    graph = calling_node(call, made, {"do": "ask_all", "data": ["a?", "b?"]})
    first = asked(await call(graph, {}, THREAD))
    second = asked(await call(graph, Command(resume="1"), THREAD))
    assert sorted(first + second) == ["a?", "b?"]
    state = await call(graph, Command(resume="2"), THREAD)
    assert state["got"] == [sorted([[first[0], "1"], [second[0], "2"]])]


async def test_answers_of_the_remote_and_of_the_node_itself_are_not_mixed_up(call: Call, url: str) -> None:
    made = far(url, output=lambda state: {"out": [*state["out"], interrupt("mine?")]})
    graph = calling_node(call, made, {"do": "ask", "data": ["yours?"]}, {"do": "echo", "data": ["again"]})
    seen = [asked(await call(graph, {}, THREAD))]
    seen += [asked(await call(graph, Command(resume=answer), THREAD)) for answer in "ab"]
    assert seen == [["yours?"], ["mine?"], ["mine?"]]
    assert (await call(graph, Command(resume="c"), THREAD))["got"] == [["a", "b"], ["again", "c"]]


async def test_a_repaired_return_is_the_same_when_its_node_runs_again(call: Call, url: str, client: Any) -> None:
    made = researcher(url, max_repairs=1)
    seen: list[Any] = []

    async def awaited(_: Any) -> Any:
        seen.append(await made.arun({"question": "wrong"}))
        return {"got": [interrupt("go on?")]}

    def node(_: Any) -> Any:
        seen.append(made.run({"question": "wrong"}))
        return {"got": [interrupt("go on?")]}

    graph = calling_one(awaited if call.is_async else node)
    await call(graph, {}, THREAD)
    await call(graph, Command(resume="yes"), THREAD)
    first, again = seen
    assert (first.data, first.repairs) == (again.data, again.repairs)
    assert (again.data.facts, again.repairs) == (["asked 2 times"], 1)


async def test_a_retry_goes_on_where_the_remote_run_failed(call: Call, url: str) -> None:
    policy = RetryPolicy(retry_on=errors.is_retryable, initial_interval=0.01)
    graph = calling_node(call, far(url), {"do": "fail_once"}, retry_policy=policy)
    assert (await call(graph, {}, THREAD))["got"] == [{"tries": 2}]


async def test_a_retry_keeps_the_answers_that_were_given(call: Call, url: str) -> None:
    policy = RetryPolicy(retry_on=errors.is_retryable, initial_interval=0.01)
    graph = calling_node(call, far(url), {"do": "ask_then_fail_once", "data": ["sure?"]}, retry_policy=policy)
    assert asked(await call(graph, {}, THREAD)) == ["sure?"]
    assert (await call(graph, Command(resume="yes"), THREAD))["got"] == [["yes"]]


async def test_equal_calls_of_one_node_are_runs_of_their_own(call: Call, url: str) -> None:
    nap = {"do": "nap", "data": 0}
    graph = calling_node(call, far(url), nap, nap)
    one, two = (await call(graph, {}, THREAD))["got"]
    assert (one["thread"] != two["thread"], one["tries"], two["tries"]) == (True, 1, 1)


async def test_a_later_turn_with_the_same_call_id_is_a_run_of_its_own(call: Call, url: str) -> None:
    made = far(url)
    agent = calling_agent(made, {"do": "nap", "data": 0}, turns=2)
    for _ in range(2):
        state = await call(agent, {"messages": ["go"]}, THREAD)
    one, two = (made.result(state["messages"][at]).data.out for at in (2, 6))
    assert (one["thread"] != two["thread"], one["tries"], two["tries"]) == (True, 1, 1)


@pytest.mark.parametrize("place", ["node", "tool"])
async def test_a_caller_that_is_killed_and_started_again_finds_its_run(
    call: Call, url: str, client: Any, tmp_path: Path, place: str
) -> None:
    command = [sys.executable, str(HERE / "killed_caller.py"), url, call.way, place, str(tmp_path)]
    run = partial(asyncio.create_subprocess_exec, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": TESTS})

    async def waiting(when: str) -> asyncio.subprocess.Process:
        process = await run(*command, when)
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), START_S) == b"waiting\n"
        return process

    first = await waiting("begin")
    first.kill()
    await first.wait()
    second = await waiting("again")  # it has joined the run: what that had streamed before comes again
    (tmp_path / "go").touch()
    out, _ = await asyncio.wait_for(second.communicate(), START_S)
    thread, tries = out.decode().splitlines()[-1].split()
    (only,) = await client.runs.list(thread)
    assert (tries, only["status"]) == ("1", "success")

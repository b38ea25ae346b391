"""Every way in which a remote subagent can fail, and the one error that each of them is."""

import asyncio
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from dev_server import free_port
from langgraph_sdk.errors import NotFoundError
from remote import THREAD, calling_agent, calling_node, far, researcher
from support import Call

from crux_langgraph import errors

pytestmark = pytest.mark.serving


async def failed(call: Call, made: Any, deed: dict[str, Any]) -> Any:
    with pytest.raises(errors.DelegateError) as caught:
        await call.run(made, deed)
    return caught.value


async def test_a_remote_exception_comes_with_its_class_and_its_words(call: Call, url: str) -> None:
    error = await failed(call, far(url), {"do": "fail"})
    assert (type(error), error.layer) == (errors.SubagentError, "subagent")
    assert "far raised SpecialError on its server" in str(error)
    cause = error.__cause__
    assert (type(cause), cause.kind, str(cause)) == (
        errors.RemoteFailureError,
        "SpecialError",
        "SpecialError('failed on purpose')",
    )
    assert errors.is_retryable(error)


async def test_a_remote_validation_error_is_not_worth_a_retry(call: Call, url: str) -> None:
    error = await failed(call, far(url), {"do": "invalid", "data": "none"})
    assert (error.__cause__.kind, errors.is_retryable(error)) == ("ValidationError", False)


async def test_an_error_of_the_run_and_of_no_task_has_its_words_too(call: Call, url: str) -> None:
    error = await failed(call, far(url, recursion_limit=1), {"do": "echo"})
    assert error.__cause__.kind == "GraphRecursionError"
    assert "Recursion limit of 1" in str(error.__cause__)


async def test_a_remote_parent_command_is_refused(call: Call, url: str) -> None:
    error = await failed(call, far(url), {"do": "parent"})
    assert (type(error), "steered its caller" in str(error)) == (errors.SubagentError, True)


async def test_a_server_that_is_away_is_told_apart_from_a_subagent_that_fails(call: Call) -> None:
    address = f"http://user:s3cret@127.0.0.1:{free_port()}"
    error = await failed(call, far(address), {"do": "echo"})
    assert (type(error), error.layer, error.reason, error.status) == (
        errors.TransportError,
        "transport",
        "away",
        None,
    )
    assert ("s3cret" not in str(error), errors.is_retryable(error)) == (True, True)


async def test_an_assistant_that_is_not_there_is_named(call: Call, url: str) -> None:
    for assistant in ("nobody", str(uuid4())):
        made = researcher(url, id="nobody")
        made._subagent.address = made._subagent.address._replace(assistant=assistant)
        error = await failed(call, made, {"question": "Why?"})
        assert (error.reason, repr(assistant) in str(error), errors.is_retryable(error)) == (
            "unknown_assistant",
            True,
            False,
        )


async def test_a_call_that_takes_too_long_is_cancelled_on_the_server(url: str, client: Any) -> None:
    made = far(url, timeout_s=6)
    graph = calling_node(Call("ainvoke"), made, {"do": "nap", "data": 30})
    with pytest.raises(errors.TimeLimitError):
        await graph.ainvoke({}, THREAD)
    assert await settled(client, asked_for={"do": "nap", "data": 30}) == "interrupted"


async def test_a_caller_that_is_cancelled_cancels_its_run(url: str, client: Any) -> None:
    graph = calling_node(Call("ainvoke"), far(url), {"do": "nap", "data": 31})
    started = asyncio.Event()

    async def follow() -> None:
        async for _ in graph.astream({}, THREAD, stream_mode="custom"):
            started.set()

    caller = asyncio.create_task(follow())
    await started.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert await settled(client, asked_for={"do": "nap", "data": 31}) == "interrupted"


async def settled(client: Any, asked_for: dict[str, Any]) -> str:
    """The status of the only run that was asked for this, once it is neither pending nor running."""
    until = time.monotonic() + 10
    while True:
        threads = await client.threads.search(limit=5)
        runs = [run for thread in threads for run in await client.runs.list(thread["thread_id"])]
        (run,) = (run for run in runs if run["kwargs"]["input"] == asked_for)
        if run["status"] not in ("pending", "running"):
            status: str = run["status"]
            return status
        assert time.monotonic() < until, run["status"]
        await asyncio.sleep(0.1)


async def test_a_run_that_somebody_else_stopped_is_a_failure(url: str, client: Any) -> None:
    call = Call("ainvoke")
    graph = calling_node(call, far(url), {"do": "nap", "data": 32})

    async def follow() -> None:
        async for _ in graph.astream({}, THREAD, stream_mode="custom"):
            for thread in await client.threads.search(status="busy"):
                (run,) = await client.runs.list(thread["thread_id"])
                with suppress(NotFoundError):  # it may have ended by itself in the meantime
                    await client.runs.cancel(thread["thread_id"], run["run_id"])

    with pytest.raises(errors.SubagentError, match="was cancelled on its server"):
        await follow()


async def test_a_question_outside_of_any_graph_cannot_be_answered(call: Call, url: str) -> None:
    error = await failed(call, far(url), {"do": "ask", "data": ["Sure?"]})
    assert (type(error), "no graph around it can be resumed" in str(error)) == (errors.SubagentError, True)


async def test_an_agent_that_is_told_of_failures_goes_on(call: Call, url: str) -> None:
    agent = calling_agent(far(url, on_error="tell"), {"do": "fail"}, {"do": "echo", "data": 1})
    state = await call(agent, {"messages": ["go"]}, THREAD)
    assert [message.status for message in state["messages"][2:4]] == ["error", "success"]
    assert state["messages"][-1].content == "the end"

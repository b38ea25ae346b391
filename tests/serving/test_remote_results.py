"""A delegate whose subagent is served gives what a local one gives, and sends no more than it is told to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langsmith import Client, tracing_context
from remote import THREAD, Ask, Deed, calling_agent, calling_node, far, research_to_brief, researcher
from support import Brief, Call
from trace_capture import Captured, Runs

from crux_langgraph import Delegate, errors

pytestmark = pytest.mark.serving


@dataclass
class Ctx:
    user: str
    secret: str


async def test_a_structured_response_is_checked_transformed_and_handed_over(call: Call, url: str) -> None:
    result = await call.run(researcher(url), {"question": "Why?"})
    assert (result.data, result.repairs) == (Brief(task="Why?", facts=["asked 1 times"]), 0)
    assert result.duration_s >= result.subagent_duration_s > 0


async def test_a_wrong_return_is_sent_back_into_the_conversation(call: Call, url: str) -> None:
    result = await call.run(researcher(url, max_repairs=2), {"question": "wrong, wrong"})
    assert (result.data.facts, result.repairs) == (["asked 3 times"], 2)
    with pytest.raises(errors.ReturnError) as caught:
        await call.run(researcher(url), {"question": "wrong"})
    assert [problem.path for problem in caught.value.problems] == ["question"]
    assert caught.value.returned["structured_response"] == {"findings": ["wrong"]}


async def test_its_messages_are_message_objects(call: Call, url: str) -> None:
    seen: list[Any] = []
    await call.run(far(url, output=lambda state: seen.append(state["messages"]) or {"out": 1}), {"do": "echo"})
    assert seen == [[AIMessage("done", id="m")]]


async def test_as_a_tool_it_answers_each_call_of_an_agent(call: Call, url: str) -> None:
    made = far(url)
    agent = calling_agent(made, {"do": "echo", "data": 1}, {"do": "echo", "data": 2}, {"data": 3})
    state = await call(agent, {"messages": ["go"]}, THREAD)
    one, two, three = state["messages"][2:5]
    assert [made.result(message).data.out for message in (one, two)] == [1, 2]
    assert (three.status, "(layer: arguments)" in three.content) == ("error", True)


async def test_what_it_streams_goes_on_to_the_callers_stream(call: Call, url: str) -> None:
    graph = calling_node(call, far(url), {"do": "say", "data": ["one", {"two": 2}]})
    assert await call.stream(graph, {}, THREAD, stream_mode="custom") == ["one", {"two": 2}]
    made = far(url, forwards=["updates"], id="walker")
    graph = calling_node(call, made, {"do": "echo", "data": 1})
    (chunk,) = await call.stream(graph, {}, THREAD, stream_mode="custom")
    assert (chunk["delegate"], chunk["mode"], list(chunk["data"])) == ("walker", "updates", ["work"])


async def test_of_the_callers_config_only_the_listed_keys_travel(call: Call, url: str) -> None:
    secret = {"configurable": {"thread_id": "t", "tenant": "acme", "token": "s3cret"}, "metadata": {"token": "s3cret"}}
    graph = calling_node(call, far(url, config_keys=["tenant", "absent"]), {"do": "around"})
    (around,) = (await call(graph, {}, secret))["got"]
    assert (around["tenant"], around["thread_id"] != "t") == ("acme", True)
    assert "s3cret" not in str(around)
    graph = calling_node(call, far(url), {"do": "around"})
    assert "tenant" not in (await call(graph, {}, secret))["got"][0]


async def test_of_the_callers_context_only_the_listed_keys_travel(call: Call, url: str) -> None:
    made = far(url, context_schema=Ctx, context_keys=["user"])
    assert (await call.run(made, {"do": "user"}, context=Ctx("ada", "s3cret"))).data.out == "ada"
    assert "s3cret" not in str((await call.run(made, {"do": "around"}, context=Ctx("ada", "s3cret"))).data)
    with pytest.raises(errors.ContextError):
        await call.run(made, {"do": "user"})
    made = far(url, context_schema=dict, context_keys=["user"])
    assert (await call.run(made, {"do": "user"}, context={"user": "bob"})).data.out == "bob"


async def test_each_request_has_the_headers_of_the_moment(call: Call, url: str) -> None:
    given: list[str] = []

    def headers() -> Mapping[str, str]:
        given.append("token")
        return {"x-ticket": f"{len(given)}"}

    async def aheaders() -> Mapping[str, str]:
        return headers()

    made = far(url, headers=aheaders if call.is_async else headers)
    assert int((await call.run(made, {"do": "around"})).data.out["x-ticket"]) > 1
    made = far(url, headers={"x-ticket": "fixed"})
    assert (await call.run(made, {"do": "around"})).data.out["x-ticket"] == "fixed"


def test_a_call_past_all_checks_gives_the_final_state(url: str) -> None:
    assert far(url)({"do": "echo", "data": 1})["out"] == 1


async def test_its_runs_are_children_of_the_callers_in_the_other_process(
    call: Call, url: str, traces: Captured
) -> None:
    client = Client(api_url=traces.url, api_key="of-the-tests")
    agent = calling_agent(far(url, id=f"traced-{call.way}", distributed_tracing=True), {"do": "around"})
    with tracing_context(enabled=True, client=client, project_name=call.way):
        await call(agent, {"messages": ["go"]}, {"configurable": {"thread_id": "t", "token": "s3cret"}})
    client.flush()

    def nested(runs: Runs) -> Any:
        tools = [run for run in runs.values() if run.get("name") == f"traced_{call.way}" and run["run_type"] == "tool"]
        remote = [run for run in runs.values() if run.get("name") == "far" and run["session_name"] == call.way]
        return (tools[0], remote[0]) if tools and remote and "dotted_order" in remote[0] else None

    tool, remote = traces.wait_for(nested)
    assert (remote["trace_id"], remote["dotted_order"].startswith(tool["dotted_order"])) == (tool["trace_id"], True)
    assert "s3cret" not in str(remote)


async def test_published_schemas_are_compared_at_the_first_call(call: Call, url: str) -> None:
    class Wrong(Ask):
        question: int

    for made, said in [
        (far(url, output="structured_response", handoff=research_to_brief), None),
        (far(url, output="structured_response"), "structured_response.out: expected"),
        (far(url, prompt=lambda _: {"do": "echo", "dat": 1}), "dat: expected an input of that name"),
    ]:
        if said is None:
            with pytest.raises(errors.ReturnError):  # they fit; what this run gives does not
                await call.run(made, {"do": "echo"})
            continue
        with pytest.raises(errors.SchemaMismatchError) as caught:
            await call.run(made, {"do": "echo"})
        assert (caught.value.layer, said in str(caught.value)) == ("schema", True)


def test_a_delegate_of_an_assistant_by_its_id_needs_a_name(url: str) -> None:
    with pytest.raises(errors.DefinitionError, match="an id and no name"):
        Delegate.from_remote(url, "fe096781-5601-53d2-b2f6-0d3403f7e9ca", handoff=research_to_brief, args_schema=Deed)

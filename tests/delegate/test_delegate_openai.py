"""A real OpenAI client, against a server on this machine, drives an agent with two delegates."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage
from langchain_openai import ChatOpenAI
from loopback import asks, openai_server, says
from openai import BadRequestError
from pydantic import BaseModel, Field
from support import Brief, Call, Research, to_brief

from crux_langgraph import Delegate, delegate, handoff

CONTRACT = handoff(id="a-to-b")(to_brief)


class Ask(BaseModel):
    question: str


@delegate(handoff=CONTRACT)
def look_up(question: str, depth: int = 1) -> Research:
    """Look something up.

    Args:
        question: what to look for
    """
    return Research(question=question, findings=["found"] * depth)


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """The orchestrator, whose first arguments are wrong, and the researcher without tools, whose first answer is."""
    answered = [message for message in body["messages"] if message["role"] == "tool"]
    if "tools" not in body:
        told = "is not a valid Research" in body["messages"][-1]["content"]
        return says(json.dumps({"question": "deep", "findings": ["one"] if told else "one"}))
    if not answered:
        return asks(("1", "look_up", {"question": "wide", "depth": "far"}), ("2", "researcher", {"question": "deep"}))
    if len(answered) == 2:
        return asks(("3", "look_up", {"question": "wide", "depth": 2}))
    return says("done")


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    with openai_server(answer) as serving:
        yield serving


def chat(url: str, *, streaming: bool = False) -> ChatOpenAI:
    return ChatOpenAI(model="m", base_url=url, api_key="none", streaming=streaming, stream_usage=True, max_retries=0)


def researcher(model: ChatOpenAI) -> Delegate[Any, Any, Any, Any]:
    agent = create_agent(model, tools=[], name="researcher")
    return Delegate.from_graph(agent, handoff=CONTRACT, args_schema=Ask, output="text", description="Research deeply.")


@pytest.mark.parametrize("streaming", [False, True])
async def test_an_agent_with_two_delegates_works_end_to_end(
    call: Call, server: Any, users_may_block: None, *, streaming: bool
) -> None:
    url, bodies = server
    model = chat(url, streaming=streaming)
    deep = researcher(model)
    out = await call(create_agent(model, tools=[look_up.as_tool(), deep.as_tool()]), {"messages": ["go"]})
    told = {message.tool_call_id: message for message in out["messages"] if isinstance(message, ToolMessage)}
    assert list(told) == ["1", "2", "3"]
    assert told["1"].status == "error"
    assert "depth: expected a valid integer" in told["1"].content
    assert deep.result(told["2"]).data == Brief(task="deep", facts=["one"])
    assert look_up.result(told["3"]).data == Brief(task="wide", facts=["found", "found"])
    assert out["messages"][-1].content == "done"
    (usage,) = deep.result(told["2"]).usage.values()
    assert (deep.result(told["2"]).repairs, usage["total_tokens"], len(bodies)) == (1, 30, 5)
    assert {body.get("stream", False) for body in bodies} == {streaming}
    sent = [message for message in bodies[-1]["messages"] if message["role"] == "tool"]
    assert json.loads(sent[1]["content"]) == {"data": {"task": "deep", "facts": ["one"]}, "summary": None}


class Source(BaseModel):
    """Where to look."""

    url: str
    weight: float | None = None


@delegate(handoff=CONTRACT)
def search(
    question: str,
    kinds: list[Literal["web", "paper"]],
    since: date | None = None,
    depth: Annotated[int, Field(ge=1, le=3)] = 2,
    within: list[Source] | None = None,
    first: Source | None = None,
    how: Literal["wide", "deep"] = "wide",
) -> Research:
    """Search.

    Args:
        question: what to look for
        first: where to begin
    """
    urls = [source.url for source in (*(within or ()), *([first] if first else ()))]
    return Research(question=question, findings=[str(depth), how, str(since), *kinds, *urls])


class Strictly(AgentMiddleware[Any, Any]):
    """Has an agent's model bind its tools strictly."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return handler(request.override(model_settings={"strict": True}))

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        return await handler(request.override(model_settings={"strict": True}))


EVERY_ARGUMENT: dict[str, Any] = {
    "question": "q",
    "kinds": ["paper"],
    "since": None,
    "depth": 3,
    "within": [{"url": "one", "weight": None}],
    "first": None,
    "how": "deep",
}


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_strict_agent_gives_every_argument_and_null_for_what_it_leaves_out(
    call: Call, users_may_block: None, *, streaming: bool
) -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        done = any(message["role"] == "tool" for message in body["messages"])
        return says("done") if done else asks(("1", "search", EVERY_ARGUMENT))

    with openai_server(answer) as (url, bodies):
        model = chat(url, streaming=streaming)
        agent = create_agent(model, tools=search.as_tools(), middleware=[Strictly()])
        out = await call(agent, {"messages": ["go"]})
    assert search.result(out["messages"][-2]).data == Brief(task="q", facts=["3", "deep", "None", "paper", "one"])
    function = bodies[0]["tools"][0]["function"]
    assert function["strict"] is True
    assert function["parameters"]["properties"]["question"]["description"] == "what to look for"
    assert function["parameters"]["properties"]["first"]["description"] == "where to begin"


async def test_delegates_of_functions_and_graphs_have_schemas_that_a_strict_provider_takes(call: Call) -> None:
    with openai_server(lambda _: says("ready")) as (url, bodies):
        tools = [look_up.as_tool(), researcher(chat(url)).as_tool(), search.as_tool()]
        assert (await call(chat(url).bind_tools(tools, strict=True), "go")).content == "ready"
    assert [tool["function"]["strict"] for tool in bodies[0]["tools"]] == [True, True, True]


async def test_a_strict_provider_refuses_a_schema_that_is_not_strict(call: Call) -> None:
    @delegate(handoff=CONTRACT)
    def paired(pair: tuple[int, str]) -> Research:
        """Take a pair."""
        raise NotImplementedError

    with openai_server(lambda _: says("ready")) as (url, _), pytest.raises(BadRequestError, match="'prefixItems'"):
        await call(chat(url).bind_tools([paired.as_tool()], strict=True), "go")

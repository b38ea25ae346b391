"""The calls of a summarising model are runs below `handoff:prepare`, and no private field is in what it is sent."""

from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel
from support import Call, ScriptedModel, two_agents
from watching import Traced

from crux_langgraph import Handoff, Private, Summarize

pytestmark = pytest.mark.usefixtures("sync_may_block")

SECRET = "tok_5e3a9c71"
PROSE = "The northern road was closed after a landslide, and every crate had to wait for a dry day. " * 80
FOUND = {"findings": PROSE, "token": SECRET, "sources": [{"name": "port", "key": SECRET}]}
USED = {"input_tokens": 50, "output_tokens": 9, "total_tokens": 59}


class Source(BaseModel):
    name: str
    key: Annotated[str, Private()]


class Notes(BaseModel):
    findings: str
    token: Annotated[str, Private()]
    sources: list[Source]


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(replies=[AIMessage("The road is closed.", usage_metadata=USED)])


def contract(model: Any) -> Handoff[Any, Any]:
    return Handoff.of(
        Notes, id="a-to-b", from_agent="a", to_agent="b", max_tokens=600, summarize=Summarize(model, max_calls=4)
    )


async def test_a_models_calls_hang_below_the_preparation_of_the_node(
    call: Call, traced: Traced, model: ScriptedModel
) -> None:
    await call(two_agents(contract(model), found=FOUND).compile(), {})
    server = traced.sent()
    calls = server.find("ScriptedModel")
    assert len(calls) == len(model.sent) >= 1
    assert {server.parent(run) for run in calls} == {"handoff:prepare"}
    [prepare] = server.find("handoff:prepare")
    assert prepare["extra"]["metadata"]["crux_model_calls"] == len(calls)
    assert server.parent(prepare) == "a-to-b"


async def test_a_models_calls_hang_below_the_preparation_outside_of_any_graph(
    call: Call, traced: Traced, model: ScriptedModel
) -> None:
    await call.prepare(contract(model), FOUND)
    server = traced.sent()
    assert server.outline() == ["handoff:prepare", *["  ScriptedModel"] * len(model.sent)]


async def test_a_private_field_is_neither_in_the_prompts_nor_in_their_runs(
    call: Call, traced: Traced, model: ScriptedModel
) -> None:
    payload = await call.prepare(contract(model), FOUND)
    server = traced.sent()
    assert payload.summary == "The road is closed."
    assert "northern road" in repr(model.sent)
    assert SECRET not in repr(model.sent)
    assert SECRET.encode() not in server.raw
    assert b"northern road" in server.raw

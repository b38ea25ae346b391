"""A run that takes no time is sent to LangSmith whole, and is there what LangSmith's own tracer would have made of it."""

from typing import Any

import langsmith
import pytest
from langchain_core.runnables import RunnableConfig
from langchain_core.tracers import LangChainTracer
from langgraph.graph import START, StateGraph
from langsmith import Client
from langsmith.run_helpers import tracing_context
from langsmith_server import LangSmithServer
from support import BAD, GOOD, Call, Research, State, two_agents
from watching import Traced

from crux_langgraph import Handoff, errors
from crux_langgraph.instrumentation import recorded

AS_IT_IS: Any = Handoff.of(Research, id="a-to-b", from_agent="a", to_agent="b")
OF_EACH_RUN = {"id", "trace_id", "dotted_order", "parent_run_id", "start_time", "end_time", "events", "outputs"}


class Extended(LangChainTracer):
    """A tracer as users extend it: it must hear of a start and an end."""

    heard: list[str]

    def on_chain_start(self, *args: Any, name: str | None = None, **told: Any) -> Any:
        self.heard = [*getattr(self, "heard", []), f"start {name}"]
        return super().on_chain_start(*args, name=name, **told)


def alone(server: LangSmithServer) -> dict[str, Any]:
    [run] = server.find("handoff:prepare")
    return run


def comparable(run: dict[str, Any]) -> dict[str, Any]:
    extra = {key: value for key, value in run["extra"].items() if key != "defers_inputs"}
    extra["metadata"] = {
        key: value
        for key, value in extra["metadata"].items()
        if key not in ("crux_payload_id", "crux_duration_s", "langgraph_checkpoint_ns", "checkpoint_ns")
    }
    rest = {key: value for key, value in run.items() if key not in OF_EACH_RUN}
    return {**rest, "extra": extra, "tags": sorted(run["tags"]), "events": [one["name"] for one in run["events"]]}


async def crossed(call: Call, traced: Traced, tracer: LangChainTracer, found: Any = GOOD) -> dict[str, Any]:
    """Let it cross in a graph with this tracer, and give the run that arrived last."""
    config: RunnableConfig = {
        "callbacks": [tracer],
        "tags": ["mine"],
        "metadata": {"of": "mine"},
        "configurable": {"thread_id": "t"},
    }
    try:
        await call(two_agents(AS_IT_IS, found=found).compile(), {}, config)
    except errors.InputError:
        assert found is BAD
    return traced.sent().find("handoff:prepare")[-1]


@pytest.mark.parametrize("found", [GOOD, BAD], ids=["success", "failure"])
async def test_what_is_sent_is_what_the_tracer_would_send(call: Call, traced: Traced, found: Any) -> None:
    options: Any = {"client": traced.client, "tags": ["of the tracer"], "metadata": {"kept": "by the tracer"}}
    extended = Extended(**options)
    sent = await crossed(call, traced, LangChainTracer(**options), found)
    ours = comparable(sent)
    theirs = comparable(await crossed(call, traced, extended, found))
    assert ours == theirs
    assert "defers_inputs" not in sent["extra"]
    assert "of the tracer" in ours["tags"]
    assert ours["extra"]["metadata"]["kept"] == "by the tracer"
    assert "start handoff:prepare" in extended.heard


async def test_it_is_among_the_children_of_the_run_around_it_where_evaluators_look(call: Call, traced: Traced) -> None:
    with langsmith.trace("root") as root:
        await call(two_agents(AS_IT_IS).compile(), {})
    [graph] = root.child_runs
    [node] = [run for run in graph.child_runs if run.name == "a-to-b"]
    assert [run.name for run in node.child_runs] == ["handoff:prepare"]
    assert traced.sent().parent(alone(traced.server)) == "a-to-b"


async def test_where_a_block_turns_traces_off_nothing_is_sent(call: Call, traced: Traced) -> None:
    async def quiet(_: Any) -> Any:
        with tracing_context(enabled=False):
            await call.prepare(AS_IT_IS, GOOD)
        return {}

    builder: Any = StateGraph(State)
    builder.add_node("n", quiet)
    builder.add_edge(START, "n")
    await builder.compile().ainvoke({}, {"callbacks": [LangChainTracer(client=traced.client)]})
    assert traced.sent().outline() == ["LangGraph", "  n"]


async def test_a_run_whose_metadata_the_tracer_may_override_is_left_to_the_tracer(call: Call, traced: Traced) -> None:
    tracer = LangChainTracer(client=traced.client, metadata={"ls_agent_type": "subagent"})
    config: Any = {"callbacks": [tracer], "metadata": {"ls_agent_type": "root"}}
    await call(two_agents(AS_IT_IS).compile(), {}, config)
    [node] = traced.sent().find("a-to-b")
    assert alone(traced.server)["extra"]["metadata"]["ls_agent_type"] == node["extra"]["metadata"]["ls_agent_type"]


async def test_its_whole_payload_is_attached_where_that_is_asked_for(call: Call, traced: Traced) -> None:
    with recorded(attachments=True):
        await call(two_agents(AS_IT_IS).compile(), {})
    server = traced.sent()
    assert set(server.attachments) == {(alone(server)["id"], "input"), (alone(server)["id"], "output")}


async def test_one_that_cannot_be_sent_is_logged_by_type_and_breaks_no_handoff(
    call: Call, traced: Traced, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(Client):
        def create_run(self, name: str, *args: Any, **kwargs: Any) -> None:
            if name == "handoff:prepare":
                raise ZeroDivisionError(GOOD["question"])
            super().create_run(name, *args, **kwargs)

    client = Refusing(api_url=traced.server.url, api_key="none")
    state = await call(two_agents(AS_IT_IS).compile(), {}, {"callbacks": [LangChainTracer(client=client)]})
    client.close()
    assert state["handoffs"]
    assert [record.getMessage() for record in caplog.records if record.name == "crux_langgraph"] == [
        "A listener failed at on_chain_end: ZeroDivisionError"
    ]

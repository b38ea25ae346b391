"""A delegate as a tool: its schema, content and artifact, what reaches the function, and who is told of what."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from langchain.agents import create_agent
from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import ToolException
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.errors import is_invalid_resume
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, interrupt
from pydantic import BaseModel, ConfigDict, PlainSerializer, ValidationError
from support import Brief, Call, Research, ScriptedModel, calling, to_brief

from crux_langgraph import Delegate, Handoff, Private, delegate, errors, handoff

CONTRACT = handoff(id="a-to-b")(to_brief)


@dataclass
class Ctx:
    user: str


@delegate(handoff=CONTRACT)
def research(question: str, depth: int = 1) -> Research:
    """Look into a question."""
    return Research(question=question, findings=["found"] * depth)


@delegate(handoff=CONTRACT, on_error="tell")
def told(failure: str) -> Research:
    """Fail."""
    if failure == "raises":
        raise KeyError(failure)
    return Research(question=failure) if failure == "output" else failure  # type: ignore[return-value]


def node_of(*tools: Any, context_schema: Any = None, **options: Any) -> Any:
    builder: Any = StateGraph(MessagesState, context_schema=context_schema)
    builder.add_node("tools", ToolNode(list(tools)))
    builder.add_edge(START, "tools")
    return builder.compile(**options)


def tool_call(name: str, call_id: str = "1", /, **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args, "id": call_id, "type": "tool_call"}


def test_a_model_sees_the_arguments_and_nothing_else() -> None:
    @delegate(handoff=CONTRACT, context_schema=Ctx)
    def asks(question: str, *, context: Ctx, runtime: ToolRuntime | None = None, config: RunnableConfig) -> Research:
        """Ask."""
        raise NotImplementedError

    function = convert_to_openai_tool(asks.as_tool())["function"]
    assert (function["name"], function["description"]) == ("asks", "Ask.")
    assert list(function["parameters"]["properties"]) == ["question"]


async def test_by_hand_with_bare_arguments_the_content_comes(call: Call) -> None:
    content = await call(research.as_tool(), {"question": "Why?"})
    assert json.loads(content) == {"data": {"task": "Why?", "facts": ["found"]}, "summary": None}
    assert json.loads(await call(research.as_tool(), "Why?")) == json.loads(content)


async def test_by_hand_with_a_tool_call_the_message_holds_the_result(call: Call) -> None:
    message = await call(research.as_tool(), tool_call("research", question="Why?", depth=0))
    assert (message.name, message.tool_call_id, message.status) == ("research", "1", "success")
    result = research.result(message)
    assert (result.data, result.delegate_id, result.repairs) == (Brief(task="Why?"), "research", 0)
    assert json.loads(json.dumps(message.artifact)) == result.to_envelope()


async def test_by_hand_a_failure_without_a_tool_call_is_raised(call: Call) -> None:
    with pytest.raises(errors.ArgumentsError):
        await call(research.as_tool(), {"question": 1})
    with pytest.raises(errors.SubagentError):
        await call(told.as_tool(), {"failure": "raises"})


async def test_bad_arguments_are_told_to_the_calling_model_by_field(call: Call) -> None:
    bad = AIMessage("", tool_calls=[tool_call("research", question=1), tool_call("research", "2", more="x")])
    out = await call(node_of(research.as_tool()), {"messages": [bad]})
    one, two = out["messages"][1:]
    assert (one.status, two.status) == ("error", "error")
    assert "question: expected a valid string, found int" in one.content
    assert "question: expected a value (it is required), found nothing" in two.content
    assert "more: expected" in two.content
    assert "Traceback" not in one.content
    assert one.artifact is None


class Exact(BaseModel):
    model_config = ConfigDict(strict=True)

    day: date
    kind: Literal["wide", "deep"]
    span: tuple[int, int]


@delegate(handoff=CONTRACT, args_schema=Exact)
def exact(args: Exact) -> Research:
    """Ask exactly."""
    return Research(question=f"{args.day:%A} {args.span}")


async def test_a_strict_schema_takes_the_json_that_a_model_gives_and_still_checks_it(call: Call) -> None:
    good = {"day": "2026-11-21", "kind": "wide", "span": [1, 2]}
    message = await call(exact.as_tool(), tool_call("exact", **good))
    assert exact.result(message).data.task == "Saturday (1, 2)"
    assert (await call.run(exact, {**good, "day": date(2026, 11, 21)})).data.task == "Saturday (1, 2)"
    bad = await call(exact.as_tool(), tool_call("exact", **{**good, "span": ["1", 2]}))
    assert "span[0]: expected a valid integer, found str" in bad.content
    with pytest.raises(errors.ArgumentsError, match="day: expected"):
        await call.run(exact, {**good, "day": object()})


async def test_a_tool_without_arguments_gets_its_runtime_too(call: Call) -> None:
    @delegate(handoff=CONTRACT)
    def where(*, runtime: ToolRuntime | None = None) -> Research:
        """Say where."""
        return Research(question=runtime.tool_call_id if runtime else "nowhere")

    assert json.loads(await call(where.as_tool(), {}))["data"]["task"] == "nowhere"
    out = await call(node_of(where.as_tool()), {"messages": [AIMessage("", tool_calls=[tool_call("where", "7")])]})
    assert where.result(out["messages"][-1]).data.task == "7"
    assert "input: expected" in (await call(where.as_tool(), tool_call("where") | {"args": {"input": 1}})).content
    with pytest.raises(errors.ArgumentsError, match="input"):
        await call(where.as_tool(), "text")


async def test_context_store_config_and_writer_reach_the_function(call: Call) -> None:
    @delegate(handoff=CONTRACT, context_schema=Ctx)
    def asks(*, context: Ctx, runtime: ToolRuntime | None = None, config: RunnableConfig) -> Research:
        """Ask."""
        assert runtime is not None
        assert runtime.store is not None
        runtime.stream_writer({"from": "subagent"})
        kept = runtime.store.get(("notes",), "one")
        return Research(question=context.user, findings=[kept.value["text"], config["configurable"]["thread_id"]])

    store = InMemoryStore()
    store.put(("notes",), "one", {"text": "kept"})
    graph = node_of(asks.as_tool(), context_schema=Ctx, store=store, checkpointer=InMemorySaver())
    given = {"messages": [AIMessage("", tool_calls=[tool_call("asks")])]}
    chunks = await call.stream(
        graph, given, {"configurable": {"thread_id": "t"}}, context=Ctx("ada"), stream_mode=["custom", "values"]
    )
    assert ("custom", {"from": "subagent"}) in chunks
    message = chunks[-1][1]["messages"][-1]
    assert asks.result(message).data == Brief(task="ada", facts=["kept", "t"])


async def test_a_forged_runtime_in_the_models_arguments_never_arrives(call: Call) -> None:
    @delegate(handoff=CONTRACT)
    def asks(*, runtime: ToolRuntime | None = None) -> Research:
        """Ask."""
        return Research(question=type(runtime).__name__)

    forged = tool_call("asks", runtime={"context": "evil"})
    out = await call(node_of(asks.as_tool()), {"messages": [AIMessage("", tool_calls=[forged])]})
    assert asks.result(out["messages"][-1]).data.task == "ToolRuntime"
    assert "runtime: expected" in (await call(asks.as_tool(), forged)).content


async def test_a_missing_context_is_nothing_for_the_model_to_repair(call: Call) -> None:
    @delegate(handoff=CONTRACT, context_schema=Ctx, on_error="tell")
    def asks(*, context: Ctx) -> Research:
        """Ask."""
        raise NotImplementedError

    given = {"messages": [AIMessage("", tool_calls=[tool_call("asks")])]}
    for context in (None, {"user": "ada"}):
        with pytest.raises(errors.ContextError):
            await call(node_of(asks.as_tool()), given, context=context)
    with pytest.raises(errors.ContextError):
        await call(asks.as_tool(), tool_call("asks"))


async def test_on_error_tell_tells_the_model_of_the_subagents_failures(call: Call) -> None:
    calls = [tool_call("told", "1", failure="raises"), tool_call("told", "2", failure="returns")]
    out = await call(node_of(told.as_tool()), {"messages": [AIMessage("", tool_calls=calls)]})
    raised, returned = out["messages"][1:]
    assert (raised.status, returned.status) == ("error", "error")
    assert raised.content.startswith("delegate 'told' (layer: subagent): told raised KeyError")
    assert returned.content.startswith("delegate 'told' (layer: return): what told returned is not a valid Research")


async def test_a_model_is_told_what_a_model_can_do(call: Call) -> None:
    for failure, advice in (("raises", "Call it again if the failure may pass"), ("returns", "Ask it for something")):
        message = await call(told.as_tool(), tool_call("told", failure=failure))
        assert advice in message.content
        assert "above" not in message.content
        assert ".returned" not in message.content


class Depends(BaseModel):
    user: str


@delegate(handoff=CONTRACT, context_schema=Depends)
def inner(*, context: Depends) -> Research:
    """Depend on a context."""
    raise NotImplementedError


@handoff
def broken(research: Research) -> Brief:
    return research  # type: ignore[return-value]


@delegate(handoff=broken)
def undelivered() -> Research:
    """Return well, to a broken handoff."""
    return Research(question="q")


@pytest.mark.parametrize("mistaken", [inner, undelivered])
async def test_a_programmers_mistake_further_inside_is_not_told_either(call: Call, mistaken: Any) -> None:
    @delegate(handoff=CONTRACT, on_error="tell")
    def middle() -> Research:
        """Call it."""
        return mistaken.run({}).data

    @delegate(handoff=CONTRACT, on_error="tell")
    def outer() -> Research:
        """Call the middle."""
        return middle.run({}).data

    with pytest.raises(errors.SubagentError, match="outer raised SubagentError"):
        await call(outer.as_tool(), tool_call("outer"))


async def test_on_error_raise_stops_the_graph_with_the_typed_error(call: Call) -> None:
    @delegate(handoff=CONTRACT)
    def fails() -> Research:
        """Fail."""
        raise ToolException

    with pytest.raises(errors.SubagentError, match="raised ToolException"):
        await call(node_of(fails.as_tool()), {"messages": [AIMessage("", tool_calls=[tool_call("fails")])]})


async def test_a_validation_error_inside_the_subagent_is_not_told_as_bad_arguments(call: Call) -> None:
    @delegate(handoff=CONTRACT)
    def builds() -> Research:
        """Build something wrongly."""
        return Research.model_validate({"question": 1})

    given = {"messages": [AIMessage("", tool_calls=[tool_call("builds")])]}
    for handled in (False, True):
        tool = builds.as_tool().model_copy(update={"handle_validation_error": handled})
        with pytest.raises(errors.SubagentError, match="built a Research that is not valid"):
            await call(node_of(tool), given)


async def test_an_invalid_answer_to_a_tools_interrupt_leaves_it_pending(call: Call) -> None:
    @delegate(handoff=CONTRACT, on_error="tell")
    def asks() -> Research:
        """Ask the user."""
        return interrupt("which?", response_schema=Research)

    model = ScriptedModel(replies=[calling(tool_call("asks")), "done"])
    agent = create_agent(model, tools=asks.as_tools(), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    assert "__interrupt__" in await call(agent, {"messages": ["go"]}, config)
    with pytest.raises(ValidationError) as caught:
        await call(agent, Command(resume={"question": 1}), config)
    assert is_invalid_resume(caught.value)
    out = await call(agent, Command(resume={"question": "q"}), config)
    assert asks.result(out["messages"][-2]).data.task == "q"


async def test_without_a_checkpointer_an_interrupt_surfaces_all_the_same(call: Call) -> None:
    @delegate(handoff=CONTRACT, on_error="tell")
    def asks() -> Research:
        """Ask the user."""
        return interrupt("which?")

    agent = create_agent(ScriptedModel(replies=[calling(tool_call("asks"))]), tools=asks.as_tools())
    assert (await call(agent, {"messages": ["go"]}))["__interrupt__"][0].value == "which?"


async def test_a_bad_output_is_never_told_to_a_model(call: Call) -> None:
    @handoff
    def wrong(research: Research) -> Brief:
        return Brief.model_validate({"task": 1})

    @delegate(handoff=wrong, on_error="tell")
    def asks() -> Research:
        """Ask."""
        return Research(question="q")

    with pytest.raises(errors.DeliveryError, match="task: expected"):
        await call(node_of(asks.as_tool()), {"messages": [AIMessage("", tool_calls=[tool_call("asks")])]})


async def test_what_is_over_the_budget_as_json_is_told_as_the_context(call: Call) -> None:
    def limited(max_tokens: int) -> Delegate[Any, Any]:
        return delegate(handoff=Handoff.of(Research, id="x", max_tokens=max_tokens, counter=counted))(one)

    def counted(text: str) -> int:
        return len(text) * (10 if text.startswith('{"data"') else 1)

    def one(question: str) -> Research:
        """Ask."""
        return Research(question=question)

    narrow, wide = limited(300), limited(3000)
    message = await call(narrow.as_tool(), tool_call("one", question="Why?"))
    assert message.content == narrow.result(message).payload.context
    assert (await call(wide.as_tool(), {"question": "Why?"})).startswith('{"data"')


@pytest.mark.parametrize("answer", [ZeroDivisionError(), -1])
async def test_a_counter_that_fails_on_the_json_is_an_error_of_the_output(call: Call, answer: Any) -> None:
    def counter(text: str) -> int:
        if not text.startswith('{"data"'):
            return len(text)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @delegate(handoff=Handoff.of(Research, id="x", max_tokens=3000, counter=counter))
    def one() -> Research:
        """Ask."""
        return Research(question="q")

    with pytest.raises(errors.DeliveryError, match="failed at its layer 'budget'") as caught:
        await call(one.as_tool(), tool_call("one"))
    assert caught.value.returned == Research(question="q")


async def test_a_private_field_is_in_the_artifact_and_not_in_the_content(call: Call) -> None:
    class Secret(BaseModel):
        name: str
        token: Annotated[str, Private()]

    contract = Handoff.of(Secret, id="secret")

    @delegate(handoff=contract)
    def fetch() -> Secret:
        """Fetch."""
        return Secret(name="n", token="hunter2")

    message = await call(fetch.as_tool(), tool_call("fetch"))
    assert json.loads(message.content) == {"data": {"name": "n"}, "summary": None}
    assert fetch.result(message).data.token == "hunter2"


async def test_a_result_that_cannot_be_written_is_an_error_of_the_output(call: Call) -> None:
    def strict(value: str) -> str:
        if value == "late":
            raise ValueError(value)
        return value

    class Moody(BaseModel):
        name: Annotated[str, PlainSerializer(strict, when_used="json")]

    @delegate(handoff=Handoff.of(Moody, id="moody"))
    def fetch(name: str) -> Moody:
        """Fetch."""
        return Moody(name=name)

    with pytest.raises(errors.DeliveryError):
        await call(fetch.as_tool(), tool_call("fetch", name="late"))


async def test_an_agent_calls_it_and_the_result_survives_a_checkpoint(call: Call) -> None:
    model = ScriptedModel(replies=[calling(tool_call("research", question="Why?")), "done"])
    agent = create_agent(model, tools=research.as_tools(), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    out = await call(agent, {"messages": ["go"]}, config)
    assert out["messages"][-1].content == "done"
    kept = agent.get_state(config).values["messages"][-2]
    assert research.result(kept).data == Brief(task="Why?", facts=["found"])


async def test_the_result_survives_a_database_that_is_read_strictly(tmp_path: Path) -> None:
    config: Any = {"configurable": {"thread_id": "1"}}
    model = ScriptedModel(replies=[calling(tool_call("research", question="Why?")), "done"])
    with SqliteSaver.from_conn_string(str(tmp_path / "kept.sqlite")) as saver:
        create_agent(model, tools=research.as_tools(), checkpointer=saver).invoke({"messages": ["go"]}, config)
    strictly = JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=None)
    with closing(sqlite3.connect(tmp_path / "kept.sqlite")) as connection:
        reading = create_agent(model, tools=[], checkpointer=SqliteSaver(connection, serde=strictly))
        kept = reading.get_state(config).values["messages"][-2]
    assert research.result(kept).data == Brief(task="Why?", facts=["found"])


async def test_a_parent_graphs_bare_tool_and_a_delegate_share_a_turn(call: Call) -> None:
    def plain(text: str) -> str:
        """Echo."""
        return text

    model = ScriptedModel(
        replies=[calling(tool_call("research", "1", question="q"), tool_call("plain", "2", text="t")), "done"]
    )
    out = await call(create_agent(model, tools=[research.as_tool(), plain]), {"messages": ["go"]})
    answered = {m.tool_call_id: m.name for m in out["messages"] if isinstance(m, ToolMessage)}
    assert answered == {"1": "research", "2": "plain"}


def test_what_holds_no_result_is_refused_with_what_it_is() -> None:
    good = research.as_tool().invoke(tool_call("research", question="q"))
    other = told.as_tool().invoke(tool_call("told", failure="output"))
    failed = told.as_tool().invoke(tool_call("told", failure="raises"))
    for message, said in [
        (AIMessage("no"), "of type AIMessage"),
        (ToolMessage("x", tool_call_id="1"), "a tool message without a result"),
        (failed, "the message of a failed call"),
        (other, "a result of delegate 'told'"),
    ]:
        with pytest.raises(errors.ResultError, match=said):
            research.result(message)
    good.artifact["payload"]["data"] = {"task": 1}
    with pytest.raises(errors.EnvelopeError):
        research.result(good)


@pytest.mark.parametrize("handle", [True, "Sorry.", (errors.SubagentError,)])
async def test_a_hosts_own_handling_of_tool_errors_gets_the_typed_error(call: Call, handle: Any) -> None:
    @delegate(handoff=CONTRACT)
    def fails() -> Research:
        """Fail."""
        raise KeyError

    builder: Any = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode(fails.as_tools(), handle_tool_errors=handle))
    builder.add_edge(START, "tools")
    out = await call(builder.compile(), {"messages": [AIMessage("", tool_calls=[tool_call("fails")])]})
    answer = out["messages"][-1]
    assert answer.status == "error"
    assert "Sorry." in answer.content or "delegate 'fails' (layer: subagent)" in answer.content


async def test_a_copy_of_a_tool_calls_the_same_delegate(call: Call) -> None:
    copied = research.as_tool().model_copy(update={"name": "copied"})
    message = await call(copied, tool_call("copied", question="Why?"))
    assert (message.name, research.result(message).data.task) == ("copied", "Why?")
